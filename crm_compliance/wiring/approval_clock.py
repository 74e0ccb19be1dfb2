"""The clock by which a person's approval of a plan counts, compared with the CRM's."""

from typing import Final

from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.credentials import token_source
from crm_compliance.wiring.software import software_version
from jobs.checks.same_clock import refuse_apart
from jobs.ports.context import Clock
from rules.errors import ComplianceError

PATIENCE_S: Final = 5.0  # somebody sits before the page


def refuse_approval_by_another_clock(settings: Settings, clock: Clock) -> None:
    """Ask the CRM what time it is before an approval, whose term is counted from now (RET-24), is recorded. A
    CRM that cannot be asked, or not soon, is no reason to refuse it: an approval deletes nothing, and what it
    allows compares the clocks again. Raises ClocksDiffer: they are more than five minutes apart."""
    from connectors.dynamics.http.environment import Environment
    from connectors.dynamics.http.transport import Transport

    if settings.clock is not None:  # set by hand, it is compared with nothing
        return
    try:
        soon = Environment(
            url=settings.needed_crm_url,
            connect_timeout_s=PATIENCE_S,
            read_timeout_s=PATIENCE_S,
            answer_s=PATIENCE_S,
            retries=0,
            max_wait_s=PATIENCE_S,
            ca_file=str(settings.crm_ca_file) if settings.crm_ca_file is not None else None,
            user_agent=f"crm-compliance/{software_version()}",
        )
        with Transport(soon, token_source(settings)) as transport:
            theirs = transport.server_time()
    except ComplianceError:
        return
    if theirs is not None:
        refuse_apart(theirs, clock())
