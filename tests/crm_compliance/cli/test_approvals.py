"""The circuit breaker and the people who may override it (RET-24, ACC-09)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from connectors.emulator.serving.server import RunningEmulator
from jobs.ledger.plan_lines import plan_entry
from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from tests.crm_compliance.worlds import Worlds
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist, limited


def a_plan_of_two_where_one_is_allowed(typist: Typist, org: Night) -> str:
    limited(typist, max=1)
    for _ in range(2):
        org.dossier("social_card", spoken=LONG_AGO)
    plan = typist.ask("plan", "--as", "anna.a")
    assert plan["breaker"]["tripped"] is True
    assert plan["breaker"]["units"] == {"planned": 2, "limit": 1, "median": None}
    assert sorted(plan["approvals"]["needed"]) == ["crm_admin", "dpo"]
    assert plan["applicable"] is False
    return str(plan["plan"])


@pytest.fixture
def tripped(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> str:
    """A stored plan of two dossiers where the schedule allows one."""
    plan = worlds.begin(request, a_plan_of_two_where_one_is_allowed)
    typist.unset("POLICY")
    limited(typist, max=1)  # in the folder of this test
    return plan


def test_two_people_let_a_plan_through(tripped: str, typist: Typist, org: Night) -> None:
    before = org.emulator.stats()["operations"]
    error = typist.refused("apply", tripped, code=5)
    assert (error["code"], error["where"]) == ("breaker", tripped)
    assert "BREAKER_TRIPPED" in error["message"]
    first = typist.ask("plans", "approve", tripped, "--as", "ben.b", "--role", "crm_admin", "--comment", "looked at")
    assert first["state"] == "waiting"
    assert [(word["as"], word["role"]) for word in first["approvals"]["given"]] == [("ben.b", "crm_admin")]
    assert first["approvals"]["given"][0]["at"].startswith("2026-11-25T11:00")
    assert typist.refused("apply", tripped, code=5)["where"] == tripped
    after = org.emulator.stats()["operations"]
    assert [after[kind] - before[kind] for kind in ("create", "update", "delete")] == [0, 0, 0]
    said = typist.type("plans", "approve", tripped, "--as", "cleo.c", "--role", "dpo")
    assert (said.code, said.last) == (0, f"plan {tripped}")
    assert typist.ask("plans", "show", tripped)["state"] == "ready"
    done = typist.ask("apply", tripped)
    assert done["deleted"] == 2
    approvals = typist.ask("history", "show", done["run"])["approvals"]
    assert [(word["as"], word["role"], word["approves"]) for word in approvals] == [("ben.b", "crm_admin", True), ("cleo.c", "dpo", True)]
    ledger = typist.folder / "ledger.jsonl"
    typist.ask("history", "export", "--output", ledger)
    text = ledger.read_text(encoding="utf-8")
    assert '"approval"' in text
    assert not any(name in text for name in ("anna.a", "ben.b", "cleo.c", "looked at"))  # with a dot: three letters occur in Base64


@pytest.mark.parametrize(
    ("who", "role", "code"),
    [
        ("anna.a", "dpo", "same_person"),
        ("ANNA.A", "dpo", "same_person"),
        ("service", "dpo", "same_person"),
        ("cleo.c", "auditor", "role"),
        ("cleo.c", "approver", "role"),
    ],
)
def test_neither_the_proposer_nor_another_role_approves(typist: Typist, tripped: str, who: str, role: str, code: str) -> None:
    for word in (["approve"], ["reject", "--comment", "no"]):
        error = typist.refused("plans", word[0], tripped, "--as", who, "--role", role, *word[1:], code=5)
        assert (error["code"], error["where"]) == (code, tripped)
    assert typist.ask("plans", "show", tripped)["state"] == "waiting"


def test_one_person_does_not_count_twice(typist: Typist, tripped: str) -> None:
    typist.ask("plans", "approve", tripped, "--as", "ben.b", "--role", "crm_admin")
    for who, role, code in (("ben.b", "dpo", "same_person"), ("Ben.b", "dpo", "same_person"), ("cleo.c", "crm_admin", "role")):
        assert typist.refused("plans", "approve", tripped, "--as", who, "--role", role, code=5)["code"] == code
    assert typist.refused("apply", tripped, code=5)["code"] == "breaker"


def test_whoever_approves_again_what_has_all_approvals_or_was_rejected_is_told_that(typist: Typist, tripped: str) -> None:
    ben, cleo = ("--as", "ben.b", "--role", "crm_admin"), ("--as", "cleo.c", "--role", "dpo")
    for who in (ben, cleo):
        typist.ask("plans", "approve", tripped, *who)
    for who in (ben, cleo):
        error = typist.refused("plans", "approve", tripped, *who, code=5)
        assert (error["code"], error["message"]) == ("plan_state", "the plan has all its approvals")
    assert typist.refused("plans", "reject", tripped, *ben, "--comment", "after all", code=5)["code"] == "same_person"
    dirk = ("--as", "dirk.d", "--role", "dpo", "--comment", "too many")
    typist.ask("plans", "reject", tripped, *dirk)
    assert typist.refused("plans", "reject", tripped, *dirk, code=5)["code"] == "plan_state"


def test_a_rejected_plan_stays_rejected(tripped: str, typist: Typist, org: Night) -> None:
    typist.ask("plans", "approve", tripped, "--as", "ben.b", "--role", "crm_admin")
    without_a_word = ("plans", "reject", tripped, "--as", "cleo.c", "--role", "dpo", "--comment", " ")
    assert typist.refused(*without_a_word, code=2)["message"] == "whoever rejects a plan says why"
    after = typist.ask("plans", "reject", tripped, "--as", "cleo.c", "--role", "dpo", "--comment", "too many")
    assert (after["state"], after["rejected"][0]["comment"]) == ("rejected", "too many")
    before = org.writes()
    assert typist.refused("apply", tripped, code=5)["code"] != "breaker"
    assert typist.refused("plans", "approve", tripped, "--as", "dirk", "--role", "dpo", code=5)["code"] == "plan_state"
    assert org.writes() == before
    assert typist.ask("plans", "list")[0]["state"] == "rejected"


def test_a_night_whose_plan_needs_approval_names_the_stored_plan(tripped: str, typist: Typist, org: Night) -> None:
    before = org.writes()
    error = typist.refused("run", "retention", code=5)
    plans = typist.ask("plans", "list")
    assert (error["where"], plans[0]["state"], plans[1]["plan"]) == (plans[0]["plan"], "waiting", tripped)
    assert plans[0]["proposer"] == "service"
    assert org.writes() == before


def test_recordings_have_a_counter_of_their_own(typist: Typist, org: Night) -> None:
    limited(typist, max=1)
    org.dossier("social_card", spoken=LONG_AGO)
    org.recording(LONG_AGO)
    plan = typist.ask("plan")
    assert [plan["breaker"][name]["planned"] for name in ("units", "recordings")] == [1, 1]
    assert plan["breaker"]["tripped"] is False
    org.recording(LONG_AGO)
    plan = typist.ask("plan")
    assert (plan["breaker"]["tripped"], plan["breaker"]["recordings"]["planned"]) == (True, 2)


def test_a_plan_past_its_validity_is_refused(typist: Typist, org: Night) -> None:
    org.dossier("social_card", spoken=LONG_AGO)
    limited(typist, plan_valid_hours=2)
    plan = typist.ask("plan")
    assert plan["valid_until"].startswith("2026-11-25T13:00:")
    typist.set(CLOCK=(NOW + timedelta(hours=2, minutes=1)).isoformat())
    before = org.writes()
    assert typist.refused("apply", plan["plan"], code=5)["where"] == plan["plan"]
    assert typist.ask("plans", "show", plan["plan"])["state"] == "expired"
    assert typist.refused("plans", "approve", plan["plan"], "--as", "ben.b", "--role", "dpo", code=5)["code"] == "plan_state"
    assert org.writes() == before


def test_a_changed_policy_or_mapping_needs_a_new_plan(typist: Typist, org: Night, tmp_path: Path) -> None:
    org.dossier("social_card", spoken=LONG_AGO)
    plan = typist.approve_first(typist.ask("plan")["plan"])
    limited(typist, max=100)
    before = org.writes()
    assert "the schedule" in typist.refused("apply", plan, code=5)["message"]
    typist.unset("POLICY")
    from crm_compliance.wiring.mapping import mapping_text

    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(mapping_text(typist.settings)[0] + "\n# ours\n", encoding="utf-8")
    typist.set(MAPPING=str(mapping))
    assert "mapping" in typist.refused("apply", plan, code=5)["message"]
    typist.unset("MAPPING")
    assert org.writes() == before
    assert typist.ask("apply", plan)["deleted"] == 1


def test_a_mapping_that_is_replaced_while_the_crm_is_asked_has_made_no_plan(
    typist: Typist, org: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The night waits for half an hour for a CRM that is away. What was read before made the plan: nobody has
    seen one by the new mapping."""
    from crm_compliance.wiring.fits_this_crm import checked
    from crm_compliance.wiring.mapping import mapping_text

    def replaced(*given: Any) -> tuple[str, ...]:
        mapping.write_text(text + "\n# new\n", encoding="utf-8")
        return checked(*given)

    org.dossier("social_card", spoken=LONG_AGO)
    text, mapping = mapping_text(typist.settings)[0], tmp_path / "mapping.yaml"
    mapping.write_text(text, encoding="utf-8")
    typist.set(MAPPING=str(mapping))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("crm_compliance.wiring.desk.checked", replaced)
        plan = typist.approve_first(typist.ask("plan")["plan"])
    assert typist.refused("apply", plan, code=5)["code"] == "rules_changed"


