"""The demo types what an administrator types."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from crm_compliance import demo
from crm_compliance.cli.app import run
from rules.errors import ComplianceError


def test_a_whole_night_on_an_emulator(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is really done, although the shell names a real CRM; a second demo starts anew."""
    monkeypatch.setenv("CRM_COMPLIANCE_CRM_URL", "https://real.crm4.dynamics.com/api/data/v9.2/")
    monkeypatch.setenv("CRM_COMPLIANCE_CRM_CLIENT_ID", "real")
    folder = tmp_path / "demo"
    assert run(["demo", "--folder", str(folder), "--dossiers", "12"]) == 0
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
    assert (kinds[:4], kinds[-1]) == (["key_made", "key_made", "policy", "plan"], "run_ended")


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


@contextmanager
def no_emulator(_: int) -> Iterator[str]:
    yield "http://127.0.0.1:9/api/data/v9.2/"


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Screenplay:
    found = Screenplay(tripped=False, codes={})
    monkeypatch.setattr(demo, "_emulator", no_emulator)
    monkeypatch.setattr("crm_compliance.demo.subprocess.run", found.run)
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
