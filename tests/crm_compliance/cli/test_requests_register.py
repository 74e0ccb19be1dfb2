"""The register of subject requests on the command line (contract 3.6, ACC-08, section 8)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.interface import Unreachable
from jobs.subject_requests import CANDIDATES, COMPILATION, CONFIRMED, FROZEN, GIVEN, PACKAGE, Confirmed, Frozen, SubjectRequest
from rules.subject_requests import Outcome, RequestState
from tests.crm_compliance.requesting import DORA, ERIK, a_form, opened, person, same_row, written
from tests.crm_compliance.typist import LONG_AGO, Typist, set_faults
from tests.integration.night import Night

KEYS = {"request", "right", "state", "received_on", "due_on", "outcome", "approvals"}
CANARIES = ("Kanarie", "Zangvogel (fictief)", "0470 11 22 33", "kanarie@example.org", "85.07.30-997.34")
CHILD = person(firstname="Kind", lastname="Voorbeeld (fictief)", birthdate="2012-05-08")


def at(typist: Typist, moment: str) -> None:
    """Let the product's clock begin at another instant."""
    typist.set(CLOCK=moment)


def unreachable(*_: object) -> tuple[str, ...]:
    """A CRM that does not answer, without the minutes in which one waits for it."""
    raise Unreachable("the CRM does not answer")


def shown(typist: Typist, request: str) -> Any:
    return typist.ask("requests", "show", request)


def put(org: Night, request: str, parts: Mapping[str, bytes | None] | None = None, **changes: Any) -> SubjectRequest:
    """Change a row as other steps would."""
    row = org.store.request(request)
    changed = msgspec.structs.replace(row, **changes)
    org.store.save_request(changed, since=row, parts=parts)
    return changed


def steps(org: Night) -> list[str]:
    return [str(entry.data.get("step", entry.data.get("action"))) for entry in org.store.ledger() if entry.kind in ("request", "denied")]


# -- open ----------------------------------------------------------------------------------------------------------------------


def test_a_request_is_opened_listed_and_shown(typist: Typist, org: Night) -> None:
    said = typist.type("requests", "open", written(typist.folder, a_form()))
    assert (said.code, said.last.split()[0]) == (0, "request")
    request = said.last.split()[1]
    document = shown(typist, request)
    assert set(document) >= KEYS
    assert {key: document[key] for key in KEYS} == {
        "request": request,
        "right": "access",
        "state": "received",
        "received_on": "2026-11-25",
        "due_on": "2026-12-28",
        "outcome": None,
        "approvals": [],
    }
    (listed,) = typist.ask("requests", "list")
    assert listed == {key: value for key, value in document.items() if key != "blocks"}
    screen = typist.type("requests", "list").out
    assert all(word in screen for word in (request, "access", "received", "2026-12-28"))
    assert typist.type("requests", "show", request).last == f"request {request}"


