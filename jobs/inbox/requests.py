"""What waits of subject requests: the next step, with the days that are left for the answer; a question that
nobody has answered; recipients who are to be told. Source: DDL-06 to DDL-11, EXP-07, ERA-14, ACC-09.

A neutral answer takes every step, and what waits of it looks the same (SUS-04, SUS-07); how many texts wait
is the DPO's to see."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from jobs.checks.same_crm import is_of_other_crm
from jobs.inbox.item import InboxItem, ItemKind, Stage
from jobs.model.request import DECISIONS, HANDOVER, SubjectRequest
from jobs.ports.store.store import Store
from jobs.register.dates import (
    DUE_IN,
    OPEN_AFTER_RELEASE,
    OVERDUE,
    UNANSWERED,
    alarms_of,
    due_of,
    needs_reminder,
    open_questions,
    target_of,
)
from jobs.register.decision import NoticeState, decision_of
from jobs.register.overrides import looks_given, waits_for_look
from jobs.register.request_steps import next_step
from jobs.requests.answer.compile import compilation_of
from jobs.requests.answer.release_check import CONTENT
from jobs.requests.decisions.notices import NOTICE_DUE, REMIND_AFTER, notices_of
from rules.dates.calendar import Calendar
from rules.hints import hint_to
from rules.model.requests import ANSWERED, COPIES, Outcome, RequestState
from rules.model.roles import Act, roles_of
from rules.rights.deadlines import REMIND_AFTER as REMIND_PERSON_AFTER

DPO: Final = roles_of(Act.HANDLE_REQUEST)
STEP_LATE: Final = "STEP_LATE"
LOOK_AGAIN: Final = "DPO_REVIEW"  # as the register says that a rule about a suspicion stands in the way (SUS-07)


def of_requests(store: Store, now: datetime, calendar: Calendar) -> Iterator[InboxItem]:
    """Yield everything that waits of the register, but for requests of another CRM than the store is open
    for. Of those that are closed only the ones are read of which somebody may have to be told."""
    decided, held = store.requests.with_part(DECISIONS), store.requests.with_part(HANDOVER)
    pending = store.requests.all(unclosed=True)
    closed = store.requests.some(decided.difference(request.id for request in pending))
    for request in (*pending, *closed.values()):
        if is_of_other_crm(store, request.crm):
            continue
        if not request.is_closed:
            yield from _steps(store, request, now, calendar, is_held=request.id in held)
            yield from _questions(request, calendar.day(now))
        if request.id in decided:
            if request.state in ANSWERED:
                yield from _looks(store, request)
            yield from _notices(store, request, calendar.day(now))


def _steps(store: Store, request: SubjectRequest, now: datetime, calendar: Calendar, *, is_held: bool) -> Iterator[InboxItem]:
    """Yield the next step of a request. While the clock is paused the person's answer is waited for.

    `is_held`: link and passphrase are still to be handed over. Closing would remove them, so that does not
    wait yet; the DPO hears of it too, who answers for the date."""
    item = partial(InboxItem, subject=request.id, facts={"right": request.right.value, "state": request.state.value})
    due_on, day, hint = due_of(request, calendar), calendar.day(now), next_step(request)
    if request.state is RequestState.RELEASED and is_held:  # nobody has the answer yet, so its date still counts
        stage = Stage.OVERDUE if due_on is not None and day > due_on else Stage.WAITS
        roles = (*roles_of(Act.RELEASE_ANSWER), *DPO)
        yield item(kind=ItemKind.ANSWER_TO_HAND_OVER, roles=roles, stage=stage, since=request.released_at, due_on=due_on)
        return
    if request.state is RequestState.RELEASED:
        yield item(kind=ItemKind.REQUEST_TO_CLOSE, roles=DPO, code=OPEN_AFTER_RELEASE, since=request.released_at, hint=hint)
        return
    if request.state is RequestState.SUSPENDED:
        return
    codes = [alarm.code for alarm in alarms_of(request, now, calendar)]
    code = next((each for each in codes if each == OVERDUE or each in DUE_IN.values()), "")
    target = target_of(request, calendar)
    if not code and target is not None and day > target:
        code = STEP_LATE
    item = partial(item, code=code, due_on=due_on, hint=hint)
    stage = Stage.OVERDUE if code == OVERDUE else Stage.SOON if code else Stage.WAITS
    is_approved = request.state is RequestState.APPROVED
    if is_approved:
        approvals = [approval for approval in request.approvals if approval.step == CONTENT]
        since, not_for = next((each.at for each in approvals), None), tuple(each.who for each in approvals)
        roles = roles_of(Act.RELEASE_ANSWER)
        yield item(kind=ItemKind.ANSWER_TO_RELEASE, roles=roles, stage=stage, since=since, not_for=not_for)
    if not is_approved or stage is not Stage.WAITS:  # the DPO answers for the date, whoever is to act
        is_review = request.state is RequestState.REVIEWING and request.right in COPIES and request.outcome is not Outcome.MANDATE_LAPSED
        kind, count = (ItemKind.ANSWER_TO_REVIEW, _pending(store, request)) if is_review else (ItemKind.REQUEST_STEP, None)
        yield item(kind=kind, roles=DPO, stage=stage, since=request.received_at, count=count)


def _pending(store: Store, request: SubjectRequest) -> int:
    """Return how many texts of the answer wait for a person's decision (EXP-07)."""
    compilation = compilation_of(store, request.id) if request.answer != "neutral" else None
    return compilation.pending if compilation is not None else 0


