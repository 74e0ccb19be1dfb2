"""Who asks: identification, mandate, roles, and rules that two people set aside (6.5; IDV-02 to IDV-05)."""

import msgspec
import pytest

from jobs.model.request import COMPILATION
from rules.model.requests import RequestState
from tests.crm_compliance.answer_package.samples import compilation
from tests.drivers.night import Night
from tests.drivers.requesting import CHILD, changed, opened, person, same_row, shown, steps
from tests.drivers.typist import DORA, ERIK, LONG_AGO, Typist


def test_a_person_is_identified(typist: Typist, org: Night) -> None:
    """IDV-02: method, day and verifier, and nothing of the proof."""
    request = opened(typist)
    document = typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    assert (document["state"], document["identity"]) == ("searching", {"method": "eid", "on": "2026-11-25", "mandate": None})
    assert org.store.requests.get(request).identity is not None
    assert steps(org) == ["open", "identify"]


def test_r111_the_steps_are_the_same_for_somebody_unknown(typist: Typist, org: Night) -> None:
    """IDV-03, SUS-04: what is in the file changes nothing."""
    known = org.contact(firstname="Bekend", lastname="Voorbeeld (fictief)")
    org.party(known, "suspect", dossier=org.dossier("social_card", spoken=LONG_AGO))
    rows = []
    for first in ("Bekend", "Onbekend"):
        request = opened(typist, given=person(firstname=first, lastname="Voorbeeld (fictief)"))
        typist.ask("requests", "identify", request, "--method", "known_channel", *DORA)
        rows.append(org.store.requests.get(request))
    assert same_row(*rows)
    entries = [entry.data for entry in org.store.ledger.entries() if entry.kind == "request"]
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
    check = org.store.requests.get(request).identity
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
    changed(org, request, {COMPILATION: msgspec.json.encode(compilation())}, state=RequestState.REVIEWING, answer="package", scope="own")
    assert typist.ask("requests", "identify", request, "--method", "copy", *DORA)["state"] == "searching"
    assert (org.store.requests.get(request).answer, org.store.requests.part(request, COMPILATION)) == ("", None)


@pytest.mark.parametrize(("who", "role"), [("anna", "crm_admin"), ("anna", "auditor"), ("anna", "approver"), ("service", "dpo")])
def test_r127_only_the_dpo_moves_a_request_and_the_attempt_is_on_record(typist: Typist, org: Night, who: str, role: str) -> None:
    """ACC-09, ACC-10, R-127: role and action, nothing about anybody; the service is nobody's account."""
    request = opened(typist)
    someone = ("--as", who, "--role", role)
    for move in (
        ("identify", request, "--method", "eid"),
        ("suspend", request, "--reason", "identity", "--asked-on", "2026-11-25"),
        ("resume", request, "--answered-on", "2026-11-25"),
        ("extend", request, "--reason", "number", "--notified-at", "2026-11-25T10:00:00Z"),
        ("close", request, "--outcome", "WITHDRAWN"),
        ("misdelivered", request),
    ):
        assert typist.refused("requests", *move, *someone, code=5)["code"] == "role"
        last = list(org.store.ledger.entries())[-1]
        assert (last.kind, set(last.data)) == ("denied", {"action", "step", "role", "by", "code"})
        assert (last.data["action"], last.data["step"], last.data["role"]) == ("handle_request", move[0], role), "as the console has it"
        assert who not in str(last.data)
    assert shown(typist, request)["state"] == "received"


def test_a_step_out_of_turn_names_the_next_command(typist: Typist, org: Night) -> None:
    request = opened(typist)
    error = typist.refused("requests", "misdelivered", request, *DORA, code=5)
    assert (error["code"], error["where"]) == ("state", request)
    assert f"requests identify {request}" in error["hint"]
    typist.ask("requests", "close", request, "--outcome", "WITHDRAWN", *DORA)
    assert typist.refused("requests", "identify", request, "--method", "eid", *DORA, code=5)["code"] == "state"


def test_two_people_set_a_rule_aside(typist: Typist, org: Night) -> None:
    """SUS-11, IDV-05: the ledger does not say which rule (SUS-02)."""
    request = opened(typist)
    override = ("requests", "override", request, "--rule", "SUS-11", "--reason", "COURT_ORDER")
    assert typist.ask(*override, *DORA)["needed"] == 1
    assert typist.refused(*override, "--as", "DORA", "--role", "approver", code=5)["code"] == "same_person"
    assert typist.refused(*override, "--as", "anna", "--role", "crm_admin", code=5)["code"] == "role"
    assert typist.ask(*override, *ERIK)["needed"] == 0
    ledger = [entry.data for entry in org.store.ledger.entries() if entry.kind == "request"]
    assert "SUS-11" not in str(ledger)
    assert "SUS-11" not in str(shown(typist, request))
