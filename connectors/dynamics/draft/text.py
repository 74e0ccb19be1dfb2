"""The draft as a mapping file for people to complete: what was derived is in force, what is open is a comment
that begins with `# choose:`, with candidates and how many rows have a value there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.dynamics.draft.crm_tables import CrmTable, CrmTables
from connectors.dynamics.draft.dependent import SECTIONS, dependent_entries
from connectors.dynamics.draft.option_text import MOST, candidates, choice_lines, counted, option_lines, told_rows
from connectors.dynamics.draft.other_places import OtherPlaces
from connectors.dynamics.draft.proposal import Drafted
from connectors.dynamics.draft.statistics_table import COLUMNS, TABLE
from connectors.dynamics.draft.tables import Kinds
from connectors.dynamics.draft.words import Words
from connectors.dynamics.mapping.checks import can_be_further
from connectors.dynamics.mapping.mapping import OPTIONAL_KINDS, SAFEGUARDS, mappable_fields
from connectors.dynamics.mapping.mapping_file import SCHEMA
from connectors.dynamics.schema.checks.columns import BODIES
from connectors.dynamics.schema.metadata import TTL, Attribute, TableDefinition
from connectors.dynamics.schema.role_places import ACTIVITY_ID
from rules.model.data_map import Fate, MapPlace
from rules.model.records import KINDS

_WITH_FILES: Final = frozenset(body.partition(".")[0] for body in BODIES)
Count = Callable[[TableDefinition, Attribute | None], int | None]


@dataclass(frozen=True, slots=True)
class Draft:
    """What was derived from a CRM: its tables by kind, their columns, the prefix of its publisher; `maybe`
    are the columns of tables that could be a needed kind, `more` those of further tables of a kind that has
    one, `categories` the schedule's keys."""

    reader: CrmTables
    kinds: Kinds
    drafted: tuple[Drafted, ...]
    prefix: str
    tables: Mapping[str, CrmTable]
    words: Words
    maybe: Mapping[str, tuple[Drafted, ...]]
    more: Mapping[str, tuple[Drafted, ...]]
    categories: tuple[str, ...]

    def text(self, unaccounted: Collection[MapPlace] = (), terms: Collection[str] = (), needed: Collection[str] = ()) -> str:
        """Return the file, with what the data map finds that nothing accounts for; `terms` are rows of the
        schedule for dependent tables, `needed` lookups on which somebody has to decide."""
        places = OtherPlaces(self.tables, self.kinds.found, self.reader, self.words, told_rows, self.categories)
        words = {seen.name: kind for kind, seen in self.kinds.found.items() if kind != "statistic"}
        tables = {**self.tables, **{each.name: each for each in self._activities(unaccounted)}}
        own = dependent_entries(unaccounted, tables, words, lambda table, each: told_rows(self.reader.count(table, each)), terms)
        lines = [
            "# A draft, derived from the CRM's own definitions. Look at every line; each `# choose:` is yours to decide.",
            "# `mapping check` says what is still missing; docs/mapping-fields.md what each field decides.",
            f"schema: {SCHEMA}",
            "",
            "# choose: copies of rows that the Web API does not reach: search_index, lake, offline; [] says that there are none (ERA-12)",
            "# copies: []",
            *_decisions(
                [each for each in unaccounted if not any(_is_text(each, one) for one in self.drafted)], needed, self._kept_elsewhere
            ),
            *_dependent(own),
            "",
            "tables:",
        ]
        for kind in KINDS:
            lines += self._kind(kind, places, unaccounted)
        return "\n".join(lines) + "\n"

    def _kind(self, kind: str, places: OtherPlaces, unaccounted: Collection[MapPlace]) -> Iterator[str]:
        """Yield one kind: its table in force, or which tables may be it."""

        def entry(drafted: Drafted) -> Iterator[str]:
            yield from _table(drafted, self.reader, self.categories, [each for each in unaccounted if _is_text(each, drafted)])
            yield from places.values(drafted)
            yield from places.masks(drafted)

        found, candidates, count = self.kinds.found, self.kinds.candidates.get(kind, ()), self.reader.count
        roles = list(places.roles()) if kind == "party" else []
        drafted = next((each for each in self.drafted if each.kind == kind), None)
        if drafted is not None:
            yield ""
            calls = found["call"].name if "call" in found else ""
            yield from _in_force(entry(drafted), [(each, entry(each)) for each in self.more.get(kind, ())], roles, calls)
        elif kind == "statistic":
            yield ""
            yield from _new_statistic(self.prefix, candidates, count)
        elif kind not in OPTIONAL_KINDS or candidates:
            yield ""
            maybe = self.maybe.get(kind, ())
            yield from _candidates(kind, candidates, count, bool(maybe))
            if shared := [each.name for each in candidates if each in found.values()]:
                told = f"{shared[0]} stands below as {next(other for other, each in found.items() if each.name == shared[0])} too"
                yield f"  # {told}: leave that out, or tell both apart by a column under `only`"
            yield from _proposed(kind, [list(entry(each)) for each in maybe], roles)

    def _activities(self, places: Collection[MapPlace]) -> Iterator[CrmTable]:
        """Yield the activities of the platform among the tables that nothing maps, and what is attached to
        activities: what people wrote in them belongs to what they are about."""
        for name in dict.fromkeys(place.table for place in places if place.column is None and place.table not in self.tables):
            seen = self.reader.seen(name)
            if seen is not None and (seen.definition.primary_id == ACTIVITY_ID or name in _WITH_FILES):
                yield seen

    def _kept_elsewhere(self, name: str) -> str:
        """Return why a table is not among those that may be mapped, where the check would refuse it."""
        definition = self.reader.table(name)
        if definition is not None and definition.is_virtual:
            return "; a virtual table, which cannot be mapped: see to its rows where they are kept"
        if definition is not None and definition.is_elastic:
            return f"; an elastic table, which cannot be mapped: let its rows end by themselves ({TTL})"
        return ""

    @property
    def derived(self) -> int:
        """How many fields have a column."""
        return sum(len(each.columns) for each in self.drafted)

    @property
    def open_tables(self) -> tuple[str, ...]:
        """The kinds that need a table and have none."""
        return tuple(sorted(KINDS.keys() - OPTIONAL_KINDS - self.kinds.found.keys()))

    @property
    def open_fields(self) -> tuple[str, ...]:
        """The fields that are needed and have no column."""
        return tuple(f"{each.kind}.{name}" for each in self.drafted for name in each.open if name in each.needed)


