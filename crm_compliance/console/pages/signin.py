"""The way in and out. Where the CRM is the emulator, a page lists the demo's people; elsewhere people come in
by Entra ID."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from crm_compliance.console.access import cookies
from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import UNSENT, Visit, local_path
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from crm_compliance.identity.signin import NotSignedIn
from crm_compliance.identity.web_signin import LASTS, PATH, way_back, way_out
from rules.errors import UsageError

FLOW: Final = "flow"  # the cookie that keeps a sign-in which is under way, sealed
WANTED: Final = "wanted"  # the cookie that keeps which page was asked for
WANTED_LASTS: Final = timedelta(minutes=15)


def show(visit: Visit) -> Response:
    """Show how to sign in."""
    return visit.page("signin.html.j2", people=DEMO_PEOPLE if visit.services.settings.is_loopback else ())


def enter(visit: Visit) -> Response:
    """Sign in one of the demo's people: for a store that has only served a CRM on this machine. Raises
    UsageError: this is not such a store, or nobody of that name is in the demo."""
    person = next((each for each in DEMO_PEOPLE if each.who == visit.given("who")), None)
    if not visit.services.settings.is_loopback or person is None:
        raise UsageError("nobody can sign in this way here", hint="sign in with Entra ID", where="who")
    return begin(visit, person.who, (person.role,), (person.name,))


def leave_for_authority(visit: Visit) -> Response:
    """Send the browser to Entra ID, or AD FS. Raises NotSignedIn: it does not answer; UsageError: this store
    has people of a demo."""
    if visit.services.settings.is_loopback:
        raise UsageError("people of a demonstration do not sign in elsewhere", hint="choose one of them")
    out = way_out(visit.services.settings, visit.now, as_another=bool(visit.query("another")))
    response = RedirectResponse(out.address, status_code=303, headers=dict(PAGE))
    is_secure = visit.services.is_secure
    cookies.give(response, cookies.bound(FLOW, is_secure=is_secure), out.kept, is_secure=is_secure, lasts=LASTS)
    return response


def come_back(visit: Visit) -> Response:
    """Take whom the authority has sent back. Who is signed in already is led on: by another tab, or as the
    same address comes again. Raises NotSignedIn: nobody that could come in."""
    services = visit.services
    if services.settings.is_loopback:
        raise UsageError("people of a demonstration do not sign in elsewhere", hint="choose one of them")
    flow = cookies.bound(FLOW, is_secure=services.is_secure)
    kept = visit.request.cookies.get(flow, "")
    try:
        somebody = way_back(services.settings, services.store, kept, visit.request.query_params, visit.now)
    except NotSignedIn as error:
        here = cookies.session_token(visit.request, is_secure=services.is_secure)
        if type(error) is not NotSignedIn or services.sessions.of(here, visit.now) is None:
            raise
        return visit.see(_wanted(visit))
    response = begin(visit, somebody.who, somebody.roles, somebody.names)
    cookies.take(response, flow, is_secure=services.is_secure)
    return response


def begin(visit: Visit, who: str, roles: tuple[str, ...], names: tuple[str, ...]) -> Response:
    """Begin a session, and lead to the page that was asked for; where a form of this person waits on it, to
    that form, in the role in which it was open."""
    services = visit.services
    old = cookies.session_token(visit.request, is_secure=services.is_secure)
    if old:
        services.sessions.end(old)
    if names:
        services.names.note(who, names[0], visit.now)
    token = services.sessions.begin(who, roles, "\n".join(names), visit.now)
    wanted = _wanted(visit)
    if waiting := services.unsent.of(who, urlsplit(wanted).path, visit.now):
        wanted = f"{wanted}#{UNSENT}"
        if session := services.sessions.of(token, visit.now):
            services.sessions.act_as(token, session, waiting[0].role)
    response = visit.see(wanted)
    response.delete_cookie(WANTED)
    cookies.give_session(response, token, is_secure=services.is_secure)
    return response


def _wanted(visit: Visit) -> str:
    return local_path(visit.request.cookies.get(WANTED, "/"))


def leave(visit: Visit) -> Response:
    """End the session, here and in the store."""
    visit.services.sessions.end(visit.token)
    visit.services.answered.left(visit.token)
    response = visit.see("/signin", note="signed_out" if visit.services.settings.is_loopback else "signed_out_here")
    cookies.take_session(response, is_secure=visit.services.is_secure)
    return response


OUTSIDE: Final = (
    get("/signin", show),
    post("/signin", enter, is_limited=True),
    get("/signin/entra", leave_for_authority, is_limited=True),
    get(PATH, come_back, is_limited=True),
)
INSIDE: Final = (post("/signout", leave),)
