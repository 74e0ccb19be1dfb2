"""The register of requests and its sealed parts, in both databases."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from crm_compliance.keys.request_seals import SealBroken, Sealing
from crm_compliance.store.sql.database import parse
from crm_compliance.store.store import SqlStore
from jobs.model.request import GIVEN, PRESERVED, IdentityCheck, RequestApproval, SubjectRequest, Suspension
from rules.errors import Refused, UsageError
from rules.model.requests import IdentityMethod, Outcome, RequestState, Right
from tests.crm_compliance.store.rows.request_values import AT, OPEN, a_request
from tests.drivers.clock import Clock


def closed(request: str, right: Right = Right.ACCESS, outcome: Outcome = Outcome.DELIVERED) -> SubjectRequest:
    return a_request(request, right=right, outcome=outcome, state=RequestState.CLOSED, closed_at=AT)


@pytest.fixture
def sealed_store(database_url: str, clock: Clock, tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore.open(database_url, clock=clock, sealer=Sealing(tmp_path / "keys-of-test"))
    yield store
    store.close()


def key_of(tmp_path: Path, request: str) -> Path:
    return tmp_path / "keys-of-test" / "keys" / "requests" / f"{request}.key"


def test_a_request_comes_back_as_it_was_put_in(sealed_store: SqlStore) -> None:
    full = a_request(
        "request-2",
        identity=IdentityCheck(IdentityMethod.EID, AT, "dora"),
        suspensions=(Suspension("identity", date(2026, 3, 4), True, date(2026, 3, 14)),),
        approvals=(RequestApproval("content", "dora", "dpo", AT),),
        downloads=(AT,),
    )
    for request in (a_request(), full):
        sealed_store.requests.add(request, {GIVEN: b"said"}, OPEN)
    assert sealed_store.requests.all() == [full, a_request()]
    assert sealed_store.requests.get("request-2") == full
    assert sealed_store.requests.part("request-2", GIVEN) == b"said"
    assert sealed_store.requests.part("request-2", PRESERVED) is None
    assert [entry.kind for entry in sealed_store.ledger.entries()] == ["request", "request"]
    with pytest.raises(UsageError):
        sealed_store.requests.get("request-3")


def test_several_are_read_at_once(sealed_store: SqlStore) -> None:
    for number in range(3):
        sealed_store.requests.add(a_request(f"request-{number}"), {GIVEN: b"said %d" % number} if number else {}, OPEN)
    wanted = ["request-0", "request-2", "request-9"]
    assert sealed_store.requests.some(wanted) == {id: a_request(id) for id in wanted[:2]}
    assert sealed_store.requests.some_parts(wanted, GIVEN) == {"request-2": b"said 2"}
    assert sealed_store.requests.some([]) == {}


def test_a_row_is_replaced_only_as_it_was_read(sealed_store: SqlStore) -> None:
    """Two people at once: the second one is told, and nothing of theirs is stored."""
    sealed_store.requests.add(a_request(), {GIVEN: b"said"}, OPEN)
    moved = a_request(state=RequestState.SEARCHING)
    sealed_store.requests.save(moved, [("request", {"step": "identify"})], since=a_request(), parts={PRESERVED: b"kept"})
    with pytest.raises(Refused) as caught:
        sealed_store.requests.save(a_request(state=RequestState.CLOSED), [OPEN], since=a_request(), parts={GIVEN: None})
    assert caught.value.code == "changed"
    assert sealed_store.requests.get("request-1") == moved
    assert [sealed_store.requests.part("request-1", name) for name in (GIVEN, PRESERVED)] == [b"said", b"kept"]
    assert len(list(sealed_store.ledger.entries())) == 2


def test_nothing_that_was_said_is_readable_in_the_database(sealed_store: SqlStore, database_url: str) -> None:
    """ACC-08."""
    sealed_store.requests.add(a_request(), {GIVEN: b"Kanarie (fictief)"}, OPEN)
    engine = create_engine(parse(database_url))
    with engine.connect() as connection:
        parts = connection.execute(text("SELECT content FROM request_parts")).scalars().all()
        docs = connection.execute(text("SELECT doc FROM subject_requests")).scalars().all()
    engine.dispose()
    assert len(parts) == len(docs) == 1
    assert b"Kanarie" not in bytes(parts[0])
    assert "Kanarie" not in docs[0]


def test_a_part_that_somebody_altered_or_moved_is_noticed(sealed_store: SqlStore, database_url: str) -> None:
    for request in ("request-1", "request-2"):
        sealed_store.requests.add(a_request(request), {GIVEN: request.encode()}, OPEN)
    engine = create_engine(parse(database_url))
    with engine.begin() as connection:
        taken = connection.execute(text("SELECT content FROM request_parts WHERE request = 'request-1'")).scalar()
        connection.execute(text("UPDATE request_parts SET content = :taken WHERE request = 'request-2'"), {"taken": taken})
    engine.dispose()
    assert sealed_store.requests.part("request-1", GIVEN) == b"request-1"
    with pytest.raises(SealBroken):
        sealed_store.requests.part("request-2", GIVEN)


def test_the_key_goes_with_the_last_part(sealed_store: SqlStore, tmp_path: Path) -> None:
    """EXP-17: what is left in a backup of the database is worth nothing."""
    sealed_store.requests.add(a_request(), {GIVEN: b"said", PRESERVED: b"kept"}, OPEN)
    sealed_store.requests.save(a_request(), since=a_request(), parts={GIVEN: None})
    assert key_of(tmp_path, "request-1").exists()
    assert sealed_store.requests.part("request-1", GIVEN) is None
    sealed_store.requests.save(a_request(), since=a_request(), parts={PRESERVED: None})
    assert not key_of(tmp_path, "request-1").exists()


def test_a_key_that_was_left_behind_goes_later(sealed_store: SqlStore, tmp_path: Path) -> None:
    """A process that died between the database and the key."""
    for request in ("request-1", "request-2"):
        sealed_store.requests.add(a_request(request), {GIVEN: b"said"}, OPEN)
    key = key_of(tmp_path, "request-1").read_bytes()
    sealed_store.requests.save(a_request(), since=a_request(), parts={GIVEN: None})
    key_of(tmp_path, "request-1").write_bytes(key)
    sealed_store.requests.destroy_spent_keys()
    assert not key_of(tmp_path, "request-1").exists()
    assert sealed_store.requests.part("request-2", GIVEN) == b"said"


def test_old_rows_become_yearly_totals(sealed_store: SqlStore) -> None:
    """ACC-07: by year of receipt, right and outcome; totals add up over several runs."""
    rows = [
        closed("request-1"),
        closed("request-2", Right.ERASURE),
        msgspec.structs.replace(closed("request-3"), received_on=date(2025, 12, 31)),
        closed("request-4", outcome=Outcome.NEUTRAL),
        closed("request-5"),
    ]
    for row in rows:
        sealed_store.requests.add(row, {}, OPEN)
    assert sealed_store.requests.total(rows[:4]) == 4
    assert sealed_store.requests.total(rows[:4]) == 0
    assert sealed_store.requests.total(rows[4:]) == 1
    assert sealed_store.requests.all() == []
    assert sealed_store.requests.totals() == {
        (2025, "access", "DELIVERED"): 1,
        (2026, "access", "DELIVERED"): 2,
        (2026, "access", "NEUTRAL"): 1,
        (2026, "erasure", "DELIVERED"): 1,
    }
    assert [entry.data for entry in sealed_store.ledger.entries() if entry.kind == "requests_totalled"] == [
        {"requests": 4},
        {"requests": 1},
    ]


def test_a_row_that_is_pending_changed_or_has_parts_is_no_total_yet(sealed_store: SqlStore) -> None:
    pending, with_parts, changed = a_request(), closed("request-2"), closed("request-3")
    sealed_store.requests.add(pending, {}, OPEN)
    sealed_store.requests.add(with_parts, {GIVEN: b"said"}, OPEN)
    sealed_store.requests.add(changed, {}, OPEN)
    stale = msgspec.structs.replace(changed, outcome=Outcome.NEUTRAL)
    assert sealed_store.requests.total([pending, with_parts, stale]) == 0
    assert len(sealed_store.requests.all()) == 3
    assert sealed_store.requests.totals() == {}


def test_what_is_closed_is_read_a_page_at_a_time(sealed_store: SqlStore) -> None:
    register = sealed_store.requests
    made = [closed(f"request-{n}", right=list(Right)[n % 2]) for n in range(1, 6)]
    waits = a_request("request-6", resumes_to=RequestState.CLOSED)  # never so, and no reason to take it for one that is closed
    for request in (*made, waits):
        register.add(request, {}, OPEN)
    assert register.all(unclosed=True) == [waits]
    assert register.closed() == made[::-1]
    assert register.closed(offset=1, limit=2) == [made[3], made[2]]
    assert register.number_closed() == 5
    odd = list(Right)[1].value
    assert (register.closed(odd, limit=2), register.number_closed(odd)) == ([made[4], made[2]], 3)


def test_a_request_is_found_by_its_short_number(sealed_store: SqlStore) -> None:
    register, request = sealed_store.requests, a_request()
    register.add(request, {}, OPEN)
    assert register.named(request.reference) == request
    other_year = a_request(received_on=date(2025, 3, 2)).reference
    for nobody in (other_year, a_request("request-2").reference, "DSR-2026-0000", ""):
        assert register.named(nobody) is None
