"""Options, and rows of reference, that people see as something else than the mapping says: a number is
mistaken there, or the option was renamed in the CRM since (R-161). And days of a beginning that stand for an
end."""

from collections.abc import Callable, Collection, Iterator
from collections.abc import Mapping as Values
from datetime import date
from typing import Any, Final

from connectors.dynamics.draft.columns import option_of
from connectors.dynamics.draft.crm_tables import bare
from connectors.dynamics.draft.references import NO_REFERENCE
from connectors.dynamics.draft.tables import likeness
from connectors.dynamics.draft.words import FIELD_WORDS, STATE_WORDS, Words, words_of
from connectors.dynamics.mapping.checks import BEGINNINGS, ENDS
from connectors.dynamics.mapping.mapping import HOLD, TRUTHS, Column, Mapping, Table, field_type
from connectors.dynamics.schema.checks.masks import PLATFORM
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute, Metadata
from connectors.interface.errors import Finding
from rules.model.file_roles import FileRole
from rules.model.kinds import FILES
from rules.texts.folding import fold

_STATE, _ANSWER = "is_active", "truth"
_DECIDING: Final = frozenset({"categories", "outcome", "role", _STATE})
_AS_ROLE: Final = "somebody who is suspected can be answered like anybody else, and units end by another term"
_TELLING: Final = frozenset({FileRole.CHILD, FileRole.SUSPECT})  # the roles on which a term and an answer depend
_CHOICES: Final = frozenset({"PicklistType", "MultiSelectPicklistType"})
_TYPES: Final = {bool: frozenset({"BooleanType"}), date: frozenset({"DateTimeType"})}
_NOT: Final = ("niet", "non", "not", "nicht")  # what begins so says the contrary of a word that it ends with
_MISSED: Final = {  # fields of which nobody notices that they are not read, although something goes too early or stays
    "dossier": (HOLD, "reopened_on", "closed_on", "proceedings_ended_on"),
    "fiche": (HOLD, "communicated_on"),
    "recording": ("ended_on", "evidence", "storage_uri"),
}
# Days from which no term counts, by what people may call a column that holds one.
_NO_BEGINNING: Final = {
    "a day of birth": ("geboorte", "geboren", "naissance", "geburt", "birth"),
    "a day on which something is yet to be done": (
        *("deadline", "vervaldatum", "opvolgdatum", "streefdatum", "dateecheance", "relance", "wiedervorlage", "duedate", "followup"),
    ),
}
_OF_PEOPLE: Final = frozenset({"birth_on", "stated_on", "deceased_on"})


def called_otherwise(
    mapping: Mapping,
    metadata: Metadata,
    names: Values[str, Collection[str]],
    own: Values[str, Collection[str]],
    *,
    also_answers: bool,
    shown_rows: Callable[[Table, Column, str], Values[str, str]] | None = None,
    listed: Callable[[str], Collection[str]] | None = None,
) -> Iterator[Finding]:
    """Yield a warning for each option that is called by a word for one key and stands for another, where a
    term depends on which it is. `names` are those of the categories, by key, `own` what the organisation
    itself calls any key: nobody is told of an option that is called so. Those of yes and no are told where
    the column is called like the field, else with `also_answers` alone: what it asks nobody knows then but
    who maps it, and it may well ask the contrary. So are days. `listed` gives what the rows of a table are
    called where they are few: a lookup to such a list may stand for categories."""
    words = {**words_of(names), _STATE: STATE_WORDS}
    for table in mapping.tables:
        definition = metadata.table(table.name)
        attributes = definition.attributes if definition is not None else {}
        called = _Called(metadata.shown_names(table.name) if also_answers and table.own is None else {})
        if definition is not None and also_answers and table.kind in FILES:
            metadata.load_options(definition)
        if also_answers:
            yield from _not_read(table, attributes, mapping, called)
            yield from _other_categories(table, attributes, mapping, words)
            yield from _other_references(table, attributes, mapping, words, listed) if listed is not None else ()
        for column in table.columns.values():
            yield from _contrary_days(table, column) if also_answers else ()
            yield from _other_field(table, column, called) if also_answers and table.own is None else ()
            yield from _contrary_states(table, column, attributes) if also_answers else ()
            if also_answers or (column.field == _STATE and column.choice is None):
                yield from _contrary_answers(table, column, attributes, called)
            yield from _other_options(table, column, attributes, words, own, shown_rows, also_answers=also_answers)
        for column in table.pairs.values():
            yield from _other_options(table, column, attributes, words, own, shown_rows, also_answers=also_answers)


