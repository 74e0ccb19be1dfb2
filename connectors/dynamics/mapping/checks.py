"""What must fit together in a mapping beyond the form of its values: which fields each kind of row has, which
of them it needs, and what each may stand for. Source: R-161; SUS-02, R-112; ERA-07; section 5.2."""

import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Set
from datetime import date, datetime
from itertools import product
from typing import Final

from connectors.dynamics.mapping.dependent_checks import check_dependent
from connectors.dynamics.mapping.mapping import (
    ANSWERS,
    CONNECTION,
    HOLD,
    IN_EITHER,
    MANY,
    MASKED_KINDS,
    MUST_BE_CHOICE,
    ONE_TABLE,
    OPTIONAL_KINDS,
    REQUIRED_FIELDS,
    SAFEGUARDS,
    TRUTHS,
    choice_keys,
    field_type,
    mappable_fields,
    referred_fields,
)
from connectors.dynamics.mapping.mapping_file import AnonymisePart, Keys, MappingFile, TablePart
from connectors.dynamics.mapping.slip import Slip
from rules.files.suggestions import suggestion
from rules.files.yaml_lines import Path
from rules.model.kinds import FILES, LOOKUPS, ROW_KINDS
from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS

_SUSPECT: Final = re.compile(r"suspect|verdacht|dader|perpetrator|offender|soup[cç]on|beschuldig", re.IGNORECASE)
# Days of one row that no single column can hold: where a period begins and where it ends, and days that are
# no other day.
BEGINNINGS: Final = frozenset({"opened_on", "reopened_on", "started_on", "started_at"})
ENDS: Final = frozenset({"closed_on", "proceedings_ended_on", "ended_on", "ended_at"})
_OWN_DAYS: Final = frozenset({"birth_on", "deceased_on", "anonymised_on", "authority_valid_until", "suspect_until"})
_FILLED_BY: Final = ("columns", "flags", "fixed", "many_to_many")  # sections that say from where a field comes
_UNKNOWN: Final = "this is not known here"


def check_mapping(file: MappingFile, given: Callable[[Path], bool]) -> Iterator[Slip]:
    """Yield each thing that does not fit, with its field; `given` says whether the file has a field, also one
    whose value is refused already."""
    misspelt = {suggestion(kind[:60], KINDS) for kind in file.tables.keys() - KINDS.keys()}
    there = {kind for kind in KINDS if kind in misspelt or given(("tables", kind))}
    for kind in sorted(KINDS.keys() - OPTIONAL_KINDS - there):
        more = ": name the table in which what goes is counted, also one that is yet to be made" if kind == "statistic" else ""
        yield Slip(("tables",), f"{kind} is missing{more}", "missing")
    tables: dict[str, list[tuple[str, TablePart]]] = {}
    for kind, parts in file.tables.items():
        if kind not in KINDS:
            yield Slip.unknown(("tables", kind), _UNKNOWN, kind, KINDS)
            continue
        if not parts:
            yield Slip(("tables", kind), "this is empty", "missing")
        elif kind in ONE_TABLE and (len(parts) > 1 or parts[0].only):
            yield Slip(("tables", kind), f"rows of {kind} come from one table, whole: name one, without only")
        for index, part in enumerate(parts):
            at = part_path(kind, index, given)
            for slip in _check_part(kind, part, lambda *place, at=at: given((*at, *place))):
                yield slip.below(*at)
            for other, before in tables.setdefault(part.table, []):
                if not _are_apart(part, before) and not _is_other_view(kind, part, other, before):
                    told = f"{kind} and {other} are mapped to the same table {part.table}"
                    remedy = "tell their rows apart: under only, one column with different values in each"
                    yield Slip(at, f"{told}; {remedy}" if part.only or before.only else told)
            tables[part.table].append((kind, part))
    yield from check_dependent(file, there)
    yield from _check_stay(file)
    yield from _check_statistics(file)


def part_path(kind: str, index: int, given: Callable[[Path], bool] | Container[Path]) -> Path:
    """Return where the file has a table of a kind: in a list of several, or by itself."""
    path: Path = ("tables", kind, index)
    is_given = given(path) if callable(given) else path in given
    return path if is_given else path[:2]


def _are_apart(one: TablePart, other: TablePart) -> bool:
    """Return whether no row can meet the conditions of both."""
    shared = one.only.keys() & other.only.keys()
    return any(set(map(str.casefold, one.only[column])).isdisjoint(map(str.casefold, other.only[column])) for column in shared)


