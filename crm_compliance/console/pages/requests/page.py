"""One request on one page: where it stands, what comes next and until when, what happened."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, NamedTuple

from starlette.responses import Response

from crm_compliance.answer_package.content.refusal import refusal_to_write
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.console.frame.errors import nothing_here, status_of
from crm_compliance.console.frame.services import Services
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.requests.evidence import places_of, seen_of
from crm_compliance.console.pages.requests.next_step import next_of, path_of
from crm_compliance.console.pages.review.views import field_words, number_of, value_words
from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.requests.register import LOOKED_AT, SUSPICION
from jobs.model.answer import Compilation, Item
from jobs.model.plan import Kind
from jobs.model.request import GIVEN, HANDOVER, Handover, SubjectRequest
from jobs.model.run import Run
from jobs.ports.store.store import Store
from jobs.register.answer_blocks import blocks_of
from jobs.register.dates import alarms_of, days_left, due_of, has_gone_overdue, open_questions, targets_of
from jobs.register.decision import NoticeState, NotTold, decision_of, waits_for
from jobs.register.misdelivery import notify_by
from jobs.register.overrides import OVERRIDABLE, SUSPICION_ENDED, waits_for_look
from jobs.register.transitions import EXTENSIONS, QUESTIONS, outcomes_of
from jobs.requests.answer.compile import compilation_of
from jobs.requests.answer.download_link import TIMES
from jobs.requests.decisions.decide import refusals_of
from jobs.requests.decisions.notices import notices_of
from rules.decoders import decoder_of
from rules.errors import ComplianceError, UsageError
from rules.model.requests import ANSWERED, COPIES, IdentityMethod, Mandate, Outcome, Right, Step, is_allowed
from rules.model.roles import Act


class Event(NamedTuple):
    """Something that happened to a request; `tone` is that of the timeline."""

    at: datetime | None
    day: str  # where only a day is known
    text: str
    tone: str = ""


def show(visit: Visit) -> Response:
    """Show the request. What went on for it and has ended badly is told once, to who began it, while they act
    in a role that is told of answers."""
    request, work = visit.path("request"), visit.services.background.of(visit.path("request"))
    error: ComplianceError | None = None
    counts = None
    if work is not None and work.is_over and work.who == visit.person.who and visit.may(Act.SEE_ANSWER):
        visit.services.background.forget(work)
        error, counts = work.error, work.found
    try:
        return shown(visit, request, error, status=200, counts=counts)
    except UsageError:
        return nothing_here(visit)


def work(visit: Visit) -> Response:
    """Return whether the work in progress for a request has ended: htmx asks every few seconds."""
    found = visit.services.background.of(visit.path("request"))
    if found is not None and not found.is_over:
        return visit.part("requests/work.html.j2", work=found, id=found.subject)
    note = found.note if found is not None and found.who == visit.person.who else ""
    return visit.see(f"/requests/{visit.path('request')}", note=note)


def shown(visit: Visit, request_id: str, error: ComplianceError | None = None, *, status: int = 0, counts: Any = None) -> Response:
    """Answer with the page of a request, and with what was not possible above it. Raises UsageError: there is
    no such request, or it is refused for the role."""
    if error is not None and error.code == "role":
        raise error
    services = visit.services
    request = services.listed.requests.get(request_id)
    handles = visit.may(Act.HANDLE_REQUEST)
    compilation = compilation_of(services.store, request.id) if handles else None
    work = services.background.of(request.id)
    sees_looks = request.state in ANSWERED and visit.may(Act.SET_RULE_ASIDE)
    looks = waits_for_look(decision_of(services.store, request.id)) if sees_looks else False
    values: dict[str, Any] = {
        "request": request,
        "since": request.version,
        "work": work if work is not None and not work.is_over else None,
        "path_steps": path_of(visit, request),
        "next": next_of(visit, request, compilation),
        "handles": handles,
        "sees_answer": visit.may(Act.SEE_ANSWER),
        "counts": counts,
        "places": places_of(counts["not_searched"]) if counts is not None else (),
        "timeline": list(_events(visit, request)),
        "can": _allowed(request, looks=looks),
        "looks": looks,
        # Whether anything waits or not: while a suspicion lasts nothing tells that something does (SUS-07).
        "calls_back": handles and request.released_at and request.outcome is not Outcome.REFUSED and request.right not in COPIES,
        "today": services.calendar.day(visit.now),
        **_dates(visit, request),
        **_choices(request, looks=looks),
    }
    blocks = blocks_of(services.store, request) if visit.may(Act.SEE_ANSWER) or not request.is_closed else ()
    values["blocks"] = sorted({LOOKED_AT if code.startswith(SUSPICION) else code for code in blocks})
    if handles:
        values["waits_for"] = waits_for(services.store, request)
        values["to_write"] = _to_write(services, request)
        values |= _working_area(visit, request, compilation)
    values["handover"] = handover_of(visit, request)
    values["links_stay_here"] = services.settings.links_stay_here
    if error is None:
        return visit.page("requests/show.html.j2", **values)
    values["wrong"] = visit.told(error, "refused", "block", "error")
    return visit.page("requests/show.html.j2", status=status or status_of(error), **values)


def _to_write(services: Services, request: SubjectRequest) -> str:
    """Return what the person has to be written, as long as it is known to whom; nothing where the file of the
    organisation cannot be used, rather than in another one's name."""
    if not request.refusal or not services.store.requests.has_part(request.id, GIVEN):
        return ""
    try:
        return refusal_to_write(request, organisation_of(services.settings).under(services.policy()))
    except ComplianceError:
        return ""


