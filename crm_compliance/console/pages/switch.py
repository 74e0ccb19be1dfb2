"""The kill switch: people who manage plans stop all runs with it, and allow them again."""

from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.error_message import Said
from jobs.checks import kill_switch
from rules.errors import Refused
from rules.model.roles import Act


def stop(visit: Visit) -> Response:
    """Stop everything: a run that is under way ends after the current batch."""
    kill_switch.stop(visit.services.store, visit.now, _by(visit))
    return visit.see("/plans", note="stopped")


def resume(visit: Visit) -> Response:
    """Allow runs again; one that was cut off continues where it was, at the next hour of its job. Raises
    Refused: with code `changed`, it is not the stop that the page has shown."""
    since, now = visit.given("since"), visit.services.store.kill_switch.stopped_since()
    if since and now is not None and now.isoformat() != since:
        message = visit.say("Somebody has stopped everything again since this page was opened.")
        raise Refused(Said(message), hint=visit.say("Ask why, before you lift it."), code="changed")
    kill_switch.resume(visit.services.store, _by(visit))
    return visit.see("/plans", note="resumed")


def _by(visit: Visit) -> dict[str, object]:
    person = visit.person
    return {"role": person.role, "by": visit.services.keys().reference("person", person.who)}


ENDPOINTS: Final = (post("/stop", stop, Act.STOP), post("/resume", resume, Act.STOP))