def _other_options(
    table: Table,
    column: Column,
    attributes: Values[str, Attribute],
    words: Words,
    own: Values[str, Collection[str]],
    shown_rows: Callable[[Table, Column, str], Values[str, str]] | None,
    *,
    also_answers: bool,
) -> Iterator[Finding]:
    """Yield the warnings of the options of one column."""
    is_yes_or_no = field_type(table.full, column.field) is bool
    field = _ANSWER if is_yes_or_no and column.field != _STATE else column.field
    stated = column.choice or column.reference
    is_asked = field == _ANSWER and (also_answers or bare(column.name) in FIELD_WORDS[table.kind][column.field])
    if stated is None or not (field in _DECIDING or is_asked):
        return
    for name in column.keyed:
        shown: Values[Any, str] = (attributes[name].options if name in attributes else None) or {}
        if column.reference is not None and column.reference.by:
            shown = {text: text for text in column.reference.keys}  # where these are names, and no codes
        if column.reference is not None and shown_rows is not None:
            shown = {**shown, **shown_rows(table, column, name)}
        where: Values[Any, str] = stated.where
        for value, key in stated.keys.items():
            label = shown.get(value, "")
            meant = option_of(value, (label,), field, words).key
            is_own = fold(label) in map(fold, own.get(key, ()))
            if meant and not is_own and (is_yes_or_no or key in words[field]) and _differ(field, key, meant):
                told = f"{value} of {table.name}.{name} is called {label} in the CRM, a name of {meant}, and stands for {key} here"
                told += f": if that is a mistake, {_AS_ROLE if field == 'role' else 'its units end by another term'}."
                yield Finding(False, told, where.get(value, column.where), "called_otherwise", meant)


def _contrary_days(table: Table, column: Column) -> Iterator[Finding]:
    """Yield a warning for a column that is called by a word for where a period begins and stands for its end,
    or the other way round: a term that counts from there would end years too early."""
    known = FIELD_WORDS.get(table.kind, {})
    contrary = ENDS if column.field in BEGINNINGS else BEGINNINGS if column.field in ENDS else ()
    for name in column.names:
        meant = next((field for field in known if field in contrary and bare(name) in known[field]), "")
        if meant:
            told = f"{table.name}.{name} is called like {meant}, and fills {table.kind}.{column.field} here"
            told += ": if both changed places, terms end on another day."
            yield Finding(False, told, column.where, "called_otherwise", meant)


def _other_field(table: Table, column: Column, called: "_Called") -> Iterator[Finding]:
    """Yield a warning for a day or a yes or no that is called by a word for another field of its kind, which
    it does not fill: evidence that counts as taken over goes with what is not (RET-21). So for a day on which
    somebody was born, or something is yet to be done."""
    known, kind = FIELD_WORDS.get(table.kind, {}), field_type(table.full, column.field)
    told = {*BEGINNINGS, *ENDS} if column.field in BEGINNINGS | ENDS else set()  # see `_contrary_days`
    for name in column.names if kind in _TYPES and column.field in known else ():
        if called.is_like(name, known[column.field]):
            continue
        others = (field for field in known.keys() - told - {column.field} if field_type(table.full, field) is kind)
        meant = next((field for field in sorted(others) if called.is_called(name, known[field]) and not _fills(table, field, name)), "")
        like = meant or next((day for day, words in _NO_BEGINNING.items() if kind is date and called.is_like(name, words)), "")
        if like and (meant or column.field not in _OF_PEOPLE):
            told_of = f"{table.name}.{name} is called like {like}, and fills {table.kind}.{column.field} here"
            yield Finding(False, f"{told_of}: if that is a mistake, rows end on another day.", column.where, "called_otherwise", meant)


def _fills(table: Table, field: str, name: str) -> bool:
    return field in table.columns and name in table.columns[field].names