def handover_of(visit: Visit, request: SubjectRequest) -> Handover | None:
    """Return what is to be passed on, for who releases answers; None once that was done. What a release that
    was cut off has left belongs to no archive."""
    is_theirs = request.released_at is not None and visit.may(Act.RELEASE_ANSWER)
    part = visit.services.store.requests.part(request.id, HANDOVER) if is_theirs else None
    return decoder_of(Handover).decode(part) if part is not None else None


def _dates(visit: Visit, request: SubjectRequest) -> Mapping[str, Any]:
    calendar = visit.services.calendar
    questions = open_questions(request) if not request.is_answered else ()
    return {
        "due": due_of(request, calendar),
        "left": days_left(request, visit.now, calendar),
        "is_overdue": has_gone_overdue(request, visit.now, calendar),
        "targets": list(targets_of(request, calendar).items()),
        "alarms": [alarm.code for alarm in alarms_of(request, visit.now, calendar)],
        "questions": questions,
        "notify_by": notify_by(request),
        "has_link": bool(request.link) and request.link_until is not None and visit.now < request.link_until,
        "link_times": TIMES,
        "hour": timedelta(hours=1),
    }


def _allowed(request: SubjectRequest, *, looks: bool) -> Mapping[str, bool]:
    """Return which steps the request takes now; once a mandate has ended nothing is decided (RGT-07)."""
    can = {step.value: is_allowed(step, request.state) for step in Step}
    if request.outcome is Outcome.MANDATE_LAPSED:
        can[Step.DECIDE.value] = False
    return can | ({"override": looks} if request.state in ANSWERED else {})


def _choices(request: SubjectRequest, *, looks: bool) -> Mapping[str, Any]:
    """Return what the forms offer."""
    return {
        "methods": [method.value for method in IdentityMethod],
        "mandates": [mandate.value for mandate in Mandate],
        "question_kinds": QUESTIONS,
        "extension_kinds": EXTENSIONS,
        "outcomes": outcomes_of(request),
        "rules": [SUSPICION_ENDED] if looks else list(OVERRIDABLE),
        "refusals": refusals_of(request),
        "is_copy": request.right in COPIES,
    }


def _working_area(visit: Visit, request: SubjectRequest, compilation: Compilation | None) -> Mapping[str, Any]:
    """Return what is known of the person, for who handles requests alone."""
    services, store = visit.services, visit.services.store
    notices = list(enumerate(notices_of(store, request), 1))
    return {
        "seen": seen_of(visit, request),
        "compilation": compilation,
        "notices": notices,
        "notices_due": [number for number, each in notices if each.state is NoticeState.DUE],
        "letter_languages": services.organisation.languages,
        "not_told_codes": [each.value for each in NotTold],
        "items": compilation.items if compilation is not None and request.right not in COPIES else (),
        "numbers": {each.key: number_of(each, compilation.items) for each in compilation.contexts} if compilation is not None else {},
        "is_held": request.released_at is not None and store.requests.has_part(request.id, HANDOVER),
        "item_link": lambda item: safe_link(services.link(request.crm or services.settings.crm_url or "", *item.source)),
        "about_item": _about_items(visit, compilation),
        "fields_of": lambda item: fields_of(visit, compilation, item) if compilation is not None else (),
        "crm_link": visit.services.links(request.crm or visit.services.settings.crm_url or ""),
        "carried_out": _carried_out(store, request, compilation) if compilation is not None else None,
    }


