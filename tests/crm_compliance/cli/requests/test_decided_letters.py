"""What the letter tells of a decision is what is so at its release: what is held, kept or waits is not told
as done. Everybody is fictitious."""

import json
from typing import Any

import pytest

from crm_compliance.answer_package.package import package_of
from tests.crm_compliance.answer_package.pages import text_of
from tests.crm_compliance.cli.requests import family
from tests.crm_compliance.cli.requests.decided import (
    LOTTE,
    asking_for,
    decide,
    letter_at_release,
    lotte,
    released,
)
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist


def test_r104_the_letter_of_a_granted_erasure_tells_what_stays_and_why(typist: Typist, org: Night) -> None:
    """R-104, GDPR art. 12(4): a payment stays for its term, which the schedule has or has not yet."""
    donor = lotte(org)
    org.donation(donor)
    asking = asking_for(typist, "erasure", donor, language="en")
    decide(typist, asking, "--grant")
    with asking.context() as context:
        contents = package_of(asking.compilation, context.organisation, {})
    (kept,) = json.loads(contents["data.json"])["kept"]
    assert (kept["type"], kept["last_day"]) == ("donation", None)
    assert "What we are keeping, and why" in text_of(contents["letter.pdf"])


@pytest.mark.parametrize("is_held", [False, True])
def test_the_letter_calls_a_correction_done_only_where_it_can_be(typist: Typist, org: Night, is_held: bool) -> None:
    """GDPR art. 12(3), 16: a pending request of somebody else in the file does not stop it; a flag for the
    court in the CRM does."""
    witness = lotte(org, mobilephone="0472 12 13 14")
    other = org.contact(lastname="Maes (fictief)", emailaddress1="noor@example.org")
    dossier = org.dossier("grooming", closed=False, cf_legalhold=is_held)
    org.party(witness, "reporter", dossier=dossier)
    org.party(other, "child", dossier=dossier)
    asking_for(typist, "access", other, given={"firstname": "Noor", "lastname": "Maes (fictief)", "emails": ["noor@example.org"]})
    corrections = {"phones": "0472 12 13 99", "lastname": "Pagé (fictief)"}
    asking = asking_for(typist, "rectification", witness, details={"corrections": corrections}, language="en")
    decided = decide(typist, asking, "--grant")
    assert set(decided["waiting"].values()) == ({"HOLD_LEGAL"} if is_held else set())
    with asking.context() as context:
        letter = text_of(package_of(asking.compilation, context.organisation, {})["letter.pdf"])
    assert ("Corrected: " in letter, "not yet carried out" in letter) == (not is_held, is_held)
    released(typist, asking)
    row = org.get("contacts", witness) or {}
    assert (row["lastname"] == "Pagé (fictief)", row["mobilephone"] == "0472 12 13 99") == (not is_held, not is_held)


@pytest.mark.parametrize("is_held_later", [True, False])
def test_the_letter_tells_of_a_correction_what_is_so_at_the_release(typist: Typist, org: Night, is_held_later: bool) -> None:
    """GDPR art. 12(3), 16, HLD-09: a hold that comes, or goes, between the decision and the release."""
    witness = lotte(org)
    dossier = org.dossier("grooming", closed=False, cf_legalhold=not is_held_later)
    org.party(witness, "reporter", dossier=dossier)
    asking = asking_for(typist, "rectification", witness, details={"corrections": {"lastname": "Pagé (fictief)"}}, language="en")
    assert bool(decide(typist, asking, "--grant")["waiting"]) == (not is_held_later)
    typist.ask("requests", "approve", asking.id, *DORA)
    org.patch("cf_dossiers", dossier, cf_legalhold=is_held_later)
    letter = letter_at_release(typist, asking)
    assert ("What is still to follow" in letter, "What we have done" in letter) == (is_held_later, not is_held_later)
    out = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    typist.ask("requests", "release", asking.id, *out, *ERIK)
    assert ((org.get("contacts", witness) or {})["lastname"] == "Pagé (fictief)") == (not is_held_later)


