"""The addresses of the review."""

from typing import Final

from crm_compliance.console.pages.review import files, page, preview

ENDPOINTS: Final = (*files.ENDPOINTS, *page.ENDPOINTS, *preview.ENDPOINTS)
