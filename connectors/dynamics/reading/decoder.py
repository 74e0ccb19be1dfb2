"""A page of rows, decoded straight into records, or into a frame. For each kind of record and set of fields
one msgspec struct is built whose fields carry the wire's column names. Of records it is a subclass, so the
decoder's own object is the record and no second one is made per row; for a frame it has what was asked for
and nothing else. Only dates, choices and lookups are then looked at again, a column at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, cast

import msgspec

from connectors.dynamics.http.allocator import keep_freed
from connectors.dynamics.http.characters import with_whole_characters
from connectors.dynamics.mapping.mapping import KIND_FIELDS, TRUTHS, Column, Mapping, Table, field_type
from connectors.dynamics.mapping.mapping_file import BEHAVIOURS
from connectors.dynamics.reading import column_steps
from connectors.dynamics.reading.columns import Columns, column_of, take_off
from connectors.dynamics.reading.dates import DateTexts, civil_day_column, civil_days, wire_type
from connectors.dynamics.reading.meanings import MultiKeys, Referred, SingleKeys, meanings, truths
from connectors.dynamics.reading.page_values import FramedPage, FramedValues, Page, Values, lowered_lines, numbers_at_once
from connectors.dynamics.reading.ranges import CREATED_ON
from connectors.dynamics.reading.references import References
from connectors.dynamics.schema.conditions import Scopes
from connectors.dynamics.schema.metadata import WHOLE_NUMBERS, Attribute, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, is_key
from connectors.interface.columns import column_types, frame_of_values, held_by
from rules.decoders import decoder_of
from rules.errors import MappingError
from rules.model.kinds import FILES, LOOKUPS
from rules.model.records import OF_ITS_DOSSIER, Record

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R", bound=Record)

LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
_OF_ONE_KIND = frozenset(name for name, kinds in LOOKUPS.items() if kinds == {name})  # a lookup to one kind of row
# By kind of row, to what a lookup may point that takes the row out of scope: to a row of no kind, and of a
# recording to a file by a lookup that is not mapped for it, whose holds would not reach it.
_STAYS: dict[str, tuple[str | None, ...]] = {"fiche": (None,), "recording": (None, *FILES)}
_INT = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]  # the largest that a CRM holds
_DATES: dict[Any, type] = {date | None: date, datetime | None: datetime}  # by the type on the wire
_UNSELECTED = "- "  # no column can be called so: a field that was not asked for cannot be filled by accident


class PageBroken(Exception):
    """The page is not JSON, or a row lacks a column or has a value of another type, never shown; `column` is
    the one that is known to be wrong."""

    def __init__(self, column: str = "") -> None:
        super().__init__()
        self.column = column


class PageDecoder(Generic[R]):
    """Decodes pages of one kind of record with one set of fields."""

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
        """Create the decoder. `record` is the class of the records where it is not the kind's own: the full
        one. `references` are needed where a field is filled from a table of reference, `scopes` where a table
        has rows of several kinds. `place` is where the rows are kept, if they are roles. `whole`: pages
        become frames of whole tables, of which no record is made; `dated`: and when each row was created is
        read too, where the table tells it."""
        made = record or table.record
        self.record = cast("type[R]", made)
        self._fields = tuple(fields)
        self._whole = whole
        self._steps: list[column_steps.Step] = []
        self._copies: dict[str, str] = {}  # of frames: by the second field of a column its first
        self._behaviours: dict[str, str] = {}  # of frames: by which instants of a field are days
        self._referred: list[dict[str, str]] = []
        self._references = references
        self._calendar = mapping.calendar
        known = table.columns_of(made)
        columns = [known[name] for name in fields if name in known]
        kinds = [name for name in fields if name in KIND_FIELDS and KIND_FIELDS[name] in table.columns]
        self.select = [definition.primary_id]
        self.prefer_kinds = bool(kinds)
        wire: dict[str, tuple[str, Any, bool]] = {"id": (definition.primary_id, str, True), "etag": ("@odata.etag", str, True)}
        first: dict[str, str] = {definition.primary_id: "id"}  # by column: the field that the decoder fills
        hidden: dict[str, tuple[str, Any]] = {}  # by column: a name that no field can have, and its type
        asked = column_steps.Asked(mapping, scopes)
        self.has_versions = place is not RolePlace.PAIR
        if place is RolePlace.PAIR:
            wire["etag"] = ("@odata.etag", str | None, False)
            self._steps.append(column_steps.unversioned())
        for name in table.fixed.keys() & set(fields):
            self._steps.append(column_steps.fixed(name, table.fixed[name]))
        if table.goes_by_dossier and "categories" in fields and not table.has_all(made):  # told to nobody
            self._steps.append(column_steps.fixed("categories", OF_ITS_DOSSIER))
        for column in columns:
            if column.flags:
                keys = {self._beside(name, bool | None, first, hidden): key for name, key in column.flags}
                self._steps.append(column_steps.flags(column.field, keys))
                continue
            found = self._column(table, definition, column)
            if (twin := first.setdefault(found[0], column.field)) == column.field:
                wire[column.field] = found
            else:  # a day and an instant may be read from one column
                self._copy(twin, column.field)
            is_told_apart = column.field == "fiche" and place is RolePlace.PARTICIPANT  # by the filter that it was read with
            if column.field in _OF_ONE_KIND and len(definition.attributes[column.name].targets) > 1 and not is_told_apart:
                target = f"_{column.name}_value@{LOOKUP_TABLE}"
                hidden.setdefault(target, (f"target_{len(hidden)}", str | None))
                self.prefer_kinds = True
                meant = {each.field for each in table.columns.values() if each.name == column.name}
                stays = [kind for kind in _STAYS.get(table.kind, ()) if kind not in meant]
                self._steps.append(asked.only(hidden[target][0], column.field, stays))
        for column in columns:
            for name in column.more:
                self._more(table, definition, column, name, first, hidden)
        for name in kinds:
            lookup = table.columns[KIND_FIELDS[name]]
            if lookup.field not in wire:
                wire[lookup.field] = self._column(table, definition, lookup)
            wire[name] = (f"_{lookup.name}_value@{LOOKUP_TABLE}", str | None, False)
            self._steps.append(asked.kind(name, lookup.field))
        # The field that tells when each row was created, as it came; None where none does.
        self.created = self._created(first, hidden) if dated and CREATED_ON in definition.attributes else None
        if place is RolePlace.UNIT:
            self._steps.append(column_steps.swap(table))
        self._asking = [step for step in self._steps if whole and step.asks]
        self._steps = [step for step in self._steps if step not in self._asking]
        self.lookups = ["id", *(name for name in wire if name in LOOKUPS or (name in known and known[name].is_lookup))]
        self._decoder = decoder_of(lean_page_type(wire, hidden) if whole else page_type(made, wire, hidden))
        # What a row is made of: by the name that it has in a row, its name on the wire and its type.
        self.wire = {name: (column, kind) for name, (column, kind, _) in wire.items()}
        self.wire |= {name: (column, kind) for column, (name, kind) in hidden.items() if not column.startswith(_UNSELECTED)}
        self.defaults = {info.name: info.default for info in _fields(made) if info.name not in wire}
        self._ids = frozenset(self.lookups)
        self._taken = {name: take_off(name) for name in self.wire}
        kinds_of = {name: kind for name, (_, kind) in self.wire.items()}
        kinds_of |= {target: kinds_of[source] for target, source in self._copies.items()}
        dates = {name: (_DATES[kind], self._behaviours.get(name, "")) for name, kind in kinds_of.items() if kind in _DATES}
        if whole:
            keep_freed()
        self._dates = DateTexts(dates, mapping.calendar.zone) if dates and whole else None
        self.columns = tuple(name for column in columns for name in column.names)
        used = [definition.attributes[name] for name in self.columns]
        days = (mapping.calendar.zone.key, sorted(mapping.calendar.fillers))
        self._meant = (table, used, asked.known, days, place.name, wire, hidden, [step.target for step in self._asking])

    @property
    def meaning(self) -> str:
        """A digest of all that makes of a page what its frame is: fields, columns, options, keys."""
        meant = (self._fields, self._meant, self._referred)
        plain = msgspec.to_builtins(meant, str_keys=True, order="deterministic", enc_hook=repr)
        return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()

    def _created(self, first: dict[str, str], hidden: dict[str, tuple[str, Any]]) -> str:
        """Read the instant of creation as it came, whatever a field makes of it; gives the name it has in a
        row."""
        source = f"created_{len(hidden)}"
        if CREATED_ON in first:
            hidden[f"{_UNSELECTED}{source}"] = source, Any
            self._copy(first[CREATED_ON], source)
        else:
            self.select.append(CREATED_ON)
            hidden[CREATED_ON] = source, datetime | None
        return source

    def _more(
        self,
        table: Table,
        definition: TableDefinition,
        column: Column,
        name: str,
        first: dict[str, str],
        hidden: dict[str, tuple[str, Any]],
    ) -> None:
        """Read a further column of a field beside its own; another field may be read from it too."""
        attribute = definition.attributes[name]
        if column.field != "categories":
            holds = field_type(table.full, column.field)
            behaviour, is_day = "" if holds is bool else _behaviour(table, column, attribute.behaviour), holds is date
            kind = bool | None if holds is bool else wire_type(behaviour) if is_day else datetime | None
            source = self._beside(name, kind, first, hidden)
            if is_day and behaviour != "date_only":
                self._mean_days(source, behaviour)
            fillers = self._calendar.fillers if is_day else ()
            step = column_steps.either(source, column.field) if holds is bool else column_steps.first(source, column.field, fillers)
            self._steps.append(step)
            return
        source = f"more_{len(hidden)}"
        if column.reference is not None:
            (target,) = attribute.targets
            wire, keys = f"_{name}_value", self._keys_of(column, target)
            hidden[wire] = source, str | None
            self._steps.append(column_steps.union(source, column.field, Referred(keys)))
        else:
            assert column.choice is not None
            is_multi = attribute.kind == "MultiSelectPicklistType"
            wire, options = name, column.choice.keys
            hidden[wire] = source, _option_type(attribute)
            self._steps.append(column_steps.union(source, column.field, MultiKeys(options) if is_multi else SingleKeys(options)))
        self.select.append(wire)

    def _beside(self, name: str, kind: Any, first: dict[str, str], hidden: dict[str, tuple[str, Any]]) -> str:
        """Return by which name of no field a column is read that another field may be read from too."""
        source = f"more_{len(hidden)}"
        if name in first:
            hidden[f"{_UNSELECTED}{source}"] = source, Any
            self._copy(first[name], source)
        else:
            self.select.append(name)
            hidden[name], first[name] = (source, kind), source
        return source

    def decode(self, body: bytes, *, versioned: bool = True) -> Page[R]:
        """Return the page in a body: its rows, or of whole tables a frame, so that their objects are gone
        before the next page makes its own. Rows that are stored elsewhere than in their table have no version
        that could be written back (`versioned`). Half characters are replaced. Raises PageBroken: it is not
        what was requested."""
        try:
            try:
                content = self._decoder.decode(body)
            except msgspec.DecodeError:
                body = with_whole_characters(body)  # only then: it takes half as long as decoding
                content = self._decoder.decode(body)
            values = self._columns(content.value) if self._whole else self._values(content.value)
            self.fill(values)
            if versioned and self.has_versions and not column_steps.are_versions(values["etag"]):
                raise ValueError("a version that is none")
        except (msgspec.DecodeError, ValueError, KeyError, UnicodeDecodeError, RecursionError) as failure:
            raise PageBroken(self._wrong(str(failure))) from None  # the decoder's own message may quote a value
        asked_again = body if content.next_link is None else b""  # only the last page is
        held = self._kept(values) if isinstance(values, Columns) else values
        return Page(held, content.next_link, content.count, asked_again, content.delta_link)

    def _wrong(self, told: str) -> str:
        """Return the column that a message of the decoder names, of those that were asked for."""
        return next(
            (
                column
                for name, (column, _) in self.wire.items()
                if told.endswith((f".{column}`", f".{name}`")) or f"`{column}` - at" in told
            ),
            "",
        )

    def _values(self, rows: list[Any]) -> Values:
        values = Values(rows, self.lookups)
        for name in self.lookups:  # every read of rows needs these
            values[name]
        return values

    def _columns(self, rows: list[Any]) -> Columns:
        """Return what rows say, ids in lower case or as numbers and dates in columns. Raises ValueError: one
        is none."""

        from connectors.interface.id_numbers import numbers_in

        came = {name: self._taken[name](rows) for name in self._numbered}
        columns: dict[str, Any] = {**numbers_at_once(came)}
        for name, take in self._taken.items():
            if name in columns:
                continue
            came[name] = values = take(rows)
            if name in self._ids:
                came[name], text, missing = lowered_lines(values)
                numbers = numbers_in(name, text, len(values), missing) if name in self._numbered else None
                if numbers is not None:
                    columns[name] = numbers
                    continue
            if name in self._plain:  # at once, while its values are near the processor
                columns[name] = column_of(name, came[name], self._plain[name])
        came |= {target: came[source] for target, source in self._copies.items()}
        if self._dates is not None:
            dates = self._dates.columns(came)
            columns |= dates
            came = {name: values for name, values in came.items() if name not in dates}
        return Columns(len(rows), came, columns, self.defaults)

    @cached_property
    def _numbered(self) -> list[str]:
        """The ids that are numbers in frames, if they can be: no step makes anything else of them, or looks
        at more than whether there is one, and no second field has them."""
        return [name for name in self.lookups if name in self._plain and name not in self._copies.values()]

    @cached_property
    def _plain(self) -> dict[str, pl.DataType]:
        """The columns of frames that are what came, with their types."""
        import polars as pl

        changed = {step.target for step in self._steps}
        plain = {pl.String(), pl.Boolean(), pl.Int64(), pl.Float64()}
        kept = {name: kind for name, kind in self.kept_types.items() if name in self.wire and name not in changed and kind in plain}
        return {name: kind for name, kind in kept.items() if name not in self._fields or held_by(self.record, name) is not tuple}

    def fill(self, values: Values | Columns) -> None:
        """Work out what the fields of some rows mean, from what `wire` names. Raises ValueError or KeyError:
        a value cannot be right."""
        for step in self._steps:
            values.take(step)

    def _copy(self, source: str, target: str) -> None:
        """Fill a second field from one column, whatever the first makes of it."""
        if self._whole:
            self._copies[target] = source
        else:
            self._steps.insert(0, column_steps.copy(source, target))

    def _mean_days(self, name: str, behaviour: str) -> None:
        """Make days of the instants of a field."""
        if self._whole:
            self._behaviours[name] = behaviour
        else:
            zone = self._calendar.zone
            self._steps.append(column_steps.Step(name, (name,), civil_days(behaviour, zone), column=civil_day_column(behaviour, zone)))

    @property
    def asks(self) -> bool:
        """Whether what other rows are has to be asked to know what the rows of a frame say."""
        return bool(self._asking)

    @cached_property
    def kept_types(self) -> dict[str, pl.DataType]:
        """The columns of `frame`, ids as texts."""
        import polars as pl

        sources = dict.fromkeys(name for step in self._asking for name in step.sources)
        more = [name for name in sources if name not in self._fields]
        own = [name for name in more if name in self.record.__struct_fields__]
        return column_types(self.record, (*self._fields, *own)) | {name: pl.String() for name in more if name not in own}

    def _kept(self, values: Columns) -> FramedValues:
        """Return what rows say themselves as a frame, with the instants of their creation where they are
        read."""
        import polars as pl

        kept = [name for name in self.kept_types if name not in ("id", "etag")]
        own = [name for name in kept if name in self.record.__struct_fields__]
        frame = frame_of_values(self.record, own, values.held)
        hidden = [pl.Series(name, values[name], dtype=pl.String) for name in kept if name not in own]
        found = FramedValues(self.record, frame.with_columns(hidden) if hidden else frame)
        if self.created is not None:
            found[self.created] = values.held(self.created)
        return found

    def frame(self, page: Page[R]) -> pl.DataFrame:
        """Return the rows of a page, decoded by a decoder for whole tables, as a frame: what they say
        themselves, their ids as numbers where these can be made."""
        from connectors.interface.id_numbers import packed

        assert isinstance(page.values, FramedValues)
        return packed(page.values.given, self._ids)

    def framed(self, rows: pl.DataFrame) -> FramedPage:
        """Return a page of such rows with what other rows say of them now. Raises PageBroken: a lookup does
        not say to which table it points."""
        values = FramedValues(self.record, rows)
        try:
            for step in self._asking:
                values[step.target] = step.fill(*[values[name] for name in step.sources])
        except ValueError:
            raise PageBroken from None
        return FramedPage(values)

    def _keys_of(self, column: Column, target: str) -> dict[str, str]:
        assert self._references is not None
        keys = self._references.keys_of(column, target)
        self._referred.append(keys)
        return keys

    def _column(self, table: Table, definition: TableDefinition, column: Column) -> tuple[str, Any, bool]:
        attribute = definition.attributes[column.name]
        name, kind = column.field, field_type(table.full, column.field)
        if column.is_lookup:
            wire = column.name if is_key(column.name, definition) else f"_{column.name}_value"
            self.select.append(wire)
            return wire, str | None, True
        if column.reference is not None:
            (target,) = attribute.targets
            keys = self._keys_of(column, target)
            meant: dict[Any, Any] = Referred(keys) if name == "categories" else meanings(name, keys)
            if kind is bool:
                meant = truths(name, {row: TRUTHS[key] for row, key in keys.items()})
            self._steps.append(column_steps.meaning(name, meant))
            self.select.append(f"_{column.name}_value")
            return f"_{column.name}_value", str | None, True
        self.select.append(column.name)
        if column.holds == "choices":
            return column.name, _option_type(attribute), True
        if column.choice is not None:
            is_multi = attribute.kind == "MultiSelectPicklistType"
            if name == "categories":
                categories = MultiKeys(column.choice.keys) if is_multi else SingleKeys(column.choice.keys)
                self._steps.append(column_steps.meaning(name, categories))
            elif kind is bool:
                known = {option: TRUTHS[key] for option, key in column.choice.keys.items()}
                self._steps.append(column_steps.meaning(name, truths(name, known)))
            else:
                self._steps.append(column_steps.meaning(name, meanings(name, column.choice.keys)))
            return column.name, _option_type(attribute), True
        if kind is date:
            behaviour = _behaviour(table, column, attribute.behaviour)
            if behaviour != "date_only":
                self._mean_days(name, behaviour)
            return column.name, wire_type(behaviour), True
        if kind is bytes:
            raise ValueError(f"{table.kind}.{name} is content: it is fetched by itself")
        if kind is datetime:
            if _behaviour(table, column, attribute.behaviour) == "date_only":
                raise MappingError(f"The column {table.name}.{column.name} holds days, not instants.", where=column.where)
            return column.name, datetime | None, True
        is_whole = kind is int or (kind is float and attribute.kind in WHOLE_NUMBERS)  # `12` is not told as `12.00`
        return column.name, (_INT if is_whole else kind) | None, True


def _option_type(attribute: Attribute) -> Any:
    """Return as what an option comes: several as one text, yes and no as a truth, which is a number too."""
    return {"MultiSelectPicklistType": str | None, "BooleanType": bool | None}.get(attribute.kind, int | None)


def _behaviour(table: Table, column: Column, from_metadata: str) -> str:
    behaviour = column.behaviour or from_metadata
    if behaviour not in BEHAVIOURS:
        raise MappingError(
            f"The behaviour of the date column {table.name}.{column.name} is unknown (DAT-09).",
            hint="State it under behaviour in the mapping.",
            where=column.where,
        )
    return behaviour


_fields = cache(msgspec.structs.fields)  # a record's hints are read once, not again by each connector


def page_type(record: type[Record], wire: dict[str, tuple[str, Any, bool]], hidden: dict[str, tuple[str, Any]]) -> type[Any]:
    """Return the struct of a page. Every field of the record is defined again, since inherited ones cannot be
    renamed. `hidden` are names and types of columns that stand beside them."""
    return _page_type(record, tuple(wire.items()), tuple(hidden.items()))


@lru_cache(maxsize=1024)  # to make a class takes longer than to read a page with it
def _page_type(
    record: type[Record], wire: tuple[tuple[str, tuple[str, Any, bool]], ...], hidden: tuple[tuple[str, tuple[str, Any]], ...]
) -> type[Any]:
    columns = dict(wire)
    defined: list[Any] = []
    for info in _fields(record):
        if info.name in columns:
            column, kind, is_required = columns[info.name]
            defined.append((info.name, kind, msgspec.field(name=column) if is_required else msgspec.field(name=column, default=None)))
        else:
            defined.append((info.name, Any, msgspec.field(name=_UNSELECTED + info.name, default=info.default)))
    for column, (name, kind) in hidden:
        may_lack = LOOKUP_TABLE in column or column.startswith(_UNSELECTED)  # left out where the lookup is empty
        defined.append((name, kind, msgspec.field(name=column, default=None) if may_lack else msgspec.field(name=column)))
    row = msgspec.defstruct(record.__name__, defined, bases=(record,), module=record.__module__, gc=False, kw_only=True)
    return _page_of(row)


def lean_page_type(wire: dict[str, tuple[str, Any, bool]], hidden: dict[str, tuple[str, Any]]) -> type[Any]:
    """Return the struct of a page whose rows have what was asked for and nothing else; dates stay texts."""
    return _lean_page_type(tuple(wire.items()), tuple(hidden.items()))


@lru_cache(maxsize=1024)
def _lean_page_type(wire: tuple[tuple[str, tuple[str, Any, bool]], ...], hidden: tuple[tuple[str, tuple[str, Any]], ...]) -> type[Any]:
    columns = [(name, kind, column, is_required) for name, (column, kind, is_required) in wire]
    columns += [(name, kind, column, LOOKUP_TABLE not in column) for column, (name, kind) in hidden if not column.startswith(_UNSELECTED)]
    columns.sort(
        key=lambda each: (each[2].partition("@")[0], "@" not in each[2])
    )  # as the service writes them, so that each is where it is looked for
    defined: list[Any] = []
    for name, kind, column, is_required in columns:
        field = msgspec.field(name=column) if is_required else msgspec.field(name=column, default=None)
        defined.append((name, str | None if kind in _DATES else kind, field))
    return _page_of(msgspec.defstruct("Row", defined, gc=False, kw_only=True))


def _page_of(row: type[Any]) -> type[Any]:
    return msgspec.defstruct(
        "Page",
        [
            ("value", list[row]),  # type: ignore[valid-type]
            ("next_link", str | None, msgspec.field(name="@odata.nextLink", default=None)),
            ("count", int | None, msgspec.field(name="@odata.count", default=None)),
            ("delta_link", str | None, msgspec.field(name="@odata.deltaLink", default=None)),
        ],
    )
