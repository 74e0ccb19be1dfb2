"""An act in a process of its own: what it says, and what it does not."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from crm_compliance.console.work.act_under_way import Counts, Ended
from crm_compliance.console.work.process import Asked, carried_out
from rules.errors import ComplianceError

ASKED = Asked(act="plan", subject="plan", who="demo-anna", role="crm_admin", now=datetime(2026, 11, 25, tzinfo=UTC))
SAYS = "import sys, json; asked = json.loads(sys.stdin.readline()); {}"


def says(code: str, told: list[Counts] | None = None) -> Ended:
    """What an act comes to whose process reads what is asked, and does this."""
    heard = told if told is not None else []
    return carried_out(ASKED, heard.append, (sys.executable, "-c", SAYS.format(code)))


def test_it_tells_how_far_it_is_and_what_it_has_made() -> None:
    told: list[Counts] = []
    made = says("print('{\"counts\": [7, 2, 0, 0]}'); print(json.dumps({'ended': ['', asked['who']]}))", told)
    assert (told, made) == ([Counts(7, 2)], Ended(made="demo-anna"))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import os; os.kill(os.getpid(), 9)", ("the process that did this was ended (signal 9)", "process_ended", 5)),
        ("sys.exit(1)", ("something went wrong here", "bug", 1)),
        ("print(json.dumps({'failure': ['no token', 'token', '', '', 4]}))", ("no token", "token", 4)),
    ],
)
def test_how_it_failed_is_told(code: str, found: tuple[str, str, int]) -> None:
    with pytest.raises(ComplianceError) as failed:
        says(code)
    assert (str(failed.value), failed.value.code, failed.value.exit_code) == found


def test_what_an_error_of_a_library_says_of_somebody_is_in_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRM_COMPLIANCE_DATA_DIR", str(tmp_path))
    with pytest.raises(ComplianceError, match="something went wrong here"):
        carried_out(msgspec.structs.replace(ASKED, act="Lotte Zandstra"), lambda _: None)
    told = capfd.readouterr().err
    assert "KeyError" in told, "the error that there is no such act"
    assert "Lotte" not in told
