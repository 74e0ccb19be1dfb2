"""Reading and purging the history of rows."""

from __future__ import annotations

from connectors.emulator.errors import not_emulated
from connectors.emulator.exchange import Answer
from connectors.emulator.messages.call import Call


def retrieve_record_change_history(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def retrieve_attribute_change_history(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def retrieve_audit_details(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def delete_record_change_history(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def delete_audit_data(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")
