"""Whether a request that changes something comes from a page of this service."""

import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import Request

from crm_compliance.console.access.sessions import form_token

HEADER = "X-CSRF-Token"  # of requests that htmx sends
FIELD = "csrf"  # of forms


def is_own(request: Request) -> bool:
    """Return whether the browser says that one of our pages has sent this; one that says nothing is believed
    as far as the token goes."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    if (origin := request.headers.get("Origin")) is None:
        return True
    try:
        return urlsplit(origin).netloc.casefold() == request.headers.get("Host", "").casefold()
    except ValueError:
        return False


def given_token(request: Request, given: str) -> str:
    """Return what the form, or htmx, carries of its page."""
    return request.headers.get(HEADER) or given


def has_token(request: Request, given: str, token: str, roles: Iterable[str]) -> bool:
    """Return whether the form, or htmx, carries what a page of this session was given in such a role."""
    found = given_token(request, given).encode()
    return any(hmac.compare_digest(found, form_token(token, role).encode()) for role in roles)
