"""Query options read against the schema: what to select, expand, order, count, and in which shape."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.emulator.errors import WebApiError, bad_query, bad_top, no_property
from connectors.emulator.request.paths import split_outside
from connectors.emulator.schema.environment import Column, Environment, Navigation, Relationship, Table
from connectors.emulator.schema.many_to_many import Peers

MAX_EXPANDS = 15
_KNOWN = {"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken"}
_IN_EXPAND = {"$select", "$filter", "$orderby", "$top", "$expand"}
_CUSTOM = {"tag", "partitionId"}  # accepted and without effect on a standard table
_ONLY_SELECT_AND_FILTER = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested one-to-many relationship."
)


@dataclass
class Query:
    """One level of a query; `columns` has the key, and what selecting a column brings along."""

    table: Table
    columns: list[Column]
    selected: list[str] | None = None  # as asked, for the context URL
    filter: str | None = None
    order: list[tuple[list[str], bool]] = field(default_factory=list)  # path, descending
    top: int | None = None
    count: bool = False
    expands: "list[Expand]" = field(default_factory=list)
    skiptoken: str | None = None
    aliases: dict[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> str:
        """What stands in parentheses in a context URL."""
        parts = list(self.selected or [])
        parts += [f"{expand.name}({expand.query.shape.strip('()')})" for expand in self.expands]
        return f"({','.join(parts)})" if parts else ""

    @property
    def nested(self) -> bool:
        """Whether an expand stands in an expand: then every collection comes in pages."""
        return any(expand.query.expands for expand in self.expands)


@dataclass
class Expand:
    """What one navigation property brings along: of `navigation`, `relation` and `peers`, one is there."""

    name: str
    query: Query
    navigation: Navigation | None
    relation: Relationship | None
    peers: Peers | None
    reference_only: bool
    text: str  # the options as sent, for the link to the rest


def parse_query(environment: Environment, table: Table, options: Iterable[tuple[str, str]]) -> Query:
    """Read the options of a request for rows. Raises WebApiError: 400 for an option, column or number that
    does not exist."""
    given: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for name, value in options:
        if name.startswith("@"):
            aliases[name] = value
        elif name in _KNOWN:
            given[name] = value
        elif name not in _CUSTOM:
            raise bad_query(f"The query parameter {name} is not supported")
    if "$orderby" in given:
        given["$orderby"] = re.sub(r"@\w+", lambda match: aliases.get(match.group(), "null"), given["$orderby"])
    query = _level(environment, table, given)
    query.aliases = aliases
    query.skiptoken = given.get("$skiptoken")
    if "$count" in given:
        if given["$count"] not in ("true", "false"):
            raise bad_query(f"Invalid value '{given['$count']}' for $count query option found. Valid values are 'true' and 'false'.")
        query.count = given["$count"] == "true"
    if _count_expands(query) > MAX_EXPANDS:
        raise bad_query(f"The number of $expand options exceeds the limit of {MAX_EXPANDS}.")
    for expand in query.expands:
        _refuse_nested_peers(expand.query)
    if query.nested:
        _refuse_ordered(query)
    return query


def _refuse_ordered(query: Query) -> None:
    for expand in query.expands:
        if not expand.navigation and (expand.query.order or expand.query.top is not None):
            raise bad_query(_ONLY_SELECT_AND_FILTER)
        _refuse_ordered(expand.query)


def _refuse_nested_peers(query: Query) -> None:
    for expand in query.expands:
        if expand.peers:
            raise bad_query(
                f"The navigation property '{expand.name}' cannot be expanded. Only many-to-one relationships are supported for nested "
                "expansion."
            )
        _refuse_nested_peers(expand.query)


def _level(environment: Environment, table: Table, given: dict[str, str]) -> Query:
    columns, selected = selection(table, given.get("$select"))
    query = Query(table, columns, selected, filter=given.get("$filter"))
    if "$orderby" in given:
        query.order = _order(table, given["$orderby"])
    if "$top" in given:
        if not re.fullmatch(r"[0-9]{1,9}", given["$top"]):
            raise bad_top(given["$top"])
        query.top = int(given["$top"])
    if "$expand" in given:
        query.expands = [_expand(environment, table, text.strip()) for text in split_outside(given["$expand"], ",")]
    return query


def selection(table: Table, text: str | None) -> tuple[list[Column], list[str] | None]:
    """Return the columns of a `$select`, and its names as sent; without one, all columns but images."""
    if text is None or text.strip() == "*":
        return [column for column in table.columns.values() if column.kind != "image"], None
    names = [name.strip() for name in text.split(",") if name.strip()]
    columns: dict[str, Column] = {}
    for name in names:
        column = table.by_wire.get(name)
        if column is None and name in table.navigations:
            column = table.navigations[name].column
        if column is None:
            raise no_property(name, table.name)
        columns[column.name] = column
        if column.kind == "money" and "transactioncurrencyid" in table.columns:
            columns.setdefault("transactioncurrencyid", table.columns["transactioncurrencyid"])
    columns.setdefault(table.key, table.columns[table.key])
    return list(columns.values()), names


def _order(table: Table, text: str) -> list[tuple[list[str], bool]]:
    found: list[tuple[list[str], bool]] = []
    for name, is_descending in order_parts(text):
        path = name.split("/")
        if len(path) == 1 and path[0] not in table.by_wire:
            raise no_property(path[0], table.name)
        found.append((path, is_descending))
    return found


def order_parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what `$orderby` names, each with whether the largest comes first."""
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise bad_query(f"Syntax error at position {len(part)} in '{text}'.")
        yield words[0], words[1:] == ["desc"]


