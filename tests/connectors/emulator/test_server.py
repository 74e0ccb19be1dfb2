"""The emulator as a process: it announces itself, stops on a signal, and leaves its rows on disk."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from connectors.emulator.serving.server import running, serve
from tests.connectors.emulator.client import Client

PROGRAM = """
import sys
from pathlib import Path
from connectors.emulator.serving.server import serve
options = {"environment": None, "seed": None, "token": None, "limits": True, "state": Path(sys.argv[1])}
serve(host="127.0.0.1", port=0, announce=lambda line: print(line, flush=True), **options)
print("stopped")
"""


def test_a_signal_stops_it_cleanly_and_the_rows_stay(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    for expected, stop in enumerate((signal.SIGTERM, signal.SIGINT)):
        command = [sys.executable, "-c", PROGRAM, str(state)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("emulator ready http://127.0.0.1:")
            url = line.split()[-1]
            assert url.endswith("/api/data/v9.2/")
            with requests.Session() as http:  # its idle connection must not hold the stop up
                http.headers["Authorization"] = "Bearer any"
                assert len(http.get(url + "cf_dossiers", timeout=10).json()["value"]) == expected
                assert http.post(url + "cf_dossiers", json={"cf_name": "D"}, timeout=10).status_code == 204
                process.send_signal(stop)
                assert process.wait(60) == 0
            assert process.stdout.read().strip() == "stopped"
    with running(state=state) as emulator:
        assert len(Client(emulator).rows("cf_dossiers")) == 2


def test_a_taken_port_is_an_error_before_anything_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(
            host="127.0.0.1",
            port=taken.getsockname()[1],
            environment=None,
            seed=None,
            token=None,
            limits=True,
            state=tmp_path / "state.db",
            announce=print,
        )
    assert not (tmp_path / "state.db").exists()
