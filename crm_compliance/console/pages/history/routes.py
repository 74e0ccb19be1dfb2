"""The pages of the history."""

from typing import Final

from crm_compliance.console.pages.history import audit, proof, run, runs

# Those with a name of their own stand before those of one run, whose id it could be.
ENDPOINTS: Final = (*runs.ENDPOINTS, *audit.ENDPOINTS, *proof.ENDPOINTS, *run.ENDPOINTS)
