"""Words of a mapping that the schedule does not know: a row of its own that is not there, and keys that
resemble one that is, where a typing error would keep units for ever; and rows of the schedule that no
category of the mapping goes by."""

from collections.abc import Collection, Iterable, Iterator, Set
from itertools import chain
from typing import Final, NamedTuple

from connectors.dynamics.mapping.mapping import Column, Mapping, Table
from rules.files.suggestions import asked, nearest, suggestion
from rules.model.records import UnitKind
from rules.policy.checks import unreached
from rules.policy.policy import Policy

_OWN: Final = UnitKind.OWN_TABLE.value


class Misspelt(NamedTuple):
    """The place of a word, what to report, and the word that was probably meant ("" where none is like
    it)."""

    where: str
    message: str
    meant: str


def misspelt(mapping: Mapping, policy: Policy, *, each_night: bool = False) -> Iterator[Misspelt]:
    """Yield each row of the schedule that a dependent table names and that is not in force for it, and each
    key of a category or kind that the schedule does not know and that is like one it knows, once each; then
    the rows in force that no category goes by. A key that is like none may be one that nobody has decided on
    yet: its units are kept (R-161), and a plan says so. `each_night`: without the rows for whose categories
    no option stands here, since a CRM may have none such."""
    told, meant, categories = set(), set(), policy.crm_categories
    for table in mapping.tables:
        for slip in chain(_term(table, policy), _keys(table, policy, categories)):
            if slip.where not in told:
                told.add(slip.where)
                meant.add(slip.meant)
                yield slip
    stated = list(_categories(mapping))
    if stated:
        yield from _unreached({key for _, key in stated}, meant, stated[0][0], policy, each_night=each_night)


def _unreached(stated: Set[str], meant: Set[str], where: str, policy: Policy, *, each_night: bool) -> Iterator[Misspelt]:
    """Yield the rows in force that no category of the mapping goes by: none leads there, or only such as the
    mapping gives to no option; what was `meant` by a key that stands there is told with that."""
    told = "no category here goes by the row{} {} of the schedule: {}"
    found = list(unreached(policy, stated))
    if found:
        remedy = "name under derive the one of the CRM that does"
        yield Misspelt(where, told.format("s" if len(found) > 1 else "", ", ".join(found), remedy), "")
    if each_night:
        return
    leading: dict[str, list[str]] = {}
    for key, lines in policy.derive.items():
        for row in {line.key for line in lines}:
            leading.setdefault(row, []).append(key)
    lost = {row: keys for row, keys in leading.items() if policy.categories[row].enabled and (stated | meant).isdisjoint(keys)}
    if lost:
        keys = ", ".join(dict.fromkeys(key for found in lost.values() for key in found))
        remedy = f"derive leads there from {keys}, for which no option stands here; without such files, put enabled: false there"
        yield Misspelt(where, told.format("s" if len(lost) > 1 else "", ", ".join(sorted(lost)), remedy), "")


def category_keys(mapping: Mapping) -> frozenset[str]:
    """Return the keys of the categories that dossiers and fiches may have."""
    return frozenset(key for _, key in _categories(mapping))


def own_rows(policy: Policy) -> list[str]:
    """Return the rows of the schedule that a dependent table may name."""
    return [name for name, each in policy.categories.items() if each.unit == _OWN]


def _term(table: Table, policy: Policy) -> Iterator[Misspelt]:
    """Yield why the row of the schedule that decides on a dependent table does not fit."""
    if table.own is None or not table.own.term:
        return
    key, rows = table.own.term, policy.categories
    row, own = rows.get(key), own_rows(policy)
    kept = f"the rows of {table.name} are kept as UNCONFIGURED"
    if row is not None and row.unit != _OWN:
        told = f"the row {key} of the schedule is for the unit {row.unit}, and {kept}: name one for the unit {_OWN}"
    elif row is not None and not row.enabled:
        told = f"the row {key} of the schedule is not enabled, and {kept}"
    elif row is None:
        told = f"the schedule has no row {key}, and {kept}: add it for the unit {_OWN}, or name one that there is"
    else:
        return
    found = suggestion(key, own) if row is None or row.unit != _OWN else ""
    yield Misspelt(table.lines["term"], told + asked(found), found)


def _keys(table: Table, policy: Policy, categories: Collection[str]) -> Iterator[Misspelt]:
    for field, word, known in (
        ("categories", "category", categories),
        ("kind", f"kind of {table.kind}", policy.kinds.get(table.kind, ())),
    ):
        for column in (table.columns.get(field), table.pairs.get(field)):
            for where, key in _stated(column) if column is not None else ():
                meant = nearest(key, known) if key not in known else None
                if meant is not None:
                    yield Misspelt(where, f"the schedule knows no {word} {key}, and its units are kept{asked(meant)}", meant)


def _categories(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield the keys of categories, each with its place."""
    for table in mapping.tables:
        if "categories" in table.fixed:
            yield table.lines["categories"], table.fixed["categories"]
        for column in (table.columns.get("categories"), table.pairs.get("categories")):
            yield from _stated(column) if column is not None else ()


def _stated(column: Column) -> Iterable[tuple[str, str]]:
    """Return the keys for which a column stands, each with its place."""
    stated = column.choice or column.reference
    if stated is not None:
        return zip(stated.where.values(), stated.keys.values(), strict=True)
    return ((column.place(name), key) for name, key in column.flags)
