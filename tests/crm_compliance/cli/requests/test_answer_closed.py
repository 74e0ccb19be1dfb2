"""What an answer does not tell, and how it does not tell that: suspicions, neutral answers (R-106 to R-116).
Everybody is fictitious."""

import json
from datetime import date
from typing import Any

import msgspec
import pytest

from jobs.model.answer import Compilation
from rules.errors import Refused
from rules.model.requests import Outcome
from tests.crm_compliance.cli.requests.family import ELS, LOTTE, els, lotte, on_behalf
from tests.crm_compliance.cli.requests.suspects import JAN, PIET, asked_by, jan, suspect
from tests.drivers.asking import Asking, told
from tests.drivers.night import Night
from tests.drivers.requesting import same_row
from tests.drivers.typist import DORA, ERIK, Typist


def masked(compilation: Compilation) -> dict[str, Any]:
    """A compiled answer without its request, its instant and its addressee."""
    document: dict[str, Any] = json.loads(msgspec.json.encode(compilation))
    return {key: value for key, value in document.items() if key not in ("request", "reference", "generated_at", "addressee", "about")} | {
        "minor": document["addressee"]["is_minor"]
    }


@pytest.mark.parametrize("language", ["nl", "fr", "es"])
def test_nobody_can_tell_an_unknown_person_from_a_suspect(typist: Typist, org: Night, language: str) -> None:
    """R-106, R-111, R-116, SUS-04, SUS-07: the same answer, the same steps, two approvals, the same row of
    the register.

    The suspect's preferred language is told by no file: a request in Spanish is answered in Dutch for both
    (R-122).
    """
    person = jan(org, cf_language=100000001, birthdate="2011-01-01")
    suspect(org, person, org.dossier("grooming", closed=False))
    known = asked_by(typist, JAN, person, kind="witness", language=language)
    unknown = asked_by(typist, PIET, kind="witness", language=language)
    answers = []
    for asking in (known, unknown):
        assert {key: value for key, value in asking.answer.items() if key != "request"} == {
            "answer": "neutral",
            "scope": "own",
            "items": 0,
            "pending": 0,
            "refusal": None,
            "blocks": [],
            "files": [],
        }
        assert asking.items() == []
        asking.approve_all()
        with pytest.raises(Refused) as refusal:
            asking.release("Dora")
        assert refusal.value.code == "same_person"
        answers.append((masked(asking.compilation), asking.release()))
    assert answers[0][0] == answers[1][0]
    assert same_row(answers[0][1], answers[1][1])
    assert [row.outcome for _, row in answers] == [Outcome.NEUTRAL, Outcome.NEUTRAL]
    assert [word.step for word in answers[1][1].approvals] == ["content", "release"]


def test_what_stems_from_a_closed_dossier_leaves_no_trace(typist: Typist, org: Night) -> None:
    """R-107, SUS-05: witness in A, suspect in B; nothing of B, and no gap where it would be."""
    person = jan(org, description="Zie ook dossier D-2026-0666.")
    in_a = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0111")
    statement = org.fiche(
        "grooming", dossier=in_a, cf_summary="Ik zag een auto; zie ook D-2026-0666.", cf_transmittedto="PZ Noord (fictief)"
    )  # fmt: skip
    org.party(person, "reporter", fiche=statement)
    in_b = org.dossier("sexting", closed=False, fiches=0, cf_name="D-2026-0666", cf_summary="Geheim verslag van B.")
    fiche = org.fiche("sexting", dossier=in_b, cf_name="F-2026-6660", cf_summary="Jan Wouterlood stuurde beelden.",
                      cf_transmittedto="PZ Zuid (fictief)", cf_transmittedcountry="US", cf_callernumber="+32470999999")  # fmt: skip
    victim = org.contact(firstname="Mina", lastname="Slachtoffer (fictief)")
    org.party(victim, "child", dossier=in_b)
    suspect(org, person, in_b)
    org.note("contact", person, notetext="Volgens B gevaarlijk.")
    org.call("cf_fiche", fiche, [person])
    org.recording(date(2026, 11, 1), fiche=fiche, cf_transcript="Opname uit B.", cf_callernumber="+32470999999")
    asking = asked_by(typist, JAN, person, kind="witness")
    assert asking.answer["answer"] == "package"
    assert asking.answer["blocks"] == []
    assert [item["item"] for item in asking.items()] == [f"item-{number}" for number in range(1, asking.answer["items"] + 1)]
    asking.approve_all()
    text = told(asking.compilation)
    assert [word for word in ("Ik zag een auto", "D-2026-0111", "PZ Noord (fictief)") if word not in text] == []
    closed = (
        "0666",
        "6660",
        "Geheim",
        "beelden",
        "PZ Zuid",
        '"US"',
        "Mina",
        "Slachtoffer",
        "gevaarlijk",
        "gesprek",
        "Opname",
        "sexting",
        "9999",
    )
    assert [word for word in closed if word in text] == []
    assert [item.item for item in asking.compilation.shown] == [str(number) for number in range(1, len(asking.compilation.shown) + 1)]
    assert asking.release().outcome is Outcome.DELIVERED
    log = typist.type("history", "export", "--output", typist.folder / "ledger.jsonl")
    assert log.code == 0
    ledger = (typist.folder / "ledger.jsonl").read_text(encoding="utf-8")
    assert not [word for word in (in_b, "exclu", "suspect", "Wouterlood") if word in ledger]


