"""The dates of a subject request: when its answer is due, what is late, and until when what is known of it is
kept. Source: DDL-01 to DDL-11, EXP-17, ACC-07, ACC-08."""

from datetime import date, datetime, timedelta
from typing import Final

from jobs.model.plan import Alarm
from jobs.model.request import SubjectRequest, Suspension
from rules.dates.calendar import Calendar, working_day_after
from rules.dates.periods import add_years
from rules.model.requests import Outcome, RequestState
from rules.rights.deadlines import ALARMS, CLOSE_AFTER, REMIND_AFTER, Stop, due_on, is_overdue

OVERDUE, UNANSWERED, OPEN_AFTER_RELEASE = "OVERDUE", "QUESTION_UNANSWERED", "RELEASED_NOT_CLOSED"
DUE_IN: Final = {days: f"DUE_IN_{days}" for days in ALARMS}
# Internal targets (DDL-10): two in working days, two in calendar days after the receipt.
ACKNOWLEDGED_IN, IDENTIFIED_IN = 2, 5
SEARCHED_IN, DRAFTED_IN = timedelta(days=10), timedelta(days=20)
# The internal target that each state is held against.
_TARGETS: Final = {
    RequestState.RECEIVED: "identity",
    RequestState.IDENTIFYING: "identity",
    RequestState.SEARCHING: "search",
    RequestState.REVIEWING: "draft",
}


def due_of(request: SubjectRequest, calendar: Calendar) -> date | None:
    """Return the last day for the answer, None while the clock is paused. A neutral answer and a refusal have
    one month, whatever was stated before (DDL-09)."""
    return due_on(
        request.received_on, extended=request.extension is not None and not is_refusal(request), stops=stops_of(request), calendar=calendar
    )


def is_refusal(request: SubjectRequest) -> bool:
    """Return whether the answer gives nothing: neutral, or refused."""
    return request.answer == "neutral" or bool(request.refusal) or request.outcome in (Outcome.NEUTRAL, Outcome.REFUSED)


def stops_of(request: SubjectRequest) -> tuple[Stop, ...]:
    """Return the questions that stop the clock (DDL-07)."""
    return tuple(Stop(question.asked_on, question.answered_on) for question in request.suspensions if question.counts)


def open_questions(request: SubjectRequest) -> tuple[Suspension, ...]:
    """Return the questions that nobody has answered yet, the oldest first."""
    return tuple(sorted((each for each in request.suspensions if each.answered_on is None), key=lambda each: each.asked_on))


def has_gone_overdue(request: SubjectRequest, now: datetime, calendar: Calendar) -> bool:
    """Return whether the answer should have been given by now and was not (DDL-11, R-138)."""
    return not request.is_answered and is_overdue(due_of(request, calendar), now, calendar)


def days_left(request: SubjectRequest, now: datetime, calendar: Calendar) -> int | None:
    """Return how many days remain for the answer: 0 on its last day, below zero once it is overdue. Return
    None once it is answered, and while the clock is paused."""
    due = due_of(request, calendar)
    return None if due is None or request.is_answered else (due - calendar.day(now)).days


def alarms_of(request: SubjectRequest, now: datetime, calendar: Calendar) -> tuple[Alarm, ...]:
    """Return what a person has to look at. That is a due date that is near or past, or a question without an
    answer (DDL-08, DDL-10, DDL-11)."""
    if request.is_closed:
        return ()
    if request.is_answered:
        return (Alarm(OPEN_AFTER_RELEASE, f"{request.id} was released; close it once the answer has arrived"),)
    found, day, due = [], calendar.day(now), due_of(request, calendar)
    if due is not None and is_overdue(due, now, calendar):
        found.append(Alarm(OVERDUE, f"{request.id} was due on {due.isoformat()}"))
    elif due is not None:
        left = (due - day).days
        level = min((days for days in ALARMS if left <= days), default=None)
        if level is not None:
            found.append(Alarm(DUE_IN[level], f"{request.id} is due on {due.isoformat()}"))
    question = next((each for each in open_questions(request) if needs_reminder(each, day)), None)
    if question is not None:
        found.append(Alarm(UNANSWERED, f"{request.id} waits for an answer since {question.asked_on.isoformat()}; remind the person"))
    return tuple(found)


def targets_of(request: SubjectRequest, calendar: Calendar) -> dict[str, date]:
    """Return the internal targets, by what is to be done (DDL-10)."""
    day = request.received_on
    return {
        "acknowledgement": working_day_after(day, ACKNOWLEDGED_IN, calendar),
        "identity": working_day_after(day, IDENTIFIED_IN, calendar),
        "search": day + SEARCHED_IN,
        "draft": day + DRAFTED_IN,
    }


def target_of(request: SubjectRequest, calendar: Calendar) -> date | None:
    """Return the internal target of the step that a request is at; None where it has none (DDL-10)."""
    name = _TARGETS.get(request.state)
    return targets_of(request, calendar)[name] if name is not None else None


def needs_reminder(question: Suspension, day: date) -> bool:
    """Return whether the person is reminded of an open question: from the 30th day on (DDL-08)."""
    return question.answered_on is None and day >= question.asked_on + timedelta(days=REMIND_AFTER)


def was_given_up(question: Suspension, day: date) -> bool:
    """Return whether an open question was left without an answer: after its 90th day (DDL-08)."""
    return question.answered_on is None and day > question.asked_on + timedelta(days=CLOSE_AFTER)


def is_past(moment: datetime | None, days: int, day: date, calendar: Calendar) -> bool:
    """Return whether a term has ended that begins with the civil day of an instant. Its last day is so
    many days later (EXP-17, R-125)."""
    return moment is not None and day > calendar.day(moment) + timedelta(days=days)


def is_past_years(moment: datetime | None, years: int, day: date, calendar: Calendar) -> bool:
    """Return the same for a term in years (ACC-07)."""
    return moment is not None and day > add_years(calendar.day(moment), years)
