"""Every page of the console: a new one adds its module here."""

from typing import Final

from crm_compliance.console.frame.endpoint import Endpoint
from crm_compliance.console.pages import datamap, find, inbox, quarantine, record, rules, switch, why
from crm_compliance.console.pages.history import audit, proof, run, runs
from crm_compliance.console.pages.holds import hold, new_hold, register
from crm_compliance.console.pages.plans import approvals, changes, files, index, lines, new_plan, plan, progress, unit
from crm_compliance.console.pages.policy import differences, schedule, simulation
from crm_compliance.console.pages.requests import routes as requests
from crm_compliance.console.pages.review import decide, item, preview
from crm_compliance.console.pages.review import files as review_files

# Those with a name of their own stand before those of one run, hold or plan, whose id it could be.
_PAGES: Final = (
    *(datamap, find, inbox, quarantine, record, requests, rules, switch, why),
    *(runs, audit, proof, run),
    *(register, new_hold, hold),
    *(index, new_plan, plan, progress, lines, changes, files, unit, approvals),
    *(schedule, differences, simulation),
    *(decide, review_files, item, preview),
)
ENDPOINTS: Final[tuple[Endpoint, ...]] = tuple(endpoint for page in _PAGES for endpoint in page.ENDPOINTS)
