"""Decisions on a request in a test, from the question to the letter. Everybody is fictitious."""

from typing import Any

from crm_compliance.answer_package.package import package_of
from jobs.requests.answer.release_check import for_release
from tests.crm_compliance.answer_package.pages import text_of
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist

LOTTE: dict[str, Any] = {"firstname": "Lotte", "lastname": "Peeters (fictief)", "emails": ["lotte@example.org"]}


def lotte(org: Night, **columns: Any) -> str:
    return org.contact(emailaddress1="lotte@example.org", **columns)


def asking_for(typist: Typist, right: str, *contacts: str, given: dict[str, Any] | None = None, **more: Any) -> Asking:
    """Somebody who was identified and confirmed, with a compiled answer."""
    asking = Asking(typist).open(given or LOTTE, right=right, **more).identify().confirm(*contacts)
    asking.compile()
    return asking


def decide(typist: Typist, asking: Asking, *words: str) -> Any:
    return typist.ask("requests", "decide", asking.id, *words, *DORA)


def released(typist: Typist, asking: Asking) -> Any:
    """Dora approves the content, Erik releases it."""
    typist.ask("requests", "approve", asking.id, *DORA)
    out = typist.folder / f"{asking.id}.zip"
    return typist.ask("requests", "release", asking.id, "--output", out, "--passphrase-file", typist.folder / f"{asking.id}.txt", *ERIK)


def shown(typist: Typist, asking: Asking) -> Any:
    return typist.ask("requests", "show", asking.id)


def child_with_a_file(typist: Typist, org: Night) -> tuple[str, str, str]:
    """A child of eighteen who asks, in English, that its one file be erased, with a compiled answer: the
    request, the child and the dossier."""
    child = lotte(org, birthdate="2008-01-02")
    dossier = org.dossier("sexting", closed=False, fiches=0)
    org.fiche("sexting", dossier=dossier, cf_transmittedto="Politiezone Verzonnen")
    org.party(child, "child", dossier=dossier)
    return asking_for(typist, "erasure", child, language="en").id, child, dossier


def letter_at_release(typist: Typist, asking: Asking) -> str:
    """The letter as Erik would release it, once Dora has approved the content."""
    with asking.context() as context:
        _, compilation = for_release(context, asking.id, "erik", "approver")
        return text_of(package_of(compilation, context.organisation, {})["letter.pdf"])
