"""Somebody who asks about their data in a test, through the commands: from the receipt to an answer that two
people approved.

Everybody is fictitious.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from crm_compliance.store.store import SqlStore
from crm_compliance.wiring.desk import desk
from crm_compliance.wiring.store import store_of
from jobs.model.answer import Compilation
from jobs.model.request import SubjectRequest
from jobs.ports.context import JobContext
from jobs.requests.answer.compile import compilation_of
from jobs.requests.answer.release import released
from jobs.requests.answer.release_check import for_release
from tests.drivers.clock import NOW, Clock
from tests.drivers.typist import DORA, ERIK, Typist

RECEIVED = "2026-11-25T10:00:00+01:00"


@dataclass
class Asking:
    """One request, and whoever types for it."""

    typist: Typist
    id: str = ""
    answer: dict[str, Any] = field(default_factory=dict)

    def open(self, given: dict[str, Any], behalf: dict[str, Any] | None = None, *, kind: str = "", **more: Any) -> Asking:
        """Register the receipt; `given` are fields of the form."""
        form = {
            "right": "access",
            "requester_kind": kind or ("parent_for_child" if behalf else "unknown"),
            "received_at": RECEIVED,
            "channel": "email",
            "language": "nl",
            "given": _person(given),
            "on_behalf_of": _person(behalf) if behalf else None,
            **more,
        }
        path = self.typist.folder / "asked.json"
        path.write_text(json.dumps(form), encoding="utf-8")
        self.id = self.typist.ask("requests", "open", path)["request"]
        return self

    def identify(self, method: str = "eid", *more: str) -> Asking:
        self.typist.ask("requests", "identify", self.id, "--method", method, *more, *DORA)
        return self

    def confirm(self, *contacts: str) -> Asking:
        """Search, and confirm the candidates with these ids; none of them where there are none."""
        found = self.typist.ask("requests", "match", self.id)["candidates"]
        names = [each["candidate"] for each in found if each["id"] in contacts]
        assert len(names) >= len(set(contacts)), found
        self.typist.ask("requests", "confirm", self.id, *(names or ("--none",)), *DORA)
        return self

    def compile(self, *more: str) -> dict[str, Any]:
        self.answer = self.typist.ask("requests", "compile", self.id, *more, *DORA)
        return self.answer

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.typist.ask("requests", "review", self.id)
        return found

    def decide(self, *lines: dict[str, Any], code: int = 0) -> Any:
        path = self._decisions(lines)
        if code:
            return self.typist.refused("requests", "review", self.id, "--decisions", path, *DORA, code=code)
        return self.typist.ask("requests", "review", self.id, "--decisions", path, *DORA)

    def approve_all(self) -> Asking:
        """Approve what waits, as it is proposed, and then the content."""
        lines = [{"item": item["item"], "status": "APPROVED"} for item in self.items() if item["status"] == "PENDING_REVIEW"]
        if lines:
            self.decide(*lines)
        self.typist.ask("requests", "approve", self.id, *DORA)
        return self

    def override(self, rule: str) -> Asking:
        """Two people set a rule aside."""
        for who in (DORA, ERIK):
            self.typist.ask("requests", "override", self.id, "--rule", rule, "--reason", "WEIGHED", *who)
        return self

    @property
    def compilation(self) -> Compilation:
        with self._store() as store:
            found = compilation_of(store, self.id)
        assert found is not None
        return found

    def row(self) -> SubjectRequest:
        with self._store() as store:
            return store.requests.get(self.id)

    def release(self, who: str = "erik", role: str = "approver") -> SubjectRequest:
        """Ask every guard of a release, and give the row of the register as it would be written. Raises what
        a guard refuses with."""
        with self.context() as context:
            request, compilation = for_release(context, self.id, who, role)
            return released(request, compilation, who, role, context.clock())

    @contextmanager
    def context(self) -> Iterator[JobContext]:
        with desk(self.typist.settings) as opened:
            yield opened.context

    @contextmanager
    def _store(self) -> Iterator[SqlStore]:
        with store_of(self.typist.settings, Clock(NOW)) as store:
            yield store

    def _decisions(self, lines: tuple[dict[str, Any], ...]) -> Path:
        path = self.typist.folder / "decisions.jsonl"
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        return path


def _person(given: dict[str, Any]) -> dict[str, Any]:
    nothing = {"firstname": "", "lastname": "", "birthdate": "", "nationalnumbers": [], "phones": [], "emails": []}
    return nothing | given


def told(compilation: Compilation) -> str:
    """Everything that the package is made from: what a test looks for must be, or must not be, in it."""
    shown = [
        (item.item, item.kind, item.title, item.at, item.shown_text, [(each.name, each.value) for each in item.shown_fields])
        for item in compilation.shown
    ]
    contexts = [msgspec.structs.replace(context, source=("", "")) for context in compilation.told_contexts()]
    return msgspec.json.encode((shown, contexts, compilation.told_withheld, compilation.addressee)).decode()
