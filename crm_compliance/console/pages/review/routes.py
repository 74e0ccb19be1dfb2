"""The addresses of the review."""

from typing import Final

from crm_compliance.console.pages.review import files, workplace

ENDPOINTS: Final = (*files.ENDPOINTS, *workplace.ENDPOINTS)
