"""Reads back what a run reports as gone or masked. What is found again makes the run end with failures
(ERA-15). A whole run is read back once more, on demand, by jobs/runs/verify.py."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from connectors.interface.connector import Connector
from connectors.interface.remains import Reach, ResidualKind, RowKey
from connectors.interface.rows import Among
from jobs.model.run import Action, RowWrite
from jobs.reading.long_term import retained_rows_of
from jobs.writing.row_writes import EMPTY, LINKS, UNNAME, fields_emptied, operation
from rules.model.records import KINDS, Contact
from rules.model.residual_data import ResidualPlace

BACKUPS = "backups"  # never edited, and never read: they rotate out (ERA-13)
RESIDUAL_PLACES: Mapping[ResidualKind, ResidualPlace] = {
    ResidualKind.TIMELINE: ResidualPlace.TIMELINE,
    ResidualKind.JOBS: ResidualPlace.JOB_ROWS,
    ResidualKind.RETAINED: ResidualPlace.COPIES,
    ResidualKind.BIN: ResidualPlace.RECYCLE_BIN,
    ResidualKind.HISTORY: ResidualPlace.AUDIT_HISTORY,
}


def still_there(connector: Connector, writes: Iterable[RowWrite], *, live_only: bool = False) -> set[tuple[str, str]]:
    """Return which of these writes have not taken effect, as (kind, id). This is a row that still exists, a
    link or a field that is not empty, or a row that does not show its mask (R-081). With `live_only` a row in
    long-term retention counts only where it has come back from there. Raises ConnectorError."""
    by_kind: defaultdict[tuple[str, str, tuple[str, ...]], dict[str, str]] = defaultdict(dict)
    masks: dict[str, RowWrite] = {}
    there: defaultdict[str, list[str]] = defaultdict(list)
    for write in writes:
        if write.retained and not live_only:
            there[write.kind].append(write.id)
        if write.mask is not None:
            masks[write.id] = write
        else:
            by_kind[(write.kind, write.operation, fields_emptied(connector, write))][write.id] = write.target
    left = (
        {(masks[row].kind, row) for row in connector.unmasked([operation(connector, write) for write in masks.values()])}
        if masks
        else set()
    )
    for (kind, what, emptied), targets in by_kind.items():
        among, link = Among("id", list(targets), in_any_scope=True), LINKS.get(what)
        fields = (link,) if link is not None else emptied
        for page in connector.read(connector.all_kinds[kind].full if fields else KINDS[kind], fields, among=among):
            for row in page:
                if link is not None:
                    is_left = getattr(row, link) == targets[row.id]  # a link to another row was made by somebody since
                else:
                    is_left = not fields or any(getattr(row, name) is not None for name in fields)
                if is_left:
                    left.add((kind, row.id))
    for kind, ids in there.items():
        left |= {(kind, row.id) for row in retained_rows_of(connector, KINDS[kind], (), Among("id", ids))}
    return left


def gone_rows(connector: Connector, action: Action) -> list[RowKey]:
    """Return the rows that were deleted with a unit, in the CRM's own names: by us, or along with one of
    them."""
    writes = (*action.gone, *action.rows)
    deleted = [write.key(connector) for write in writes if write.operation == "delete"]
    return [*deleted, *action.along]


def masked_rows(connector: Connector, action: Action) -> list[RowKey]:
    """Return the rows of a unit that stay without what they said. Such a row was anonymised in place, or of a
    dependent table emptied since it outlives what it belongs to."""
    return [write.key(connector) for write in action.rows if write.operation in ("mask", EMPTY)]


def living_rows(connector: Connector, action: Action) -> list[RowKey]:
    """Return the rows of a unit that remain without what was emptied. These are masked rows and a trimmed
    contact, also where there was nothing to empty (RET-20)."""
    trimmed = [(connector.table(Contact), action.id)] if action.disposition == "trim" else []
    unnamed = [write.key(connector) for write in action.rows if write.operation == UNNAME]
    return [*masked_rows(connector, action), *unnamed, *trimmed]


def verify_actions(connector: Connector, actions: Sequence[Action]) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    """Return, for each done action that has some, by (table, id), its rows that still exist."""
    found = still_there(connector, (write for action in actions for write in (*action.gone, *action.rows)))
    along = {row for action in actions for row in action.along}
    stayed = connector.existing(along) if along else set()
    result: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for action in actions:
        rows = tuple(write.key(connector) for write in (*action.gone, *action.rows) if (write.kind, write.id) in found)
        rows += tuple(row for row in action.along if row in stayed)
        if rows:
            result[action.key] = rows
    return result


def residual_rows(connector: Connector, actions: Sequence[Action], there: Collection[RowKey]) -> set[RowKey]:
    """Return what is still kept of rows that are gone, as the table of the CRM that stores it and the id of
    the row concerned. `there` are rows that were found again themselves. The history of a row that remains is
    not checked: it may have changed since."""
    gone = {row for action in actions for row in gone_rows(connector, action)} - set(there)
    masked = {row for action in actions for row in masked_rows(connector, action)}
    found: set[RowKey] = set()
    for residual in ResidualKind:
        rows = sorted(gone | masked if residual in (ResidualKind.TIMELINE, ResidualKind.JOBS) else gone)
        if rows:
            found |= {(left.place, row[1]) for row, left in connector.residual_data(residual, rows).left.items()}
    return found


def not_checkable(connector: Connector, actions: Sequence[Action]) -> list[str]:
    """Return the places of ERA-12 that cannot be read back in this CRM, and the backups."""
    rows = sorted({row for action in actions for row in gone_rows(connector, action)})[:1]
    places = {
        RESIDUAL_PLACES[residual]
        for residual in ResidualKind
        if rows and connector.residual_data(residual, rows).reach is Reach.NOT_REACHABLE
    }
    if connector.copies != ():
        places.add(ResidualPlace.COPIES)
    return [*(place.value for place in ResidualPlace if place in places), BACKUPS]
