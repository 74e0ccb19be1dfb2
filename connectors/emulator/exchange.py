"""One operation and its answer, whether it came alone or inside a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.emulator.paths import Address
from connectors.emulator.preferences import Preferences

JSON = "application/json; odata.metadata=minimal"


@dataclass
class Operation:
    """What is asked: `raw` is the address below the service root with its query, still percent-encoded; header names are lower case."""

    method: str
    raw: str
    headers: dict[str, str]
    body: bytes
    root: str  # the service root, as the caller spelled its host
    user: str  # systemuserid
    in_batch: bool = False
    references: dict[str, str] = field(default_factory=dict)  # Content-ID -> address of the row it created, in this change set
    address: Address = field(default_factory=lambda: Address([]))
    preferences: Preferences = field(default_factory=Preferences)

    @property
    def if_match(self) -> str | None:
        return self.headers.get("if-match")

    @property
    def if_none_match(self) -> str | None:
        """The token `null` is what clients send to say that there is no such header."""
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
        """Where a row lies that this answer tells to have been created."""
        return self.headers.get("OData-EntityId")
