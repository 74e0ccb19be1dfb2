"""FetchXML read against the schema: which table, columns, links, filters and order it asks for. Microsoft
Learn, "FetchXml reference". The platform's codes for what it refuses are those of "Web service error
codes"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError
from connectors.emulator.querying.criteria import attribute, entity
from connectors.emulator.request.preferences import MAX_PAGE
from connectors.emulator.schema.environment import Column, Environment, Table
from connectors.emulator.storage.sources import RETAINED

MAX_LINKS = 15  # Microsoft Learn, "Join tables using FetchXml"
MAX_DEPTH = 100  # of filters in filters: ours, so that no query exhausts the stack
_INVALID_XML = "0x80040201"
_WITH_AGGREGATE = "0x80041107"
_NO_SUCH_ALIAS = "0x8004110a"
_NO_ALIAS = "0x8004110b"
_LINK_TYPE = "0x80041117"
_AGGREGATE = "0x8004111a"
_INVALID_ALIAS = "0x8004111b"
_INVALID_NODE = "0x8004111c"
_FILTER_TYPE = "0x80041122"

JOINS = ("inner", "outer")
EXISTING = ("exists", "in")  # of an entity: keeps rows that have one, and gives no columns of it
IN_FILTER = ("any", "not any", "all", "not all")
AGGREGATES = ("count", "countcolumn", "sum", "avg", "min", "max")
GROUPINGS = ("day", "week", "month", "quarter", "year")
_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Chosen:
    """One `<attribute>`; `key` is its name in the answer when that is not the column's own."""

    column: Column
    key: str = ""
    aggregate: str = ""
    distinct: bool = False
    grouped: bool = False
    date_grouping: str = ""


@dataclass(frozen=True)
class Comparison:
    """One `<condition>`; `of` names a link if the column is not of the filter's own element."""

    attribute: str
    operator: str
    values: tuple[str, ...] = ()
    of: str = ""
    column: str = ""  # `valueof`


@dataclass
class Filter:
    alternatives: bool = False
    parts: "list[Filter | Comparison | Link]" = field(default_factory=list)


@dataclass(frozen=True)
class Order:
    """By a column of its element, of the link that `of` names, or, in an aggregate, by an alias."""

    attribute: str
    alias: str
    descending: bool
    of: str = ""


@dataclass
class Element:
    """`<entity>`, or what a `<link-entity>` has in common with it. `name` is how conditions and the answer
    call it; `sql` is its alias."""

    table: Table
    name: str
    sql: str
    chosen: list[Chosen] = field(default_factory=list)
    everything: bool = False
    filters: list[Filter] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    links: "list[Link]" = field(default_factory=list)

    def family(self) -> "Iterator[Element]":
        """Yield this element and all whose columns the answer can have, parents first."""
        yield self
        for link in self.links:
            if link.kind in JOINS:
                yield from link.element.family()


@dataclass
class Link:
    element: Element
    own: Column  # of the linked table
    other: Column  # of the element that the link stands in
    kind: str


@dataclass
class Fetch:
    root: Element
    count: int | None = None
    page: int = 1
    cookie: str | None = None
    top: int | None = None
    distinct: bool = False
    aggregate: bool = False
    total: bool = False
    raw_order: bool = False
    datasource: str = ""
    skip: int = 0  # rows before the first page
    nulls: bool = False  # columns that are null are given as null

    def named(self, name: str) -> Element:
        """Return the element that a condition or an order names: by its alias, or by its table when only one
        belongs to it. Raises WebApiError: 400."""
        elements = list(self.root.family())
        found = [element for element in elements if element.name == name and element is not self.root]
        found = found or [element for element in elements if element.table.name == name]
        if not found:
            raise WebApiError(400, _NO_SUCH_ALIAS, f"Link entity with name or alias {name[:60]} is not found")
        return found[0]


def read_fetch(environment: Environment, text: str) -> Fetch:
    """Read a FetchXML document. Raises WebApiError: 400 for malformed XML, and for elements, names and values
    that FetchXML does not have."""
    return _Reading(environment).fetch(_parse(text))


def _parse(text: str) -> ElementTree.Element:
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):  # a document type could declare entities without end
        raise _invalid("Invalid Xml. A document type is not allowed.")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as problem:
        raise _invalid("Invalid Xml.") from problem


