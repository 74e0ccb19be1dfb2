"""Tables of the organisation's own that depend on others, as the section `dependent` of a mapping names them:
each a kind of row by itself, whose word is the name of the table and whose fields are named like its columns.

What a table holds is said by its columns, so no code knows it: a record of its own is made from the section,
and everything that handles rows of every kind handles these (R-161)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

import msgspec

from connectors.dynamics.mapping.mapping import Column, Table
from connectors.dynamics.mapping.mapping_file import DependentPart, TablePart
from rules.model.kinds import Kind
from rules.model.records import REGARDING, Dependent, dependent_record

KEPT: Final = ("dates", "numbers", "choices", "yes_no")  # sections of which a column may outlive what its row belongs to
LAST: Final = 100  # behind the kinds that every organisation has
# What a column of each section holds, and as what it is told (`rules.rights.fields.Nature`).
SECTIONS: Final[Mapping[str, tuple[Any, str]]] = MappingProxyType(
    {
        "texts": (str | None, "text"),
        "dates": (date | None, "date"),
        "numbers": (float | None, "number"),
        "choices": (int | str | None, "choice"),
        "yes_no": (bool | None, "choice"),
        "people": (str | None, "internal"),
        "files": (bytes | None, "file"),
    }
)
RESERVED: Final = frozenset(Dependent.__struct_fields__)  # names that no column of such a table may have


def in_order(parts: Mapping[str, DependentPart]) -> list[str]:
    """Return the tables, each behind those that its rows may belong to, as far as they do not lead in a
    circle."""
    found: list[str] = []
    waiting = list(parts)
    while waiting:
        ready = [name for name in waiting if not (above_of(parts[name]) - {name}) & set(waiting)]
        found += ready or waiting
        waiting = [name for name in waiting if ready and name not in ready]
    return found


def above_of(part: DependentPart) -> set[str]:
    return {*chain.from_iterable(part.belongs_to.values()), *part.tied_by.values(), *part.behind}


def columns_in(part: DependentPart) -> Iterator[tuple[str, str]]:
    """Yield section and column of each column of a part."""
    for section in SECTIONS:
        yield from ((section, column) for column in getattr(part, section))


def known_dependent(parts: Mapping[str, DependentPart], tables: Mapping[str, Sequence[TablePart]]) -> dict[str, DependentPart]:
    """Leave out tables that are mapped already, and that belong to nothing."""
    taken = {part.table for parts in tables.values() for part in parts}
    return {name: part for name, part in parts.items() if name not in taken and above_of(part)}


def dependent_tables(parts: Mapping[str, DependentPart], where: Callable[..., str]) -> Iterator[Table]:
    """Yield each table of the section, in the order of `in_order`; `where` gives the place of a part of the
    file."""
    for name in in_order(parts):
        part = parts[name]
        at = ("dependent", name)
        sections = {column: section for section, column in columns_in(part) if column not in RESERVED}
        personal = {
            column: Column(
                column,
                column,
                where(*at, section, getattr(part, section).index(column)),
                is_readable=column in part.readable,
                holds=section,
            )
            for column, section in sections.items()
        }
        lookups = {}
        for field, owner in zip(REGARDING, part.belongs_to, strict=False):
            lookups[field] = Column(field, owner, where(*at, "belongs_to", owner), is_readable=owner in part.readable)
        kind = Kind(
            name,
            LAST,
            depends=True,
            texts=part.texts,
            dates=part.dates,
            own=_record(name, sections),
            above=tuple(sorted(above_of(part))),
            lookups=tuple(lookups) or REGARDING[:1],
            people=part.people,
            emptied=_emptied(part, lookups),
            natures={column: SECTIONS[section][1] for column, section in sections.items()},
            term=part.term.row if part.term is not None else "",
            counted_from=part.term.date if part.term is not None and part.term.date in sections else "",
        )
        kind.full.__kind__ = kind  # type: ignore[attr-defined]  # a row by itself says what is true of it
        links = next(iter(part.tied_by), "")
        lines = {"term": where(*at, "term", "row"), "links": where(*at, "tied_by", links)}
        lines |= {f"behind.{word}": where(*at, "behind", word) for word in part.behind}
        yield Table(
            name, kind.record, kind.full, name, where(*at), lookups,
            personal=personal, own=kind, links=links, leads=dict(part.behind), lines=lines,
        )  # fmt: skip


def _emptied(part: DependentPart, lookups: Mapping[str, Column]) -> tuple[str, ...]:
    """Return the fields of rows that outlive what they belong to which are emptied then; none where rows
    go."""
    if part.masked is None:
        return ()
    return (*lookups, *(column for _, column in columns_in(part) if column not in part.masked.keeps))


def _record(table: str, sections: Mapping[str, str]) -> type[Dependent]:
    """Return the record that has a field for each column."""
    fields = [(column, SECTIONS[section][0], None) for column, section in sections.items()]
    made: type[Dependent] = msgspec.defstruct(table, fields, bases=(dependent_record(table),), module=__name__, gc=False, kw_only=True)  # type: ignore[assignment]
    return made
