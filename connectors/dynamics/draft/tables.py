"""Which table is which kind of row, by what its relationships, its columns and its names suggest.

A party has lookups to a person and to a case, a communication or both; a communication points to its case; a
recording to a communication. Where only the shape fits, a person has to choose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

from connectors.dynamics.draft.crm_tables import CrmTable
from connectors.dynamics.draft.words import FIELD_WORDS, KINDS_BY_WORD, OPTION_WORDS, STANDARD_TABLES, Words
from rules.model.kinds import FILES, RELATIONS
from rules.texts.folding import fold

MAYBE_FICHES: Final = ("phonecall",)  # standard tables of which each row may be a communication of its own
_TO_FILES: Final = 2  # lookups of a party to what people take part in
_LEAST_WORD: Final = 5  # letters of a word that may stand within a name


@dataclass(slots=True)
class Kinds:
    """The table of each kind, candidates for the kinds that have none, and tables that may hold
    communications too."""

    found: dict[str, CrmTable] = field(default_factory=dict)
    also: list[CrmTable] = field(default_factory=list)
    candidates: dict[str, list[CrmTable]] = field(default_factory=dict)


def likeness(names: tuple[str, ...], words: tuple[str, ...]) -> int:
    """Return how well a name fits words for a thing: 3 it is one of them, 2 it begins or ends with one, 0 it
    does not."""
    if any(name in words for name in names):
        return 3
    long = [word for word in words if len(word) >= _LEAST_WORD]
    return 2 if any(name.startswith(word) or name.endswith(word) for name in names for word in long) else 0


def kinds_of(tables: Mapping[str, CrmTable], words: Words) -> Kinds:
    """Return which table is which kind; `words` are what the values of fields are called."""
    kinds = Kinds({kind: tables[name] for kind, name in STANDARD_TABLES.items() if name in tables})
    own = [table for table in tables.values() if table.name not in STANDARD_TABLES.values()]
    kinds.found |= _files(own)
    taken = {table.name for table in kinds.found.values()}
    rest = [table for table in own if table.name not in taken]
    fiche = kinds.found.get("fiche")
    files = [kinds.found[kind] for kind in FILES if kind in kinds.found]
    shapes = {
        "recording": [table for table in rest if any(table.lookups_to(each.name) for each in files)],
        **{kind: [table for table in rest if table.lookups_to("contact")] for kind in RELATIONS},
        "statistic": [table for table in rest if not _points_to_somebody(table) and _has_year_and_count(table)],
    }
    for kind, fitting in shapes.items():
        named = [table for table in fitting if _named(table, kind) and table.name not in taken]
        if len(named) == 1 or (kind == "statistic" and len(fitting) == 1):
            kinds.found[kind] = (named or fitting)[0]
            taken.add(kinds.found[kind].name)
        else:
            kinds.candidates[kind] = named or fitting
    for kind, fitting in kinds.candidates.items():
        kinds.candidates[kind] = [table for table in fitting if table.name not in taken]
    if "dossier" in kinds.found and fiche is not None:
        dossier = kinds.found["dossier"].name
        kinds.also = [
            table for table in rest if table.name not in taken and table.lookups_to(dossier) and _options_like(table, words["categories"])
        ]
    for kind in (*FILES, "party"):
        if kind not in kinds.found:
            fitting = [
                table for table in rest if table.name not in taken and table not in kinds.also and (kind != "party" or _may_be_party(table))
            ]
            kinds.candidates[kind] = sorted(fitting, key=lambda table: -_named(table, kind))
    if "fiche" not in kinds.found:
        cases = [kinds.found["dossier"]] if "dossier" in kinds.found else kinds.candidates["dossier"]
        maybe = [*kinds.candidates["fiche"], *(tables[name] for name in MAYBE_FICHES if name in tables)]
        kinds.candidates["fiche"] = [each for each in maybe if any(each.lookups_to(case.name) for case in cases if case is not each)]
    return kinds


def _files(own: list[CrmTable]) -> dict[str, CrmTable]:
    """Return dossier, fiche and party: the tables that fit each other best."""
    best: tuple[int, dict[str, CrmTable]] = (0, {})
    for found in _fitting(own):
        score = sum(_named(table, kind) for kind, table in found.items())
        if (party := found.get("party")) is not None:
            is_in_both = all(kind in found and party.lookups_to(found[kind].name) for kind in FILES)
            score += (
                (4 if is_in_both or _named(party, "party") else 0) + (3 if _options_like(party, OPTION_WORDS["role"]) else 0) + is_in_both
            )
        if score > best[0]:
            best = score, found
    return best[1]


def _fitting(own: list[CrmTable]) -> Iterator[dict[str, CrmTable]]:
    """Yield tables that point to each other as dossier, fiche and party do. A party is in both; one that is
    called so, or has options called like roles, may be in fiches alone, or in dossiers alone where no other
    is."""
    parties = [table for table in own if _may_be_party(table)]
    likely = [table for table in parties if _named(table, "party") or _options_like(table, OPTION_WORDS["role"])]
    for dossier, fiche in permutations(own, 2):
        if not (fiche.lookups_to(dossier.name) and _has_days(dossier)):
            continue
        for party in parties:
            if party in (dossier, fiche):
                continue
            in_dossier, in_fiche = party.lookups_to(dossier.name), party.lookups_to(fiche.name)
            is_likely = party in likely and (in_fiche or (in_dossier and _named(fiche, "fiche") and len(likely) == 1))
            if is_likely or (in_dossier and in_fiche):
                yield {"dossier": dossier, "fiche": fiche, "party": party}
        if _named(dossier, "dossier") or _named(fiche, "fiche"):
            yield {"dossier": dossier, "fiche": fiche}


def _named(table: CrmTable, kind: str) -> int:
    return likeness(table.names, KINDS_BY_WORD[kind])


def _has_days(table: CrmTable) -> bool:
    """Return whether a table has days of the organisation's own: a case has, a list of words has none."""
    return any(each.kind == "DateTimeType" and "_" in each.name for each in table.definition.attributes.values())


def _may_be_party(table: CrmTable) -> bool:
    return bool(table.lookups_to("contact")) and _may_tell_roles(table)


def _may_tell_roles(table: CrmTable) -> bool:
    """Return whether a table has a choice, or a lookup to a list, that could say how somebody takes part."""
    attributes = table.definition.attributes.values()
    lookups = [each for each in attributes if each.kind == "LookupType" and "_" in each.name and "contact" not in each.targets]
    return len(lookups) > _TO_FILES or any(each.kind == "PicklistType" and "_" in each.name for each in attributes)


def _options_like(table: CrmTable, keys: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether two options of one column are called like some of these keys."""
    words = {word for each in keys.values() for word in each}
    counts = [sum(any(fold(label) in words for label in labels) for labels in options.values()) for options in table.labels.values()]
    return max(counts, default=0) >= 2


def _points_to_somebody(table: CrmTable) -> bool:
    """Return whether a table has a lookup that the organisation made: statistics are about nobody (5.4)."""
    return any("_" in parent.column for parent in table.definition.parents)


def _has_year_and_count(table: CrmTable) -> bool:
    numbers = [name for name, each in table.definition.attributes.items() if each.kind in ("IntegerType", "BigIntType")]
    words = FIELD_WORDS["statistic"]
    return all(any(likeness(table.columns.get(name, ()), words[field]) for name in numbers) for field in ("year", "count"))
