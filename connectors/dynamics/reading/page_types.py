"""The classes that pages are decoded into: for each kind of record and set of fields one struct whose fields
carry the names of the wire. Of records it is a subclass, so that the decoder's own object is the record and
no second one is made per row; for frames it has what was asked for and nothing else."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, TypeAlias

import msgspec

from rules.model.records import Record

LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
DATES: dict[Any, type] = {date | None: date, datetime | None: datetime}  # by the type on the wire
UNSELECTED = "- "  # no column can be called so: a field that was not asked for cannot be filled by accident

Wire: TypeAlias = Mapping[str, tuple[str, Any, bool]]  # by field: its name on the wire, its type, whether each row has it
Hidden: TypeAlias = Mapping[str, tuple[str, Any]]  # by column: a name that no field can have, and its type

fields_of = cache(msgspec.structs.fields)  # a record's hints are read once, not again by each connector


def page_type(record: type[Record], wire: Wire, hidden: Hidden) -> type[Any]:
    """Return the struct of a page. Every field of the record is defined again, since inherited ones cannot be
    renamed. `hidden` stand beside them."""
    return _page_type(record, tuple(wire.items()), tuple(hidden.items()))


@lru_cache(maxsize=1024)  # to make a class takes longer than to read a page with it
def _page_type(
    record: type[Record], wire: tuple[tuple[str, tuple[str, Any, bool]], ...], hidden: tuple[tuple[str, tuple[str, Any]], ...]
) -> type[Any]:
    columns = dict(wire)
    defined: list[Any] = []
    for info in fields_of(record):
        if info.name in columns:
            column, kind, is_required = columns[info.name]
            defined.append((info.name, kind, msgspec.field(name=column) if is_required else msgspec.field(name=column, default=None)))
        else:
            defined.append((info.name, Any, msgspec.field(name=UNSELECTED + info.name, default=info.default)))
    for column, (name, kind) in hidden:
        may_lack = LOOKUP_TABLE in column or column.startswith(UNSELECTED)  # left out where the lookup is empty
        defined.append((name, kind, msgspec.field(name=column, default=None) if may_lack else msgspec.field(name=column)))
    row = msgspec.defstruct(record.__name__, defined, bases=(record,), module=record.__module__, gc=False, kw_only=True)
    return _page_of(row)


def lean_page_type(wire: Wire, hidden: Hidden) -> type[Any]:
    """Return the struct of a page whose rows have what was asked for and nothing else; dates stay texts."""
    return _lean_page_type(tuple(wire.items()), tuple(hidden.items()))


@lru_cache(maxsize=1024)
def _lean_page_type(wire: tuple[tuple[str, tuple[str, Any, bool]], ...], hidden: tuple[tuple[str, tuple[str, Any]], ...]) -> type[Any]:
    columns = [(name, kind, column, is_required) for name, (column, kind, is_required) in wire]
    columns += [(name, kind, column, LOOKUP_TABLE not in column) for column, (name, kind) in hidden if not column.startswith(UNSELECTED)]
    # As the service writes them, so that each is where it is looked for.
    columns.sort(key=lambda each: (each[2].partition("@")[0], "@" not in each[2]))
    defined: list[Any] = []
    for name, kind, column, is_required in columns:
        field = msgspec.field(name=column) if is_required else msgspec.field(name=column, default=None)
        defined.append((name, str | None if kind in DATES else kind, field))
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
