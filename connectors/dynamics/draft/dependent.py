"""Tables of the organisation's own that hang on what the draft maps, as entries that somebody puts in force:
what they belong to, and what each of their columns holds."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from connectors.dynamics.draft.reading import Seen
from connectors.dynamics.schema.housekeeping import is_housekeeping
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute
from rules.model.data_map import Fate, Place

_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
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


def dependent_entries(places: Collection[Place], tables: Mapping[str, Seen], kinds: Mapping[str, str]) -> list[str]:
    """Return the lines of the tables with rows that hang on what is mapped and that nothing maps; `kinds` are
    the words of the tables that are mapped, by name."""
    found = {
        place.table: tables[place.table]
        for place in places
        if place.column is None and place.rows != 0 and place.fate in (Fate.UNACCOUNTED, Fate.GOES_ALONG) and place.table in tables
    }
    words = {**kinds, **{name: name for name in found}}
    contact = next((name for name, word in kinds.items() if word == "contact"), "")
    return [line for name, seen in found.items() for line in _entry(name, seen, words, contact)]


def _entry(name: str, seen: Seen, words: Mapping[str, str], contact: str) -> Iterator[str]:
    columns = [each for each in seen.definition.attributes.values() if each.is_filled and not is_housekeeping(each, seen.definition)]
    above = next((line for each in columns if (line := _above(each, words))), "")
    tied = [f"tied_by: {{{each.table}: {words[other]}}}" for each in seen.definition.links if (other := each.other(name)) in words]
    if not above and not tied:
        return
    yield f"#  {name}:"
    yield f"#    {above or tied[0]}"
    for section, types in _SECTIONS.items():
        fitting = [each for each in columns if each.kind in types and f"belongs_to: {{{each.name}:" not in above]
        if section == "people":
            fitting = [each for each in fitting if contact in each.targets]
        if fitting:
            yield f"#    {section}: [{', '.join(each.name for each in fitting)}]"


def _above(lookup: Attribute, words: Mapping[str, str]) -> str:
    """Return what the rows belong to by a lookup; empty where it leads to nothing that is mapped."""
    if lookup.kind not in LOOKUP_TYPES or lookup.name == "ownerid":
        return ""
    found = sorted(words[target] for target in lookup.targets if target in words)
    told = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
    return f"belongs_to: {{{lookup.name}: {told}}}" if found else ""
