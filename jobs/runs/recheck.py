"""Whether a unit is still what was planned and approved, and no hold has come, by what is read just before it
is written: its version and a new decision are compared with the line of the plan, and whatever differs leaves
the unit alone (RET-17, HLD-07)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

import msgspec

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.holds.active import active_holds, held_actions, remaining_units
from jobs.model.plan import Key, PlanLine
from jobs.model.run import CHANGED, Action
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from jobs.reading.gather import gather_units
from jobs.reading.out_of_reach import LONG_TERM, OutOfReach
from jobs.reading.units import Gathering, is_anonymised
from rules.holds.holds import Holds
from rules.law.of_units import decisions
from rules.model.decisions import Decision, Disposition, Flag, Reason
from rules.model.records import Dossier, Unit, UnitKind
from rules.policy.policy import Policy


class Judged(msgspec.Struct):
    """What was read of some units, and decided: those that go, and those that do not, each with the code that
    says why, or without one where it is not there any more."""

    found: Gathering
    holds: Holds
    going: list[tuple[PlanLine, Unit, Decision]] = []
    left: list[tuple[PlanLine, str]] = []


def judge(context: JobContext, in_force: Policy, day: date, lines: Iterable[PlanLine], kind_of: Callable[[PlanLine], UnitKind]) -> Judged:
    """Read units of a plan, none of them a contact, and decide on them anew. What the version of the schedule
    in force by now keeps stays. Raises as `gather_units`: it cannot be determined."""
    holds = active_holds(context, day)
    by_kind: dict[UnitKind, list[PlanLine]] = {}
    for line in lines:
        by_kind.setdefault(kind_of(line), []).append(line)
    found = gather_units(context.connector, {kind: [line.id for line in of] for kind, of in by_kind.items()})
    judged = Judged(found, holds)
    policies = {each.digest: each for each in (context.policy, in_force)}.values()
    out_of_reach = [OutOfReach(context.connector, found, each, holds, day) for each in policies]
    units, there = found.by_kind, list[tuple[PlanLine, Unit]]()
    for line, unit in ((line, units.get(kind, {}).get(line.id)) for kind, of in by_kind.items() for line in of):
        if unit is None or is_anonymised(unit):  # ERA-07, R-087
            judged.left.append((line, ""))
        else:
            there.append((line, unit))
    left = [unit for _, unit in there]
    decided = decisions(left, context.policy, holds, day)
    by_now = decided if in_force.digest == context.policy.digest else decisions(left, in_force, holds, day)
    for (line, unit), decision, now in zip(there, decided, by_now, strict=True):
        if not decision.is_disposal:
            judged.left.append((line, decision.reason.value))
        elif any(each.keeps(unit, decision) for each in out_of_reach):
            judged.left.append((line, LONG_TERM))
        elif not matches(line, unit, decision) or has_moved(line, unit, found):
            judged.left.append((line, CHANGED))
        elif not now.is_disposal:
            judged.left.append((line, now.reason.value))
        elif now.disposition is not decision.disposition or _is_masked_by_now(now, in_force, context.policy):
            # Deleted, nothing could be counted or masked any more.
            judged.left.append((line, CHANGED))
        else:
            judged.going.append((line, unit, decision))
    return judged


def _is_masked_by_now(decision: Decision, in_force: Policy, planned: Policy) -> bool:
    """Return whether rows would stay masked by the version in force that go by the one of the plan."""
    is_anonymised = decision.disposition is Disposition.ANONYMISE
    return is_anonymised and in_force.anonymise.is_in_place and not planned.anonymise.is_in_place


def matches(line: PlanLine, unit: Unit, decision: Decision) -> bool:
    """Return whether a fresh decision is the planned one: same version of the unit's row, disposition, end
    and categories (RET-17)."""
    end = decision.retention_end.isoformat() if decision.retention_end is not None else None
    return (line.etag, line.disposition, line.retention_end, line.categories) == (
        unit.etag,
        decision.disposition.value,
        end,
        decision.categories,
    )


def held_now(context: JobContext, day: date, actions: Mapping[str, Action], units: Mapping[Key, Unit]) -> dict[str, Reason]:
    """Return which of these actions, by name, a hold covers at this moment, with its reason. It is checked
    again right before each write (HLD-07), the CRM's own flag on the dossier of a recording too. `units` are
    those that were read a moment ago. Of a unit that is half done nobody has just read that dossier, so it is
    looked for."""
    half_done = [action for action in actions.values() if action.key not in units and _lies_below(action)]
    known = [units[action.key] for action in actions.values() if action.key in units]
    flagged = held_since(context.connector, [*known, *remaining_units(context, half_done).values()])
    in_crm = {name: Reason.HOLD_LEGAL for name, action in actions.items() if action.id in flagged}
    return in_crm | held_actions(context, day, actions, units)  # the last look: a hold may come while the CRM is asked


def has_moved(line: PlanLine, unit: Unit, found: Gathering) -> bool:
    """Return whether a row of the unit was moved into long-term retention since it was planned."""
    return Flag.LONG_TERM_RETENTION not in line.flags and found.lies_in_retention(unit)


def held_since(connector: Connector, units: Sequence[Unit]) -> dict[str, str]:
    """Return units whose dossier, another row than the unit's own, has come under a hold since it was read.
    No version shows it (HLD-07)."""
    dossiers = {unit.id: [level.id for level in unit.above()] for unit in units if unit.belongs_to is not None}
    ids = sorted({dossier for each in dossiers.values() for dossier in each})
    if not ids:
        return {}
    rows = rows_of(connector, Dossier, ("legal_hold",), Among("id", ids))
    held = {row.id for row in rows if row.legal_hold}
    return {unit: Reason.HOLD_LEGAL.value for unit, each in dossiers.items() if not held.isdisjoint(each)}


def _lies_below(action: Action) -> bool:
    """Return whether a unit may belong to a dossier. The version of a dossier itself tells of its hold."""
    return bool(action.rows) and action.rows[-1].kind not in (UnitKind.DOSSIER, UnitKind.CONTACT)
