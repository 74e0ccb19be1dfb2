"""Options, and rows of reference, that people see as something else than the mapping says: a number is
mistaken there, or the option was renamed in the CRM since (R-161). And days of a beginning that stand for an
end."""

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Values
from typing import Any, Final

from connectors.dynamics.draft.columns import option_of
from connectors.dynamics.draft.crm_tables import bare
from connectors.dynamics.draft.words import FIELD_WORDS, STATE_WORDS, Words, words_of
from connectors.dynamics.mapping.checks import BEGINNINGS, ENDS
from connectors.dynamics.mapping.mapping import HOLD, TRUTHS, Column, Mapping, Table, field_type
from connectors.dynamics.schema.metadata import Attribute, Metadata
from connectors.interface.errors import Finding
from rules.model.file_roles import FileRole
from rules.texts.folding import fold

_STATE, _ANSWER = "is_active", "truth"
_DECIDING: Final = frozenset({"categories", "outcome", "role", _STATE})
_AS_ROLE: Final = "somebody who is suspected can be answered like anybody else, and units end by another term"
_TELLING: Final = frozenset({FileRole.CHILD, FileRole.SUSPECT})  # the roles on which a term and an answer depend


def called_otherwise(
    mapping: Mapping, metadata: Metadata, names: Values[str, Collection[str]], own: Values[str, Collection[str]], *, also_answers: bool
) -> Iterator[Finding]:
    """Yield a warning for each option that is called by a word for one key and stands for another, where a
    term depends on which it is. `names` are those of the categories, by key, `own` what the organisation
    itself calls any key: nobody is told of an option that is called so. Those of yes and no are told where
    the column is called like the field, else with `also_answers` alone: what it asks nobody knows then but
    who maps it, and it may well ask the contrary. So are days."""
    words = {**words_of(names), _STATE: STATE_WORDS}
    for table in mapping.tables:
        definition = metadata.table(table.name)
        attributes = definition.attributes if definition is not None else {}
        yield from _other_holds(table, attributes, mapping) if also_answers else ()
        for column in table.columns.values():
            yield from _contrary_days(table, column) if also_answers else ()
            yield from _other_options(table, column, attributes, words, own, also_answers=also_answers)


def _other_options(
    table: Table,
    column: Column,
    attributes: Values[str, Attribute],
    words: Words,
    own: Values[str, Collection[str]],
    *,
    also_answers: bool,
) -> Iterator[Finding]:
    """Yield the warnings of the options of one column."""
    is_yes_or_no = field_type(table.full, column.field) is bool
    field = _ANSWER if is_yes_or_no and column.field != _STATE else column.field
    if field == _STATE and not (column.choice or column.reference) and _is_closing(column.name):
        told = f"{table.name}.{column.name} is called like what says that a case is closed, and its yes stands for active here"
        told += ": what is open would count as closed. If so, write under choices {is_active: {true: inactive, false: active}}."
        yield Finding(False, told, column.where, "called_otherwise")
    stated = column.choice or column.reference
    is_asked = field == _ANSWER and (also_answers or bare(column.name) in FIELD_WORDS[table.kind][column.field])
    if stated is None or not (field in _DECIDING or is_asked):
        return
    for name in column.keyed:
        shown: Values[Any, str] = (attributes[name].options if name in attributes else None) or {}
        if column.reference is not None and column.reference.by:
            shown = {text: text for text in column.reference.keys}  # where these are names, and no codes
        where: Values[Any, str] = stated.where
        for value, key in stated.keys.items():
            label = shown.get(value, "")
            meant = option_of(value, (label,), field, words).key
            is_own = fold(label) in map(fold, own.get(key, ()))
            if meant and not is_own and (is_yes_or_no or key in words[field]) and _differ(field, key, meant):
                told = f"{value} of {table.name}.{name} is called {label} in the CRM, a name of {meant}, and stands for {key} here"
                told += f": if that is a mistake, {_AS_ROLE if field == 'role' else 'its units end by another term'}."
                yield Finding(False, told, where[value], "called_otherwise", meant)


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


def _other_holds(table: Table, attributes: Values[str, Attribute], mapping: Mapping) -> Iterator[Finding]:
    """Yield a warning for a column of yes and no that is called like a hold and is none: what it holds would
    go (HLD-01)."""
    words = FIELD_WORDS["dossier"][HOLD] if table.kind == "dossier" else ()
    decided = {*mapping.used(table.name), *(each.column for each in table.only)}
    for name, each in attributes.items():
        if each.kind == "BooleanType" and bare(name) in words and name not in decided and f"{table.name}.{name}" not in mapping.goes_along:
            told = f"{table.name}.{name} is called like a hold, and holds nothing: what it is to keep would go. Map it as dossier.{HOLD},"
            told += f" beside another under more ({{{HOLD}: [{name}]}}), or name it under goes_along."
            yield Finding(False, told, table.where, "called_otherwise", name)


def _is_closing(column: str) -> bool:
    return bare(column).removeprefix("is") in STATE_WORDS["inactive"]


def _differ(field: str, key: str, meant: str) -> bool:
    """Return whether it matters which of both it is."""
    if field in (_STATE, _ANSWER):
        return TRUTHS[key] != TRUTHS[meant]
    return key != meant and (field != "role" or not _TELLING.isdisjoint({key, meant}))
