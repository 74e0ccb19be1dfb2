"""Sessions and what was on their screens, in both databases: what has ended does not come back."""

from datetime import UTC, datetime, timedelta

import msgspec

from crm_compliance.store.rows.console.sessions import Session
from crm_compliance.store.store import SqlStore

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)
EVER = datetime(2020, 1, 1, tzinfo=UTC)
ONE, TWO = "1" * 64, "2" * 64


def a_session(who: str = "oid-1", began_at: datetime = NOW, seen_at: datetime = NOW) -> Session:
    return Session(who=who, roles=("dpo", "auditor"), role="dpo", began_at=began_at, seen_at=seen_at, sealed_name=b"\x00sealed")


def later(session: Session) -> Session:
    return msgspec.structs.replace(session, seen_at=session.seen_at + timedelta(minutes=1))


def test_a_session_is_what_was_put_last(store: SqlStore) -> None:
    assert store.sessions.get(ONE) is None
    store.sessions.put(ONE, a_session())
    store.sessions.put(TWO, a_session("oid-2"))
    store.sessions.put(ONE, a_session("oid-3"))
    assert (store.sessions.get(ONE), store.sessions.get(TWO)) == (a_session("oid-3"), a_session("oid-2"))


def test_a_session_is_changed_as_it_is_now_and_one_that_has_ended_is_not_put_back(store: SqlStore) -> None:
    store.sessions.put(ONE, a_session())
    store.sessions.update(ONE, later)
    assert store.sessions.update(ONE, later) == store.sessions.get(ONE) == a_session(seen_at=NOW + timedelta(minutes=2))
    store.sessions.drop(ONE)
    assert store.sessions.update(ONE, later) is None
    assert store.sessions.get(ONE) is None


def test_a_session_expires_by_its_beginning_or_by_its_last_use_and_a_renewed_one_stays(store: SqlStore) -> None:
    hour = timedelta(hours=1)
    store.sessions.put("old", a_session(began_at=NOW - hour))
    store.sessions.put("unused", a_session(seen_at=NOW - hour))
    store.sessions.put("renewed", a_session(seen_at=NOW - hour))
    store.sessions.update("renewed", later)
    assert store.sessions.expire(began_before=NOW - hour, seen_before=NOW - hour) == 2
    assert [store.sessions.get(each) is None for each in ("old", "unused", "renewed")] == [True, True, False]
    assert store.sessions.expire(began_before=NOW - hour, seen_before=NOW - hour) == 0


def test_what_was_seen_is_one_sessions_own_and_is_kept_once(store: SqlStore) -> None:
    for session in (ONE, TWO):
        store.sessions.put(session, a_session())
    store.sessions.note_seen(ONE, ["item", "item", "file"])
    store.sessions.note_seen(ONE, ["file", "more"])
    store.sessions.note_seen(TWO, [])
    assert [store.sessions.has_seen(ONE, key) for key in ("item", "file", "more", "other")] == [True, True, True, False]
    assert not store.sessions.has_seen(TWO, "item")


def test_what_was_seen_and_sent_goes_with_its_session_alone(store: SqlStore) -> None:
    """However it ends: it is signed out of, or expires."""
    for end in (
        lambda: store.sessions.drop(ONE),
        lambda: store.sessions.expire(began_before=EVER, seen_before=NOW),
    ):
        for session, seen_at in ((ONE, NOW), (TWO, NOW + timedelta(minutes=1))):
            store.sessions.put(session, a_session(seen_at=seen_at))
            store.sessions.note_seen(session, ["item"])
            store.sent_forms.begin(session, "form", NOW, since=EVER)
        end()
        assert [store.sessions.has_seen(session, "item") for session in (ONE, TWO)] == [False, True]
        assert [store.sent_forms.begin(session, "form", NOW, since=EVER) is None for session in (ONE, TWO)] == [True, False]


def test_of_a_session_that_has_ended_nothing_is_remembered(store: SqlStore) -> None:
    store.sessions.note_seen(ONE, ["item"])
    store.sessions.put(ONE, a_session())
    assert not store.sessions.has_seen(ONE, "item")