def test_a_witness_who_is_suspected_in_the_same_dossier_gets_the_neutral_answer(typist: Typist, org: Night) -> None:
    """R-108, SUS-06."""
    person = jan(org)
    dossier = org.dossier("grooming", closed=False)
    org.party(person, "reporter", dossier=dossier)
    suspect(org, person, dossier)
    assert asked_by(typist, JAN, person, kind="witness").answer["answer"] == "neutral"


def test_a_dossier_that_shares_a_child_with_a_closed_one_waits_for_the_dpo(typist: Typist, org: Night) -> None:
    """R-109, SUS-06: and goes out once two people have looked at it."""
    person, child = jan(org), lotte(org)
    in_a, in_b = org.dossier("grooming", closed=False), org.dossier("sexting", closed=False)
    org.party(person, "reporter", dossier=in_a)
    suspect(org, person, in_b)
    for dossier in (in_a, in_b):
        org.party(child, "child", dossier=dossier)
    asking = asked_by(typist, JAN, person, kind="witness")
    assert (asking.answer["answer"], asking.answer["blocks"]) == ("dpo_review", ["SUS-06"])
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] in ("dpo_review", "pending_item")
    asking.override("SUS-06")
    assert asking.compile()["answer"] == "package"


def test_a_suspicion_that_has_ended_is_looked_at_by_the_dpo(typist: Typist, org: Night) -> None:
    """R-110, SUS-08: its last day counts; the day of the release decides."""
    person = jan(org)
    dossier = org.dossier("grooming", closed=False)
    role = suspect(org, person, dossier, "2026-11-25")
    assert asked_by(typist, JAN, person, kind="witness").answer["answer"] == "neutral"
    org.patch("cf_parties", role, cf_suspectuntil="2026-11-24")
    asking = asked_by(typist, JAN, person, kind="witness")
    assert (asking.answer["answer"], asking.answer["blocks"]) == ("dpo_review", ["SUS-08"])


@pytest.mark.parametrize("begins", [True, False])
def test_a_suspicion_that_begins_or_ends_before_the_release_sends_the_answer_back(typist: Typist, org: Night, begins: bool) -> None:
    """SUS-08: neither a package nor a neutral answer goes out that is not true any more."""
    person = jan(org)
    dossier = org.dossier("grooming", closed=False)
    role = org.party(person, "reporter" if begins else "suspect", dossier=dossier)
    asking = asked_by(typist, JAN, person, kind="witness")
    assert asking.answer["answer"] == ("package" if begins else "neutral")
    asking.approve_all()
    org.patch("cf_parties", role, cf_role=100000005 if begins else 100000003)
    assert refused(asking) == "standing_changed"
    assert (asking.row().state, asking.row().approvals) == ("searching", ())
    assert typist.ask("requests", "show", asking.id)["next"] == f"crm-compliance requests compile {asking.id}"
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "state", "the release would be refused again"
    assert asking.compile()["answer"] == ("neutral" if begins else "package")


