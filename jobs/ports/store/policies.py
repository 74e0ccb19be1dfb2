"""Versions of the retention schedule, word for word."""

from typing import Protocol

import msgspec


class PolicyStore(Protocol):
    """The versions of the retention schedule that have decided (ACC-01)."""

    def remember(self, digest: str, version: str, text: str) -> None:
        """Keep the text of a schedule that decides; the first time with a ledger entry (ACC-01)."""

    def all(self) -> "list[PolicyVersion]":
        """Return every schedule that has decided, oldest first."""


class PolicyVersion(msgspec.Struct, frozen=True):
    """A version of the retention schedule as it first decided; `first_used_at` is RFC 3339 in UTC."""

    digest: str
    version: str
    first_used_at: str
    text: str
