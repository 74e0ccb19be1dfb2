"""Units of one kind in the order in which they go where their rows point to each other by lookups that fill
no field, as a report to the one that it is below. What points to another goes before it: the CRM would refuse
to delete that, take the other along, or give it another version than the one that was planned."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.plan import PlanLine
from jobs.reading.few_rows import rows_of
from rules.model.records import Dossier, Fiche, Record


def waves_of(connector: Connector, record: type[Record], lines: Sequence[PlanLine]) -> Iterator[list[PlanLine]]:
    """Yield the lines in waves: each goes in a later one than all that point to it, itself or by a fiche, so
    that these have gone by the time it is looked at. Of circles, and of what is between two, nobody comes
    first: they go together. Raises ConnectorError: it cannot be determined."""
    unit_of = {line.id: line.id for line in lines}

    def fiches() -> Iterator[str]:
        for row in rows_of(connector, Fiche, ("dossier",), Among("dossier", [line.id for line in lines])):
            unit_of[row.id] = row.dossier or ""
            yield row.id

    pairs = connector.pointing(record, unit_of) if lines else set()
    if record is Dossier and lines:
        pairs |= connector.pointing(Fiche, fiches())
    before: defaultdict[str, set[str]] = defaultdict(set)
    for row, to in pairs:
        if unit_of[row] != unit_of[to]:
            before[unit_of[to]].add(unit_of[row])
    left = {line.id: line for line in lines}
    while left:
        free = [line for line in left.values() if not any(each in left for each in before.get(line.id, ()))]
        if not free:
            circles, size = {*left}, 0
            while len(circles) != size:  # without what does not point to any of them
                size, circles = len(circles), {each for one in circles for each in before[one] if each in circles}
            free = [line for line in left.values() if line.id in circles]
        yield free
        for line in free:
            del left[line.id]
