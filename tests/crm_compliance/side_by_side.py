"""Two people who ask the same, each with a store of their own over one CRM: what every command answers,
stores and asks of the CRM.

Everybody is fictitious.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from sqlalchemy import create_engine, select

from connectors.dynamics.http.transport import Transport
from crm_compliance.store.sql.tables import metadata
from tests.drivers.clock import NOW
from tests.drivers.requesting import a_form, written
from tests.drivers.typed import Said
from tests.drivers.typist import DORA, ERIK, Typist

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ANY_OF = re.compile(r"(\(?)(\w+ eq )ID(?: or \2ID)*")
# What differs between any two requests: ids, instants, hashes, keyed references, tokens, passphrases.
_OWN = (
    (re.compile(r"(request|run|plan|hold)-[0-9a-f]{8,}"), r"\1-ID"),
    (re.compile(_ID), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d\d:\d\d)?"), "INSTANT"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"/d/[\w-]+"), "/d/TOKEN"),
    (re.compile(r"DSR-\d{4}-[0-9A-Z]{4}-[0-9A-Z]{4}"), "DSR"),
)


@dataclass
class Trail:
    """What one person's request left: by command what it answered, which requests it put to the CRM, how long
    it took; then the store."""

    request: str = ""
    said: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)
    stored: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)  # what it answered, with ids


class Asker:
    """Somebody who types for one request, in a folder with a store of its own."""

    def __init__(self, typist: Typist, folder: Path) -> None:
        folder.mkdir()
        self.typist, self.folder, self.trail, self.now = typist, folder, Trail(), NOW

    def type(self, name: str, *arguments: object) -> Said:
        """Type a command, and keep what it answered and what it asked of the CRM."""
        self.now += timedelta(minutes=1)
        self.typist.set(DATA_DIR=str(self.folder / "data"), CLOCK=self.now.isoformat())
        with requests_sent() as sent:
            began = time.perf_counter()
            said = self.typist.type(*arguments, "--json")
            self.trail.took_s[name] = time.perf_counter() - began
        assert said.code in (0, 6), (arguments, said)
        self.trail.said[name] = masked(f"{said.code}\n{said.out}\n{said.err}".replace(str(self.folder), "FOLDER"))
        self.trail.raw[name] = said.out + said.err
        self.trail.asked[name] = Counter(sent)
        return said

    def answered(self, given: dict[str, Any], contact: str = "", **form: Any) -> Trail:
        """Everything from the receipt to the closing, for the contact with this id or for nobody."""
        opened = self.type("open", "requests", "open", written(self.folder, a_form(given=given, **form)))
        request = self.trail.request = str(opened.document["request"])
        self.type("identify", "requests", "identify", request, "--method", "eid", *DORA)
        found = self.type("match", "requests", "match", request).document["candidates"]
        names = [each["candidate"] for each in found if each["id"] == contact]
        assert bool(names) == bool(contact), found
        self.type("confirm", "requests", "confirm", request, *(names or ["--none"]), *DORA)
        self.type("compile", "requests", "compile", request, *DORA)
        self.type("review", "requests", "review", request)
        self.type("show", "requests", "show", request)
        self.type("round", "run", "requests")
        self.type("approve", "requests", "approve", request, *DORA)
        files = ("--output", self.folder / "answer.zip", "--passphrase-file", self.folder / "answer.txt")
        self.type("release", "requests", "release", request, *files, *ERIK)
        self.type("notices", "requests", "notices", request, *DORA)
        self.type("close", "requests", "close", request, "--outcome", "NEUTRAL", *DORA)
        self.type("show_closed", "requests", "show", request)
        self.type("list", "requests", "list")
        self.type("round_closed", "run", "requests")
        self.type("history", "history", "list")
        self.type("holds", "holds", "list")
        self.type("export", "history", "export", "--output", self.folder / "ledger.jsonl")
        self.trail.said["ledger"] = masked((self.folder / "ledger.jsonl").read_text(encoding="utf-8"))
        self.trail.stored = rows_of_store(self.typist.settings.store_url)
        plan = [self.folder / f"plan{ending}" for ending in (".jsonl", ".json", ".csv", ".html")]
        self.type("plan", "plan", *(each for file in plan for each in ("--output", file)))
        for line in plan[0].read_text(encoding="utf-8").splitlines():
            unit = json.loads(line)
            self.type(f"why {unit['table']} {unit['id']}", "why", unit["table"], unit["id"])
        return self.trail


@contextmanager
def requests_sent() -> Iterator[list[tuple[str, str]]]:
    """The requests that go to the CRM meanwhile, by method and address, without ids and without how many of
    them are asked for at once."""
    sent: list[tuple[str, str]] = []
    send = Transport._send_once

    def recorded(self: Transport, method: str, url: str, *more: Any) -> Any:
        sent.append((method, shape_of(url)))
        return send(self, method, url, *more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Transport, "_send_once", recorded)
        yield sent


def shape_of(url: str) -> str:
    """An address without host and ids."""
    parts = urlsplit(url)
    text = re.sub(_ID, "ID", unquote(f"{parts.path}?{parts.query}"))
    text = re.sub(r"(?:<value>\{?ID\}?</value>)+", "<value>ID</value>", text)
    return _ANY_OF.sub(r"\1\2ID", text)


def masked(text: str) -> str:
    """A text with the same word for every id, instant, hash and token."""
    for pattern, word in _OWN:
        text = pattern.sub(word, text)
    return re.sub(r'"(by|checkpoint|signature|key|public|public_key|root)": ?"[^"]*"', r'"\1": "KEYED"', text)


def rows_of_store(url: str) -> dict[str, list[dict[str, object]]]:
    """Every row of every table in the order of its key, bytes by their size alone, without the moment at
    which a lease was renewed: that is one of the real clock."""
    engine = create_engine(url)
    found: dict[str, list[dict[str, object]]] = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            found[table.name] = [{name: _stored(value) for name, value in row.items() if name != "renewed_at"} for row in rows]
    engine.dispose()
    return found


def _stored(value: object) -> object:
    if isinstance(value, bytes):
        return len(value)
    if not isinstance(value, str):
        return value
    return masked(json.dumps(json.loads(value), sort_keys=True) if value.startswith(("{", "[")) else value)
