"""Roles, their privileges, and what a user may do."""

from __future__ import annotations

from connectors.emulator.errors import not_emulated
from connectors.emulator.exchange import Answer
from connectors.emulator.messages.call import Call


def retrieve_user_privileges(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def retrieve_role_privileges(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def retrieve_principal_access(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def add_privileges(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def replace_privileges(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def remove_privilege(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")
