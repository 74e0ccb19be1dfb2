"""Request maintenance by date: reminders, requests that nobody answers any more, and what has expired.
Nothing here queries the CRM, so nothing stays longer because the CRM cannot be reached. Every step may be
done again. Source: DDL-08, ACC-07, ACC-08, EXP-17, HLD-08, R-125."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime

import msgspec

from jobs.checks.drift.references import References
from jobs.model.hold_query import HoldList, HoldQuery
from jobs.model.request import (
    CANDIDATES,
    COMPILATION,
    CONFIRMED,
    DECISIONS,
    GIVEN,
    HANDOVER,
    PACKAGE,
    PLAIN_COPY,
    PRESERVED,
    REVIEW_PAGE,
    Preserved,
    SubjectRequest,
)
from jobs.ports.store.store import Store
from jobs.register.dates import is_past, is_past_years, needs_reminder, open_questions, was_given_up
from jobs.register.decision import decision_of
from jobs.register.hold_texts import request_code, restate_holds
from jobs.register.transitions import closing, parts_at_closing
from rules.decoders import decoder_of
from rules.errors import Refused
from rules.holds.placements import HoldType
from rules.model.requests import Outcome
from rules.model.roles import SERVICE
from rules.policy.policy import Policy

WORKING_COPIES = (COMPILATION, DECISIONS, HANDOVER, PACKAGE, PLAIN_COPY, REVIEW_PAGE)
SAID_AND_KEPT = frozenset({GIVEN, PRESERVED})


class MaintenanceDone(msgspec.Struct, frozen=True):
    """What was done, by request id: `erased` are parts with their names, `totalled` counts the rows of which
    a yearly total is left."""

    reminded: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    erased: tuple[tuple[str, str], ...] = ()
    totalled: int = 0


def maintain_register(store: Store, policy: Policy, now: datetime, references: References) -> MaintenanceDone:
    """Bring the register up to a moment. A request that somebody changes meanwhile is left for the next time.
    `references` name a request in the holds that were placed for it, the one in use first."""
    restate_holds(store, lambda table, id: references(table, id)[0])
    day = policy.calendar.day(now)
    reminded, closed, erased = [], [], []
    with_part = {name: store.requests.with_part(name) for name in (*WORKING_COPIES, CANDIDATES, CONFIRMED, *SAID_AND_KEPT)}
    for request in store.requests.all():
        try:
            if _is_given_up(request, day):
                request = _give_up(store, request, now)
                closed.append(request.id)
            elif _needs_reminder(request, day):
                request = _remind(store, request, day)
                reminded.append(request.id)
            gone = tuple(_past_their_day(store, request, policy, day, references, with_part))
            if gone:
                told = {"request": request.id, "step": "expire", "role": SERVICE, "parts": list(gone)}
                store.requests.save(request, [("request", told)], since=request, parts=dict.fromkeys(gone))
                erased += [(request.id, name) for name in gone]
        except Refused as error:
            if error.code != "changed":
                raise
    store.requests.destroy_spent_keys()
    return MaintenanceDone(tuple(reminded), tuple(closed), tuple(erased), _total(store, policy, day))


def _is_given_up(request: SubjectRequest, day: date) -> bool:
    """Return whether the question who the person is was left without an answer for too long. The same must
    hold for every question asked since (DDL-08)."""
    questions = open_questions(request)
    return not request.is_answered and request.identity is None and bool(questions) and was_given_up(questions[-1], day)


def _give_up(store: Store, request: SubjectRequest, now: datetime) -> SubjectRequest:
    closed, (kind, data) = closing(store, request, Outcome.NOT_IDENTIFIED, "RF-01", now)
    store.requests.save(closed, [(kind, {**data, "role": SERVICE})], since=request, parts=parts_at_closing(closed), told=PRESERVED)
    return closed


def _needs_reminder(request: SubjectRequest, day: date) -> bool:
    return not request.is_answered and any(each.reminded_on is None and needs_reminder(each, day) for each in request.suspensions)


def _remind(store: Store, request: SubjectRequest, day: date) -> SubjectRequest:
    """Note that a reminder is due; the person who writes it learns it from the alarm."""
    suspensions = tuple(
        msgspec.structs.replace(each, reminded_on=day) if each.reminded_on is None and needs_reminder(each, day) else each
        for each in request.suspensions
    )
    reminded = msgspec.structs.replace(request, suspensions=suspensions)
    store.requests.save(reminded, [("request", {"request": request.id, "step": "remind", "role": SERVICE})], since=request)
    return reminded


def _past_their_day(
    store: Store, request: SubjectRequest, policy: Policy, day: date, references: References, with_part: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Yield the parts that exist and should not any more. `with_part` are the requests that have a part of
    each name: for years after its closing a request has none, and nothing more is asked about it."""
    names: list[str] = []
    calendar = policy.calendar
    if is_past(request.released_at, policy.defaults.package_days, day, calendar) or (request.is_closed and request.released_at is None):
        names += WORKING_COPIES
    if request.is_closed:
        names += [CANDIDATES, CONFIRMED]
        terms = policy.defaults.sealed_days, policy.defaults.request_grace_days
        sealed, preserved = (is_past(request.closed_at, days, day, calendar) for days in terms)
        names += [GIVEN] * sealed + [PRESERVED] * preserved
    names = [name for name in names if request.id in with_part[name] and store.requests.part(request.id, name) is not None]
    kept = {DECISIONS} if DECISIONS in names and _is_unfinished(store, request) else set[str]()
    if not SAID_AND_KEPT.isdisjoint(names) and _complaint_follows(store, request, day, references):
        kept |= SAID_AND_KEPT
    yield from (name for name in names if name not in kept)


def _is_unfinished(store: Store, request: SubjectRequest) -> bool:
    """Return whether something granted could not be carried out yet, or somebody is not notified of it yet.
    It stays granted and due, however long that takes (DDL-12, ERA-14)."""
    decision = decision_of(store, request.id) if request.released_at is not None else None
    return decision is not None and decision.is_unfinished


def _complaint_follows(store: Store, request: SubjectRequest, day: date, references: References) -> bool:
    """Return whether a hold for a complaint about the request is in force. It names the request as its
    reason, or is on what the request kept (ACC-08)."""
    part = store.requests.part(request.id, PRESERVED)
    preserved = decoder_of(Preserved).decode(part) if part is not None else None
    kept = {*preserved.contacts, *(row for _, row in preserved.rows)} if preserved is not None else set()
    codes = {request.id, *(request_code(each) for each in references("request", request.id))}
    complaints = store.holds.page(HoldQuery(day, HoldList.IN_FORCE, type=HoldType.COMPLAINT.value)).holds
    return any(hold.row in kept or any(code in hold.reason_code for code in codes) for hold in complaints)


def _total(store: Store, policy: Policy, day: date) -> int:
    """Turn the rows that were closed long enough ago into yearly totals (ACC-07)."""
    years = policy.defaults.register_years
    old = [request for request in store.requests.all() if is_past_years(request.closed_at, years, day, policy.calendar)]
    return store.requests.total(old) if old else 0
