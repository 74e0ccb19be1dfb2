"""An emulator in a process of its own, and the Web API spoken to it with plain requests."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import requests

Row = dict[str, Any]
READY = "emulator ready "
EVERYTHING = {"Prefer": 'odata.include-annotations="*"'}
REPRESENTATION = {"Prefer": "return=representation"}
PART = "--batch_k\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{} HTTP/1.1\r\n\r\n\r\n"
END = "--batch_k--\r\n"
FORMATTED = "@OData.Community.Display.V1.FormattedValue"


class Served:
    """One `emulator serve`; the address is what it prints."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "crm_compliance", "emulator", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.line = self.process.stdout.readline()
        self.root = self.line.removeprefix(READY).strip()
        self.origin = self.root.split("/api/")[0]

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)


class Crm:
    """One caller of an organisation."""

    def __init__(self, root: str, token: str = "t", verify: bool | str = True) -> None:
        self.root, self.origin, self.token = root, root.split("/api/")[0], token
        self.path = urlsplit(root).path
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = verify
        self.http.headers.update({"Authorization": f"Bearer {token}", "OData-Version": "4.0", "OData-MaxVersion": "4.0"})
        self.http.headers["Accept"] = "application/json"

    def control(self, verb: str, name: str, body: Any = None) -> Any:
        answer = self.http.request(verb, f"{self.origin}/_emulator/{name}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def send(self, verb: str, path: str, json: Any = None, headers: Row | None = None, data: bytes | None = None) -> requests.Response:
        address = path if path.startswith("http") else self.root + path
        return self.http.request(verb, address, json=json, headers=headers, data=data)

    def get(self, path: str, headers: Row | None = None, **options: str) -> requests.Response:
        """Read a path; options become `$name=value`, percent-encoded."""
        if options:
            path += ("&" if "?" in path else "?") + "&".join(f"${name}={quote(text, safe='')}" for name, text in options.items())
        return self.send("GET", path, headers=headers)

    def rows(self, path: str, headers: Row | None = None, **options: str) -> list[Row]:
        answer = self.get(path, headers, **options)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    def one(self, path: str, headers: Row | None = None, **options: str) -> Row:
        answer = self.get(path, headers, **options)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def post(self, path: str, body: Any, headers: Row | None = None) -> requests.Response:
        return self.send("POST", path, body, headers)

    def patch(self, path: str, body: Any, headers: Row | None = None) -> requests.Response:
        return self.send("PATCH", path, body, headers)

    def put(self, path: str, body: Any, headers: Row | None = None) -> requests.Response:
        return self.send("PUT", path, body, headers)

    def delete(self, path: str, headers: Row | None = None) -> requests.Response:
        return self.send("DELETE", path, headers=headers)

    def create(self, table_set: str, **columns: Any) -> str:
        """Store a row under an id of our own choice."""
        row = new_id()
        answer = self.post(table_set, {key_of(table_set): row, **columns})
        assert answer.status_code == 204, answer.text
        return row

    def exists(self, path: str) -> bool:
        return self.get(path).status_code == 200

    def batch(self, body: bytes, boundary: str = "batch_k", headers: Row | None = None) -> requests.Response:
        kind = {"Content-Type": f'multipart/mixed; boundary="{boundary}"', **(headers or {})}
        return self.send("POST", "$batch", headers=kind, data=body)

    def load(self, table: str, rows: Sequence[Row], table_set: str) -> None:
        """Many rows with CreateMultiple."""
        targets = [{"@odata.type": f"Microsoft.Dynamics.CRM.{table}", **row} for row in rows]
        answer = self.post(f"{table_set}/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets})
        assert answer.status_code == 200, answer.text


KEYS = {"phonecalls": "activityid", "emails": "activityid", "cf_parties": "cf_partyid"}


def key_of(table_set: str) -> str:
    return KEYS.get(table_set, table_set[:-1] + "id")


def new_id() -> str:
    return str(uuid.uuid4())


def error(answer: requests.Response) -> tuple[int, str]:
    """Status and code; the body must be a JSON error."""
    return answer.status_code, str(answer.json()["error"]["code"])


def message(answer: requests.Response) -> str:
    return str(answer.json()["error"]["message"])
