"""The facts that the law looks at, in columns. What the CRM says is there as it says it, with sentinels and
days still to come; what they mean is for the rules. Source: RET-01 to RET-05, RET-17."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple

import polars as pl

from rules.law.codes import TEXT
from rules.model.records import RELATION_KINDS, Contact, Dossier, Fiche, Unit, UnitKind
from rules.retention.recording_owners import followed_dossier
from rules.retention.relations import counted_day, sort_of

KIND: Final = pl.Enum([kind.value for kind in UnitKind])
ROW: Final = pl.UInt32
SEPARATOR: Final = "\x1f"  # between the categories of one row: no key of a mapping has it


class Fact(NamedTuple):
    """A column: its type, and of which kinds of unit it is never null, and of which it may be, where the CRM
    has nothing. Of every other kind it is null: they have no such fact."""

    dtype: Any
    always: Collection[UnitKind] = ()
    maybe: Collection[UnitKind] = ()


_EVERY: Final = tuple(kind for kind in UnitKind if kind is not UnitKind.CONTACT)  # contacts are decided together
_DOSSIER: Final = (UnitKind.DOSSIER,)
_RECORDING: Final = (UnitKind.RECORDING,)
_ATTACHMENT: Final = (UnitKind.ATTACHMENT,)
_EMAIL: Final = (UnitKind.EMAIL,)
_FILES: Final = (UnitKind.DOSSIER, UnitKind.FICHE)
_OUTSIDE: Final = (*RELATION_KINDS, UnitKind.OWN_TABLE)  # outside the missions, or of an organisation's own

# One row a unit.
UNIT_FACTS: Final[Mapping[str, Fact]] = {
    "row": Fact(ROW, _EVERY),  # its place among them, from 0, by which everything else names it
    "kind": Fact(KIND, _EVERY),
    # of a dossier; its own categories are an empty text where the column is
    "categories": Fact(TEXT, _DOSSIER),
    "outcome": Fact(TEXT, maybe=_DOSSIER),
    "opened_on": Fact(pl.Date, maybe=_DOSSIER),
    "closed_on": Fact(pl.Date, maybe=_DOSSIER),
    "reopened_on": Fact(pl.Date, maybe=_DOSSIER),
    "proceedings_ended_on": Fact(pl.Date, maybe=_DOSSIER),
    "reviewed_on": Fact(pl.Date, maybe=_DOSSIER),
    "is_active": Fact(pl.Boolean, maybe=_DOSSIER),
    "public_alert": Fact(pl.Boolean, maybe=_DOSSIER),
    # the CRM's own flag on the dossier that the unit is, or belongs to (HLD-14); a flag that is empty is none
    "legal_hold": Fact(pl.Boolean, _EVERY),
    "started_on": Fact(pl.Date, maybe=_RECORDING),
    "ended_on": Fact(pl.Date, maybe=_RECORDING),
    "taken_over": Fact(pl.Boolean, maybe=_RECORDING),
    # of an audio attachment: the days of its fiche, and whether it has one
    "has_fiche": Fact(pl.Boolean, _ATTACHMENT),
    "fiche_communicated_on": Fact(pl.Date, maybe=_ATTACHMENT),
    "fiche_created_on": Fact(pl.Date, maybe=_ATTACHMENT),
    "sent_on": Fact(pl.Date, maybe=_EMAIL),
    # of a gift, course, agreement, or row of a dependent table: which sort it is, and its day
    "sort": Fact(TEXT, maybe=_OUTSIDE),
    "counted_from": Fact(pl.Date, maybe=_OUTSIDE),
}
# What only those have beside that were put together by themselves, and only those of whole tables.
ALONE: Final[Mapping[str, Fact]] = {"id": Fact(pl.String, _EVERY), "etag": Fact(pl.String, _EVERY)}
IN_TABLES: Final[Mapping[str, Fact]] = {
    "number": Fact(pl.UInt32, _EVERY),  # among the units of all kinds that were read
    "source": Fact(pl.UInt16, _EVERY),  # of the class of its row, among those that were read
    "is_anonymised": Fact(pl.Boolean, _EVERY),  # in place, by an earlier run (ERA-07)
}
# One row a fiche of a dossier, or of a lone one itself, by its unit; of one in several dossiers a row for
# each. Its categories are an empty text where the column is.
FICHE_FACTS: Final[Mapping[str, Fact]] = {
    "row": Fact(ROW, _FILES),
    "categories": Fact(TEXT, _FILES),
    "communicated_on": Fact(pl.Date, maybe=_FILES),
    "created_on": Fact(pl.Date, maybe=_FILES),
    "transmitted_on": Fact(pl.Date, maybe=_FILES),
}
# One row a child party of a file, by its unit: what is recorded of the child's birth, all null of one without
# a contact.
CHILD_FACTS: Final[Mapping[str, Fact]] = {
    "row": Fact(ROW, _FILES),
    "birth_on": Fact(pl.Date, maybe=_FILES),
    "birth_year": Fact(pl.Int64, maybe=_FILES),
    "birth_month": Fact(pl.Int64, maybe=_FILES),
    "stated_age": Fact(pl.Int64, maybe=_FILES),
    "stated_on": Fact(pl.Date, maybe=_FILES),
    "national_number": Fact(pl.String, maybe=_FILES),
}
# The dossiers that a recording or attachment marked as evidence follows, in their order (RET-05): both are
# rows of units.
LEADER_FACTS: Final[Mapping[str, Fact]] = {
    "row": Fact(ROW, (*_RECORDING, *_ATTACHMENT)),
    "leader": Fact(ROW, (*_RECORDING, *_ATTACHMENT)),
}


def schema_of(facts: Mapping[str, Fact]) -> dict[str, Any]:
    """Return the types of columns."""
    return {name: fact.dtype for name, fact in facts.items()}


UNITS: Final[Mapping[str, Any]] = schema_of(UNIT_FACTS)
_OF_THESE: Final = schema_of({**UNIT_FACTS, **ALONE})
FICHES, CHILDREN, LEADERS = (schema_of(facts) for facts in (FICHE_FACTS, CHILD_FACTS, LEADER_FACTS))
DAYS_OF_UNITS, DAYS_OF_FICHES = (tuple(name for name, dtype in facts.items() if dtype == pl.Date) for facts in (UNITS, FICHES))

DOSSIER_FACTS: Final = (
    "outcome",
    "opened_on",
    "closed_on",
    "reopened_on",
    "proceedings_ended_on",
    "reviewed_on",
    "is_active",
    "public_alert",
)
RECORDING_FACTS: Final = ("started_on", "ended_on", "taken_over")
_FICHE_FACTS: Final = ("communicated_on", "created_on", "transmitted_on")
_CHILD_FACTS: Final = ("birth_on", "birth_year", "birth_month", "stated_age", "stated_on", "national_number")
_NO_UNITS, _NO_FICHES, _NO_CHILDREN, _NO_LEADERS = (pl.DataFrame(schema=schema) for schema in (_OF_THESE, FICHES, CHILDREN, LEADERS))
_DAYS: Final = frozenset(name for facts in (UNITS, FICHES, CHILDREN) for name, dtype in facts.items() if dtype == pl.Date)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
NOBODY: Final = Contact()  # a child party without a contact


@dataclass(frozen=True)
class Facts:
    """What is known of units: a row each in `units`, and what belongs to them in the others."""

    units: pl.DataFrame
    fiches: pl.DataFrame
    children: pl.DataFrame
    leaders: pl.DataFrame


class Joined(dict[tuple[str, ...], str]):
    """Categories as one text; few combinations come again and again."""

    def __missing__(self, categories: tuple[str, ...]) -> str:
        found = self[categories] = SEPARATOR.join(categories)
        return found


def with_leaders(units: Iterable[Unit]) -> list[Unit]:
    """Return units, and behind them the dossiers that marked recordings among them follow (RET-05), where
    they are not among them."""
    found = list(units)
    there = set(map(id, found))
    for unit in tuple(found):
        for leader in _leaders(unit):
            if id(leader) not in there:
                there.add(id(leader))
                found.append(leader)
    return found


def _leaders(unit: Unit) -> Iterator[Unit]:
    if unit.belongs_to is not None and (owner := followed_dossier(unit)) is not None:
        yield owner
        yield from owner.above()


def facts_of(units: Sequence[Unit]) -> Facts:
    """Return the facts of units that were put together, a row each, in their order; what marked recordings
    follow is among them (`with_leaders`). Raises ValueError: one of them is a contact."""
    joined = Joined()
    places: dict[UnitKind, list[int]] = {}
    for row, unit in enumerate(units):
        places.setdefault(unit.kind, []).append(row)
    if UnitKind.CONTACT in places:
        raise ValueError("contacts are decided together, not one by one")
    parts = [_NO_UNITS, *(_of_kind(kind, rows, [units[row] for row in rows], joined) for kind, rows in places.items())]
    files = [row for kind in _FILES for row in places.get(kind, ())]
    leaders = [(row, leader) for row, unit in enumerate(units) if unit.belongs_to is not None for leader in _leaders(unit)]
    place = {id(leader): 0 for _, leader in leaders}
    if place:
        place = {id(unit): row for row, unit in enumerate(units)}
    found = pl.concat(parts, how="diagonal")
    return Facts(
        found.sort("row") if len(places) > 1 else found,
        _of_fiches(files, units, joined),
        _of_children(files, units),
        pl.DataFrame([(row, place[id(leader)]) for row, leader in leaders], schema=LEADERS, orient="row") if leaders else _NO_LEADERS,
    )


def _of_kind(kind: UnitKind, rows: list[int], units: Sequence[Unit], joined: Joined) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "row": rows,
        "kind": pl.Series([kind.value], dtype=KIND).new_from_index(0, len(rows)),
        "id": [unit.id for unit in units],
        "etag": [unit.etag for unit in units],
        "legal_hold": [_has_legal_hold(unit) for unit in units],
    }
    if kind is UnitKind.DOSSIER:
        columns |= file_columns([unit.dossier for unit in units if unit.dossier is not None], DOSSIER_FACTS, joined)
    elif kind is UnitKind.RECORDING:
        columns |= {name: [getattr(unit.recording, name) for unit in units] for name in RECORDING_FACTS}
    elif kind is UnitKind.ATTACHMENT:
        fiches = [unit.fiches[0] if unit.fiches else None for unit in units]
        columns["has_fiche"] = [fiche is not None for fiche in fiches]
        columns["fiche_communicated_on"] = [fiche and fiche.communicated_on for fiche in fiches]
        columns["fiche_created_on"] = [fiche and fiche.created_on for fiche in fiches]
    elif kind is UnitKind.EMAIL:
        columns["sent_on"] = [unit.email and unit.email.sent_on for unit in units]
    elif kind is not UnitKind.FICHE:
        columns["sort"] = [sort_of(unit) for unit in units]
        columns["counted_from"] = [counted_day(unit) for unit in units]
    return framed(columns, _OF_THESE)


def file_columns(rows: Sequence[Dossier] | Sequence[Fiche], facts: Iterable[str], joined: Joined) -> dict[str, list[Any]]:
    """Return what is asked of each dossier, or of each fiche, in columns."""
    return {"categories": [joined[row.categories] for row in rows]} | {name: list(map(attrgetter(name), rows)) for name in facts}


def child_columns(children: Sequence[Contact]) -> dict[str, list[Any]]:
    """Return what is asked of each child, in columns."""
    return {name: list(map(attrgetter(name), children)) for name in _CHILD_FACTS}


def framed(columns: Mapping[str, Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return columns as a frame: those of the schema that there are, in its order and of its types."""
    return pl.DataFrame([_column(name, columns[name], dtype) for name, dtype in schema.items() if name in columns])


