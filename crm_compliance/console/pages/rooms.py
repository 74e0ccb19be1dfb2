"""Every page of the console: a new room adds its line here."""

from typing import Final

from crm_compliance.console.pages import inbox

ENDPOINTS: Final = (*inbox.ENDPOINTS,)
