"""Rows of tables that the mapping does not name and that belong to units being deleted. The CRM deletes some
along; others would remain.

What is deleted along is noted with its unit, so that its history and its place in the recycle bin are cleaned
too. A unit of which something would remain is skipped and tried again: somebody has to map that table, or
state that its rows may stay (R-158)."""

from collections.abc import Collection, Sequence

import msgspec

from connectors.interface.remains import RowKey
from jobs.model.run import Action
from jobs.ports.context import JobContext
from jobs.writing.read_back import masked_rows


def with_unmapped(
    context: JobContext, intents: Sequence[Action], gone: Collection[str] = ()
) -> tuple[list[Action], dict[tuple[str, str], str]]:
    """Return the same intents with what is deleted along with their rows, and the units that must wait, by
    (table, id), with the table of which rows would remain. The rows `gone`, by id, will have gone by then."""
    connector = context.connector
    owners = {write.key(connector): action.key for action in intents for write in action.rows if write.operation == "delete"}
    there = {write.key(connector) for action in intents for write in action.rows if write.retained}
    along: dict[tuple[str, str], list[RowKey]] = {}
    waiting: dict[tuple[str, str], str] = {}
    dependent = connector.dependent_rows(list(owners))
    # A location that goes along with its own row does not stay behind without the location that it is
    # below.
    going = {each.row for each in dependent if each.cascades} if context.documents else set()
    for each in dependent:
        owner = owners[each.on]
        if owners.get(each.row) == owner:  # a row of the same unit, that the CRM would delete along
            continue
        if each.row[1] in gone or (not each.cascades and each.row in going):
            continue
        if each.cascades and each.on not in there:  # what depends on a row in long-term retention is deleted with nothing
            along.setdefault(owner, []).append(each.row)
        else:
            waiting.setdefault(owner, each.row[0])
    # A row that is masked or emptied takes nothing along, and nothing keeps it from being that: whatever
    # depends on it would stay.
    masked = {row: action.key for action in intents for row in masked_rows(connector, action)}
    for each in connector.dependent_rows(list(masked), restricting=True):
        waiting.setdefault(masked[each.on], each.row[0])
    result = []
    for action in intents:
        rows = along.get(action.key)
        result.append(msgspec.structs.replace(action, along=tuple(sorted(set(rows)))) if rows else action)
    return result, waiting
