"""Units that wait between their plan and their disposal: until when, and how one is kept."""

from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from jobs.runs.quarantine import marks_of, undo
from rules.model.roles import Act

ON_A_PAGE: Final = 50


def show(visit: Visit) -> Response:
    """Show the units in quarantine, those that leave it first on top, fifty on a page."""
    services, day = visit.services, visit.services.calendar.day(visit.now)
    policy = services.policy()
    found = sorted(marks_of(services.listed, policy), key=lambda mark: (mark.until, mark.table, mark.id))
    page = visit.list_page(len(found), ON_A_PAGE)
    links = services.links(services.settings.crm_url or "")
    return visit.page(
        "quarantine.html.j2",
        marks=[(mark, (mark.until - day).days, links(mark.table, mark.id)) for mark in page.of(found)],
        quarantine=policy.quarantine,
        may_keep=visit.may(Act.KEEP_IN_QUARANTINE),
        may_hold=visit.may(Act.PLACE_HOLD),
        pages=page.pages(visit.page_at("/quarantine")),
    )


def keep(visit: Visit) -> Response:
    """Keep a unit as many days again, as `quarantine undo` does."""
    services = visit.services
    who, role = visit.person.who, visit.person.role
    table, row = visit.needed("table", visit.say("Table")), visit.needed("id", visit.say("Id of the record"))
    undo(services.store, services.policy(), table, row, who, role, now=visit.now, reference=services.keys().reference)
    return visit.see(visit.here, note="quarantine_kept")


ENDPOINTS: Final = (get("/quarantine", show, Act.SEE_REPORTS), post("/quarantine", keep, Act.KEEP_IN_QUARANTINE))
