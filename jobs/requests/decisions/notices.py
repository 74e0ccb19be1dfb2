"""The notices of a granted request: which recipients are still to be notified, and the outcome for each (GDPR
art. 19, ERA-14). Who they are is looked up in notice_recipients.py; the letter is
crm_compliance/answer_package/content/notice.py.

A request that is neutral or refused has none, and everything here answers for it as for somebody of whom
nothing was passed on (SUS-04, SUS-07). The ledger has the request, the number of a notice and a code, and
never who the recipient is."""

from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

import msgspec

from jobs.model.plan import Alarm
from jobs.model.request import DECISIONS, SubjectRequest
from jobs.ports.store.store import Store
from jobs.register.decision import Decision, Notice, NoticeState, NotTold, decision_of, encoded
from jobs.register.request_steps import Actor, authorised, save_transition, signed
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.model.requests import Step

NOTICE_DUE: Final = "NOTICE_DUE"
REMIND_AFTER: Final = timedelta(days=14)
TOLD: Final = "TOLD"


def notices_of(store: Store, request: SubjectRequest) -> tuple[Notice, ...]:
    """Return the notices of a request in the order of their numbers, which begin at 1."""
    decision = _decided(store, request)
    return decision.notices if decision is not None else ()


def counts_of(store: Store, request: SubjectRequest) -> dict[str, int]:
    """Return how many notices are in each state; empty where there is none."""
    counts = Counter(notice.state for notice in notices_of(store, request))
    return {state.value: counts[state] for state in NoticeState} if counts else {}


def reminder_of(store: Store, request: SubjectRequest, day: date) -> Alarm | None:
    """Return the alarm of a request of which recipients have been due for more than fourteen days."""
    due = [one.due_on for one in notices_of(store, request) if one.is_open and one.due_on is not None]
    late = [since for since in due if day > since + REMIND_AFTER]
    if not late:
        return None
    return Alarm(NOTICE_DUE, f"{request.id}: recipients to be told: {len(late)}, the first of them since {min(late).isoformat()}")


def listed(actor: Actor, request_id: str) -> tuple[SubjectRequest, Decision | None]:
    """Return the request with what its notices are about; None where there are none. For the DPO alone.
    Raises UsageError: an unknown request; Refused: another role, which is recorded."""
    request = authorised(actor, request_id, Step.NOTIFY)
    decision = _decided(actor.store, request)
    return request, decision if decision is not None and decision.notices else None


def due_in(decision: Decision | None) -> dict[int, Notice]:
    """Return the notices that are due, by number. Raises Refused: with code `not_found`, where a letter could
    not state which data it is about."""
    if decision is None:
        return {}
    due = {number: one for number, one in enumerate(decision.notices, 1) if one.state is NoticeState.DUE}
    lost = [str(number) for number, one in due.items() if not (decision.known if one.is_named else one.can_be_found)]
    if lost:
        hint = hint_to("record_not_told")
        raise Refused(f"nothing says which data these notices are about: {', '.join(lost)}", hint=hint, code="not_found")
    return due


def record_letters(actor: Actor, request: SubjectRequest, numbers: Collection[int]) -> None:
    """Write down for which notices letters are made, before they are."""
    actor.store.ledger.append([signed(("request", {"request": request.id, "step": Step.NOTIFY.value, "letters": sorted(numbers)}), actor)])


def told(actor: Actor, request_id: str, number: int, on: date) -> tuple[Notice, ...]:
    """Record that a recipient was notified on a day. Recording again replaces what was recorded before; the
    ledger keeps both. Raises UsageError: there is no such notice, or the day is in the future, or before what
    it reports was done; Refused: another role, it has not been done yet, or, with code `changed`, somebody
    takes another step at this instant."""
    request, decision, notice = _due(actor, request_id, number)
    if notice.due_on is None or not notice.due_on <= on <= actor.today:
        message = "the day lies in the future, or before that on which it was done"
        raise UsageError(message, hint=f"a day from {notice.due_on} on", field="on")
    return _ended(actor, request, decision, number, msgspec.structs.replace(notice, told_on=on, not_told=None), TOLD, on)


def not_told(actor: Actor, request_id: str, number: int, reason: NotTold) -> tuple[Notice, ...]:
    """Record why a recipient is not notified: it is impossible, or would take a disproportionate effort (art.
    19). Raises UsageError: there is no such notice; Refused: another role, what it reports has not been done
    yet, or, with code `changed`, somebody takes another step at this instant."""
    request, decision, notice = _due(actor, request_id, number)
    ended = msgspec.structs.replace(notice, told_on=None, not_told=reason)
    return _ended(actor, request, decision, number, ended, reason.value, actor.today)


def _decided(store: Store, request: SubjectRequest) -> Decision | None:
    return decision_of(store, request.id) if request.answer != "neutral" else None


def _due(actor: Actor, request_id: str, number: int) -> tuple[SubjectRequest, Decision, Notice]:
    """Return the request, decision and notice of a number, once what it reports has been done."""
    request, decision = listed(actor, request_id)
    if decision is None or not 1 <= number <= len(decision.notices):
        raise UsageError(
            f"there is no notice {number}", hint=hint_to("show_notices", request=request.id), where=request.id, code="not_found"
        )
    notice = decision.notices[number - 1]
    if notice.state is NoticeState.WAITING:
        hint = hint_to("tell_when_done")
        raise Refused(f"what notice {number} tells of has not been done yet", hint=hint, where=request.id, code="waiting")
    return request, decision, notice


def _ended(
    actor: Actor, request: SubjectRequest, decision: Decision, number: int, notice: Notice, code: str, on: date
) -> tuple[Notice, ...]:
    notices = (*decision.notices[: number - 1], notice, *decision.notices[number:])
    after = encoded(msgspec.structs.replace(decision, notices=notices))
    save_transition(actor, request, {}, Step.NOTIFY, {"notice": number, "code": code, "on": on.isoformat()}, parts={DECISIONS: after})
    return notices