def _check_stay(file: MappingFile) -> Iterator[Slip]:
    """Refuse a decision that rows of a mapped table may stay: what is mapped goes when its time has come. Of
    one with conditions it is about the rows that meet none."""
    parts = [(kind, part) for kind, parts in file.tables.items() for part in parts]
    mapped = {part.table: kind for kind, part in parts} | dict.fromkeys(file.dependent, "dependent")
    meant = {part.table for _, part in parts} - {part.table for _, part in parts if not part.only}
    for place in file.stay:
        name, _, column = place.partition(".")
        if name in mapped and (column or name not in meant):
            told = f"{name} is mapped ({mapped[name]}), so that its rows go when their time has come: leave it out here, or there"
            remedy = "; a column that needs no field stands under goes_along" if column else ""
            whole = dict.fromkeys(kind for kind, part in parts if part.table == name and not part.only)
            if not column and any(part.only for _, part in parts if part.table == name):
                told += f"; where those are meant that meet no condition, name it under only of {' and '.join(whole)} too"
            yield Slip(("stay", place), told + remedy)


def _is_other_view(kind: str, part: TablePart, other: str, before: TablePart) -> bool:
    """Return whether two kinds may come from the same rows: a role that is a lookup of the dossier or fiche,
    or a participant of it, and what the row is besides; or two such lookups."""
    if kind == other == "party":
        return part.columns.get("contact") != before.columns.get("contact")
    return "party" in (kind, other) and bool({kind, other} & {*FILES, "activity_party"})


def _check_part(kind: str, part: TablePart, given: Callable[..., bool]) -> Iterator[Slip]:
    full, lean = FULL[kind], set(mappable_fields(KINDS[kind]))
    named = lean | set(personal_fields(kind))

    def has_column(name: str) -> bool:
        return any(given(section, name) for section in ("personal", *_FILLED_BY)) or not given("columns")

    yield from _check_sections(kind, part, lean)
    yield from _check_names("choices", part.choices, named)
    yield from _check_names("behaviour", part.behaviour, named)
    yield from _check_needed(kind, part, given)
    yield from _check_other_values(kind, part, lean)
    yield from _check_without_column(kind, part, named, has_column)
    yield from _check_columns(kind, part, given)
    yield from _check_shared(kind, part, {name: field_type(full, name) for name in named})
    yield from _check_texts(kind, part)
    for name in part.behaviour:
        if name in named and field_type(full, name) not in (date, datetime):
            yield Slip(("behaviour", name), f"{name} is not a date, so it has no behaviour")
    for name, keys in part.choices.items():
        if name in named:
            for slip in _check_choice(name, field_type(full, name), keys, choice_keys(KINDS[kind], name)):
                yield slip.below("choices", name)
    if kind not in MASKED_KINDS and given("anonymise"):
        yield Slip(("anonymise",), f"{_UNKNOWN}: only a dossier or a fiche is anonymised in place")
    elif part.anonymise is not None:
        for slip in _check_masks(part.anonymise, part.columns.get("anonymised_on", ""), has_column("anonymised_on")):
            yield slip.below("anonymise")


def _check_sections(kind: str, part: TablePart, lean: Set[str]) -> Iterator[Slip]:
    """Check that each field is known, and stands in the section of its own."""
    elsewhere = {**dict.fromkeys(lean, "columns"), **dict.fromkeys(personal_fields(kind), "personal")}
    for section, known in (("columns", lean), ("personal", personal_fields(kind))):
        for name in getattr(part, section):
            if name in part.without:
                yield Slip((section, name), f"{kind}.{name} stands under without too, which says that nobody records it: keep one")
            elif name not in known:
                place = elsewhere.get(name)
                told = f"{_UNKNOWN}: {name} stands under {place}"
                yield Slip((section, name), told, "unknown", place) if place else Slip.unknown((section, name), _UNKNOWN, name, known)


def _check_needed(kind: str, part: TablePart, given: Callable[..., bool]) -> Iterator[Slip]:
    """Check that each field which a kind needs has a column, and that `without` names no other one."""
    safeguards = SAFEGUARDS.get(kind, frozenset())
    needed = REQUIRED_FIELDS[kind] | (safeguards - set(part.without))
    if kind in IN_EITHER:
        needed -= {*FILES} if any(given("columns", name) for name in FILES) else IN_EITHER[kind]
    for name in sorted(needed):
        if given("columns") and not any(given(section, name) for section in _FILLED_BY):
            otherwise = ": map it, or name it under without where the organisation does not record it" if name in safeguards else ""
            yield Slip(("columns",), f"{name} is missing{otherwise}", "missing")
    for at, name in enumerate(part.without):
        if name not in safeguards:
            if name in REQUIRED_FIELDS[kind]:
                yield Slip(("without", at), f"{kind}.{name} is needed, and cannot be left out: map it")
                continue
            yield Slip.unknown(("without", at), f"{kind}.{name[:40]} needs no word when it is not recorded", name, safeguards)