def test_a_plan_for_another_crm_is_refused(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    plan = typist.ask("plan")["plan"]
    typist.set(CRM_URL=crm.url.replace("127.0.0.1", "localhost"))
    assert "another CRM" in typist.refused("apply", plan, code=5)["message"]


def test_a_second_run_is_refused_while_one_is_at_work(typist: Typist, org: Night) -> None:
    org.dossier("social_card", spoken=LONG_AGO)
    plan = typist.approve_first(typist.ask("plan")["plan"])
    before = org.writes()
    with org.store.leases.exclusive():
        assert typist.refused("apply", plan, code=5)["code"] == "another_run"
        assert typist.refused("run", "recordings", code=5)["code"] == "another_run"
        assert typist.ask("plan")["units"] == 1  # planning disturbs nobody
    assert org.writes() == before
    assert typist.ask("apply", plan)["deleted"] == 1


def test_a_plan_of_three_times_the_median_goes_through_and_one_more_does_not(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    """R-063: a median of 40; 121 trips with zero writes, 120 proceeds. Runs of another kind do not count."""
    earlier(org, Kind.ALL, enumerate([39, 40, 41] * 3 + [40, 0, 200]))
    earlier(org, Kind.RECORDINGS, ((number, 1) for number in range(20, 40)))
    ids = Random(2)
    fiches = [str(uuid.UUID(int=ids.getrandbits(128), version=4)) for _ in range(121)]
    columns = {"cf_name": "F", "cf_categories": "100000000", "createdon": "2020-01-10T11:00:00Z", "statecode": 0, "statuscode": 1}
    crm.load([("cf_fiche", {"cf_ficheid": row, "cf_communicatedon": "2020-01-10T11:00:00Z", **columns}) for row in fiches])
    plan = typist.ask("plan")
    assert plan["breaker"]["units"] == {"planned": 121, "limit": 120, "median": 40}
    before = org.writes()
    assert typist.refused("apply", plan["plan"], code=5)["code"] == "breaker"
    assert org.writes() == before
    org.http.delete(f"{crm.url}cf_fiches({fiches[0]})").raise_for_status()
    plan = typist.ask("plan")
    assert (plan["breaker"]["tripped"], plan["breaker"]["units"]["planned"]) == (False, 120)
    assert typist.ask("apply", plan["plan"])["deleted"] == 120


def earlier(org: Night, kind: Kind, numbered: Iterable[tuple[int, int]]) -> None:
    """Runs that ended, each of a plan of its own, with what it disposed of."""
    made = org.plan(kind)
    for number, disposed in numbered:
        plan = msgspec.structs.replace(made, id=f"plan-{number}")
        org.store.plans.save(plan, [], ("plan", plan_entry(plan)))
        run = Run(f"run-{number}", kind, plan.id, RunState.RUNNING, NOW, NOW)
        org.store.runs.start(run, ("run_started", {"plan": plan.id}))
        counts: dict[str, object] = {"disposed": {"units": disposed, "recordings": disposed}}
        org.store.runs.save(Run(run.id, kind, plan.id, RunState.DONE, NOW, NOW, NOW, counts=counts), [("run_ended", {"plan": plan.id})])


def test_an_interruption_is_told_in_words(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = typist.ask("plan")["plan"]

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jobs.requests.decisions.carry_out.apply_plan", interrupted)
    said = typist.type("apply", plan)
    assert (said.code, said.out) == (130, "")
    assert said.err.startswith("interrupted")