class _Reading:
    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.aggregate = False
        self._elements = 0
        self._aliases: set[str] = set()

    def fetch(self, node: ElementTree.Element) -> Fetch:
        if node.tag != "fetch":
            raise _invalid("Invalid Xml. The document element is not 'fetch'.")
        entities = [child for child in node if child.tag == "entity"]
        if len(entities) != 1 or len(node) != 1:
            raise _invalid("Invalid Xml. A fetch has one entity.")
        self.aggregate = _flag(node, "aggregate")
        fetch = Fetch(
            root=self._element(entities[0], entity(self.environment, _named(entities[0], "name")), ""),
            count=_number(node, "count", MAX_PAGE),
            page=_number(node, "page") or 1,
            cookie=node.get("paging-cookie") or None,
            top=_number(node, "top", MAX_PAGE),
            distinct=_flag(node, "distinct"),
            aggregate=self.aggregate,
            total=_flag(node, "returntotalrecordcount"),
            raw_order=_flag(node, "useraworderby"),
            datasource=node.get("datasource", ""),
        )
        if fetch.top is not None and ("page" in node.attrib or fetch.cookie is not None or fetch.count is not None):
            raise WebApiError(400, INVALID_ARGUMENT, "The top attribute can't be specified with paging attribute page or count.")
        if self.aggregate:
            _check_aggregate(fetch)
        if fetch.datasource == RETAINED and (self.aggregate or self._elements > 1):
            # Microsoft Learn, "View long term retained data": one table at a time, no joins and no sums. The
            # code is inferred.
            raise WebApiError(400, INVALID_ARGUMENT, "Joins and aggregations are not supported for the data source 'retained'.")
        return fetch

    def _element(self, node: ElementTree.Element, table: Table, name: str) -> Element:
        element = Element(table, name, f"f{self._elements}")
        self._elements += 1
        if self._elements > MAX_LINKS + 1:
            raise WebApiError(400, "0x8004430d", "Number of link entities in query exceeded maximum limit.")
        for child in node:
            match child.tag:
                case "attribute":
                    element.chosen.append(self._chosen(child, table, name))
                case "all-attributes":
                    element.everything = True
                case "filter":
                    element.filters.append(self._filter(child, table))
                case "order":
                    element.orders.append(_order(child))
                case "link-entity":
                    element.links.append(self._link(child, table, (*JOINS, *EXISTING), "inner"))
                case _:
                    raise _invalid_node(child)
        return element

    def _chosen(self, node: ElementTree.Element, table: Table, name: str) -> Chosen:
        column = attribute(table, _named(node, "name"))
        alias = node.get("alias", "")
        if alias and not _ALIAS.fullmatch(alias):
            raise WebApiError(
                400, _INVALID_ALIAS, f"Invalid character specified for alias: {alias[:60]}. Only characters A-Z a-z 0-9 _ are allowed."
            )
        aggregate, grouping = node.get("aggregate", ""), node.get("dategrouping", "")
        grouped = _flag(node, "groupby")
        if not self.aggregate:
            if aggregate or grouped:
                raise WebApiError(400, _WITH_AGGREGATE, "Attribute can not be aggregated or grouped when the fetch is no aggregate.")
            return Chosen(column, alias or (f"{name}_x002e_{column.name}" if name else ""))
        if not alias:
            raise WebApiError(400, _NO_ALIAS, "An alias is required for an attribute of an aggregate query.")
        if bool(aggregate) == grouped:
            raise WebApiError(400, _WITH_AGGREGATE, f"Attribute '{column.name}' is to be either aggregated or grouped by.")
        if aggregate and aggregate not in AGGREGATES:
            raise WebApiError(400, _AGGREGATE, f"Unsupported aggregate: {aggregate[:60]}")
        if grouping and (grouping not in GROUPINGS or not grouped):
            raise WebApiError(400, INVALID_ARGUMENT, f"Invalid dategrouping: {grouping[:60]}")
        return Chosen(column, alias, aggregate, _flag(node, "distinct"), grouped, grouping)

    def _filter(self, node: ElementTree.Element, table: Table, depth: int = 1) -> Filter:
        if depth > MAX_DEPTH:
            raise too_deep()
        kind = node.get("type", "and").lower()
        if kind not in ("and", "or"):
            raise WebApiError(400, _FILTER_TYPE, f"Unsupported filter type: {kind[:60]}. Valid values are 'and' and 'or'.")
        found = Filter(kind == "or")
        for child in node:
            match child.tag:
                case "condition":
                    found.parts.append(_comparison(child))
                case "filter":
                    found.parts.append(self._filter(child, table, depth + 1))
                case "link-entity":
                    found.parts.append(self._link(child, table, IN_FILTER, ""))
                case _:
                    raise _invalid_node(child)
        return found

    def _link(self, node: ElementTree.Element, parent: Table, kinds: tuple[str, ...], default: str) -> Link:
        table = entity(self.environment, _named(node, "name"))
        kind = node.get("link-type", default).lower()
        if kind not in kinds:
            valid = ", ".join(f"'{each}'" for each in kinds)
            raise WebApiError(400, _LINK_TYPE, f"Invalid link-type specified, valid values are: {valid}. link-type = {kind[:60]}")
        own = attribute(table, _named(node, "from")) if "from" in node.attrib else table.columns[table.key]
        other = attribute(parent, _named(node, "to")) if "to" in node.attrib else parent.columns.get(own.name)
        if other is None:
            raise WebApiError(
                400, INVALID_ARGUMENT, f"The link to '{table.name}' does not say which attribute of '{parent.name}' it goes to."
            )
        name = node.get("alias") or f"{table.name}{self._elements}"
        if name in self._aliases:
            raise WebApiError(400, _INVALID_ALIAS, f"The alias {name[:60]} is used more than once.")
        self._aliases.add(name)
        element = self._element(node, table, name)
        if kind not in JOINS and (element.chosen or element.everything or element.orders):
            raise WebApiError(400, INVALID_ARGUMENT, f"A link of the type '{kind}' gives no attributes and no order.")
        return Link(element, own, other, kind)