def _check_without_column(kind: str, part: TablePart, named: Set[str], has_column: Callable[[str], bool]) -> Iterator[Slip]:
    """Refuse what is said of fields that no column fills."""
    for section, names in (("choices", part.choices), ("references", part.references), ("behaviour", part.behaviour)):
        for name in names:
            if name in named and not has_column(name):
                yield Slip((section, name), f"{kind}.{name} stands under {section} but has no column")
    for at, name in enumerate(part.readable):
        if not has_column(name) and name not in part.texts:
            told = f"{kind}.{name[:40]} stands under readable but has no column"
            yield Slip.unknown(("readable", at), told, name, {*part.columns, *part.personal, *part.texts})


def _check_columns(kind: str, part: TablePart, given: Callable[..., bool]) -> Iterator[Slip]:
    """Check that what stands for keys says for which, and that nobody is a suspect for good."""
    for section, columns in (("columns", part.columns), ("personal", part.personal)):
        for name, column in columns.items():
            if name in MUST_BE_CHOICE.get(kind, ()) and not given("choices", name) and not given("references", name):
                yield Slip((section, name), f"{kind}.{name} needs its option values under choices, or references", "missing")
            if kind == "contact" and (name == "role" or _SUSPECT.search(name) or _SUSPECT.search(column)):
                yield Slip((section, name), "a suspect attribute on the contact is refused (R-112): map the role of the party instead")


def can_be_further(kind: str, column: str) -> bool:
    """Return whether rows of a kind may have a further text that is named like this column."""
    return kind in ROW_KINDS and not hasattr(FULL[kind], column)


def _check_texts(kind: str, part: TablePart) -> Iterator[Slip]:
    """Refuse a further text that fills a field too: it would be told twice."""
    if part.texts and kind not in ROW_KINDS:
        yield Slip(("texts",), f"{_UNKNOWN}: rows of {kind} say nothing about anybody")
        return
    filling: dict[str, str] = {}
    for section in ("columns", "personal"):
        filling |= {column: f"{section}.{name}" for name, column in getattr(part, section).items()}
    filling |= {
        column: f"{section}.{name}" for section in ("flags", "more") for name, found in getattr(part, section).items() for column in found
    }
    for at, column in enumerate(part.texts):
        if column in filling or column in part.texts[:at]:
            yield Slip(("texts", at), f"{column} stands under {filling.get(column, 'texts')} already")
        elif not can_be_further(kind, column):
            told = f"a field of {kind} is called {column} too: fill that field from it, and name under texts what filled it"
            yield Slip(("texts", at), told)


def _check_other_values(kind: str, part: TablePart, lean: Collection[str]) -> Iterator[Slip]:
    """Check the fields that are filled from a table of reference or from several columns of yes and no: only
    those that stand for a key can be."""
    of_keys = {name for name in MUST_BE_CHOICE.get(kind, ()) if name in lean}
    referred = referred_fields(kind)
    yield from _check_names("references", part.references, referred)
    yield from _check_names("flags", part.flags, of_keys)
    yield from _check_names("fixed", part.fixed, of_keys)
    dates = {name for name in (*lean, *personal_fields(kind)) if field_type(FULL[kind], name) in (date, datetime)}
    yield from _check_names("more", part.more, dates | ({"categories"} & of_keys) | ({HOLD} & {*lean}))
    for name in part.more:
        if name not in part.columns and name not in part.personal:
            yield Slip(("more", name), f"{kind}.{name} stands under more but has no column")
    yield from _check_names("many_to_many", part.many_to_many, MANY.get(kind, ()))
    yield from _check_fixed(kind, part, of_keys)
    yield from _check_many_to_many(kind, part)
    yield from _check_keys(kind, part, of_keys, referred)
    for section, others in (("references", part.references), ("flags", part.flags)):
        for name in others:
            if name in part.choices or (section == "flags" and (name in part.columns or name in part.references)):
                yield Slip((section, name), f"{kind}.{name} is filled in two ways: keep one of columns, choices, references and flags")
    for name, flags in part.flags.items():
        if not flags:
            yield Slip(("flags", name), "name the columns", "missing")


def _check_fixed(kind: str, part: TablePart, of_keys: Collection[str]) -> Iterator[Slip]:
    for name, key in part.fixed.items():
        known = choice_keys(KINDS[kind], name)
        if name in of_keys and known is not None and key not in known:
            yield Slip.unknown(("fixed", name), f"{name} has no key {key}: use one of {', '.join(known)}", key, known)
        if any(name in given for given in (part.columns, part.choices, part.references, part.flags)):
            yield Slip(("fixed", name), f"{kind}.{name} is filled in two ways: keep fixed, or the column that says it")


def _check_many_to_many(kind: str, part: TablePart) -> Iterator[Slip]:
    for name in part.many_to_many:
        if name in part.flags or (name in part.columns and name != "categories"):
            yield Slip(("many_to_many", name), f"{kind}.{name} is filled in two ways: keep one of columns and many_to_many")
        if name == "categories" and name not in part.references:
            yield Slip(("many_to_many", name), "name under references what the rows of the table of categories stand for", "missing")


