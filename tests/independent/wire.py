"""The Web API spoken with plain requests: batches to load, pages to read whole tables."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.independent.evaluation import Row, Rows

SETS = {
    "account": "accounts",
    "contact": "contacts",
    "cf_dossier": "cf_dossiers",
    "cf_fiche": "cf_fiches",
    "cf_party": "cf_parties",
    "cf_recording": "cf_recordings",
    "cf_donation": "cf_donations",
    "cf_enrolment": "cf_enrolments",
    "cf_engagement": "cf_engagements",
    "cf_statistic": "cf_statistics",
    "annotation": "annotations",
    "phonecall": "phonecalls",
    "email": "emails",
    "activityparty": "activityparties",
}
IDS = {table: table + "id" for table in SETS} | {"phonecall": "activityid", "email": "activityid"}
PLATFORM = (
    *("audits", "deleteditemreferences", "fileattachments", "asyncoperations", "bulkdeleteoperations", "bulkdeletefailures"),
    *("duplicaterecords", "activitypointers"),
)


class Refused(Exception):
    """The Web API did not take a row of the organisation."""


class WebApi:
    """One organisation."""

    def __init__(self, root: str, token: str) -> None:
        self.root = root if root.endswith("/") else root + "/"
        self.path = urlsplit(self.root).path
        self.has_trouble = False  # scripted, by `control`
        self.http = requests.Session()
        self.http.headers.update(
            {"Authorization": f"Bearer {token}", "OData-Version": "4.0", "OData-MaxVersion": "4.0", "Accept": "application/json"}
        )

    def close(self) -> None:
        self.http.close()

    def control(self, method: str, name: str, body: Any = None) -> Any:
        answer = self.http.request(method, self.root.split("/api/")[0] + "/_emulator/" + name, json=body)
        answer.raise_for_status()
        if (method, name) == ("PUT", "faults"):
            self.has_trouble = bool(body)
        return answer.json() if answer.content else None

    def writes(self) -> dict[str, int]:
        operations = self.control("GET", "stats")["operations"]
        return {kind: operations[kind] for kind in ("create", "update", "delete")}

    def send(self, operations: Sequence[tuple[str, str, dict[str, Any]]], size: int = 250) -> None:
        """Carry out creates and updates, in order."""
        for start in range(0, len(operations), size):
            part = operations[start : start + size]
            lines: list[str] = []
            for method, path, body in part:
                lines += ["--b", "Content-Type: application/http", "Content-Transfer-Encoding: binary", ""]
                lines += [f"{method} {self.path}{path} HTTP/1.1", "Content-Type: application/json", "Accept: application/json"]
                if method == "PATCH":
                    lines.append("If-Match: *")
                lines += ["", json.dumps(body)]
            lines += ["--b--", ""]
            answer = self.http.post(
                self.root + "$batch",
                data="\r\n".join(lines).encode(),
                headers={"Content-Type": "multipart/mixed; boundary=b"},
            )
            statuses = re.findall(r"^HTTP/1\.1 (\d+)", answer.text, re.MULTILINE)
            done = len([s for s in statuses if s.startswith("2")])
            if done != len(part):
                culprit = part[done] if done < len(part) else None
                raise Refused(f"{answer.status_code}: {culprit}: {answer.text[-600:]}")

    def upload(self, path: str, name: str, body: bytes) -> None:
        headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": name}
        answer = self.http.patch(self.root + path, data=body, headers=headers)
        if answer.status_code != 204:
            raise Refused(f"{path}: {answer.status_code} {answer.text[:300]}")

    def rows(self, address: str) -> list[Row]:
        """All rows of a set, page by page."""
        found: list[Row] = []
        url: str | None = self.root + address
        while url:
            answer = self.http.get(url, headers={"Prefer": "odata.maxpagesize=2000"})
            answer.raise_for_status()
            document = answer.json()
            found += document["value"]
            url = document.get("@odata.nextLink")
        return found

    def everything(self) -> Rows:
        return {table: self.rows(set_name) for table, set_name in SETS.items()}

    def images(self) -> dict[str, str]:
        """Contacts that have an image; an image is read only when it is asked for by name."""
        return {r["contactid"]: r["entityimage"] for r in self.rows("contacts?$select=contactid,entityimage") if r.get("entityimage")}

    def platform(self) -> dict[str, list[Row]]:
        """The platform's own tables, as far as this organisation has them."""
        there = {entry["url"] for entry in self.http.get(self.root).json()["value"]}
        return {name: self.rows(name) for name in PLATFORM if name in there}


def by_id(rows: Iterable[Row], table: str) -> dict[str, Row]:
    return {row[IDS[table]]: row for row in rows}
