"""One row as the product understands it, told without saying anything about anybody: of names, numbers,
addresses, dates of birth and texts only that something is there, and how long it is (ACC-05)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.datamap.one_row import OneRow
from connectors.dynamics.mapping.mapping import Column, Table, field_type
from connectors.interface.rows import Among
from jobs.plans.category_names import is_of_the_crm
from jobs.reading.few_rows import rows_of
from jobs.reading.owners import look_around
from jobs.reading.row_kinds import table_of
from jobs.reading.tops import termed_above
from rules.dates.instants import instant
from rules.errors import UsageError
from rules.files.suggestions import meant
from rules.model.kinds import ACTIVITIES, WHOLE, kind_of
from rules.model.records import Fiche, Record
from rules.rights.fields import Nature, rule_for, rules_of

_SAYS_NOTHING: Final = (Nature.DATE, Nature.NUMBER, Nature.CHOICE, Nature.INTERNAL)
_OF_A_BIRTH: Final = frozenset({"birth_year", "birth_month", "stated_age"})
_PLAIN: Final = frozenset({"media_type"})  # a text that is a word of a standard, never of a person
_ABOUT_NOBODY: Final = frozenset({"statistic"})  # 5.4


OUT_OF_SCOPE: Final = "out_of_scope"
NO_KIND: Final = "It meets the conditions of no kind (`only`): it is out of scope, not searched and not touched."
NO_ROLE: Final = "It is not a role of a person in a dossier or fiche: nothing reads it as one, and it goes with neither."
OTHER_HALF: Final = "The platform keeps a connection as two halves; the other one, {half}, is the role, and is told here. Both go together."


@dataclass(frozen=True, slots=True)
class FieldTold:
    """One field: its column, whether the CRM has a value for it (None: it does not say), the value as it is
    understood where that says nothing about anybody, and how long it is where it does not stand here.
    `unknown` is an option, or a row of a table of reference, that stands for no key; `called` is what the
    CRM calls values that stand for none."""

    field: str
    column: str
    section: str
    filled: bool | None
    value: Any = None
    length: int | None = None
    unknown: str | int | None = None
    called: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RowTold:
    """One row. `unit` is what it ends with, `unfilled` the columns with a value from which no field is
    filled; `remark` what is particular about the row. The kind of a row that nothing reads is
    `out_of_scope`."""

    table: str
    id: str
    kind: str
    unit: dict[str, str] | None
    fields: list[FieldTold]
    unfilled: list[str]
    remark: str = ""

    def document(self) -> dict[str, Any]:
        return asdict(self)


def explain_row(connector: DynamicsConnector, name: str, row: str) -> RowTold:
    """Explain one row of a mapped table. Raises UsageError: no mapping names this table, or there is no such
    row; MappingError: the table does not fit the mapping; ConnectorError."""
    mapped = connector.mapping.named(name)
    if not mapped:
        tables = list(dict.fromkeys(table.name for table in connector.mapping.tables))
        raise UsageError(
            f"no kind of row is mapped to this table{meant(name[:60], tables)}", hint=f"one of: {', '.join(tables)}", where=name[:64]
        )
    table = mapped[0]
    if table.only and (kind := connector.kinds(name, [row]).get(row, table.kind)) != table.kind:
        if kind is None:
            found = connector.one_row(table, row)
            if found is None:
                raise _no_row(name, row)
            return RowTold(name, row, OUT_OF_SCOPE, None, list(_conditions(mapped, found)), list(found.unfilled), NO_KIND)
        table = next(each for each in mapped if each.kind == kind)
    kind = table.kind
    found = connector.one_row(table, row)
    named = (*table.columns, *table.personal, *table.pairs)
    names = tuple(dict.fromkeys(field for field in named if field_type(table.full, field) is not bytes))
    records = rows_of(connector, table.full, names, Among("id", [row])) if found is not None else []
    if found is None:
        raise _no_row(name, row)
    if not records:
        half = connector.other_half(name, row)
        if half is None or connector.other_half(name, half) is None or not rows_of(connector, table.full, ("role",), Among("id", [half])):
            return RowTold(name, row, OUT_OF_SCOPE, None, [], list(found.unfilled), NO_ROLE)
        return replace(explain_row(connector, name, half), id=row, remark=OTHER_HALF.format(half=half))
    fields = [
        _told(kind, column, section, records[0], table, found, connector)
        for section, columns in (("columns", table.columns), ("personal", table.personal))
        for column in columns.values()
    ]
    fields += [FieldTold(field, "", "fixed", True, key) for field, key in table.fixed.items()]
    fields += [_paired(column, records[0]) for column in table.pairs.values()]
    fields += [_role(view, found) for view in connector.mapping.views(name)]
    return RowTold(name, row, kind, _unit(connector, kind, row, table, found), fields, list(found.unfilled))


def _no_row(name: str, row: str) -> UsageError:
    return UsageError("there is no such row", hint="its id stands in the address of its page in the CRM", where=f"{name} {row}")


def _conditions(mapped: Sequence[Table], found: OneRow) -> Iterator[FieldTold]:
    """Yield the columns by which the mapping tells which rows of a table are meant, with what this one has; a
    text is told by its length, unless it is one of those that are named."""
    for name in dict.fromkeys(condition.column for table in mapped for condition in table.only):
        named = {value for table in mapped for condition in table.only if condition.column == name for value in condition.values}
        value = found.values.get(name)
        if value is None:
            yield FieldTold("only", name, "only", False)
        elif isinstance(value, str) and value not in named:
            yield FieldTold("only", name, "only", True, length=len(value))
        else:
            yield FieldTold("only", name, "only", True, value)


def _told(kind: str, column: Column, section: str, record: Record, table: Table, found: OneRow, connector: DynamicsConnector) -> FieldTold:
    raw = [found.values.get(name) for name in column.names]
    names = ", ".join(column.names)
    if field_type(table.full, column.field) is bytes:
        return FieldTold(column.field, names, section, raw[0])
    filled = any(value is not None and value != "" for value in raw)
    if not filled:
        return FieldTold(column.field, names, section, False)
    if column.is_lookup:
        return FieldTold(column.field, names, section, True, {"table": found.targets.get(column.name, ""), "id": str(raw[0]).lower()})
    value = getattr(record, column.field)
    if not _may_be_told(kind, column, value, record):
        return FieldTold(column.field, names, section, True, length=len(str(raw[0])))
    is_key = column.choice is not None or column.reference is not None
    option = int(raw[0]) if isinstance(raw[0], bool) else raw[0]
    target = found.targets.get(column.name, "")
    is_known = option in column.choice.keys if column.choice is not None else not is_key or connector.has_key(column, target, str(option))
    counts_as_yes = value is True and is_key and not is_known
    if is_key and (counts_as_yes or value is None or value in (str(option), (str(option),), (str(option).lower(),))):
        return FieldTold(column.field, names, section, True, unknown=raw[0], called=_called(connector, column, [str(option).lower()]))
    several = value if is_key and isinstance(value, tuple) else ()
    return FieldTold(column.field, names, section, True, _plain(value), called=_called(connector, column, several))


def _called(connector: DynamicsConnector, column: Column, values: Sequence[str]) -> dict[str, str] | None:
    """Return what the CRM calls values that stand for no key; None where none of them does."""
    return connector.value_names(column.field, [value for value in values if is_of_the_crm(value)]) or None


def _paired(column: Column, record: Record) -> FieldTold:
    """Return a field that pairs fill: the ids of what the row is tied to, or the keys that these stand
    for."""
    value = list(record.dossiers) if isinstance(record, Fiche) and column.field == "dossier" else _plain(getattr(record, column.field))
    return FieldTold(column.field, column.name, "many_to_many", bool(value), value or None)


def _role(view: Table, found: OneRow) -> FieldTold:
    """Return a role that the row tells of beside what it is: whose, where the lookup names anybody."""
    column = view.columns["contact"].name
    person, told = found.values.get(column), f"party.{view.fixed.get('role', 'role')}"
    value = {"table": found.targets.get(column, ""), "id": str(person).lower()} if person else None
    return FieldTold(told, column, "party", person is not None, value)


def _may_be_told(kind: str, column: Column, value: object, record: Record) -> bool:
    """Return whether a value says nothing about who somebody is. A text does, unless it is a key."""
    if kind in _ABOUT_NOBODY or column.field in _PLAIN:
        return True
    if column.field in _OF_A_BIRTH or _nature(kind, column, record) not in _SAYS_NOTHING:
        return False
    is_key = column.holds == "choices" or column.choice is not None or column.reference is not None or bool(column.flags)
    return is_key or not isinstance(value, str | None)


def _nature(kind: str, column: Column, record: Record) -> Nature:
    return (rules_of(kind_of(kind, record))[column.field] if column.holds else rule_for(kind, column.field)).nature


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _unit(connector: DynamicsConnector, kind: str, row: str, table: Table, found: OneRow) -> dict[str, str] | None:
    """Return the unit that a row ends with: itself, the row with a term of its own above it, or the case that
    it belongs to."""
    if kind == "activity_party" and (column := table.columns.get("activity")) is not None:
        wanted = str(found.values.get(column.name) or "").lower()
        target = connector.kinds(found.targets.get(column.name, ""), [wanted]).get(wanted)
        return _unit_of(connector, target, wanted) if target in ACTIVITIES and wanted else None
    return _unit_of(connector, kind, row) if kind in connector.all_kinds else None


def _unit_of(connector: DynamicsConnector, kind: str, row: str) -> dict[str, str] | None:
    if (above := termed_above(connector, kind, row)) is not None:
        kind, row = above
    elif kind != "contact":
        around = look_around(connector, [(kind, row)])
        unit = around.units.get((kind, row))
        if kind == "fiche" and unit is not None:
            kind, row = (unit.belongs_to.kind.value, unit.belongs_to.id) if unit.belongs_to is not None else (kind, row)
        elif kind not in WHOLE and (kind, row) in around.loose:
            if unit is None or unit.belongs_to is None:
                return None
            kind, row = unit.belongs_to.kind.value, unit.belongs_to.id
        elif unit is None:
            return None
    return {"table": table_of(connector, kind, row), "id": row}
