"""Two versions of the schedule side by side: what one says that the other does not, and what that means."""

from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.policy.meanings import meaning
from crm_compliance.console.pages.policy.versions import version_of, versions_of
from rules.model.roles import Act
from rules.policy.diff import Direction, differences

ORDER: Final = (Direction.EARLIER, Direction.UNCLEAR, Direction.LATER, Direction.NONE)


def show(visit: Visit) -> Response:
    """Show what changed from one version to another; without names from the one before to the one in
    force."""
    known = versions_of(visit)
    at = next(place for place, each in enumerate(known) if each.is_in_force)
    new = version_of(known, visit.query("new")) if visit.query("new") else known[at]
    old = version_of(known, visit.query("old")) if visit.query("old") else known[min(at + 1, len(known) - 1)]
    changes = differences(old.policy, new.policy)
    return visit.page(
        "policy/differences.html.j2",
        known=known,
        old=old,
        new=new,
        groups=[
            (each.value, [meaning(visit, one, old.policy, new.policy) for one in found])
            for each in ORDER
            if (found := [change for change in changes if change.direction is each])
        ],
    )


ENDPOINTS: Final = (get("/policy/diff", show, Act.SEE_SCHEDULE),)
