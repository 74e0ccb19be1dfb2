"""Forms that were sent before, in both databases: each session's own, for a while, until it is forgotten."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from crm_compliance.store.rows.console.sent_forms import SentForm
from crm_compliance.store.store import SqlStore

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)


def sent(store: SqlStore, session: str = "one", ref: str = "a", at: datetime = NOW) -> SentForm | None:
    return store.sent_forms.begin(session, ref, at, since=at - HOUR)


def test_a_form_is_new_once_for_each_session_and_says_where_it_led(store: SqlStore) -> None:
    assert [sent(store), sent(store, "two"), sent(store, ref="b")] == [None, None, None]
    assert sent(store) == SentForm(None)  # nobody has answered it yet
    store.sent_forms.answer("one", "a", b"\x00led")
    assert [sent(store), sent(store, "two"), sent(store, ref="b")] == [SentForm(b"\x00led"), SentForm(None), SentForm(None)]


def test_a_form_that_is_forgotten_is_new_again_and_no_other_is(store: SqlStore) -> None:
    for session, ref in (("one", "a"), ("one", "b"), ("two", "a")):
        sent(store, session, ref)
    store.sent_forms.forget("one", "a")
    assert [sent(store, "one", "a"), sent(store, "one", "b"), sent(store, "two", "a")] == [None, SentForm(None), SentForm(None)]


def test_a_form_is_known_for_as_long_as_is_asked_and_not_renewed_by_being_sent(store: SqlStore) -> None:
    sent(store)
    assert sent(store, at=NOW + HOUR - timedelta(seconds=1)) == SentForm(None)
    assert sent(store, at=NOW + HOUR) is None


def test_of_those_that_are_sent_at_once_one_is_the_first(store: SqlStore) -> None:
    with ThreadPoolExecutor(4) as clicks:
        found = [each.result() for each in [clicks.submit(sent, store) for _ in range(4)]]
    assert sorted(each is None for each in found) == [False, False, False, True]