def _questions(request: SubjectRequest, day: date) -> Iterator[InboxItem]:
    """Yield the oldest question of which the person is to be reminded (DDL-08)."""
    question = next((each for each in open_questions(request) if not request.is_answered and needs_reminder(each, day)), None)
    if question is not None:
        due = question.asked_on + timedelta(days=REMIND_PERSON_AFTER)
        facts = {"right": request.right.value, "asked_on": question.asked_on.isoformat()}
        hint = hint_to("next_resume", request=request.id)
        yield InboxItem(
            kind=ItemKind.QUESTION_UNANSWERED,
            roles=DPO,
            subject=request.id,
            code=UNANSWERED,
            stage=Stage.OVERDUE if day > due else Stage.SOON,
            due_on=due,
            facts=facts,
            hint=hint,
        )


def _looks(store: Store, request: SubjectRequest) -> Iterator[InboxItem]:
    """Yield that something granted waits, after the release, until two people have looked (SUS-08)."""
    decision = decision_of(store, request.id)
    if decision is not None and waits_for_look(decision):
        given = looks_given(decision)
        yield InboxItem(
            kind=ItemKind.REQUEST_STEP,
            roles=roles_of(Act.SET_RULE_ASIDE) if given else DPO,
            subject=request.id,
            code=LOOK_AGAIN,
            not_for=tuple(approval.who for approval in given),
            facts={"right": request.right.value, "state": request.state.value},
            hint=hint_to("override_look", request=request.id),
        )


def _notices(store: Store, request: SubjectRequest, day: date) -> Iterator[InboxItem]:
    """Yield that recipients are to be told, of a request that is closed too (GDPR art. 19)."""
    days = [one.due_on for one in notices_of(store, request) if one.state is NoticeState.DUE and one.due_on is not None]
    if not days:
        return
    due = min(days) + REMIND_AFTER
    is_late = day > due
    yield InboxItem(
        kind=ItemKind.NOTICES_TO_GIVE,
        roles=DPO,
        subject=request.id,
        code=NOTICE_DUE if is_late else "",
        stage=Stage.OVERDUE if is_late else Stage.WAITS,
        due_on=due,
        count=len(days),
        hint=hint_to("show_notices", request=request.id),
    )
