"""`requests notices`: the recipients who are told of a decision, to their outcome (art. 19, ERA-14).
Everybody is fictitious."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.crm_compliance.answer_package.pages import text_of
from tests.crm_compliance.cli.requests.decided import LOTTE, asking_for, decide, lotte, released, shown
from tests.crm_compliance.cli.requests.family import on_behalf
from tests.crm_compliance.cli.requests.recipients import ABROAD, POLICE, file_of
from tests.crm_compliance.cli.requests.releases import unpacked
from tests.crm_compliance.cli.requests.suspects import JAN, PIET, jan, suspect
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import DORA, ERIK, Typist

TODAY = "2026-11-25"
RULES = Path(__file__).parents[4] / "rules"


def granting(typist: Typist, org: Night, right: str) -> str:
    """A request, in English, of a child whose file was passed on, which is granted."""
    return granted(typist, org, right, language="en").id


@pytest.fixture
def erased(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> Asking:
    return Asking(typist, worlds.begin(request, granting, "erasure"))


@pytest.fixture
def restricted(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> Asking:
    return Asking(typist, worlds.begin(request, granting, "restriction"))


def granted(typist: Typist, org: Night, right: str, **more: Any) -> Asking:
    child = lotte(org, birthdate="2008-01-02")
    file_of(org, child)
    asking = asking_for(typist, right, child, **more)
    decide(typist, asking, "--grant")
    return asking


def listed(typist: Typist, asking: Asking, *words: object) -> Any:
    return typist.ask("requests", "notices", asking.id, *words)["notices"]


def letters(typist: Typist, asking: Asking, name: str = "letters", *more: object) -> dict[str, str]:
    """Write the letters; the text of each by its file's name."""
    folder = typist.folder / name
    files = typist.ask("requests", "notices", asking.id, "--output", folder, *more, *DORA)["files"]
    assert [Path(file).parent for file in files] == [folder] * len(files)
    return {Path(file).name: text_of(Path(file).read_bytes()) for file in files}


def test_recipients_of_an_erasure_from_the_decision_to_their_outcomes(erased: Asking, typist: Typist, org: Night) -> None:
    asking = erased
    before = {"due_on": None, "told_on": None, "reason": None, "granted": ["erase"], "state": "waiting"}
    assert listed(typist, asking) == [
        {"notice": 1, "recipient": ABROAD, "country": "NL", "on": None, **before},
        {"notice": 2, "recipient": POLICE, "country": "BE", "on": "2026-02-05", **before},
    ]
    assert letters(typist, asking) == {}
    assert not (typist.folder / "letters").exists()
    assert typist.refused("requests", "notices", asking.id, "--told", 1, "--on", TODAY, *DORA, code=5)["code"] == "waiting"
    released(typist, asking)
    assert typist.ask("requests", "show", asking.id, *DORA)["notices"] == {"waiting": 0, "due": 2, "told": 0, "not_told": 0}
    assert [(one["state"], one["due_on"]) for one in listed(typist, asking)] == [("due", TODAY)] * 2
    told = listed(typist, asking, "--told", 2, "--on", TODAY, *DORA)
    assert (told[1]["state"], told[1]["told_on"], told[0]["state"]) == ("told", TODAY, "due")
    assert list(letters(typist, asking)) == ["notice-1.pdf"]
    missed = listed(typist, asking, "--not-told", 1, "--reason", "impossible", *DORA)
    assert (missed[0]["state"], missed[0]["reason"]) == ("not_told", "IMPOSSIBLE")
    assert typist.ask("requests", "show", asking.id, *DORA)["notices"] == {"waiting": 0, "due": 0, "told": 1, "not_told": 1}
    assert "notices" not in shown(typist, asking), "that there are any says that the person is known: it is for the DPO (SUS-07)"
    assert "notices" not in typist.ask("requests", "show", asking.id, *ERIK)
    entries = [dict(entry.data) for entry in org.store.ledger.entries() if entry.data.get("step") == "notices"]
    assert [(one.get("letters"), one.get("notice"), one.get("code")) for one in entries] == [
        (None, 2, "TOLD"),
        ([1], None, None),
        (None, 1, "IMPOSSIBLE"),
    ]
    assert "Verzonnen" not in json.dumps([dict(entry.data) for entry in org.store.ledger.entries()])
    assert typist.ask("ledger", "verify")["ok"]


