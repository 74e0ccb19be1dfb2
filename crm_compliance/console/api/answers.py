"""What the interface answers with: the documents of the commands, described as far as a script relies on
them, and errors with the code, message, hint and place that `--json` gives."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from crm_compliance.console.frame.errors import OURS, status_of, told_when
from crm_compliance.console.frame.services import Busy
from crm_compliance.hints import in_words
from crm_compliance.identity.bearer import NoRole, NoToken
from rules.errors import ComplianceError

ROOT: Final = "/api/v1"
AGAIN_S: Final = "5"
MOST: Final = 500  # entries of one answer


class Document(BaseModel):
    """A document of the commands: what is described here is there, and more may be (docs/commands.md)."""

    model_config = ConfigDict(extra="allow")


class PlanAnswer(Document):
    plan: str
    kind: str
    state: str
    as_of: str
    created_at: str
    valid_until: str
    policy_version: str
    units: int
    dispose: dict[str, int]
    retain: dict[str, int]
    applicable: bool
    of_no_use: str = Field(description="why nothing applies a plan that waits, whoever approves it; empty where it may be applied")


class Wrong(BaseModel):
    code: str
    message: str
    hint: str
    where: str


class MakingAnswer(BaseModel):
    """How far a plan is: `rows` read from the CRM in so many `requests`, and why it could not be made."""

    plan: str
    state: Literal["going_on", "made", "failed"]
    rows: int
    requests: int
    error: Wrong | None = None


class LineAnswer(Document):
    table: str
    id: str
    outcome: str
    disposition: str | None
    reason: str


class LinesAnswer(BaseModel):
    """One page of lines; `next` is the offset of the page after it."""

    total: int
    next: int | None
    lines: list[LineAnswer]
    facets: dict[str, dict[str, int]] = Field(description="how many lines each other value of a filter would give")


class ChangesAnswer(Document):
    added: int
    removed: int
    changed: int
    unchanged: int


class RunAnswer(Document):
    run: str
    kind: str
    state: str
    started_at: str | None
    ended_at: str | None
    plan: str | None


class VerifiedAnswer(BaseModel):
    ok: bool
    entries: int
    head: str
    problems: list[dict[str, str]]


class HoldAnswer(Document):
    hold: str
    type: str
    table: str
    state: str
    source: str


class HoldsAnswer(BaseModel):
    """One page of holds; `next` is the offset of the page after it."""

    total: int
    next: int | None
    holds: list[HoldAnswer]


class RequestAnswer(Document):
    request: str
    right: str
    state: str
    received_on: str
    due_on: str | None
    days_left: int | None


class ScheduleAnswer(BaseModel):
    name: str
    version: str
    valid_from: str
    digest: str
    source: str
    categories: list[dict[str, Any]]


class WhyAnswer(Document):
    table: str
    id: str
    outcome: str
    reason: str
    trace: list[dict[str, Any]]


class WaitingAnswer(BaseModel):
    """Something that waits for the caller, in their role."""

    kind: str
    subject: str
    code: str
    stage: str
    count: int | None
    due_on: str | None


class ErrorAnswer(BaseModel):
    error: Wrong


# What any operation may answer instead; a code says which it is (docs/api.md).
INSTEAD: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ErrorAnswer, "description": description}
    for status, description in {
        400: "the call is not as described, or names nothing that there is",
        401: "no token, or none that is good here",
        403: "the role may not do this, which is recorded, or the token carries none",
        404: "there is nothing at this address",
        409: "a guard refuses, or it is not the time for this step",
        429: "too many calls with tokens that are not good",
        500: "the schedule, or a file of this service, cannot be used, or something went wrong",
        503: "the database, the CRM or the sign-in service cannot be reached, or too many people have the CRM read",
    }.items()
}


def answer_of(error: ComplianceError) -> JSONResponse:
    """Return the answer for what an operation raised."""
    status, headers = status_of(error), {}
    if isinstance(error, NoToken) and not isinstance(error, NoRole):
        status, headers = 401, {"WWW-Authenticate": "Bearer"}
    elif error.code == "person_needed":
        status = 403
    elif isinstance(error, Busy):
        status = 503
    return JSONResponse({"error": wrong_of(error).model_dump()}, status_code=status, headers=headers | told_when(status, error))


def wrong_of(error: ComplianceError) -> Wrong:
    """Return an error as answers tell it. What is wrong with this service's own files is told by its code
    alone: paths and the address of the database are for who is on its machine."""
    if error.code in OURS:
        return Wrong(code=error.code, message="the store of this service cannot be used", hint="`doctor` on its machine", where="")
    return Wrong(code=error.code, message=str(error), hint=in_words(error.hint), where=error.where or error.field)


async def compliance_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ComplianceError)
    return answer_of(error)


async def invalid(_: Request, error: Exception) -> JSONResponse:
    """Answer for input that is not as described: every place, and no value, since half of them may be about
    somebody; nor a key that nobody knows, which may be anything."""
    assert isinstance(error, RequestValidationError)
    places = [f"{'.'.join(map(str, _known(problem)))}: {_kind(problem)}" for problem in error.errors()]
    return _wrong(400, "usage", "the call is not as the interface describes it", f"{ROOT}/openapi.json", "; ".join(places)[:500], {})


async def not_served(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    what = {404: "there is nothing at this address", 405: "this address does not take this method"}
    headers = dict(error.headers or {})
    message = what.get(error.status_code, "this call cannot be answered")
    return _wrong(error.status_code, "not_found" if error.status_code == 404 else "usage", message, "", "", headers)


def bug() -> JSONResponse:
    return _wrong(500, "bug", "something went wrong here", "tell the administrator", "", {})


def too_many() -> JSONResponse:
    return _wrong(429, "too_many", "too many calls with tokens that are not good", "wait a minute", "", {"Retry-After": "60"})


def too_large() -> JSONResponse:
    return _wrong(413, "too_large", "this is more than a call may hold", "", "", {})


def _known(problem: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the place of a problem, as far as the interface describes it."""
    return tuple(problem["loc"][:-1] if problem["type"] == "extra_forbidden" else problem["loc"])


def _kind(problem: Mapping[str, Any]) -> str:
    return str(problem["type"]).replace("_", " ")


def _wrong(status: int, code: str, message: str, hint: str, where: str, headers: Mapping[str, str]) -> JSONResponse:
    document = {"error": {"code": code, "message": message, "hint": hint, "where": where}}
    return JSONResponse(document, status_code=status, headers=dict(headers))