@pytest.mark.parametrize("is_minor", [True, False])
def test_rf02_a_refused_erasure_tells_what_stays_until_when_and_on_what_basis(typist: Typist, org: Night, is_minor: bool) -> None:
    """RF-02, GDPR art. 12(4), 17(3): also to a child; and nothing of the file in which the person is
    suspected (SUS-05)."""
    child = lotte(org, birthdate="2010-01-02" if is_minor else "1990-01-02")
    org.party(child, "child", dossier=org.dossier("runaway"))
    org.party(child, "suspect", dossier=org.dossier("sexting", closed=False))
    given = LOTTE | {"birthdate": "2010-01-02" if is_minor else "1990-01-02"}
    asking = asking_for(typist, "erasure", child, given=given, language="en")
    decide(typist, asking, "--refuse", "RF-02")
    assert asking.compilation.addressee.is_minor == is_minor
    typist.ask("requests", "approve", asking.id, *DORA)
    letter = letter_at_release(typist, asking)
    kept = letter[letter.index("What we are keeping, and why") :]
    assert "Vital interests" in kept
    assert ("Up to and including 2 January 2035" if is_minor else "10 July 2025") in kept
    assert "exploitation" not in letter.replace("sexually exploited", "")
    decide_again = asking_for(typist, "erasure", child, given=given, language="en")
    decide(typist, decide_again, "--refuse", "RF-01")
    typist.ask("requests", "approve", decide_again.id, *DORA)
    assert "What we are keeping" not in letter_at_release(typist, decide_again)


def test_rf02_a_file_that_is_not_among_what_was_granted_is_told_as_kept(typist: Typist, org: Night) -> None:
    """GDPR art. 12(4): of a refused part as of a refused whole."""
    child = lotte(org, birthdate="2010-01-02")
    for kind in ("runaway", "sexting"):
        org.party(child, "child", dossier=org.dossier(kind, closed=False))
    asking = asking_for(typist, "erasure", child, language="en")
    first, _ = (item["item"] for item in asking.items())
    decide(typist, asking, "--grant", first)
    with asking.context() as context:
        contents = package_of(asking.compilation, context.organisation, {})
    (kept,) = json.loads(contents["data.json"])["kept"]
    assert (kept["type"], bool(kept["term"]), bool(kept["basis"])) == ("dossier", True, True)


@pytest.mark.parametrize(
    ("right", "details", "code", "reason"),
    [
        ("rectification", {"corrections": {"lastname": "Maes (fictief)"}}, "RF-09", "We could not establish that the data are inaccurate"),
        ("restriction", {"about": "accuracy"}, "RF-10", "None of the four grounds in Article 18(1) GDPR applies here."),
    ],
)
def test_a_refusal_tells_the_true_reason(typist: Typist, org: Night, right: str, details: dict[str, Any], code: str, reason: str) -> None:
    """GDPR art. 12(4)."""
    child = lotte(org, birthdate="1990-01-02")
    org.party(child, "child", dossier=org.dossier("sexting", closed=False))
    asking = asking_for(typist, right, child, details=details, language="en")
    decide(typist, asking, "--refuse", code)
    typist.ask("requests", "approve", asking.id, *DORA)
    assert reason in letter_at_release(typist, asking)


def test_a_neutral_answer_that_was_refused_tells_of_nothing_that_stays(typist: Typist, org: Night) -> None:
    """SUS-04, SUS-10."""
    person = lotte(org, birthdate="2010-01-02")
    org.party(person, "suspect", dossier=org.dossier("sexting", closed=False))
    asking = asking_for(typist, "erasure", person, language="en")
    decide(typist, asking, "--refuse", "RF-02")
    typist.ask("requests", "approve", asking.id, *DORA)
    assert "keeping" not in letter_at_release(typist, asking)


