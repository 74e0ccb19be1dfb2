"""Reads back what a run says is gone or masked. What is found again makes the run end with failures (ERA-15)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from connectors.interface import Among, Connector
from jobs.disposal import LINKS, TRIMMED_FIELDS
from jobs.runs import Action, RowWrite
from rules.records import KINDS

# Places of ERA-12 that lie outside what this version can read back.
NOT_CHECKABLE = ("audit history", "recycle bin", "backups", "search index", "asynchronous job rows")


def still_there(connector: Connector, writes: Iterable[RowWrite]) -> set[tuple[str, str]]:
    """Which of these writes have not taken effect, as (kind, id): a row that still exists, a link or a field that is not empty."""
    by_kind: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for write in writes:
        by_kind[(write.kind, write.operation)][write.id] = write.target
    left: set[tuple[str, str]] = set()
    for (kind, operation), targets in by_kind.items():
        among, link = Among("id", list(targets)), LINKS.get(operation)
        fields = () if operation == "delete" else (link,) if link is not None else TRIMMED_FIELDS
        for page in connector.read(KINDS[kind], fields, among=among):
            for row in page:
                if link is not None:
                    is_left = getattr(row, link) == targets[row.id]  # a link to another row was made by somebody since
                else:
                    is_left = not fields or any(getattr(row, name) is not None for name in fields)
                if is_left:
                    left.add((kind, row.id))
    return left


def verify_actions(connector: Connector, actions: Sequence[Action]) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    """For each done action, by (table, id), its rows that are still there; only actions with such rows are named."""
    found = still_there(connector, (write for action in actions for write in action.rows))
    result: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for action in actions:
        rows = tuple((connector.table(KINDS[write.kind]), write.id) for write in action.rows if (write.kind, write.id) in found)
        if rows:
            result[(action.table, action.id)] = rows
    return result
