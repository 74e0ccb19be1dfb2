"""The dates of pending requests as a calendar file (iCalendar, RFC 5545) that any calendar program can show.

Whole days and request ids, and nothing about anybody: a calendar is shared more readily than a register.

The writer is small because what is written is: no times, no zones, no repeats. Text is escaped and lines are folded as the standard asks
(3.1, 3.3.11); an event keeps its UID, so that a file that is imported again moves it instead of adding one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from jobs.request_terms import due_of, targets_of
from jobs.subject_requests import SubjectRequest
from rules.deadlines import ALARMS

LINE_BYTES = 75  # RFC 5545, 3.1: octets, without the line end
TARGETS = {
    "acknowledgement": "acknowledge the receipt",
    "identity": "check who the person is",
    "search": "search the CRM",
    "draft": "draft the answer",
}


def calendar_of(requests: Iterable[SubjectRequest], now: datetime, extra: Collection[date]) -> str:
    """The due dates of all requests that wait for an answer, with alarms, and the internal targets before them (DDL-10).

    A request whose clock stands still has no due date, and so no event for it (DDL-07).
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//crm-compliance//subject requests//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for request in requests:
        if not request.is_answered:
            lines += _events(request, now, extra)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def escaped(text: str) -> str:
    """Text as a value: backslash, semicolon, comma and line end are marked (3.3.11)."""
    marked = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return marked.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _events(request: SubjectRequest, now: datetime, extra: Collection[date]) -> Iterator[str]:
    due = due_of(request, extra)
    for name, day in targets_of(request, extra).items():
        yield from _event(f"{request.id}-{name}", day, f"{request.id}: {TARGETS[name]}", now, ())
    if due is not None:
        yield from _event(f"{request.id}-due", due, f"{request.id}: the answer is due ({request.right.value})", now, ALARMS)


def _event(name: str, day: date, summary: str, now: datetime, alarms: Collection[int]) -> Iterator[str]:
    """One whole day; its end is the day after (3.6.1)."""
    yield "BEGIN:VEVENT"
    yield f"UID:{escaped(name)}@crm-compliance"
    yield f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{escaped(summary)}"
    yield "TRANSP:TRANSPARENT"
    for days in alarms:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"DESCRIPTION:{escaped(summary)}"
        yield f"TRIGGER:-P{days}D"
        yield "END:VALARM"
    yield "END:VEVENT"


def _folded(line: str) -> Iterator[str]:
    """A line in pieces of 75 octets at most, none of which cuts a character; each further one begins with a space (3.1)."""
    piece, room = "", LINE_BYTES
    for sign in line:
        size = len(sign.encode())
        if size > room:
            yield piece
            piece, room = " ", LINE_BYTES - 1
        piece += sign
        room -= size
    yield piece
