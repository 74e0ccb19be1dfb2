"""The rules in plain words, each at an address of its own, so that a code on another page leads to what it
means."""

from typing import Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.rules import families


def show(visit: Visit) -> Response:
    return visit.page("rules.html.j2", families=families(visit.language))


ENDPOINTS: Final = (get("/rules", show),)
