"""An organisation of which nights are remembered."""

from tests.connectors.dynamics.memory.organisation import organisation

__all__ = ["organisation"]
