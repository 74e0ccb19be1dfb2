"""What must become of units that were put together, by the law over their facts. It costs as much for one
unit as for a hundred, so ask for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from rules.holds.holds import Holds
from rules.model.decisions import Decision
from rules.model.records import Unit
from rules.policy.policy import Policy
from rules.retention.compiled_schedule import schedule_of

if TYPE_CHECKING:
    from rules.law.law import Decisions


def decisions(units: Iterable[Unit], policy: Policy, holds: Holds, day: date) -> list[Decision]:
    """Return what must become of each unit, in their order, as of a day. Raises ValueError: a contact has no
    decision of its own; `rules.retention.contacts` decides over all contacts together."""
    asked = list(units)
    return list(steps_of(asked, policy, holds, day)[1].decisions(len(asked))) if asked else []


def last_of(units: Sequence[Unit], policy: Policy, holds: Holds, day: date) -> Unit | None:
    """Return the dossier that a fiche in all of these goes with: the first that stays, else the last to go;
    None of none (RET-01, RET-05)."""
    found = list(zip(units, decisions(units, policy, holds, day), strict=True))
    staying = [unit for unit, decision in found if not decision.is_disposal]
    if staying or not found:
        return staying[0] if staying else None
    return max(found, key=lambda each: each[1].retention_end or date.min)[0]


def steps_of(units: Iterable[Unit], policy: Policy, holds: Holds, day: date) -> tuple[Sequence[Unit], Decisions]:
    """Return the same with every step as a column, and the units that have a row there: behind these come the
    dossiers that marked recordings among them follow."""
    from rules.law.facts import facts_of, with_leaders  # polars only where something is decided
    from rules.law.hold_columns import held_by
    from rules.law.law import law

    found = with_leaders(units)
    return found, law(facts_of(found), schedule_of(policy), held_by(holds, found), day)
