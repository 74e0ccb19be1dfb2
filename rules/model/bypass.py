"""What of the CRM's custom logic a write passes by. Apart from the schedule, so that a journal can be read
without loading that."""

from enum import StrEnum


class Bypass(StrEnum):
    """Logic of the organisation's own in the CRM that a disposal may pass by: plug-ins and workflows, or
    cloud flows."""

    PLUGINS = "plugins"
    FLOWS = "flows"


Bypasses = tuple[Bypass, ...]
