"""Masks rows in place and reads back that they are masked (section 5.3, ERA-06; R-081, R-082). Everything
about one row is in one PATCH under the version that was judged: techniques, the new owner, the state, since
when. Only the content of a file column is sent in a request of its own, after it, in the same change set."""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Values
from typing import Any, TypeAlias

import msgspec

from connectors.dynamics.http.answers import UNREADABLE
from connectors.dynamics.http.query import any_of, guid, literal, query_string, select
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.mapping.masks import Masks
from connectors.dynamics.schema.checks.masks import type_of
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Metadata, TableDefinition
from connectors.dynamics.writing.columns import NotWritable, payload
from connectors.interface.changes import Operation
from connectors.interface.errors import Finding, ReadIncomplete
from rules.anonymisation.techniques import MIN_KEY_BYTES, TECHNIQUES, ColumnType, Facts

SINCE, IS_COMMON, STATISTIC = "anonymised_on", "is_common", ("year", "age_band", "province")  # the words of an Operation's values
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Definition: TypeAlias = Callable[[Table], TableDefinition]


class Masking:
    """Masks for one environment. `key` is that of `hmac`; without one it is random, stays in memory and dies
    with this object (ERA-05)."""

    def __init__(self, transport: Transport, mapping: Mapping, metadata: Metadata, definition: Definition, key: bytes | None) -> None:
        self._transport, self._mapping, self._metadata, self._definition = transport, mapping, metadata, definition
        self._key = key or secrets.token_bytes(MIN_KEY_BYTES)
        self._teams: dict[str, str] = {}

    def check_owners(self) -> list[Finding]:
        """Return errors for neutral teams that the CRM has not, or has twice."""
        owners = {table.masks.owner: table.masks.owner_where for table in self._mapping.tables if table.masks}
        return [Finding(True, problem, where, "masking") for owner, where in owners.items() if (problem := self._find(owner))]

    def body(self, table: Table, operation: Operation) -> dict[str, Any]:
        """Return the JSON that masks a row. Raises NotWritable: the mapping does not say how, or names
        something that the CRM has not."""
        masks, definition = _masks(table), self._definition(table)
        body = payload(table, definition, {SINCE: operation.values[SINCE]}, self._mapping, self._metadata)
        facts = self._facts(operation)
        for column in masks.columns.values():
            if _is_sent(column.name, definition):
                _put(body, definition, column.name, TECHNIQUES[column.technique].result(facts))
        for name in _emptied(masks, operation):
            if _is_sent(name, definition):
                _put(body, definition, name, None)
        body["statecode"] = masks.state
        if masks.status is not None:
            body["statuscode"] = masks.status
        body["ownerid@odata.bind"] = f"/teams({self._team(masks.owner)})"
        return body

    def files(self, table: Table) -> tuple[str, ...]:
        """Return the file columns whose content goes by a request of its own."""
        masks, definition = _masks(table), self._definition(table)
        return tuple(name for name in masks.columns if _type(name, definition) == ColumnType.FILE)

    def unmasked(self, table: Table, operations: Sequence[Operation]) -> set[str]:
        """Return the ids of rows that do not show what their masks wrote. A row that is gone shows nothing
        that it should not. Raises ReadIncomplete: the answer is not whole."""
        masks, definition = _masks(table), self._definition(table)
        wanted = {operation.id: operation for operation in operations}
        return {
            row_id
            for row_id, row in self._rows(table, masks, definition, list(wanted))
            if not self._shows(row, table, masks, wanted[row_id])
        }

    # -- one row ---------------------------------------------------------------------------------------------

    def _shows(self, row: Values[str, Any], table: Table, masks: Masks, operation: Operation) -> bool:
        definition = self._definition(table)
        is_owned = row.get("_ownerid_value") == self._team(masks.owner) and row.get("statecode") == masks.state
        if not is_owned or row.get(table.columns[SINCE].name) is None:
            return False
        facts = self._facts(operation)
        if not all(TECHNIQUES[column.technique].shows(row.get(_wire(column.name, definition)), facts) for column in masks.columns.values()):
            return False
        return all(row.get(_wire(name, definition)) is None for name in _emptied(masks, operation))

    def _facts(self, operation: Operation) -> Facts:
        """Return what a technique may write; what the caller does not know becomes empty."""
        known: dict[str, Any] = {name: operation.values.get(name) for name in STATISTIC}
        return Facts(operation.id, self._key, **known)

    def _rows(self, table: Table, masks: Masks, definition: TableDefinition, ids: Sequence[str]) -> Iterator[tuple[str, Values[str, Any]]]:
        names = [*masks.columns, *masks.keeps, table.columns[SINCE].name]
        wanted = {guid(row) for row in ids}
        columns = [definition.primary_id, "statecode", "_ownerid_value", *(_wire(name, definition) for name in names)]
        for condition in any_of(definition.primary_id, ids):
            query = query_string({"$select": select(columns), "$filter": condition, "$count": "true"})
            answer = self._transport.get(f"{definition.set_name}?{query}", where=table.name)
            try:
                content = msgspec.json.decode(answer.body)
                found = [(guid(row[definition.primary_id]), row) for row in content["value"]]
                is_whole = content["@odata.count"] == len(found) == len(wanted.intersection(row_id for row_id, _ in found))
                is_whole = is_whole and all(_wire(name, definition) in row for name in names for _, row in found)
            except UNREADABLE:
                is_whole = False
            if not is_whole:
                raise ReadIncomplete("Masked rows cannot be read back.", where=table.name, request_id=answer.request_id)
            yield from found

    # -- the neutral team ------------------------------------------------------------------------------------

    def _team(self, owner: str) -> str:
        if owner not in self._teams and self._find(owner):
            raise NotWritable("ownerid")
        return self._teams[owner]

    def _find(self, owner: str) -> str:
        """Look a team up by id or name; says what is wrong, empty where it was found."""
        condition = f"teamid eq {guid(owner)}" if _GUID.fullmatch(owner) else f"name eq {literal(owner)}"
        answer = self._transport.get(f"teams?{query_string({'$select': 'teamid', '$filter': condition})}", where="team")
        with answer.readable("The CRM's teams are not readable.", where="team"):
            teams = [guid(row["teamid"]) for row in msgspec.json.decode(answer.body)["value"]]
        if len(teams) != 1:
            what = "no team" if not teams else f"{len(teams)} teams"
            return f"The CRM has {what} of the name or id that owns anonymised rows; make one, to which no case manager belongs (ERA-06)."
        self._teams[owner] = teams[0]
        return ""


def _masks(table: Table) -> Masks:
    if table.masks is None:
        raise NotWritable("anonymise")
    return table.masks


def _emptied(masks: Masks, operation: Operation) -> tuple[str, ...]:
    """Return the columns that would stay, where too few people share what they hold (ERA-08)."""
    return () if operation.values.get(IS_COMMON) else tuple(masks.keeps)


def _type(name: str, definition: TableDefinition) -> str:
    attribute = definition.attributes.get(name)
    if attribute is None:
        raise NotWritable(name)
    return type_of(attribute)


def _is_sent(name: str, definition: TableDefinition) -> bool:
    """Return whether a PATCH may name the column: not a file, and not one that follows from others."""
    return _type(name, definition) != ColumnType.FILE and definition.attributes[name].updatable


def _wire(name: str, definition: TableDefinition) -> str:
    attribute = definition.attributes.get(name)
    return attribute.queried if attribute is not None else name


def _put(body: dict[str, Any], definition: TableDefinition, name: str, value: object) -> None:
    if definition.attributes[name].kind not in LOOKUP_TYPES:
        body[name] = value
        return
    navigation = definition.navigation(name)
    if not navigation:
        raise NotWritable(name)
    body[f"{navigation}@odata.bind"] = None
