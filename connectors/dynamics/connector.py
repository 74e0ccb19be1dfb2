"""The CRM as jobs see it: the connector protocol, spoken over the Web API."""

from types import TracebackType
from typing import Self

from connectors.dynamics.protocols.changes import Changes
from connectors.dynamics.protocols.organisation import Organisation
from connectors.dynamics.protocols.remains import Remains


class DynamicsConnector(Changes, Remains, Organisation):
    """One environment and one account, or several that share the writing. Threads may read at the same time;
    `change` is for one thread at a time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release connections and tokens, and let the memory forget what was erased."""
        try:
            self._written.forget()
        finally:
            self._pool.close()
            for transport in (self._transport, *self._others):
                transport.close()
            for tokens in self._tokens:
                tokens.close()
