"""The addresses of this room; the form comes before any hold that could have its name."""

from typing import Final

from crm_compliance.console.pages.holds import hold, new_hold, register

ENDPOINTS: Final = (*register.ENDPOINTS, *new_hold.ENDPOINTS, *hold.ENDPOINTS)
