"""An answer that reached the wrong person: its link is dead at once, and the 72 hours run in which the
authority is notified of the personal data breach (EXP-16, GDPR art. 33(1))."""

from datetime import datetime, timedelta
from typing import Final

from jobs.model.request import HANDOVER, SubjectRequest
from jobs.register.request_steps import Actor, authorised, save_transition
from rules.errors import Refused
from rules.model.requests import Step

BREACH_HOURS: Final = timedelta(hours=72)


def misdelivered(actor: Actor, request_id: str) -> SubjectRequest:
    """Record that an answer reached the wrong person. The link is dead at once, and the authority is notified
    within 72 hours (EXP-16). The first time counts; recording it again changes nothing.
    Raises Refused: nothing was released."""
    request = authorised(actor, request_id, Step.MISDELIVER)
    if request.misdelivered_at is not None:
        return request
    if request.released_at is None:
        raise Refused("nothing was released for this request", where=request.id, code="state")
    changes = {"misdelivered_at": actor.now, "link": "", "link_until": actor.now}
    return save_transition(actor, request, changes, Step.MISDELIVER, {}, parts={HANDOVER: None})


def notify_by(request: SubjectRequest) -> datetime | None:
    """Return until when the authority must be notified of a delivery to the wrong person."""
    return None if request.misdelivered_at is None else request.misdelivered_at + BREACH_HOURS
