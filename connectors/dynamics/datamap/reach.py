"""Which tables the CRM's relationships lead to from a unit or a person: rows that point to one, at any depth,
and what a table of links ties to one.

If a table is empty nothing can lead on through it, so a CRM of a thousand tables is asked about few. A lookup
of ours that points to a table of reference (a country, a school) does not make that table's rows personal, so
nothing is followed from a row to what it points to. Source: the reference, section 11.1 and 11.2; ERA-12."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from rules.model.data_map import Tie

LINKS_ONLY = "links"  # on_delete of a table of links: the platform removes its rows with either side
FAR_SIDE = "far_side"  # of what such a table ties: its rows stay


@dataclass(slots=True)
class Reached:
    """One table: the ties that lead from it towards a unit or person, and how many rows have one (None: this
    account may not look). `path` is the shortest way."""

    name: str
    path: str
    ties: list[Tie]
    rows: int | None = None


def reached(
    starts: Collection[str], opaque: Collection[str], metadata: Metadata, count: Callable[[str, Collection[str]], int | None]
) -> dict[str, Reached]:
    """Return the tables that lead to one of `starts`, these included (with no rows counted), by name.
    `opaque` are tables through which nothing leads on. `count` gives the rows of a table of which one of some
    lookups is not empty, or all of them without lookups; None where this account may not look."""
    found = {name: Reached(name, name, []) for name in starts}
    queue = list(starts)
    for parent in queue:  # grows during the loop
        definition = metadata.table(parent)
        ties = list(_ties(definition, count)) if definition is not None else []
        for tie in ties:
            found.setdefault(tie.child, Reached(tie.child, _path(tie, found[parent].path), [])).ties.append(tie)
        for name in dict.fromkeys(tie.child for tie in ties if tie.child not in starts):
            found[name].rows = count(name, sorted({tie.column for tie in found[name].ties if tie.column}))
            if found[name].rows != 0 and name not in opaque and name not in queue:
                queue.append(name)
    return found


def _ties(definition: TableDefinition, count: Callable[[str, Collection[str]], int | None]) -> Iterator[Tie]:
    yield from (Tie(each.child, each.column, definition.name, each.on_delete) for each in definition.children)
    for link in definition.links:
        yield Tie(link.table, "", definition.name, LINKS_ONLY)
        other = link.other(definition.name)
        if other != definition.name and count(link.table, ()) != 0:
            yield Tie(other, "", definition.name, FAR_SIDE)


def _path(tie: Tie, onward: str) -> str:
    return f"{tie.child}.{tie.column} > {onward}" if tie.column else f"{tie.child} > {onward}"
