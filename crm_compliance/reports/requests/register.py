"""The register of subject requests as documents and on a screen: nothing in it is about anybody (ACC-08)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm_compliance.hints import commands_after, in_words
from crm_compliance.reports.parts.clock_times import clock_time
from crm_compliance.reports.parts.sentences import ALARMS, REASONS, SKIPS
from jobs.model.request import SubjectRequest
from jobs.register.dates import alarms_of, days_left, due_of, has_gone_overdue, targets_of
from jobs.register.misdelivery import notify_by
from jobs.register.request_steps import next_step
from rules.dates.calendar import Calendar
from rules.dates.instants import instant
from rules.dates.periods import iso
from rules.hints import hint_to

if TYPE_CHECKING:
    from rich.console import Console


APPROVALS = ("content", "release")
# The codes that start so would tell of a suspicion.
SUSPICION, LOOKED_AT = "SUS-", "DPO_REVIEW"


def request_document(
    request: SubjectRequest,
    now: datetime,
    calendar: Calendar,
    *,
    blocks: Collection[str] | None = None,
    notices: Mapping[str, int] | None = None,
    waits_for: str = "",
) -> dict[str, object]:
    """Return what the `requests` commands answer for one request.

    `due_on` is null while the clock is paused (DDL-07), and `days_left` also once the request is answered; it
    is below zero if the answer is overdue. `next` holds the commands that come next. `blocks` are codes that
    stop a release, None if nobody has checked. `notices` counts the recipients who are notified, by state,
    and is left out if there are none (SUS-07), as is `waits_for`, the code of what keeps something that was
    granted. Which rules people set aside is not shown."""
    identity = request.identity
    document: dict[str, object] = {
        "request": request.id,
        "reference": request.reference,
        "right": request.right.value,
        "state": request.state.value,
        "received_on": request.received_on.isoformat(),
        "due_on": iso(due_of(request, calendar)),
        "days_left": days_left(request, now, calendar),
        "next": commands_after(next_step(request)) or None,
        "outcome": request.outcome.value if request.outcome is not None else None,
        "approvals": [
            {"as": approval.who, "role": approval.role, "at": instant(approval.at), "step": approval.step}
            for approval in request.approvals
            if approval.step in APPROVALS
        ],
        "refusal": request.refusal or None,
        "requester_kind": request.requester_kind.value,
        "on_behalf": request.on_behalf,
        "channel": request.channel.value,
        "language": request.language or None,
        "received_at": instant(request.received_at),
        "identity": None
        if identity is None
        else {
            "method": identity.method.value,
            "on": calendar.day(identity.at).isoformat(),
            "mandate": identity.mandate.value if identity.mandate is not None else None,
        },
        "suspensions": [
            {"reason": each.reason, "asked_on": each.asked_on.isoformat(), "answered_on": iso(each.answered_on), "counts": each.counts}
            for each in request.suspensions
        ],
        "extension": None
        if request.extension is None
        else {"reason": request.extension.reason, "notified_at": instant(request.extension.notified_at)},
        "overdue": has_gone_overdue(request, now, calendar),
        "alarms": [alarm.code for alarm in alarms_of(request, now, calendar)],
        "targets": {name: day.isoformat() for name, day in targets_of(request, calendar).items()},
        "delivered_at": instant(request.released_at),
        "closed_at": instant(request.closed_at),
        "misdelivered_at": instant(request.misdelivered_at),
        "notify_by": instant(notify_by(request)),
        "package_sha256": request.package_sha256 or None,
        "link_until": instant(request.link_until),
        "downloads": len(request.downloads),
    }
    if blocks is not None:
        document["blocks"] = sorted({LOOKED_AT if code.startswith(SUSPICION) else code for code in blocks})
    if notices:
        document["notices"] = dict(notices)
    if waits_for:
        document["waits_for"] = waits_for
    return document


def by_urgency(requests: Iterable[SubjectRequest], calendar: Calendar) -> list[SubjectRequest]:
    """Return the register in the order in which somebody works through it. What is due first comes first,
    then requests whose clock is paused, then those that only have to be closed; closed requests come last.
    Equal requests keep their order."""

    def key(request: SubjectRequest) -> tuple[bool, bool, date]:
        due = due_of(request, calendar)
        return request.is_closed, request.is_answered, due if due is not None and not request.is_answered else date.max

    return sorted(requests, key=key)


def print_request(document: Mapping[str, Any], console: Console, calendar: Calendar, following: str, today: date) -> None:
    """Print the state of one request, how it came there, what is due soon, and the commands that follow;
    hours by the clock of the schedule."""
    from rich.text import Text

    outcome = f", {outcome_of(document)}" if document["outcome"] else ""
    console.print(Text(f"{document['request']}: {document['right']}, {document['state']}{outcome}"))
    for line in _facts(document, calendar):
        console.print(Text(line))
    for code in document["alarms"]:
        console.print(Text.assemble((code, "bold red"), f": {ALARMS.get(code, '')}"))
    if text := document.get("to_write"):
        console.print(Text(f"No letter of this was made. Write to the person{_by(document['due_on'], today)}:\n", style="bold"))
        console.print(Text(f"{text}\n"), soft_wrap=True)
    if following:
        console.print(f"Next: {following}", soft_wrap=True)


def _by(due_on: str | None, today: date) -> str:
    if due_on is None:
        return ""
    return f" by {due_on}" if today.isoformat() <= due_on else f" at once: the last day was {due_on}, and it has passed"


def outcome_of(document: Mapping[str, Any]) -> str:
    """Return the outcome as `requests close` takes it."""
    return f"{document['outcome']}:{document['refusal']}" if document["refusal"] else document["outcome"] or ""


def _facts(document: Mapping[str, Any], calendar: Calendar) -> Iterator[str]:
    def hour(instant: str) -> str:
        return clock_time(datetime.fromisoformat(instant), calendar)

    due = f"due on {document['due_on']}" if document["due_on"] else "the clock stands still"
    yield f"received on {document['received_on']}, {due}"
    if identity := document["identity"]:
        mandate = f", mandate {identity['mandate']}" if identity["mandate"] else ""
        yield f"identified on {identity['on']} by {identity['method']}{mandate}"
    yield from (f"{word['step']}: {word['as']} as {word['role']}, {hour(word['at'])}" for word in document["approvals"])
    if document.get("blocks"):
        yield f"stops the release: {', '.join(document['blocks'])}"
    if notices := document.get("notices"):
        told = ", ".join(f"{number} {state}" for state, number in notices.items() if number)
        yield f"recipients to be told: {told}; see {in_words(hint_to('show_notices', request=document['request']))}"
    if code := document.get("waits_for"):
        yield f"something that was granted is not done yet, and is tried again every night: {code}: {(SKIPS | REASONS)[code]}"
    if document["misdelivered_at"]:
        yield f"misdelivered: {hour(document['misdelivered_at'])}; the link is dead"
        yield f"tell the data protection authority before {hour(document['notify_by'])} (EXP-16)"
    elif document["delivered_at"] and not document["closed_at"]:
        yield f"the link works until {hour(document['link_until'])}; downloads: {document['downloads']}"
