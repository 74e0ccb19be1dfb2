"""The data map: every table and column of the CRM that can hold data of a unit or a person, and what becomes
of it. What nothing mentions is unaccounted, and is never called searched, complete or gone. Source: EXP-03,
ERA-12; R-158, R-161."""

from collections.abc import Collection
from enum import StrEnum

import msgspec


class Fate(StrEnum):
    """What becomes of a table or a column."""

    __hash__ = str.__hash__

    MAPPED = "mapped"  # read, searched, told, deleted as the rules say
    GOES_ALONG = "goes_along"  # goes with the row that it belongs to; not searched
    MASKED = "masked"  # overwritten where its row is anonymised in place; else it goes with its row
    STAYS = "stays"  # somebody has decided that it may
    PLATFORM = "platform"  # the CRM's own housekeeping; cleaned where it names a row (ERA-12)
    UNACCOUNTED = "unaccounted"


class MapPlace(msgspec.Struct, frozen=True):
    """A table, or with `column` one of its columns. `path` leads from its rows to a unit or person, a lookup
    a step. `rows` are those that point there, or in which the column has a value; from 5,000 on there may be
    more; None: this account may not look. `why` says where the fate comes from. `beyond` are rows of a mapped
    table that are of none of the kinds for which it is mapped, `loose` rows of a dependent table that belong
    to nothing, `in_anonymised` those that belong to a dossier or fiche that is anonymised, `of_dossiers`
    recordings that belong to a dossier itself, or to a fiche, by a lookup that is mapped for the other of
    them alone, and so are out of scope."""

    table: str
    column: str | None
    path: str
    rows: int | None
    fate: Fate
    why: str
    beyond: int | None = 0
    loose: int | None = 0
    in_anonymised: int | None = 0
    of_dossiers: int | None = 0

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def is_alarming(self) -> bool:
        """Whether nothing mentions it, and something is or may be there."""
        return self.fate is Fate.UNACCOUNTED and self.rows != 0


class Tie(msgspec.Struct, frozen=True):
    """A relationship that leads from a table to one nearer to a unit or person; `column` is its lookup, empty
    between two tables that a table of links ties."""

    child: str
    column: str
    parent: str
    on_delete: str


class DataMap(msgspec.Struct, frozen=True):
    """All places, tables before their columns, and the ties between the tables; `written_in` are the
    platform's own tables in which people write."""

    places: tuple[MapPlace, ...]
    ties: tuple[Tie, ...] = ()
    written_in: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[MapPlace, ...]:
        return tuple(place for place in self.places if place.column is None)

    @property
    def alarming(self) -> tuple[MapPlace, ...]:
        """What is alarming, a table once and not by its columns."""
        whole = {place.table for place in self.tables if place.is_alarming}
        return tuple(place for place in self.places if place.is_alarming and (place.column is None or place.table not in whole))

    @property
    def unsearched_tables(self) -> tuple[str, ...]:
        """The tables with rows in which nobody is looked for, whatever becomes of them."""
        return tuple(
            place.table
            for place in self.tables
            if (place.beyond, place.of_dossiers) != (0, 0) or (place.rows != 0 and self._is_unsearched(place))
        )

    def _is_unsearched(self, table: MapPlace) -> bool:
        return table.fate is not Fate.MAPPED and (table.fate is not Fate.PLATFORM or table.table in self.written_in)

    def new(self, known: Collection[str] | None) -> frozenset[str]:
        """Return the names of places that were not there last time; none where there was no last time."""
        return frozenset() if known is None else frozenset(place.name for place in self.places) - frozenset(known)