def _candidates(kind: str, found: Sequence[CrmTable], count: Count, is_drafted: bool) -> Iterator[str]:
    """Yield which tables may be a kind that none is surely, and what to do with them."""
    told = _tables(found, count)
    need = "may be left out where there is none" if kind in OPTIONAL_KINDS else "needed"
    if not found:
        places = "; see the places below" if kind == "party" else ""
        yield f"  # choose: {kind} ({need}): no table is like it{places}"
    elif len(found) == 1:
        ask = "put the block in force if it is" if is_drafted else "is it one"
        yield f"  # choose: {kind} ({need}), {ask}: {told}"
    else:
        ask = "put the item of the right one in force, or of several, with the line above them" if is_drafted else "is one of them it"
        yield f"  # choose: {kind} ({need}), {ask}: {told}"


def _in_force(entry: Iterable[str], more: Collection[tuple[Drafted, Iterable[str]]], roles: Collection[str], calls: str) -> Iterator[str]:
    """Yield a kind with its table in force; as a list where other tables or places of roles may be it too,
    which follow as comments: a kind stands in a mapping once."""
    head, *body = entry
    yield head
    if not more and not roles:
        yield from body
        return
    yield from (f"    {line}" for line in _item(body))
    for each, (_, *lines) in more:
        yield f"    # choose: rows of {each.table.name} may be such too; put this in force then"
        yield from (f"    # {line}" for line in _item(lines))
        if each.table.name == calls:
            own = _own_choices(each.table)
            told = f"only: {{{own[0]}: []}}, and the other values under call, or leave call out"
            yield f"    #   # choose: {told}; told apart by {', '.join(own[:MOST])}"
    if roles:
        yield "    # choose: places that may keep roles too; put those in force that do, with their keys"
        yield from (f"    # {line}" for line in roles)


