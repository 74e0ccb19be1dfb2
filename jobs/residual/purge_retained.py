"""Removes the rows of units that are in long-term retention, and reads back that they are gone.

No write reaches such a row: a job of the CRM deletes it, named by its id. It comes after the live rows of its
unit, which may be refused, and before the unit counts as written. What a job reports is not trusted. Source:
the reference, sections 6.2, 6.4 and 11.5."""

from collections.abc import Mapping, Sequence

from connectors.interface.connector import Connector
from connectors.interface.remains import ResidualKind
from jobs.model.run import ActionState, RowWrite
from jobs.residual.purge import purge_unless_held
from jobs.writing.read_back import still_there
from jobs.writing.send import TECHNICAL, Held, WriteOutcome

NO_ANSWER = "NO_ANSWER"


def purge_retained(connector: Connector, writes: Mapping[str, Sequence[RowWrite]], *, held: Held) -> dict[str, WriteOutcome]:
    """Purge the retained rows of each unit, by a key of the caller's, and return the outcome for each that
    has such rows.

    `held` is checked right before (HLD-07), and again where the CRM lets the job wait. A unit of
    which nothing is deleted is skipped where the CRM does not allow it, and FAILED where the job did not do
    it. One of which a part is deleted is PARTIAL. Raises ConnectorError: the job cannot be followed, or the
    remaining rows not be read; the intents stay, and the run continues from there."""
    there = {key: found for key, rows in writes.items() if (found := [write for write in rows if write.retained])}
    if not there:
        return {}
    rows_of = {key: [write.key(connector) for write in rows] for key, rows in there.items()}
    kept, refused = purge_unless_held(connector, ResidualKind.RETAINED, rows_of, held=held)
    left = still_there(connector, [write for rows in there.values() for write in rows])
    outcomes: dict[str, WriteOutcome] = {}
    for key, rows in there.items():
        is_whole = all(write.retained for write in writes[key])
        remaining = [write for write in rows if (write.kind, write.id) in left]
        if key in kept and len(remaining) == len(rows):
            outcomes[key] = WriteOutcome(ActionState.SKIPPED if is_whole else ActionState.PARTIAL, kept[key])
        elif not remaining:
            outcomes[key] = WriteOutcome(ActionState.DONE)
        elif not is_whole or len(remaining) < len(rows):
            outcomes[key] = WriteOutcome(ActionState.PARTIAL, TECHNICAL)
        elif any(write.key(connector) in refused for write in remaining):
            outcomes[key] = WriteOutcome(ActionState.SKIPPED, TECHNICAL)
        else:
            outcomes[key] = WriteOutcome(ActionState.FAILED, NO_ANSWER)
    return outcomes