def _check_keys(kind: str, part: TablePart, of_keys: Collection[str], referred: Collection[str]) -> Iterator[Slip]:
    """Refuse a row of reference or a column of yes and no that stands for what is no key of its field."""
    places: list[tuple[tuple[str, ...], str, dict[str, str]]] = [
        *((("references", name, "keys"), name, reference.keys) for name, reference in part.references.items() if name in referred),
        *((("flags", name), name, flags) for name, flags in part.flags.items() if name in of_keys),
    ]
    for place, name, keys in places:
        known = choice_keys(KINDS[kind], name) if name in of_keys else tuple(TRUTHS)
        for value, key in keys.items():
            if known is not None and key not in known:
                yield Slip.unknown((*place, value), f"{name} has no key {key}: use one of {', '.join(known)}", key, known)


def _check_names(section: str, given: Collection[str], known: Collection[str]) -> Iterator[Slip]:
    for name in given:
        if name not in known:
            yield Slip.unknown((section, name), _UNKNOWN, name, known)


def _check_shared(kind: str, part: TablePart, types: Mapping[str, type]) -> Iterator[Slip]:
    """Refuse a column for two fields where one of them must be a slip: it would be searched, disclosed and
    counted as what it is not. Two days may be the same, a day and its hour are, and options tell two choices
    apart."""
    fields: dict[str, list[str]] = {}
    for section, columns in (("columns", part.columns), ("personal", part.personal)):
        for name, column in columns.items():
            if name in types and not (section == "personal" and name in part.columns):
                for other in fields.setdefault(column, []):
                    is_either = {name, other} == {*FILES} and (column in part.either or part.table == CONNECTION)
                    choices = part.choices.keys() | part.references.keys()
                    if not is_either and _cannot_share({name, other}, {types[name], types[other]}, choices):
                        text = f"{kind}.{other} and {kind}.{name} are mapped to the same column {column}: leave out what it does not hold"
                        yield Slip((section, name), text)
                fields[column].append(name)


def _cannot_share(names: Set[str], types: Set[type], choices: Collection[str]) -> bool:
    if types <= {date, datetime}:
        return bool(names & _OWN_DAYS or (names & BEGINNINGS and names & ENDS))
    return len(types) == 1 and not names <= set(choices)


def _check_choice(field: str, kind: type, keys: Keys, known: Collection[str] | None) -> Iterator[Slip]:
    if field in LOOKUPS or kind in (date, datetime, int, float, bytes):
        yield Slip((), f"{field} is not a choice")
    words = [option for option in keys if option in ANSWERS]
    if words and len(words) < len(keys):
        yield Slip((words[0],), f"{field} is told by numbers or by true and false, not by both")
    for option, key in keys.items():
        if kind is bool and key not in TRUTHS:
            yield Slip((option,), f"{field} is a yes or no: use one of {', '.join(TRUTHS)}", "unknown", suggestion(key, TRUTHS))
        if known is not None and key not in known:
            told = f"{field} has no key {key}: use one of {', '.join(known)}, or leave the option out"
            yield Slip.unknown((option,), told, key, known)


def _check_masks(masks: AnonymisePart, own: str, has_own: bool) -> Iterator[Slip]:
    """Yield what is wrong with the masks. `own` is the column that says since when a row is anonymised, which
    no technique may touch (ERA-07)."""
    for at, name in enumerate(masks.keeps):
        if name in masks.columns or name in masks.keeps[:at]:
            yield Slip(("keeps", at), f"{name} stands here twice: it is overwritten or it stays")
    if not has_own:
        told = "anonymise needs a column for anonymised_on: without it a row would be written again every night (ERA-07)"
        yield Slip((), told, "missing")
    elif own in masks.columns or own in masks.keeps:
        path = ("columns", own) if own in masks.columns else ("keeps", masks.keeps.index(own))
        yield Slip(path, f"{own} tells since when the row is anonymised")


def _check_statistics(file: MappingFile) -> Iterator[Slip]:
    """Refuse a fiche value that its row of statistics cannot hold: its dossier could otherwise never be
    disposed of (5.2)."""
    fiches, statistics = (file.tables.get(kind, ()) for kind in ("fiche", "statistic"))
    for statistic, name in product(statistics, ("channel", "reporter_kind")):
        if name in statistic.choices and name in statistic.columns:
            keys = {key for fiche in fiches for key in fiche.choices.get(name, {}).values()}
            for key in sorted(keys - set(statistic.choices[name].values())):
                yield Slip(("tables", "statistic", "choices", name), f"statistic.{name} has no option for {key}, which fiche.{name} has")
