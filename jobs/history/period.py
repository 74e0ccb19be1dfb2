"""What was done in a period, as an auditor asks: who approved what, how much was disposed of, why the rest
was kept, and everything that was out of the ordinary (ACC-01, ACC-10)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Final

import msgspec

from jobs.checks.denials import DENIED
from jobs.history.wanted_runs import midnight
from jobs.ledger.entries import LedgerEntry
from jobs.model.plan import LOOKING_AT_DOSSIERS, Approval, Plan
from jobs.model.run import Run, RunLine, RunState
from jobs.ports.store.policies import PolicyVersion
from jobs.ports.store.store import Store
from rules.dates.calendar import Calendar
from rules.holds.placements import PlacedHold
from rules.model.requests import Step

APPROVAL, REQUEST, CERTIFICATES = "approval", "request", "certificates"
# Kinds of ledger entries that tell of something out of the ordinary.
UNUSUAL: Final = ("stopped", "resumed", "recovered", "alarm", "key_destroyed", "quarantine_undone")
_ASKED: Final = (APPROVAL, DENIED, REQUEST, CERTIFICATES, *UNUSUAL)
_LOOKED_BACK: Final = 500  # plans that are looked at for the last one of the period


class PlanApproval(msgspec.Struct, frozen=True):
    """One person's approval or rejection of a plan, and the run that carried it out, if any did. `who` is
    empty where the plan does not say (any more) who it was; `ref` is the keyed reference of the ledger."""

    at: datetime
    plan: str
    role: str
    approves: bool
    who: str
    ref: str
    run: str = ""


class Denied(msgspec.Struct, frozen=True):
    """Something that somebody tried and might not. `action` and `code` are those of the ledger; `where` names
    a plan, hold, run or key."""

    at: datetime
    action: str
    code: str
    role: str
    ref: str
    where: str


class Released(msgspec.Struct, frozen=True):
    """An answer that a second person has released."""

    at: datetime
    request: str
    role: str
    ref: str


class Unusual(msgspec.Struct, frozen=True):
    """An entry of the ledger about something out of the ordinary."""

    at: datetime
    kind: str


class PeriodSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an auditor is told of a period. `failed` are the runs in which something failed or went in part;
    `alarms` in how many runs each code occurred; `kept` are the numbers by reason of `kept_by`, the last plan
    of dossiers that a run of the period carried out."""

    runs: int
    jobs: int
    unapproved: int
    deleted: int
    anonymised: int
    skipped: int
    certificates: int
    categories: tuple[tuple[str, int], ...]
    approvals: tuple[PlanApproval, ...]
    kept_by: Plan | None
    kept: tuple[tuple[str, int], ...]
    failed: tuple[RunLine, ...]
    unfinished: tuple[RunLine, ...]
    alarms: tuple[tuple[str, int], ...]
    denied: tuple[Denied, ...]
    released: tuple[Released, ...]
    holds_placed: tuple[PlacedHold, ...]
    holds_released: tuple[PlacedHold, ...]
    unusual: tuple[Unusual, ...]
    schedules: tuple[PolicyVersion, ...]


