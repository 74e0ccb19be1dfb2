"""The requests that the emulator received, for tests that count requests and writes."""

from typing import Any


class Stats:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.requests = 0
        self.batches = 0
        self.throttled = 0
        self.operations = {"read": 0, "create": 0, "update": 0, "delete": 0}

    def count(self, kind: str) -> None:
        """Count one operation, inside a batch or alone."""
        self.operations[kind] += 1

    def document(self) -> dict[str, Any]:
        return {"requests": self.requests, "operations": dict(self.operations), "batches": self.batches, "throttled": self.throttled}
