"""How somebody wants to see the console: language, light or dark, and the role in which they act."""

from typing import Final

from starlette.responses import Response

from crm_compliance.console.access import cookies
from crm_compliance.console.frame.endpoint import post
from crm_compliance.console.frame.visit import THEMES, Visit, local_path
from rules.model.languages import UI_LANGUAGES


def look(visit: Visit) -> Response:
    """Keep language and theme in cookies, and come back to where it was chosen."""
    response = visit.see(local_path(visit.given("here")))
    for name, known in ((cookies.LANGUAGE, UI_LANGUAGES), (cookies.THEME, THEMES)):
        if (chosen := visit.given(name)) in known:
            cookies.give(response, name, chosen, is_secure=visit.services.is_secure)
    return response


def role(visit: Visit) -> Response:
    """Go on in another role of the person's own. It leads to the inbox: the page before may not be one for
    this role."""
    assert visit.session is not None
    visit.services.sessions.act_as(visit.token, visit.session, visit.given("role"))
    return visit.see("/")


OUTSIDE: Final = (post("/preferences", look),)
INSIDE: Final = (post("/role", role),)
