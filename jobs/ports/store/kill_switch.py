"""The kill switch, set and lifted."""

from datetime import datetime
from typing import Protocol

from jobs.ports.store.ledger import Entry


class KillSwitch(Protocol):
    """Whether anything is applied at all."""

    def stopped_since(self) -> datetime | None:
        """Return since when the kill switch is set, None while it is not."""

    def stop(self, since: datetime, entry: Entry) -> datetime:
        """Set the kill switch, and give the instant since when it is set: setting it twice changes nothing
        and adds no entry."""

    def resume(self, entry: Entry) -> bool:
        """Lift the kill switch; return whether it was set. If it was not, no entry is added."""
