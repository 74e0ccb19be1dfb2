"""An answer, and the two people who give it."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from jobs.model.answer import Compilation, Item, ItemStatus
from jobs.model.request import RequestApproval, SubjectRequest
from jobs.ports.context import JobContext
from jobs.register.request_steps import Actor, actor_of
from jobs.requests.answer.compile import compile_request, compiled
from jobs.requests.answer.release import approve_content, outcome_of
from jobs.requests.answer.release_check import for_release
from jobs.requests.answer.review import decide_items
from rules.errors import Refused
from rules.model.requests import Outcome, Right
from tests.drivers.deciding import ask
from tests.drivers.night import Night


class Answer:
    """One request whose person is confirmed, and the two people who answer it."""

    def __init__(self, night: Night, contact: str, *, right: Right = Right.ACCESS, **more: Any) -> None:
        self.night = night
        self.context: JobContext = night.context
        self.id = ask(night, right, contact, **more).id

    def compile(self) -> Compilation:
        return compile_request(self.context, self.id, "dora", "dpo")

    @property
    def now(self) -> Compilation:
        return compiled(self.night.store, self.row)

    @property
    def row(self) -> SubjectRequest:
        return self.night.store.requests.get(self.id)

    def actor(self) -> Actor:
        return actor_of(self.context, "dora", "dpo")

    def decide(self, *lines: Mapping[str, object]) -> tuple[Item, ...]:
        return decide_items(self.actor(), self.id, "\n".join(json.dumps(line) for line in lines))

    def approve(self) -> SubjectRequest:
        """Approve what waits, as it is proposed, and the content."""
        lines = [{"item": item.item, "status": "APPROVED"} for item in self.now.items if item.status is ItemStatus.PENDING_REVIEW]
        if lines:
            self.decide(*lines)
        return approve_content(self.context, self.id, "dora", "dpo")

    def release(self, who: str = "erik", role: str = "approver") -> Outcome:
        return outcome_of(for_release(self.context, self.id, who, role)[1])[0]

    def refused(self, who: str = "erik", role: str = "approver") -> str:
        with pytest.raises(Refused) as refusal:
            self.release(who, role)
        return refusal.value.code

    def override(self, rule: str) -> None:
        row, at = self.row, self.night.clock()
        approvals = [RequestApproval("override", who, role, at, rule, "WEIGHED") for who, role in (("dora", "dpo"), ("erik", "approver"))]
        self.night.store.requests.save(msgspec.structs.replace(row, approvals=(*row.approvals, *approvals)), since=row)
