"""The cookies of the console: one that signs in, one of a sign-in that is under way, and those that keep how
somebody wants to see it."""

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "session"
LANGUAGE, THEME, NOTE = "language", "theme", "note"
YEAR: Final = timedelta(days=365)


def bound(name: str, *, is_secure: bool) -> str:
    """Return the name of a cookie that nobody else may plant. Behind TLS it begins with `__Host-`: the
    browser then takes it from this host alone, over TLS alone."""
    return f"__Host-{name}" if is_secure else name


def session_token(request: Request, *, is_secure: bool) -> str:
    return request.cookies.get(bound(SESSION, is_secure=is_secure), "")


def give_session(response: Response, token: str, *, is_secure: bool) -> None:
    """Set the cookie of a session. It ends with the browser: for how long it is worth anything, the store
    knows."""
    response.set_cookie(bound(SESSION, is_secure=is_secure), token, secure=is_secure, httponly=True, samesite="lax", path="/")


def gives_session(response: Response, *, is_secure: bool) -> bool:
    """Return whether somebody comes in by this response."""
    begins = f"{bound(SESSION, is_secure=is_secure)}="
    return any(each.startswith(begins) and not each.startswith(f'{begins}""') for each in response.headers.getlist("set-cookie"))


def take_session(response: Response, *, is_secure: bool) -> None:
    take(response, bound(SESSION, is_secure=is_secure), is_secure=is_secure)


def take(response: Response, name: str, *, is_secure: bool) -> None:
    response.delete_cookie(name, secure=is_secure, httponly=True, samesite="lax", path="/")


def give(response: Response, name: str, value: str, *, is_secure: bool, lasts: timedelta = YEAR) -> None:
    """Set a cookie that lets nobody in."""
    response.set_cookie(name, value, max_age=int(lasts.total_seconds()), secure=is_secure, httponly=True, samesite="lax", path="/")
