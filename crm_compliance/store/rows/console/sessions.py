"""Who is signed in at a browser, and what was on their screen: rows that end by themselves, and that no
ledger mentions."""

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, true, update

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import decoded
from crm_compliance.store.sql.inserts import insert_into, upsert_into
from crm_compliance.store.sql.tables import seen, sent_forms, sessions


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One person at one browser. `roles` are those of the token that they signed in with; `role` is the one
    in which they act now; `sealed_name` is a name that only the browser's token opens."""

    who: str
    roles: tuple[str, ...]
    role: str
    began_at: datetime
    seen_at: datetime
    sealed_name: bytes = b""


# Built once: each page that is asked for reads and renews a session.
_THIS = sessions.c.digest == bindparam("token")
_DOC = select(sessions.c.doc).where(_THIS)
_RENEW = update(sessions).where(_THIS)
_SEEN = select(seen.c.ref).where(seen.c.session == bindparam("token"), seen.c.ref.in_(bindparam("refs", expanding=True)))


class Sessions(Rows):
    """The sessions, each by the SHA-256 of its token in lower-case hex."""

    def get(self, digest: str) -> Session | None:
        return self._transactions.one(_DOC, Session, "a session", token=digest)

    def put(self, digest: str, session: Session) -> None:
        """Add or replace it."""
        with self._transactions.database.writing() as connection:
            connection.execute(upsert_into(connection, sessions), {"digest": digest, **_row(session)})

    def update(self, digest: str, change: Callable[[Session], Session]) -> Session | None:
        """Change a session that is still there, as it is now, and return it; None where it has ended: what
        has ended meanwhile does not come back by it."""
        with self._transactions.database.writing() as connection:
            doc = connection.execute(_DOC, {"token": digest}).scalar()
            if doc is None:
                return None
            changed = change(decoded(doc, Session, "a session"))
            connection.execute(_RENEW, {"token": digest, **_row(changed)})
        return changed

    def drop(self, digest: str) -> None:
        with self._transactions.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))
            connection.execute(delete(seen).where(seen.c.session == digest))
            connection.execute(delete(sent_forms).where(sent_forms.c.session == digest))

    def expire(self, *, began_before: datetime, seen_before: datetime) -> int:
        """Remove those that have ended; return how many."""
        return self._end((sessions.c.began_at <= began_before.timestamp()) | (sessions.c.seen_at <= seen_before.timestamp()))

    def end_all(self) -> int:
        """Remove all of them; return how many."""
        return self._end(true())

    def _end(self, ended: ColumnElement[bool]) -> int:
        with self._transactions.database.writing() as connection:
            return drop(connection, ended)

    def note_seen(self, digest: str, keys: Collection[str]) -> None:
        """Remember what was on the screen of a session, until it ends; what is known already is not written
        again. Nothing is remembered of a session that has ended."""
        refs = {_ref(key) for key in keys} - self._seen(digest, keys)
        if not refs:
            return
        with self._transactions.database.writing() as connection:
            if connection.execute(select(sessions.c.digest).where(sessions.c.digest == digest)).first() is not None:
                rows = [{"session": digest, "ref": ref} for ref in sorted(refs)]
                connection.execute(insert_into(connection, seen).on_conflict_do_nothing(index_elements=["session", "ref"]), rows)

    def has_seen(self, digest: str, key: str) -> bool:
        """Return whether it was on the screen of this session."""
        return bool(self._seen(digest, (key,)))

    def _seen(self, digest: str, keys: Collection[str]) -> set[str]:
        with self._transactions.reading() as connection:
            return set(connection.execute(_SEEN, {"token": digest, "refs": [_ref(key) for key in keys]}).scalars())


def drop(connection: Connection, ended: ColumnElement[bool]) -> int:
    """Remove those sessions, with what was on their screens; return how many."""
    number = connection.execute(delete(sessions).where(ended)).rowcount
    for each in (seen, sent_forms):
        connection.execute(delete(each).where(each.c.session.not_in(select(sessions.c.digest))))
    return number


def _ref(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _row(session: Session) -> dict[str, object]:
    return {
        "began_at": session.began_at.timestamp(),
        "seen_at": session.seen_at.timestamp(),
        "doc": msgspec.json.encode(session).decode(),
    }
