"""Whether a unit that a plan disposes of is still what was planned, seen afresh (RET-17)."""

from jobs.model.plan import PlanLine
from jobs.reading.units import Gathering
from rules.model.decisions import Decision
from rules.model.records import Unit, UnitKind


def agrees(line: PlanLine, unit: Unit, decision: Decision) -> bool:
    """Return whether a fresh decision is the planned one: same version of the unit's row, disposition, end
    and categories (RET-17)."""
    end = decision.retention_end.isoformat() if decision.retention_end is not None else None
    return (line.etag, line.disposition, line.retention_end, line.categories) == (
        unit.etag,
        decision.disposition.value,
        end,
        decision.categories,
    )


def unit_in(found: Gathering, kind: UnitKind, row: str) -> Unit | None:
    """Return the unit of this kind and id, if it was found."""
    tables = {
        UnitKind.DOSSIER: found.dossiers,
        UnitKind.FICHE: found.lone,
        UnitKind.RECORDING: found.recordings,
        UnitKind.ATTACHMENT: found.attachments,
        UnitKind.EMAIL: found.emails,
        **found.relation_units,
    }
    return tables.get(kind, {}).get(row)
