"""The transitions of a subject request: identified, suspended, resumed, extended, closed.

Each is the same for everybody, whatever is in the file (IDV-03, SUS-04). Every transition is one row of the
register replaced, with its entry in the ledger: the request, the step, the role and codes, and nothing about
anybody. Source: section 6.5, section 8, ACC-08 to ACC-10, EXP-16."""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from jobs.model.plan import Kind
from jobs.model.request import (
    CANDIDATES,
    COMPILATION,
    CONFIRMED,
    DECISIONS,
    HANDOVER,
    PLAIN_COPY,
    PRESERVED,
    REVIEW_PAGE,
    Extension,
    IdentityCheck,
    RequestApproval,
    SubjectRequest,
    Suspension,
)
from jobs.model.run import ActionState
from jobs.ports.store.ledger import Entry
from jobs.ports.store.store import Store
from jobs.register.dates import is_refusal, open_questions, stops_of
from jobs.register.decision import Decision, decision_of, encoded
from jobs.register.overrides import overrides_of
from jobs.register.request_steps import Actor, authorised, check_role, of_this_crm, save_transition, signed, wrong_state
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.model.requests import IdentityMethod, Mandate, Outcome, RequestState, Right, Step, is_allowed
from rules.rights.deadlines import may_extend, stops_clock

IDENTITY: Final = "identity"
QUESTIONS: Final = (IDENTITY, "scope")
EXTENSIONS: Final = ("complexity", "number")
EXCESSIVE: Final = "RF-08"
CLOCKS_DIFFER: Final = timedelta(minutes=10)


def identify(
    actor: Actor, request_id: str, method: IdentityMethod, *, mandate: Mandate | None = None, child_agrees: bool = False
) -> SubjectRequest:
    """Record how somebody was identified, and for whom they may act. Of the proof, method, day and verifier
    are kept (IDV-02). If nothing is said about the mandate of a person who asks for a child, only evidence in
    a file of the child shows it (RGT-04). Identifying again undoes what was built on the check before it.
    Raises UsageError: a mandate or a child's consent for a request on nobody's behalf."""
    request = authorised(actor, request_id, Step.IDENTIFY)
    if not request.on_behalf and (mandate is not None or child_agrees):
        raise UsageError("this request is for nobody else", hint=hint_to("leave_out_mandate"), where=request.id)
    check = IdentityCheck(method, actor.now, actor.who, mandate, child_agrees)
    changes: dict[str, Any] = {"identity": check, "answer": "", "scope": "", "refusal": "", "approvals": overrides_of(request)}
    changes["resumes_to" if request.state is RequestState.SUSPENDED else "state"] = RequestState.SEARCHING
    told: dict[str, object] = {"method": method.value}
    if request.on_behalf:
        told |= {"mandate": mandate.value if mandate is not None else None, "child_agrees": child_agrees}
    return save_transition(actor, request, changes, Step.IDENTIFY, told, parts={COMPILATION: None, DECISIONS: None, REVIEW_PAGE: None})


def suspend(actor: Actor, request_id: str, reason: str, asked_on: date) -> SubjectRequest:
    """Record a question to the person. It stops the clock if it was asked in time (DDL-07, R-137); a later
    one is recorded, and the request continues. Others may be open: days that several of them share count
    once. Raises UsageError: an invalid reason, or a day before the receipt or in the future; Refused: this
    question is open, and one answer to it would leave the clock standing."""
    request = authorised(actor, request_id, Step.SUSPEND)
    _one_of(reason, QUESTIONS)
    _between(asked_on, request.received_on, actor.today, "asked_on", "the receipt")
    if any((each.reason, each.asked_on) == (reason, asked_on) for each in open_questions(request)):
        hint = "record the answer once it comes; another question has another reason or day"
        raise Refused("this question is recorded already, and still open", hint=hint, where=request.id, code="asked_before")
    counts = stops_clock(request.received_on, asked_on, actor.calendar)
    changes: dict[str, Any] = {"suspensions": (*request.suspensions, Suspension(reason, asked_on, counts))}
    if counts and request.state is not RequestState.SUSPENDED:
        changes |= {"state": RequestState.SUSPENDED, "resumes_to": request.state}
    return save_transition(actor, request, changes, Step.SUSPEND, {"reason": reason, "asked_on": asked_on.isoformat(), "counts": counts})


