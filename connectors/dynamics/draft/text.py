"""The draft as a mapping file that people go on with: what was derived stands in force, what is open as a
comment that begins with `# choose:`, with candidates and how many rows have a value there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from connectors.dynamics.draft.columns import Drafted, Option
from connectors.dynamics.draft.elsewhere import Elsewhere
from connectors.dynamics.draft.reading import Seen
from connectors.dynamics.draft.statistics_table import COLUMNS, TABLE
from connectors.dynamics.draft.tables import Kinds
from connectors.dynamics.mapping.mapping import OPTIONAL_KINDS, SAFEGUARDS, mappable_fields
from connectors.dynamics.mapping.mapping_file import SCHEMA
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from rules.model.data_map import Fate, Place
from rules.model.records import KINDS

_MOST: Final = 6  # candidates of one choice
_QUOTED: Final = ("yes", "no")

Count = Callable[[TableDefinition, Attribute | None], int | None]


def draft_text(
    kinds: Kinds,
    drafted: Collection[Drafted],
    prefix: str,
    count: Count,
    places: Elsewhere,
    unaccounted: Collection[Place] = (),
    dependent: Collection[str] = (),
) -> str:
    """Return the file. `count` gives the rows of a table, or those with a value in a column; `places` are
    those where something may stand that no column tells; `unaccounted` is what the data map finds that
    nothing accounts for, once the rest is known; `dependent` are lines of tables that hang on others."""
    lines = [
        "# A draft, derived from the CRM's own definitions. Look at every line; each `# choose:` is yours to decide.",
        "# `mapping check` says what is still missing; docs/mapping-fields.md what each field decides.",
        f"schema: {SCHEMA}",
        "",
        "# choose: copies of rows that the Web API does not reach: search_index, lake, offline; [] says that there are none (ERA-12)",
        "# copies: []",
        *_decisions(unaccounted),
        *_dependent(dependent),
        "",
        "tables:",
    ]
    by_kind = {each.kind: each for each in drafted}
    for kind in KINDS:
        if kind in by_kind:
            lines += ["", *_table(by_kind[kind], count), *places.values(by_kind[kind]), *places.masks(by_kind[kind])]
        elif kind == "statistic":
            lines += ["", *_new_statistic(prefix, kinds.candidates.get(kind, ()), count)]
        elif kind not in OPTIONAL_KINDS or kinds.candidates.get(kind):
            lines += ["", f"  # choose: {kind}: {_tables(kinds.candidates.get(kind, ()), count) or 'no table is like it'}"]
        if kind == "party":
            lines += places.roles()
    return "\n".join(lines) + "\n"


def _table(drafted: Drafted, count: Count) -> Iterator[str]:
    definition = drafted.table.definition
    yield f"  {drafted.kind}:  # {told_rows(count(definition, None))}"
    yield f"    table: {definition.name}"
    if unsaid := [name for name in drafted.open if name in SAFEGUARDS.get(drafted.kind, ())]:
        yield f"    # without: [{', '.join(unsaid)}]  # choose: put this in force where the organisation does not record them"
    lean = mappable_fields(KINDS[drafted.kind])
    for section in ("columns", "personal"):
        columns = {name: column for name, column in drafted.columns.items() if (name in lean) == (section == "columns")}
        open_fields = {name: found for name, found in drafted.open.items() if (name in lean) == (section == "columns")}
        if columns or section == "columns":
            yield f"    {section}:{'' if columns else ' {}'}"
        yield from (f"      {name}: {column}" for name, column in columns.items())
        for name, found in open_fields.items():
            yield f"      # choose: {name}{_need(drafted, name)}: {_columns(found, definition, count)}"
    if drafted.choices:
        yield "    choices:"
    for name, options in drafted.choices.items():
        known = [option for option in options if option.key]
        yield f"      {name}:{'' if known else ' {}'}"
        yield from (f"        {_option(option)}" for option in options)


def _need(drafted: Drafted, name: str) -> str:
    if name in SAFEGUARDS.get(drafted.kind, ()):
        return " (needed, or under without)"
    return " (needed)" if name in drafted.needed else ""


def _option(option: Option) -> str:
    said = " / ".join(option.labels) or "without a label"
    if option.key:
        return f"{option.value}: {_key(option.key)}  # {said}"
    return f"# choose: {option.value}: {option.like or 'no key is like it'}  # {said}"


def _key(key: str) -> str:
    return f'"{key}"' if key in _QUOTED else key


def _columns(found: Iterable[Attribute], definition: TableDefinition, count: Count) -> str:
    told = [f"{each.name} ({each.kind.removesuffix('Type')}, {told_rows(count(definition, each))})" for each in list(found)[:_MOST]]
    return " | ".join(told) or "no column is like it"


def _tables(found: Iterable[Seen], count: Count) -> str:
    return " | ".join(f"{each.name} ({told_rows(count(each.definition, None))})" for each in list(found)[:_MOST])


def told_rows(number: int | None) -> str:
    if number is None:
        return "rows not counted"
    return "5,000 rows or more" if number >= 5_000 else f"{number} row{'' if number == 1 else 's'}"


def _new_statistic(prefix: str, candidates: Iterable[Seen], count: Count) -> Iterator[str]:
    told = _tables(candidates, count)
    yield f"  # choose: no table is like that of statistics{f' ({told})' if told else ''}: statistics-table --create makes this one"
    yield "  statistic:"
    yield f"    table: {prefix}_{TABLE}"
    yield "    columns:"
    yield from (f"      {column.field}: {prefix}_{column.name}" for column in COLUMNS)


def _dependent(entries: Collection[str]) -> Iterator[str]:
    if entries:
        yield ""
        yield "# choose: tables that hang on these rows: what stands here is searched, told and deleted with what it belongs to"
        yield "# dependent:"
        yield from entries


def _decisions(places: Collection[Place]) -> Iterator[str]:
    """What nothing accounts for and has rows, as entries that somebody puts in force with a reason."""
    tables = [place for place in places if place.column is None and place.fate is Fate.UNACCOUNTED]
    columns = [place for place in places if place.column is not None and place.fate is Fate.UNACCOUNTED and place.rows != 0]
    named = {place.table for place in tables}
    if tables:
        yield ""
        yield "# choose: rows of these tables would stay behind; map them, or say that they may stay, why, and who decided it"
        yield "# stay:"
        yield from (f'#   {place.table}: {{why: "", by: ""}}  # {told_rows(place.rows)}; {place.why}' for place in tables)
    own = [place for place in columns if place.table not in named]
    if own:
        yield ""
        yield "# choose: these columns have values and fill no field; map them, or say that they go with their row, unsearched"
        yield "# goes_along:"
        yield from (f'#   {place.name}: {{why: "", by: ""}}  # {told_rows(place.rows)}' for place in own)
