"""The clock by which a person's approval of a plan counts, compared with the CRM's."""

from typing import Final

from connectors.interface.errors import ConnectorError
from crm_compliance.configuration.settings import Settings
from jobs.checks.same_clock import refuse_apart
from jobs.ports.context import Clock

PATIENCE_S: Final = 5.0  # somebody sits before the page


def refuse_approval_by_another_clock(settings: Settings, clock: Clock) -> None:
    """Ask the CRM what time it is before an approval, whose term is counted from now (RET-24), is recorded. A
    CRM that cannot be asked is no reason to refuse it: an approval deletes nothing, and what it allows
    compares the clocks again. Raises ClocksDiffer: they are more than five minutes apart."""
    from crm_compliance.wiring.crm import connector_of

    if settings.clock is not None:  # set by hand, it is compared with nothing
        return
    try:
        with connector_of(settings.model_copy(update={"crm_patience_s": PATIENCE_S})) as connector:
            theirs = connector.server_time()
    except ConnectorError:
        return
    if theirs is not None:
        refuse_apart(theirs, clock())
