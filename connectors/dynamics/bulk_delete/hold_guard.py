"""The hold of a row's dossier, as a condition of the very query that deletes the row: one set after our look
still wins (HLD-07). A recording leads to a dossier by its fiche, and so does an attachment of a fiche. No
other kind of row is deleted by a job."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from connectors.dynamics.bulk_delete.query_expression import CAST, condition, filter_of
from connectors.dynamics.mapping.mapping import TRUTHS, Column, Mapping, Table
from connectors.dynamics.schema.metadata import TableDefinition
from connectors.interface.rows import Among
from rules.model.kinds import FILES
from rules.model.records import Dossier, Fiche, Note, Record, Recording

R = TypeVar("R", bound=Record)

ALIAS = "held"
# By kind: the lookup that leads to the fiche. A recording may have none; what an attachment belongs to must
# be a fiche, or the way from it to a dossier is another one.
WAYS: dict[str, tuple[str, str]] = {"recording": ("fiche", "LeftOuter"), "note": ("regarding", "Inner")}


@dataclass(frozen=True, slots=True)
class Guard:
    """`links` and `filters` belong into a QueryExpression; both are empty where the organisation keeps no
    legal holds in its CRM."""

    links: tuple[dict[str, Any], ...] = ()
    filters: tuple[dict[str, Any], ...] = ()


class Read(Protocol):
    """Reads records, as `Connector.read` does."""

    def __call__(self, record: type[R], fields: Collection[str], *, among: Among) -> Iterator[list[R]]: ...


def guard_of(table: Table, mapping: Mapping, definition: Callable[[Table], TableDefinition]) -> Guard | None:
    """Return the guard for rows of this table; None: it cannot be expressed, and no job may delete them."""
    if table.kind not in WAYS:
        return None
    field, join = WAYS[table.kind]
    fiches, dossiers = mapping.of("fiche"), mapping.of("dossier")
    if len(fiches) > 1 or len(dossiers) > 1 or any(each.only for each in (table, *fiches, *dossiers)):
        return None  # one query leads from one table to another
    (fiche,), (dossier,) = fiches, dossiers
    if "dossier" not in fiche.columns:
        return None  # pairs lead to several
    hold = dossier.columns.get("legal_hold")
    if hold is None:
        return Guard()
    free = _free(hold, definition(dossier).attributes[hold.name].kind)
    if free is None or hold.more or field not in table.columns or "dossier" in table.columns:
        return None  # no condition says that the dossier at the end of either way is free
    to_dossier = _link(fiche, fiche.columns["dossier"], dossier, definition(dossier), "LeftOuter") | {"EntityAlias": ALIAS}
    to_fiche = _link(table, table.columns[field], fiche, definition(fiche), join) | {"LinkEntities": [to_dossier]}
    return Guard((to_fiche,), (filter_of("Or", [condition(hold.name, "Null", [], ALIAS), free]),))


def held(read: Read, record: type[Record], ids: Collection[str]) -> set[str]:
    """Return which of these rows belong to a dossier under a legal hold now."""
    fiches: dict[str, list[str]] = {}
    dossiers: dict[str, list[str]] = {}
    if issubclass(record, Recording):
        for recordings in read(Recording, FILES, among=Among("id", list(ids))):
            for recording in recordings:
                fiches.setdefault(recording.fiche or "", []).append(recording.id)
                dossiers.setdefault(recording.dossier or "", []).append(recording.id)
    elif issubclass(record, Note):
        for notes in read(Note, ("regarding", "regarding_kind"), among=Among("id", list(ids))):
            for note in notes:
                found = dossiers if note.regarding_kind == "dossier" else fiches
                found.setdefault(note.regarding or "", []).append(note.id)
    fiches.pop("", None)
    for page in read(Fiche, ("dossier",), among=Among("id", sorted(fiches))):
        for fiche in page:
            for dossier in fiche.dossiers:
                dossiers.setdefault(dossier, []).extend(fiches[fiche.id])
    dossiers.pop("", None)
    return {
        row
        for page in read(Dossier, ("legal_hold",), among=Among("id", sorted(dossiers)))
        for dossier in page
        if dossier.legal_hold
        for row in dossiers[dossier.id]
    }


def _free(hold: Column, kind: str) -> dict[str, Any] | None:
    """Return the condition that the hold is recorded as absent, which an unmapped option is not."""
    if hold.choice is None:
        return condition(hold.name, "Equal", [("false", "System.Boolean")], ALIAS) if kind == "BooleanType" else None
    options = [str(option) for option, key in hold.choice.keys.items() if not TRUTHS[key]]
    if kind == "MultiSelectPicklistType" or not options:
        return None
    if kind == "BooleanType":
        values = [(str(option == "1").lower(), "System.Boolean") for option in options]
        return condition(hold.name, "In" if len(values) > 1 else "Equal", values, ALIAS)
    return condition(hold.name, "In", [(option, "System.Int32") for option in options], ALIAS)


def _link(table: Table, column: Column, target: Table, definition: TableDefinition, join: str) -> dict[str, Any]:
    return {
        "@odata.type": f"{CAST}LinkEntity",
        "LinkFromEntityName": table.name,
        "LinkFromAttributeName": column.name,
        "LinkToEntityName": target.name,
        "LinkToAttributeName": definition.primary_id,
        "JoinOperator": join,
    }
