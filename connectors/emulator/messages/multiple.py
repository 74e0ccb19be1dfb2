"""Many rows of one table in one message, all or nothing."""

from __future__ import annotations

from connectors.emulator.errors import not_emulated
from connectors.emulator.exchange import Answer
from connectors.emulator.messages.call import Call


def create_multiple(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def update_multiple(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def upsert_multiple(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def delete_multiple(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")