def resume(actor: Actor, request_id: str, answered_on: date, *, reason: str = "") -> SubjectRequest:
    """Record the day on which the person answered; the due date moves by the days in between (DDL-07, R-136).

    A person who was asked who they are, and is not identified yet, is being identified from then on. Of
    several open questions the oldest is the one that was answered, or the oldest for this `reason`; the clock
    is paused until the last of those that stop it has its answer. Raises UsageError: an invalid reason, or a
    day before the question or in the future; Refused: no such question is open."""
    check_role(actor, Step.RESUME)
    request = of_this_crm(actor, request_id, Step.RESUME)
    if reason:
        _one_of(reason, QUESTIONS)
    questions = open_questions(request)
    question = next((each for each in questions if reason in ("", each.reason)), None)
    if question is None and questions:
        asked = ", ".join(sorted({each.reason for each in questions}))
        raise Refused(f"no question about {reason} is open", hint=f"what is open is about {asked}", where=request.id, code="state")
    if question is None or request.is_answered:
        raise wrong_state(request, Step.RESUME)
    _between(answered_on, question.asked_on, actor.today, "answered_on", "the question")
    answered = msgspec.structs.replace(question, answered_on=answered_on)
    changes: dict[str, Any] = {"suspensions": tuple(answered if each is question else each for each in request.suspensions)}
    state = (request.resumes_to or RequestState.RECEIVED) if request.state is RequestState.SUSPENDED else request.state
    if state is RequestState.RECEIVED and question.reason == IDENTITY:
        state = RequestState.IDENTIFYING  # an answer has come in, and somebody has to look whether it is enough
    if any(each.counts for each in questions if each is not question):
        changes |= {"state": RequestState.SUSPENDED, "resumes_to": state}
    else:
        changes |= {"state": state, "resumes_to": None}
    return save_transition(actor, request, changes, Step.RESUME, {"answered_on": answered_on.isoformat()})


def extend(actor: Actor, request_id: str, reason: str, notified_at: datetime) -> SubjectRequest:
    """Add two months, of which the person was notified in time (DDL-06, R-134).

    Once it is known who the person is, only for an answer that gives data: asking for more time would reveal
    that there is something to read (SUS-04, R-105, R-114). Why it is refused is not stated. Raises
    UsageError: an invalid reason, or an instant in the future; Refused: EXTENSION_TOO_LATE (R-135), a second
    extension (R-139), or an answer that may have none."""
    request = authorised(actor, request_id, Step.EXTEND)
    _one_of(reason, EXTENSIONS)
    if request.extension is not None:
        raise Refused("a request is extended once", hint="the due date stands (DDL-06)", where=request.id, code="extended")
    if is_refusal(request) or (request.answer != "package" and actor.store.requests.part(request.id, CONFIRMED) is not None):
        hint = "an extension is for an answer that is compiled and gives data (DDL-09)"
        raise Refused("this request cannot be extended", hint=hint, where=request.id, code="no_extension")
    if not may_extend(request.received_on, notified_at, stops=stops_of(request), calendar=actor.calendar):
        hint = "the person had to be told by the end of the due date, which stands (DDL-06)"
        raise Refused("EXTENSION_TOO_LATE: the notice came after the due date", hint=hint, where=request.id, code="EXTENSION_TOO_LATE")
    if actor.calendar.day(notified_at) < request.received_on or notified_at > actor.now + CLOCKS_DIFFER:
        raise UsageError(
            "the notice lies before the receipt or in the future", hint="give the day on which the person was told", field="notified_at"
        )
    told: dict[str, object] = {"reason": reason, "notified_at": notified_at.isoformat()}
    return save_transition(actor, request, {"extension": Extension(reason, notified_at)}, Step.EXTEND, told)


