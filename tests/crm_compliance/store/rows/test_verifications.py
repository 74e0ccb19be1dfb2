"""How the ledger was verified last, in both databases."""

from datetime import UTC, datetime

import msgspec
from sqlalchemy import text

from crm_compliance.service.health import record_not_whole
from crm_compliance.store.store import SqlStore
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from jobs.model.last_verification import Verification, Verifier
from tests.drivers.typist import Typist

FOUND = Verification(
    at=datetime(2026, 3, 2, 8, tzinfo=UTC),
    by=Verifier.COMMAND,
    seconds=1.5,
    ok=False,
    entries=12,
    head="a" * 64,
    checkpoints=2,
    are_signatures_checked=True,
    problems=(("entry 3", "is not what follows"),),
)


def test_the_last_one_stays(store: SqlStore) -> None:
    assert store.verifications.last() is None
    store.verifications.note(FOUND)
    assert store.verifications.last() == FOUND
    later = msgspec.structs.replace(FOUND, ok=True, problems=(), by=Verifier.CONSOLE)
    store.verifications.note(later)
    assert store.verifications.last() == later


def test_what_somebody_has_written_into_the_database_is_not_believed(typist: Typist) -> None:
    with store_of(typist.settings, clock_of(typist.settings)) as store:
        store.verifications.note(FOUND)
        assert store.verifications.last() == FOUND
        with store.database.writing() as connection:
            found = {"was": '"ok":false', "is_now": '"ok":true'}
            connection.execute(text("UPDATE verification SET doc = replace(doc, :was, :is_now)"), found)
        assert store.verifications.last() is None


def test_a_ledger_that_did_not_verify_is_told_by_the_health_of_the_service(store: SqlStore) -> None:
    assert record_not_whole(store) == ()
    store.verifications.note(FOUND)
    assert record_not_whole(store) == ("LEDGER_BROKEN",)
    store.verifications.note(msgspec.structs.replace(FOUND, ok=True, problems=()))
    assert record_not_whole(store) == ()
