"""The link under which a released package is fetched: only its holder knows it, and it works for a while and
for a few times (EXP-16). The register knows the token's SHA-256 alone."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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
