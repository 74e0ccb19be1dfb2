"""The demo types what an administrator types."""

from __future__ import annotations

import io
import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from crm_compliance.cli.app import run
from crm_compliance.demo import demo
from crm_compliance.demo.asker import Row, asker_among
from crm_compliance.host import interruptions
from rules.errors import ComplianceError
from tests.independent.inside import CommandLine


@pytest.fixture
def typed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's commands are typed in this process; the emulator and the first command are programs as they
    are started in earnest."""
    run_program = subprocess.run
    typed: list[Sequence[str]] = []
    line = CommandLine()

    def run_here(command: Sequence[str], *, env: dict[str, str], **more: Any) -> subprocess.CompletedProcess[str]:
        if list(command[:3]) != [sys.executable, "-m", "crm_compliance"]:  # the typesetter that a command begins
            return run_program(command, env=env, **more)
        typed.append(command)
        if len(typed) == 1:
            return run_program(command, env=env, **more)
        assert more == {"stdout": subprocess.PIPE, "text": True, "check": False}, "what is typed here knows no more"
        spoken = line.type(command[3:], env, Path.cwd())
        sys.stderr.write(spoken.err)
        return subprocess.CompletedProcess(command, spoken.code, spoken.out)

    monkeypatch.setattr("crm_compliance.demo.demo.subprocess.run", run_here)


@pytest.mark.usefixtures("typed_here")
def test_a_whole_night_on_an_emulator(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is really done, although the shell names a real CRM."""
    monkeypatch.setenv("CRM_COMPLIANCE_CRM_URL", "https://real.crm4.dynamics.com/api/data/v9.2/")
    monkeypatch.setenv("CRM_COMPLIANCE_CRM_CLIENT_ID", "real")
    folder = tmp_path / "demo"
    assert run(["demo", "--folder", str(folder), "--dossiers", "20"]) == 0
    out = capsys.readouterr().out
    for name in (*demo.REPORTS, "ledger.jsonl", "certificates.json", "keys.pem", "evidence.zip", "data"):
        assert (folder / name).exists()
        assert str(folder / name) in out
    for typed in (
        "plan --output",
        "apply plan-",
        "verify run-",
        "ledger verify",
        "history export",
        "certificate run-",
        "certificate verify",
        "evidence",
    ):
        assert f"$ crm-compliance {typed}" in out
    assert "the chain holds" in out
    kinds = [json.loads(line)["kind"] for line in (folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (kinds[:5], kinds[-1]) == (["crm_seen", "key_made", "key_made", "policy", "plan"], "run_ended")
    _one_person_was_answered(folder, out)


def _one_person_was_answered(folder: Path, out: str) -> None:
    """The released package opens with its passphrase, the working copy has the same files, and the output
    names nobody."""
    for name in ("request.json", "decisions.jsonl", "working-copy", "package.zip", "package.zip.message.txt", "passphrase.txt"):
        assert f"  {folder / name}  " in out
    for typed in ("open", "identify", "match", "confirm", "compile", "review", "approve", "release"):
        assert f"$ crm-compliance requests {typed} " in out
    assert "http://127.0.0.1:8080/d/" in out
    assert f"  CRM_COMPLIANCE_DATA_DIR={folder / 'data'} crm-compliance serve --port 8080\n" in out, "where the link is answered"
    passphrase, package = folder / "passphrase.txt", folder / "package.zip"
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "request.json").stat().st_mode) == 0o600
    with pyzipper.AESZipFile(package) as archive:
        archive.setpassword(passphrase.read_text(encoding="utf-8").strip().encode())
        inside = set(archive.namelist())
        told = archive.read("data.json").decode("utf-8")
    asked = json.loads((folder / "request.json").read_text(encoding="utf-8"))["given"]
    assert inside == {"letter.pdf", "index.html", "data.json", "manifest.json"}  # attachments are withheld
    assert inside <= {path.name for path in (folder / "working-copy").iterdir()}
    assert asked["firstname"] in told
    assert asked["lastname"] in told
    assert [word for word in (asked["lastname"], asked["birthdate"], *asked["phones"], *asked["emails"]) if word in out] == []


def _person(number: int, **more: Any) -> Row:
    return {
        "contactid": f"c{number}",
        "firstname": "Voorbeeld",
        "lastname": "Kind (fictief)",
        "birthdate": "2010-05-06",
        "emailaddress1": "voorbeeld@example.org",
        "mobilephone": None,
        "cf_language": 100000001,
        "cf_nocontact": None,
        "cf_deceasedon": None,
        **more,
    }


def _organisation(*people: Row, role: int = 100000000, fiche: Mapping[str, Any] | None = None) -> dict[str, list[Row]]:
    dossiers = {person["contactid"]: f"d-{person['contactid']}" for person in people}
    nothing = {"cf_ficheid": "f", "_cf_dossierid_value": None, "cf_transmittedcountry": None, "cf_transferbasis": None}
    return {
        "contacts": list(people),
        "cf_parties": [
            {"_cf_contactid_value": who, "_cf_dossierid_value": dossier, "_cf_ficheid_value": None, "cf_role": role}
            for who, dossier in dossiers.items()
        ],
        "cf_dossiers": [{"cf_dossierid": dossier, "statecode": 0} for dossier in dossiers.values()],
        "cf_fiches": [{**nothing, **(fiche or {})}],
        "annotations": [{"_objectid_value": "f"}],
    }