def test_a_form_comes_from_standard_input_too(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(json.dumps(a_form()).encode())

    monkeypatch.setattr("sys.stdin", Stdin())
    assert typist.ask("requests", "open", "-")["state"] == "received"


def test_r133_the_day_of_receipt_is_the_one_in_brussels(typist: Typist, org: Night) -> None:
    """R-133, DDL-02."""
    document = shown(typist, opened(typist, received_at="2026-09-14T22:10:00Z"))
    assert (document["received_on"], document["due_on"]) == ("2026-09-15", "2026-10-15")


def test_several_rights_in_one_message_are_several_requests(typist: Typist, org: Night) -> None:
    """DDL-15."""
    for right in ("access", "erasure", "objection", "consent_withdrawal", "restriction", "portability", "rectification"):
        assert shown(typist, opened(typist, right=right))["right"] == right
    assert len({document["due_on"] for document in typist.ask("requests", "list")}) == 1


def test_what_was_said_is_sealed_and_stands_nowhere_else(typist: Typist, org: Night) -> None:
    """ACC-08, R-142: not in the database, not in the ledger, not on the screen."""
    first, last, phone, mail, number = CANARIES
    given = person(firstname=first, lastname=last, phones=[phone], emails=[mail], nationalnumbers=[number])
    said = typist.type("requests", "open", written(typist.folder, a_form(given=given)))
    request = said.last.split()[1]
    assert first.encode() in (org.store.request_part(request, GIVEN) or b"")
    kept = b"".join(file.read_bytes() for file in (typist.folder / "data").rglob("*") if file.is_file())
    told = said.out + said.err + str([entry.data for entry in org.store.ledger()])
    for canary in CANARIES:
        assert canary.encode() not in kept
        assert canary not in told


def test_a_receipt_is_not_lost_because_the_crm_cannot_be_reached(typist: Typist, org: Night) -> None:
    """HLD-08: stored first; what it keeps is looked up by the next plan."""
    with typist.monkeypatch.context() as without:
        without.setattr("crm_compliance.wiring.checked", unreachable)
        said = typist.type("requests", "open", written(typist.folder, a_form()), "--json")
    assert (said.code, said.document["state"]) == (0, "received")
    assert "not looked up yet" in said.err
    request = said.document["request"]
    assert org.store.request_part(request, FROZEN) is None
    typist.ask("plan")
    assert org.store.request_part(request, FROZEN) is not None


BAD: dict[str, tuple[object, str]] = {
    "no object": ([1], "not a JSON object"),
    "no json": ('{"right": ', "no JSON"),
    "a key twice": ('{"right": "access", "right": "erasure"}', "a key twice"),
    "a strange number": ('{"right": NaN}', "number"),
    "nothing": ({}, "right: is missing"),
    "no right": ({key: value for key, value in a_form().items() if key != "right"}, "right: is missing"),
    "an unknown right": (a_form(right="oblivion"), "right: "),
    "an unknown kind": (a_form(requester_kind="suspect"), "requester_kind: "),
    "an unknown channel": (a_form(channel="pigeon"), "channel: "),
    "no language": (a_form(language="Nederlands, graag"), "language: "),
    "no zone": (a_form(received_at="2026-11-25T09:30:00"), "received_at: "),
    "no instant": (a_form(received_at="2026-02-30T09:30:00Z"), "received_at: "),
    "a number as instant": (a_form(received_at=1795600000), "received_at: "),
    "the future": (a_form(received_at="2026-11-26T09:30:00Z"), "received_at: lies in the future"),
    "before the rights": (a_form(received_at="2016-11-25T11:30:00Z"), "received_at: "),
    "nobody": (a_form(given=person(firstname="", lastname="")), "given: needs"),
    "no person": (a_form(given=None), "given: "),
    "a bad birth date": (a_form(given=person(birthdate="8 mei 2012")), "given.birthdate: "),
    "a 30th of February": (a_form(given=person(birthdate="2012-02-30")), "given.birthdate: "),
    "not born yet": (a_form(given=person(birthdate="2026-12-01")), "given.birthdate: lies in the future"),
    "a phone that is no list": (a_form(given=person(phones="0470112233")), "given.phones: "),
    "a number that is no text": (a_form(given=person(nationalnumbers=[85073099734])), "given.nationalnumbers.0: "),
    "an empty address": (a_form(given=person(emails=["  "])), "given.emails.0: is empty"),
    "a line end in a name": (a_form(given=person(lastname="Vraagster\nBcc: x")), "given.lastname: "),
    "a misspelt key": (a_form(given=person(birthdat="2012-05-08")), "is birthdate meant?"),
    "an unknown key": (a_form(geheim_van_kanarie=1), "the form: has a key that is not known"),
    "a parent without a child": (a_form(requester_kind="parent_for_child"), "on_behalf_of: is needed"),
    "a guardian without a child": (a_form(requester_kind="guardian"), "on_behalf_of: is needed"),
    "a witness for a child": (a_form(on_behalf_of=CHILD), "on_behalf_of: only"),
    "an unknown subject": (a_form(details={"about": "the weather"}), "details.about: "),
    "an unknown correction": (a_form(details={"corrections": {"shoe_size": "44"}}), "details.corrections: has a key"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_form_is_refused_with_its_field_and_nothing_is_stored(typist: Typist, org: Night, name: str) -> None:
    form, part = BAD[name]
    error = typist.refused("requests", "open", written(typist.folder, form), code=2)
    assert part in error["message"]
    assert typist.ask("requests", "list") == []
    assert not [entry for entry in org.store.ledger() if entry.kind == "request"]


def test_every_mistake_is_told_and_no_value_is_repeated(typist: Typist, org: Night) -> None:
    form = a_form(
        right="kanarie",
        channel="zangvogel",
        language="k@narie",
        given=person(birthdate="kanarie", phones=["x" * 400]),
        kanariesleutel="kanarie",
    )
    said = typist.type("requests", "open", written(typist.folder, form), "--json")
    for field in ("right", "channel", "language", "given.birthdate", "given.phones.0", "the form"):
        assert f"{field}: " in said.error["message"]
    assert "anarie" not in said.err
    assert "zangvogel" not in said.err


def test_a_file_that_is_not_there_is_exit_2(typist: Typist, org: Night) -> None:
    assert "cannot be read" in typist.refused("requests", "open", typist.folder / "none.json", code=2)["message"]
    assert typist.refused("requests", "show", "request-none", code=2)["message"]


def test_a_language_that_no_answer_has_is_accepted(typist: Typist, org: Night) -> None:
    """EXP-11, R-122."""
    assert shown(typist, opened(typist, language="es-419"))["language"] == "es"
    assert shown(typist, opened(typist, language="NL-be"))["language"] == "nl"
    assert shown(typist, opened(typist, language=None))["language"] is None


# -- holds ---------------------------------------------------------------------------------------------------------------------


def test_r072_a_request_keeps_the_persons_data_from_its_receipt_on(typist: Typist, org: Night) -> None:
    """HLD-08: confirmed or not."""
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    org.party(org.contact(firstname="Voorbeeld", lastname="Vraagster (fictief)"), "reporter", dossier=dossier)
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "EXPIRED"
    request = opened(typist)
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "HOLD_REQUEST"
    assert typist.ask("plan")["retain"] == {"HOLD_REQUEST": 1}
    typist.ask("requests", "close", request, "--outcome", "WITHDRAWN", *DORA)
    at(typist, "2026-12-25T11:00:00Z")
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "HOLD_REQUEST"
    at(typist, "2026-12-26T11:00:00Z")
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "EXPIRED"


def test_consent_that_is_withdrawn_keeps_nothing(typist: Typist, org: Night) -> None:
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    org.party(org.contact(firstname="Voorbeeld", lastname="Vraagster (fictief)"), "reporter", dossier=dossier)
    opened(typist, right="consent_withdrawal")
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "EXPIRED"


def test_a_lookup_that_fails_stops_the_plan(typist: Typist, org: Night) -> None:
    """HLD-08: never an empty hold."""
    opened(typist)
    set_faults(org.emulator, {"match": {"path": "contacts"}, "times": 1000, "do": "status", "status": 403})
    try:
        typist.refused("plan", code=4)
    finally:
        set_faults(org.emulator)
    assert typist.ask("plans", "list") == []


# -- identify --------------------------------------------------------------------------------------------------------------------


def test_a_person_is_identified(typist: Typist, org: Night) -> None:
    """IDV-02: method, day and verifier, and nothing of the proof."""
    request = opened(typist)
    document = typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    assert (document["state"], document["identity"]) == ("searching", {"method": "eid", "on": "2026-11-25", "mandate": None})
    assert org.store.request(request).identity is not None
    assert steps(org) == ["open", "identify"]


def test_r111_the_steps_are_the_same_for_somebody_unknown(typist: Typist, org: Night) -> None:
    """IDV-03, SUS-04: what is in the file changes nothing."""
    known = org.contact(firstname="Bekend", lastname="Voorbeeld (fictief)")
    org.party(known, "suspect", dossier=org.dossier("social_card", spoken=LONG_AGO))
    rows = []
    for first in ("Bekend", "Onbekend"):
        request = opened(typist, given=person(firstname=first, lastname="Voorbeeld (fictief)"))
        typist.ask("requests", "identify", request, "--method", "known_channel", *DORA)
        rows.append(org.store.request(request))
    assert same_row(*rows)
    entries = [entry.data for entry in org.store.ledger() if entry.kind == "request"]
    by_request = [[{**data, "request": ""} for data in entries if data["request"] == row.id] for row in rows]
    assert by_request[0] == by_request[1]


def test_who_asks_for_a_child_goes_on_with_or_without_a_word_on_the_mandate(typist: Typist, org: Night) -> None:
    """IDV-04, RGT-04, R-098: without one they are told no more than what is their own."""
    request = opened(typist, requester_kind="parent_for_child", on_behalf_of=CHILD)
    identify = ("requests", "identify", request, "--method", "shown", *DORA)
    document = typist.ask(*identify)
    assert (document["state"], document["identity"]["mandate"]) == ("searching", None)
    assert typist.ask(*identify, "--mandate", "contested")["state"] == "searching"
    document = typist.ask(*identify, "--mandate", "shown", "--child-agrees")
    assert document["identity"]["mandate"] == "shown"
    check = org.store.request(request).identity
    assert check is not None
    assert check.child_agrees


@pytest.mark.parametrize("asked_on", ["2026-11-24", "2026-11-25"])
def test_an_answer_about_the_identity_makes_a_request_be_identified(typist: Typist, org: Night, asked_on: str) -> None:
    """A question about the scope does not, nor one that is answered once somebody was identified."""
    states = []
    for reason, is_identified in (("identity", False), ("scope", False), ("identity", True)):
        request = opened(typist, received_at="2026-11-24T10:00:00Z")
        typist.ask("requests", "suspend", request, "--reason", reason, "--asked-on", asked_on, *DORA)
        if is_identified:
            typist.ask("requests", "identify", request, "--method", "shown", *DORA)
        states.append(typist.ask("requests", "resume", request, "--answered-on", "2026-11-25", *DORA)["state"])
    assert states == ["identifying", "received", "searching"]


def test_a_mandate_is_for_on_behalf_requests_only(typist: Typist, org: Night) -> None:
    identify = ("requests", "identify", opened(typist), "--method", "shown", *DORA)
    typist.refused(*identify, "--mandate", "shown", code=2)
    typist.refused(*identify, "--child-agrees", code=2)


def test_identifying_again_undoes_what_was_built_on_it(typist: Typist, org: Night) -> None:
    request = opened(typist)
    put(org, request, {COMPILATION: b"{}"}, state=RequestState.REVIEWING, answer="package", scope="own")
    assert typist.ask("requests", "identify", request, "--method", "copy", *DORA)["state"] == "searching"
    assert (org.store.request(request).answer, org.store.request_part(request, COMPILATION)) == ("", None)


@pytest.mark.parametrize("role", ["crm_admin", "auditor", "approver"])
def test_r127_only_the_dpo_moves_a_request_and_the_attempt_is_on_record(typist: Typist, org: Night, role: str) -> None:
    """ACC-10, R-127: role and action, nothing about anybody."""
    request = opened(typist)
    someone = ("--as", "anna", "--role", role)
    for move in (
        ("identify", request, "--method", "eid"),
        ("suspend", request, "--reason", "identity", "--asked-on", "2026-11-25"),
        ("resume", request, "--answered-on", "2026-11-25"),
        ("extend", request, "--reason", "number", "--notified-at", "2026-11-25T10:00:00Z"),
        ("close", request, "--outcome", "WITHDRAWN"),
        ("misdelivered", request),
    ):
        assert typist.refused("requests", *move, *someone, code=5)["code"] == "role"
        last = list(org.store.ledger())[-1]
        assert (last.kind, set(last.data)) == ("denied", {"action", "role", "by", "code"})
        assert (last.data["action"], last.data["role"]) == (f"requests {move[0]}", role)
        assert "anna" not in str(last.data)
    assert shown(typist, request)["state"] == "received"


def test_a_step_out_of_turn_names_the_next_command(typist: Typist, org: Night) -> None:
    request = opened(typist)
    error = typist.refused("requests", "misdelivered", request, *DORA, code=5)
    assert (error["code"], error["where"]) == ("state", request)
    assert f"requests identify {request}" in error["hint"]
    typist.ask("requests", "close", request, "--outcome", "WITHDRAWN", *DORA)
    assert typist.refused("requests", "identify", request, "--method", "eid", *DORA, code=5)["code"] == "state"


# -- the clock -------------------------------------------------------------------------------------------------------------------


def test_r136_a_question_stops_the_clock_until_it_is_answered(typist: Typist, org: Night) -> None:
    """R-136, L-23: while it is open there is no due date."""
    at(typist, "2026-03-20T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    document = typist.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-03-04", *DORA)
    assert (document["state"], document["due_on"]) == ("suspended", None)
    assert typist.refused("requests", "suspend", request, "--reason", "scope", "--asked-on", "2026-03-05", *DORA, code=5)["code"] == "state"
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
    again = ("requests", "suspend", request, "--reason", "scope", "--asked-on", "2026-06-16", *DORA)
    assert typist.refused(*again, code=5)["code"] == "question_open"
    assert typist.ask("requests", "resume", request, "--answered-on", "2026-06-17", *DORA)["due_on"] == "2026-07-06"


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
    before = org.store.request(request)
    error = typist.refused("requests", move[0], request, *move[1:], *DORA, code=2)
    assert "Peeters" not in str(error)
    assert org.store.request(request) == before


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
        put(org, request, parts, state=RequestState.REVIEWING, **changes)
        error = typist.refused("requests", "extend", request, "--reason", "number", "--notified-at", "2026-11-25T10:00:00Z", *DORA, code=5)
        told.add((error["code"], error["message"], error["hint"]))
        assert shown(typist, request)["due_on"] == "2026-12-28"
    assert len(told) == 1
    request = opened(typist)
    put(org, request, confirmed, state=RequestState.REVIEWING, answer="package")
    extend = ("requests", "extend", request, "--reason", "number", "--notified-at", "2026-11-25T10:00:00Z", *DORA)
    assert typist.ask(*extend)["due_on"] == "2027-02-25"
    put(org, request, answer="neutral")
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


# -- overrides -------------------------------------------------------------------------------------------------------------------


def test_two_people_set_a_rule_aside(typist: Typist, org: Night) -> None:
    """SUS-11, IDV-05: the ledger does not say which rule (SUS-02)."""
    request = opened(typist)
    override = ("requests", "override", request, "--rule", "SUS-11", "--reason", "COURT_ORDER")
    assert typist.ask(*override, *DORA)["needed"] == 1
    assert typist.refused(*override, "--as", "DORA", "--role", "approver", code=5)["code"] == "same_person"
    assert typist.refused(*override, "--as", "anna", "--role", "crm_admin", code=5)["code"] == "role"
    assert typist.ask(*override, *ERIK)["needed"] == 0
    ledger = [entry.data for entry in org.store.ledger() if entry.kind == "request"]
    assert "SUS-11" not in str(ledger)
    assert "SUS-11" not in str(shown(typist, request))


# -- close and misdelivered ------------------------------------------------------------------------------------------------------


def released(org: Night, request: str, outcome: Outcome, refusal: str = "") -> None:
    parts: dict[str, bytes | None] = {CANDIDATES: b"c", CONFIRMED: b"{}", COMPILATION: b"{}", PACKAGE: b"zip"}
    put(
        org,
        request,
        parts,
        state=RequestState.RELEASED,
        answer="package",
        outcome=outcome,
        refusal=refusal,
        released_at=datetime(2026, 11, 25, 11, tzinfo=UTC),
        link="digest",
        link_until=datetime(2026, 12, 9, 11, tzinfo=UTC),
    )


def test_a_released_request_is_closed_with_its_own_outcome_and_leads_to_no_file_any_more(typist: Typist, org: Night) -> None:
    """ACC-08."""
    request = opened(typist)
    released(org, request, Outcome.DELIVERED)
    close = ("requests", "close", request, *DORA, "--outcome")
    for other in ("NEUTRAL", "DONE", "WITHDRAWN", "REFUSED:RF-08", "NOT_IDENTIFIED"):
        assert typist.refused(*close, other, code=5)["code"] == "outcome"
    document = typist.ask(*close, "DELIVERED")
    assert (document["state"], document["outcome"]) == ("closed", "DELIVERED")
    left = [name for name in (GIVEN, CANDIDATES, CONFIRMED, FROZEN, COMPILATION, PACKAGE) if org.store.request_part(request, name)]
    assert left == [GIVEN, FROZEN, COMPILATION, PACKAGE]


def test_a_refusal_keeps_its_code(typist: Typist, org: Night) -> None:
    request = opened(typist)
    released(org, request, Outcome.REFUSED, "RF-02")
    assert typist.refused("requests", "close", request, "--outcome", "REFUSED:RF-05", *DORA, code=5)["code"] == "outcome"
    document = typist.ask("requests", "close", request, "--outcome", "REFUSED:RF-02", *DORA)
    assert (document["outcome"], document["refusal"]) == ("REFUSED", "RF-02")


@pytest.mark.parametrize(
    ("outcome", "identified", "fits", "refusal"),
    [
        ("WITHDRAWN", True, True, None),
        ("NOT_IDENTIFIED", False, True, "RF-01"),
        ("NOT_IDENTIFIED", True, False, None),
        ("REFUSED:RF-08", True, True, "RF-08"),
        ("REFUSED:RF-01", True, False, None),
        ("REFUSED:RF-07", True, False, None),
        ("REFUSED:RF-02", True, False, None),
        ("MANDATE_LAPSED", True, False, None),
        ("DELIVERED", True, False, None),
        ("NEUTRAL", True, False, None),
    ],
)
def test_an_outcome_that_contradicts_the_state_is_refused(
    typist: Typist, org: Night, outcome: str, identified: bool, fits: bool, refusal: str | None
) -> None:
    """A neutral answer takes every step (SUS-04): it is never closed before its release."""
    request = opened(typist)
    if identified:
        typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    close = ("requests", "close", request, "--outcome", outcome, *DORA)
    if not fits:
        assert typist.refused(*close, code=5)["code"] == "outcome"
        return
    document = typist.ask(*close)
    assert (document["outcome"], document["refusal"]) == (outcome.split(":")[0], refusal)
    assert org.store.request_part(request, GIVEN) is not None


def test_a_delivery_to_the_wrong_person_kills_the_link_at_once(typist: Typist, org: Night) -> None:
    """EXP-16: 72 hours to tell the authority; the first time counts."""
    request = opened(typist)
    released(org, request, Outcome.DELIVERED)
    document = typist.ask("requests", "misdelivered", request, *DORA)
    assert document["notify_by"].startswith("2026-11-28T11:00:")
    row = org.store.request(request)
    assert (row.link, row.link_until) == ("", row.misdelivered_at)
    at(typist, "2026-11-26T11:00:00Z")
    assert typist.ask("requests", "misdelivered", request, *DORA)["notify_by"] == document["notify_by"]
    assert steps(org).count("misdelivered") == 1


def test_words_on_a_suspicion_do_not_outlive_the_request(typist: Typist, org: Night) -> None:
    """SUS-02, SUS-07: of a neutral answer none stays; else the rule goes and the word stays."""
    for outcome, left in ((Outcome.NEUTRAL, []), (Outcome.DELIVERED, ["", "RGT-05"])):
        request = opened(typist)
        for rule in ("SUS-11", "RGT-05"):
            typist.ask("requests", "override", request, "--rule", rule, "--reason", "X", *DORA)
        released(org, request, outcome)
        typist.ask("requests", "close", request, "--outcome", outcome.value, *DORA)
        assert [word.rule for word in org.store.request(request).words] == left


# -- calendar and the round ------------------------------------------------------------------------------------------------------


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


def test_the_round_reports_and_needs_no_plan(typist: Typist, org: Night) -> None:
    at(typist, "2026-04-03T09:00:00Z")
    request = opened(typist, received_at="2026-03-02T09:00:00Z")
    document = typist.ask("run", "requests")
    assert (document["pending"], document["overdue"]) == (1, [request])
    assert [alarm["code"] for alarm in document["alarms"]] == ["OVERDUE"]
    said = typist.type("run", "requests")
    assert (said.code, said.last.split()[0]) == (0, "run")
    assert "OVERDUE" in said.out
    assert typist.ask("plans", "list") == []


def test_what_has_had_its_day_goes_also_where_the_crm_cannot_be_reached(typist: Typist, org: Night) -> None:
    """R-125."""
    request = opened(typist)
    released(org, request, Outcome.DELIVERED)
    typist.monkeypatch.setattr("crm_compliance.wiring.checked", unreachable)
    for moment, is_there in (("2026-12-25T22:59:00Z", True), ("2026-12-25T23:00:00Z", False)):
        at(typist, moment)
        typist.refused("run", "requests", code=4)
        assert (org.store.request_part(request, PACKAGE) is not None) is is_there


@pytest.fixture(autouse=True)
def no_faults_left(org: Night) -> Iterator[None]:
    yield
    set_faults(org.emulator)


def test_nothing_of_a_request_is_readable_by_others(typist: Typist, org: Night) -> None:
    request = opened(typist)
    key: Path = typist.folder / "data" / "keys" / "requests" / f"{request}.key"
    assert key.stat().st_mode & 0o077 == 0
    assert Frozen.of((), datetime(2026, 11, 25, tzinfo=UTC)).contacts == ()
