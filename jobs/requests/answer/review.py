"""A person's decisions on the items of an answer, one line each, all or nothing; there is no "all at once".

`APPROVED` releases an item as it is proposed: that shows less than the CRM has, never more.
`APPROVED_REDACTED` releases the text that the person wrote instead; `WITHHELD` leaves the item out, with a
code. On the console `PENDING_REVIEW` takes a decision back, and may keep a text that the person is still at
work on: it releases nothing, and is checked once it is to be released; a file of decisions does not have it.
Of a right other than access an item is a proposal
that the DPO grants or not (`requests/decisions/decide.py`): looking at it says no more than that somebody
did, and one that is withheld is not granted unless it is named.

A file that no program can read is included only if a person says that they looked at this very file:
`APPROVED` with the code `SEEN_UNCHECKED`. What nobody has looked at must not slip through with an approval
that was meant for something else.

A text in which something is nearly somebody's name, such as a surname with a typing error, is included if a
person says that it is not a name: with the code `NOT_A_NAME`. So is one with something that reads like a
name, number or address and is in no proposal: nobody knows who it may be, so that no later check would find
it.

Source: EXP-07, EXP-09, EXP-14, RGT-09, R-096, R-117; contract 3.6."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from typing import Any, Final

import msgspec

from jobs.model.answer import NOT_A_NAME, SEEN_UNCHECKED, Compilation, Item, ItemStatus
from jobs.model.request import COMPILATION, SubjectRequest
from jobs.ports.context import JobContext
from jobs.register.decision import PUT_ASIDE, is_settled
from jobs.register.request_steps import Actor, authorised, check_role, of_this_crm, save_transition
from jobs.requests.answer.compile import compiled, drafted
from jobs.requests.answer.completeness import rows_counted
from rules.errors import UsageError
from rules.hints import Hint, hint_to
from rules.model.home import Home
from rules.model.requests import COPIES, Step
from rules.model.roles import Act
from rules.redaction.labels import LABEL
from rules.redaction.leak_terms import LeakTerms
from rules.redaction.personal_data import data_of_anybody, names_of_anybody
from rules.redaction.redactor import NAME_GUESS
from rules.texts.disguises import as_read
from rules.texts.folding import fold, tidy

DECIDED: Final = ("APPROVED", "APPROVED_REDACTED", "WITHHELD")
LONGEST_LINE = 2 * 1024 * 1024
_HIDDEN: Final = "\uffff"  # no character at all: no pattern reaches across it
_KEYS: Final = frozenset({"item", "status", "code", "text", "digest", "since"})
_OPEN: Final = (ItemStatus.PENDING_REVIEW, ItemStatus.APPROVED_REDACTED)  # what may have a text of the reviewer
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_-]{0,39}")


class Decision(msgspec.Struct, frozen=True):
    """A line of a file of decisions. `digest` is that of the item decided on, `since` its version as it stood
    when somebody looked at it, where the line says so."""

    line: int
    item: str
    status: ItemStatus
    code: str = ""
    text: str | None = None
    digest: str = ""
    since: str = ""


def version_of(item: Item) -> str:
    """Return what tells an item with what stands about it now from the same with another decision."""
    stands = (item.digest, item.item, item.status.value, item.code, item.text)
    return hashlib.sha256(msgspec.json.encode(stands)).hexdigest()[:24]


def items_of(actor: Actor, request_id: str) -> tuple[Item, ...]:
    """Return the current items of the answer, for the two people who approve. Raises Refused: with code
    `role` or `not_compiled`."""
    check_role(actor, Step.REVIEW, Act.SEE_ANSWER)
    return compiled(actor.store, of_this_crm(actor, request_id, Step.REVIEW)).items


def for_looking(actor: Actor, request_id: str) -> tuple[SubjectRequest, Compilation]:
    """Return a request and its whole answer, for the two people who approve. Raises UsageError: an unknown
    request; Refused: with code `role`, `other_crm` or `not_compiled`."""
    check_role(actor, Step.REVIEW, Act.SEE_ANSWER)
    request = of_this_crm(actor, request_id, Step.REVIEW)
    return request, compiled(actor.store, request)


def for_page(actor: Actor, request_id: str) -> tuple[SubjectRequest, Compilation]:
    """Return a request and its whole answer, for the page on which it is reviewed. Raises Refused: with code
    `role` or `not_compiled`."""
    check_role(actor, Step.REVIEW)
    request = actor.store.requests.get(request_id)
    return request, compiled(actor.store, request)


def decide_items(actor: Actor, request_id: str, text: str, *, takes_back: bool = False) -> tuple[Item, ...]:
    """Take a file of decisions, whole or not at all, and give the items as they then stand; `takes_back`: a
    decision may also be taken back.

    Raises:
        UsageError: a line that is wrong, by its number; what it says is not repeated.
        Refused: with code `role`, `state` or `not_compiled`."""
    request = authorised(actor, request_id, Step.REVIEW)
    compilation = compiled(actor.store, request)
    decisions = read_decisions(text, compilation, takes_back=takes_back)
    decide = _decided if request.right in COPIES else partial(_looked_at, compilation)
    items = tuple(decide(item, decisions.get(item.item)) for item in compilation.items)
    parts = {COMPILATION: msgspec.json.encode(msgspec.structs.replace(compilation, items=items))}
    save_transition(actor, request, {}, Step.REVIEW, {"decisions": len(decisions)}, parts=parts)
    return items


def completeness(context: JobContext, actor: Actor, request_id: str) -> dict[str, Any]:
    """Count again in which of three places every row is (completeness.py), for the two people who approve. It
    is stored nowhere (EXP-14). Raises Refused: with code `role`, or `not_confirmed`."""
    check_role(actor, Step.REVIEW, Act.SEE_ANSWER)
    draft = drafted(context, of_this_crm(actor, request_id, Step.REVIEW), with_files=False)
    return {"request": request_id} | rows_counted(draft.compilation, draft.found, draft.scope, draft.files_of_others)


def read_decisions(text: str, compilation: Compilation, *, takes_back: bool) -> Mapping[str, Decision]:
    """Read JSON lines, one an item. Raises UsageError: naming the first line that is wrong."""
    items = {item.item: item for item in compilation.items}
    leak_terms = cache(lambda: LeakTerms(compilation.leak_terms))  # a decision without a text needs none of it
    known = cache(lambda: _told_letters(compilation))
    is_copy = compilation.right in COPIES
    found: dict[str, Decision] = {}
    for decision in _lines(text, (*DECIDED, ItemStatus.PENDING_REVIEW) if takes_back else DECIDED):
        item = items.get(decision.item)
        if item is None:
            raise _wrong(decision.line, "names no item of this request", hint_to("show_items", request=compilation.request))
        if decision.digest and decision.digest != item.digest:
            raise _wrong(
                decision.line,
                "was decided on something else than the item is now",
                hint_to("look_again", request=compilation.request),
                code="changed",
            )
        if decision.item in found:
            raise _wrong(decision.line, "decides about an item for the second time", "one line an item")
        if decision.since and decision.since != version_of(item):
            again = hint_to("look_again", request=compilation.request)
            raise _wrong(decision.line, "decides on an item on which somebody else has decided meanwhile", again, code="changed")
        if decision.status in _OPEN and not item.needs_review:
            raise _wrong(decision.line, "gives a text to an item that has none", "APPROVED or WITHHELD")
        if decision.code == SEEN_UNCHECKED and item.attachment is None:
            raise _wrong(decision.line, f"says {SEEN_UNCHECKED} of an item that is not a file", '"status": "APPROVED" alone')
        if decision.code == NOT_A_NAME and not is_copy:
            raise _wrong(decision.line, f"says {NOT_A_NAME} of what is not given to anybody", '"status": "APPROVED" alone')
        if is_copy and decision.status is ItemStatus.APPROVED and item.unread and decision.code != SEEN_UNCHECKED:
            hint = f'look at it in the working copy, then "code": "{SEEN_UNCHECKED}"; or WITHHELD, or APPROVED_REDACTED with what it says'
            raise _wrong(decision.line, f"approves a file whose content cannot be checked ({item.unread})", hint, code="unchecked")
        if decision.status is ItemStatus.PENDING_REVIEW:
            found[decision.item] = decision
            continue
        told = leak_terms().found_in(decision.text) if decision.text else ()
        if told:
            hint = f"found: {', '.join(told)}; write a label such as [persoon] instead"
            raise _wrong(decision.line, "has a text by which somebody else would be known", hint, code="needle")
        if decision.text and decision.code != NOT_A_NAME and leak_terms().are_nearly_in(decision.text):
            hint = f'write a label such as [persoon] instead; where it is not a name, say so with "code": "{NOT_A_NAME}"'
            raise _wrong(decision.line, "has a text with what is nearly the name of somebody else", hint, code="near_name")
        if decision.text and decision.code != NOT_A_NAME and (new := _newly_told(decision.text, known(), compilation.home)):
            found_here = f"found: {', '.join(new)}; write a label such as [persoon] instead"
            hint = f'{found_here}; where it is nobody else, say so with "code": "{NOT_A_NAME}"'
            what = "has a text with what looks like a name, number or address and stands in no proposal"
            raise _wrong(decision.line, what, hint, code="near_name")
        found[decision.item] = decision
    return found


def _told_letters(compilation: Compilation) -> str:
    """Return the letters and digits of what the answer proposes to disclose. These are texts, fields, its
    addressee and its subject."""
    fields = (str(field.value) for item in compilation.items for field in item.fields if not field.is_text and field.value is not None)
    proposals = (item.proposal for item in compilation.items)
    return "|".join(map(fold, (compilation.addressee.name, compilation.about, *proposals, *fields)))


def _newly_told(text: str, known: str, home: Home) -> tuple[str, ...]:
    """Return the classes of what would be replaced in a text of the CRM, and is not proposed (EXP-06)."""
    seen = LABEL.sub(lambda match: _HIDDEN * len(match[0]), tidy(as_read(text)).text)
    guesses = [(NAME_GUESS, guess.value) for guess in names_of_anybody(seen, home)]
    others = [(one.what, seen[one.begin : one.end]) for one in data_of_anybody(seen, home) if one.what != "date"]
    return tuple(dict.fromkeys(what for what, value in (*others, *guesses) if (letters := fold(value)) and letters not in known))


def _lines(text: str, statuses: Collection[str]) -> Iterator[Decision]:
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines(), which takes signs within a text for line ends
        if line.strip():
            yield _read(number, line, statuses)


def _read(number: int, line: str, statuses: Collection[str]) -> Decision:
    if len(line) > LONGEST_LINE:
        raise _wrong(number, "is too long")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):  # their texts may quote the line
        raise _wrong(number, "is not valid JSON") from None
    if not isinstance(found, dict):
        raise _wrong(number, "is not a JSON object")
    if unknown := found.keys() - _KEYS:
        raise _wrong(number, f"has {len(unknown)} keys that are not known", f"known are {', '.join(sorted(_KEYS))}")
    item, status, code, text = found.get("item"), found.get("status"), found.get("code") or "", found.get("text")
    if not isinstance(item, str) or not item:
        raise _wrong(number, "names no item")
    if not isinstance(status, str) or status not in statuses:
        raise _wrong(number, "has no status that can be decided", f"one of: {', '.join(DECIDED)}")
    if not isinstance(code, str) or (code and not _CODE.fullmatch(code)):
        raise _wrong(number, "has a code that is none", "capitals, digits, - and _, for example RF-03")
    if text is not None and not isinstance(text, str):
        raise _wrong(number, "has a text that is none")
    if text and any("\ud800" <= sign <= "\udfff" for sign in text):
        raise _wrong(
            number, "has a text with half of a character in it, which cannot be stored", "write the character again, or leave it out"
        )
    if status == ItemStatus.WITHHELD and not code:
        raise _wrong(number, "withholds without a code", '"code": "RF-03"')
    if status == ItemStatus.APPROVED_REDACTED and not (text or "").strip():
        raise _wrong(number, "releases a text and gives none", '"text": "…", or APPROVED for the proposal')
    if status not in _OPEN and text:
        raise _wrong(number, "has a text that would not be used", "APPROVED releases the proposal; APPROVED_REDACTED releases a text")
    digest, since = found.get("digest") or "", found.get("since") or ""
    if not isinstance(digest, str) or not isinstance(since, str):
        raise _wrong(number, "has a digest that is none")
    is_kept = status in (ItemStatus.WITHHELD, ItemStatus.PENDING_REVIEW) or code == NOT_A_NAME
    keeps_code = is_kept or (status == ItemStatus.APPROVED and code == SEEN_UNCHECKED)
    return Decision(number, item, ItemStatus(status), code if keeps_code else "", text or None, digest, since)


def _decided(item: Item, decision: Decision | None) -> Item:
    if decision is None:
        return item
    return msgspec.structs.replace(item, status=decision.status, code=decision.code, text=decision.text)


def _looked_at(compilation: Compilation, item: Item, decision: Decision | None) -> Item:
    """Return a proposal that somebody has looked at. Once it is decided, the decision remains and looking
    changes nothing. Raises UsageError: it was granted already and shall be withheld."""
    if decision is None:
        return item
    is_withheld = decision.status is ItemStatus.WITHHELD
    if is_withheld and item.item in compilation.granted:
        hint = hint_to("decide_again", request=compilation.request)
        raise _wrong(decision.line, "withholds an item that is granted", hint)
    if is_settled(compilation):
        return item
    is_open = decision.status is ItemStatus.PENDING_REVIEW
    status = decision.status if is_withheld or is_open else ItemStatus.APPROVED
    return msgspec.structs.replace(item, status=status, code=decision.code, withholds=PUT_ASIDE if is_withheld else "")


def _wrong(line: int, what: str, hint: str | Hint = "", *, code: str = "") -> UsageError:
    return UsageError(f"line {line} {what}; nothing was stored", hint=hint, where=f"line {line}", code=code)
