"""What pages go by while the service runs for months."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.console.frame import services as frame
from crm_compliance.console.frame.services import FRESH_S, Services
from crm_compliance.console.language.own_words import own_words_of
from crm_compliance.wiring.schedule import calendar_of
from tests.drivers.typist import Typist

DATA = Path(__file__).parents[3] / "data"
BRIDGE_DAY = date(2026, 12, 28)
SHIPPED = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")


@pytest.fixture
def policy(typist: Typist, tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(SHIPPED, encoding="utf-8")
    typist.set(POLICY=str(path))
    return path


def test_pages_reckon_due_dates_by_the_days_off_of_the_schedule_in_force(
    policy: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DDL-05: as commands do, and the letters that the service writes."""
    now = [1000.0]
    monkeypatch.setattr(frame, "monotonic", lambda: now[0])
    assert BRIDGE_DAY not in services.calendar
    policy.write_text(SHIPPED.replace("extra_holidays: []", f"extra_holidays: [{BRIDGE_DAY}]"), encoding="utf-8")
    now[0] += FRESH_S
    assert BRIDGE_DAY in services.calendar
    assert services.calendar == calendar_of(services.settings, services.store)
    policy.write_text("name: [", encoding="utf-8")
    now[0] += FRESH_S
    assert BRIDGE_DAY not in services.calendar, "one that cannot be used keeps nobody from a page"


@pytest.fixture
def organisation(typist: Typist, tmp_path: Path) -> Path:
    path = tmp_path / "organisation.yaml"
    typist.ask("organisation", "show", "--output", path)
    typist.set(ORGANISATION=str(path))
    return path


def test_pages_speak_in_the_words_that_the_file_of_the_organisation_has_now(
    organisation: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(frame, "monotonic", lambda: now[0])
    before, words = services.organisation, services.own_words
    assert organisation_of(services.settings) == before
    organisation.write_bytes((DATA / "second-organisation.yaml").read_bytes())
    now[0] += FRESH_S
    assert services.organisation == organisation_of(services.settings) != before
    assert services.own_words == own_words_of(services.settings) != words
