"""The file with a person's decisions on the items of an answer: JSON lines, one an item.

A file that no program can read is included only if a person says that they looked at this very file:
`APPROVED` with the code `SEEN_UNCHECKED`. What nobody has looked at must not slip through with an approval
that was meant for something else.

A text in which something is nearly somebody's name, such as a surname with a typing error, is included if a
person says that it is not a name: with the code `NOT_A_NAME`. So is one with something that reads like a
name, number or address and is in no proposal: nobody knows who it may be, so that no later check would find
it.

Source: EXP-06, EXP-07, EXP-14, R-096, R-117; contract 3.6."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final

import msgspec

from jobs.model.answer import NOT_A_NAME, SEEN_UNCHECKED, Compilation, Item, ItemStatus
from rules.errors import UsageError
from rules.hints import Hint, hint_to
from rules.model.home import Home
from rules.model.requests import COPIES
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


def read_decisions(text: str, compilation: Compilation, *, takes_back: bool) -> Mapping[str, Decision]:
    """Read JSON lines, one an item. Raises UsageError: naming the first line that is wrong."""
    items = {item.item: item for item in compilation.items}
    leak_terms = cache(lambda: LeakTerms(compilation.leak_terms))  # a decision without a text needs none of it
    known = cache(lambda: _told_letters(compilation))
    found: dict[str, Decision] = {}
    for decision in _lines(text, (*DECIDED, ItemStatus.PENDING_REVIEW) if takes_back else DECIDED):
        item = items.get(decision.item)
        if item is None:
            raise wrong_line(decision.line, "names no item of this request", hint_to("show_items", request=compilation.request))
        again = hint_to("look_again", request=compilation.request)
        if decision.digest and decision.digest != item.digest:
            raise wrong_line(decision.line, "was decided on something else than the item is now", again, code="changed")
        if decision.item in found:
            raise wrong_line(decision.line, "decides about an item for the second time", "one line an item")
        if decision.since and decision.since != version_of(item):
            raise wrong_line(decision.line, "decides on an item on which somebody else has decided meanwhile", again, code="changed")
        _check_fits(decision, item, is_copy=compilation.right in COPIES)
        if decision.text and decision.status is not ItemStatus.PENDING_REVIEW:
            _check_text(decision, decision.text, leak_terms(), known(), compilation.home)
        found[decision.item] = decision
    return found


def _check_fits(decision: Decision, item: Item, *, is_copy: bool) -> None:
    if decision.status in _OPEN and not item.needs_review:
        raise wrong_line(decision.line, "gives a text to an item that has none", "APPROVED or WITHHELD")
    if decision.code == SEEN_UNCHECKED and item.attachment is None:
        raise wrong_line(decision.line, f"says {SEEN_UNCHECKED} of an item that is not a file", '"status": "APPROVED" alone')
    if decision.code == NOT_A_NAME and not is_copy:
        raise wrong_line(decision.line, f"says {NOT_A_NAME} of what is not given to anybody", '"status": "APPROVED" alone')
    if is_copy and decision.status is ItemStatus.APPROVED and item.unread and decision.code != SEEN_UNCHECKED:
        place = "the CRM" if item.status is ItemStatus.WITHHELD else "the working copy"  # which has nothing that is left out
        hint = f'look at it in {place}, then "code": "{SEEN_UNCHECKED}"; or WITHHELD, or APPROVED_REDACTED with what it says'
        raise wrong_line(decision.line, f"approves a file whose content cannot be checked ({item.unread})", hint, code="unchecked")


def _check_text(decision: Decision, text: str, leak_terms: LeakTerms, known: str, home: Home) -> None:
    """Refuse a text by which somebody else may be known, unless a person says that nobody is; `known` are the
    letters and digits that the answer proposes to disclose."""
    if told := leak_terms.found_in(text):
        hint = f"found: {', '.join(told)}; write a label such as [persoon] instead"
        raise wrong_line(decision.line, "has a text by which somebody else would be known", hint, code="needle")
    if decision.code == NOT_A_NAME:
        return
    if leak_terms.are_nearly_in(text):
        hint = f'write a label such as [persoon] instead; where it is not a name, say so with "code": "{NOT_A_NAME}"'
        raise wrong_line(decision.line, "has a text with what is nearly the name of somebody else", hint, code="near_name")
    if new := _newly_told(text, known, home):
        found_here = f"found: {', '.join(new)}; write a label such as [persoon] instead"
        hint = f'{found_here}; where it is nobody else, say so with "code": "{NOT_A_NAME}"'
        what = "has a text with what looks like a name, number or address and stands in no proposal"
        raise wrong_line(decision.line, what, hint, code="near_name")


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
    found = _object(number, line)
    item, status, code, text = found.get("item"), found.get("status"), found.get("code") or "", found.get("text")
    if not isinstance(item, str) or not item:
        raise wrong_line(number, "names no item")
    if not isinstance(status, str) or status not in statuses:
        raise wrong_line(number, "has no status that can be decided", f"one of: {', '.join(DECIDED)}")
    if not isinstance(code, str) or (code and not _CODE.fullmatch(code)):
        raise wrong_line(number, "has a code that is none", "capitals, digits, - and _, for example RF-03")
    if text is not None and not isinstance(text, str):
        raise wrong_line(number, "has a text that is none")
    if text and any("\ud800" <= sign <= "\udfff" for sign in text):
        raise wrong_line(
            number, "has a text with half of a character in it, which cannot be stored", "write the character again, or leave it out"
        )
    if status == ItemStatus.WITHHELD and not code:
        raise wrong_line(number, "withholds without a code", '"code": "RF-03"')
    if status == ItemStatus.APPROVED_REDACTED and not (text or "").strip():
        raise wrong_line(number, "releases a text and gives none", '"text": "…", or APPROVED for the proposal')
    if status not in _OPEN and text:
        raise wrong_line(number, "has a text that would not be used", "APPROVED releases the proposal; APPROVED_REDACTED releases a text")
    digest, since = found.get("digest") or "", found.get("since") or ""
    if not isinstance(digest, str) or not isinstance(since, str):
        raise wrong_line(number, "has a digest that is none")
    is_kept = status in (ItemStatus.WITHHELD, ItemStatus.PENDING_REVIEW) or code == NOT_A_NAME
    keeps_code = is_kept or (status == ItemStatus.APPROVED and code == SEEN_UNCHECKED)
    return Decision(number, item, ItemStatus(status), code if keeps_code else "", text or None, digest, since)


def _object(number: int, line: str) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise wrong_line(number, "is too long")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):  # their texts may quote the line
        raise wrong_line(number, "is not valid JSON") from None
    if not isinstance(found, dict):
        raise wrong_line(number, "is not a JSON object")
    if unknown := found.keys() - _KEYS:
        raise wrong_line(number, f"has {len(unknown)} keys that are not known", f"known are {', '.join(sorted(_KEYS))}")
    return found


def wrong_line(line: int, what: str, hint: str | Hint = "", *, code: str = "") -> UsageError:
    """Return that a line is wrong, without what it says."""
    return UsageError(f"line {line} {what}; nothing was stored", hint=hint, where=f"line {line}", code=code)
