"""Batches in parallel and over several application users: nothing is sent twice, nothing is lost, no limit is
met."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import wait
from typing import Any

import pytest

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.pace.gate import Timeline
from connectors.dynamics.pace.governor import Pace
from connectors.dynamics.writing import pool as pool_module
from connectors.dynamics.writing.batch import Prepared, Request, Sent
from connectors.dynamics.writing.pool import Pool
from connectors.interface.changes import ChangeResult, ChangeStatus, Held
from connectors.interface.errors import Forbidden, Unauthorised, Unreachable
from connectors.interface.rows import ReadStats

ROOT = "http://127.0.0.1:8765/api/data/v9.2/"
DONE, REFUSED, UNKNOWN = ChangeStatus.DONE, ChangeStatus.REFUSED, ChangeStatus.UNKNOWN
Answer = Callable[[int, list[str]], Sent]  # number of the batch and the keys of its change sets


class Users:
    """Application users whose batches a test answers; no network."""

    def __init__(self, answer: Answer, *, number: int = 1, pace: Pace | None = None, max_wait_s: float = 1_800.0) -> None:
        self.answer = answer
        self.naps: list[float] = []
        self.sent: list[tuple[int, list[str]]] = []  # (user, keys)
        self.under_way = self.peak = 0
        self._lock = threading.Lock()
        stats, timeline = ReadStats(), Timeline(self.naps.append, lambda: 0.0)
        environment = Environment(ROOT, pace=pace or Pace(first_operations=1), batch_operations=100, max_wait_s=max_wait_s)
        self.transports = [Transport(environment, StaticToken("t", ROOT), stats=stats, timeline=timeline) for _ in range(number)]
        self.stats = stats
        self.pool = Pool(self.transports, [])

    def send_batch(self, transport: Transport, change_sets: Sequence[Prepared]) -> Sent:
        keys = [one.key for one in change_sets]
        with self._lock:
            number = len(self.sent)
            self.sent.append((self.transports.index(transport), keys))
            self.under_way += 1
            self.peak = max(self.peak, self.under_way)
        try:
            return self.answer(number, keys)
        finally:
            with self._lock:
                self.under_way -= 1

    def send(self, prepared: Sequence[Prepared], *, in_order: bool = False, held: Held | None = None) -> list[ChangeResult]:
        try:
            return self.pool.send(prepared, in_order=in_order, held=held)
        finally:
            assert self.under_way == 0, "no batch is left under way"
            assert all(transport.gate.governor.running == 0 for transport in self.transports)

    def open_up(self, at_once: int) -> None:
        """As if answers had been healthy for a while."""
        for transport in self.transports:
            transport.gate.governor._limit = at_once


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Users]]:
    made: list[Users] = []

    def make(answer: Answer, **options: Any) -> Users:
        made.append(Users(answer, **options))
        monkeypatch.setattr(pool_module, "send_batch", made[-1].send_batch)
        return made[-1]

    yield make
    for each in made:
        each.pool.close()


def sets(number: int, size: int = 1) -> list[Prepared]:
    return [Prepared(f"k{index}", (Request("DELETE", "x", {}, b""),) * size) for index in range(number)]


def done(keys: list[str]) -> Sent:
    return Sent(tuple(ChangeResult(key, DONE) for key in keys))


def throttled(keys: list[str], wait_s: float) -> Sent:
    return Sent((None,) * len(keys), wait_s, reached=False, code="0x80072322")


def refused(keys: list[str], refusal: type[Unauthorised | Forbidden] = Forbidden) -> Sent:
    return Sent(tuple(ChangeResult(key, REFUSED) for key in keys), refusal=refusal("no"), reached=False)


def statuses(results: list[ChangeResult]) -> list[ChangeStatus]:
    return [result.status for result in results]


# -- in parallel ---------------------------------------------------------------------------------------------


def test_batches_run_at_once_and_results_come_in_the_order_given(users: Callable[..., Users]) -> None:
    meeting = threading.Barrier(4, timeout=30)

    def answer(number: int, keys: list[str]) -> Sent:
        if number < 4:
            meeting.wait()  # passes only if four are under way together
        return done(keys)

    team = users(answer)
    team.open_up(4)
    results = team.send(sets(20))
    assert [result.key for result in results] == [f"k{index}" for index in range(20)]
    assert statuses(results) == [DONE] * 20
    assert team.peak >= 4
    assert team.stats.peak_concurrency == team.peak
    assert sorted(key for _, keys in team.sent for key in keys) == sorted(f"k{index}" for index in range(20)), "each once"


def test_concurrency_starts_at_two(users: Callable[..., Users]) -> None:
    team = users(lambda number, keys: done(keys))
    team.send(sets(30))
    assert team.peak <= 2, "nothing was told of healthy answers"


def test_what_has_to_be_done_in_order_is_sent_one_by_one(users: Callable[..., Users]) -> None:
    team = users(lambda number, keys: done(keys), number=2)
    team.open_up(8)
    team.send(sets(12), in_order=True)
    assert team.peak == 1
    assert [key for _, keys in team.sent for key in keys] == [f"k{index}" for index in range(12)]


def test_with_a_concurrency_of_one_all_happens_in_this_thread(users: Callable[..., Users]) -> None:
    threads = set()

    def answer(number: int, keys: list[str]) -> Sent:
        threads.add(threading.current_thread())
        return done(keys)

    users(answer, pace=Pace(concurrency=1, first_operations=1)).send(sets(5))
    assert threads == {threading.current_thread()}


def test_a_change_set_is_never_split(users: Callable[..., Users]) -> None:
    team = users(lambda number, keys: done(keys))
    team.send([*sets(1, size=300), *sets(3)])
    assert [len(keys) for _, keys in team.sent] == [1, 1, 1, 1]


def test_holds_are_asked_before_each_batch(users: Callable[..., Users]) -> None:
    """HLD-07."""
    team = users(lambda number, keys: done(keys), pace=Pace(concurrency=1, first_operations=1))
    asked: list[str] = []

    def held(keys: Collection[str]) -> Collection[str]:
        asked.extend(keys)
        return [key for key in keys if key in ("k0", "k2")]

    assert statuses(team.send(sets(4), held=held)) == [ChangeStatus.HELD, DONE, ChangeStatus.HELD, DONE]
    assert asked == ["k0", "k1", "k2", "k3"]
    assert [key for _, keys in team.sent for key in keys] == ["k1", "k3"]


def test_where_holds_cannot_be_told_nothing_is_sent(users: Callable[..., Users]) -> None:
    team = users(lambda number, keys: done(keys), pace=Pace(concurrency=1, first_operations=1))

    def held(keys: Collection[str]) -> Collection[str]:
        raise Unreachable("no answer")

    assert statuses(team.send(sets(3), held=held)) == [ChangeStatus.UNKNOWN] * 3
    assert team.sent == []


def test_what_is_known_already_is_not_sent(users: Callable[..., Users]) -> None:
    team = users(lambda number, keys: done(keys))
    known = ChangeResult("known", REFUSED)
    assert team.send([Prepared("known", result=known)]) == [known]
    assert team.sent == []


# -- 429 -----------------------------------------------------------------------------------------------------


def test_after_a_429_the_whole_user_waits_and_only_what_was_not_done_is_sent_again(users: Callable[..., Users]) -> None:
    def answer(number: int, keys: list[str]) -> Sent:
        return throttled(keys, 11) if number == 0 else done(keys)

    team = users(answer, pace=Pace(concurrency=1, first_operations=1))
    assert statuses(team.send(sets(3))) == [DONE] * 3
    assert team.naps == [11.0]
    assert [keys for _, keys in team.sent] == [["k0"], ["k0"], ["k1"], ["k2"]]
    assert team.stats.waited_s == 11.0
    assert team.stats.retries == 1


def test_a_part_of_a_batch_that_was_throttled_goes_again_alone(users: Callable[..., Users]) -> None:
    def answer(number: int, keys: list[str]) -> Sent:
        if number:
            return done(keys)
        return Sent((ChangeResult(keys[0], DONE), None, ChangeResult(keys[2], DONE)), 5.0, code="0x80072321")

    team = users(answer, pace=Pace(concurrency=1, first_operations=3))
    assert statuses(team.send(sets(3))) == [DONE] * 3
    assert [keys for _, keys in team.sent] == [["k0", "k1", "k2"], ["k1"]]
    assert team.naps == [5.0]
    assert team.stats.throttled == 1


def test_what_one_user_was_denied_another_does_meanwhile(users: Callable[..., Users]) -> None:
    def answer(number: int, keys: list[str]) -> Sent:
        return throttled(keys, 60) if number == 0 else done(keys)

    team = users(answer, number=2)
    assert statuses(team.send(sets(6))) == [DONE] * 6
    throttled_user = team.sent[0][0]
    again = [user for user, keys in team.sent if keys == team.sent[0][1]]
    assert again == [throttled_user, 1 - throttled_user]
    assert team.naps == [], "nobody had to wait"


def test_work_is_spread_over_all_users(users: Callable[..., Users]) -> None:
    meeting = threading.Barrier(6, timeout=30)

    def answer(number: int, keys: list[str]) -> Sent:
        if number < 6:
            meeting.wait()
        return done(keys)

    team = users(answer, number=3)
    team.send(sets(12))
    assert sorted(user for user, _ in team.sent[:6]) == [0, 0, 1, 1, 2, 2]


def test_patience_ends_and_all_that_was_not_done_is_unknown(users: Callable[..., Users]) -> None:
    def answer(number: int, keys: list[str]) -> Sent:
        return done(keys) if number == 0 else throttled(keys, 1_000)

    team = users(answer, pace=Pace(concurrency=1, first_operations=1))
    results = team.send(sets(4))
    assert statuses(results) == [DONE, UNKNOWN, UNKNOWN, UNKNOWN]
    assert {result.service_code for result in results[1:]} == {"0x80072322"}
    assert len(team.sent) == 3, "it does not go on asking"
    assert team.naps == [1_000.0]


def test_several_429s_of_one_moment_use_up_patience_once(users: Callable[..., Users]) -> None:
    meeting = threading.Barrier(4, timeout=30)

    def answer(number: int, keys: list[str]) -> Sent:
        if number < 4:
            meeting.wait()
            return throttled(keys, 1_000)
        return done(keys)

    team = users(answer)
    team.open_up(4)
    assert statuses(team.send(sets(8))) == [DONE] * 8
    assert sum(team.naps) == 1_000.0


# -- when things go wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Unauthorised, Forbidden])
def test_a_refusal_before_anything_was_done_raises_and_nothing_more_is_sent(users: Callable[..., Users], kind: type[Forbidden]) -> None:
    team = users(lambda number, keys: refused(keys, kind))
    with pytest.raises(kind):
        team.send(sets(10))
    assert len(team.sent) <= 2


def test_a_refusal_beside_something_that_was_done_is_a_result(users: Callable[..., Users]) -> None:
    first_is_refused = threading.Event()

    def answer(number: int, keys: list[str]) -> Sent:
        if keys == ["k0"]:
            first_is_refused.set()
            return refused(keys)
        first_is_refused.wait(30)
        return done(keys)

    results = users(answer).send(sets(5))
    assert statuses(results) == [REFUSED, DONE, DONE, DONE, DONE]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_an_exception_in_one_worker_comes_out_after_the_others_have_been_answered(
    users: Callable[..., Users], failure: type[BaseException]
) -> None:
    has_failed, finished = threading.Event(), []

    def answer(number: int, keys: list[str]) -> Sent:
        if keys == ["k0"]:
            has_failed.set()
            raise failure
        has_failed.wait(30)
        finished.append(keys)
        return done(keys)

    team = users(answer)
    with pytest.raises(failure):
        team.send(sets(10))
    assert len(finished) == len(team.sent) - 1
    assert len(team.sent) < 10


def test_an_interruption_of_the_calling_thread_waits_for_what_is_under_way(
    users: Callable[..., Users], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C arrives where the pool waits for answers."""
    is_interrupted, finished = threading.Event(), []

    def answer(number: int, keys: list[str]) -> Sent:
        is_interrupted.wait(30)
        finished.append(keys)
        return done(keys)

    def interrupted(*given: Any, **named: Any) -> Any:
        if not is_interrupted.is_set():
            is_interrupted.set()
            raise KeyboardInterrupt
        return wait(*given, **named)

    monkeypatch.setattr(pool_module, "wait", interrupted)
    team = users(answer)
    with pytest.raises(KeyboardInterrupt):
        team.send(sets(10))
    assert len(finished) == len(team.sent) == 2


