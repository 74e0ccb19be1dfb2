"""What an outside program sees of the emulator: plain HTTP and JSON, nothing of its code."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import requests

from connectors.emulator.serving.server import RunningEmulator, running

JUNE = datetime(2026, 6, 15, 11, tzinfo=UTC)  # where the clock stands, for what comes along by the clock
ANNOTATED = {"Prefer": 'odata.include-annotations="*"'}


def stand_still(emulator: RunningEmulator) -> None:
    """Let the emulator's clock go on by what a test adds to it, and by a microsecond at each look."""
    clock = emulator.emulator.clock
    looks = count(clock._ticks(), 1e-6)
    clock._ticks = lambda: next(looks)


class Client:
    """The Web API of one running emulator."""

    def __init__(self, emulator: RunningEmulator, token: str = "any") -> None:
        self.emulator = emulator
        self.url = emulator.url
        self.root = emulator.root
        self.http = requests.Session()
        self.http.trust_env = emulator.root.startswith("https:")  # over plain HTTP there is no authority, proxy or .netrc to look for
        self.http.headers.update(
            {"Authorization": f"Bearer {token}", "OData-Version": "4.0", "OData-MaxVersion": "4.0", "Accept": "application/json"}
        )

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> requests.Response:
        """Below the service root, or anywhere when the path is a whole URL."""
        url = path if path.startswith("http") else self.url + path
        return self.http.request(method, url, json=body, headers=headers, timeout=30)

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return self.send("GET", path, headers=headers)

    def rows(self, path: str, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
        answer = self.get(path, headers)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["value"]
        return rows

    def row(self, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        answer = self.get(path, headers)
        assert answer.status_code == 200, answer.text
        row: dict[str, Any] = answer.json()
        return row

    def create(self, table_set: str, **columns: Any) -> str:
        """POST a row; gives the id that the service chose, or the one among the columns."""
        answer = self.send("POST", table_set, columns)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"][-37:-1]

    def contact(self, **columns: Any) -> str:
        return self.create("contacts", **{"firstname": "Voorbeeld", "lastname": "Peeters (fictief)", **columns})

    def dossier(self, **columns: Any) -> str:
        return self.create("cf_dossiers", **{"cf_name": "D-1", **columns})

    def fiche(self, dossier: str | None = None, **columns: Any) -> str:
        bound = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"} if dossier else {}
        return self.create("cf_fiches", **{"cf_name": "F-1", **bound, **columns})

    def exists(self, table_set: str, row: str) -> bool:
        return self.get(f"{table_set}({row})").status_code == 200

    def etag(self, table_set: str, row: str) -> str:
        return self.get(f"{table_set}({row})").headers["ETag"]

    def control(self, method: str, name: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.root}/_emulator/{name}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **switches: Any) -> None:
        """Set switches; the fixture `crm` puts them back."""
        self.control("PUT", "switches", switches)

    def application(self, client_id: str, privileges: dict[str, Any] | None = None) -> Client:
        """Another application, signed in: System Administrator as every new one, or with exactly these
        privileges and their depths."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "verzonnen", "scope": "x/.default"}
        token = requests.post(f"{self.root}/tenant/oauth2/v2.0/token", data=form, timeout=30).json()["access_token"]
        if privileges is not None:
            self.control("PUT", "privileges", {"user": client_id, "set": privileges})
        return Client(self.emulator, token)

    def faults(self, *rules: dict[str, Any]) -> None:
        self.control("PUT", "faults", list(rules))

    def batch(self, *parts: str, headers: dict[str, str] | None = None, boundary: str = "b", end: str = "\r\n") -> requests.Response:
        """Send parts that `request_part` or `change_set` made."""
        body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--{end}"
        content_type = {"Content-Type": f'multipart/mixed; boundary="{boundary}"'}
        return self.http.post(self.url + "$batch", data=body.encode(), headers=content_type | (headers or {}), timeout=60)


@contextmanager
def organisation(environment: str, directory: Path) -> Iterator[Client]:
    """An emulator of its own, with the environment of this YAML."""
    path = directory / "environment.yaml"
    path.write_text(environment, encoding="utf-8")
    with running(environment=path) as emulator:
        client = Client(emulator)
        yield client
        client.http.close()


def request_part(method: str, url: str, body: str = "", *, content_id: str | None = None, **headers: str) -> str:
    """A part as section 5.1 of the wire reference writes it; header names with underscores for hyphens."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    lines += [f"Content-ID: {content_id}"] if content_id is not None else []
    lines += ["", f"{method} {url} HTTP/1.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: application/json; type=entry"] if body else []
    return "\r\n".join([*lines, "", body])


def change_set(*parts: str, boundary: str = "c") -> str:
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n{inside}--{boundary}--\r\n'


def statuses(answer: requests.Response) -> list[int]:
    """The status of every inner response, in order."""
    return [int(status) for status in re.findall(r"^HTTP/1\.1 (\d{3})", answer.text, re.MULTILINE)]


def error_of(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal; the shape is checked on the way."""
    error = answer.json()["error"]
    assert isinstance(error["message"], str)
    return answer.status_code, error["code"]


def new_id() -> str:
    return str(uuid.uuid4())