def test_a_parent_who_is_suspected_in_another_dossier_of_the_child_gets_the_neutral_answer(typist: Typist, org: Night) -> None:
    """R-113, SUS-11."""
    child, parent = lotte(org, "2017-03-04"), els(org)
    in_a, in_b = org.dossier("grooming", closed=False), org.dossier("sexting", closed=False)
    org.party(parent, "parent", dossier=in_a)
    suspect(org, parent, in_b)
    for dossier in (in_a, in_b):
        org.party(child, "child", dossier=dossier)
    asking = Asking(typist).open(ELS, LOTTE | {"birthdate": "2017-03-04"}).identify("eid", "--mandate", "shown").confirm(child, parent)
    assert (asking.compile()["answer"], asking.answer["items"]) == ("neutral", 0)
    assert asking.row().scope == "own"


def test_a_neutral_answer_cannot_be_extended(typist: Typist, org: Night) -> None:
    """R-114."""
    person = jan(org)
    suspect(org, person, org.dossier("grooming", closed=False))
    asking = asked_by(typist, JAN, person, kind="witness")
    more = ("--reason", "complexity", "--notified-at", "2026-11-25T10:30:00Z")
    typist.refused("requests", "extend", asking.id, *more, *DORA, code=5)


def test_a_suspect_who_gives_is_told_of_the_gifts_alone(typist: Typist, org: Night) -> None:
    """SUS-05, EXP-05: relation data, and of the contact what they need."""
    person = jan(org, description="Verdacht.", cf_nationalnumber="85073099734")
    org.donation(person)
    suspect(org, person, org.dossier("grooming", closed=False))
    asking = asked_by(typist, JAN, person, kind="donor")
    assert (asking.answer["answer"], asking.answer["pending"]) == ("package", 0)
    text = told(asking.compilation)
    assert "jan@example.org" in text
    assert not [word for word in ("Verdacht", "85073099734", "national_number", '"dossier"') if word in text]


def test_mentions_in_other_files_wait_for_a_person(typist: Typist, org: Night) -> None:
    """EXP-04, R-151: by the sentence, with everybody else redacted; nothing of it goes out by itself."""
    person = jan(org)
    org.party(person, "reporter", dossier=org.dossier("grooming", closed=False))
    story = "Een lang verhaal over iets anders. " * 20
    org.fiche("social_card", cf_summary=f"{story}Mevrouw Janssens kent Jan Wouterlood (fictief) van vroeger. {story}")
    asking = asked_by(typist, JAN, person, kind="witness")
    (mention,) = [item for item in asking.items() if item["title"] == "mention"]
    assert (mention["status"], mention["withholds"]) == ("PENDING_REVIEW", "mention")
    assert "Jan Wouterlood" in mention["proposal"]
    assert "Janssens" not in mention["proposal"]
    assert len(mention["proposal"]) < 200
    assert typist.refused("requests", "approve", asking.id, *DORA, code=5)["code"] == "pending_item"


def test_the_two_who_approve_can_have_the_rows_counted(typist: Typist, org: Night) -> None:
    """EXP-14: included, withheld and excluded add up, and nobody else sees it."""
    person = jan(org)
    org.party(person, "reporter", dossier=org.dossier("grooming", closed=False))
    closed = org.dossier("sexting", closed=False, fiches=2)
    suspect(org, person, closed)
    asking = asked_by(typist, JAN, person, kind="witness")
    for who in (DORA, ERIK):
        counts = typist.ask("requests", "review", asking.id, "--completeness", *who)
        assert counts["complete"] is True
        assert counts["excluded"] == 4
        assert counts["candidates"] == counts["included"] + counts["withheld"] + counts["excluded"]
    said = typist.refused("requests", "review", asking.id, "--completeness", "--as", "anna", "--role", "auditor", code=5)
    assert said["code"] == "role"


