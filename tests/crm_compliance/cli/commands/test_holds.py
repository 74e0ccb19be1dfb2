"""The `holds` commands (contract 3.4)."""

from __future__ import annotations

from functools import partial

import pytest

from connectors.dynamics.connector import DynamicsConnector
from crm_compliance.identity import signin
from crm_compliance.identity.signin import Person
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.requesting import unreachable
from tests.drivers.typist import DORA, ERIK, LONG_AGO, Typist

KEYS = {"hold", "type", "table", "id", "state", "ends_on", "review_on"}
NOBODY = "00000000-0000-0000-0000-0000000000ff"
REVIEW = ("--review-on", "2027-02-01")


def place(table: str, row: str, *more: str, kind: str = "judicial") -> list[str]:
    words = ["holds", "place", "--type", kind, "--reason", "REQ-1", "--basis", "letter", *REVIEW, *DORA, *more]
    return [*words, "--table", table, "--id", row] if row else words


def test_hld02_who_asks_is_not_who_releases_by_another_name(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs in is known by an object id, and what they type is the name of an account."""
    hold = typist.ask(*place("cf_dossier", org.dossier("social_card", spoken=LONG_AGO)))["hold"]
    monkeypatch.setattr(signin, "person", lambda *_: Person("5c1d2f60", "approver", ("erik@example.org",)))
    release = ["holds", "release", hold, "--reason", "over", *ERIK, "--asked-by"]
    for name in ("erik", "Erik@example.org", "5c1d2f60"):
        assert typist.refused(*release, name, code=5)["code"] == "same_person"
    assert typist.ask(*release, "carl")["state"] == "released"


def test_a_hold_is_placed_listed_and_released(typist: Typist, org: Night) -> None:
    """R-065, R-067, R-068."""
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    placed = typist.ask(*place("cf_dossier", dossier, "--ends-on", "2027-01-31"))
    assert set(placed) >= KEYS
    assert (placed["type"], placed["table"], placed["id"], placed["state"]) == ("judicial", "cf_dossier", dossier, "active")
    assert (placed["ends_on"], placed["review_on"], placed["person"], placed["where"]) == ("2027-01-31", "2027-02-01", False, [])
    (listed,) = typist.ask("holds", "list")
    assert listed == placed
    assert typist.ask("plan")["retain"] == {"HOLD_JUDICIAL": 1}
    hold = placed["hold"]
    release = ["holds", "release", hold, "--asked-by", "carl", "--reason", "over"]
    for who in ("dora", "carl", "CARL"):
        assert typist.refused(*release, "--as", who, "--role", "dpo", code=5)["code"] == "same_person"
    assert typist.refused(*release, "--as", "erik", "--role", "crm_admin", code=5)["code"] == "role"
    said = typist.type(*release, *ERIK)
    assert (said.code, said.last) == (0, f"hold {hold}")
    assert typist.refused(*release, *ERIK, code=5)["code"] == "released"
    (listed,) = typist.ask("holds", "list")
    assert (listed["state"], listed["released_by"]) == ("released", "erik")
    assert typist.ask("plan")["retain"] == {}


def test_the_answers_on_a_screen(typist: Typist, org: Night) -> None:
    assert typist.type("holds", "list").out == "No hold.\n"
    dossier = org.dossier("social_card", spoken=LONG_AGO, cf_legalhold=True)
    said = typist.type(*place("cf_dossier", dossier))
    assert (said.code, said.last.split()[0]) == (0, "hold")
    typist.type("plan")
    screen = typist.type("holds", "list").out
    assert all(word in screen for word in ("judicial", "cf_dossier", "active", "none", "2027-02-01", "flag of the CRM"))
    assert "letter" not in screen
    flags = [document for document in typist.ask("holds", "list") if document["source"] == "crm"]
    assert [(flag["id"], flag["type"], flag["state"]) for flag in flags] == [(dossier, "legal", "active")]
    assert set(flags[0]) == set(typist.ask("holds", "list")[0])


def test_a_hold_on_a_person_and_one_by_conditions(typist: Typist, org: Night) -> None:
    dossier, person = org.dossier("social_card", spoken=LONG_AGO), org.contact()
    org.party(person, "suspect", dossier=dossier)
    placed = typist.ask(*place("", "", "--person", "{" + person.upper() + "}", kind="objection"))
    assert (placed["table"], placed["id"], placed["person"]) == ("contact", person, True)
    where = ("--table", "cf_dossier", "--where", "category=social_card", "--where", "category=e_safety", "--where", "active=no")
    placed = typist.ask(*place("", "", *where, kind="complaint"))
    assert (placed["id"], placed["where"]) == (None, ["category=social_card", "category=e_safety", "active=no"])
    assert typist.ask("why", "cf_dossier", dossier)["reasons"] == ["HOLD_COMPLAINT", "HOLD_OBJECTION"]


@pytest.mark.parametrize(
    "words",
    [
        place("cf_dossier", NOBODY),
        place("cf_dossier", "no id"),
        place("cf_nothing", NOBODY),
        place("cf_statistic", NOBODY),
        place("", "", "--person", NOBODY),
        place("", ""),
        place("", "", "--table", "cf_dossier"),
        place("", "", "--table", "cf_dossier", "--where", "colour=red"),
        place("", "", "--table", "cf_dossier", "--where", "category=exploitation_ict"),
        place("cf_dossier", NOBODY, "--where", "active=no"),
        place("cf_dossier", NOBODY, kind="request"),
        place("cf_dossier", NOBODY, kind="whim"),
        place("cf_dossier", NOBODY, "--review-on", "2027-11-26"),
        place("cf_dossier", NOBODY, "--review-on", "2026-11-24"),
        place("cf_dossier", NOBODY, "--ends-on", "2026-11-24"),
        place("cf_dossier", NOBODY, "--ends-on", "soon"),
        place("cf_dossier", NOBODY, "--basis", ""),
        [word for word in place("cf_dossier", NOBODY) if word not in REVIEW],
        ["holds", "release", "hold-0", "--asked-by", "carl", "--reason", "over", *ERIK],
    ],
)
def test_what_cannot_be_asked_is_exit_2(typist: Typist, org: Night, words: list[str]) -> None:
    assert typist.refused(*words, code=2)["message"]
    assert typist.ask("holds", "list") == []


@pytest.mark.parametrize(("who", "role"), [("dora", "crm_admin"), ("dora", "approver"), ("dora", "auditor"), ("Service", "dpo")])
def test_only_the_dpo_places_holds(typist: Typist, org: Night, who: str, role: str) -> None:
    """Section 9.4; the attempt is on record (ACC-10)."""
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    assert typist.refused(*place("cf_dossier", dossier, "--as", who, "--role", role), code=5)["code"] == "role"
    last = list(org.store.ledger.entries())[-1]
    assert (last.kind, last.data["action"], last.data["role"], last.data["code"]) == ("denied", "place_hold", role, "role")
    assert "dora" not in str(last.data)


@pytest.mark.parametrize("reason", ["training", "quality", "statistieken", "étude"])
def test_r049_r075_what_is_no_hold_is_exit_5(typist: Typist, org: Night, reason: str) -> None:
    """R-049, R-075: NOT_A_HOLD."""
    error = typist.refused(*place("cf_dossier", org.dossier("social_card", spoken=LONG_AGO), "--reason", reason), code=5)
    assert error["code"] == "not_a_hold"
    assert error["message"].startswith("NOT_A_HOLD")
    assert typist.ask("holds", "list") == []


def test_r074_a_restriction_needs_the_notice_to_be_lifted(typist: Typist, org: Night) -> None:
    """R-074."""
    hold = typist.ask(*place("cf_dossier", org.dossier("social_card", spoken=LONG_AGO), kind="restriction"))["hold"]
    release = ["holds", "release", hold, "--asked-by", "carl", "--reason", "over", *ERIK]
    for more in ([], ["--notified-on", "2026-11-26"], ["--notified-on", "2026-11-24"]):
        assert typist.refused(*release, *more, code=5)["code"] == "notice"
    assert typist.ask(*release, "--notified-on", "2026-11-25")["notified_on"] == "2026-11-25"


def test_a_hold_is_placed_while_the_crm_does_not_answer_if_that_is_asked_for(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    with monkeypatch.context() as away:
        away.setattr(DynamicsConnector, "check", unreachable)
        away.setattr("jobs.holds.look_up.rows_anywhere", unreachable)
        assert typist.refused(*place("cf_dossier", dossier), code=4)["code"] == "crm_unreachable"
        assert "with --unseen it is placed" in typist.type(*place("cf_dossier", dossier)).err
        said = typist.type(*place("cf_dossier", dossier, "--unseen"))
    assert (said.code, "was not seen in the CRM" in said.err) == (0, True)
    (listed,) = typist.ask("holds", "list")
    assert (listed["id"], listed["seen_in_crm"]) == (dossier, False)
    assert ", not seen" in typist.type("holds", "list").out
    assert typist.ask("plan")["retain"] == {"HOLD_JUDICIAL": 1}
    assert ", not seen" not in typist.type("holds", "list").out


def test_a_hold_that_need_not_be_seen_does_not_wait_for_a_crm_that_is_too_busy(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HLD-02: it takes effect at once, also while a run uses up what the account may ask."""
    naps: list[float] = []
    monkeypatch.setattr("connectors.dynamics.connector.DynamicsConnector", partial(DynamicsConnector, sleep=naps.append))
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    set_faults(org.emulator, {"match": {}, "do": "status", "status": 429, "retry_after": 17})
    assert typist.ask(*place("cf_dossier", dossier, "--unseen"))["id"] == dossier
    assert sum(naps) <= 60


def test_a_list_is_read_as_far_as_it_is_asked_for(typist: Typist, org: Night) -> None:
    placed = [typist.ask(*place("cf_dossier", org.dossier("social_card", spoken=LONG_AGO)))["hold"] for _ in range(3)]
    typist.ask("holds", "release", placed[0], "--asked-by", "carl", "--as", "erik", "--role", "approver", "--reason", "over")

    def listed(*more: str) -> list[str]:
        return [each["hold"] for each in typist.ask("holds", "list", *more)]

    assert (listed(), listed("--limit", "2"), listed("--limit", "9" * 30)) == (placed, placed[1:], placed)
    assert (listed("--list", "in_force", "--limit", "1"), listed("--list", "over")) == (placed[2:], placed[:1])
    assert (listed("--list", "review"), listed("--list", "unseen")) == ([], [])


def test_the_list_needs_no_crm(typist: Typist, org: Night) -> None:
    typist.ask(*place("cf_dossier", org.dossier("social_card", spoken=LONG_AGO)))
    typist.set(CRM_URL="http://127.0.0.1:9/")
    assert len(typist.ask("holds", "list")) == 1