def close(actor: Actor, request_id: str, outcome: str) -> SubjectRequest:
    """Close a request with the code of its outcome (ACC-08). What leads to files is removed at once, the rest
    when its time has come. `outcome` is a code, a refusal with its text code: `REFUSED:RF-08`.

    WITHDRAWN also ends what was granted and waits, released or closed: the person does not want it any more.

    Raises:
        UsageError: an invalid code.
        Refused: with code `outcome`, if the code says something else than what has happened; with code
            `another_run`, if a run that was cut off has begun to carry it out."""
    check_role(actor, Step.CLOSE)
    request = of_this_crm(actor, request_id, Step.CLOSE)
    decision = decision_of(actor.store, request.id) if request.is_answered else None
    if decision is not None and decision.tasks and outcome == Outcome.WITHDRAWN:
        return _call_back(actor, request, decision)
    if not is_allowed(Step.CLOSE, request.state):
        raise wrong_state(request, Step.CLOSE)
    code, refusal = read_outcome(outcome)
    fitting = outcomes_of(request)
    if request.state is RequestState.RELEASED and not refusal:
        refusal = request.refusal
    elif code is Outcome.REFUSED and not refusal:
        raise UsageError("which refusal it is must be said", hint="for example REFUSED:RF-08", field="outcome")
    if _written(code, refusal) not in fitting:
        hint = f"what fits: {', '.join(fitting)}"
        raise Refused(f"{code.value} is not how this request ended", hint=hint, where=request.id, code="outcome")
    if code is Outcome.NOT_IDENTIFIED:
        refusal = "RF-01"
    closed, entry = closing(actor.store, request, code, refusal, actor.now)
    actor.store.requests.save(closed, [signed(entry, actor)], since=request, parts=parts_at_closing(closed), told=PRESERVED)
    return closed


def _call_back(actor: Actor, request: SubjectRequest, decision: Decision) -> SubjectRequest:
    """End what was granted and has not been done. Where nothing had been, that is how a request ends that is
    still to be closed; what was done stays done."""
    store = actor.store
    runs = [store.runs.of_plan(plan.id) for plan in store.plans.newest([Kind.REQUEST]) if plan.request == request.id]
    if any(run is not None and not run.is_over for run in runs):
        message = "a run that carries it out was cut off, and nothing but going on makes whole what it has begun"
        raise Refused(message, hint=hint_to("run_requests"), where=request.id, code="another_run")
    gone = {action.id for run in runs if run is not None for action in store.journal.of_run(run.id, [ActionState.DONE])}
    done = [task for task in decision.tasks if task.id in gone]  # by a run that has ended and is not noted here yet
    before = decision.without(done, actor.today) if done else decision
    after = before.lapsed(actor.today)
    parts: dict[str, bytes | None] = {DECISIONS: encoded(after)}
    if request.is_closed:
        called_back = msgspec.structs.replace(request, transitions=request.transitions + 1)
        told = {"request": request.id, "step": "withdraw"}
        store.requests.save(called_back, [signed(("request", told), actor)], since=request, parts=parts)
        return called_back
    outcome = request.outcome if before.has_done_something and request.outcome is not None else Outcome.WITHDRAWN
    closed, entry = closing(store, request, outcome, request.refusal, actor.now)
    store.requests.save(closed, [signed(entry, actor)], since=request, parts=parts_at_closing(closed) | parts, told=PRESERVED)
    return closed


def closing(store: Store, request: SubjectRequest, outcome: Outcome, refusal: str, now: datetime) -> tuple[SubjectRequest, Entry]:
    """Return the closed row and its entry.

    Which rule people set aside is not kept where it would reveal a suspicion (SUS-02, SUS-07). The entry says
    whether the request continues to keep what it kept, as everyone's does for whom it was looked up, found or
    not. By the digest of the sealed part it says which one that is: removing that part from the database, or
    putting an older one in its place, is noticed (`jobs/checks/ledger_drift.py`), and the digest reveals
    nothing to anybody."""
    approvals = tuple(kept for approval in request.approvals if (kept := _kept_approval(approval, outcome)) is not None)
    closed = msgspec.structs.replace(
        request, state=RequestState.CLOSED, resumes_to=None, outcome=outcome, refusal=refusal, closed_at=now, approvals=approvals
    )
    told = {"request": request.id, "step": Step.CLOSE.value, "outcome": outcome.value, "refusal": refusal}
    return closed, ("request", told | {"keeps": store.requests.has_part(request.id, PRESERVED)})