@pytest.mark.parametrize("table", ["cf_parties", "annotations", "cf_donations"])
def test_a_row_that_turns_out_to_be_somebody_elses_before_the_release_sends_the_answer_back(typist: Typist, org: Night, table: str) -> None:
    """SUS-08, EXP-05: it was linked to the wrong person; a role on the dossier, or another gift, stays."""
    person, other = jan(org), org.contact()
    dossier = org.dossier("grooming", closed=False)
    org.party(person, "parent", dossier=dossier)
    org.donation(person)
    rows = {
        "cf_parties": (org.party(person, "reporter", fiche=org.fiches_of(dossier)[0]), "cf_ContactId"),
        "annotations": (org.note("contact", person), "objectid_contact"),
        "cf_donations": (org.donation(person), "cf_ContactId"),
    }
    asking = asked_by(typist, JAN, person).approve_all()
    row, link = rows[table]
    org.patch(table, row, **{f"{link}@odata.bind": f"/contacts({other})"})
    assert refused(asking) == "standing_changed"
    asking.compile()
    assert asking.approve_all().release().outcome is Outcome.DELIVERED


def test_a_child_that_is_a_witness_by_the_day_of_the_release_is_told_no_whole_file(typist: Typist, org: Night) -> None:
    """EXP-05: what was told of the file as its child is not told to a witness."""
    child, dossier = lotte(org), org.dossier("grooming", closed=False)
    role = org.party(child, "child", dossier=dossier)
    asking = asked_by(typist, LOTTE, child, kind="child").approve_all()
    org.patch("cf_parties", role, cf_role=100000004)
    assert refused(asking) == "standing_changed"


def test_a_file_that_is_about_a_running_away_by_the_day_of_the_release_is_not_told_whole(typist: Typist, org: Night) -> None:
    """RGT-09: beside another one that was it before."""
    child, mother = lotte(org, born="2018-03-04"), els(org)
    files = [org.dossier(category, closed=False) for category in ("runaway", "grooming")]
    for file in files:
        org.party(child, "child", dossier=file)
        org.party(mother, "parent", dossier=file)
    asking = on_behalf(typist, child, mother, born="2018-03-04")
    assert (asking.compile()["scope"], asking.approve_all().compilation.scope) == ("on_behalf_limited", "on_behalf_limited")
    org.patch("cf_dossiers", files[1], cf_categories="100000030")
    assert refused(asking) == "standing_changed"


def test_a_fiche_that_moves_to_a_running_away_before_the_release_is_told_as_what_is_there(typist: Typist, org: Night) -> None:
    """RGT-09: both files are told, so that neither the roles in them nor the rows show it."""
    child, mother = lotte(org, born="2018-03-04"), els(org)
    runaway, grooming = (org.dossier(category, closed=False) for category in ("runaway", "grooming"))
    for file in (runaway, grooming):
        org.party(child, "child", dossier=file)
        org.party(mother, "parent", dossier=file)
    fiche = org.fiche("grooming", dossier=grooming, cf_summary="Zij slaapt bij haar tante.")
    asking = on_behalf(typist, child, mother, born="2018-03-04")
    asking.compile()
    assert "tante" in told(asking.approve_all().compilation)
    org.patch("cf_fiches", fiche, **{"cf_DossierId@odata.bind": f"/cf_dossiers({runaway})"})
    assert refused(asking) == "standing_changed"
    asking.compile()
    assert "tante" not in told(asking.approve_all().compilation)
    assert asking.release().outcome is Outcome.DELIVERED_PARTLY


def test_a_contact_that_turns_out_to_be_somebody_else_is_confirmed_anew(typist: Typist, org: Night) -> None:
    """IDN-17: a birth date that was corrected since contradicts what the person has said."""
    person = jan(org, birthdate="1980-05-06")
    org.party(person, "parent", dossier=org.dossier("grooming", closed=False))
    asking = asked_by(typist, JAN | {"birthdate": "1980-05-06"}, person).approve_all()
    org.patch("contacts", person, birthdate="1957-11-23")
    files = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    error = typist.refused("requests", "release", asking.id, *files, *ERIK, code=5)
    assert error["code"] == "standing_changed"
    assert error["hint"].startswith("match and confirm again")
    (found,) = [each for each in typist.ask("requests", "match", asking.id)["candidates"] if each["id"] == person]
    assert typist.refused("requests", "confirm", asking.id, found["candidate"], *DORA, code=5)["code"] == "contradiction"
    asking.override("IDN-17").confirm(person).compile()
    assert asking.approve_all().release().outcome is Outcome.DELIVERED


def refused(asking: Asking) -> str:
    with pytest.raises(Refused) as refusal:
        asking.release()
    return refusal.value.code