class _Called:
    """What the columns of one table are called: by their own names, and by what the CRM shows to people."""

    def __init__(self, shown: Values[str, str]) -> None:
        self._shown: dict[str, list[str]] = {}
        for label, name in shown.items():
            self._shown.setdefault(name, []).append(fold(label))

    def is_called(self, column: str, words: tuple[str, ...]) -> bool:
        """Return whether a column is called by one of these words and no more."""
        return any(name in words for name in (bare(column), *self._shown.get(column, ())))

    def is_like(self, column: str, words: tuple[str, ...]) -> bool:
        """Return whether a column is called by one of these words, or by more that begins or ends with
        one."""
        for name in (bare(column), *self._shown.get(column, ())):
            if likeness((name,), tuple(word for word in words if word.startswith(_NOT) == name.startswith(_NOT))):
                return True
        return False


def _not_read(table: Table, attributes: Values[str, Attribute], mapping: Mapping, called: _Called) -> Iterator[Finding]:
    """Yield a warning for a column that is called like a field without which something ends too early, and
    that nobody decided about, where nothing that is called so fills the field (HLD-01, RET-10)."""
    decided = {*mapping.used(table.name), *(each.column for each in table.only)}
    holding = {
        name for file in mapping.named(table.name) for column in file.columns.values() if column.field == HOLD for name in column.names
    }
    for field in _MISSED.get(table.kind, ()):
        words, column = FIELD_WORDS["dossier" if field == HOLD else table.kind][field], table.columns.get(field)
        if field == HOLD and table.kind != "dossier":  # of a file that shares its table with communications
            left_out = {each.column for each in table.only}
            shared = (name for name in sorted(holding - left_out) if f"{table.name}.{name}" not in mapping.goes_along)
            yield from (_holds_no_fiche(table, name, f"fills dossier.{HOLD}") for name in shared)
        if field != HOLD and column is not None and any(called.is_like(name, words) for name in column.names):
            continue
        kinds = _TYPES[bool] if field == HOLD else _TYPES.get(field_type(table.full, field), frozenset({"StringType"}))
        for name, each in attributes.items():
            if each.kind not in kinds or name in decided or f"{table.name}.{name}" in mapping.goes_along or not called.is_like(name, words):
                continue
            if field == HOLD and table.kind != "dossier":
                yield _holds_no_fiche(table, name, "is called like a hold")
                continue
            if field == HOLD:
                told = f"{table.name}.{name} is called like a hold, and holds nothing: what it is to keep would go."
                told += f" Map it as dossier.{HOLD}, beside another under more ({{{HOLD}: [{name}]}}), or name it under goes_along."
            else:
                told = f"{table.name}.{name} is called like {field}, and fills nothing: what it says is not looked at."
                told += f" Map it as {table.kind}.{field}, or name it under goes_along."
            where = table.where if column is None or field == HOLD else column.where
            yield Finding(False, told, where, "called_otherwise", name)


def _holds_no_fiche(table: Table, name: str, what: str) -> Finding:
    told = f"{table.name}.{name} {what}, and holds no fiche: what it is to keep would go."
    told += f" Leave rows that are so marked out by a condition under only ({{{name}: [false]}}), or name it under goes_along."
    return Finding(False, told, table.where, "called_otherwise", name)


def _other_categories(table: Table, attributes: Values[str, Attribute], mapping: Mapping, words: Words) -> Iterator[Finding]:
    """Yield a warning for a choice whose options are called like categories and that fills nothing: a file of
    another category by it would end by the term of the first (RET-12)."""
    decided = {*mapping.used(table.name), *(each.column for each in table.only)}
    for name, each in attributes.items() if table.kind in FILES else ():
        if name in decided or each.kind not in _CHOICES or f"{table.name}.{name}" in mapping.goes_along:
            continue
        keys = {option_of(value, (label,), "categories", words).key for value, label in (each.options or {}).items()} - {""}
        if len(keys) > 1:
            told = f"{table.name}.{name} has options called like categories ({', '.join(sorted(keys))}), and fills nothing: a row ends by"
            told += " its other categories alone. Map it (under more, where it stands beside another with the same options), let the CRM"
            told += " copy what it says to the column that is mapped, or name it under goes_along."
            yield Finding(False, told, table.where, "called_otherwise", name)


