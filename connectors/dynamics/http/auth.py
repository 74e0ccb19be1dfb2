"""Where the bearer token of a request comes from: a fixed one for the emulator, Entra ID or AD FS for a real
CRM (`entra.py`). A token never stands in a repr, a log or an exception."""

from typing import Protocol
from urllib.parse import urlsplit

from rules.errors import UsageError
from rules.model.crm_addresses import on_this_machine


class TokenSource(Protocol):
    """Where the transport gets its bearer token from; safe to ask from several threads."""

    def token(self) -> str:
        """Return a token that stays valid for some more minutes."""

    def renew(self, rejected: str) -> str | None:
        """Return another token than the one the CRM has just rejected; None if there cannot be one."""

    def close(self) -> None:
        """Release the connections and the token."""


def is_token(text: object) -> bool:
    """Return whether a text can stand in a header as a token."""
    return isinstance(text, str) and bool(text) and text.isascii() and text.isprintable() and " " not in text


class StaticToken:
    """A fixed token, for the emulator. Elsewhere, a password that never expires, it is refused."""

    def __init__(self, token: str, url: str) -> None:
        if not on_this_machine(url):
            raise UsageError(
                "a static token is accepted for a CRM, and a Microsoft Graph, on this machine only",
                hint="use tenant, client id and secret or certificate instead",
                where=urlsplit(url).hostname or "",
            )
        if not is_token(token):
            raise UsageError("The static token is empty or holds characters that no token has.", hint="look at crm_token")
        self._token = token

    def __repr__(self) -> str:
        return "StaticToken(…)"

    def token(self) -> str:
        return self._token

    def renew(self, rejected: str) -> str | None:
        return None

    def close(self) -> None:
        """Do nothing: nothing is held."""