def _proposed(kind: str, blocks: Sequence[Sequence[str]], roles: Collection[str]) -> Iterator[str]:
    """Yield what may be a kind as one block of comments; as a list where there is more than one table, or
    places of roles."""
    if len(blocks) == 1 and not roles:
        yield ""
        yield from (f"  # {line.removeprefix('  ')}" for line in blocks[0])
    elif blocks or roles:
        if roles:
            yield "  # choose: places that may keep roles; put those in force that do, with their keys"
        yield f"  # {kind}:"
        for _, *body in blocks:
            yield from (f"  #   {line}" for line in _item(body))
        yield from (f"  #   {line}" for line in roles)


def _item(body: Iterable[str]) -> Iterator[str]:
    """Yield the lines of one table, as they stand below its kind, as an item of a list."""
    return (f"- {line.strip()}" if not at else f"  {line.removeprefix('    ')}" for at, line in enumerate(body))


def _own_choices(table: CrmTable) -> list[str]:
    """Return the choices that the organisation added to a table."""
    attributes = table.definition.attributes.values()
    return [
        each.name
        for each in attributes
        if each.kind == "PicklistType" and "_" in each.name and each.updatable and not each.name.startswith("address")
    ]


def are_fiches_too(calls: CrmTable | None, count: Count) -> bool:
    """Return whether telephone calls may be communications too: the organisation tells them apart."""
    return calls is not None and bool(_own_choices(calls)) and bool(count(calls.definition, None))


def _is_text(place: MapPlace, drafted: Drafted) -> bool:
    """Return whether a place is a text of a table, with values, that fills no field."""
    attribute = drafted.table.definition.attributes.get(place.column or "") if place.table == drafted.table.name else None
    is_open = place.fate is Fate.UNACCOUNTED and place.rows != 0 and place.column not in drafted.columns.values()
    return is_open and attribute is not None and attribute.kind in SECTIONS["texts"] and can_be_further(drafted.kind, attribute.name)


def _table(drafted: Drafted, reader: CrmTables, categories: Collection[str], texts: Collection[MapPlace]) -> Iterator[str]:
    definition, count = drafted.table.definition, reader.count
    yield f"  {drafted.kind}:  # {told_rows(count(definition, None))}"
    yield f"    table: {definition.name}{drafted.table.remark()}"
    if drafted.either:
        yield f"    either: [{', '.join(drafted.either)}]"
    if unsaid := [name for name in drafted.open if name in SAFEGUARDS.get(drafted.kind, ())]:
        yield f"    # without: [{', '.join(unsaid)}]  # choose: put this in force where the organisation does not record them"
    lean = mappable_fields(KINDS[drafted.kind])
    for section in ("columns", "personal"):
        columns = {name: column for name, column in drafted.columns.items() if (name in lean) == (section == "columns")}
        open_fields = {name: found for name, found in drafted.open.items() if (name in lean) == (section == "columns")}
        if columns or open_fields or section == "columns":
            yield f"    {section}:"
        for name, column in columns.items():
            yield f"      {name}: {column}{drafted.table.remark(column)}"
            if found := [each for each in drafted.instead.get(name, ()) if count(definition, each) != 0]:
                yield f"      # choose: {name} may stand in a column of your own instead: {_columns(found, drafted.table, count)}"
        for name, found in open_fields.items():
            yield f"      # choose: {name}{_need(drafted, name)}: {_columns(found, drafted.table, count)}"
    if texts:
        told = ", ".join(f"{each.column} {told_rows(each.rows)}" for each in texts)
        yield "    # choose: these texts fill no field; put this in force where they speak of people, else name them under goes_along"
        yield f"    # texts: [{', '.join(str(each.column) for each in texts)}]  # {told}"
    if drafted.choices:
        yield "    choices:"
    for name, options in drafted.choices.items():
        yield f"      {name}:"
        attribute = definition.attributes[drafted.columns[name]]
        lines = choice_lines(name, options, categories if name == "categories" else (), counted(definition, attribute, reader))
        yield from (f"        {line}" for line in lines)
    if drafted.references:
        yield "    references:"
    for name, each in drafted.references.items():
        lines = option_lines(
            name, each.by, each.options, categories if name == "categories" else (), counted(definition, each.column, reader)
        )
        yield from (f"    {line}" for line in lines)


