"""Organisations of the emulator, over real HTTP."""

from tests.connectors.dynamics.protocols.organisations import emulator, rows, shared

__all__ = ["emulator", "rows", "shared"]
