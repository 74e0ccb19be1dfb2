"""Sessions: who is signed in at a browser, for how long, and in which role.

The browser holds a random token, the store its SHA-256: a reader of the store can use no session. What
somebody is called, a line each and the name that a page greets with first, is sealed with the token: what
they sign in as is nobody else's to read (what colleagues are called: `names.py`)."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_compliance.console.access.owners import Owner, Owners
from crm_compliance.store.rows.console.sessions import Session
from rules.model.accounts import goes_by

SEEN_AGAIN: Final = timedelta(seconds=30)  # a session is written again no more often than this
PUT_BACK: Final = timedelta(minutes=5)  # by less a clock is corrected unnoticed
_NONCE: Final = bytes(12)  # each key seals one name, once


class SessionStore(Protocol):
    """Where sessions are kept, by the SHA-256 of their tokens."""

    def get(self, digest: str) -> Session | None: ...

    def put(self, digest: str, session: Session) -> None:
        """Add or replace it."""

    def update(self, digest: str, change: Callable[[Session], Session]) -> Session | None:
        """Change one that is still there, as it is now, and return it; None where it has ended."""

    def drop(self, digest: str) -> None: ...

    def expire(self, *, began_before: datetime, seen_before: datetime) -> int:
        """Remove those that have ended; return how many."""

    def note_seen(self, digest: str, keys: Collection[str]) -> None:
        """Remember what was on the screen of a session, until it ends."""

    def has_seen(self, digest: str, key: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of this console. One that was not used for `idle`, or is older than `longest`, is over; so
    is one that was used at a time that is still to come: the clock was put back, and it would last longer."""

    store: SessionStore
    idle: timedelta
    longest: timedelta
    owners: Owners = field(default_factory=Owners)

    def begin(self, who: str, roles: tuple[str, ...], name: str, now: datetime) -> str:
        """Begin a session, and return its token. It is always a new one: what a browser brought along is
        never taken for it."""
        self.store.expire(began_before=now - self.longest, seen_before=now - self.idle)
        token = secrets.token_urlsafe(32)
        sealed = AESGCM(_key(token)).encrypt(_NONCE, name.encode(), None)
        session = Session(who=who, roles=roles, role=roles[0], began_at=now, seen_at=now, sealed_name=sealed)
        self.store.put(digest_of(token), session)
        return token

    def of(self, token: str, now: datetime, *, is_used: bool = True) -> Session | None:
        """Return the session of a token, None where it has none or it is over. A page that asks by itself
        does not use it: nobody may sit there any more."""
        session = self.store.get(digest_of(token))
        if session is None:
            return None
        self.owners.note(form_token(token, session.role), Owner(session.who, session.role))
        is_put_back = session.seen_at - now >= PUT_BACK  # else it would last as much longer
        if is_put_back or now - session.began_at >= self.longest or now - session.seen_at >= self.idle:
            self.store.drop(digest_of(token))
            return None
        if is_used and now - session.seen_at >= SEEN_AGAIN:
            return self.store.update(digest_of(token), lambda each: msgspec.structs.replace(each, seen_at=now))
        return session

    def act_as(self, token: str, session: Session, role: str) -> None:
        """Go on in another of the session's own roles."""
        if role in session.roles:
            self.store.update(digest_of(token), lambda each: msgspec.structs.replace(each, role=role))

    def end(self, token: str) -> None:
        self.store.drop(digest_of(token))

    def note_seen(self, token: str, *keys: str) -> None:
        """Remember what was on the screen of this session: nobody lets out what they have not been shown, and
        who has been need not look again after a restart."""
        self.store.note_seen(digest_of(token), keys)

    def has_seen(self, token: str, key: str) -> bool:
        return self.store.has_seen(digest_of(token), key)


def name_of(token: str, session: Session) -> str:
    """Return the name to greet with; the account where there is none."""
    return _names(token, session)[0]


def is_called(token: str, session: Session, account: str) -> bool:
    """Return whether a name is that of somebody's own account: its id, or what they sign in as."""
    return goes_by(account, [session.who, *_names(token, session)])


def _names(token: str, session: Session) -> list[str]:
    try:
        return AESGCM(_key(token)).decrypt(_NONCE, session.sealed_name, None).decode().splitlines() or [session.who]
    except (InvalidTag, ValueError):
        return [session.who]


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(token: str, role: str) -> str:
    """Return what each form of a session carries, so that no other site can send one (CSRF), and none is
    taken in another role than the one that its page showed."""
    return hmac.new(token.encode(), f"form {role}".encode(), hashlib.sha256).hexdigest()


def _key(token: str) -> bytes:
    return hmac.new(token.encode(), b"name", hashlib.sha256).digest()
