"""The time zone of the schedule, from the end of a unit to what is shown: DAT-01, DAT-02, DAT-13.

A conversation at 23:30 UTC on a winter evening is of that day in Lisbon, and of the next one in Athens; its
six months end in summer, when Lisbon is an hour ahead of UTC and Athens three.
"""

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from connectors.dynamics.mapping.mapping import REFERENCE
from tests.drivers.night import Night
from tests.drivers.requesting import a_form
from tests.drivers.typist import DORA, Typist

SHIPPED = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
EVENING = "2026-01-10T23:30:00Z"


def a_schedule(folder: Path, zone: str, name: str = "policy.yaml", **changes: str) -> str:
    text = SHIPPED.replace("timezone: Europe/Brussels", f"timezone: {zone}")
    for old, new in changes.items():
        text = text.replace(f"{old}: ", f"{old}: {new} # ", 1)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("zone", "last_moment"),
    [
        ("Europe/Lisbon", datetime(2026, 7, 10, 23, tzinfo=UTC)),
        ("Europe/Brussels", datetime(2026, 7, 11, 22, tzinfo=UTC)),
        ("Europe/Athens", datetime(2026, 7, 11, 21, tzinfo=UTC)),
        ("America/St_Johns", datetime(2026, 7, 11, 2, 30, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 7, 11, 18, 30, tzinfo=UTC)),
    ],
)
def test_a_unit_goes_once_its_last_day_is_over_in_the_zone_of_the_schedule(
    typist: Typist, org: Night, tmp_path: Path, zone: str, last_moment: datetime
) -> None:
    """DAT-02: not in the last second, and from the first of the next day on; what is asked tells that day."""
    typist.set(POLICY=a_schedule(tmp_path, zone))
    org.fiche("social_card", cf_communicatedon=EVENING, createdon=EVENING)
    found = []
    for moment in (last_moment.timestamp() - 1, last_moment.timestamp()):
        at = datetime.fromtimestamp(moment, UTC).isoformat()
        found.append(typist.ask("plan", "--as-of", at)["dispose"]["delete"])
    assert found == [0, 1]


def test_a_store_keeps_the_time_zone_with_which_it_began(typist: Typist, org: Night, tmp_path: Path) -> None:
    """What it holds of days would end otherwise. Nothing is planned, no request moves, and `doctor` says so;
    what is shown stays in the zone of the store."""
    typist.set(POLICY=a_schedule(tmp_path, "Europe/Lisbon"), CLOCK="2026-06-10T23:30:00+00:00")
    org.fiche("social_card")
    assert typist.ask("plan")["as_of"].startswith("2026-06-10T23:")
    form = tmp_path / "form.json"
    form.write_text(json.dumps(a_form(received_at="2026-06-10T22:59:00Z")), encoding="utf-8")
    request = typist.ask("requests", "open", form)
    assert request["received_on"] == "2026-06-10"

    typist.set(POLICY=a_schedule(tmp_path, "Europe/Athens"))
    error = typist.refused("plan", code=5)
    assert (error["code"], error["where"]) == ("other_zone", "timezone")
    assert "Europe/Athens" in error["message"]
    assert "timezone: Europe/Lisbon" in error["hint"]
    assert typist.refused("requests", "close", request["request"], "--outcome", "WITHDRAWN", *DORA, code=5)["code"] == "other_zone"
    nights = next(check for check in typist.type("doctor", "--json").document["checks"] if check["name"] == "nights")
    assert not nights["ok"]
    assert "Europe/Lisbon" in nights["message"]
    assert "2026-06-14 00:" in typist.type("plans", "list").out  # 72 hours later, an hour ahead of UTC
    assert [plan["kind"] for plan in typist.ask("plans", "list", "--since", "2026-06-11")] == ["all"]
    assert typist.ask("plans", "list", "--since", "2026-06-12") == []

    typist.set(POLICY=a_schedule(tmp_path, "Europe/Lisbon", version='"1.1"'))
    assert typist.ask("plan")["units"] == 1


def test_the_versions_of_a_schedule_have_one_time_zone(typist: Typist, tmp_path: Path) -> None:
    folder = tmp_path / "versions"
    folder.mkdir()
    a_schedule(folder, "Europe/Brussels", "one.yaml")
    a_schedule(folder, "Europe/Lisbon", "two.yaml", version='"2"', valid_from="2026-01-01")
    typist.set(POLICY=str(folder))
    error = typist.refused("policy", "check", code=3)
    assert error["where"].endswith("two.yaml")
    assert "Europe/Lisbon" in error["message"]


@pytest.mark.parametrize("zone", ["Europe/Brusels", "CET+1", "Europe", "localtime", "posix/Europe/Brussels"])
def test_a_zone_that_there_is_not_is_refused_with_its_line(typist: Typist, tmp_path: Path, zone: str) -> None:
    """The same on every machine, whatever its own zone files are."""
    path = a_schedule(tmp_path, zone)
    error = typist.refused("policy", "check", path, code=3)
    line = SHIPPED[: SHIPPED.index("timezone:")].count("\n") + 1
    assert error["where"] == f"{path}:{line}"
    assert "timezone: there is no such time zone" in error["message"]


@pytest.mark.parametrize(("country", "told"), [("NL", "postcode_to_province knows the provinces of Belgium alone"), ("BE", "")])
def test_a_technique_that_needs_provinces_is_refused_where_nobody_knows_them(
    typist: Typist, org: Night, tmp_path: Path, country: str, told: str
) -> None:
    """By `mapping check` at the line of the column; with the shipped country it is none."""
    mapping = tmp_path / "mapping.yaml"
    column = "        cf_legalholdreason: postcode_to_province\n"
    written = REFERENCE.read_text(encoding="utf-8").replace("        cf_legalholdreason: drop_text\n", column, 1)
    mapping.write_text(written, encoding="utf-8")
    schedule = tmp_path / "policy.yaml"
    text = SHIPPED.replace("defaults:\n", f"defaults:\n  country: {country}\n  holidays: {country}\n  national_number: none\n", 1)
    schedule.write_text(text.replace("backups:\n", "anonymise:\n  how: in_place\nbackups:\n", 1), encoding="utf-8")
    typist.set(POLICY=str(schedule), MAPPING=str(mapping))
    problems = typist.type("mapping", "check", "--offline", "--json").document["problems"]
    assert [problem["message"][: len(told)] for problem in problems if problem["code"] == "schedule"] == ([told] if told else [])
    if told:
        line = written[: written.index(column)].count("\n") + 1
        assert {problem["where"] for problem in problems} == {f"{mapping}:{line}"}
