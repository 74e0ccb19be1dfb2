"""What people have had begun, in both databases: one act for each subject, until its end was told."""

from datetime import UTC, datetime, timedelta

from crm_compliance.store.rows.console.works import Failure, StoredWork
from crm_compliance.store.store import SqlStore

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


def an_act(who: str = "demo-ben", at: datetime = NOW, *, failure: Failure | None = None) -> StoredWork:
    return StoredWork(act="match", who=who, started_at=at, is_over=failure is not None, failure=failure)


def test_an_act_is_the_last_of_its_subject_with_the_error_that_ended_it(store: SqlStore) -> None:
    failed = an_act("demo-ben", failure=Failure("nothing is left", "erased", "begin again", "request-1", 5, "id"))
    store.works.put("request-1", an_act("demo-anna"))
    store.works.put("request-2", an_act("demo-erik"))
    store.works.put("request-1", failed)
    assert (store.works.get("request-1"), store.works.get("request-2"), store.works.get("plan-1")) == (failed, an_act("demo-erik"), None)


def test_an_act_that_was_told_goes_alone(store: SqlStore) -> None:
    for subject in ("request-1", "request-2"):
        store.works.put(subject, an_act())
    store.works.drop("request-1")
    assert [store.works.get(subject) is None for subject in ("request-1", "request-2")] == [True, False]


def test_an_act_expires_by_when_it_was_begun_last(store: SqlStore) -> None:
    moment = timedelta(milliseconds=1)
    store.works.put("old", an_act(at=NOW - moment))
    store.works.put("again", an_act(at=NOW - moment))
    store.works.put("again", an_act(at=NOW))
    store.works.expire(NOW)
    assert [store.works.get(subject) is None for subject in ("old", "again")] == [True, False]
