"""Deletes by query, as a job."""

from __future__ import annotations

from connectors.emulator.errors import not_emulated
from connectors.emulator.exchange import Answer
from connectors.emulator.messages.call import Call


def bulk_delete(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")
