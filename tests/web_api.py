"""The Web API as an outside program speaks it: plain HTTP and JSON, nothing of the emulator's code."""

import re
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import requests

Row = dict[str, Any]
ANNOTATED = {"Prefer": 'odata.include-annotations="*"'}
REPRESENTATION = {"Prefer": "return=representation"}


class WebApi:
    """One caller of one organisation: `url` is the service root, `root` the address before it, `path` what
    lies between."""

    def __init__(self, url: str, token: str = "any", verify: bool | str = True) -> None:
        self.url, self.root, self.path = url, url.split("/api/")[0], urlsplit(url).path
        self.http = requests.Session()
        # Over plain HTTP, or with an authority given, there is no bundle, proxy or .netrc to look for.
        self.http.trust_env = url.startswith("https:") and verify is True
        self.http.verify = verify
        self.http.headers.update({"Authorization": f"Bearer {token}", "OData-Version": "4.0", "OData-MaxVersion": "4.0"})
        self.http.headers["Accept"] = "application/json"

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, data: bytes | None = None
    ) -> requests.Response:
        """Below the service root, or anywhere when the path is a whole URL; the body as JSON, or bytes."""
        address = path if path.startswith("http") else self.url + path
        return self.http.request(method, address, json=body, headers=headers, data=data, timeout=60)

    def get(self, path: str, headers: dict[str, str] | None = None, **options: str) -> requests.Response:
        """Read a path; options become `$name=value`, percent-encoded."""
        if options:
            path += ("&" if "?" in path else "?") + "&".join(f"${name}={quote(text, safe='')}" for name, text in options.items())
        return self.send("GET", path, headers=headers)

    def row(self, path: str, headers: dict[str, str] | None = None, **options: str) -> Row:
        answer = self.get(path, headers, **options)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rows(self, path: str, headers: dict[str, str] | None = None, **options: str) -> list[Row]:
        return list(self.row(path, headers, **options)["value"])

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> requests.Response:
        return self.send("POST", path, body, headers)

    def patch(self, path: str, body: Any, headers: dict[str, str] | None = None) -> requests.Response:
        return self.send("PATCH", path, body, headers)

    def put(self, path: str, body: Any, headers: dict[str, str] | None = None) -> requests.Response:
        return self.send("PUT", path, body, headers)

    def delete(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return self.send("DELETE", path, headers=headers)

    def create(self, table_set: str, **columns: Any) -> str:
        """Store a row; gives the id that the service chose, or the one among the columns."""
        answer = self.post(table_set, columns)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"][-37:-1]

    def load(self, table: str, rows: Sequence[Row], table_set: str) -> None:
        """Store many rows with CreateMultiple."""
        targets = [{"@odata.type": f"Microsoft.Dynamics.CRM.{table}", **row} for row in rows]
        answer = self.post(f"{table_set}/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets})
        assert answer.status_code == 200, answer.text

    def exists(self, path: str, row: str = "") -> bool:
        """Whether a row can be read: by its address, or by its set and its id."""
        return self.get(f"{path}({row})" if row else path).status_code == 200

    def etag(self, table_set: str, row: str) -> str:
        return self.get(f"{table_set}({row})").headers["ETag"]

    def batch(self, *parts: str, headers: dict[str, str] | None = None, boundary: str = "b", end: str = "\r\n") -> requests.Response:
        """Send parts that `request_part` or `change_set` made."""
        body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--{end}"
        content_type = {"Content-Type": f'multipart/mixed; boundary="{boundary}"'}
        return self.send("POST", "$batch", headers=content_type | (headers or {}), data=body.encode())

    def control(self, method: str, name: str, body: Any = None) -> Any:
        """Ask what an emulator has beside the Web API."""
        answer = self.http.request(method, f"{self.root}/_emulator/{name}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()


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
    """The status of every inner response of a batch, in order."""
    return [int(status) for status in re.findall(r"^HTTP/1\.1 (\d{3})", answer.text, re.MULTILINE)]


def error_of(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refusal; the shape is checked on the way."""
    error = answer.json()["error"]
    assert isinstance(error["message"], str)
    return answer.status_code, error["code"]


def message_of(answer: requests.Response) -> str:
    return str(answer.json()["error"]["message"])


def new_id() -> str:
    return str(uuid.uuid4())
