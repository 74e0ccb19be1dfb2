"""Every address of plans."""

from typing import Final

from crm_compliance.console.pages.plans import changes, files, index, lines, new_plan, plan, progress, unit, words

ENDPOINTS: Final = (
    *index.ENDPOINTS,
    *new_plan.ENDPOINTS,
    *plan.ENDPOINTS,
    *progress.ENDPOINTS,
    *lines.ENDPOINTS,
    *changes.ENDPOINTS,
    *files.ENDPOINTS,
    *unit.ENDPOINTS,
    *words.ENDPOINTS,
)
