"""How a row of a table comes when some of its fields are asked for: the columns to select, what each is
called and holds on the wire, and the steps from there to what the fields mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from connectors.dynamics.mapping.mapping import KIND_FIELDS, TRUTHS, Column, Mapping, Table, field_type
from connectors.dynamics.mapping.mapping_file import BEHAVIOURS
from connectors.dynamics.reading import column_steps
from connectors.dynamics.reading.dates import civil_day_column, civil_days, wire_type
from connectors.dynamics.reading.meanings import MultiKeys, Referred, SingleKeys, meanings, truths
from connectors.dynamics.reading.page_types import LOOKUP_TABLE, UNSELECTED
from connectors.dynamics.reading.ranges import CREATED_ON
from connectors.dynamics.reading.references import References
from connectors.dynamics.schema.conditions import Scopes
from connectors.dynamics.schema.metadata import WHOLE_NUMBERS, Attribute, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, is_key
from rules.errors import MappingError
from rules.model.kinds import FILES, LOOKUPS
from rules.model.records import OF_ITS_DOSSIER, Record

_OF_ONE_KIND = frozenset(name for name, kinds in LOOKUPS.items() if kinds == {name})  # a lookup to one kind of row
# By kind of row, to what a lookup may point that takes the row out of scope: to a row of no kind, and of a
# recording to a file by a lookup that is not mapped for it, whose holds would not reach it.
_STAYS: dict[str, tuple[str | None, ...]] = {"fiche": (None,), "recording": (None, *FILES)}
_INT = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]  # the largest that a CRM holds


class RowLayout:
    """What is asked of one table, and what comes.

    `wire` is, by field, the name on the wire, the type, and whether every row has it; `hidden`, by column, a
    name that no field can have, and the type: what steps need beside the fields. `copies` are, of frames, by
    the second field of a column its first; `behaviours` by which instants of a field are days; `referred` the
    keys of the rows of tables of reference. `created` is the name under which a row tells when it was
    created, as it came; None where it does not."""

    def __init__(
        self,
        table: Table,
        definition: TableDefinition,
        fields: Sequence[str],
        mapping: Mapping,
        record: type[Record] | None = None,
        references: References | None = None,
        scopes: Scopes | None = None,
        place: RolePlace = RolePlace.OWN,
        *,
        whole: bool = False,
        dated: bool = False,
    ) -> None:
        """Lay it out. `record` is the class of the records where it is not the kind's own: the full one.
        `references` are needed where a field is filled from a table of reference, `scopes` where a table has
        rows of several kinds. `place` is where the rows are kept, if they are roles. `whole`: the rows become
        frames of whole tables; `dated`: and when each was created is read too, where the table tells it.
        Raises MappingError: a column is not what the mapping takes it for; ValueError: a field is
        content."""
        self.record, self.fields, self.whole, self.place = record or table.record, tuple(fields), whole, place
        self._table, self._definition, self._references = table, definition, references
        self.calendar = mapping.calendar
        known = table.columns_of(self.record)
        self._columns = [known[name] for name in fields if name in known]
        kinds = [name for name in fields if name in KIND_FIELDS and KIND_FIELDS[name] in table.columns]
        self.select = [definition.primary_id]
        self.prefer_kinds = bool(kinds)
        self.wire: dict[str, tuple[str, Any, bool]] = {"id": (definition.primary_id, str, True), "etag": ("@odata.etag", str, True)}
        self.hidden: dict[str, tuple[str, Any]] = {}
        self.steps: list[column_steps.Step] = []
        self.copies: dict[str, str] = {}
        self.behaviours: dict[str, str] = {}
        self.referred: list[dict[str, str]] = []
        self._first: dict[str, str] = {definition.primary_id: "id"}  # by column: the field that the decoder fills
        self._asked = column_steps.Asked(mapping, scopes)
        if place is RolePlace.PAIR:
            self.wire["etag"] = ("@odata.etag", str | None, False)
            self.steps.append(column_steps.unversioned())
        for name in table.fixed.keys() & set(fields):
            self.steps.append(column_steps.fixed(name, table.fixed[name]))
        if table.goes_by_dossier and "categories" in fields and not table.has_all(self.record):  # told to nobody
            self.steps.append(column_steps.fixed("categories", OF_ITS_DOSSIER))
        for column in self._columns:
            self._add(column, is_told_apart=column.field == "fiche" and place is RolePlace.PARTICIPANT)
        for column in self._columns:
            for name in column.more:
                self._more(column, name)
        for name in kinds:
            self._add_kind(name)
        self.created = self._beside(CREATED_ON, datetime | None) if dated and CREATED_ON in definition.attributes else None
        if place is RolePlace.UNIT:
            self.steps.append(column_steps.swap(table))
        self.lookups = ["id", *(name for name in self.wire if name in LOOKUPS or (name in known and known[name].is_lookup))]
        self.columns = tuple(name for column in self._columns for name in column.names)

    @property
    def meant(self) -> tuple[object, ...]:
        """All that makes of a row what its fields say, but for the keys of tables of reference."""
        used = [self._definition.attributes[name] for name in self.columns]
        return self._table, used, self._asked.known, (self.calendar.zone.key, sorted(self.calendar.fillers))

    def _add(self, column: Column, *, is_told_apart: bool) -> None:
        """Ask for the column of a field. Where it is a lookup to one kind of row that may point elsewhere,
        what it points to is asked for too, unless the filter by which rows are read has told them apart."""
        if column.flags:
            keys = {self._beside(name, bool | None): key for name, key in column.flags}
            self.steps.append(column_steps.flags(column.field, keys))
            return
        wire, kind = self._column(column)
        if (twin := self._first.setdefault(wire, column.field)) == column.field:
            self.wire[column.field] = wire, kind, True
        else:  # a day and an instant may be read from one column
            self._copy(twin, column.field)
        if column.field in _OF_ONE_KIND and self._asked.may_differ(self._definition.attributes[column.name].targets) and not is_told_apart:
            target = f"_{column.name}_value@{LOOKUP_TABLE}"
            self.hidden.setdefault(target, (f"target_{len(self.hidden)}", str | None))
            self.prefer_kinds = True
            meant = {each.field for each in self._table.columns.values() if each.name == column.name}
            stays = [kind for kind in _STAYS.get(self._table.kind, ()) if kind not in meant]
            self.steps.append(self._asked.only(self.hidden[target][0], column.field, stays))

    def _add_kind(self, name: str) -> None:
        """Ask to what kind of row a lookup points."""
        lookup = self._table.columns[KIND_FIELDS[name]]
        if lookup.field not in self.wire:
            self.wire[lookup.field] = *self._column(lookup), True
        self.wire[name] = (f"_{lookup.name}_value@{LOOKUP_TABLE}", str | None, False)
        self.steps.append(self._asked.kind(name, lookup.field))

    def _more(self, column: Column, name: str) -> None:
        """Read a further column of a field beside its own; another field may be read from it too."""
        attribute = self._definition.attributes[name]
        if column.field != "categories":
            holds = field_type(self._table.full, column.field)
            behaviour, is_day = "" if holds is bool else _behaviour(self._table, column, attribute.behaviour), holds is date
            kind = bool | None if holds is bool else wire_type(behaviour) if is_day else datetime | None
            source = self._beside(name, kind)
            if is_day and behaviour != "date_only":
                self._mean_days(source, behaviour)
            fillers = self.calendar.fillers if is_day else ()
            step = column_steps.either(source, column.field) if holds is bool else column_steps.first(source, column.field, fillers)
            self.steps.append(step)
            return
        source = f"more_{len(self.hidden)}"
        if column.reference is not None:
            (target,) = attribute.targets
            wire, keys = f"_{name}_value", self._keys_of(column, target)
            self.hidden[wire] = source, str | None
            self.steps.append(column_steps.union(source, column.field, Referred(keys)))
        else:
            assert column.choice is not None
            wire = name
            self.hidden[wire] = source, _option_type(attribute)
            self.steps.append(column_steps.union(source, column.field, _categories(column.choice.keys, attribute)))
        self.select.append(wire)

    def _beside(self, name: str, kind: Any) -> str:
        """Return by which name of no field a column is read that another field may be read from too."""
        source = f"more_{len(self.hidden)}"
        if name in self._first:
            self.hidden[f"{UNSELECTED}{source}"] = source, Any
            self._copy(self._first[name], source)
        else:
            self.select.append(name)
            self.hidden[name], self._first[name] = (source, kind), source
        return source

    def _copy(self, source: str, target: str) -> None:
        """Fill a second field from one column, whatever the first makes of it."""
        if self.whole:
            self.copies[target] = source
        else:
            self.steps.insert(0, column_steps.copy(source, target))

    def _mean_days(self, name: str, behaviour: str) -> None:
        """Make days of the instants of a field."""
        if self.whole:
            self.behaviours[name] = behaviour
        else:
            zone = self.calendar.zone
            self.steps.append(column_steps.Step(name, (name,), civil_days(behaviour, zone), column=civil_day_column(behaviour, zone)))

    def _keys_of(self, column: Column, target: str) -> dict[str, str]:
        assert self._references is not None
        keys = self._references.keys_of(column, target)
        self.referred.append(keys)
        return keys

    def _column(self, column: Column) -> tuple[str, Any]:
        """Ask for the column of a field; return by which name it comes, and in which type."""
        attribute = self._definition.attributes[column.name]
        if column.is_lookup:
            wire = column.name if is_key(column.name, self._definition) else f"_{column.name}_value"
            self.select.append(wire)
            return wire, str | None
        kind = field_type(self._table.full, column.field)
        if column.reference is not None:
            self._mean_reference(column, kind, attribute)
            self.select.append(f"_{column.name}_value")
            return f"_{column.name}_value", str | None
        self.select.append(column.name)
        if column.holds == "choices":
            return column.name, _option_type(attribute)
        if column.choice is not None:
            self._mean_choice(column.field, kind, column.choice.keys, attribute)
            return column.name, _option_type(attribute)
        return column.name, self._type(column, kind, attribute)

    def _mean_reference(self, column: Column, kind: Any, attribute: Attribute) -> None:
        """Make keys of the rows of reference to which a lookup leads."""
        (target,) = attribute.targets
        keys, name = self._keys_of(column, target), column.field
        meant: dict[Any, Any] = Referred(keys) if name == "categories" else meanings(name, keys)
        if kind is bool:
            meant = truths(name, {row: TRUTHS[key] for row, key in keys.items()})
        self.steps.append(column_steps.meaning(name, meant))

    def _mean_choice(self, name: str, kind: Any, options: dict[int, str], attribute: Attribute) -> None:
        """Make keys of the options of a choice."""
        meant: dict[Any, Any]
        if name == "categories":
            meant = _categories(options, attribute)
        elif kind is bool:
            meant = truths(name, {option: TRUTHS[key] for option, key in options.items()})
        else:
            meant = meanings(name, options)
        self.steps.append(column_steps.meaning(name, meant))

    def _type(self, column: Column, kind: Any, attribute: Attribute) -> Any:
        """Return the type in which a column comes that is neither a lookup nor a choice."""
        if kind is date:
            behaviour = _behaviour(self._table, column, attribute.behaviour)
            if behaviour != "date_only":
                self._mean_days(column.field, behaviour)
            return wire_type(behaviour)
        if kind is bytes:
            raise ValueError(f"{self._table.kind}.{column.field} is content: it is fetched by itself")
        if kind is datetime:
            if _behaviour(self._table, column, attribute.behaviour) == "date_only":
                raise MappingError(f"The column {self._table.name}.{column.name} holds days, not instants.", where=column.where)
            return datetime | None
        is_whole = kind is int or (kind is float and attribute.kind in WHOLE_NUMBERS)  # `12` is not told as `12.00`
        return (_INT if is_whole else kind) | None


def _option_type(attribute: Attribute) -> Any:
    """Return as what an option comes: several as one text, yes and no as a truth, which is a number too."""
    return {"MultiSelectPicklistType": str | None, "BooleanType": bool | None}.get(attribute.kind, int | None)


def _categories(options: dict[int, str], attribute: Attribute) -> dict[Any, Any]:
    return MultiKeys(options) if attribute.kind == "MultiSelectPicklistType" else SingleKeys(options)


def _behaviour(table: Table, column: Column, from_metadata: str) -> str:
    behaviour = column.behaviour or from_metadata
    if behaviour not in BEHAVIOURS:
        raise MappingError(
            f"The behaviour of the date column {table.name}.{column.name} is unknown (DAT-09).",
            hint="State it under behaviour in the mapping.",
            where=column.where,
        )
    return behaviour