def parts_at_closing(request: SubjectRequest) -> dict[str, bytes | None]:
    """Return what is removed when a request is closed. That is all that leads to files, and working copies of
    what was never delivered (ACC-08)."""
    gone = [CANDIDATES, CONFIRMED, HANDOVER, REVIEW_PAGE]
    return dict.fromkeys(gone if request.released_at is not None else [*gone, COMPILATION, DECISIONS, PLAIN_COPY])


def renew(actor: Actor, request_id: str) -> SubjectRequest:
    """Let the link of a released answer be used as often as at first, until the day on which it ends. A
    download that a proxy took whole and did not pass on has counted (EXP-16). Raises Refused: with code
    `state`, if nothing was released; with code `gone`, if the link has ended or was withdrawn."""
    request = authorised(actor, request_id, Step.RENEW)
    if request.released_at is None:
        raise Refused("nothing was released for this request", where=request.id, code="state")
    if not request.link or request.link_until is None or actor.now >= request.link_until:
        raise Refused("the link has ended or was withdrawn", hint="hand the archive over in another way", where=request.id, code="gone")
    told = {"downloads": len(request.downloads)}
    return save_transition(actor, request, {"renewals": (*request.renewals, actor.now)}, Step.RENEW, told)


def read_outcome(text: str) -> tuple[Outcome, str]:
    """Read an outcome as it is typed: a code, or `REFUSED:RF-nn`. Raises UsageError: it is none; RF-00 is
    what a neutral answer says, and is never chosen."""
    code, _, refusal = text.replace("+", ":").replace(" ", ":").partition(":")
    if code not in {each.value for each in Outcome}:
        raise UsageError("there is no such outcome", hint=f"one of: {', '.join(Outcome)}; a refusal as REFUSED:RF-08", field="outcome")
    outcome = Outcome(code)
    if refusal and (outcome is not Outcome.REFUSED or not re.fullmatch(r"RF-(?:0[1-9]|10)", refusal)):
        raise UsageError("RF-01 to RF-10 go with REFUSED", hint="for example REFUSED:RF-08", field="outcome")
    return outcome, refusal


def outcomes_of(request: SubjectRequest) -> tuple[str, ...]:
    """Return how a request may be closed now, as it is typed: as it was released, else without an answer.

    A refusal that is told without one having been prepared is of somebody who was not identified (RF-01), who
    may not act for a child (RF-07), or who asks for too much (RF-08: nobody is ever asked for a fee, RGT-02);
    every other one is decided and released. Access is not decided about: that too much is asked may be seen
    once it was compiled, and is said then too, whatever the answer was (SUS-04)."""
    if request.state is RequestState.RELEASED:
        return (_written(request.outcome, request.refusal),) if request.outcome is not None else ()
    found = [(Outcome.WITHDRAWN, "")]
    if request.identity is None:
        found += [(Outcome.NOT_IDENTIFIED, ""), (Outcome.REFUSED, "RF-01")]
    if request.on_behalf:
        found += [(Outcome.MANDATE_LAPSED, ""), (Outcome.REFUSED, "RF-07")]
    if request.outcome is not Outcome.MANDATE_LAPSED:  # nobody is told anything of the child then (RGT-07)
        found += [(Outcome.REFUSED, EXCESSIVE)]
    after = (EXCESSIVE,) if request.right is Right.ACCESS else ()
    return tuple(
        _written(code, refusal) for code, refusal in found if code is not Outcome.REFUSED or not request.answer or refusal in after
    )


def _written(code: Outcome, refusal: str) -> str:
    return f"{code.value}:{refusal}" if refusal else code.value


def _kept_approval(approval: RequestApproval, outcome: Outcome) -> RequestApproval | None:
    if approval.step != "override":
        return approval
    if outcome is Outcome.NEUTRAL:
        return None
    return msgspec.structs.replace(approval, rule="", reason="") if approval.rule.startswith("SUS-") else approval


def _one_of(reason: str, reasons: Collection[str]) -> None:
    if reason not in reasons:
        raise UsageError("this reason is unknown", hint=f"one of: {', '.join(reasons)}", field="reason")


def _between(day: date, first: date, last: date, field: str, what: str) -> None:
    if not first <= day <= last:
        raise UsageError(f"the day lies before {what} or in the future", hint="write it as 2026-11-25", field=field)
