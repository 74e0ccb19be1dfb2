"""One call of a function or an action, its parameters read."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.emulator.conditions.stats import Stats
from connectors.emulator.conditions.switches import Switches
from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_query
from connectors.emulator.querying.pages import Reader
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.paths import NAMESPACE, Segment, split_outside
from connectors.emulator.schema.environment import Environment, Table
from connectors.emulator.security.privileges_on_rows import Access
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.writes import Writer

_NAMED = re.compile(r"\s*(\w+)\s*=\s*(.+)", re.DOTALL)


@dataclass
class Call:
    """`parameters` are JSON values, of a function's address or of an action's body. A bound message has the
    table and the row's id."""

    name: str
    operation: Operation
    tables: Tables
    reader: Reader
    writer: Writer
    stats: Stats
    parameters: dict[str, Any]
    table: Table | None
    row_id: str | None

    @property
    def environment(self) -> Environment:
        return self.tables.environment

    @property
    def switches(self) -> Switches:
        return self.tables.switches

    @property
    def access(self) -> Access:
        """Ask `require_named(operation, "prv…")` or `require(operation, "Delete", table, row_id)` before
        doing what takes a privilege."""
        return self.reader.gate.access

    def required(self, name: str) -> Any:
        """Return a parameter that must be there. Raises WebApiError: 400 naming it."""
        if name not in self.parameters:
            raise WebApiError(400, INVALID_ARGUMENT, f"Required field '{name}' is missing for '{self.name}'.")
        return self.parameters[name]

    def answer(self, document: dict[str, Any]) -> Answer:
        """Return 200 with the message's response type as context."""
        context = f"{self.operation.root}$metadata#{NAMESPACE}{self.name}Response"
        return Answer(200, msgspec.json.encode({"@odata.context": context, **document}))


def function_parameters(operation: Operation, segment: Segment) -> dict[str, Any]:
    """Return the parameters of `Name(A=1,B=@b)?@b={…}`; an alias that is not assigned is null. Raises
    WebApiError: 400 for what is not a parameter, or not a value."""
    found: dict[str, Any] = {}
    for part in split_outside(segment.key or "", ","):
        if not part.strip():
            continue
        match = _NAMED.fullmatch(part)
        if match is None:
            raise bad_query(f"The parameters of '{segment.name}' are malformed.")
        name, text = match.group(1), match.group(2).strip()
        if text.startswith("@"):
            text = operation.address.option(text) or "null"
        found[name] = literal(text)
    return found


def literal(text: str) -> Any:
    """Return an OData literal or inline JSON as a JSON value."""
    text = text.strip()
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text.startswith("[") and "'" in text and '"' not in text:  # ['a','b'] besides ["a","b"]
        return [literal(item) for item in split_outside(text[1:-1], ",") if item.strip()]
    if text.startswith("{") and "'" in text and '"' not in text:  # {'@odata.id':'…'} likewise
        text = text.replace("'", '"')
    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        if re.fullmatch(r"[\w.:+-]+", text):  # a GUID or an instant stands without quotation marks
            return text
        raise bad_query(f"Invalid JSON or literal in the parameters of a function: {text[:60]}.") from None