def _carried_out(store: Store, request: SubjectRequest, compilation: Compilation) -> list[Run] | None:
    """Return the runs that have carried out what was granted, the newest first; None where none does: what is
    no erasure is written without a plan, nothing is before the release, and what waits is told as that."""
    waits = {*compilation.held, *compilation.delayed}
    if request.right is not Right.ERASURE or request.released_at is None or not {*compilation.granted} - waits:
        return None
    plans = takewhile(lambda plan: plan.created_at >= request.received_at, store.plans.newest((Kind.REQUEST,)))
    runs = (store.runs.of_plan(plan.id) for plan in plans if plan.request == request.id)
    return [run for run in runs if run is not None]


def _about_items(visit: Visit, compilation: Compilation | None) -> dict[str, str]:
    """Return what each item is part of, in words: the category of its file."""
    if compilation is None:
        return {}
    labels: dict[object, str] = {}
    for each in compilation.contexts:
        labels[each.key] = labels[each.source] = each.category_labels.get(visit.language) or each.category_labels.get("en", "")
    return {item.item: labels.get(item.context) or labels.get(item.source, "") for item in compilation.items}


def fields_of(visit: Visit, compilation: Compilation, item: Item) -> list[tuple[str, str]]:
    """Return what an item says that is not empty, as the letter calls it."""
    said = ((field_words(visit, compilation, item, each), value_words(visit, each)) for each in item.fields)
    return [(name, value) for name, value in said if value]


def _events(visit: Visit, request: SubjectRequest) -> Iterator[Event]:
    """Yield what happened, the first first: as the register keeps it, the same for every answer (SUS-07)."""
    calendar = visit.services.calendar
    yield from sorted(_unsorted(visit, request), key=lambda each: calendar.day(each.at).isoformat() if each.at is not None else each.day)


def _unsorted(visit: Visit, request: SubjectRequest) -> Iterator[Event]:
    say, word = visit.say, visit.word
    yield Event(request.received_at, "", say("Received: %s") % word("channel", request.channel), "info")
    if request.identity is not None:
        yield Event(request.identity.at, "", say("Identified: %s") % word("method", request.identity.method), "good")
    for each in request.suspensions:
        text = say("Asked: %s") if each.counts else say("Asked too late to stop the clock: %s")
        yield Event(None, each.asked_on.isoformat(), text % word("question", each.reason), "warn")
        if each.reminded_on is not None:
            yield Event(None, each.reminded_on.isoformat(), say("A reminder is due"), "warn")
        if each.answered_on is not None:
            yield Event(None, each.answered_on.isoformat(), say("Answered: %s") % word("question", each.reason), "info")
    if request.extension is not None:
        text = say("Two months were added: %s") % word("extension", request.extension.reason)
        yield Event(request.extension.notified_at, "", text)
    for given in request.approvals:
        if given.step == "content":
            yield Event(given.at, "", say("The content was approved by %s") % visit.called(given.who), "good")
        elif given.step == "release":
            yield Event(given.at, "", say("Released by %s") % visit.called(given.who), "good")
    for number, at in enumerate(request.downloads, 1):
        yield Event(at, "", say("Downloaded, time %s") % visit.formats.number(number))
    yield from (Event(at, "", say("The link was renewed")) for at in request.renewals)
    if request.misdelivered_at is not None:
        yield Event(request.misdelivered_at, "", say("It reached the wrong person; the link is dead"), "bad")
    if request.closed_at is not None:
        outcome = word("request_outcome", request.outcome.value) if request.outcome is not None else ""
        yield Event(request.closed_at, "", say("Closed: %s") % outcome, "good")
    if not request.is_answered and (due := due_of(request, visit.services.calendar)) is not None:
        is_late = has_gone_overdue(request, visit.now, visit.services.calendar)
        yield Event(None, due.isoformat(), say("Last day for the answer"), "bad" if is_late else "warn")
