"""Time stamps of a real authority, OpenSSL's own: they verify, with us and with OpenSSL, and their lack fails
no run (RFC 3161)."""

import base64
import json
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from crm_compliance.keys.timestamps import NoTimestamp, fetch, stamped_at
from jobs.ledger.checkpoints import Checkpoint, encode
from rules.errors import UsageError
from tests.crm_compliance.authority import make, serving
from tests.crm_compliance.openssl import OPENSSL
from tests.crm_compliance.verify_page import step
from tests.drivers.night import Night
from tests.drivers.typist import Typist

pytestmark = OPENSSL
CHECKPOINT = Checkpoint(3, "a" * 64, "b" * 64, "2026-03-02T01:30:00.000Z", "c" * 64, "s-2026-03-0000000000000000", "AA==")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tsa") / "authority"
    make(folder)
    return folder


def test_a_stamp_tells_when_and_verifies_for_its_message_alone(authority: Path) -> None:
    with serving(authority) as url:
        token = fetch(url, CHECKPOINT.form, authority / "ca.pem")
    at = stamped_at(token, CHECKPOINT.form, authority / "ca.pem")
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    with pytest.raises(NoTimestamp):
        stamped_at(token, CHECKPOINT.form + b" ", authority / "ca.pem")
    with pytest.raises(NoTimestamp):
        stamped_at(token[:-8] + "AAAAAAA=", CHECKPOINT.form, authority / "ca.pem")


def test_openssl_verifies_the_same_stamp(authority: Path, tmp_path: Path) -> None:
    with serving(authority) as url:
        token = fetch(url, CHECKPOINT.form, None)
    (tmp_path / "stamp.tsr").write_bytes(base64.b64decode(token))
    (tmp_path / "stamped.json").write_bytes(CHECKPOINT.form)
    command = f"openssl ts -verify -data stamped.json -in stamp.tsr -CAfile {authority / 'ca.pem'}"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Verification: OK" in done.stdout + done.stderr) == (0, True)


def test_a_stamp_outlives_the_certificate_of_its_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Authorities change their certificate every few years, and stamps prove for longer. This one was made on
    30 November 2026, three seconds before the certificate of a fictitious authority ended."""
    ended = Path(__file__).parent / "ended_authority"
    token = (ended / "stamp.txt").read_text().strip()
    assert stamped_at(token, CHECKPOINT.form, ended / "ca.pem").year == 2026
    (tmp_path / "pack").mkdir()
    (tmp_path / "ca.pem").write_bytes((ended / "ca.pem").read_bytes())
    log = tmp_path / "pack" / "checkpoints.jsonl"
    log.write_bytes(encode(msgspec.structs.replace(CHECKPOINT, timestamp=token)))
    assert step(tmp_path / "pack", 11, monkeypatch).startswith("3 entries stood there on 2026-11-30 ")
    log.write_bytes(encode(msgspec.structs.replace(CHECKPOINT, timestamp=token, at="2026-03-01T01:30:00.000Z")))
    assert step(tmp_path / "pack", 11, monkeypatch) == "wrong: the stamp of the checkpoint over 3 entries does not verify"


def test_a_stamp_of_another_authority_is_refused(authority: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    with serving(authority) as url, pytest.raises(NoTimestamp, match="does not verify"):
        fetch(url, CHECKPOINT.form, other)


def test_a_stamp_that_answers_another_question_is_refused(authority: Path) -> None:
    """An old answer, played again."""
    with serving(authority) as url:
        old = base64.b64decode(fetch(url, CHECKPOINT.form, None))
    with serving(authority, answer=old) as url, pytest.raises(NoTimestamp, match="another question"):
        fetch(url, CHECKPOINT.form, None)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"0" * 5000])
def test_an_answer_that_is_no_stamp_is_refused(authority: Path, answer: bytes) -> None:
    with serving(authority, answer=answer) as url, pytest.raises(NoTimestamp, match="gave no time stamp"):
        fetch(url, CHECKPOINT.form, None)


def test_nobody_there_is_told(authority: Path) -> None:
    with pytest.raises(NoTimestamp, match="gave no time stamp"):
        fetch("http://127.0.0.1:9/", CHECKPOINT.form, None)


def test_an_answer_without_an_end_is_broken_off() -> None:
    """Most authorities speak plain http: whoever is on the way could hold a night up for ever."""
    with closing(socket.create_server(("127.0.0.1", 0))) as door:

        def answer() -> None:
            line, _ = door.accept()
            with line, suppress(OSError):  # the other side has heard enough
                line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    line.sendall(bytes(1 << 16))

        endless = Thread(target=answer)
        endless.start()
        with pytest.raises(NoTimestamp, match="gave no time stamp"):
            fetch(f"http://127.0.0.1:{door.getsockname()[1]}/", CHECKPOINT.form, None)
        endless.join()


def test_a_file_without_a_certificate_is_a_usage_error(authority: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for file in (tmp_path / "ca.pem", tmp_path / "nowhere.pem"):
        with pytest.raises(UsageError, match="no certificate"):
            stamped_at("", CHECKPOINT.form, file)


def test_the_checkpoint_of_a_run_is_stamped_and_the_stamp_verified_with_the_ledger(
    typist: Typist, org: Night, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(authority) as url:
        typist.set(TIMESTAMP_URL=url, TIMESTAMP_CA=str(authority / "ca.pem"))
        typist.ask("apply", typist.ask("plan")["plan"])
    anchor = typist.folder / "data" / "anchor.jsonl"
    assert json.loads(anchor.read_bytes())["timestamp"]
    assert typist.ask("ledger", "verify")["ok"] is True
    with monkeypatch.context() as another_machine:
        another_machine.setitem(sys.modules, "rfc3161_client", None)
        assert "extra" in typist.refused("ledger", "verify", code=2)["message"]  # nobody could look, and nothing is broken
        with closing(sqlite3.connect(typist.folder / "data" / "state.db")) as database, database:
            (doc,) = database.execute("SELECT doc FROM plans").fetchone()
            database.execute("UPDATE plans SET doc = ?", (doc.replace("service", "servant"),))
        said = typist.type("ledger", "verify")
        lines = said.out.splitlines()
        assert (said.code, lines[-1][:30]) == (7, "time stamps: were not looked a"), "what else does not hold is told first"
        assert any(line.startswith("plan ") for line in lines[:-1])
        with closing(sqlite3.connect(typist.folder / "data" / "state.db")) as database, database:
            database.execute("UPDATE plans SET doc = ?", (doc,))
    other = make(typist.folder / "other")
    both = typist.folder / "both.pem"
    both.write_bytes(other.read_bytes() + (authority / "ca.pem").read_bytes())
    typist.set(TIMESTAMP_CA=str(both))  # the organisation has gone to another authority since
    assert typist.ask("ledger", "verify")["ok"] is True
    typist.set(TIMESTAMP_CA=str(other))
    said = typist.type("ledger", "verify")
    assert (said.code, "time stamp does not verify" in said.out) == (7, True)


def test_an_authority_that_fails_fails_no_run(typist: Typist, org: Night, authority: Path) -> None:
    typist.set(TIMESTAMP_URL="http://127.0.0.1:9/")
    said = typist.type("apply", typist.ask("plan")["plan"])
    assert said.code == 0
    assert "no time stamp on the checkpoint" in said.err
    assert typist.ask("ledger", "verify")["checkpoints"] == 1
