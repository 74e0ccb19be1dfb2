"""What an auditor is told of a period: what began, was said or happened from midnight of its first day to
midnight after its last, and nothing of the days beside it (ACC-01, ACC-10)."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from crm_compliance.store.store import SqlStore
from jobs.history.period import Denied, PlanApproval, Released, Unusual, tell
from jobs.model.plan import Approval, Kind
from jobs.model.run import Run, RunState
from rules.dates.calendar import BELGIAN
from rules.holds.placements import HoldType, PlacedHold
from tests.crm_compliance.store.values import ENTRY, a_plan, a_run
from tests.drivers.clock import Clock

FIRST, LAST = date(2026, 11, 23), date(2026, 11, 24)
BEGIN, END = datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 24, 23, tzinfo=UTC)  # midnights in Brussels
A_MOMENT = timedelta(milliseconds=1)


def ran(store: SqlStore, number: int, at: datetime, plan: dict[str, Any] | None = None, **counts: Any) -> Run:
    """A plan, its run and the end of it, all at one instant."""
    store.plans.save(a_plan(f"plan-{number}", created_at=at, **(plan or {})), [], ENTRY)
    kind = (plan or {}).get("kind", Kind.RETENTION)
    run = a_run(f"run-{number}", f"plan-{number}", kind=kind, as_of=at, started_at=at)
    store.runs.start(run, ENTRY)
    ended = msgspec.structs.replace(run, state=RunState.DONE, ended_at=at, counts=counts)
    store.runs.save(ended, [("run_ended", {"plan": run.plan})])
    return ended


def test_both_days_are_included_whole_and_the_moments_beside_them_are_not(store: SqlStore) -> None:
    for number, at in enumerate((BEGIN - A_MOMENT, BEGIN, END - A_MOMENT, END)):
        ran(store, number, at, deleted=10**number)
    told = tell(store, FIRST, LAST, BELGIAN)
    assert (told.runs, told.deleted, told.unapproved) == (2, 110, 2)


def test_numbers_add_up_over_runs_the_largest_category_first(store: SqlStore) -> None:
    ran(store, 1, BEGIN, deleted=2, anonymised=1, skipped={"CHANGED": 3}, by_category={"sexting": 1, "runaway": 1, "cyber": 0})
    ran(store, 2, BEGIN, deleted=4, failed=1, by_category={"sexting": 3})
    told = tell(store, FIRST, LAST, BELGIAN)
    assert (told.deleted, told.anonymised, told.skipped) == (6, 1, 3)
    assert told.categories == (("sexting", 4), ("runaway", 1))
    assert ([line.id for line in told.failed], told.unfinished) == (["run-2"], ())


def test_what_was_kept_is_told_by_the_last_plan_that_looked_at_dossiers(store: SqlStore) -> None:
    ran(store, 1, BEGIN, {"retain": {"OPEN_DOSSIER": 5}})
    ran(store, 2, BEGIN + A_MOMENT, {"retain": {"OPEN_DOSSIER": 2, "NOT_EXPIRED": 7, "HOLD_LEGAL": 2, "UNCONFIGURED": 0}})
    ran(store, 3, BEGIN + 2 * A_MOMENT, {"kind": Kind.RECORDINGS, "retain": {"NOT_EXPIRED": 99}})
    ran(store, 4, END, {"retain": {"NOT_EXPIRED": 1}})
    told = tell(store, FIRST, LAST, BELGIAN)
    assert told.kept_by is not None
    assert (told.kept_by.id, told.kept) == ("plan-2", (("NOT_EXPIRED", 7), ("HOLD_LEGAL", 2), ("OPEN_DOSSIER", 2)))


def said(plan: str, at: datetime, who: str, role: str, *, approves: bool = True) -> tuple[Approval, tuple[str, dict[str, object]]]:
    told = {"plan": plan, "role": role, "approves": approves, "by": f"ref-{who}", "given_at": at.isoformat()}
    return Approval(who, role, at, approves), ("approval", told)


def test_an_approval_is_told_with_the_account_of_the_plan_and_the_run_that_followed(store: SqlStore, clock: Clock) -> None:
    """The ledger has no name: of a plan that does not say it any more, the reference is all there is."""
    clock.now = BEGIN
    store.plans.save(a_plan("plan-1", created_at=BEGIN, valid_until=END), [], ENTRY)
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    store.plans.approve("plan-1", *said("plan-1", at, "anna", "crm_admin"))
    store.ledger.append([said("plan-1", at, "somebody else", "dpo")[1], said("plan-0", at, "ben", "dpo", approves=False)[1]])
    store.runs.start(a_run("run-1", "plan-1", started_at=BEGIN), ENTRY)
    told = tell(store, FIRST, LAST, BELGIAN)
    assert told.approvals == (
        PlanApproval(at, "plan-1", "crm_admin", True, "anna", "ref-anna", "run-1"),
        PlanApproval(at, "plan-1", "dpo", True, "", "ref-somebody else", "run-1"),
        PlanApproval(at, "plan-0", "dpo", False, "", "ref-ben", ""),
    )
    assert (told.unapproved, [line.id for line in told.unfinished]) == (0, ["run-1"])


def test_the_ledger_tells_of_denials_releases_certificates_and_the_unusual(store: SqlStore, clock: Clock) -> None:
    told_before = [("stopped", {}), ("denied", {"action": "early"})]
    clock.now = BEGIN - A_MOMENT
    store.ledger.append(told_before)
    clock.now = BEGIN
    store.ledger.append(
        [
            ("denied", {"action": "release_hold", "code": "role", "role": "auditor", "by": "ref-ines", "hold": "hold-1"}),
            ("request", {"request": "request-1", "step": "release", "role": "approver", "by": "ref-erik"}),
            ("request", {"request": "request-1", "step": "open"}),
            ("certificates", {"count": 3}),
            ("certificates", {"count": 4}),
            ("stopped", {}),
            ("resumed", {}),
            ("note", {}),
        ]
    )
    told = tell(store, FIRST, LAST, BELGIAN)
    assert told.denied == (Denied(BEGIN, "release_hold", "role", "auditor", "ref-ines", "hold-1"),)
    assert told.released == (Released(BEGIN, "request-1", "approver", "ref-erik"),)
    assert (told.certificates, told.unusual) == (7, (Unusual(BEGIN, "stopped"), Unusual(BEGIN, "resumed")))


@pytest.mark.parametrize(
    ("placed", "released", "ids"),
    [
        (BEGIN, None, (["h"], [])),
        (BEGIN - A_MOMENT, BEGIN, ([], ["h"])),
        (END - A_MOMENT, END, (["h"], [])),
        (BEGIN - A_MOMENT, END, ([], [])),
        (BEGIN - A_MOMENT, None, ([], [])),
        (BEGIN, END - A_MOMENT, (["h"], ["h"])),
    ],
)
def test_a_hold_is_told_on_the_day_of_its_placing_and_of_its_release(
    store: SqlStore, placed: datetime, released: datetime | None, ids: tuple[list[str], list[str]]
) -> None:
    hold = PlacedHold(
        id="h", type=HoldType.LEGAL, kind="dossier", table="cf_dossier", row="d", reason_code="LITIGATION", basis="a claim",
        placed_by="ben", placed_at=placed, review_on=date(2027, 5, 1),
    )  # fmt: skip
    store.holds.place(hold, ENTRY)
    if released is not None:
        store.holds.release(msgspec.structs.replace(hold, released_by="erik", released_at=released), ENTRY)
    told = tell(store, FIRST, LAST, BELGIAN)
    assert ([each.id for each in told.holds_placed], [each.id for each in told.holds_released]) == ids


def test_a_schedule_is_told_in_the_period_in_which_it_first_decided(store: SqlStore, clock: Clock) -> None:
    for version, at in (("1", BEGIN - A_MOMENT), ("2", BEGIN), ("3", END)):
        clock.now = at
        store.policies.remember(hashlib.sha256(version.encode()).hexdigest(), version, version)
    assert [each.version for each in tell(store, FIRST, LAST, BELGIAN).schedules] == ["2"]


def test_of_a_period_without_anything_nothing_is_told(store: SqlStore) -> None:
    told = tell(store, FIRST, LAST, BELGIAN)
    assert not any(msgspec.structs.astuple(told))
