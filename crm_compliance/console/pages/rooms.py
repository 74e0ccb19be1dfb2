"""Every page of the console: a new room adds its line here."""

from typing import Final

from crm_compliance.console.pages import datamap, find, inbox, quarantine, record, rules, switch, why
from crm_compliance.console.pages.history import routes as history
from crm_compliance.console.pages.holds import routes as holds
from crm_compliance.console.pages.plans import routes as plans
from crm_compliance.console.pages.policy import routes as policy
from crm_compliance.console.pages.requests import routes as requests
from crm_compliance.console.pages.review import routes as review

ENDPOINTS: Final = (
    *datamap.ENDPOINTS,
    *find.ENDPOINTS,
    *history.ENDPOINTS,
    *holds.ENDPOINTS,
    *inbox.ENDPOINTS,
    *plans.ENDPOINTS,
    *policy.ENDPOINTS,
    *quarantine.ENDPOINTS,
    *record.ENDPOINTS,
    *requests.ENDPOINTS,
    *review.ENDPOINTS,
    *rules.ENDPOINTS,
    *switch.ENDPOINTS,
    *why.ENDPOINTS,
)
