"""What the ledger has of a decision that was carried out."""

import json

from tests.drivers.night import Night

CANARY = "Zonnebloem"


def ledger_of(night: Night) -> str:
    return json.dumps([[entry.kind, entry.data] for entry in night.store.ledger.entries()])
