"""What waits for the person who looks, and how the service is."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from crm_compliance.console.endpoint import get
from crm_compliance.console.visit import Visit


def show(visit: Visit) -> Response:
    """Show what waits, the most urgent first."""
    return visit.page("inbox.html.j2")


ENDPOINTS: Final = (get("/", show),)
