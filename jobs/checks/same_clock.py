"""Compares the CRM's clock with ours. Every end of a period depends on a day, so two clocks that disagree may
erase too early."""

from datetime import datetime, timedelta
from typing import Final

from connectors.interface.errors import ConnectorError
from jobs.ports.context import JobContext

TOLERANCE: Final = timedelta(minutes=5)


class ClocksDiffer(ConnectorError):
    """The CRM's clock and ours are further apart than any network explains."""

    code = "clock"


def refuse_other_clock(context: JobContext) -> None:
    """Compare the clocks by the answers that the CRM has given so far; ask for a few more if there were
    hardly any. A clock that was set manually (loopback only) is not real time, and is compared with nothing.
    Raises ClocksDiffer: they are more than five minutes apart."""
    if context.compares_clocks and (theirs := context.connector.server_time()) is not None:
        refuse_apart(theirs, context.clock())


def refuse_apart(theirs: datetime, ours: datetime) -> None:
    """Raise ClocksDiffer where two clocks that were looked at together are more than five minutes apart."""
    ahead = (theirs - ours).total_seconds()
    if abs(ahead) > TOLERANCE.total_seconds():
        raise ClocksDiffer(
            f"the CRM's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's",
            hint="synchronise this machine's clock (NTP), then make a new plan: retention ends are counted by date",
        )