# -- one of several users ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Forbidden, Unauthorised])
def test_what_one_user_is_refused_another_does(users: Callable[..., Users], kind: type[Forbidden]) -> None:
    """Its secret has lapsed, or it was disabled: nothing was done, so nothing stands in the way of another
    doing it."""
    team: Users

    def answer(number: int, keys: list[str]) -> Sent:
        return refused(keys, kind) if team.sent[number][0] == 1 else done(keys)

    team = users(answer, number=2)
    assert set(statuses(team.send(sets(20)))) == {DONE}
    assert len([keys for user, keys in team.sent if user == 1]) <= 2, "it is not asked again and again"
    assert set(statuses(team.send(sets(5)))) == {DONE}
    assert [user for user, _ in team.sent[-5:]] == [0] * 5
    assert len(team.pool.warnings) == 1
    assert "application user 2" in team.pool.warnings[0]


def test_where_all_users_are_refused_before_anything_was_done_it_raises(users: Callable[..., Users]) -> None:
    team = users(lambda _, keys: refused(keys), number=3)
    with pytest.raises(Forbidden):
        team.send(sets(20))


def test_where_the_last_user_is_refused_what_was_done_stays_known(users: Callable[..., Users]) -> None:
    team: Users

    def answer(number: int, keys: list[str]) -> Sent:
        return refused(keys) if team.sent[number][0] == 1 or number > 6 else done(keys)

    team = users(answer, number=2)
    found = statuses(team.send(sets(20)))
    assert set(found) == {DONE, REFUSED}


def test_a_pause_longer_than_our_patience_is_not_waited_for(users: Callable[..., Users]) -> None:
    """A read before may have been asked to wait for days."""
    team = users(lambda _, keys: done(keys), max_wait_s=60.0)
    team.transports[0].gate.pause(1e8)
    assert set(statuses(team.send(sets(3)))) == {UNKNOWN}
    assert team.sent == []
    assert sum(team.naps) <= 60.0


def test_a_user_with_a_long_pause_leaves_the_work_to_the_other(users: Callable[..., Users]) -> None:
    team = users(lambda _, keys: done(keys), number=2, max_wait_s=60.0)
    team.transports[0].gate.pause(1e8)
    assert set(statuses(team.send(sets(3)))) == {DONE}
    assert {user for user, _ in team.sent} == {1}
