"""Bringing a row back from the recycle bin."""

from __future__ import annotations

from connectors.emulator.errors import not_emulated
from connectors.emulator.exchange import Answer
from connectors.emulator.messages.call import Call


def restore(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")
