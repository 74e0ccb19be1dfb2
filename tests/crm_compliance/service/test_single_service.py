"""One service alone answers over a store."""

import signal
import threading

import pytest
from sqlalchemy import update

from crm_compliance.service.single_service import FIRST, SERVER, alone, service_since
from crm_compliance.store import right_to_run
from crm_compliance.store.rows import leases
from crm_compliance.store.sql import tables
from rules.errors import Refused
from tests.drivers.night import Night
from tests.drivers.typist import Typist


def test_a_second_one_is_refused_and_told_what_to_do(typist: Typist, org: Night) -> None:
    with alone(typist.settings, threading.Event()):
        with pytest.raises(Refused) as refused, alone(typist.settings, threading.Event()):
            pytest.fail("there are two")
        assert (refused.value.code, "DATABASE_URL" in str(refused.value.hint)) == ("another_run", True)
    with alone(typist.settings, threading.Event()):
        pass  # the first has ended


def test_nights_are_late_since_the_first_service_was_there(typist: Typist, org: Night) -> None:
    """What a command has done before is no service. One that is started afresh each night before its jobs are
    late would otherwise never say that one has not ended yet."""
    typist.ask("run", "requests")
    with alone(typist.settings, threading.Event()):
        there = org.store.leases.last_there(FIRST)
    for _ in range(2):
        with alone(typist.settings, threading.Event()) as since:
            assert since == there != org.store.leases.last_there(SERVER)
    assert service_since(org.store, org.clock) == there


def test_a_store_that_was_served_before_this_was_noted_has_nights_since_its_last_service(typist: Typist, org: Night) -> None:
    with org.store.leases.exclusive(SERVER):
        there = org.store.leases.last_there(SERVER)
    for _ in range(2):
        with alone(typist.settings, threading.Event()) as since:
            assert since == there


def test_one_that_was_taken_over_stops_and_says_why(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_to_run, "FRESH_S", 0.0)
    with pytest.raises(Refused) as lost:
        until_another_takes_over(typist, org)
    assert lost.value.code == "lease_lost"


def until_another_takes_over(typist: Typist, org: Night) -> None:
    stop = threading.Event()
    with alone(typist.settings, stop, look_s=0.01):
        with org.store.database.writing() as connection:
            connection.execute(update(tables.leases).where(tables.leases.c.name == SERVER).values(renewed_at=0.0))
            assert leases.take(connection, SERVER, "somebody else", "a file of another machine") is not None
        assert stop.wait(20)


def test_the_command_serves_nobody_beside_another_service(typist: Typist, org: Night) -> None:
    with org.store.leases.exclusive(SERVER):
        error = typist.refused("serve", "--port", "0", code=5)
    assert (error["code"], "another server" in error["message"]) == ("another_run", True)


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_terminal_that_is_closed_ends_the_service_unless_nohup_says_otherwise(
    typist: Typist, org: Night, before: signal.Handlers
) -> None:
    kept = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, before)
    try:
        with org.store.leases.exclusive(SERVER):
            typist.refused("serve", "--port", "0", code=5)
        assert (signal.getsignal(signal.SIGHUP) is before) == (before is signal.SIG_IGN)
    finally:
        for each, handler in kept.items():
            signal.signal(each, handler)
