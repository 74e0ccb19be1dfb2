"""A token or a clock that is set, which a CRM on this machine alone may be given."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crm_compliance.configuration.given import CANARY, EMULATOR, REAL, config, refusal, settings


@pytest.mark.parametrize("url", [EMULATOR, "http://localhost:1/", "http://[::1]:8765/x", "https://127.200.0.9/", "HTTP://LOCALHOST/"])
def test_this_machine_is_known_by_its_names(url: str) -> None:
    assert settings(CRM_URL=url, CRM_TOKEN="t", CLOCK="2026-03-01T02:30:00Z").is_loopback


@pytest.mark.parametrize(
    "url",
    [
        REAL,
        "https://localhost.example.com/",
        "https://127.0.0.1.nip.io/",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://[::ffff:7f00:1]/",
    ],
)
def test_a_token_or_a_set_clock_is_refused_for_any_other_machine(url: str) -> None:
    assert settings(CRM_URL=url).is_loopback is False
    assert "clock" in str(refusal(CRM_URL=url, CLOCK="2026-03-01T02:30:00Z")).lower()
    assert "CRM_TOKEN" in str(refusal(CRM_URL=url, CRM_TOKEN=CANARY))


def test_a_token_or_a_set_clock_needs_a_crm() -> None:
    assert "CRM_COMPLIANCE_CRM_TOKEN" in str(refusal(CRM_TOKEN=CANARY))
    assert "CRM_COMPLIANCE_CLOCK" in str(refusal(CLOCK="2026-03-01T02:30:00Z"))


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-03-01T02:30:00Z", datetime(2026, 3, 1, 2, 30, tzinfo=UTC)),
        ("2026-03-29t03:30:00.25+02:00", datetime(2026, 3, 29, 1, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_the_clock_is_an_instant(told: str, meant: datetime) -> None:
    assert settings(CRM_URL=EMULATOR, CLOCK=told).clock == meant


@pytest.mark.parametrize("told", ["2026-03-01", "2026-03-01T02:30:00", "1772332200", "2026-02-30T02:30:00Z", "2026-W10-1T02:30:00Z"])
def test_a_clock_without_zone_or_day_is_refused(told: str) -> None:
    assert "RFC 3339" in str(refusal(CRM_URL=EMULATOR, CLOCK=told))


def test_an_instant_of_the_file_itself_sets_the_clock(tmp_path: Path) -> None:
    file = config(tmp_path, f"crm_url = '{EMULATOR}'\nclock = 2026-03-01T03:30:00+01:00\n")
    assert settings(CONFIG=str(file)).clock == datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
