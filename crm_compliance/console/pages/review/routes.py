"""The addresses of the review."""

from typing import Final

from crm_compliance.console.pages.review import decide, files, item, preview

ENDPOINTS: Final = (*decide.ENDPOINTS, *files.ENDPOINTS, *item.ENDPOINTS, *preview.ENDPOINTS)
