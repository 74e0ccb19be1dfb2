"""What of a compilation is shown: the one place that decides it, for the letter, the page, the data and the
table alike. Source: EXP-07, EXP-09, EXP-15, RGT-14, SUS-05."""

import re
from collections.abc import Sequence
from itertools import count
from pathlib import PurePath
from typing import Final

import msgspec

from jobs.model.answer import RECIPIENT, Attachment, Compilation, Context, Item, ItemStatus, Withheld
from rules.model.requests import COPIES
from rules.redaction.not_shown import Redaction

NEUTRAL_NAME: Final = re.compile(r"attachment-\d+\.\w+")  # of a file, by which nobody is known


class ShownField(msgspec.Struct, frozen=True):
    """A field with what may be seen of it; None where only labels stand for it."""

    name: str
    value: str | int | float | bool | None
    redactions: tuple[Redaction, ...] = ()


class ShownItem(msgspec.Struct, frozen=True):
    """An item sent. `status` is for a working copy: the status of the item. `record` numbers its row in this
    answer: a row of which parts are decided separately, or that has a file with it, gives several items.
    `file` is the name of its attachment in the review: in a package they are named without a gap (EXP-09)."""

    number: str
    context: str
    kind: str
    title: str
    at: str
    fields: tuple[ShownField, ...]
    attachment: Attachment | None = None
    status: str = ""
    record: int = 0
    file: str = ""


class Shown(msgspec.Struct, frozen=True):
    """What is sent."""

    contexts: tuple[Context, ...]
    items: tuple[ShownItem, ...]
    withheld: tuple[Withheld, ...]


def is_neutral(compilation: Compilation) -> bool:
    return compilation.answer == "neutral"


def is_refusal(compilation: Compilation) -> bool:
    """Return whether nothing is given: the right does not exist here, or all of it was refused."""
    given = compilation.shown if compilation.right in COPIES else compilation.granted
    return not is_neutral(compilation) and bool(compilation.refusal) and not given


def is_bare(compilation: Compilation) -> bool:
    """Return whether the answer is a letter and nothing else (contract 5)."""
    return is_neutral(compilation) or is_refusal(compilation)


def shown_of(compilation: Compilation, *, working_copy: bool = False) -> Shown:
    """Return the part of a compilation that may be seen; a working copy also has what waits for a person, as
    it is proposed. A portability copy has no offence or health data and only what the person provided,
    whatever the compilation says (EXP-15, RGT-14)."""
    if is_bare(compilation):
        return Shown((), (), ())
    if compilation.right not in COPIES:
        return _decided(compilation)
    portable = compilation.right == "portability"
    contexts = tuple(
        each for each in compilation.told_contexts(working_copy=working_copy) if not portable or (each.portable and not each.special)
    )
    keys = {each.key for each in contexts}
    items = [item for item in (_proposed(compilation) if working_copy else compilation.shown) if not portable or item.context in keys]
    records = {source: number for number, source in enumerate(dict.fromkeys(item.source for item in items), 1)}
    shown = [_shown(item, records[item.source], portable=portable, working_copy=working_copy) for item in items]
    if portable:
        shown = [
            msgspec.structs.replace(item, number=str(number)) for number, item in enumerate((each for each in shown if each.fields), 1)
        ]
    return Shown(contexts, tuple(shown) if working_copy else _named_anew(shown), compilation.told_withheld)


def _named_anew(shown: Sequence[ShownItem]) -> tuple[ShownItem, ...]:
    """Return the items with their attachments numbered from 1: a gap would tell how many are withheld, and
    that there are some of which no trace may be left. A name that is not of our making stays, for the last
    look to find it."""
    numbers = count(1)
    made = []
    for item in shown:
        if item.attachment is not None and NEUTRAL_NAME.fullmatch(item.file):
            name = f"attachment-{next(numbers)}{PurePath(item.file).suffix}"
            item = msgspec.structs.replace(item, attachment=msgspec.structs.replace(item.attachment, name=name))
        made.append(item)
    return tuple(made)


def _decided(compilation: Compilation) -> Shown:
    """Return, for a right other than access, each item with what was decided, and no data."""
    items = [
        ShownItem(str(number), "", item.kind, item.title, item.at, (ShownField("decision", _decision(compilation, item)),))
        for number, item in enumerate(compilation.items, 1)
    ]
    return Shown((), tuple(items), ())


def _decision(compilation: Compilation, item: Item) -> str:
    return "granted" if item.item in compilation.granted else item.code or "refused"


def _proposed(compilation: Compilation) -> Sequence[Item]:
    """Return the items in their current state, under the numbers of the review; recipients are stated with
    their context."""
    return [item for item in compilation.items if item.status is not ItemStatus.WITHHELD and item.kind != RECIPIENT]


def _shown(item: Item, record: int, *, portable: bool, working_copy: bool) -> ShownItem:
    """Return the structured fields, and of free text only what a person has read (EXP-07)."""
    pending = working_copy and item.status is ItemStatus.PENDING_REVIEW
    structured = [field for field in item.fields if not field.is_text] if pending else item.shown_fields
    texts = [field for field in item.fields if field.is_text]
    fields = [
        ShownField(field.name, field.value, field.redactions)
        for field in structured
        if (field.value is not None or field.redactions) and (field.provided or not portable)
    ]
    text = item.proposal if pending else item.shown_text
    if text and (not portable or any(field.provided for field in texts)):
        made = (*item.redactions, *(each for field in texts for each in field.redactions))
        standing = tuple(dict.fromkeys(each for each in made if each.label in text))
        fields.append(ShownField(texts[0].name if len(texts) == 1 else "text", text, standing))
    attachment = None if portable else item.attachment if pending else item.shown_attachment
    status = item.status.value if working_copy else ""
    file = attachment.name if attachment is not None else ""
    return ShownItem(item.item, item.context, item.kind, item.title, item.at, tuple(fields), attachment, status, record, file)