def _other_references(
    table: Table, attributes: Values[str, Attribute], mapping: Mapping, words: Words, listed: Callable[[str], Collection[str]]
) -> Iterator[Finding]:
    """Yield the same for a lookup: to a list whose rows are called like categories, or to the one from which
    the categories of this table come already (RET-12)."""
    decided, own = {*mapping.used(table.name), *(each.column for each in table.only)}, {each.name for each in mapping.tables}
    column = table.columns.get("categories")
    read = {
        target
        for name in (column.names if column is not None and column.reference is not None else ())
        for target in _targets(attributes, name)
    }
    for name, each in attributes.items() if table.kind in FILES else ():
        if name in decided or name in PLATFORM or each.kind not in LOOKUP_TYPES or len(each.targets) != 1:
            continue
        (target,) = each.targets
        if f"{table.name}.{name}" in mapping.goes_along or target in own or target in NO_REFERENCE:
            continue
        keys = {option_of("", (row,), "categories", words).key for row in listed(target)} - {""} if target not in read else set()
        if target in read or len(keys) > 1:
            like = f", the rows of which are called like categories ({', '.join(sorted(keys))})" if keys else " too, as categories do"
            told = f"{table.name}.{name} points to {target}{like}, and fills nothing: a row ends by its other categories alone. Map it"
            told += " (under more, where it stands beside another lookup to the same table), let the CRM copy what it says to the column"
            told += " that is mapped, or name it under goes_along."
            yield Finding(False, told, table.where, "called_otherwise", name)


def _targets(attributes: Values[str, Attribute], name: str) -> Collection[str]:
    return attributes[name].targets if name in attributes else ()


def _contrary_states(table: Table, column: Column, attributes: Values[str, Attribute]) -> Iterator[Finding]:
    """Yield a warning for each reason of the state that the CRM begins with that stands for inactive and is
    not called so: what waits would count as closed (RET-13)."""
    attribute = attributes.get(column.name)
    if column.field != _STATE or column.choice is None or attribute is None:
        return
    for option, key in column.choice.keys.items():
        label = (attribute.options or {}).get(option, "")
        if not TRUTHS[key] and attribute.states.get(option) == 0 and not likeness((fold(label),), STATE_WORDS["inactive"]):
            told = f"{option} of {table.name}.{column.name} ({label}) is a reason of the state in which the CRM has what is open,"
            told += " and stands for inactive here: what is open would count as closed."
            yield Finding(False, told, column.choice.where[option], "conflict")


def _contrary_answers(table: Table, column: Column, attributes: Values[str, Attribute], called: _Called) -> Iterator[Finding]:
    """Yield a warning for a column of yes and no whose yes stands for the contrary of what it is called."""
    attribute = attributes.get(column.name)
    if attribute is None or attribute.kind != "BooleanType" or field_type(table.full, column.field) is not bool:
        return
    yes = TRUTHS[column.choice.keys.get(1, "yes")] if column.choice is not None else True
    if column.field != _STATE:
        if not yes and called.is_like(column.name, FIELD_WORDS[table.kind][column.field]):
            told = f"{table.name}.{column.name} is called like {column.field}, and its yes stands for no here"
            yield Finding(False, f"{told}: if so, leave its choices out.", column.where, "called_otherwise")
    elif called.is_like(column.name, STATE_WORDS["inactive" if yes else "active"]):
        says, stands, right = (
            ("closed", "active", "true: inactive, false: active") if yes else ("open", "inactive", "true: active, false: inactive")
        )
        told = f"{table.name}.{column.name} is called like what says that a case is {says}, and its yes stands for {stands} here"
        told += f": what is open would count as closed. If so, write under choices {{is_active: {{{right}}}}}."
        yield Finding(False, told, column.where, "called_otherwise")


def _differ(field: str, key: str, meant: str) -> bool:
    """Return whether it matters which of both it is."""
    if field in (_STATE, _ANSWER):
        return TRUTHS[key] != TRUTHS[meant]
    return key != meant and (field != "role" or not _TELLING.isdisjoint({key, meant}))