def tell(store: Store, first: date, last: date, calendar: Calendar) -> PeriodSummary:
    """Return what was done from one civil day to another, both included."""
    begin, end = midnight(first, calendar), midnight(last + timedelta(days=1), calendar)
    everything = store.runs.lines()
    lines = [line for line in everything if begin <= line.started_at < end]
    of_plans = [line for line in lines if line.plan]
    runs = store.runs.some([line.id for line in of_plans])
    entries = store.ledger.between(_ASKED, begin, end)
    approvals = _approvals(store, [entry for entry in entries if entry.kind == APPROVAL], everything)
    approved = store.plans.approvals([line.plan for line in of_plans])
    kept_by = _last_plan(store, of_plans)
    holds = store.holds.all()
    alarms = Counter(code for line in lines for code in line.alarms)
    return PeriodSummary(
        runs=len(of_plans),
        jobs=len(lines) - len(of_plans),
        unapproved=sum(not approved.get(line.plan) for line in of_plans),
        deleted=sum(line.deleted for line in of_plans),
        anonymised=sum(line.anonymised for line in of_plans),
        skipped=sum(line.skipped for line in of_plans),
        certificates=sum(_number(entry.data.get("count")) for entry in entries if entry.kind == CERTIFICATES),
        categories=_by_number(_categories(runs)),
        approvals=approvals,
        kept_by=kept_by,
        kept=_by_number(kept_by.retain) if kept_by is not None else (),
        failed=tuple(line for line in lines if line.failed or line.state is RunState.DONE_WITH_FAILURES),
        unfinished=tuple(line for line in lines if line.state is RunState.RUNNING),
        alarms=_by_number(alarms),
        denied=tuple(_denied(entry) for entry in entries if entry.kind == DENIED),
        released=tuple(
            Released(_at(entry), _text(entry, "request"), _text(entry, "role"), _text(entry, "by"))
            for entry in entries
            if entry.kind == REQUEST and entry.data.get("step") == Step.RELEASE
        ),
        holds_placed=tuple(hold for hold in holds if begin <= hold.placed_at < end),
        holds_released=tuple(hold for hold in holds if hold.released_at is not None and begin <= hold.released_at < end),
        unusual=tuple(Unusual(_at(entry), entry.kind) for entry in entries if entry.kind in UNUSUAL),
        schedules=tuple(each for each in store.policies.all() if begin <= datetime.fromisoformat(each.first_used_at) < end),
    )


def _approvals(store: Store, entries: Sequence[LedgerEntry], lines: Iterable[RunLine]) -> tuple[PlanApproval, ...]:
    """Return people's approvals and rejections as the ledger has them, each with the account that
    the plan names for it."""
    plans = sorted({_text(entry, "plan") for entry in entries})
    given = store.plans.approvals(plans)
    runs = {line.plan: line.id for line in lines if line.plan}
    return tuple(_approval(entry, given.get(_text(entry, "plan"), ()), runs.get(_text(entry, "plan"), "")) for entry in entries)


def _approval(entry: LedgerEntry, given: Sequence[Approval], run: str) -> PlanApproval:
    at = datetime.fromisoformat(_text(entry, "given_at") or entry.at).astimezone(UTC)
    role, approves = _text(entry, "role"), entry.data.get("approves") is True
    who = next((each.who for each in given if (each.role, each.approves, each.at.astimezone(UTC)) == (role, approves, at)), "")
    return PlanApproval(at, _text(entry, "plan"), role, approves, who, _text(entry, "by"), run)


def _denied(entry: LedgerEntry) -> Denied:
    where = next((_text(entry, name) for name in ("plan", "hold", "run", "key") if entry.data.get(name)), "")
    return Denied(_at(entry), _text(entry, "action"), _text(entry, "code"), _text(entry, "role"), _text(entry, "by"), where)


def _last_plan(store: Store, lines: Sequence[RunLine]) -> Plan | None:
    """Return the plan of the last of these runs, newest first, that looked at dossiers."""
    kinds = {kind.value for kind in LOOKING_AT_DOSSIERS}
    line = next((line for line in islice(lines, _LOOKED_BACK) if line.kind in kinds), None)
    return store.plans.get(line.plan) if line is not None else None


def _categories(runs: Iterable[Run]) -> Counter[str]:
    found: Counter[str] = Counter()
    for run in runs:
        counts: Any = run.counts.get("by_category")
        if isinstance(counts, dict):
            found.update(counts)
    return found


def _by_number(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(((code, number) for code, number in counts.items() if number), key=lambda each: (-each[1], each[0])))


def _at(entry: LedgerEntry) -> datetime:
    return datetime.fromisoformat(entry.at)


def _text(entry: LedgerEntry, name: str) -> str:
    value = entry.data.get(name)
    return "" if value is None else str(value)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