AT = datetime(2026, 11, 25, 10, tzinfo=UTC)


def test_a_child_with_most_in_its_file_asks_in_its_own_language() -> None:
    asker = asker_among(_organisation(_person(2), _person(1), fiche={"_cf_dossierid_value": "d-c1"}), AT)
    assert asker is not None
    assert (asker.contact, asker.form["requester_kind"], asker.form["language"]) == ("c1", "child", "fr")
    grown = asker_among(_organisation(_person(1, birthdate="2001-01-01", cf_language=None)), AT)
    assert grown is not None
    assert (grown.form["requester_kind"], grown.form["language"]) == ("former_child", "nl")


@pytest.mark.parametrize(
    "rows",
    [
        _organisation(_person(1, birthdate=None)),
        _organisation(_person(1, birthdate="2015-01-01")),
        _organisation(_person(1, emailaddress1=None)),
        _organisation(_person(1, cf_nocontact=True)),
        _organisation(_person(1, cf_deceasedon="2026-01-01")),
        _organisation(_person(1), role=100000003),
        _organisation(_person(1), fiche={"_cf_dossierid_value": "d-c1", "cf_transmittedcountry": "US"}),
        _organisation(),
    ],
)
def test_nobody_asks_for_whom_two_people_would_have_to_speak_first(rows: dict[str, list[Row]]) -> None:
    assert asker_among(rows, AT) is None


class Screenplay:
    """Commands that the demo types, and answers as if they had run."""

    def __init__(self, *, tripped: bool, codes: dict[str, int]) -> None:
        self.tripped = tripped
        self.codes = codes
        self.typed: list[str] = []

    def run(self, command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        words = list(command[3:])
        self.typed.append(" ".join(word for word in words if not word.startswith("/")))
        needed, why = (["crm_admin", "dpo"], ["BREAKER_TRIPPED", "FIRST_RUN"]) if self.tripped else ([], [])
        breaker = {"breaker": {"tripped": self.tripped}, "approvals": {"needed": needed, "why": why}}
        out = json.dumps(breaker) if "--json" in words else {"plan": "plan plan-1", "apply": "run run-1"}.get(words[0], "said")
        return subprocess.CompletedProcess(command, self.codes.get(words[0], 0), out, "")


def test_a_demo_that_is_ended_ends_its_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    class Emulator:
        stdout = io.StringIO("emulator ready http://127.0.0.1:9/\n")

        def __enter__(self) -> Emulator:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def terminate(self) -> None:
            ended.append("emulator")

    monkeypatch.setattr("crm_compliance.demo.demo.subprocess.Popen", lambda *_, **__: Emulator())
    monkeypatch.setattr(interruptions, "_by", signal.SIGINT)
    before = signal.signal(signal.SIGTERM, interruptions._interrupt)  # as every command has it
    try:
        with pytest.raises(KeyboardInterrupt), demo._emulator(3):
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is interruptions._interrupt
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (interruptions.exit_code(), ended) == (143, ["emulator"])


@contextmanager
def no_emulator(_: int) -> Iterator[str]:
    yield "http://127.0.0.1:9/api/data/v9.2/"


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Screenplay:
    found = Screenplay(tripped=False, codes={})
    monkeypatch.setattr(demo, "_emulator", no_emulator)
    monkeypatch.setattr(demo, "rows_of", lambda _: _organisation())
    monkeypatch.setattr("crm_compliance.demo.demo.subprocess.run", found.run)
    return found


def test_two_people_approve_where_the_breaker_has_tripped(play: Screenplay, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play.tripped = True
    assert demo.run_demo(tmp_path / "d", 200) == 0
    assert [line for line in play.typed if "approve" in line] == [
        "plans approve plan-1 --as demo-anna --role crm_admin",
        "plans approve plan-1 --as demo-ben --role dpo",
    ]
    out = capsys.readouterr().out
    assert "Two demo people" in out
    assert "BREAKER_TRIPPED: It disposes of more than usual." in out
    assert "FIRST_RUN: " in out


def test_without_a_trip_nobody_is_asked(play: Screenplay, tmp_path: Path) -> None:
    play.codes["apply"] = 6  # the fictitious organisation has rows that cannot go
    assert demo.run_demo(tmp_path / "d", 200) == 0
    assert not any(line.startswith("requests") for line in play.typed)  # nor does anybody ask who is not there
    assert not any("approve" in line for line in play.typed)


def test_what_goes_wrong_ends_the_demo_with_its_exit_code(play: Screenplay, tmp_path: Path) -> None:
    play.codes["ledger"] = 7
    with pytest.raises(ComplianceError, match="ledger") as failed:
        demo.run_demo(tmp_path / "d", 200)
    assert failed.value.exit_code == 7


def test_a_folder_of_somebody_else_is_left_alone(play: Screenplay, tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine", encoding="utf-8")
    assert run(["demo", "--folder", str(tmp_path)]) == 2
    assert precious.read_text(encoding="utf-8") == "mine"
    assert play.typed == []
    own = tmp_path / "own"
    for _ in range(2):
        assert demo.run_demo(own, 1) == 0
        (own / "rest.txt").touch()
    assert not (tmp_path / "own" / "plan.html").exists()
