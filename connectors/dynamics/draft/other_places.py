"""What is not in a column of a table and may be in another place: a key by a lookup to a table of reference,
by pairs or by columns of yes and no; a role by a connection, a lookup of the file, a participant or a pair;
how a file is masked. Each is proposed as a comment, and none is put in force."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from connectors.dynamics.draft.columns import option_of
from connectors.dynamics.draft.crm_tables import CrmTable, CrmTables, in_one_line
from connectors.dynamics.draft.option_text import counted, option_lines, reference_lines
from connectors.dynamics.draft.proposal import Drafted, Option
from connectors.dynamics.draft.references import NO_REFERENCE, by_of
from connectors.dynamics.draft.words import STATE_WORDS, Words
from connectors.dynamics.mapping.mapping import CONNECTION, MANY, MASKED_KINDS, MUST_BE_CHOICE, PARTICIPANTS, mappable_fields
from connectors.dynamics.schema.checks.masks import CANCELLED, PLATFORM, RESOLVED
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from connectors.dynamics.schema.role_places import ACTIVITY_ID
from rules.model.kinds import FILES
from rules.model.records import KINDS
from rules.texts.folding import fold

_MOST_ROLES: Final = 200  # of connections; the platform brings some of its own
_TEXTS: Final = ("StringType", "MemoType")
_OF_SEVERAL: Final = ("categories",)  # fields that several columns may fill


class OtherPlaces:
    """The places of one CRM; `tables` are all that a draft looks at, `found` those of kinds."""

    def __init__(
        self,
        tables: Mapping[str, CrmTable],
        found: Mapping[str, CrmTable],
        reader: CrmTables,
        words: Words,
        told: Callable[[int | None], str],
        categories: Collection[str],
    ) -> None:
        self._tables, self._found, self._table = tables, found, reader.table
        self._count, self._told, self._reader, self._words = reader.count, told, reader, words
        self._categories = categories
        self._kinds = {each.name for each in found.values()}

    def values(self, drafted: Drafted) -> Iterator[str]:
        """Yield the lines for fields of one kind that need a key and have no column of choice."""
        for name in mappable_fields(KINDS[drafted.kind]):
            if name == "is_active":
                yield from self._state(drafted)
            if name in drafted.columns and name not in drafted.references:
                if name == "dossier" and name in MANY.get(drafted.kind, ()):
                    yield from self._pairs(drafted, name)
                continue
            if name in MUST_BE_CHOICE.get(drafted.kind, ()):
                yield from self._status(drafted, name)
                yield from self._references(drafted, name)
                yield from self._flags(drafted, name)
            if name in MANY.get(drafted.kind, ()):
                yield from self._pairs(drafted, name)

    def roles(self) -> Iterator[str]:
        """Yield the places where roles may be kept, those with rows, as items of a list."""
        units = {kind: self._found[kind].definition for kind in FILES if kind in self._found}
        connection = self._table(CONNECTION)
        connected = [kind for kind, each in units.items() if any(child.child == CONNECTION for child in each.children)]
        if connection is not None and connected and self._count(connection, None):
            columns = ", ".join(f"{kind}: record1id" for kind in connected)
            yield f"- table: {CONNECTION}  # {self._rows(connection)}"
            yield f"  columns: {{{columns}, contact: record2id, role: record2roleid}}"
            yield "  personal: {name: name, notes: description}"
            yield from (f"  {line}" for line in ["references:", *self._roles_of_connections()])
        for kind, each in units.items():
            for attribute in self._found[kind].lookups_to("contact"):
                if attribute.name not in PLATFORM and self._count(each, attribute) and attribute.name != "regardingobjectid":
                    called = {part.removesuffix("id") for part in self._found[kind].columns.get(attribute.name, ())}
                    told = f"columns: {{{kind}: {each.primary_id}, contact: {attribute.name}}}, fixed: {{role: {self._role(called)}}}"
                    yield self._line(each.name, told, self._rows(each, attribute))
            for link in each.links:
                pairs = self._table(link.table) if link.other(each.name) == "contact" else None
                if pairs is not None and self._count(pairs, None):
                    told = f"columns: {{{kind}: {link.column(each.name)}, contact: {link.column('contact')}}}, fixed: {{role: }}"
                    yield self._line(link.table, told, self._rows(pairs))
        yield from self._flagged(units)
        participants = self._table(PARTICIPANTS)
        if "fiche" in units and units["fiche"].primary_id == ACTIVITY_ID and participants is not None:
            told = "columns: {fiche: activityid, contact: partyid, role: participationtypemask}, choices: {role: {}}"
            yield self._line(PARTICIPANTS, told, self._rows(participants))

    def masks(self, drafted: Drafted) -> Iterator[str]:
        """Yield how a dossier or fiche could be masked, for a schedule that anonymises in place."""
        if drafted.kind not in MASKED_KINDS or "anonymised_on" not in drafted.columns:
            return
        yield "    # choose: only where the schedule anonymises in place: the neutral team, and what overwrites each column"
        yield "    # anonymise:"
        yield '    #   owner: ""'
        yield f"    #   state: {CANCELLED if drafted.table.name == RESOLVED[0] else 1}"
        yield "    #   columns:"
        own, definition = drafted.columns["anonymised_on"], drafted.table.definition
        for each in definition.attributes.values():
            is_held = each.name in (own, definition.primary_id) or each.name in PLATFORM or bool(each.part_of) or not each.updatable
            if not is_held and each.kind not in ("StateType", "StatusType", "VirtualType", "EntityNameType"):
                yield f"    #     {each.name}: {_technique(each, drafted.table.primary_name)}"

    def _references(self, drafted: Drafted, name: str) -> Iterator[str]:
        for each in drafted.proposed.get(name, ()):
            rows = f"{self._rows(drafted.table.definition, each.column)}, to {each.target.name} ({self._rows(each.target.definition)})"
            yield f"    # choose: put this in force, with {name}: {each.column.name} under columns ({rows})"
            keys, counts = self._categories if name == "categories" else (), counted(drafted.table.definition, each.column, self._reader)
            yield from (f"    # {line}" for line in reference_lines(name, each, keys, counts))
        for each in drafted.further.get(name, ()):
            told = f"a second one to {each.target.name}: {self._rows(drafted.table.definition, each.column)}"
            if name in _OF_SEVERAL:
                yield f"    # more: {{{name}: [{each.column.name}]}}  # choose: {told}; what it names counts too"
            else:
                yield f"    # choose: {name}: {each.column.name} may be it instead, {told}"

    def _status(self, drafted: Drafted, name: str) -> Iterator[str]:
        """Yield the status of a row, where one of its reasons is called like a key."""
        definition = drafted.table.definition
        status = definition.attributes.get("statuscode")
        found = [option_of(value, (label,), name, self._words) for value, label in ((status and status.options) or {}).items()]
        if status is not None and any(option.key for option in found):
            told = ", ".join(f"{option.value}: {option.key}" for option in found if option.key)
            others = [f"{option.value} ({in_one_line(option.labels[0])})" for option in found if not option.key]
            rows = self._told(sum(self._reader.count_of(definition, status, option.value) or 0 for option in found if option.key))
            yield f"    # choose: the status of a row may tell {name} ({rows}): {name}: statuscode under columns, and under choices"
            yield f"    # {name}: {{{told}}}{'  # without a key: ' if others else ''}{', '.join(others)}"

    def _state(self, drafted: Drafted) -> Iterator[str]:
        """Yield the columns of yes and no that are called as if they said whether a case is open: there are
        organisations that leave the state of their rows alone."""
        definition = drafted.table.definition
        for each in definition.attributes.values():
            called = {part.removeprefix("is") for part in drafted.table.columns.get(each.name, ())}
            key = next((key for key, words in STATE_WORDS.items() if called & {*words}), "")
            if key and each.kind == "BooleanType" and each.name not in drafted.columns.values():
                other = "active" if key == "inactive" else "inactive"
                yes = self._told(self._reader.count_of(definition, each, 1))
                yield f"    # choose: is_active: {each.name} may say it instead ({yes} with yes), with"
                yield f"    # choices: {{is_active: {{true: {key}, false: {other}}}}}"
            target = self._tables.get(next(iter(each.targets))) if len(each.targets) == 1 and each.name not in PLATFORM else None
            if target is not None and target.name not in self._kinds | NO_REFERENCE:
                yield from self._states(definition, each, target)

    def _states(self, definition: TableDefinition, column: Attribute, target: CrmTable) -> Iterator[str]:
        """Yield a lookup to a table of states, of which some row is called as if it said that a case is
        closed."""
        by = by_of(target, self._reader)
        called = {value or label: fold(label) for _, value, label in self._reader.words_of(target, by) or ()}
        keys = {value: key for value, word in called.items() for key, words in STATE_WORDS.items() if word in words}
        if "inactive" in keys.values():
            yield f"    # choose: is_active: {column.name} may say it instead ({self._rows(definition, column)}), with"
            told = ", ".join(f'"{value}": {key}' for value, key in keys.items())
            others = ", ".join(sorted(called.keys() - keys.keys()))
            yield f"    # references: {{is_active: {{by: {by}, keys: {{{told}}}}}}}{'  # without a key: ' if others else ''}{others}"

    def _pairs(self, drafted: Drafted, name: str) -> Iterator[str]:
        definition = drafted.table.definition
        for link in definition.links:
            other, pairs = link.other(definition.name), self._table(link.table)
            if pairs is None or other not in self._tables:
                continue
            rows = f"{self._rows(pairs)}, with {other}"
            if name == "dossier" and name in self._found and self._found[name].name == other:
                instead = "; in the place of dossier under columns" if name in drafted.columns else ""
                yield f"    # many_to_many: {{dossier: {link.table}}}  # choose: {rows}{instead}"
            elif name == "categories" and other not in self._kinds | NO_REFERENCE:
                by = by_of(self._tables[other], self._reader)
                yield f"    # many_to_many: {{categories: {link.table}}}  # choose: with references by {by}: {rows}"

    def _flags(self, drafted: Drafted, name: str) -> Iterator[str]:
        found, attributes = self._called(drafted.table, name), drafted.table.definition.attributes
        if found:
            told = ", ".join(f"{column}: {key}" for column, key in found.items())
            yes = ", ".join(self._told(self._reader.count_of(drafted.table.definition, attributes[column], 1)) for column in found)
            yield f"    # flags: {{{name}: {{{told}}}}}  # choose: columns of yes and no that are called so ({yes} with yes)"

    def _called(self, table: CrmTable, name: str) -> dict[str, str]:
        """Return the columns of yes and no that are called like one key of a field, with that key."""
        found: dict[str, str] = {}
        for each in table.definition.attributes.values():
            if each.kind == "BooleanType" and "_" in each.name:
                called = {part.removeprefix("is") for part in table.columns.get(each.name, ())}
                keys = {key for key, some in self._words.get(name, {}).items() if called & {*some, fold(key)}}
                if len(keys) == 1:
                    found[each.name] = keys.pop()
        return found

    def _flagged(self, units: Mapping[str, TableDefinition]) -> Iterator[str]:
        """Yield the tables that lead to a person and to a dossier or fiche, and tell the role by columns of
        yes and no."""
        for each in self._tables.values():
            flags, people = self._called(each, "role"), each.lookups_to("contact")
            owners = {kind: found[0].name for kind, unit in units.items() if (found := each.lookups_to(unit.name))}
            if each.name in self._kinds or not (flags and people and owners and self._count(each.definition, None)):
                continue
            shared = f"either: [{owners['dossier']}], " if len(owners) > 1 and len({*owners.values()}) == 1 else ""
            columns = ", ".join(f"{kind}: {column}" for kind, column in owners.items())
            told = ", ".join(f"{column}: {key}" for column, key in flags.items())
            yield self._line(
                each.name,
                f"{shared}columns: {{{columns}, contact: {people[0].name}}}, flags: {{role: {{{told}}}}}",
                self._rows(each.definition),
            )

    def _role(self, called: Collection[str]) -> str:
        """Return the role that a lookup to a person is called like; empty where that is none, or several."""
        keys = {key for key, words in self._words["role"].items() if {*called} & {*words, fold(key)}}
        return keys.pop() if len(keys) == 1 else ""

    def _roles_of_connections(self) -> Iterator[str]:
        """Yield the roles that some connection has, each with the key that it is called like."""
        connection, roles = self._table(CONNECTION), self._reader.seen("connectionrole")
        found: list[Option] = []
        if connection is not None and roles is not None:
            for row, _, label in self._reader.words_of(roles, "name", most=_MOST_ROLES) or ():
                if label and self._reader.count_of(connection, connection.attributes["record2roleid"], row):
                    found.append(replace(option_of(label, (label,), "role", self._words), row=row))
            yield from option_lines("role", "name", found, (), counted(connection, connection.attributes["record2roleid"], self._reader))

    def _line(self, table: str, told: str, rows: str) -> str:
        return f"- {{table: {table}, {told}}}  # {rows}"

    def _rows(self, definition: TableDefinition, column: Attribute | None = None) -> str:
        return self._told(self._count(definition, column))


def _technique(attribute: Attribute, primary_name: str) -> str:
    if attribute.name == primary_name:
        return "constant"
    return "drop_text" if attribute.kind in _TEXTS else "null"