def _need(drafted: Drafted, name: str) -> str:
    if name in SAFEGUARDS.get(drafted.kind, ()):
        return " (needed, or under without)"
    return " (needed)" if name in drafted.needed else ""


def _columns(found: Sequence[Attribute], table: CrmTable, count: Count) -> str:
    def told(each: Attribute) -> str:
        shown = f"{table.shown[each.name]}; " if table.shown.get(each.name) else ""
        return f"{each.name} ({shown}{each.kind.removesuffix('Type')}, {told_rows(count(table.definition, each))})"

    return candidates(found, told) or "no column is like it"


def _tables(found: Sequence[CrmTable], count: Count) -> str:
    return candidates(found, lambda each: f"{each.name} ({told_rows(count(each.definition, None))})")


def _new_statistic(prefix: str, candidates: Sequence[CrmTable], count: Count) -> Iterator[str]:
    told = _tables(candidates, count)
    yield f"  # choose: no table is like that of statistics{f' ({told})' if told else ''}: statistics-table --create makes this one"
    yield "  statistic:"
    yield f"    table: {prefix}_{TABLE}"
    yield "    columns:"
    yield from (f"      {column.field}: {prefix}_{column.name}" for column in COLUMNS)


def _dependent(entries: Collection[str]) -> Iterator[str]:
    if entries:
        yield ""
        yield "# choose: tables that depend on these rows: what stands here is searched, disclosed and deleted with what it belongs to"
        yield "# dependent:"
        yield from entries


def _decisions(places: Collection[MapPlace], needed: Collection[str], elsewhere: Callable[[str], str]) -> Iterator[str]:
    """Yield what nothing accounts for and has rows, or is `needed`, as entries that somebody puts in force
    with a reason."""
    tables = [place for place in places if place.column is None and place.fate is Fate.UNACCOUNTED]
    columns = [place for place in places if place.column is not None and place.fate is Fate.UNACCOUNTED and place.rows != 0]
    named = {place.table for place in tables}
    if tables:
        yield ""
        yield "# choose: rows of these tables would stay behind; map them, or say that they may stay, why, and who decided it"
        yield "# stay:"
        for place in tables:
            yield f'#   {place.table}: {{why: "", by: ""}}  # {told_rows(place.rows)}; {place.why}{elsewhere(place.table)}'
    own = {place.name: place.rows for place in columns if place.table not in named}
    own = {**dict.fromkeys(sorted(needed), 0), **own}
    if own:
        yield ""
        yield "# choose: these columns have values and fill no field; map them, or say that they go with their row, unsearched"
        yield "# goes_along:"
        told = "; (needed): rows may belong to something by it, so tie them in one way in the CRM, or say here why it tells nothing more"
        yield from (f'#   {name}: {{why: "", by: ""}}  # {told_rows(rows)}{told if name in needed else ""}' for name, rows in own.items())
