"""Every address of plans."""

from typing import Final

from crm_compliance.console.pages.plans import index, lines, plan, words

ENDPOINTS: Final = (*index.ENDPOINTS, *plan.ENDPOINTS, *lines.ENDPOINTS, *words.ENDPOINTS)
