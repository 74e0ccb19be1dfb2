"""N:N relationships: two tables, and an intersect table that holds the pairs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Side:
    """`attribute` is the intersect table's column with this side's ids; `navigation`, on this side's table,
    gives the rows of the other."""

    table: str
    attribute: str
    navigation: str


@dataclass(frozen=True)
class ManyToMany:
    """One N:N relationship. Its two sides are alike, but they come in an order."""

    name: str
    intersect: str
    one: Side
    two: Side

    def joins(self, table: str) -> bool:
        return table in (self.one.table, self.two.table)


@dataclass(frozen=True)
class Peers:
    """An N:N relationship as a row of the near side sees it: a collection of rows of the far side."""

    relation: ManyToMany
    near: Side
    far: Side

    @property
    def name(self) -> str:
        return self.near.navigation


def read_relation(spec: Mapping[str, Any], key_of: Callable[[str], str]) -> ManyToMany:
    """Read one entry of a `many_to_many` list; `key_of` gives the key column of a table."""
    name = str(spec["name"])
    keys = [key_of(str(spec["one"])), key_of(str(spec["two"]))]
    navigations = [str(spec.get("one_navigation", name)), str(spec.get("two_navigation", name))]
    if spec["one"] == spec["two"]:
        if navigations[0] == navigations[1]:
            raise ValueError(f"relationship {name} joins {spec['one']} with itself: it needs a one_navigation and a two_navigation")
        keys = [keys[0] + "one", keys[1] + "two"]
    one, two = (Side(str(spec[side]), key, nav) for side, key, nav in zip(("one", "two"), keys, navigations, strict=True))
    return ManyToMany(name, str(spec.get("intersect", name)), one, two)


def peers_of(table: str, relations: Iterable[ManyToMany]) -> dict[str, Peers]:
    """Return a table's collections through an intersect table, by the name of their navigation property."""
    found: dict[str, Peers] = {}
    for relation in relations:
        for near, far in ((relation.one, relation.two), (relation.two, relation.one)):
            if near.table == table:
                found[near.navigation] = Peers(relation, near, far)
    return found
