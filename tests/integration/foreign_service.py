"""A small OData service of another maker, and the liberties that such services take. It shares nothing with
the emulator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

Row = dict[str, Any]
ROOT = "/svc/"
PAGE = 8


def people(number: int = 21) -> list[Row]:
    """Fictitious people, the way a sample service shows them."""
    return [{"UserName": f"user{n:02}", "FirstName": "Lotte (fictief)", "Emails": [], "Order": n} for n in range(number)]


@dataclass
class Service:
    """One set and how it is served. `link` writes the address of the next page from its query; `trouble` may
    spoil the n-th answer."""

    rows: list[Row] = field(default_factory=people)
    key: tuple[str, ...] = ("UserName",)
    token: str = "$skiptoken"  # counts rows; "$skip" too; "after" names the last row
    link: Callable[[Service, str], str] = lambda service, query: f"{service.url}People?{query}"
    counts: bool | int = True  # False: says nothing; a number: refuses with that status
    selects: bool | int = True  # False: takes no notice
    schema: str | int = ""
    prefix: str = "@odata."
    row_extra: Callable[[Row], Row] = lambda row: {}
    page_extra: Row = field(default_factory=dict)
    wrapped: Callable[[Row], Any] = lambda page: page
    before_page: Callable[[Service, int], None] = lambda service, page: None
    trouble: Callable[[int], str] = lambda number: ""
    headers: dict[str, str] = field(default_factory=lambda: {"OData-Version": "4.0"})
    port: int = 0
    asked: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{ROOT}"

    @property
    def digest(self) -> str:
        """What `ids_sha256` must be: computed from the rows, not from anything that was sent."""
        ids = sorted(",".join(str(row[part]) for part in self.key).lower() for row in self.rows)
        return hashlib.sha256("".join(f"{one}\n" for one in ids).encode()).hexdigest()

    def description(self) -> str:
        refs = "".join(f'<PropertyRef Name="{part}"/>' for part in self.key)
        return (
            '<?xml version="1.0" encoding="utf-8"?><!-- a sample -->'
            '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
            '<Schema Namespace="Other" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
            '<EntityType Name="Person"><Key><PropertyRef Name="Wrong"/></Key></EntityType></Schema>'
            '<Schema Namespace="Sample.Model" Alias="Self" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
            f'<EntityType Name="Being"><Key>{refs}</Key></EntityType><EntityType Name="Person" BaseType="Self.Being"/>'
            '<EntityContainer Name="C"><EntitySet Name="People" EntityType="Sample.Model.Person"/></EntityContainer>'
            "</Schema></edmx:DataServices></edmx:Edmx>"
        )

    def answer(self, address: str, accept: str) -> tuple[int, str, bytes]:
        """Status, media type and body."""
        parts = urlsplit(address)
        name = parts.path.removeprefix(ROOT)
        if name == "$metadata":
            status = self.schema if isinstance(self.schema, int) else 200
            return status, "application/xml", (self.schema or self.description()).encode() if status == 200 else b"no"  # type: ignore[union-attr]
        if name == "":
            return 200, "application/json", json.dumps({"value": [{"name": "People", "kind": "EntitySet", "url": "People"}]}).encode()
        if name != "People":
            return 404, "text/html", b"<html>Not Found</html>"
        return self._page({option: values[0] for option, values in parse_qs(parts.query).items()}, accept)

    def _page(self, query: dict[str, str], accept: str) -> tuple[int, str, bytes]:
        for option, way in (("$count", self.counts), ("$select", self.selects)):
            if option in query and way is not True and way is not False:
                return way, "application/json", json.dumps({"error": {"code": "", "message": f"{option} by Lotte (fictief)"}}).encode()
        rows, at = self.rows, query.get(self.token)
        if self.token == "after":
            rows = sorted(rows, key=lambda row: str(row[self.key[0]]))
            start = next((n for n, row in enumerate(rows) if at is not None and str(row[self.key[0]]) > at), 0 if at is None else len(rows))
        else:
            start = int(at or 0)
        self.before_page(self, start // PAGE)
        shown = self.rows[start : start + PAGE] if self.token != "after" else rows[start : start + PAGE]
        wanted = query.get("$select", "").split(",") if self.selects is True and "$select" in query else None
        page: Row = {f"{self.prefix}context": f"{self.url}$metadata#People"} | self.page_extra
        if query.get("$count") == "true" and self.counts is True:
            page[f"{self.prefix}count"] = len(self.rows)
        page["value"] = [
            {name: value for name, value in row.items() if wanted is None or name in wanted} | self._extra(row, accept) for row in shown
        ]
        if start + PAGE < len(self.rows):
            mark = str(shown[-1][self.key[0]]) if self.token == "after" else str(start + PAGE)
            kept = "".join(f"&{option}={query[option]}" for option in ("$select", "$count") if option in query)
            page[f"{self.prefix}nextLink"] = self.link(self, f"{self.token}={mark}{kept}")
        return 200, "application/json; charset=utf-8", json.dumps(self.wrapped(page)).encode()

    def _extra(self, row: Row, accept: str) -> Row:
        return self.row_extra(row) if "metadata=full" in accept or not self.row_extra(row).keys() & {"@odata.id", "@odata.editLink"} else {}


def keyed(row: Row) -> str:
    """A row's own address, as a service with full metadata writes it."""
    return f"People('{row['UserName']}')"


@contextmanager
def served(service: Service) -> Iterator[Service]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: the second of two would wait for the first to be confirmed

        def do_GET(self) -> None:  # the name that http.server calls
            service.asked.append(self.path)
            service.accepted.append(self.headers.get("Accept", ""))
            trouble = service.trouble(len(service.asked))
            service.troubles += [trouble] if trouble else []
            status, kind, body = service.answer(self.path, self.headers.get("Accept", ""))
            more = dict(service.headers)
            if trouble[:3] in ("429", "503"):
                status, body = int(trouble[:3]), b"<html>busy</html>"
                more |= {"Retry-After": trouble[4:]} if trouble[4:] else {}
            if trouble == "short":
                body = body[: len(body) * 2 // 3]
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if trouble == "cut" else body)
            self.close_connection = trouble == "cut"

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
