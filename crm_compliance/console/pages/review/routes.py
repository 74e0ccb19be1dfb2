"""The addresses of the review."""

from typing import Final

from crm_compliance.console.pages.review import files, preview, workplace

ENDPOINTS: Final = (*files.ENDPOINTS, *preview.ENDPOINTS, *workplace.ENDPOINTS)
