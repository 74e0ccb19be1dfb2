"""Every address of plans."""

from typing import Final

from crm_compliance.console.pages.plans import approvals, changes, files, index, lines, new_plan, plan, progress, unit

ENDPOINTS: Final = (
    *index.ENDPOINTS,
    *new_plan.ENDPOINTS,
    *plan.ENDPOINTS,
    *progress.ENDPOINTS,
    *lines.ENDPOINTS,
    *changes.ENDPOINTS,
    *files.ENDPOINTS,
    *unit.ENDPOINTS,
    *approvals.ENDPOINTS,
)