def too_deep() -> WebApiError:
    return WebApiError(400, INVALID_ARGUMENT, "The query is nested too deeply.")


def _comparison(node: ElementTree.Element) -> Comparison:
    values = [(child.text or "") for child in node if child.tag == "value"]
    if len(values) != len(node):
        raise _invalid_node(next(child for child in node if child.tag != "value"))
    if "value" in node.attrib and not values:
        values = [node.attrib["value"]]
    return Comparison(
        _named(node, "attribute"), _named(node, "operator"), tuple(values), node.get("entityname", ""), node.get("valueof", "")
    )


def _order(node: ElementTree.Element) -> Order:
    name, alias = node.get("attribute", ""), node.get("alias", "")
    if bool(name) == bool(alias):
        raise _invalid("Invalid Xml. An order has an attribute or an alias.")
    return Order(name, alias, _flag(node, "descending"), node.get("entityname", ""))


def _check_aggregate(fetch: Fetch) -> None:
    keys = [chosen.key for element in fetch.root.family() for chosen in element.chosen]
    if not keys or any(element.everything for element in fetch.root.family()):
        raise WebApiError(400, _WITH_AGGREGATE, "An aggregate query names its attributes.")
    if len(set(keys)) != len(keys):
        raise WebApiError(400, _INVALID_ALIAS, "An alias of an aggregate query is used more than once.")
    for element in fetch.root.family():
        for order in element.orders:
            if order.alias not in keys:
                raise WebApiError(
                    400, _NO_SUCH_ALIAS, f"An aggregate query is ordered by an alias; '{(order.alias or order.attribute)[:60]}' is none."
                )


def _named(node: ElementTree.Element, name: str) -> str:
    value = node.get(name)
    if not value:
        raise _invalid(f"Invalid Xml. The attribute '{name}' of the element '{node.tag}' is missing.")
    return value


def _flag(node: ElementTree.Element, name: str) -> bool:
    text = node.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise _invalid(f"Invalid Xml. The attribute '{name}' takes 'true' or 'false', not '{text[:20]}'.")
    return text in ("true", "1")


def _number(node: ElementTree.Element, name: str, highest: int = 2**31 - 1) -> int | None:
    text = node.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise WebApiError(400, "0x8004110c", f"The value of '{name}' must be a whole number above zero.")
    return min(int(text), highest)


def _invalid(message: str) -> WebApiError:
    return WebApiError(400, _INVALID_XML, message)


def _invalid_node(node: ElementTree.Element) -> WebApiError:
    return WebApiError(400, _INVALID_NODE, f"Invalid Child Node, valid nodes are those of FetchXML. NodeName = {str(node.tag)[:60]}")