def test_a_letter_says_what_lets_the_recipient_act_and_nothing_else(erased: Asking, typist: Typist, org: Night) -> None:
    """Whose data, since when, what was done and what is asked: no other person, no content, no category, no
    number of a file."""
    asking = erased
    released(typist, asking)
    assert org.rows("contacts?$select=contactid") == []  # the CRM does not know any more who it was
    own = letters(typist, asking, "own")
    assert "Artikel 19" in own["notice-2.pdf"] or "artikel 19" in own["notice-2.pdf"]  # the organisation's language, not the requester's
    told = letters(typist, asking, "letters", "--language", "en")
    assert list(told) == ["notice-1.pdf", "notice-2.pdf"]
    assert "Lotte Peeters (fictief) Date of birth 2 January 2008 Last passed on to you 5 February 2026" in told["notice-2.pdf"]
    assert "on a date that was not recorded" in told["notice-1.pdf"]
    assert f"{ABROAD} Netherlands" in told["notice-1.pdf"]
    for text in told.values():
        assert "We have erased the data about this person" in text
        assert "Article 19" in text
        assert not [word for word in ("Annelies", "Zonnebloem", "D-2026", "exting", "request for", "lotte@") if word in text]
    assert (POLICE in told["notice-1.pdf"], ABROAD in told["notice-2.pdf"]) == (False, False)


def test_letters_are_in_a_language_in_which_the_organisation_writes(restricted: Asking, typist: Typist) -> None:
    """Where neither the recipient's country nor the schedule says another, in its usual one."""
    for setting, shipped, was, now in (
        ("ORGANISATION", "organisation/shipped/childfocus.yaml", "languages: [nl, fr, de, en]", "languages: [fr, nl]"),
        ("POLICY", "policy/schedules/childfocus.yaml", "  language: nl ", "  # language: nl "),
    ):
        text = (RULES / shipped).read_text(encoding="utf-8")
        assert was in text
        path = typist.folder / f"{setting}.yaml"
        path.write_text(text.replace(was, now), encoding="utf-8")
        typist.set(**{setting: str(path)})
    told = letters(typist, restricted)
    assert "Limitation" in told["notice-2.pdf"]
    assert "Beperking" in told["notice-1.pdf"], "of a recipient in the Netherlands"
    refused = typist.refused("requests", "notices", restricted.id, "--output", typist.folder / "more", "--language", "de", *DORA, code=2)
    assert refused["hint"] == "one of: fr, nl"


def test_letters_are_for_their_owner_and_never_over_something_that_is_there(erased: Asking, typist: Typist, org: Night) -> None:
    asking = erased
    released(typist, asking)
    letters(typist, asking)
    folder = typist.folder / "letters"
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}
    assert folder.stat().st_mode & 0o777 == 0o700
    entries = len(list(org.store.ledger.entries()))
    assert typist.refused("requests", "notices", asking.id, "--output", folder, *DORA, code=2)["code"] == "disk"
    assert len(list(org.store.ledger.entries())) == entries
    german = letters(typist, asking, "empty", "--language", "de")
    assert "Löschung personenbezogener Daten" in german["notice-1.pdf"]


def test_a_restriction_is_told_of_at_once_and_without_the_crm(restricted: Asking, typist: Typist, org: Night) -> None:
    asking = restricted
    set_faults(org.emulator, {"match": {}, "do": "status", "status": 503})
    told = letters(typist, asking)
    assert "Beperking van de verwerking" in told["notice-1.pdf"]
    assert [one["state"] for one in listed(typist, asking, "--told", 1, "--on", TODAY, *DORA)] == ["told", "due"]


def test_a_correction_is_told_with_fields_and_values(typist: Typist, org: Night) -> None:
    details = {"corrections": {"firstname": "Lotje"}}
    asking = granted(typist, org, "rectification", details=details, given=LOTTE | {"birthdate": "2009-01-02"})
    released(typist, asking)
    text = letters(typist, asking)["notice-2.pdf"]
    assert "Geboortedatum 2 januari 2008" in text
    assert "Geboortedatum 2 januari 2009 Voornaam Lotje" in text


def test_a_parent_is_not_told_of_a_shelter_that_hears_of_the_decision(typist: Typist, org: Night) -> None:
    """RGT-09, R-096: no shelter is named to the parent, nor, outside an answer to access, who acts in
    criminal matters; both are told."""
    given: dict[str, Any] = {"firstname": "Lotte", "lastname": "Zandstra (fictief)", "emailaddress1": "lotte@example.org"}
    child = org.contact(**given, birthdate="2017-03-04")
    parent = org.contact(firstname="Els", lastname="Vermeulen (fictief)", emailaddress1="els@example.org")
    dossier = org.dossier("runaway", closed=False, fiches=0)
    for to in (POLICE, "Opvanghuis Zonnedal"):
        org.fiche("runaway", dossier=dossier, cf_transmittedto=to, cf_transmittedon="2026-02-05")
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asking = on_behalf(typist, child, parent, born="2017-03-04", right="erasure")
    asking.compile()
    decide(typist, asking, "--grant")
    released(typist, asking)
    letter = text_of(unpacked((typist.folder / f"{asking.id}.zip").read_bytes(), typist.folder / f"{asking.id}.txt")["letter.pdf"])
    assert (POLICE in letter, "Zonnedal" in letter) == (False, False)
    assert [one["recipient"] for one in listed(typist, asking)] == ["Opvanghuis Zonnedal", POLICE]


