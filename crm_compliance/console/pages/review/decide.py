"""What a reviewer decides on one item of an answer, stored at once. Looking is one thing, deciding another:
what is let out was on this screen before, in this session."""

import json
from typing import Final

import msgspec
from starlette.responses import Response

from crm_compliance.console.frame.endpoint import post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.error_message import Said
from crm_compliance.console.pages.review.answers import Answer, actor_for, answer_for
from crm_compliance.console.pages.review.filters import Filter
from crm_compliance.console.pages.review.views import item_values, progress_values, row_of, states_of
from jobs.model.answer import NOT_A_NAME, NOT_THE_PERSON, SEEN_UNCHECKED, Item, ItemStatus
from jobs.register.request_steps import Actor
from jobs.requests.answer.review import decide_items
from rules.errors import ComplianceError, Refused, UsageError
from rules.model.roles import Act

TEXT_BYTES: Final = 4 * 1024 * 1024  # of a form: three times the longest text that becomes an item
ATTEMPTS: Final = 5  # to store a decision while others decide
LEADS_ON: Final = frozenset({"approve", "withhold", "not_person"})  # what is decided leads to the next item


def decide(visit: Visit) -> Response:
    """Take one decision on one item, by the function of the command, and answer with what comes next.

    Raises:
        Refused: with code `not_shown` or `file_not_shown`, where it would let out what was not on this
            screen; `role`, `state`, `not_compiled`.
        UsageError: somebody else has decided meanwhile (`changed`), or what the text says."""
    actor, among = actor_for(visit), Filter.of(visit)
    answer = answer_for(visit, actor)
    item = answer.item(visit.path("item"))
    what = visit.given("do")
    line = {"item": item.item, "since": visit.needed("since", visit.say("The version of the item")), **_decision(visit, item, what)}
    if line["status"] in (ItemStatus.APPROVED, ItemStatus.APPROVED_REDACTED):
        answer.refuse_unseen(item)
    items = _stored(visit, actor, answer.request.id, json.dumps(line, ensure_ascii=False))
    stored = Answer(visit, answer.request, msgspec.structs.replace(answer.compilation, items=items))
    now = stored.item(item.item)
    language = stored.compilation.language
    following = among.following(stored.items, language, now) if what in LEADS_ON else now
    following_path = f"{stored.path}/{following.item}{among.query}" if following else f"{stored.path}{among.query}"
    if not visit.is_part:
        return visit.see(following_path, note="saved")
    stored.show(now)  # the reply shows it as it stands
    values = item_values(stored, now, among) | progress_values(stored)
    return visit.part(
        "review/reply.html.j2",
        **values,
        row=row_of(stored, among, now, values["place"]),
        states=states_of(stored),
        leads_to=following_path,
        leads_on=what in LEADS_ON,
        is_over=following is None,
        said=visit.say("Saved."),
    )


def _stored(visit: Visit, actor: Actor, request: str, line: str, attempts: int = ATTEMPTS) -> tuple[Item, ...]:
    """Store a decision, and return all items as they then stand. Where somebody else decides on another item
    at this instant it is taken again: the line names the version of the item that was on the screen."""
    try:
        return decide_items(actor, request, line, takes_back=True)
    except ComplianceError as error:
        if isinstance(error, Refused) and error.code == "changed" and attempts > 1:
            return _stored(visit, actor, request, line, attempts - 1)
        raise _of_one_item(visit, error) from None


def _decision(visit: Visit, item: Item, what: str) -> dict[str, object]:
    """Return what a button says of an item, as a line of a file of decisions says it."""
    text = _text(visit)
    match what:
        case "approve":
            code = SEEN_UNCHECKED if visit.given("looked") and item.unread else NOT_A_NAME if visit.given("no_name") else ""
            if item.text is not None and item.status in (ItemStatus.PENDING_REVIEW, ItemStatus.APPROVED_REDACTED):
                return {"status": ItemStatus.APPROVED_REDACTED, "text": item.text, "code": code}
            return {"status": ItemStatus.APPROVED, "code": code}
        case "withhold":
            return {"status": ItemStatus.WITHHELD, "code": visit.needed("code", visit.say("The reason"))}
        case "not_person":
            return {"status": ItemStatus.WITHHELD, "code": NOT_THE_PERSON}
        case "draft":
            if not text.strip():
                raise UsageError(visit.say("The text is empty"), hint=visit.say("withhold the item instead"), where="text")
            return {"status": ItemStatus.PENDING_REVIEW, "text": text if text != item.proposal else None}
        case "reopen":
            return {"status": ItemStatus.PENDING_REVIEW}
        case "restore":
            status = ItemStatus(visit.given("status")) if visit.given("status") in list(ItemStatus) else ItemStatus.PENDING_REVIEW
            has_text = status in (ItemStatus.PENDING_REVIEW, ItemStatus.APPROVED_REDACTED) and text
            return {"status": status, "code": visit.given("code"), **({"text": text} if has_text else {})}
        case _:
            raise UsageError("this is not a decision on an item", hint="choose one of the buttons", where="do")


def _text(visit: Visit) -> str:
    """Return the text of the form as it was written, with line ends as the CRM has them."""
    found = visit.form.get("text")
    return found.replace("\r\n", "\n") if isinstance(found, str) else ""


def _of_one_item(visit: Visit, error: ComplianceError) -> ComplianceError:
    """Return the error in words of the page, for the item: there are no lines of a file."""
    said = visit.word("wrong", error.code)
    if said != error.code:
        kind = UsageError if isinstance(error, UsageError) else Refused
        return kind(Said(said), hint=visit.word("mend", error.code), where="item", code=error.code)
    error.args = (str(error).removeprefix("line 1 ").removesuffix("; nothing was stored"),)
    error.where = "item"
    return error


ENDPOINTS: Final = (post("/requests/{request}/review/{item}", decide, Act.HANDLE_REQUEST, form_bytes=TEXT_BYTES),)
