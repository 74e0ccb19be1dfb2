"""What is in a file that hangs on somebody else's dossier is read by nobody, and that is said wherever
somebody asks what was searched; what hangs on the own dossier is read and told (EXP-03, EXP-06). Everybody
is fictitious."""

from __future__ import annotations

import base64

import pytest

from crm_compliance.answer_package.package import package_of
from jobs.model.answer import Compilation, ItemStatus
from jobs.requests.answer.review import completeness
from jobs.requests.search.confirm import match_request
from tests.integration.night import Night
from tests.integration.test_requests_answer import Answer

SAID = "Lotte Peeters (fictief) liep langs de vaart, een kwikstaartje vloog op."


def attached(night: Night, dossier: str, text: str) -> str:
    """A text as a file on a dossier; its note says nothing of anybody."""
    body = base64.b64encode(text.encode()).decode()
    file = {"isdocument": True, "filename": "scan.txt", "mimetype": "text/plain", "documentbody": body}
    return night.note("cf_dossier", dossier, subject="Bijlage", notetext=None, **file)


def page_of(night: Night, compilation: Compilation) -> str:
    return package_of(compilation, night.context.organisation, {})["index.html"].decode()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", "de inhoud van bijlagen die niet aan u gekoppeld zijn"),
        ("fr", "contenu des annexes qui ne vous sont pas liées"),
        ("de", "der Inhalt von Anlagen, die nicht mit Ihnen verknüpft sind"),
        ("en", "the contents of attachments that are not linked to you"),
    ],
)
def test_a_file_of_somebody_elses_dossier_is_named_as_not_searched(night: Night, language: str, said: str) -> None:
    """In the search for candidates, in the count of what is complete, and in the letter."""
    lotte = night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2000-03-04")
    night.donation(lotte)
    other = night.dossier("grooming", closed=False, fiches=0)
    night.party(night.contact(), "child", dossier=other)
    note = attached(night, other, SAID)
    answer = Answer(night, lotte, language=language)
    compilation = answer.compile()
    assert note not in {item.source[1] for item in compilation.items}
    assert "attachments_content" in compilation.not_searched
    counts = completeness(night.context, answer.hand(), answer.id)
    assert ("attachments_content" in counts["unread"], counts["complete"]) == (True, True)
    assert said in page_of(night, answer.now)
    assert "attachments_content" in match_request(night.context, answer.id, answer.hand()).not_searched


def test_a_file_of_the_own_dossier_is_read_and_told_without_the_others(night: Night) -> None:
    lotte = night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="2000-03-04")
    mina = night.contact(firstname="Mina", lastname="Verstraeten (fictief)")
    dossier = night.dossier("grooming", closed=False, fiches=0)
    night.party(lotte, "child", dossier=dossier)
    night.party(mina, "witness", dossier=dossier)
    note = attached(night, dossier, f"{SAID} Mina Verstraeten (fictief) keek toe.")
    (read,) = [item for item in Answer(night, lotte).compile().items if item.source == ("note", note) and item.title == "attachment"]
    assert (read.status, read.proposal) == (ItemStatus.PENDING_REVIEW, f"{SAID} [getuige 1] (fictief) keek toe.")
