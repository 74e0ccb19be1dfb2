"""The link under which a released package is fetched: only its holder knows it, and it works for a while and
for a few times (EXP-16). Here is decided whether it still does. The register knows the token's SHA-256
alone."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from jobs.model.request import SubjectRequest

VALID: Final = timedelta(days=14)
TIMES: Final = 5
TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Link:
    """A new link: the token is sent to the person, its digest is stored in the register."""

    token: str
    digest: str
    until: datetime


def new_link(now: datetime) -> Link:
    """Make a link that nobody can guess; it works before the instant `until`."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return Link(token, digest_of(token), now + VALID)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_valid(request: SubjectRequest, now: datetime, under_way: int) -> bool:
    """Return whether the link of a request works: its answer was released and reached nobody else, its time
    has not passed, and of its few times one is left beside the downloads that are `under_way`."""
    return (
        request.is_answered
        and request.misdelivered_at is None
        and request.link_until is not None
        and now < request.link_until
        and used(request) + under_way < TIMES
    )


def used(request: SubjectRequest) -> int:
    """Return how many downloads count against the link's limit: those since it was last renewed."""
    since = request.renewals[-1] if request.renewals else None
    return sum(since is None or at > since for at in request.downloads)
