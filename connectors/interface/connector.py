"""One CRM as jobs know it."""

from typing import Protocol

from connectors.interface.changes import Changes
from connectors.interface.kinds import MappedKinds
from connectors.interface.organisation import Organisation
from connectors.interface.remains import Remains
from connectors.interface.rows import Rows


class Connector(MappedKinds, Rows, Changes, Remains, Organisation, Protocol):
    """One CRM, one account. Methods raise ConnectorError. `warnings` are what somebody has to look at
    although the work went on."""

    warnings: list[str]

    def close(self) -> None:
        """Release connections and tokens."""
