"""An organisation on the emulator, spoken to with plain requests."""

import uuid
from random import Random
from typing import Any

import requests

from connectors.emulator.serving.server import RunningEmulator

TOKEN = "test-token"


class Organisation:
    """Rows are made through the Web API; one with the same seed has the same ids. The people in it are
    fictitious."""

    emulator: RunningEmulator
    ids: Random
    http: requests.Session

    def __init__(self, emulator: RunningEmulator, seed: int) -> None:
        self.emulator, self.ids, self.http = emulator, Random(seed), session()

    def close(self) -> None:
        self.http.close()

    def create(self, table_set: str, key: str, **columns: Any) -> str:
        row = str(uuid.UUID(int=self.ids.getrandbits(128), version=4))
        answer = self.http.post(self.emulator.url + table_set, json={key: row, **columns})
        assert answer.status_code == 204, (table_set, answer.status_code, answer.text)
        return row

    def patch(self, table_set: str, row: str, **columns: Any) -> None:
        answer = self.http.patch(f"{self.emulator.url}{table_set}({row})", json=columns, headers={"If-Match": "*"})
        assert answer.status_code == 204, (table_set, answer.status_code, answer.text)

    def get(self, table_set: str, row: str) -> dict[str, Any] | None:
        answer = self.http.get(f"{self.emulator.url}{table_set}({row})")
        assert answer.status_code in (200, 404), answer.text
        found: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
        return found

    def rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.http.get(self.emulator.url + path)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["value"]
        return rows


def session() -> requests.Session:
    http = requests.Session()
    http.trust_env = False  # no .netrc and no proxy is looked for at each request
    http.headers.update({"Authorization": f"Bearer {TOKEN}", "OData-Version": "4.0", "Accept": "application/json"})
    return http


def set_faults(emulator: RunningEmulator, *rules: dict[str, Any]) -> None:
    """Script the emulator's trouble; without rules there is none."""
    requests.put(f"{emulator.root}/_emulator/faults", json=list(rules), timeout=10).raise_for_status()


def reset(emulator: RunningEmulator) -> None:
    """No rows but the platform's own, no faults, no statistics."""
    requests.post(f"{emulator.root}/_emulator/reset", json={"empty": True}, timeout=10).raise_for_status()
