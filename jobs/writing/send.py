"""Sends the writes of units to the CRM until each is known to have happened or not: the one place that calls
`Connector.change`.

A change set whose answer was lost is read back before it is tried again, and so is one that looks changed or
refused: a lost request may have been carried out late, and a gateway may have sent one twice, or have
answered in place of the CRM. So nothing happens twice, and nothing that happened is missed."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from connectors.interface.changes import ChangeSet, ChangeStatus, Operation
from connectors.interface.connector import Connector
from jobs.model.run import CHANGED, ActionState, RowWrite
from jobs.model.run import TECHNICAL as TECHNICAL
from jobs.writing.read_back import still_there
from jobs.writing.row_writes import operation
from rules.model.decisions import Reason

MAX_OPERATIONS = 1_000  # Microsoft Learn, "Execute batch operations using the Web API"
TRIES = 3
Held = Callable[[Collection[str]], Mapping[str, str]]  # keys -> those that may not be written now, each with the code that says why


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What became of one unit's writes."""

    state: ActionState
    code: str = ""


def send_and_reconcile(
    connector: Connector, writes: Mapping[str, Sequence[RowWrite]], *, held: Held, rest_held: Held | None = None
) -> dict[str, WriteOutcome]:
    """Send the writes of each unit, by a key of the caller's, and return the outcome of each.

    Rows in long-term retention are left out: no write reaches them, and they are deleted once the live ones
    are (residual/purge_retained.py).

    `held` is checked by the connector right before every request that writes: a hold that was placed since
    prevails (HLD-07). `rest_held`, where given, is asked instead about units of which a part has gone.

    A unit of up to 1,000 rows is sent in one change set, whole or not at all. A larger one is sent in
    several, its own row last: if a later one fails it is PARTIAL. Anything the CRM refuses for a technical
    reason is skipped and tried again by the next run (HLD-13)."""
    live = {key: [row for row in rows if not row.retained] for key, rows in writes.items()}
    pieces = {key: [tuple(rows[at : at + MAX_OPERATIONS]) for at in range(0, len(rows), MAX_OPERATIONS)] for key, rows in live.items()}
    outcomes: dict[str, WriteOutcome] = {}
    step = 0
    while waiting := {key: parts[step] for key, parts in pieces.items() if key not in outcomes and step < len(parts)}:
        for key, (status, code) in _send_step(connector, waiting, rest_held if step and rest_held else held).items():
            if status is ChangeStatus.DONE:
                continue
            if step > 0:
                outcomes[key] = WriteOutcome(ActionState.PARTIAL, code)
            elif status is ChangeStatus.CHANGED:
                outcomes[key] = WriteOutcome(ActionState.SKIPPED, CHANGED)
            elif status is ChangeStatus.HELD:
                outcomes[key] = WriteOutcome(ActionState.SKIPPED, code)
            elif status is ChangeStatus.REFUSED:
                outcomes[key] = WriteOutcome(ActionState.SKIPPED, TECHNICAL)
            else:
                outcomes[key] = WriteOutcome(ActionState.FAILED, code)
        step += 1
    return {key: outcomes.get(key, WriteOutcome(ActionState.DONE)) for key in writes}


def send_operations(connector: Connector, operations: Sequence[Operation]) -> str:
    """Send operations that the caller reads back, such as those of statistics; gives the CRM's code of the
    first refusal, else nothing."""
    sets = [ChangeSet(str(at), tuple(operations[at : at + MAX_OPERATIONS])) for at in range(0, len(operations), MAX_OPERATIONS)]
    return next((result.service_code for result in connector.change(sets) if result.status is ChangeStatus.REFUSED), "")


def _send_step(connector: Connector, waiting: Mapping[str, tuple[RowWrite, ...]], held: Held) -> dict[str, tuple[ChangeStatus, str]]:
    """Send one change set for each key, and read back those whose answer was lost before they are sent again.
    A CRM that does not answer at all is waited for as long as the connector has patience; a unit by which it
    stumbles is tried TRIES times."""
    outcome: dict[str, tuple[ChangeStatus, str]] = {}
    open_sets = dict(waiting)
    unknown: dict[str, tuple[RowWrite, ...]] = {}
    found: dict[str, str] = {}
    stumbles: Counter[str] = Counter()

    def ask(keys: Collection[str]) -> Collection[str]:
        now = held(keys)
        found.update(now)
        return now.keys()

    for _ in connector.tries():
        change_sets = [ChangeSet(key, tuple(operation(connector, write) for write in rows)) for key, rows in open_sets.items()]
        results = connector.change(change_sets, held=ask)
        before, unknown = unknown, {}
        denied = {result.key for result in results if result.status in (ChangeStatus.CHANGED, ChangeStatus.REFUSED)}
        stayed = still_there(connector, (write for key in denied for write in waiting[key]))
        done = {key for key in denied if stayed.isdisjoint((write.kind, write.id) for write in waiting[key])}
        for result in results:
            if result.status is ChangeStatus.HELD:  # a hold of the CRM where it is none of ours
                # What was sent without an answer may still be carried out, hold or not: that is a failure,
                # and no skip.
                status = ChangeStatus.UNKNOWN if result.key in before else ChangeStatus.HELD
                outcome[result.key] = (status, found.get(result.key, Reason.HOLD_LEGAL.value))
            elif result.status is ChangeStatus.UNKNOWN:
                unknown[result.key] = open_sets[result.key]
                stumbles[result.key] += not result.is_outage
            elif result.key in done:
                outcome[result.key] = (ChangeStatus.DONE, "")
            else:
                outcome[result.key] = (result.status, result.service_code)
        if not unknown:
            return outcome
        open_sets, settled = _looked_for(connector, unknown, stumbles)
        outcome |= settled
        if not open_sets:
            return outcome
    return outcome | dict.fromkeys(open_sets, (ChangeStatus.UNKNOWN, "NO_ANSWER"))


def _looked_for(
    connector: Connector, unknown: Mapping[str, tuple[RowWrite, ...]], stumbles: Mapping[str, int]
) -> tuple[dict[str, tuple[RowWrite, ...]], dict[str, tuple[ChangeStatus, str]]]:
    """Return, of change sets whose answer was lost, those to send again with the rows that are still there,
    and what became of the others."""
    left = still_there(connector, (write for rows in unknown.values() for write in rows))
    again: dict[str, tuple[RowWrite, ...]] = {}
    settled: dict[str, tuple[ChangeStatus, str]] = {}
    for key, rows in unknown.items():
        remaining = tuple(write for write in rows if (write.kind, write.id) in left)
        if not remaining:
            settled[key] = (ChangeStatus.DONE, "")
        elif stumbles[key] < TRIES:
            again[key] = remaining
        else:
            settled[key] = (ChangeStatus.UNKNOWN, "NO_ANSWER")
    return again, settled
