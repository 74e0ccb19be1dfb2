"""The addresses of this room."""

from typing import Final

from crm_compliance.console.pages.policy import differences, schedule, simulation

ENDPOINTS: Final = (*schedule.ENDPOINTS, *differences.ENDPOINTS, *simulation.ENDPOINTS)
