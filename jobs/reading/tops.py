"""What rows belong to, up to what does not depend itself: through dependent tables, at any depth."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from rules.model.kinds import Kinds
from rules.model.records import KINDS, Record


def tops_of(connector: Connector, rows: Iterable[tuple[str, Record]]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return what each row, by (kind, id), belongs to, as (kind, id); where that is a row of a dependent
    table, what that one belongs to, up to what does not depend."""
    kinds = connector.all_kinds
    owners = {(kind, record.id): list(kinds[kind].owners(record)) for kind, record in rows}
    if not kinds.own:
        return owners
    links = dict(owners)
    while wanted := {one for each in links.values() for one in each if kinds[one[0]].depends} - links.keys():
        links |= {one: [] for one in wanted}  # one that is gone belongs to nothing
        for kind in sorted({kind for kind, _ in wanted}):
            ids = sorted(row for of, row in wanted if of == kind)
            read = chain.from_iterable(connector.read(KINDS[kind], kinds.links[kind], among=Among("id", ids)))
            links |= {(kind, row.id): list(kinds[kind].owners(row)) for row in read}
    return {key: list(_tops(key, links, kinds)) for key in owners}


def _tops(key: tuple[str, str], links: Mapping[tuple[str, str], list[tuple[str, str]]], kinds: Kinds) -> Iterator[tuple[str, str]]:
    """Yield what does not depend itself, above a row; rows may belong to each other in a circle."""
    waiting = [key]
    for each in waiting:
        for up in links.get(each, ()):
            if not kinds[up[0]].depends:
                yield up
            elif up not in waiting:
                waiting.append(up)
