"""When an answer is due: questions, extensions, alarms, the calendar and the nightly maintenance (section
8)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from jobs.model.request import CONFIRMED, Confirmed
from rules.model.requests import RequestState
from tests.drivers.night import Night
from tests.drivers.requesting import at, changed, opened, person, shown, unreachable
from tests.drivers.typist import DORA, Typist


def test_r136_a_question_stops_the_clock_until_it_is_answered(typist: Typist, org: Night) -> None:
    """R-136, L-23: while it is open there is no due date."""
    at(typist, "2026-03-20T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    document = typist.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-03-04", *DORA)
    assert (document["state"], document["due_on"]) == ("suspended", None)
    document = typist.ask("requests", "resume", request, "--answered-on", "2026-03-14", *DORA)
    assert (document["state"], document["due_on"]) == ("identifying", "2026-04-13")
    assert typist.refused("requests", "resume", request, "--answered-on", "2026-03-14", *DORA, code=5)["code"] == "state"


def test_r137_a_question_that_comes_late_does_not_stop_the_clock(typist: Typist, org: Night) -> None:
    """R-137: five working days."""
    at(typist, "2026-06-20T09:00:00Z")
    for asked_on, state, due in (("2026-06-12", "suspended", None), ("2026-06-15", "received", "2026-07-06")):
        request = opened(typist, received_at="2026-06-05T09:00:00Z")
        document = typist.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", asked_on, *DORA)
        assert (document["state"], document["due_on"]) == (state, due)
    assert typist.ask("requests", "resume", request, "--answered-on", "2026-06-17", *DORA)["due_on"] == "2026-07-06"


def test_ddl07_days_that_two_questions_share_count_once(typist: Typist, org: Night) -> None:
    """Ten days for who it is, eight for what is meant, six of them together: the clock stood still for
    twelve."""
    at(typist, "2026-03-25T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    typist.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-03-04", *DORA)
    document = typist.ask("requests", "suspend", request, "--reason", "scope", "--asked-on", "2026-03-08", *DORA)
    assert (document["state"], document["due_on"]) == ("suspended", None)
    document = typist.ask("requests", "resume", request, "--answered-on", "2026-03-14", *DORA)
    assert (document["state"], document["due_on"]) == ("suspended", None), "one question is still open"
    assert [each["answered_on"] for each in document["suspensions"]] == ["2026-03-14", None]
    document = typist.ask("requests", "resume", request, "--answered-on", "2026-03-16", *DORA)
    assert (document["state"], document["due_on"]) == ("identifying", "2026-04-14")
    assert typist.refused("requests", "resume", request, "--answered-on", "2026-03-16", *DORA, code=5)["code"] == "state"


def test_ddl07_the_later_question_may_be_answered_first(typist: Typist, org: Night) -> None:
    at(typist, "2026-03-25T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    for reason, asked_on in (("identity", "2026-03-04"), ("scope", "2026-03-06")):
        typist.ask("requests", "suspend", request, "--reason", reason, "--asked-on", asked_on, *DORA)
    scope = ("requests", "resume", request, "--answered-on", "2026-03-10", "--reason", "scope", *DORA)
    assert [each["answered_on"] for each in typist.ask(*scope)["suspensions"]] == [None, "2026-03-10"]
    error = typist.refused(*scope, code=5)
    assert error["code"] == "state"
    assert (error["message"], error["hint"]) == ("no question about scope is open", "what is open is about identity")
    document = typist.ask("requests", "resume", request, "--answered-on", "2026-03-14", *DORA)
    assert (document["state"], document["due_on"]) == ("identifying", "2026-04-13")


def test_ddl08_every_question_has_its_reminder_and_the_youngest_ends_the_request(typist: Typist, org: Night) -> None:
    at(typist, "2026-03-06T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    for reason, asked_on in (("identity", "2026-03-03"), ("scope", "2026-03-06")):
        typist.ask("requests", "suspend", request, "--reason", reason, "--asked-on", asked_on, *DORA)
    for day, state in (("2026-04-20", "suspended"), ("2026-06-03", "suspended"), ("2026-06-05", "closed")):
        at(typist, f"{day}T09:00:00Z")
        typist.type("run", "requests")
        assert shown(typist, request)["state"] == state
    assert [each.reminded_on is not None for each in org.store.requests.get(request).suspensions] == [True, True]


def test_somebody_identified_while_the_clock_stands_goes_on_from_there(typist: Typist, org: Night) -> None:
    request = opened(typist)
    typist.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-11-25", *DORA)
    assert typist.ask("requests", "identify", request, "--method", "shown", *DORA)["state"] == "suspended"
    assert typist.ask("requests", "resume", request, "--answered-on", "2026-11-25", *DORA)["state"] == "searching"


@pytest.mark.parametrize(
    "move",
    [
        ("suspend", "--reason", "whim", "--asked-on", "2026-11-25"),
        ("suspend", "--reason", "scope", "--asked-on", "2026-11-24"),
        ("suspend", "--reason", "scope", "--asked-on", "2026-11-26"),
        ("suspend", "--reason", "scope", "--asked-on", "soon"),
        ("extend", "--reason", "whim", "--notified-at", "2026-11-25T10:00:00Z"),
        ("extend", "--reason", "number", "--notified-at", "2026-12-01T10:00:00Z"),
        ("extend", "--reason", "number", "--notified-at", "2026-11-20T10:00:00Z"),
        ("extend", "--reason", "number", "--notified-at", "0001-01-01T00:00:00+14:00"),
        ("extend", "--reason", "number", "--notified-at", "noon"),
        ("close", "--outcome", "HAPPY"),
        ("close", "--outcome", "REFUSED"),
        ("close", "--outcome", "REFUSED:RF-00"),
        ("close", "--outcome", "WITHDRAWN:RF-01"),
        ("identify", "--method", "horoscope"),
        ("identify", "--method", "eid", "--mandate", "perhaps"),
        ("override", "--rule", "TRANSFER_BASIS_MISSING", "--reason", "X"),
        ("override", "--rule", "RGT-05", "--reason", "Jan Peeters (fictief)"),
    ],
)
def test_what_cannot_be_asked_is_exit_2_and_changes_nothing(typist: Typist, org: Night, move: tuple[str, ...]) -> None:
    request = opened(typist)
    before = org.store.requests.get(request)
    error = typist.refused("requests", move[0], request, *move[1:], *DORA, code=2)
    assert "Peeters" not in str(error)
    assert org.store.requests.get(request) == before


def test_ddl07_the_same_question_is_recorded_once_while_it_is_open(typist: Typist, org: Night) -> None:
    """A second one would stop the clock beyond the answer."""
    request = opened(typist)
    suspend = ("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-11-25", *DORA)
    typist.ask(*suspend)
    assert typist.refused(*suspend, code=5)["code"] == "asked_before"
    assert typist.ask("requests", "resume", request, "--answered-on", "2026-11-25", *DORA)["state"] == "identifying"
    assert typist.ask(*suspend)["state"] == "suspended", "asked once more, since the answer was not enough"


def test_r134_an_extension_counts_three_months_from_the_receipt(typist: Typist, org: Night) -> None:
    """R-134, R-139."""
    at(typist, "2026-02-20T09:00:00Z")
    request = opened(typist, received_at="2026-01-31T09:00:00Z")
    extend = ("requests", "extend", request, "--reason", "complexity", *DORA, "--notified-at")
    assert typist.ask(*extend, "2026-02-20T08:00:00Z")["due_on"] == "2026-04-30"
    assert typist.refused(*extend, "2026-02-20T08:30:00Z", code=5)["code"] == "extended"


def test_r135_an_extension_that_was_told_too_late_is_none(typist: Typist, org: Night) -> None:
    """R-135: the last instant is the end of the due date in Brussels."""
    at(typist, "2026-04-03T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    extend = ("requests", "extend", request, "--reason", "number", *DORA, "--notified-at")
    for late in ("2026-04-03", "2026-04-02T22:00:00Z"):
        error = typist.refused(*extend, late, code=5)
        assert (error["code"], "EXTENSION_TOO_LATE" in error["message"]) == ("EXTENSION_TOO_LATE", True)
    assert (shown(typist, request)["due_on"], shown(typist, request)["overdue"]) == ("2026-04-02", True)
    assert typist.ask(*extend, "2026-04-02T21:59:59Z")["due_on"] == "2026-06-02"


def test_r105_r114_neither_a_refusal_nor_a_neutral_answer_is_extended_and_nobody_learns_why(typist: Typist, org: Night) -> None:
    """R-105, R-114, SUS-04: one message for both, and for an answer that is not compiled yet."""
    confirmed = {CONFIRMED: msgspec.json.encode(Confirmed((), "dora", datetime(2026, 11, 25, tzinfo=UTC)))}
    cases: list[tuple[dict[str, Any], Mapping[str, bytes | None]]] = [
        ({"answer": "neutral"}, confirmed),
        ({"answer": "package", "refusal": "RF-04"}, confirmed),
        ({"answer": "dpo_review"}, confirmed),
        ({}, confirmed),
    ]
    told = set()
    for changes, parts in cases:
        request = opened(typist)
        changed(org, request, parts, state=RequestState.REVIEWING, **changes)
        error = typist.refused("requests", "extend", request, "--reason", "number", "--notified-at", "2026-11-25T10:00:00Z", *DORA, code=5)
        told.add((error["code"], error["message"], error["hint"]))
        assert shown(typist, request)["due_on"] == "2026-12-28"
    assert len(told) == 1
    request = opened(typist)
    changed(org, request, confirmed, state=RequestState.REVIEWING, answer="package")
    extend = ("requests", "extend", request, "--reason", "number", "--notified-at", "2026-11-25T10:00:00Z", *DORA)
    assert typist.ask(*extend)["due_on"] == "2027-02-25"
    changed(org, request, answer="neutral")
    assert shown(typist, request)["due_on"] == "2026-12-28"  # DDL-09: one month, whatever was told before


def test_r138_overdue_begins_with_the_day_after_in_brussels(typist: Typist, org: Night) -> None:
    """R-138, DDL-10."""
    at(typist, "2026-03-02T10:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    for moment, overdue, alarms in (
        ("2026-03-22T12:00:00Z", False, []),
        ("2026-03-23T12:00:00Z", False, ["DUE_IN_10"]),
        ("2026-03-28T12:00:00Z", False, ["DUE_IN_5"]),
        ("2026-04-01T12:00:00Z", False, ["DUE_IN_1"]),
        ("2026-04-02T21:59:50Z", False, ["DUE_IN_1"]),
        ("2026-04-02T22:00:00Z", True, ["OVERDUE"]),
    ):
        at(typist, moment)
        document = shown(typist, request)
        assert (moment, document["overdue"], document["alarms"]) == (moment, overdue, alarms)


def test_the_organisations_own_holidays_count(typist: Typist, org: Night) -> None:
    """DDL-05."""
    request = opened(typist)
    path = typist.folder / "policy.yaml"
    typist.type("policy", "show", "--output", path)
    path.write_text(path.read_text("utf-8").replace("extra_holidays: []", "extra_holidays: [2026-12-28]"), "utf-8")
    typist.set(POLICY=str(path))
    assert shown(typist, request)["due_on"] == "2026-12-29"


def test_the_public_holidays_are_those_of_the_country_that_the_schedule_names(typist: Typist, org: Night) -> None:
    """DDL-04, DDL-05: a month after 27 March is the King's day of the Netherlands, a Monday like others in
    Belgium."""
    at(typist, "2026-03-28T09:00:00Z")
    request = opened(typist, received_at="2026-03-27T10:00:00+01:00")
    path = typist.folder / "policy.yaml"
    typist.type("policy", "show", "--output", path)
    assert shown(typist, request)["due_on"] == "2026-04-27"
    path.write_text(path.read_text("utf-8").replace("extra_holidays: []", "holidays: NL"), "utf-8")
    typist.set(POLICY=str(path))
    assert shown(typist, request)["due_on"] == "2026-04-28"
    path.write_text(path.read_text("utf-8").replace("holidays: NL", "holidays: XQ"), "utf-8")
    assert "no public holidays are known of it" in typist.refused("policy", "check", path, code=3)["message"]


# -- calendar and maintenance --------------------------------------------------------------------------------


def test_the_calendar_has_ids_and_days_alone(typist: Typist, org: Night) -> None:
    """DDL-10."""
    request = opened(typist, given=person(firstname="Kanarie"))
    file = typist.folder / "requests.ics"
    assert typist.ask("requests", "calendar", "--output", file)["requests"] == 1
    text = file.read_text("utf-8")
    assert text.count("BEGIN:VALARM") == 3
    assert request in text
    assert "Kanarie" not in text
    typist.refused("requests", "calendar", "--output", typist.folder / "none" / "requests.ics", code=2)
    typist.refused("requests", "calendar", "--output", "-", code=2)


def test_the_round_reports_and_needs_no_plan(typist: Typist, org: Night) -> None:
    at(typist, "2026-04-03T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    document = typist.ask("run", "requests", code=6)
    assert (document["pending"], document["overdue"]) == (1, [request])
    assert [alarm["code"] for alarm in document["alarms"]] == ["OVERDUE"]
    said = typist.type("run", "requests")
    assert (said.code, said.last.split()[0]) == (6, "run")
    assert "OVERDUE" in said.out
    assert typist.ask("plans", "list") == []


def test_a_round_is_a_run_that_history_knows(typist: Typist, org: Night) -> None:
    """DDL-11, ACC-01: with alarms it ends with failures; it began and ended in the ledger, and a checkpoint
    is made."""
    first = typist.ask("run", "requests")
    at(typist, "2026-12-29T09:00:00Z")
    request = opened(typist, received_at="2026-11-25T09:00:00Z")
    late = typist.ask("run", "requests", code=6)
    assert (first["state"], late["state"], late["overdue"]) == ("done", "done_with_failures", [request])
    listed = typist.ask("history", "list")
    assert [(line["run"], line["kind"], line["plan"], line["state"]) for line in listed] == [
        (late["run"], "requests", None, "done_with_failures"),
        (first["run"], "requests", None, "done"),
    ]
    shown_run = typist.ask("history", "show", late["run"])
    assert (shown_run["counts"]["overdue"], shown_run["counts"]["alarms"]) == (1, ["OVERDUE"])
    assert shown_run["ended_at"] is not None
    assert "alarms: OVERDUE" in typist.type("history", "show", late["run"]).out
    assert late["run"] in typist.type("history", "list").out
    assert [entry.kind for entry in org.store.ledger.entries() if entry.run == late["run"]] == ["run_started", "run_ended"]
    assert typist.ask("ledger", "verify")["checkpoints"] == 2


def test_a_round_that_cannot_reach_the_crm_ended_with_failures(typist: Typist, org: Night) -> None:
    """It says so in the history, with the code of what stood in its way."""
    opened(typist)
    typist.monkeypatch.setattr("jobs.nightly.requests.preserve_all", unreachable)
    typist.refused("run", "requests", code=4)
    (line,) = typist.ask("history", "list")
    assert (line["state"], line["counts"]) == ("done_with_failures", {"code": "crm_unreachable"})


def test_the_register_begins_with_what_is_due_first(typist: Typist, org: Night) -> None:
    """DDL-10: with the days that are left and the command that comes next; what is closed comes last."""
    at(typist, "2026-11-25T11:00:00Z")
    soon, late, closed, later = (opened(typist, received_at=f"2026-{day}T09:00:00Z") for day in ("11-02", "10-12", "10-05", "11-20"))
    waiting = opened(typist, received_at="2026-11-24T09:00:00Z")
    typist.ask("requests", "suspend", waiting, "--reason", "identity", "--asked-on", "2026-11-25", *DORA)
    typist.ask("requests", "close", closed, "--outcome", "WITHDRAWN", *DORA)
    listed = typist.ask("requests", "list")
    assert [line["request"] for line in listed] == [late, soon, later, waiting, closed]
    assert [line["days_left"] for line in listed] == [-13, 7, 26, None, None]
    assert listed[0]["next"] == f"crm-compliance requests identify {late} --method METHOD"
    assert (listed[3]["next"], listed[4]["next"]) == (f"crm-compliance requests resume {waiting} --answered-on DATE", None)
    lines = typist.type("requests", "list").out.splitlines()
    assert lines[1].startswith(late)
    assert f"13 days late: crm-compliance requests identify {late} --method METHOD" in lines
