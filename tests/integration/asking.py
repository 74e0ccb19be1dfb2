"""Requests of fictitious people on a night's register, without the command line."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec

from jobs.model.request import SubjectRequest
from jobs.register.intake import open_request, read_form
from jobs.register.request_steps import Actor
from tests.drivers.night import Night
from tests.drivers.requesting import a_form, person

ASKER = {"firstname": "Voorbeeld", "lastname": "Vraagster (fictief)"}


def registered(night: Night, **changes: Any) -> SubjectRequest:
    """A request that was registered now, and nothing else: what it keeps is not looked up."""
    usual = {"received_at": night.clock().isoformat(), "given": person(**ASKER)}
    form = read_form(json.dumps(a_form(**(usual | changes))).encode(), night.clock(), night.policy.calendar)
    return open_request(night.store, form, calendar=night.policy.calendar, new_id=night.context.new_id)


def changed(night: Night, request: SubjectRequest, parts: dict[str, bytes | None] | None = None, **changes: Any) -> SubjectRequest:
    """Change a row as other steps would."""
    row = night.store.requests.get(request.id)
    moved = msgspec.structs.replace(row, **changes)
    night.store.requests.save(moved, since=row, parts=parts)
    return moved


def dpo(night: Night, now: datetime | None = None) -> Actor:
    return Actor(night.store, "dora", "dpo", now or night.clock(), night.key.reference, night.policy.calendar)
