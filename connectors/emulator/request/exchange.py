"""One operation and its answer, whether it came alone or inside a batch."""

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.emulator.errors import WebApiError
from connectors.emulator.request.paths import Address
from connectors.emulator.request.preferences import Preferences

Alter = Callable[[list[str]], list[str]]
JSON = "application/json; odata.metadata=minimal"


@dataclass
class Operation:
    """One request: `raw` is the address below the service root with its query, still percent-encoded; header
    names are lower case."""

    method: str
    raw: str
    headers: dict[str, str]
    body: bytes
    root: str  # the service root, as the caller spelled its host
    user: str  # systemuserid; of whom is impersonated, where someone is
    in_batch: bool = False
    caller: str | None = None  # systemuserid of who impersonates the user
    references: dict[str, str] = field(default_factory=dict)  # Content-ID -> address of the row it created, in this change set
    address: Address = field(default_factory=Address)
    preferences: Preferences = field(default_factory=Preferences)
    alter: Alter = list  # the rows of a page as they are given, unless a fault has a hand in it

    @property
    def if_match(self) -> str | None:
        return self.headers.get("if-match")

    @property
    def if_none_match(self) -> str | None:
        """The If-None-Match header; clients send the token `null` for no such header."""
        value = self.headers.get("if-none-match")
        return None if value is None or value.strip() == "null" else value


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON

    @property
    def location(self) -> str | None:
        """The address of a row that this answer reports as created."""
        return self.headers.get("OData-EntityId")


def refused(error: WebApiError, *, annotated: bool = False, inner: bool = False) -> Answer:
    """Return a refusal as an answer; see `WebApiError.body`."""
    return Answer(error.status, error.body(annotated=annotated, inner=inner), dict(error.headers))
