"""A page of rows, decoded straight into records. For each kind of record and set of fields one msgspec struct
is built whose fields carry the wire's column names; it is a subclass of the record, so the decoder's own
object is the record and no second one is made per row. Only dates and choices are then replaced in place."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache, partial
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import msgspec

from connectors.dynamics.mapping.mapping import KIND_FIELDS, LOOKUPS, TRUTHS, Column, Mapping, Table, field_type
from connectors.dynamics.mapping.mapping_file import BEHAVIOURS
from connectors.dynamics.reading.dates import civil_days, wire_type
from connectors.dynamics.reading.ranges import CREATED_ON
from connectors.dynamics.reading.references import References
from connectors.dynamics.schema.conditions import Scopes
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, is_key, swapped
from rules.errors import MappingError
from rules.model.records import Record

R = TypeVar("R", bound=Record)

LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
_ID = attrgetter("id")
_ETAG = attrgetter("etag")
# Versions as HTTP writes them (RFC 9110, section 8.8.3), one a line. `*` is none: written back, it would
# match whatever is there.
_VERSIONS = re.compile(r'(?:(?:W/)?"[!#-~]*"\n)*')
_OF_ONE_KIND = frozenset(name for name, kinds in LOOKUPS.items() if kinds == {name})  # a lookup to one kind of row
_UNSELECTED = "- "  # no column can be called so: a field that was not asked for cannot be filled by accident


class PageBroken(Exception):
    """The page is not JSON, or a row lacks a column or has a value of another type, never shown."""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page: its records and their ids, the link to the next, the CRM's own count and the delta link if
    requested, and the bytes it came in."""

    rows: list[R] = field(repr=False)
    ids: set[str] = field(repr=False)
    next_link: str | None
    count: int | None
    body: bytes = field(repr=False)
    delta_link: str | None = None

    def raw_rows(self) -> list[bytes]:
        """Return the JSON of each row, in their order."""
        return list(map(bytes, msgspec.json.decode(self.body, type=_RawPage).value))

    def without(self, ids: set[str]) -> "Page[R] | None":
        """Return the page without these rows; None if no row remains."""
        kept = [(row, raw) for row, raw in zip(self.rows, self.raw_rows(), strict=True) if row.id not in ids]
        if not kept:
            return None
        rows = [row for row, _ in kept]
        body = b'{"value":[' + b",".join(raw for _, raw in kept) + b"]}"
        return Page(rows, set(map(_ID, rows)), self.next_link, self.count, body, self.delta_link)