class _Numbers(dict[date | None, int | None]):
    """Days as the numbers that a column of days is made of; the same few thousand come again and again."""

    def __missing__(self, day: date | None) -> int | None:
        found = self[day] = None if day is None else day.toordinal() - _FIRST_DAY
        return found


def _column(name: str, values: Any, dtype: Any) -> pl.Series:
    if name not in _DAYS:
        return pl.Series(name, values, dtype=dtype)
    return pl.Series(name, list(map(_Numbers().__getitem__, values)), dtype=pl.Int32).cast(pl.Date)


def _of_fiches(rows: Sequence[int], units: Sequence[Unit], joined: Joined) -> pl.DataFrame:
    fiches = list(chain.from_iterable(units[row].fiches for row in rows))
    if not fiches:
        return _NO_FICHES
    return framed(file_columns(fiches, _FICHE_FACTS, joined) | {"row": _owners(rows, [len(units[row].fiches) for row in rows])}, FICHES)


def _of_children(rows: Sequence[int], units: Sequence[Unit]) -> pl.DataFrame:
    children = [child or NOBODY for child in chain.from_iterable(units[row].children for row in rows)]
    if not children:
        return _NO_CHILDREN
    return framed(child_columns(children) | {"row": _owners(rows, [len(units[row].children) for row in rows])}, CHILDREN)


def _owners(rows: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """Return each row as often as it has something."""
    return list(chain.from_iterable(map(repeat, rows, lengths)))


def _has_legal_hold(unit: Unit) -> bool:
    owner = unit if unit.dossier is not None else unit.belongs_to
    return owner is not None and owner.dossier is not None and bool(owner.dossier.legal_hold)
