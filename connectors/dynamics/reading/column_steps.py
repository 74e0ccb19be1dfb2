"""From what a column holds to what a field means: each step makes one list of values from others, for all
rows of a page at once. Which steps a field takes, `row_layout.py` says."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import compress, repeat
from operator import is_, or_
from typing import TYPE_CHECKING, Any

from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.schema.conditions import Scopes
from connectors.dynamics.schema.role_places import swapped
from rules.model.file_roles import FILE_ROLES, FileRole
from rules.model.kinds import LOOKUPS

if TYPE_CHECKING:
    import polars as pl

_VERSION = re.compile(r'(?:W/)?"[!#-~]*"').fullmatch  # as HTTP writes one (RFC 9110, section 8.8.3)
_BETWEEN = '"\nW/"'


@dataclass(frozen=True, slots=True)
class Step:
    """Fills the field `target` with what `fill` makes of the values of `sources`, one list for each; one that
    `asks` looks at other rows than its own, so what it gives is worth nothing the next time. `column` makes
    the same of columns, where all of its sources are. Raises ValueError or KeyError: a value cannot be
    right."""

    target: str
    sources: tuple[str, ...]
    fill: Callable[..., list[Any]]
    asks: bool = False
    column: "Callable[..., pl.Series] | None" = None


def copy(source: str, target: str) -> Step:
    """Copy a field's value, as it came, to a second one of the same column."""
    return Step(target, (source,), lambda values: values, column=lambda values: values)


def meaning(name: str, meanings: dict[Any, Any]) -> Step:
    """Replace each value by what it means."""
    return Step(name, (name,), lambda values: list(map(meanings.__getitem__, values)))


def flags(name: str, keys: dict[str, str]) -> Step:
    """Fill a field from columns of yes and no, each with its key: all yes of categories, of a role the one of
    `_role_of`, else the first."""
    one_of = {"categories": lambda found: found, "role": _role_of}.get(name, lambda found: next(iter(found), None))

    def fill(*columns: list[bool | None]) -> list[Any]:
        found = [
            tuple(dict.fromkeys(key for flag, key in zip(row, keys.values(), strict=True) if flag)) for row in zip(*columns, strict=True)
        ]
        return list(map(one_of, found))

    return Step(name, tuple(keys), fill)


def _role_of(found: tuple[str, ...]) -> str | None:
    """Return the role of somebody with several in one row: a suspicion before all others, since it closes the
    file. Of a child who is suspected it is one that nobody knows: neither the age nor the suspicion may be
    overlooked (R-161, SUS-05)."""
    if {FileRole.CHILD, FileRole.SUSPECT} <= {*found}:
        return "+".join(found)
    return FileRole.SUSPECT.value if FileRole.SUSPECT in found else min(found, key=FILE_ROLES.index, default=None)


def fixed(name: str, key: str) -> Step:
    """Fill a field with what the mapping says of all rows."""
    value = (key,) if name == "categories" else key
    return Step(name, ("id",), lambda ids: [value] * len(ids))


def unversioned() -> Step:
    """Leave empty what has no version: pairs need none, since nobody writes them."""
    return Step("etag", ("etag",), lambda etags: [etag or "" for etag in etags])


def swap(table: Table) -> Step:
    """Return the step by which roles that are lookups of their dossier or fiche get an id of their own."""
    return Step("id", ("id",), lambda ids: [swapped(row, table) for row in ids])


def first(source: str, target: str, fillers: Collection[date] = ()) -> Step:
    """Fill a field from another column where its own is empty, or has a day that stands for none."""
    none = {None, *fillers}

    def column(own: "pl.Series", more: "pl.Series") -> "pl.Series":
        lacking = reduce(or_, (own == day for day in sorted(fillers)), own.is_null())
        return more.zip_with(lacking & more.is_not_null(), own)

    return Step(
        target,
        (target, source),
        lambda own, more: [other if one in none and other is not None else one for one, other in zip(own, more, strict=True)],
        column=column,
    )


def either(source: str, target: str) -> Step:
    """Let a field of yes and no be yes where another column is."""
    return Step(target, (target, source), lambda own, more: [True if other else one for one, other in zip(own, more, strict=True)])


