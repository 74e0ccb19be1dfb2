"""Tables of the organisation's own that depend on what the draft maps, as entries that somebody puts in
force: what they belong to, and what each of their columns holds."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from connectors.dynamics.draft.crm_tables import CrmTable
from connectors.dynamics.draft.option_text import candidates, told_rows
from connectors.dynamics.schema.checks.columns import BODIES
from connectors.dynamics.schema.columns_about_nobody import is_about_nobody
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute, TableDefinition
from rules.model.data_map import Fate, MapPlace
from rules.model.records import REGARDING

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "texts": ("StringType", "MemoType"),
        "dates": ("DateTimeType",),
        "numbers": ("IntegerType", "BigIntType", "DecimalType", "DoubleType", "MoneyType"),
        "choices": ("PicklistType", "MultiSelectPicklistType"),
        "yes_no": ("BooleanType",),
        "people": tuple(LOOKUP_TYPES),
        "files": ("FileType", "ImageType"),
    }
)


Told = Callable[[TableDefinition, Attribute], str]  # how many rows have a value in a column


def dependent_entries(
    places: Collection[MapPlace], tables: Mapping[str, CrmTable], kinds: Mapping[str, str], told: Told, terms: Collection[str]
) -> list[str]:
    """Return the lines of the tables with rows that depend on what is mapped and that nothing maps; `kinds`
    are the words of the tables that are mapped, by name, `terms` the rows of the schedule for such tables."""
    found = {
        place.table: tables[place.table]
        for place in places
        if place.column is None and place.rows != 0 and place.fate in (Fate.UNACCOUNTED, Fate.GOES_ALONG) and place.table in tables
    }
    words = {**kinds, **{name: name for name in found}}
    contact = next((name for name, word in kinds.items() if word == "contact"), "")
    lines = [line for name, seen in found.items() for line in _entry(name, seen, words, contact, told, terms)]
    behind = _behind(places, tables, words)
    return [*lines, *(line for name, pointing in behind.items() for line in _entry_behind(tables[name], pointing, contact))]


def _behind(places: Collection[MapPlace], tables: Mapping[str, CrmTable], words: Mapping[str, str]) -> dict[str, dict[str, list[MapPlace]]]:
    """Return the tables with texts of the organisation's own that are not reached and to which mapped rows
    point by a lookup that nothing accounts for, each with these lookups by kind."""
    found: dict[str, dict[str, list[MapPlace]]] = {}
    for place in places:
        column = tables[place.table].definition.attributes.get(place.column or "") if place.table in tables else None
        if column is None or column.kind not in LOOKUP_TYPES or not place.is_alarming or place.table not in words:
            continue
        for name in column.targets - words.keys():
            own = tables[name].definition if name in tables and "_" in name else None
            texts = [each for each in own.attributes.values() if each.kind == "MemoType" and each.is_filled] if own is not None else []
            if texts:
                found.setdefault(name, {}).setdefault(words[place.table], []).append(place)
    return found


def _entry_behind(seen: CrmTable, pointing: Mapping[str, Collection[MapPlace]], contact: str) -> Iterator[str]:
    definition = seen.definition
    yield f"#  {seen.name}:{seen.remark()}"
    lookups = ", ".join(f"{kind}: {_several([str(each.column) for each in found])}" for kind, found in pointing.items())
    counts = ", ".join(f"{each.name} {told_rows(each.rows)}" for found in pointing.values() for each in found)
    yield f"#    behind: {{{lookups}}}  # {counts}; choose: a row goes with the last that points to it"
    yield from _sections(
        seen.name, [each for each in definition.attributes.values() if each.is_filled and not is_about_nobody(each, definition)], contact
    )


def _several(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _entry(name: str, seen: CrmTable, words: Mapping[str, str], contact: str, told: Told, terms: Collection[str]) -> Iterator[str]:
    definition = seen.definition
    columns = [each for each in definition.attributes.values() if each.is_filled and not is_about_nobody(each, definition)]
    above = _owners(columns, words, name)
    tied = [f"tied_by: {{{each.table}: {words[other]}}}" for each in definition.links if (other := each.other(name)) in words]
    if not above and not tied:
        return
    yield f"#  {name}:{seen.remark()}"
    if above:
        owners = ", ".join(f"{each.name}: {_told_words(each, words)}" for each in above)
        counts = ", ".join(f"{each.name} {told(definition, each)}" for each in above)
        several = "; choose: a row goes with the last of these, so leave out what it is only about" if len(above) > 1 else ""
        yield f"#    belongs_to: {{{owners}}}  # {counts}{several}"
    else:
        yield f"#    {tied[0]}"
    yield from _sections(name, [each for each in columns if each not in above], contact)
    if above and (dates := [each for each in columns if each.kind in SECTIONS["dates"]]):
        days = candidates(dates, lambda each: f"{each.name} ({told(definition, each)})")
        rows = ", ".join(terms) or "none yet for the unit own_table"
        yield f"#    # choose: term: {{row: , date: {dates[0].name}}}, only for rows that outlive or precede what they belong to;"
        yield f"#    # date: {days}; row of the schedule: {rows}"


def _sections(table: str, columns: Collection[Attribute], contact: str) -> Iterator[str]:
    """Yield what the columns of a table hold, by section."""
    for section, types in SECTIONS.items():
        fitting = [each for each in columns if each.kind in types and (section != "people" or contact in each.targets)]
        bodies = [each for each in columns if f"{table}.{each.name}" in BODIES]
        fitting = [*fitting, *bodies] if section == "files" else [each for each in fitting if each not in bodies]
        if fitting:
            yield f"#    {section}: [{', '.join(each.name for each in fitting)}]"


def _owners(columns: Collection[Attribute], words: Mapping[str, str], name: str) -> list[Attribute]:
    """Return the lookups by which rows belong to others. One to people alone only names them, unless there is
    no other; one to another row of the table itself says nothing about whose it is."""
    found = [each for each in columns if each.kind in LOOKUP_TYPES and each.name != "ownerid" and each.targets & words.keys() - {name}]
    own = [each for each in found if {words[target] for target in each.targets if target in words} != {"contact"}]
    return own[: len(REGARDING)] or found[:1]


def _told_words(lookup: Attribute, words: Mapping[str, str]) -> str:
    return _several(sorted(words[target] for target in lookup.targets if target in words))
