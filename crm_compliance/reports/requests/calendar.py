"""The dates of pending requests as a calendar file (iCalendar, RFC 5545) that any calendar program can show.
Whole days and request ids, and nothing about anybody: a calendar is shared more readily than a register. An
event keeps its UID, so that a file that is imported again moves it instead of adding one."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from icalendar import Alarm, Event
from icalendar import Calendar as Dates

from jobs.model.request import SubjectRequest
from jobs.register.dates import due_of, targets_of
from rules.dates.calendar import Calendar
from rules.rights.deadlines import ALARMS

TARGETS = {
    "acknowledgement": "acknowledge the receipt",
    "identity": "check who the person is",
    "search": "search the CRM",
    "draft": "draft the answer",
}


DUE = "due"
Said = Callable[[SubjectRequest, str], str]


def summary(request: SubjectRequest, name: str) -> str:
    """Return what an event says: of a target by its name, or of the day on which the answer is DUE."""
    return f"{request.id}: {TARGETS[name] if name != DUE else f'the answer is due ({request.right.value})'}"


def dates_of(requests: Iterable[SubjectRequest], now: datetime, calendar: Calendar, said: Said = summary) -> str:
    """Return the due dates of all requests that wait for an answer, with alarms; `said` is what each event
    says. The internal targets before them are included (DDL-10). A request whose clock is paused has no due
    date, and so no event for it (DDL-07)."""
    dates = Dates()
    head = {"version": "2.0", "prodid": "-//crm-compliance//subject requests//EN", "calscale": "GREGORIAN", "method": "PUBLISH"}
    for name, value in head.items():
        dates.add(name, value)
    for request in requests:
        if not request.is_answered:
            for event in _events(request, now, calendar, said):
                dates.add_component(event)
    return str(dates.to_ical(sorted=False), "utf-8")


def _events(request: SubjectRequest, now: datetime, calendar: Calendar, said: Said) -> Iterator[Event]:
    due = due_of(request, calendar)
    for name, day in targets_of(request, calendar).items():
        yield _event(f"{request.id}-{name}", day, said(request, name), now, ())
    if due is not None:
        yield _event(f"{request.id}-{DUE}", due, said(request, DUE), now, ALARMS)


def _event(name: str, day: date, summary: str, now: datetime, alarms: Collection[int]) -> Event:
    """Return one whole day; its end is the day after (3.6.1)."""
    event = Event()
    event.add("uid", f"{name}@crm-compliance")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", summary)
    event.add("transp", "TRANSPARENT")
    for days in alarms:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", summary)
        alarm.add("trigger", timedelta(days=-days))
        event.add_component(alarm)
    return event