class _RawPage(msgspec.Struct):
    value: list[msgspec.Raw]


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
        dated: bool = False,
    ) -> None:
        """Create the decoder. `record` is the class of the records where it is not the kind's own: the full
        one. `references` are needed where a field is filled from a table of reference, `scopes` where a table
        has rows of several kinds. `place` is where the rows are kept, if they are roles. `dated`: when each
        row was created is read too, where the table tells it."""
        made = record or table.record
        self.record = cast("type[R]", made)
        self._steps: list[Callable[[list[Any]], None]] = []
        self._references = references
        self._zone = mapping.zone
        known = table.columns_of(made)
        columns = [known[name] for name in fields if name in known]
        kinds = [name for name in fields if name in KIND_FIELDS and KIND_FIELDS[name] in table.columns]
        self.select = [definition.primary_id]
        self.prefer_kinds = bool(kinds)
        wire: dict[str, tuple[str, Any, bool]] = {"id": (definition.primary_id, str, True), "etag": ("@odata.etag", str, True)}
        first: dict[str, str] = {definition.primary_id: "id"}  # by column: the field that the decoder fills
        hidden: dict[str, tuple[str, Any]] = {}  # by column: a name that no field can have, and its type
        asked = _Asked(mapping, scopes)
        self._has_versions = place is not RolePlace.PAIR
        if place is RolePlace.PAIR:
            wire["etag"] = ("@odata.etag", str | None, False)
            self._steps.append(_unversioned_step)
        for name in table.fixed.keys() & set(fields):
            self._steps.append(_fixed_step(name, table.fixed[name]))
        for column in columns:
            if column.flags:
                self.select += [name for name in column.names if name not in hidden]
                for each in column.names:
                    hidden.setdefault(each, (f"flag_{len(hidden)}", bool | None))
                self._steps.append(_flags_step(column.field, {hidden[name][0]: key for name, key in column.flags}))
                continue
            found = self._column(table, definition, column)
            if (twin := first.setdefault(found[0], column.field)) == column.field:
                wire[column.field] = found
            else:  # a day and an instant may be read from one column
                self._steps.insert(0, _copy_step(twin, column.field))
            is_told_apart = column.field == "fiche" and place is RolePlace.PARTICIPANT  # by the filter that it was read with
            if column.field in _OF_ONE_KIND and len(definition.attributes[column.name].targets) > 1 and not is_told_apart:
                target = f"_{column.name}_value@{LOOKUP_TABLE}"
                hidden.setdefault(target, (f"target_{len(hidden)}", str | None))
                self.prefer_kinds = True
                self._steps.append(_only_step(hidden[target][0], column.field, asked, stays=table.kind == "fiche"))
        for column in columns:
            for name in column.more:
                self._more(table, definition, column, name, first, hidden)
        for name in kinds:
            lookup = table.columns[KIND_FIELDS[name]]
            if lookup.field not in wire:
                wire[lookup.field] = self._column(table, definition, lookup)
            wire[name] = (f"_{lookup.name}_value@{LOOKUP_TABLE}", str | None, False)
            self._steps.append(_kind_step(name, lookup.field, asked))
        self.instant_of = self._created(first, hidden) if dated and CREATED_ON in definition.attributes else None
        if place is RolePlace.UNIT:
            self._steps.append(partial(_swap_step, table))
        self._lookups = ["id", *(name for name in wire if name in LOOKUPS or (name in known and known[name].is_lookup))]
        self._decoder = msgspec.json.Decoder(page_type(made, wire, hidden))

    def _created(self, first: dict[str, str], hidden: dict[str, tuple[str, Any]]) -> Callable[[Any], Any]:
        """Read the instant of creation as it came, whatever a field makes of it; gives what takes it off a
        row."""
        source = f"created_{len(hidden)}"
        if CREATED_ON in first:
            hidden[f"{_UNSELECTED}{source}"] = source, Any
            self._steps.insert(0, _copy_step(first[CREATED_ON], source))
        else:
            self.select.append(CREATED_ON)
            hidden[CREATED_ON] = source, datetime | None
        return attrgetter(source)

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
        source = f"more_{len(hidden)}"
        if column.field != "categories":
            behaviour = _behaviour(table, column, attribute.behaviour)
            is_day = field_type(table.full, column.field) is date
            if name in first:
                hidden[f"{_UNSELECTED}{source}"] = source, Any
                self._steps.insert(0, _copy_step(first[name], source))
            else:
                self.select.append(name)
                hidden[name], first[name] = (source, wire_type(behaviour) if is_day else datetime | None), source
            if is_day and behaviour != "date_only":
                self._steps.append(civil_days(source, behaviour, self._zone))
            self._steps.append(_first_step(source, column.field))
            return
        if column.reference is not None:
            assert self._references is not None
            (target,) = attribute.targets
            wire, keys = f"_{name}_value", self._references.keys_of(column, target)
            hidden[wire] = source, str | None
            self._steps.append(_union_step(source, column.field, _Referred(keys)))
        else:
            assert column.choice is not None
            is_multi = attribute.kind == "MultiSelectPicklistType"
            wire, options = name, column.choice.keys
            hidden[wire] = source, _option_type(attribute)
            self._steps.append(_union_step(source, column.field, _MultiKeys(options) if is_multi else _SingleKeys(options)))
        self.select.append(wire)

    def decode(self, body: bytes, *, versioned: bool = True) -> Page[R]:
        """Return the page in a body. Rows that are stored elsewhere than in their table have no version that
        could be written back (`versioned`). Raises PageBroken: it is not what was requested."""
        try:
            content = self._decoder.decode(body)
            rows = content.value
            for step in self._steps:
                step(rows)
            if versioned and self._has_versions and not _VERSIONS.fullmatch("".join([f"{etag}\n" for etag in map(_ETAG, rows)])):
                raise ValueError("a version that is none")
        except (msgspec.DecodeError, ValueError, KeyError, UnicodeDecodeError, RecursionError):
            raise PageBroken from None  # the decoder's own message may quote a value
        _lower_ids(rows, self._lookups)
        return Page(rows, set(map(_ID, rows)), content.next_link, content.count, body, content.delta_link)

    def _column(self, table: Table, definition: TableDefinition, column: Column) -> tuple[str, Any, bool]:
        attribute = definition.attributes[column.name]
        name, kind = column.field, field_type(table.full, column.field)
        if column.is_lookup:
            wire = column.name if is_key(column.name, definition) else f"_{column.name}_value"
            self.select.append(wire)
            return wire, str | None, True
        if column.reference is not None:
            assert self._references is not None
            (target,) = attribute.targets
            keys = self._references.keys_of(column, target)
            self._steps.append(_lookup_step(name, _Referred(keys) if name == "categories" else _meanings(name, keys)))
            self.select.append(f"_{column.name}_value")
            return f"_{column.name}_value", str | None, True
        self.select.append(column.name)
        if column.holds == "choices":
            return column.name, _option_type(attribute), True
        if column.choice is not None:
            is_multi = attribute.kind == "MultiSelectPicklistType"
            if name == "categories":
                categories = _MultiKeys(column.choice.keys) if is_multi else _SingleKeys(column.choice.keys)
                self._steps.append(_lookup_step(name, categories))
            elif kind is bool:
                truths = {option: TRUTHS[key] for option, key in column.choice.keys.items()}
                self._steps.append(_lookup_step(name, _Known(truths)))
            else:
                self._steps.append(_lookup_step(name, _meanings(name, column.choice.keys)))
            return column.name, _option_type(attribute), True
        if kind is date:
            behaviour = _behaviour(table, column, attribute.behaviour)
            if behaviour != "date_only":
                self._steps.append(civil_days(name, behaviour, self._zone))
            return column.name, wire_type(behaviour), True
        if kind is bytes:
            raise ValueError(f"{table.kind}.{name} is content: it is fetched by itself")
        if kind is datetime:
            if _behaviour(table, column, attribute.behaviour) == "date_only":
                raise MappingError(f"The column {table.name}.{column.name} holds days, not instants.", where=column.where)
            return column.name, datetime | None, True
        return column.name, kind | None, True


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


