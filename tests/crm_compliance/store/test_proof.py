"""Certificates, checkpoints and schedules in the database: whole, in order, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from crm_compliance.store.store import SqlStore
from jobs.ledger.certificates import Actor, Certificate, Issued, chained
from jobs.ledger.checkpoints import Checkpoint, KeptCheckpoint
from jobs.ledger.entries import FIRST, LedgerBroken
from jobs.ledger.verification import audit_ledger
from jobs.proof.checkpoint import make_checkpoint
from tests.crm_compliance.store.values import ENTRY, PAGES, a_plan, a_run
from tests.jobs.chains import verdict_of
from tests.jobs.notary import PlainNotary

DRAFT = Certificate(
    *("certificate-1", "run-1", "0.1.0", "2026.1", "dossier", "a" * 64, (), "RET-08", "EXPIRED", None, "DELETED"),
    *({}, "2026-03-02T01:30:00Z", "2026-03-02T01:30:00Z", {}, Actor("b" * 64, ())),
)


def drafts(*numbers: int) -> list[Certificate]:
    return [msgspec.structs.replace(DRAFT, certificate_id=f"certificate-{n}", unit_ref=f"{n:064x}") for n in numbers]


def issued(store: SqlStore, *numbers: int) -> list[Issued]:
    last = store.certificates.last()
    return [Issued(each, "r-2026-03-00000000") for each in chained(drafts(*numbers), last.certificate if last is not None else None)]


@pytest.fixture
def running(store: SqlStore) -> SqlStore:
    store.plans.save(a_plan(), PAGES, ENTRY)
    store.runs.start(a_run(), ENTRY)
    return store


def test_certificates_stand_behind_each_other_with_their_ledger_entry(running: SqlStore) -> None:
    first, second = issued(running, 1, 2), []
    running.certificates.issue("run-1", first, ("certificates", {"count": 2}))
    second = issued(running, 3)
    running.certificates.issue("run-1", second, ("certificates", {"count": 3}))
    assert running.certificates.of_run("run-1") == [*first, *second]
    assert running.certificates.last() == second[0]
    assert [entry.data["count"] for entry in running.ledger.entries() if entry.kind == "certificates"] == [2, 3]


def test_certificates_that_do_not_follow_are_refused_whole(running: SqlStore) -> None:
    stale = issued(running, 2)
    running.certificates.issue("run-1", issued(running, 1), ("certificates", {}))
    with pytest.raises(LedgerBroken, match="do not follow"):
        running.certificates.issue("run-1", stale, ("certificates", {}))
    assert [one.certificate.certificate_id for one in running.certificates.of_run("run-1")] == ["certificate-1"]


def test_a_unit_has_one_certificate_a_run(running: SqlStore) -> None:
    """R-089: exactly one."""
    running.certificates.issue("run-1", issued(running, 1), ("certificates", {}))
    (twin,) = chained(
        [msgspec.structs.replace(drafts(1)[0], certificate_id="certificate-9")], running.certificates.of_run("run-1")[0].certificate
    )
    with pytest.raises(IntegrityError):
        running.certificates.issue("run-1", [Issued(twin, "r-2026-03-00000000")], ("certificates", {}))
    assert len(running.certificates.of_run("run-1")) == 1
    assert verdict_of(running.ledger.entries()).ok


def test_of_two_checkpoints_that_were_signed_at_once_the_one_that_follows_is_kept(store: SqlStore) -> None:
    """Both behind the same one would be a chain that never verifies again."""
    first = Checkpoint(3, "a" * 64, "b" * 64, "2026-03-02T01:30:00.000Z", FIRST, "s-1")
    second, rival = (Checkpoint(n, "a" * 64, "b" * 64, "2026-03-02T01:31:00.000Z", first.digest, "s-1") for n in (9, 12))
    assert store.checkpoints.add(KeptCheckpoint(first, ("00",)))
    assert store.checkpoints.add(KeptCheckpoint(second, ("00",)))
    for late in (rival, first):
        assert not store.checkpoints.add(KeptCheckpoint(late, ()))
    assert store.checkpoints.all() == [first, second]
    assert store.checkpoints.last() == KeptCheckpoint(second, ("00",))


def test_who_signs_second_goes_on_behind_the_first(store: SqlStore, clock: Callable[[], datetime]) -> None:
    store.ledger.append([ENTRY])

    class Rival(PlainNotary):
        """While it signs, another program makes its own checkpoint."""

        signed = 0

        def sign(self, message: bytes) -> str:
            self.signed += 1
            if self.signed == 1:
                store.ledger.append([ENTRY])
                make_checkpoint(store, PlainNotary(), clock)
                store.ledger.append([ENTRY])
            return super().sign(message)

    notary = Rival()
    make_checkpoint(store, notary, clock)
    assert [each.entries for each in store.checkpoints.all()] == [2, 3]
    audit = audit_ledger(store.ledger.entries(), notary.anchored, kept=store.checkpoints.all(), check=notary.check)
    assert (audit.ok, audit.first_broken) == (True, None)


def test_a_store_without_any_proof_says_so(store: SqlStore) -> None:
    assert (store.certificates.last(), store.checkpoints.last(), store.checkpoints.all(), store.policies.all()) == (None, None, [], [])


def test_a_schedule_is_kept_word_for_word_when_it_first_decides(store: SqlStore) -> None:
    """ACC-01."""
    for text in ("één", "één", "zwei"):
        store.policies.remember(text * 16, "2026.1", text)
    assert [(each.digest, each.text, each.first_used_at) for each in store.policies.all()] == [
        ("één" * 16, "één", "2026-03-02T01:30:00Z"),
        ("zwei" * 16, "zwei", "2026-03-02T01:30:00Z"),
    ]
    assert [entry.kind for entry in store.ledger.entries()] == ["policy", "policy"]


def test_the_ledger_can_be_read_from_an_entry_on(store: SqlStore, database_url: str, open_store: Callable[[str], SqlStore]) -> None:
    store.ledger.append([("x", {"n": n}) for n in range(5)])
    assert [entry.seq for entry in open_store(database_url).ledger.entries(after=3)] == [4, 5]