@pytest.mark.parametrize("is_awaited", [True, False])
def test_the_letter_of_an_erasure_names_no_technical_reason_alone(typist: Typist, org: Night, is_awaited: bool) -> None:
    """DDL-12, R-078, HLD-12: what may be waited for is said to everybody alike, so that nobody learns of the
    request of somebody else."""
    child, other = lotte(org, birthdate="1990-01-02"), org.contact(lastname="Maes (fictief)", emailaddress1="noor@example.org")
    dossier = org.dossier("sexting", closed=False)
    org.party(child, "child", dossier=dossier)
    org.party(other, "reporter", dossier=dossier)
    if is_awaited:
        asking_for(typist, "access", other, given={"firstname": "Noor", "lastname": "Maes (fictief)", "emails": ["noor@example.org"]})
    asking = asking_for(typist, "erasure", child, language="de")
    assert bool(decide(typist, asking, "--grant")["waiting"]) == is_awaited
    typist.ask("requests", "approve", asking.id, *DORA)
    letter = letter_at_release(typist, asking)
    assert "etwa ein anderer Antrag, der zuerst zu beantworten ist, oder ein technischer Grund" in letter


def test_hld10_the_letter_of_an_objection_promises_no_days_after_the_closing(typist: Typist, org: Night) -> None:
    """HLD-08, HLD-10: an objection keeps what it is about until it is closed, an erasure thirty days more."""
    witness = lotte(org)
    org.party(witness, "witness", dossier=org.dossier("grooming"))
    letters = {}
    for right, refusal, about in (("objection", "RF-05", "processing"), ("erasure", "RF-02", "")):
        asking = asking_for(typist, right, witness, language="en", details={"about": about})
        decide(typist, asking, "--refuse", refusal)
        typist.ask("requests", "approve", asking.id, *DORA)
        letters[right] = letter_at_release(typist, asking)
    keeps = "While we are dealing with your request, we will not erase these data."
    assert {right: keeps in letter for right, letter in letters.items()} == {"objection": True, "erasure": False}
    assert {right: "30 days" in letter for right, letter in letters.items()} == {"objection": False, "erasure": True}


@pytest.mark.parametrize("words", [("--grant",), ("--refuse", "RF-10")])
def test_rf07_who_may_not_act_for_the_child_is_told_so_beside_what_is_decided_on_their_own_data(
    typist: Typist, org: Night, words: tuple[str, ...]
) -> None:
    """RF-07, R-098, GDPR art. 12(4): else the answer on the parent's own data reads as one on the child's."""
    child, els = family.lotte(org, born="2016-03-04"), family.els(org)
    dossier = org.dossier("grooming")
    org.party(child, "child", dossier=dossier)
    org.party(els, "parent", dossier=dossier)
    who = ("--mandate", "not_shown")
    asking = family.on_behalf(typist, child, els, *who, born="2016-03-04", right="restriction", language="en")
    asking.compile()
    decide(typist, asking, *words)
    typist.ask("requests", "approve", asking.id, *DORA)
    assert "We could not establish that you may act for this child." in letter_at_release(typist, asking)


def test_rf07_refuses_nobody_who_asks_for_themselves(typist: Typist, org: Night) -> None:
    """6.4: the letter would speak of a child to somebody who named none."""
    asking = asking_for(typist, "erasure", lotte(org))
    error = typist.refused("requests", "decide", asking.id, "--refuse", "RF-07", *DORA, code=2)
    assert (error["message"], error["hint"]) == ("this refusal is for somebody who asks for a child", "one of: RF-02, RF-01, RF-08")
    child, els = family.lotte(org, born="2016-03-04"), family.els(org)
    org.party(child, "child", dossier=org.dossier("grooming"))
    asking = family.on_behalf(typist, child, els, born="2016-03-04", right="erasure")
    asking.compile()
    assert decide(typist, asking, "--refuse", "RF-07")["refusal"] == "RF-07"
