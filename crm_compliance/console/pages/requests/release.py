"""The release by a second person, and how what was released is handed over: the link by a message, the
passphrase in another way."""

from __future__ import annotations

from starlette.responses import Response

from crm_compliance.answer_package.message import ENDING
from crm_compliance.answer_package.outbox import HeldOutbox
from crm_compliance.console.access.headers import saved_as
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.requests.page import handover_of
from crm_compliance.console.pages.requests.take_step import done_at_desk, moved
from crm_compliance.wiring.desk import Desk
from jobs.model.request import HANDOVER, PACKAGE
from jobs.register.request_steps import Actor, signed
from jobs.requests.answer.release import release_answer
from jobs.requests.decisions.carry_out import fulfil_later
from rules.errors import UsageError


def release(visit: Visit) -> Response:
    """Release an approved answer, and carry out what was granted. Archive, passphrase and message stay with
    the request, sealed, until they are handed over."""
    who, role, public_url = visit.person.who, visit.person.role, visit.services.settings.public_url

    def act(desk: Desk, request: str) -> None:
        context = desk.context
        release_answer(context, request, who, role, HeldOutbox(context.organisation, public_url=public_url))
        fulfil_later(context, request)

    return done_at_desk(visit, "release", act, note="request_released")


def message(visit: Visit) -> Response:
    """Answer with the message to the person: it has the link, and says how the archive is opened."""
    found = handover_of(visit, visit.services.store.requests.get(visit.path("request")))
    if found is None:
        raise _gone(visit)
    return _file(visit, found.message.encode(), "text/plain; charset=utf-8", f"zip{ENDING}")


def archive(visit: Visit) -> Response:
    """Answer with the encrypted archive, for whoever gets it in another way than by the link."""
    part = visit.services.store.requests.part(visit.path("request"), PACKAGE)
    if part is None:
        raise _gone(visit)
    return _file(visit, part, "application/zip", "zip")


def handed_over(visit: Visit) -> Response:
    """Remove passphrase and message: both have been passed on."""

    def act(actor: Actor, request_id: str) -> None:
        request = actor.store.requests.get(request_id)
        entry = signed(("request", {"request": request.id, "step": HANDOVER}), actor)
        actor.store.requests.save(request, [entry], since=request, parts={HANDOVER: None})

    return moved(visit, act, note="request_handed_over")


def _file(visit: Visit, content: bytes, media_type: str, ending: str) -> Response:
    reference = visit.services.store.requests.get(visit.path("request")).reference
    headers = saved_as(f"{reference}.{ending}")
    return Response(content, media_type=media_type, headers=headers)


def _gone(visit: Visit) -> UsageError:
    return UsageError(visit.say("It was handed over, or its days have passed."))
