"""Batches over HTTP: nothing is erased twice or left out, and limits are used without being met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.pace.governor import Pace
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.errors import Throttled
from rules.errors import UsageError
from rules.model.records import Contact, Donation, Record
from tests.drivers.connecting import connect

DONE = ChangeStatus.DONE


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with running(limits=True) as started:
        yield started


def client(emulator: RunningEmulator, **options: Any) -> DynamicsConnector:
    text = REFERENCE.read_text("utf-8")
    return connect(url=emulator.url, tokens=StaticToken("t", emulator.url), mapping_text=text, mapping_source="m", **options)


def a_second_user(emulator: RunningEmulator) -> StaticToken:
    return StaticToken(emulator.emulator.tokens.issue("00000000-0000-4000-8000-00000000000b", emulator.root), emulator.url)


def donations(emulator: RunningEmulator, number: int) -> None:
    emulator.load(("cf_donation", {"cf_donationid": f"7a9d2f10-3d0a-4f11-9f8a-{n:012x}"}) for n in range(number))


def deletions(connector: DynamicsConnector, record: type[Record] = Donation) -> list[ChangeSet]:
    rows = [row for page in connector.read(record, []) for row in page]
    return [ChangeSet(row.id, (Operation(OperationKind.DELETE, record, row.id, row.etag),)) for row in rows]


def test_two_users_erase_everything_in_parallel_each_row_once(emulator: RunningEmulator) -> None:
    donations(emulator, 300)
    with client(emulator, pace=Pace(), more_tokens=[a_second_user(emulator)]) as connector:
        changes = deletions(connector)
        results = connector.change(changes)
        assert [result.key for result in results] == [change.key for change in changes]
        assert {result.status for result in results} == {DONE}
        assert deletions(connector) == []
        assert connector.stats.peak_concurrency >= 2
    stats = emulator.stats()
    assert stats["operations"]["delete"] == 300
    assert stats["throttled"] == 0
    assert len(emulator.emulator.limits._accounts) == 2, "both users have worked"


@pytest.mark.parametrize("requests", [80, 200])
def test_on_a_virtual_clock_the_emulators_limit_is_used_and_never_met(requests: int) -> None:
    """The same sleep moves the emulator's clock and ours; one row a request, so that the number of requests
    is the limit."""
    with running(limits=True) as emulator:
        waited: list[float] = []

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            emulator.emulator.clock.advance(seconds)

        donations(emulator, requests * 2)
        emulator.emulator.limits.allowance.requests = requests
        with client(emulator, sleep=sleep, pace=Pace(concurrency=1, first_operations=1)) as connector:
            changes = deletions(connector)
            connector._transport.gate.governor._most_operations = 1
            before = sum(waited)
            assert {result.status for result in connector.change(changes)} == {DONE}
            assert connector.stats.throttled == 0
        ceiling = requests * 0.75 / 300
        assert len(changes) / (sum(waited) - before) >= 0.9 * ceiling
        assert emulator.stats()["throttled"] == 0


def test_a_window_that_is_shorter_than_documented_does_not_hold_work_up() -> None:
    """Nobody has told the client of a window of three seconds."""
    with running(limits=True) as emulator:

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            emulator.emulator.clock.advance(seconds)

        waited: list[float] = []
        donations(emulator, 400)
        emulator.emulator.limits.allowance.window_s = 3
        emulator.emulator.limits.allowance.requests = 60
        with client(emulator, sleep=sleep, pace=Pace(concurrency=1, first_operations=1)) as connector:
            changes = deletions(connector)
            connector._transport.gate.governor._most_operations = 1
            assert {result.status for result in connector.change(changes)} == {DONE}
        assert sum(waited) < 45, "at 15 requests a second 27 s, and some for finding out"
        assert emulator.stats()["throttled"] == 0


def test_a_user_who_is_throttled_leaves_the_work_to_the_other(emulator: RunningEmulator) -> None:
    donations(emulator, 60)
    with client(emulator, pace=Pace(first_operations=5), more_tokens=[a_second_user(emulator)]) as connector:
        changes = deletions(connector)
        fault = {"match": {"path": "$batch", "nth": 2}, "times": 1, "do": "status", "status": 429, "retry_after": 30}
        emulator.emulator.faults.replace([fault])
        assert {result.status for result in connector.change(changes)} == {DONE}
        assert connector.stats.throttled == 1
        assert connector.stats.waited_s == 0
    assert emulator.stats()["operations"]["delete"] == 60


@pytest.mark.parametrize("is_chain", [True, False])
def test_contacts_that_point_to_each_other_go_in_the_order_given_and_others_in_parallel(emulator: RunningEmulator, is_chain: bool) -> None:
    """The removal of a parent gives its child another version; the caller has put the child first."""
    number = "7a9d2f10-3d0a-4f11-9f8a-{:012x}".format
    emulator.load([("contact", {"contactid": number(0)})])
    for n in range(1, 120):
        parent = {"parentcustomerid": ("contact", number(n - 1))} if is_chain else {}
        emulator.load([("contact", {"contactid": number(n)} | parent)])
    with client(emulator, pace=Pace(first_operations=3), more_tokens=[a_second_user(emulator)]) as connector:
        changes = sorted(deletions(connector, Contact), key=lambda change: change.key, reverse=True)
        results = connector.change(changes)
        assert {result.status for result in results} == {DONE}
        assert (connector.stats.peak_concurrency == 1) is is_chain


def test_two_clients_of_the_same_user_are_found_out(emulator: RunningEmulator) -> None:
    with client(emulator, more_tokens=[StaticToken("another", emulator.url)]) as connector, pytest.raises(UsageError, match="same"):
        connector.whoami()
    with client(emulator, more_tokens=[a_second_user(emulator)]) as connector:
        assert connector.whoami()


def test_a_read_waits_while_its_user_is_asked_to(emulator: RunningEmulator) -> None:
    naps: list[float] = []
    with client(emulator, sleep=naps.append) as connector:
        connector.whoami()
        connector._transport.gate.pause(20)
        connector.whoami()
        assert naps == [20.0]
        assert connector.stats.waited_s == 20.0


def test_a_read_does_not_wait_longer_than_our_patience(emulator: RunningEmulator) -> None:
    naps: list[float] = []
    with client(emulator, sleep=naps.append) as connector:
        connector.whoami()
        connector._transport.gate.pause(1e8)
        with pytest.raises(Throttled) as caught:
            connector.whoami()
    assert caught.value.exit_code == 4
    assert naps == []
