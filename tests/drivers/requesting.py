"""What tests of subject requests share: forms of fictitious people, moves by somebody, and rows of the
register that tell the same."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from connectors.interface.errors import Unreachable
from crm_compliance.reports.requests.register import request_document
from jobs.model.request import SubjectRequest
from jobs.register.intake import open_request, read_form
from rules.dates.calendar import BELGIAN
from tests.drivers.night import Night
from tests.drivers.typist import Typist

# Keys that hold a day, an instant or an account, or follow from them.
OF_THE_DAY = ("request", "received_on", "received_at", "due_on", "delivered_at", "closed_at", "misdelivered_at", "link_until")
FOLLOWING = ("targets", "alarms", "overdue", "package_sha256", "days_left", "next", "reference")


ASKER = {"firstname": "Voorbeeld", "lastname": "Vraagster (fictief)"}


def person(**changes: Any) -> dict[str, Any]:
    """A fictitious person as a form describes one."""
    nothing = {"birthdate": "", "nationalnumbers": [], "phones": [], "emails": []}
    return ASKER | nothing | changes


CHILD = person(firstname="Kind", lastname="Voorbeeld (fictief)", birthdate="2012-05-08")


def a_form(**changes: Any) -> dict[str, Any]:
    """A form that is right (contract 3.6)."""
    usual = {
        "right": "access",
        "requester_kind": "witness",
        "received_at": "2026-11-25T09:30:00Z",
        "channel": "form",
        "language": "nl",
        "given": person(),
        "on_behalf_of": None,
    }
    return usual | changes


def written(folder: Path, form: object) -> Path:
    """The form as a file."""
    file = folder / "form.json"
    file.write_text(form if isinstance(form, str) else json.dumps(form, ensure_ascii=False), encoding="utf-8")
    return file


def opened(typist: Typist, **changes: Any) -> str:
    """The id of a request that was just opened."""
    return str(typist.ask("requests", "open", written(typist.folder, a_form(**changes)))["request"])


def same_row(one: SubjectRequest, other: SubjectRequest) -> bool:
    """Whether two rows of the register tell the same but for ids, dates and the people who worked on them
    (R-111, SUS-07)."""
    return shape(one) == shape(other)


def shape(request: SubjectRequest) -> object:
    """What a row of the register tells beside its id, its dates and who worked on it; a date that is there is
    a date."""
    return _undated(request_document(request, request.received_at, BELGIAN))


def _undated(value: object) -> object:
    if isinstance(value, Mapping):
        dated = (*OF_THE_DAY, "on", "at", "as", "asked_on", "answered_on", "notified_at")
        return {key: each is not None if key in dated else _undated(each) for key, each in value.items() if key not in FOLLOWING}
    if isinstance(value, list):
        return [_undated(each) for each in value]
    return value


def at(typist: Typist, moment: str) -> None:
    """Let the product's clock begin at another instant."""
    typist.set(CLOCK=moment)


def unreachable(*_: object, **__: object) -> tuple[str, ...]:
    """A CRM that does not answer, without the minutes in which one waits for it."""
    raise Unreachable("the CRM does not answer")


def shown(typist: Typist, request: str) -> Any:
    return typist.ask("requests", "show", request)


def registered(night: Night, **changes: Any) -> SubjectRequest:
    """A request that was registered now without a command, and nothing else: what it keeps is not looked
    up."""
    form = a_form(**({"received_at": night.clock().isoformat()} | changes))
    read = read_form(json.dumps(form).encode(), night.clock(), night.policy.calendar)
    return open_request(night.store, read, calendar=night.policy.calendar, new_id=night.context.new_id)


def changed(night: Night, request: str, parts: Mapping[str, bytes | None] | None = None, **changes: Any) -> SubjectRequest:
    """Change a row as other steps would."""
    row = night.store.requests.get(request)
    moved = msgspec.structs.replace(row, **changes)
    night.store.requests.save(moved, since=row, parts=parts)
    return moved


def steps(org: Night) -> list[str]:
    return [
        str(entry.data.get("step", entry.data.get("action"))) for entry in org.store.ledger.entries() if entry.kind in ("request", "denied")
    ]
