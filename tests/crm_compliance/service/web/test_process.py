"""What serves people has a process of its own, and neither it nor the nights fall with the other."""

import json
import multiprocessing
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_compliance.configuration.settings import Settings, environment_of
from crm_compliance.service.web import process
from crm_compliance.service.web.process import serving, tell_ready
from crm_compliance.service.web.server import HEADER_S, listening
from rules.errors import UsageError
from tests.crm_compliance.service.web.test_server import ends


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, listening(0) as listener:
        patch.setattr(process, "AGAIN_S", 0.0)
        with serving(Settings(data_dir=tmp_path_factory.mktemp("data")), listener) as address:
            yield address


def test_it_is_another_process_and_is_started_again_when_it_falls(root: str) -> None:
    (first,) = multiprocessing.active_children()
    assert first.pid not in (None, os.getpid())
    assert requests.get(f"{root}/healthz", timeout=20).ok
    os.kill(first.pid or 0, signal.SIGKILL)
    first.join()
    assert requests.get(f"{root}/healthz", timeout=60).ok, "the port is kept, so nobody is turned away meanwhile"
    (second,) = multiprocessing.active_children()
    assert second.pid != first.pid


def test_a_schedule_that_cannot_be_used_is_named_and_takes_no_page_away(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("name: [", "utf-8")
    settings = Settings(data_dir=tmp_path / "data", policy=policy)
    with listening(0) as listener, serving(settings, listener) as address:
        health = requests.get(f"{address}/healthz", timeout=20)
        assert (health.status_code, health.json()) == (503, {"ok": False, "why": ["SCHEDULE_UNUSABLE"]})
        assert requests.get(f"{address}/", timeout=20).status_code == 200
        assert requests.get(f"{address}/d/nothing", timeout=20).status_code == 404


def test_why_it_cannot_begin_is_one_line_of_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    database = settings.make_data_dir() / "state.db"
    database.write_bytes(b"no database " * 100)
    database.chmod(0o600)
    with listening(0) as listener, pytest.raises(UsageError, match="does not answer") as told, serving(settings, listener):
        pytest.fail("it answers")
    assert "the log says why" in str(told.value.hint)
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert (line["event"], line["error"], line["code"]) == ("what serves downloads has failed", "StoreUnusable", "store")


def test_signals_that_end_the_service_are_left_to_the_one_that_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A terminal, and whatever runs services, sends them to all processes, also to one that only starts."""
    others = {each.pid for each in multiprocessing.active_children()}

    def interrupted() -> int:
        (pid,) = {each.pid for each in multiprocessing.active_children()} - others
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(pid or 0, number)
        return pid or 0

    started: list[int] = []

    def waited(*arguments: Any) -> Any:
        started.append(interrupted())
        return wait(*arguments)

    monkeypatch.setattr(process, "wait", waited)
    with listening(0) as listener, serving(Settings(data_dir=tmp_path), listener) as address:
        assert requests.get(f"{address}/healthz", timeout=60).ok
        assert [interrupted()] == started
        assert requests.get(f"{address}/healthz", timeout=60).ok
        assert [interrupted()] == started
    assert {each.pid for each in multiprocessing.active_children()} == others
    assert capfd.readouterr().err == ""


def open_files() -> list[int]:
    """The open files of this process; none where the system does not list them."""
    listed = Path("/proc/self/fd")
    return [int(name) for name in os.listdir(listed)] if listed.exists() else []


def own_end(file: int) -> object:
    """The address at this end of a connection; None: it is none."""
    try:
        if not stat.S_ISSOCK(os.fstat(file).st_mode):  # a socket of anything else would leave its copy open
            return None
        with socket.socket(fileno=os.dup(file)) as found:
            found.getpeername()
            return found.getsockname()
    except OSError:
        return None


def test_three_hundred_that_hang_leave_the_nights_their_files(root: str) -> None:
    """The process of the nights opens none of the connections, so that no number of them keeps it from a
    file."""
    before = len(open_files())
    with ExitStack() as held:
        address = ("127.0.0.1", int(root.rsplit(":", 1)[1]))
        clients = [held.enter_context(socket.create_connection(address)) for _ in range(300)]
        here = open_files()
        assert address not in map(own_end, here)
        assert len(here) - before < len(clients) + 50, "but for the clients themselves, and what other threads of the tests open"
        for client in clients:
            client.settimeout(0.8 * HEADER_S)
        assert all(ends(client) for client in clients[:50]), "those that wait for longest make place, before their time is over"


def test_it_says_nothing_to_one_that_has_ended_before_it_was_ready() -> None:
    """Python would write where in its modules that went wrong."""
    heard, tell = multiprocessing.Pipe(duplex=False)
    heard.close()
    tell_ready(tell)


def test_it_ends_when_the_one_that_started_it_is_killed(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from crm_compliance.configuration.settings import Settings\n"
        "from crm_compliance.service.web.process import serving\n"
        "from crm_compliance.service.web.server import HEADER_S, listening\n"
        "if __name__ == '__main__':\n"
        f"    with listening(0) as listener, serving(Settings(data_dir=Path({str(tmp_path / 'data')!r})), listener) as address:\n"
        "        print(address, flush=True)\n"
        "        input()\n"
    )
    script = tmp_path / "service.py"
    script.write_text(code)
    command = [sys.executable, str(script)]
    pythonpath = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, env=environment_of({}) | pythonpath, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None
        address = ("127.0.0.1", int(service.stdout.readline().rsplit(":", 1)[1]))
        client = socket.create_connection(address, timeout=60)
        service.kill()
    assert ends(client)
