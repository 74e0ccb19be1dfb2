"""Parts are worked on by threads and processes as by this process: each once, in order, whoever dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.connections import worker_pool
from crm_compliance.connections.worker_pool import Pool, WorkersLost, workers_of
from jobs.ports.workers import HERE
from rules.errors import UsageError
from tests.crm_compliance.connections.worker_tasks import PARTS, doubled, killed


@pytest.fixture(scope="module")
def processes() -> Iterator[Pool]:
    pool = workers_of(Settings(workers="processes"))
    assert isinstance(pool, Pool)
    yield pool
    pool.close()


@pytest.fixture
def threads() -> Iterator[Pool]:
    pool = workers_of(Settings(workers="threads", worker_count=3))
    assert isinstance(pool, Pool)
    yield pool
    pool.close()


def test_every_part_comes_once_and_in_its_order(threads: Pool, processes: Pool) -> None:
    expected = list(HERE.each(doubled, PARTS))
    assert expected == [2 * number for number in range(9)]
    assert list(threads.each(doubled, PARTS)) == list(processes.each(doubled, PARTS)) == expected
    assert list(threads.each(doubled, [])) == []


def test_a_part_whose_process_was_killed_is_worked_on_again(processes: Pool, tmp_path: Path) -> None:
    made = list(processes.each(killed, [(number, str(tmp_path), 1, bytes(1 << 20)) for number in range(9)]))
    assert len(list(tmp_path.iterdir())) == 1
    assert made == [2 * number for number in range(9)]


def test_where_new_workers_die_too_nothing_comes_of_it(processes: Pool, tmp_path: Path) -> None:
    found = processes.each(killed, [(number, str(tmp_path), 9) for number in range(9)])
    made: list[int] = []
    with pytest.raises(WorkersLost) as stopped:
        made.extend(found)
    assert (stopped.value.exit_code, stopped.value.code) == (4, "workers_lost")
    assert made == [2 * number for number in range(len(made))]
    assert len(made) <= 4


def test_what_the_work_raises_is_raised(threads: Pool) -> None:
    with pytest.raises(TypeError):
        list(threads.each(doubled, [(1,), (None,)]))


class Inline(Executor):
    """An executor of somebody else's; it is gone as often as is said, when something is sent to it."""

    gone = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if Inline.gone:
            Inline.gone -= 1
            raise OSError
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize(("gone", "is_lost"), [(0, False), (1, False), (2, True)])
def test_any_executor_will_do_and_none_is_asked_for_ever(gone: int, *, is_lost: bool) -> None:
    Inline.gone = gone
    pool = Pool(Inline, 2, (OSError,))
    if is_lost:
        with pytest.raises(WorkersLost):
            list(pool.each(doubled, PARTS))
    else:
        assert list(pool.each(doubled, PARTS)) == [2 * number for number in range(9)]


def test_parts_that_wait_for_workers_who_are_all_gone_are_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Waiting(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            sent.append(Future())
            return sent[-1]

    def look() -> None:
        looks.append(len(sent))
        if len(looks) % 2 == 0:
            raise OSError

    sent: list[Future[Any]] = []
    looks: list[int] = []
    monkeypatch.setattr(worker_pool, "_PATIENCE", 0.01)
    with pytest.raises(WorkersLost):
        list(Pool(Waiting, 2, (OSError,), look=look).each(doubled, PARTS))
    assert looks == [4, 4, 8, 8]
    assert all(future.cancelled() for future in sent)


def test_a_part_that_comes_as_patience_ends_has_come() -> None:
    class Late(Future[Any]):
        def result(self, timeout: float | None = None) -> Any:
            if timeout is None:
                return super().result(0)
            self.set_result(6)
            raise TimeoutError

    class Executing(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            return Late()

    assert list(Pool(Executing, 1).each(doubled, [(3,)])) == [6]


def test_no_more_parts_are_taken_than_are_soon_worked_on() -> None:
    taken: list[int] = []

    def parts() -> Iterator[tuple[int]]:
        for number in range(100):
            taken.append(number)
            yield (number,)

    found = Pool(Inline, 2).each(doubled, parts())
    assert [next(found), next(found)] == [0, 2]
    assert len(taken) <= 6


def test_a_cluster_is_asked_over_tls_alone() -> None:
    with pytest.raises(UsageError, match="TLS"):
        workers_of(Settings(workers="tcp://scheduler.example.org:8786"))


def test_a_cluster_over_tls_needs_certificates() -> None:
    with pytest.raises(UsageError, match="certificates"):
        workers_of(Settings(workers="tls://scheduler.example.org:8786"))


def test_a_scheduler_that_ends_is_workers_lost() -> None:
    class Cancelling(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            return future

    pool = workers_of(Settings(workers="tcp://127.0.0.1:9"))
    assert isinstance(pool, Pool)
    pool._opened = Cancelling
    with pytest.raises(WorkersLost):
        list(pool.each(doubled, PARTS))


def test_a_scheduler_that_does_not_answer_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "_PATIENCE", 0.2)
    with socket.socket() as taken:  # bound, and listening to nobody
        taken.bind(("127.0.0.1", 0))
        pool = workers_of(Settings(workers=f"tcp://127.0.0.1:{taken.getsockname()[1]}"))
        with pytest.raises(WorkersLost, match=r"Nobody answers at tcp://127\.0\.0\.1:"):
            pool.ready()


def test_workers_of_ours_are_not_made_before_they_are_needed(threads: Pool) -> None:
    threads.ready()
    assert threads._executor is None


def test_workers_who_are_interrupted_end_without_a_word() -> None:
    """Ctrl-C goes to all processes of a terminal; the command alone has something to say of it."""
    command = [sys.executable, "-m", "tests.crm_compliance.connections.interrupted"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        os.killpg(process.pid, signal.SIGINT)
        try:
            _, said = process.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, said) == (130, "")
