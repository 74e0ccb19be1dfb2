"""The addresses of the review."""

from typing import Final

from crm_compliance.console.pages.review import decide, files, page, preview

ENDPOINTS: Final = (*decide.ENDPOINTS, *files.ENDPOINTS, *page.ENDPOINTS, *preview.ENDPOINTS)