_fields = cache(msgspec.structs.fields)  # a record's hints are read once, not anew by each connector


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
    return msgspec.defstruct(
        "Page",
        [
            ("value", list[row]),  # type: ignore[valid-type]
            ("next_link", str | None, msgspec.field(name="@odata.nextLink", default=None)),
            ("count", int | None, msgspec.field(name="@odata.count", default=None)),
            ("delta_link", str | None, msgspec.field(name="@odata.deltaLink", default=None)),
        ],
    )


def _lookup_step(name: str, meanings: dict[Any, Any]) -> Callable[[list[Any]], None]:
    """Replace one field of every row by what it means; a loop over one dict is what is fastest here."""
    get = attrgetter(name)

    def step(rows: list[Any]) -> None:
        for row in rows:
            setattr(row, name, meanings[get(row)])

    return step


def _flags_step(name: str, keys: dict[str, str]) -> Callable[[list[Any]], None]:
    """Fill a field of every row from columns of yes and no: all yes of categories, else the first."""
    every = name == "categories"

    def step(rows: list[Any]) -> None:
        for row in rows:
            found = tuple(dict.fromkeys(key for flag, key in keys.items() if getattr(row, flag)))
            setattr(row, name, found if every else next(iter(found), None))

    return step


def _fixed_step(name: str, key: str) -> Callable[[list[Any]], None]:
    """Fill a field of every row with what the mapping says of all of them."""

    def step(rows: list[Any]) -> None:
        for row in rows:
            setattr(row, name, key)

    return step


def _unversioned_step(rows: list[Any]) -> None:
    """Pairs need no version: nobody writes them."""
    for row in rows:
        row.etag = row.etag or ""


def _swap_step(table: Table, rows: list[Any]) -> None:
    """Give the roles that are lookups of their dossier or fiche an id of their own."""
    for row in rows:
        row.id = swapped(row.id, table)


def _first_step(source: str, target: str) -> Callable[[list[Any]], None]:
    """Return a step that fills a field from another column where its own is empty."""

    def step(rows: list[Any]) -> None:
        for row in rows:
            if getattr(row, target) is None:
                setattr(row, target, getattr(row, source))

    return step


def _union_step(source: str, target: str, keys: dict[Any, tuple[str, ...]]) -> Callable[[list[Any]], None]:
    """Return a step that adds what another column stands for to a field of several keys."""

    def step(rows: list[Any]) -> None:
        for row in rows:
            setattr(row, target, tuple(dict.fromkeys((*getattr(row, target), *keys[getattr(row, source)]))))

    return step


def _copy_step(source: str, target: str) -> Callable[[list[Any]], None]:
    """Return a step that copies the first field's value, as it came, to a second one of the column."""
    get = attrgetter(source)

    def step(rows: list[Any]) -> None:
        for row in rows:
            setattr(row, target, get(row))

    return step


class _Asked:
    """Of which kind the rows are to which lookups point, by their tables."""

    def __init__(self, mapping: Mapping, scopes: Scopes | None) -> None:
        self._scopes = scopes
        self.words: dict[str, str] = {table.name: table.kind for table in mapping.own}
        self.shared = scopes.shared if scopes is not None else frozenset()

    def kinds(self, pairs: Sequence[tuple[str, str]]) -> Iterator[str | None]:
        """Yield the kind of each row of (table, id); None: it is of none, or out of scope."""
        ids: dict[str, set[str]] = {}
        for table, row in pairs:
            if table in self.shared:
                ids.setdefault(table, set()).add(row)
        found = {table: self._scopes.kinds_of(table, some) for table, some in ids.items() if self._scopes is not None}
        for table, row in pairs:
            yield found[table].get(row) if table in found else self.words.get(table)

    def note_elsewhere(self, row: str) -> None:
        if self._scopes is not None:
            self._scopes.note_elsewhere(row)


