"""The write of one row: made of a row, a line or a unit, and what it does in the CRM."""

from collections.abc import Mapping
from datetime import datetime

from connectors.interface.changes import Operation, OperationKind
from connectors.interface.connector import Connector
from jobs.model.plan import PlanLine
from jobs.model.run import Mask, RowWrite
from rules.anonymisation.techniques import APPLIED
from rules.model.records import KINDS, Record, Unit, word_of
from rules.rights.fields import Nature, fields_of

TRIMMED_FIELDS = tuple(APPLIED["contact"])  # what a contact that lives on for another relation loses (RET-20)
# What becomes empty in a row that stays, by operation: a contact's fields of operations; who had a role; from
# where somebody reported. With the first two go the further texts of the row.
EMPTIED: Mapping[str, tuple[str, ...]] = {
    "trim": TRIMMED_FIELDS,
    "disown": ("contact", "name", "notes", "authority_evidence"),
    "drop_caller": fields_of("fiche", Nature.PHONE, Nature.EMAIL, Nature.IP_ADDRESS),
}
_WITH_FURTHER = frozenset({"trim", "disown"})
# operation -> the field that it empties
LINKS = {"unlink_fiche": "fiche", "unlink_dossier": "dossier", "unlink_contact": "contact"}
# The target of these names the fields of a row of a dependent table that become empty: the row outlives what
# it belongs to, does not name somebody any more, or belongs to something else too.
EMPTY, UNNAME, UNLINK = "empty", "unname", "unlink"


def write_of(row: Record, operation: str = "delete", target: str = "", *, object: str = "", retained: bool = False) -> RowWrite:
    """Return one write to a row that was read, under the version that it had."""
    return RowWrite(word_of(type(row)), row.id, row.etag, operation, target, object, retained=retained, table=type(row).table)


def write_of_line(connector: Connector, kind: str, line: PlanLine, *, target: str = "") -> RowWrite:
    """Return the write that deletes the row of a line by itself, under the version that was decided on."""
    table = line.table if len(connector.tables(KINDS[kind])) > 1 else ""
    return RowWrite(kind, line.id, line.etag, target=target, table=table)


def write_of_unit(unit: Unit, *, object: str, retained: bool) -> RowWrite:
    """Return the write that deletes the own row of a unit, under the version that was decided on."""
    return RowWrite(unit.word, unit.id, unit.etag, object=object, retained=retained, table=type(unit.row).table)


def operation(connector: Connector, write: RowWrite) -> Operation:
    """Return the connector's operation for one write of the journal."""
    kind, values = _written(connector, write)
    return Operation(kind, write.record(connector), write.id, write.etag, values, frozenset(write.bypass))


def fields_emptied(connector: Connector, write: RowWrite) -> tuple[str, ...]:
    """Return the fields of a row that stays which a write empties; none where it does something else."""
    if write.operation in (EMPTY, UNNAME, UNLINK):
        return tuple(write.target.split(","))
    further = connector.all_kinds[write.kind].further if write.operation in _WITH_FURTHER else ()
    return (*EMPTIED.get(write.operation, ()), *further)


def _written(connector: Connector, write: RowWrite) -> tuple[OperationKind, dict[str, object]]:
    if link := LINKS.get(write.operation):
        return OperationKind.UPDATE, {link: None}
    if emptied := fields_emptied(connector, write):
        return OperationKind.UPDATE, dict.fromkeys(emptied)
    if write.mask is not None:
        return OperationKind.MASK, _shown(write.mask)
    return OperationKind.DELETE, {}


def _shown(mask: Mask) -> dict[str, object]:
    """Return a mask in the words of the connector."""
    statistic = {"year": mask.year, "age_band": mask.age_band, "province": mask.province}
    return {"anonymised_on": datetime.fromisoformat(mask.at), "is_common": mask.is_common, **statistic}
