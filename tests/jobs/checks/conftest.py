"""A night whose store somebody writes to past everything that guards it."""

from tests.drivers.attacking import attacked

__all__ = ["attacked"]