def test_the_command_says_the_same_of_a_suspect_and_of_somebody_without_recipients(typist: Typist, org: Night) -> None:
    """SUS-04, SUS-07: the same answers and errors, the same register, the same entries in the ledger."""
    person = jan(org)
    suspect(org, person, file_of(org, lotte(org, birthdate="2008-01-02")))
    child = lotte(org, birthdate="2008-01-02")
    org.party(child, "child", dossier=org.dossier("sexting", closed=False, fiches=0))
    suspected = asking_for(typist, "erasure", person, given=JAN)
    unknown = asking_for(typist, "erasure", given=PIET)
    plain = asking_for(typist, "erasure", child)
    said = []
    for asking in (suspected, unknown, plain):
        decide(typist, asking, "--grant")
        released(typist, asking)
        first = len(list(org.store.ledger.entries()))
        answers = [typist.ask("requests", "notices", asking.id), letters(typist, asking, "none")]
        errors = [
            typist.refused("requests", "notices", asking.id, "--told", 1, "--on", TODAY, *DORA, code=2),
            typist.refused("requests", "notices", asking.id, "--not-told", 1, "--reason", "impossible", *DORA, code=2),
            typist.refused("requests", "notices", asking.id, *ERIK, code=5),
        ]
        screen = typist.type("requests", "notices", asking.id).out
        entries = [(entry.kind, dict(entry.data)) for entry in list(org.store.ledger.entries())[first:]]
        assert "notices" not in shown(typist, asking)
        said.append(json.dumps([answers, errors, screen, entries]).replace(asking.id, "R"))
    assert said[0] == said[1] == said[2]
    assert not (typist.folder / "none").exists()


def test_a_refusal_has_nobody_to_tell(erased: Asking, typist: Typist) -> None:
    asking = erased
    decide(typist, asking, "--refuse", "RF-02")
    assert (listed(typist, asking), "notices" in shown(typist, asking)) == ([], False)


@pytest.mark.parametrize(
    "words",
    [
        ("--told", "1"),
        ("--on", TODAY),
        ("--told", "1", "--on", "2026-11-24"),
        ("--told", "1", "--on", "2026-11-26"),
        ("--told", "3", "--on", TODAY),
        ("--told", "1", "--on", "gisteren"),
        ("--not-told", "1"),
        ("--not-told", "1", "--reason", "Zonnebloem"),
        ("--reason", "impossible"),
        ("--told", "1", "--on", TODAY, "--not-told", "1", "--reason", "impossible"),
        ("--output", "letters", "--told", "1", "--on", TODAY),
        ("--language", "de"),
        ("--output", "letters", "--language", "es"),
    ],
)
def test_what_does_not_go_together_is_exit_2(restricted: Asking, typist: Typist, words: tuple[str, ...]) -> None:
    asking = restricted
    error = typist.refused("requests", "notices", asking.id, *words, *DORA, code=2)
    assert "Zonnebloem" not in json.dumps(error)
    assert [one["state"] for one in listed(typist, asking)] == ["due", "due"]


def test_only_the_dpo_looks_writes_and_records(restricted: Asking, typist: Typist, org: Night) -> None:
    """Section 9.4, ACC-10."""
    asking = restricted
    for words in ((), ("--output", typist.folder / "letters"), ("--told", 1, "--on", TODAY)):
        assert typist.refused("requests", "notices", asking.id, *words, *ERIK, code=5)["code"] == "role"
        last = list(org.store.ledger.entries())[-1]
        assert (last.kind, last.data["action"], last.data["step"], last.data["role"]) == ("denied", "handle_request", "notices", "approver")
    assert not (typist.folder / "letters").exists()


def test_the_list_on_a_screen(restricted: Asking, typist: Typist) -> None:
    asking = restricted
    said = typist.type("requests", "notices", asking.id)
    assert (said.code, said.last) == (0, f"request {asking.id}")
    assert all(word in said.out for word in (POLICE, "2026-02-05", f"due since {TODAY}"))
    typist.type("requests", "notices", asking.id, "--told", "1", "--on", TODAY, *DORA)
    said = typist.type("requests", "notices", asking.id, "--output", typist.folder / "letters", *DORA)
    assert f"told {TODAY}" in said.out
    assert "notice-2.pdf" in said.out
    assert "1 due, 1 told" in typist.type("requests", "show", asking.id, *DORA).out


def test_the_night_reminds_of_who_has_been_due_for_more_than_fourteen_days(restricted: Asking, typist: Typist) -> None:
    asking = restricted
    released(typist, asking)
    typist.ask("requests", "close", asking.id, "--outcome", "DONE", *DORA)
    typist.set(CLOCK="2026-12-09T11:00:00Z")
    assert typist.ask("run", "requests")["alarms"] == []
    typist.set(CLOCK="2026-12-10T11:00:00Z")
    (alarm,) = typist.ask("run", "requests", code=6)["alarms"]
    assert (alarm["code"], alarm["request"]) == ("NOTICE_DUE", asking.id)
    assert "Alarm NOTICE_DUE" in typist.type("run", "requests").out