def _expand(environment: Environment, table: Table, text: str) -> Expand:
    name, bracket, inside = text.partition("(")
    if bracket and not inside.endswith(")"):
        raise bad_query(f"Syntax error: character '(' is not closed in '{text}'.")
    options_text = inside[:-1] if bracket else ""
    name = name.strip()
    reference_only = name.endswith("/$ref")
    name = name.removesuffix("/$ref")
    navigation, relation, peers = table.navigations.get(name), table.collections.get(name), table.peers.get(name)
    if navigation is None and relation is None and peers is None:
        if name in table.by_wire:
            raise bad_query(
                f"Property '{name}' on type 'Microsoft.Dynamics.CRM.{table.name}' is not a navigation property or complex property. Only "
                "navigation properties can be expanded."
            )
        raise no_property(name, table.name)
    if reference_only and navigation is None:
        raise bad_query("Expand with $ref is only supported on lookup type navigation property.")
    target = environment.tables[navigation.target if navigation else relation.child if relation else _far(peers)]
    given: dict[str, str] = {}
    for option in split_outside(options_text, ";"):
        if not option.strip():
            continue
        key, _, value = option.strip().partition("=")
        if key not in _IN_EXPAND:
            raise bad_query(f"The query option '{key}' is not allowed in $expand.")
        given[key] = value
    query = _level(environment, target, given)
    if navigation is not None and (query.order or query.top is not None):
        raise bad_query(_ONLY_SELECT_AND_FILTER)
    if relation is not None:
        back = target.columns[relation.column]
        if back not in query.columns:
            query.columns.insert(len(query.columns) - 1, back)
    return Expand(
        name, query, navigation, relation, peers, reference_only, "&".join(f"{key}={_in_link(value)}" for key, value in given.items())
    )


def _in_link(value: str) -> str:
    """Return the text as readable as the service leaves it: only what would end the option is encoded."""
    return re.sub("[%&+#]", lambda match: f"%{ord(match.group()):02X}", value)


def _far(peers: Peers | None) -> str:
    assert peers is not None
    return peers.far.table


def _count_expands(query: Query) -> int:
    return sum(1 + _count_expands(expand.query) for expand in query.expands)


def refuse_options(options: Iterable[tuple[str, str]], allowed: set[str]) -> None:
    """Refuse options, for addresses that take few or none."""
    for name, _ in options:
        if name not in allowed and name not in _CUSTOM and not name.startswith("@"):
            raise WebApiError(400, "0x80060888", f"The query parameter {name} is not supported")
