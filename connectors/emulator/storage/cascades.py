"""What else must happen when a row is deleted, decided before the first write. Restrict anywhere in the tree
refuses the whole delete, also when the restricting row belongs to a branch that cascades."""

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.emulator.errors import has_children
from connectors.emulator.schema.environment import Environment, Relationship, Table
from connectors.emulator.storage import sql

Row = tuple[str, str]  # table, id
FindChildren = Callable[[Relationship, str], list[str]]


def select_children(child: Table, relation: Relationship, source: str) -> str:
    """Return the SQL that finds the ids of a parent's children in a source of their table."""
    column = child.columns[relation.column]
    where = [f"{sql.name(column.name)} = ?"]
    if column.polymorphic:
        where.append(f"{sql.name(column.type_column)} = {sql.text(relation.parent)}")
    return sql.select([sql.name(child.key)], sql.name(source), where)


@dataclass
class Fall:
    """Rows to delete, children last to first; links to clear; links that stay and point nowhere."""

    deleted: list[Row] = field(default_factory=list)
    unlinked: list[tuple[Relationship, str]] = field(default_factory=list)
    dangling: list[tuple[Relationship, str]] = field(default_factory=list)


def fall_of(environment: Environment, table: str, row_id: str, find: FindChildren) -> Fall:
    """Follow the relationships from one row. Raises WebApiError: 405 `0x80040227` when a row outside the tree
    restricts one inside."""
    fall = Fall()
    seen: set[Row] = {(table, row_id)}
    waiting: list[Row] = [(table, row_id)]
    restricting: list[Row] = []
    unlinked: list[tuple[Relationship, str, str]] = []
    while waiting:
        name, parent_id = waiting.pop()
        fall.deleted.append((name, parent_id))
        for relation in environment.tables[name].children:
            if relation.on_delete == "no_cascade":
                if not relation.implied or relation.column == "partyid":
                    fall.dangling.append((relation, parent_id))
                continue
            for child_id in find(relation, parent_id):
                child = (relation.child, child_id)
                if relation.on_delete == "cascade":
                    if child not in seen:
                        seen.add(child)
                        waiting.append(child)
                elif relation.on_delete == "restrict":
                    restricting.append(child)
                else:
                    unlinked.append((relation, parent_id, child_id))
    if any(child not in seen for child in restricting):
        raise has_children()
    fall.unlinked = [(relation, child_id) for relation, _, child_id in unlinked if (relation.child, child_id) not in seen]
    fall.deleted.reverse()
    return fall