def _kind_step(name: str, target: str, asked: _Asked) -> Callable[[list[Any]], None]:
    """Return a step that turns the logical name of a lookup's target into our word for it; a lookup whose
    target the CRM does not name is unreadable."""
    words, shared = asked.words, asked.shared
    keep_unmapped = name == "parent_kind"
    get_table, get_target = attrgetter(name), attrgetter(target)

    def step(rows: list[Any]) -> None:
        doubtful = []
        for row in rows:
            table = get_table(row)
            if table in shared:
                doubtful.append(row)
            elif table is not None:
                setattr(row, name, words.get(table, table if keep_unmapped else None))
            elif get_target(row) is not None:
                raise ValueError("a lookup without the table it points to")
        for row, kind in zip(doubtful, asked.kinds([(get_table(row), _plain_id(get_target(row))) for row in doubtful]), strict=True):
            setattr(row, name, kind)

    return step


def _only_step(hidden: str, name: str, asked: _Asked, *, stays: bool) -> Callable[[list[Any]], None]:
    """Return a step that empties a lookup where it points to a row of another kind. Where `stays`, one to a
    row of no kind stays, and is noted: the row is out of scope with what it belongs to."""
    get_table, get_target = attrgetter(hidden), attrgetter(name)

    def step(rows: list[Any]) -> None:
        linked = [row for row in rows if get_target(row) is not None]
        if not all(get_table(row) for row in linked):
            raise ValueError("a lookup without the table it points to")
        kinds = asked.kinds([(get_table(row), _plain_id(get_target(row))) for row in linked])
        for row, kind in zip(linked, kinds, strict=True):
            if kind is None and stays:
                asked.note_elsewhere(_plain_id(get_target(row)))
            elif kind not in LOOKUPS[name]:
                setattr(row, name, None)

    return step


def _plain_id(text: str) -> str:
    return text.strip("{}").lower()


def _meanings(name: str, keys: dict[Any, str]) -> "_Known | _Told":
    return _Told(keys) if name == "role" else _Known(keys)


class _Known(dict[Any, Any]):
    """Option -> key; an unmapped option counts as empty (RET-09)."""

    def __missing__(self, option: object) -> None:
        return None


class _Told(dict[Any, Any]):
    """Option -> key; an unmapped option stands as its number: an unknown role may be a child's."""

    def __missing__(self, option: object) -> str | None:
        return None if option is None else str(int(option) if isinstance(option, bool) else option)


class _MultiKeys(dict[str | None, tuple[str, ...]]):
    """`"1,2"` -> keys; an option that is not mapped stands as its number, so that the unit becomes
    UNCONFIGURED (R-161)."""

    def __init__(self, keys: dict[int, str]) -> None:
        super().__init__({None: (), "": ()})
        self._keys = keys

    def __missing__(self, text: str | None) -> tuple[str, ...]:
        assert text is not None
        options = [int(part) for part in text.split(",")]
        found = self[text] = tuple(dict.fromkeys(self._keys.get(option, str(option)) for option in options))
        return found


class _SingleKeys(dict[int | None, tuple[str, ...]]):
    """A single choice as a tuple of one, for organisations whose categories are not a multi-select."""

    def __init__(self, keys: dict[int, str]) -> None:
        super().__init__({None: ()})
        self._keys = keys

    def __missing__(self, option: int | None) -> tuple[str, ...]:
        found = self[option] = (self._keys.get(option, str(int(option))) if option is not None else "",)
        return found


class _Referred(dict[str | None, tuple[str, ...]]):
    """Id of a row of reference -> a category as a tuple of one; an id that stands for nothing stays, and can
    be no key of the schedule (R-161)."""

    def __init__(self, keys: dict[str, str]) -> None:
        super().__init__({None: ()} | {row: (key,) for row, key in keys.items()})

    def __missing__(self, row: str | None) -> tuple[str, ...]:
        assert row is not None
        known = self.get(row.lower())
        found = self[row] = known if known is not None else (row.lower(),)
        return found


def _lower_ids(rows: list[Any], fields: Sequence[str]) -> None:
    """Put ids in lower case, since they are compared as text all over the product. The service writes them
    so; one look at a page makes sure."""
    for name in fields:
        text = "".join(filter(None, map(attrgetter(name), rows)))
        if "{" in text or text != text.lower():
            for row in rows:
                value = getattr(row, name)
                if value is not None:
                    setattr(row, name, value.strip("{}").lower())
