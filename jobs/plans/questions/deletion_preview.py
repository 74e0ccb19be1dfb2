"""Says which rows would be deleted or changed with one unit, read now: a preview for the person who reviews a
plan. Nothing is written."""

from collections.abc import Mapping
from typing import NamedTuple

from connectors.interface.connector import Connector
from connectors.interface.remains import RowKey
from jobs.holds.active import active_holds
from jobs.model.run import RowWrite
from jobs.plans.cascade_preview import cascade_counts
from jobs.plans.questions.explain import UNIT_WORDS
from jobs.ports.context import JobContext
from jobs.reading.gather import gather_units
from jobs.reading.row_kinds import RowKinds
from jobs.writing.anonymise import MASKED
from jobs.writing.deletion_order import rows_of_contacts, rows_of_units
from jobs.writing.outside_objects import Outside
from jobs.writing.row_writes import EMPTY
from jobs.writing.turns import Turns
from rules.errors import NotFound, UsageError
from rules.model.decisions import Disposition
from rules.model.records import Contact, Unit, UnitKind, unit_kind
from rules.retention.relations import relation_terms

# What becomes of a row: `extract` is deleted once its figures are kept; `empty` and `untie` stay, without
# what they say of people or without the link.
DELETE, EXTRACT, MASK, EMPTIED, UNTIE = "delete", "extract", "mask", "empty", "untie"
ROW, TOTAL = "row", "total"  # what stays of a unit in the statistics: a row of its own, or one more in a total


class PreviewedRow(NamedTuple):
    """One row that is written with the unit: its kind in the product's word, its table and id in the CRM, and
    what becomes of it. `is_retained`: it is in long-term retention; `has_object`: content outside the CRM is
    removed with it."""

    kind: str
    row: RowKey
    what: str
    is_retained: bool
    has_object: bool


class DeletionPreview(NamedTuple):
    """Everything that would be written with one unit, its own row last. `victims`: how many rows the CRM
    itself deletes along, by unmapped table; `people`: the contacts who have a role in what is deleted; they
    are units of their own, deleted only when nothing else refers to them; `blocked`: the code of why it
    cannot be deleted now, or empty; `leaves`: what stays of it in the statistics, or empty."""

    rows: tuple[PreviewedRow, ...]
    victims: Mapping[str, int]
    people: tuple[RowKey, ...]
    blocked: str
    leaves: str = ""


def preview_deletion(context: JobContext, table: str, row: str, *, disposition: str) -> DeletionPreview:
    """Return what would be written with one unit as the CRM is now, whether it is due or not; `disposition`
    is what its plan says. Raises NotFound: the row is not a unit now; UsageError: a table without units;
    ConnectorError."""
    context = context.on(context.today)
    connector, terms = context.connector, relation_terms(context.policy)
    outside_missions = [kind.value for kind in terms.units]
    words = [*UNIT_WORDS, *outside_missions, *(kind.word for kind in connector.all_kinds.termed), UnitKind.CONTACT.value]
    kinds = RowKinds(connector, words)
    if table not in kinds:
        raise UsageError("this table has no units", hint="ask for a unit of the plan", where=table[:64])
    kind = unit_kind(kinds.of(table, row))
    if kind is UnitKind.CONTACT:
        if not connector.existing([(table, row)]):
            raise _gone(table, row)
        found = rows_of_contacts(connector, {row: ""}, terms)[row]
        return DeletionPreview(tuple(_told(connector, write, DELETE) for write in found), {}, (), "")
    gathered = gather_units(connector, {kind: [row]})
    unit = next((each for each in gathered.every_unit() if each.kind is kind and each.id == row), None)
    if unit is None:
        raise _gone(table, row)
    holds, outside = active_holds(context, context.today), Outside(context)
    turns = Turns(context.store.journal)
    rows = rows_of_units(connector, gathered, [unit], policy=context.policy, holds=holds, as_of=context.today, outside=outside, turns=turns)
    leaves = _left_of(unit, disposition)
    owns = DELETE if leaves != ROW else EXTRACT
    if disposition == Disposition.ANONYMISE.value and context.policy.anonymise.is_in_place:
        owns = MASK
    going = tuple(_told(connector, write, owns) for write in rows.of[unit.id])
    roles = (write.target for write in rows.of[unit.id] if write.kind == "party" and write.operation == "delete" and write.target)
    people = tuple((connector.table(Contact), each) for each in dict.fromkeys(roles))
    return DeletionPreview(going, cascade_counts(connector, [unit]), people, rows.blocked.get(unit.id, ""), leaves)


def _gone(table: str, row: str) -> NotFound:
    return NotFound("there is no such unit any more", hint="it may have been deleted since the plan was made", where=f"{table} {row[:64]}")


def _left_of(unit: Unit, disposition: str) -> str:
    """Return what stays of a unit in the statistics, as `rules.anonymisation.statistics` counts it (ERA-03,
    ERA-04, 5.2)."""
    if unit.kind not in (UnitKind.DOSSIER, UnitKind.FICHE, UnitKind.EMAIL):
        return ""
    is_own = disposition == Disposition.ANONYMISE.value and unit.dossier is not None and not unit.dossier.public_alert
    return ROW if is_own else TOTAL


def _told(connector: Connector, write: RowWrite, owns: str) -> PreviewedRow:
    """Return one row of the preview. `owns` is what becomes of the rows of the unit itself."""
    what = {"delete": DELETE, EMPTY: EMPTIED}.get(write.operation, UNTIE)
    if what == DELETE and write.kind in MASKED:
        what = owns
    return PreviewedRow(write.kind, write.key(connector), what, write.retained, bool(write.object))
