"""Rights other than access: what is granted, item by item, or refused; and the recipients who are told."""

from __future__ import annotations

import io
import zipfile

from starlette.responses import Response

from crm_compliance.answer_package.notice_letters import letters_of
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.console.access.headers import saved_as
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.requests.page import shown
from crm_compliance.console.pages.requests.take_step import actor_of, done_at_desk, moved
from crm_compliance.wiring.desk import Desk
from jobs.register.decision import NotTold
from jobs.register.request_steps import Actor
from jobs.register.request_steps import actor_of as actor_at
from jobs.requests.answer.compile import compilation_of
from jobs.requests.decisions import decide as deciding
from jobs.requests.decisions import notices
from rules.errors import ComplianceError, UsageError


def decide(visit: Visit) -> Response:
    """Grant the items that are marked, each for what it is and not for its number; or refuse the whole with a
    text that fits."""
    who, role = visit.person.who, visit.person.role
    marked, refusal = visit.all_given("item"), visit.given("refusal") if visit.given("refuse") else ""

    def act(desk: Desk, request: str) -> object:
        actor = actor_at(desk.context, who, role)
        if visit.given("refuse"):
            return deciding.refuse(desk.context, actor, request, refusal)
        answer = compilation_of(desk.context.store, request)
        items = {each.digest: each.item for each in answer.items} if answer is not None else {}
        if not marked and answer is not None and answer.answer == "package" and items:
            raise UsageError(visit.say("Mark what is granted, or refuse the whole."))
        return deciding.grant(desk.context, actor, request, [items.get(each, each) for each in marked])

    return done_at_desk(visit, "decide", act, note="request_decided")


def told(visit: Visit) -> Response:
    """Record how it ended with one recipient: told on a day, or not, with one of the two reasons."""

    def act(actor: Actor, request: str) -> object:
        text = visit.given("notice")
        number = int(text) if text.isdecimal() and len(text) < 9 else 0  # nobody has more notices
        if reason := visit.given("not_told"):
            if reason not in {each.value for each in NotTold}:
                raise UsageError(visit.say("This is not one of the choices."), where="not_told")
            return notices.not_told(actor, request, number, NotTold(reason))
        return notices.told(actor, request, number, visit.needed_day("told_on", visit.say("Told on")))

    return moved(visit, act, note="request_told")


def letters(visit: Visit) -> Response:
    """Answer with the letters of all notices that are due, as one archive; it is written down that they were
    made."""
    services, request_id, language = visit.services, visit.path("request"), visit.given("language")
    try:
        if language and language not in services.organisation.languages:
            raise UsageError(visit.say("This is not one of the choices."), where="language")
        actor = actor_of(visit)
        request, decision = notices.listed(actor, request_id)
        due = notices.due_in(decision)
        if not due or decision is None:
            raise UsageError(visit.say("No letter is written: nothing is due."), where=request.id)
        policy = services.policy()
        organisation = organisation_of(services.settings).under(policy)
        made = letters_of(request, decision, due, organisation, usual=policy.defaults.language, language=language, at=actor.now)
        notices.record_letters(actor, request, due)
    except ComplianceError as error:
        return shown(visit, request_id, error)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, letter in made.items():
            archive.writestr(name, letter)
    headers = saved_as(f"{request.reference}-letters.zip")
    return Response(content.getvalue(), media_type="application/zip", headers=headers)
