"""Which units of a plan go later in its run, as far as can be told now. A row in long-term retention that
belongs to several goes with the first only where the others really go as well (RET-20, decision 0059): being
due is not enough, for a hold, a canary, quarantine, a change or the schedule in force may keep a unit by
then."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.model.plan import PlanLine
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_anywhere
from jobs.reading.units import Gathering
from jobs.runs.quarantine import put_off
from jobs.runs.recheck import held_since, judge
from rules.holds.holds import Holds
from rules.model.records import Fiche, Unit, UnitKind
from rules.policy.policy import Policy

Blocked = Callable[[Sequence[Unit], Gathering, Holds], Collection[str]]  # units that something which goes with them keeps, by id


def units_of(connector: Connector, rows: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
    """Return the units, by id, with each of which a row, as (word, id), goes: by itself, or as a part. A
    fiche of several dossiers is a part of none. Raises ConnectorError."""
    found = {(word, row): {row} for word, row in rows}
    fiches = sorted(row for word, row in found if word == UnitKind.FICHE)
    for fiche in rows_anywhere(connector, Fiche, ("dossier",), Among("id", fiches), connector.retaining((Fiche,)) if fiches else ()):
        if fiche.dossier is not None and not fiche.also_in:
            found[UnitKind.FICHE.value, fiche.id].add(fiche.dossier)
    return found


def going_later(
    context: JobContext, lines: Sequence[PlanLine], kind_of: Callable[[PlanLine], UnitKind], in_force: Policy, day: date, blocked: Blocked
) -> set[str]:
    """Return those of some units of a plan that are not contacts, by id, that would be disposed of if it were
    their turn now. Raises as `gather_units`: it cannot be determined."""
    waiting = put_off(context, lines, day)
    if not (turned := [line for line in lines if line.id not in waiting]):
        return set()
    judged = judge(context, in_force, day, turned, kind_of)
    units = [unit for _, unit, _ in judged.going]
    kept = held_since(context.connector, units)
    going = [unit for unit in units if unit.id not in kept]
    return {unit.id for unit in going} - {*blocked(going, judged.found, judged.holds)}
