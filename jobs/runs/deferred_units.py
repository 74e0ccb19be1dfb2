"""Which units of a plan go later in its run, as far as can be told now. A row in long-term retention that
belongs to several goes with the first only where the others really go as well (RET-20, decision 0059): being
due is not enough, for a hold, a canary, quarantine, a change or the schedule in force may keep a unit by
then."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.holds.active import active_holds
from jobs.model.plan import PlanLine
from jobs.ports.context import JobContext
from jobs.reading.gather import gather_units, rows_anywhere
from jobs.reading.out_of_reach import OutOfReach
from jobs.reading.units import Gathering, is_anonymised
from jobs.runs.quarantine import put_off
from jobs.runs.recheck import has_moved, held_since, matches, unit_in
from rules.holds.holds import Holds
from rules.law.of_units import decisions
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
    holds = active_holds(context, day)
    waiting = put_off(context, lines, day)
    by_kind: dict[UnitKind, list[PlanLine]] = {}
    for line in lines:
        if line.id not in waiting:
            by_kind.setdefault(kind_of(line), []).append(line)
    if not by_kind:
        return set()
    found = gather_units(context.connector, {kind: [line.id for line in of] for kind, of in by_kind.items()})
    out_of_reach = OutOfReach(context.connector, found, context.policy, holds, day)
    units = [(line, unit_in(found, kind, line.id)) for kind, of in by_kind.items() for line in of]
    there = [(line, unit) for line, unit in units if unit is not None and not is_anonymised(unit)]
    left = [unit for _, unit in there]
    decided, by_now = (decisions(left, policy, holds, day) for policy in (context.policy, in_force))
    kept = held_since(context.connector, left)
    going: list[Unit] = []
    for (line, unit), decision, now in zip(there, decided, by_now, strict=True):
        stays = not (decision.is_disposal and now.is_disposal) or unit.id in kept or out_of_reach.keeps(unit, decision)
        if not stays and matches(line, unit, decision) and not has_moved(line, unit, found):
            going.append(unit)
    return {unit.id for unit in going} - {*blocked(going, found, holds)}
