"""The calendar file (RFC 5545): whole days, ids, alarms, and lines that any program can read."""

from datetime import UTC, date, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from crm_compliance.reports.requests.calendar import dates_of
from jobs.model.request import Suspension
from rules.dates.calendar import BELGIAN, Calendar
from rules.model.requests import RequestState
from tests.crm_compliance.store.rows.request_values import a_request

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def unfolded(text: str) -> list[str]:
    """The lines as a reader puts them together again (3.1)."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def events(text: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    inside = False
    for line in unfolded(text):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
            inside = True
        elif line == "BEGIN:VALARM":
            inside = False
        elif line == "END:VALARM":
            inside = True
        elif inside and line != "END:VEVENT":
            found[-1][name] = value
        elif name == "TRIGGER":
            found[-1]["TRIGGER"] = found[-1].get("TRIGGER", "") + value
    return found


def test_a_pending_request_has_its_due_date_and_its_targets() -> None:
    """DDL-10: two and five working days, ten and twenty calendar days; alarms at ten, five and one."""
    text = dates_of([a_request()], NOW, BELGIAN)
    lines = unfolded(text)
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    days = {event["UID"].split("@")[0].removeprefix("request-1-"): event["DTSTART;VALUE=DATE"] for event in events(text)}
    assert days == {
        "acknowledgement": "20260304",
        "identity": "20260309",
        "search": "20260312",
        "draft": "20260322",
        "due": "20260402",
    }
    due = events(text)[-1]
    assert (due["DTEND;VALUE=DATE"], due["TRIGGER"], due["DTSTAMP"]) == ("20260403", "-P10D-P5D-P1D", "20260302T090000Z")


def test_a_request_whose_clock_stands_still_is_not_due() -> None:
    """DDL-07."""
    suspended = a_request(suspensions=(Suspension("identity", date(2026, 3, 4), True),), state=RequestState.SUSPENDED)
    assert "due" not in {event["UID"].split("@")[0].rsplit("-", 1)[1] for event in events(dates_of([suspended], NOW, BELGIAN))}


def test_what_was_answered_is_in_no_calendar() -> None:
    answered = [a_request(state=RequestState.RELEASED), a_request("request-2", state=RequestState.CLOSED)]
    assert events(dates_of(answered, NOW, BELGIAN)) == []


def test_an_event_keeps_its_id_when_its_day_moves() -> None:
    before = events(dates_of([a_request()], NOW, BELGIAN))
    after = events(dates_of([a_request()], NOW, Calendar(extra=frozenset({date(2026, 4, 2)}))))
    assert [event["UID"] for event in before] == [event["UID"] for event in after]
    assert before[-1] != after[-1]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200))
@example("a\\b;c,d")
def test_no_line_is_longer_than_75_octets_and_none_loses_anything(name: str) -> None:
    """RFC 5545, 3.1 and 3.3.11: whatever an id might be."""
    text = dates_of([a_request(f"request-{name}")], NOW, BELGIAN)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    marked = f"request-{name}-due".replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    assert f"UID:{marked}@crm-compliance" in unfolded(text)
