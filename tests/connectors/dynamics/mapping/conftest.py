"""The reference environment as it is, for tests whose rows are their own."""

from tests.connectors.dynamics.mapping.masked import emulator

__all__ = ["emulator"]
