"""emulator serve, as a process of its own: ready line, rows over a restart, token, signals."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from crm_compliance.configuration.settings import environment_of
from tests.drivers.typist import Typist


@contextmanager
def served(*arguments: str, stop: signal.Signals = signal.SIGTERM) -> Iterator[str]:
    command = [sys.executable, "-m", "crm_compliance", "emulator", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, env=environment_of({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            word, state, url = process.stdout.readline().split()
            assert (word, state) == ("emulator", "ready")
            yield url
        finally:
            process.send_signal(stop)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_signal_stops_it_cleanly_its_rows_outlive_that_and_only_the_token_opens(tmp_path: Path) -> None:
    state, row = str(tmp_path / "state.db"), "11111111-1111-4111-8111-111111111111"
    right, wrong = {"Authorization": "Bearer right"}, {"Authorization": "Bearer wrong"}
    with requests.Session() as http:  # its idle connection must not hold the stop up
        with served("--empty", "--token", "right", "--state", state, stop=signal.SIGINT) as url:
            assert url.startswith("http://127.0.0.1:")
            assert url.endswith("/api/data/v9.2/")
            assert http.get(url + "contacts", headers=wrong, timeout=10).status_code == 401
            assert http.get(url + "contacts", headers=right, timeout=10).json()["value"] == []
            made = http.post(url + "contacts", headers=right, json={"contactid": row, "lastname": "Peeters (fictief)"}, timeout=10)
            assert made.status_code == 204
        with served("--empty", "--token", "right", "--state", state, stop=signal.SIGTERM) as url:
            assert http.get(f"{url}contacts({row})", headers=right, timeout=10).status_code == 200


def test_the_same_seed_is_the_same_organisation() -> None:
    found = []
    for _ in range(2):
        with served("--dossiers", "8", "--seed", "3", "--as-of", "2026-11-25", "--limits", "off") as url:
            assert requests.get(url.partition("/api/")[0] + "/_emulator/limits", timeout=10).json()["on"] is False
            rows = requests.get(url + "cf_dossiers", headers={"Authorization": "Bearer any"}, timeout=10).json()["value"]
            found.append([(row["cf_dossierid"], row["cf_openedon"]) for row in rows])
    assert found[0] == found[1]
    assert len(found[0]) == 8


def test_a_port_that_is_taken_is_named_before_anything_is_written(typist: Typist, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = typist.refused("emulator", "serve", "--port", port, "--empty", "--state", tmp_path / "state.db", code=2)
    assert error["where"] == f"127.0.0.1:{port}"
    assert not (tmp_path / "state.db").exists()


def test_an_environment_file_that_is_wrong_is_named(typist: Typist, tmp_path: Path) -> None:
    for text in (None, "tables: [", "tables: {x: 1}"):
        path = tmp_path / "environment.yaml"
        if text is not None:
            path.write_text(text, encoding="utf-8")
        said = typist.type("emulator", "serve", "--port", "0", "--empty", "--environment", path)
        assert (said.code, said.out, "Traceback" in said.err) == (2, "", False)
        assert "environment.yaml" in said.err


def test_an_environment_file_that_is_not_there_or_wrong_says_where_its_form_is_told(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "crm.yaml"
    for text in (None, "tables: none"):
        if text is not None:
            path.write_text(text, "utf-8")
        hint = typist.refused("emulator", "serve", "--port", "0", "--environment", path, code=2)["hint"]
        assert "docs/environment-file.md" in hint
        assert "without --environment" in hint


def test_https_is_trusted_by_the_file_that_it_writes(tmp_path: Path) -> None:
    authority = tmp_path / "CA.pem"
    with served("--empty", "--tls", str(authority)) as url:
        assert url.startswith("https://127.0.0.1:")
        with requests.Session() as http:
            http.trust_env = False  # a bundle named by the environment would win over `verify`
            answer = http.get(url + "WhoAmI", headers={"Authorization": "Bearer any"}, verify=str(authority), timeout=10)
            assert answer.status_code == 200


def test_a_certificate_that_cannot_be_written_is_named(typist: Typist, tmp_path: Path) -> None:
    error = typist.refused("emulator", "serve", "--port", "0", "--empty", "--tls", tmp_path / "none" / "CA.pem", code=2)
    assert error["where"].endswith("CA.pem")


def test_on_premises_is_announced_with_its_version() -> None:
    with served("--empty", "--profile", "onprem") as url:
        assert url.endswith("/api/data/v9.1/")