def union(source: str, target: str, keys: dict[Any, tuple[str, ...]]) -> Step:
    """Add what another column stands for to a field of several keys."""
    return Step(
        target,
        (target, source),
        lambda own, more: [tuple(dict.fromkeys((*some, *keys[each]))) for some, each in zip(own, more, strict=True)],
    )


class Asked:
    """Of which kind the rows are to which lookups point, by their tables."""

    def __init__(self, mapping: Mapping, scopes: Scopes | None) -> None:
        self._scopes = scopes
        self._words: dict[str | None, str] = {table.name: table.kind for table in mapping.own}
        self._shared = scopes.shared if scopes is not None else frozenset()
        self._mixed = {name for name in self._shared if len({table.kind for table in mapping.named(name)}) > 1}

    def may_differ(self, targets: Collection[str]) -> bool:
        """Return whether rows to which a lookup to these tables points may be of several kinds: there are
        several tables, or one that holds several kinds."""
        return len(targets) > 1 or not self._mixed.isdisjoint(targets)

    @property
    def known(self) -> tuple[dict[str | None, str], list[str]]:
        """What is known without asking: the word for each table's rows, and the tables that hold several."""
        return self._words, sorted(self._shared)

    def kinds(self, tables: Sequence[str | None], ids: Sequence[str | None]) -> list[str | None]:
        """Return the kind of each row of a table with an id; None: it is of none, out of scope, or there is
        no row. Raises ValueError: a row without the table it is in."""
        if not all(tables) and any(compress(ids, map(is_, tables, repeat(None)))):
            raise ValueError("a lookup without the table it points to")
        found = list(map(self._words.get, tables))
        if self._shared and not self._shared.isdisjoint(tables) and self._scopes is not None:
            self._ask(found, tables, ids)
        return found

    def _ask(self, found: list[str | None], tables: Sequence[str | None], ids: Sequence[str | None]) -> None:
        """Look up the rows of tables that have rows of several kinds."""
        assert self._scopes is not None
        for table in self._shared.intersection(tables):
            asked = {at: row for at, (each, row) in enumerate(zip(tables, ids, strict=True)) if each == table and row is not None}
            kinds = self._scopes.kinds_of(table, set(asked.values()))
            for at, row in asked.items():
                found[at] = kinds.get(row)

    def kind(self, name: str, target: str) -> Step:
        """Turn the logical name of a lookup's target into our word for it; of a parent, a table without a
        word stands as its name."""

        def fill(tables: list[str | None], ids: list[str | None]) -> list[str | None]:
            found = self.kinds(tables, ids)
            if name != "parent_kind":
                return found
            known = self._words.keys() | self._shared
            if set(tables) <= {*known, None}:
                return found
            return [kind if kind is not None or table in known else table for kind, table in zip(found, tables, strict=True)]

        return Step(name, (name, target), fill, asks=bool(self._shared))

    def only(self, hidden: str, name: str, stays: Collection[str | None]) -> Step:
        """Empty a lookup where it points to a row of another kind; `hidden` names the tables. One to a
        row of a kind that `stays` (None: of no kind) is kept, and noted: the row is out of scope with what it
        belongs to."""
        meant = LOOKUPS[name]

        def keep(kind: str | None, table: str | None, row: str | None) -> str | None:
            if row is not None and kind in stays:
                if self._scopes is not None:
                    self._scopes.note_elsewhere(row, table or "", kind)
                return row
            return row if kind in meant else None

        asks = bool(stays or self._shared)
        return Step(name, (hidden, name), lambda tables, ids: list(map(keep, self.kinds(_named(tables), ids), tables, ids)), asks)


def _named(tables: list[str | None]) -> list[str | None]:
    """Return the names of tables; an empty one is none."""
    return [table or None for table in tables] if "" in tables else tables


def are_versions(etags: list[str]) -> bool:
    """Return whether each of these is a version. `*` is none: written back, it would match whatever is there.
    The service writes numbers, and all of a page are looked at together; any other is looked at by itself."""
    text = "\n".join(etags)
    numbers = text.replace(_BETWEEN, "")
    is_usual = text[:3] == 'W/"' and text[-1:] == '"' and len(text) - len(numbers) == len(_BETWEEN) * (len(etags) - 1)
    # Of bytes that is told in a third of the time.
    return (is_usual and numbers.isascii() and numbers[3:-1].encode().isdigit()) or all(map(_VERSION, etags))
