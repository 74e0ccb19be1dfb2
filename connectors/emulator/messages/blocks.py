"""Files, notes and attachments moved in blocks."""

from __future__ import annotations

from connectors.emulator.errors import not_emulated
from connectors.emulator.exchange import Answer
from connectors.emulator.messages.call import Call


def initialize_upload(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def upload_block(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def commit_upload(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def initialize_download(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def download_block(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")


def delete_file(call: Call) -> Answer:
    raise not_emulated(f"the message {call.name}")
