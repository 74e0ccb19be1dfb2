"""What rows belong to, up to what does not depend itself: through dependent tables, at any depth."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.reading.long_term import retained_rows_of
from rules.model.kinds import Kinds
from rules.model.records import KINDS, Record

Links = dict[tuple[str, str], list[tuple[str, str]]]  # what each row belongs to, by (kind, id)


def tops_of(connector: Connector, rows: Iterable[tuple[str, Record]]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return what each row, by (kind, id), belongs to, as (kind, id); where that is a row of a dependent
    table, what that one belongs to, up to what does not depend."""
    kinds = connector.all_kinds
    owners = {(kind, record.id): list(kinds[kind].owners(record)) for kind, record in rows}
    if not kinds.own:
        return owners
    links = _upwards(connector, owners)
    return {key: list(_tops(key, links, kinds)) for key in owners}


def termed_above(connector: Connector, kind: str, row: str) -> tuple[str, str] | None:
    """Return the nearest row with a term of its own above one that depends and has none, as (kind, id): with
    that it stays and goes. None where what does not depend is as near, or nothing above has a term."""
    kinds = connector.all_kinds
    if not kinds.termed or kinds[kind].term:
        return None
    links = _upwards(connector, {("", ""): [(kind, row)]})
    waiting = [(kind, row)]
    for each in waiting:
        if not kinds[each[0]].depends:
            return None
        if kinds[each[0]].term:
            return each
        waiting += [up for up in links.get(each, ()) if up not in waiting]
    return None


def _upwards(connector: Connector, owners: Links) -> Links:
    """Return what rows belong to, and what these belong to, as far as that are rows of dependent tables."""
    kinds, links = connector.all_kinds, dict(owners)
    while wanted := {one for each in links.values() for one in each if kinds[one[0]].depends} - links.keys():
        links |= {one: [] for one in wanted}  # one that is gone belongs to nothing
        for kind in sorted({kind for kind, _ in wanted}):
            ids = sorted(row for of, row in wanted if of == kind)
            read = [*chain.from_iterable(connector.read(KINDS[kind], kinds.links[kind], among=Among("id", ids)))]
            missing = sorted({*ids} - {row.id for row in read})
            if missing and connector.retaining((KINDS[kind],)):
                read += retained_rows_of(connector, KINDS[kind], kinds.links[kind], Among("id", missing))
            links |= {(kind, row.id): list(kinds[kind].owners(row)) for row in read}
    return links


def _tops(key: tuple[str, str], links: Mapping[tuple[str, str], list[tuple[str, str]]], kinds: Kinds) -> Iterator[tuple[str, str]]:
    """Yield what does not depend itself, above a row; rows may belong to each other in a circle."""
    waiting = [key]
    for each in waiting:
        for up in links.get(each, ()):
            if not kinds[up[0]].depends:
                yield up
            elif up not in waiting:
                waiting.append(up)
