"""The items of an answer as the two people who approve it see them: in JSON, and beside each other on a local
page for reviewing."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

from markupsafe import Markup, escape
from rapidfuzz.distance import Indel, Opcode

from crm_compliance.reports.parts.template import template
from jobs.model.answer import Compilation, Item, ItemStatus
from jobs.register.decision import What
from rules.dates.calendar import Calendar

REASONS: Final = {
    "RF-03": "it concerns other people",
    "RGT-09": "to protect the child",
    "NOT_THE_PERSON": "it is not about this person",
    "VOICE": "voices can be heard; a listening session is offered instead",
    "RF-05": "compelling grounds; for an objection only",
}
KINDS: Final = {
    "dossier": "Dossier", "fiche": "Fiche", "party": "Role in a dossier", "contact": "Personal details", "recording": "Recording",
    "donation": "Donation", "enrolment": "Training course", "engagement": "Agreement", "note": "Note", "call": "Telephone call",
    "email": "E-mail", "request": "Earlier request", "recipient": "Recipient",
}  # fmt: skip
TITLES: Final = {
    "mention": "mentions the person, but is not in one of their files",
    "attachment": "a file",
    "deleted": "from the recycle bin",
    "retained": "from long-term retention",
}
CLASSES: Final = {
    "name": "name of another person",
    "name_guess": "probably a name",
    "phone": "telephone number",
    "email": "e-mail address",
    "address": "address",
    "national_number": "national number",
    "birth_date": "date of birth",
    "account": "account number",
    "ip_address": "IP address",
    "link": "link",
    "handle": "user name",
    "position": "position on the map",
    "document": "number of a document or device",
    "plate": "number plate",
    "reference": "number of another file",
}
UNREAD: Final = {
    "unknown_kind": "no program here can read files of this kind",
    "damaged": "it is damaged, or is not the kind of file it claims to be",
    "locked": "it is protected by a password",
    "too_large": "it is too large, or would be once unpacked",
    "too_deep": "it is nested too deeply in archives",
    "took_too_long": "reading it took too long",
    "too_much_memory": "reading it took too much memory",
    "reader_stopped": "the program that reads such files failed on it",
    "pictures_of_text": "it holds images, such as scanned pages, in which no program can read",
}
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_TOKENS: Final = 40_000  # beyond it the two texts stand beside each other without marks


def item_document(item: Item) -> dict[str, Any]:
    """Return one item, as `requests review --json` shows it."""
    return {
        "item": item.item,
        "kind": item.kind,
        "title": item.title,
        "context": item.context,
        "at": item.at or None,
        "number": _number(item),
        "status": item.status.value,
        "needs_review": item.needs_review,
        "proposal": item.proposal,
        "text": item.text,
        "withholds": item.withholds or None,
        "code": item.code or None,
        "redactions": [{"class": each.what, "label": each.label, "rule": each.rule} for each in item.redactions],
        "fields": {field.name: field.value for field in item.fields if not field.is_text},
        "original": {field.name: field.value for field in item.fields if field.is_text},
        "attachment": item.attachment.media_type if item.attachment is not None else None,
        "attachment_name": item.attachment.name if item.attachment is not None else None,
        "unread": item.unread or None,
        "file": None
        if item.where is None or not item.where.kind
        else {"kind": item.where.kind, "id": item.where.id, "number": item.where.number or None},
        "contacts": [{"id": contact, "name": name} for contact, name in item.where.contacts] if item.where is not None else [],
        "digest": item.digest,
    }


def review_page(compilation: Compilation, calendar: Calendar) -> str:
    """Return the page: every item with the facts for review, and three answers. Each item shows what it is,
    what the CRM says beside what would be released, and what was replaced and why. The page contacts no
    network and stores nothing: decisions made on it leave it as a file of decisions."""
    folder = files("crm_compliance.reports").joinpath("templates")
    style = folder.joinpath("items.css").read_text("utf-8")
    script = folder.joinpath("items.js").read_text("utf-8")
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    return template("items.html.j2").render(
        request=compilation.request,
        right=compilation.right,
        language=compilation.language,
        answer=compilation.answer,
        compiled_at=compilation.generated_at,
        compiled_on=_when(compilation.generated_at.isoformat(), calendar),
        contexts=_contexts(compilation),
        items=[_shown(item, calendar) for item in compilation.items],
        kinds=Counter(KINDS.get(item.kind, item.kind) for item in compilation.items),
        reasons=REASONS,
        style=Markup(style),
        script=Markup(script),
        policy=policy,
    )  # fmt: skip


def _shown(item: Item, calendar: Calendar) -> dict[str, Any]:
    """Return one item in words, with the two texts compared."""
    original = "\n\n".join(str(field.value) for field in item.fields if field.is_text and field.value is not None)
    before, after = compared(original, item.proposal)
    replaced = Counter((CLASSES.get(each.what, each.what), each.label, each.rule) for each in item.redactions)
    for field in item.fields:
        replaced.update((CLASSES.get(each.what, each.what), each.label, each.rule) for each in field.redactions if not field.is_text)
    return {
        **item_document(item),
        "when": _when(item.at, calendar),
        "what": KINDS.get(item.kind, item.kind),
        "place": TITLES.get(item.title, item.title),
        "before": before,
        "after": after,
        "cannot": UNREAD.get(item.unread, item.unread),
        "told": [(field.name.replace("_", " "), _value(field.value)) for field in item.fields if not field.is_text],
        "replaced": sorted((*found, times) for found, times in replaced.items()),
        "flags": list(_flags(item)),
    }


def _when(at: str, calendar: Calendar) -> str:
    """Return the day, and for an instant the hour by the clock of the schedule."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{calendar.clock(moment):%Y-%m-%d %H:%M}" if len(at) > len("2026-03-02") else at


def _value(value: str | int | float | bool | None) -> str | int | float | None:
    """Return a value as people write it: a yes or a no is a word."""
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _flags(item: Item) -> Iterator[str]:
    """Yield the flags by which a reviewer filters."""
    if item.title in ("mention", "attachment"):
        yield item.title
    if item.redactions or any(field.redactions for field in item.fields):
        yield "replaced"
    if item.withholds:
        yield "withheld-by-rule"
    if not item.needs_review:
        yield "by-rule"
    if item.unread:
        yield "unread"


def _number(item: Item) -> str | None:
    return next((str(field.value) for field in item.fields if field.name == "number" and field.value), None)


def _contexts(compilation: Compilation) -> dict[str, str]:
    """Return what each context is, in words: the category of the file, and the role of the person in it."""
    told = {}
    for context in compilation.contexts:
        label = context.category_labels.get("en") or next(iter(context.category_labels.values()), "")
        role = f"role of the person: {context.role.replace('_', ' ')}" if context.role else ""
        told[context.key] = ", ".join(filter(None, (KINDS.get(context.kind, context.kind), label, role)))
    return told


def compared(before: str, after: str) -> tuple[Markup, Markup]:
    """Return both texts, with what was removed marked in the first and what replaces it in the second."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(old) > _MOST_TOKENS or len(new) > _MOST_TOKENS:
        return escape(before), escape(after)
    first: list[Markup] = []
    second: list[Markup] = []
    for is_same, steps in groupby(Indel.opcodes(old, new), lambda step: step.tag == "equal" and _says_something(old, step)):
        gone, come = "", ""
        for step in steps:
            gone += "".join(old[step.src_start : step.src_end])
            come += "".join(new[step.dest_start : step.dest_end])
        if gone:
            first.append(escape(gone) if is_same else Markup("<del>{}</del>").format(gone))
        if come:
            second.append(escape(come) if is_same else Markup("<ins>{}</ins>").format(come))
    return Markup("").join(first), Markup("").join(second)


def _says_something(tokens: Sequence[str], step: Opcode) -> bool:
    """Return whether what is the same in both is more than the space between two words that differ."""
    return any(not token.isspace() for token in tokens[step.src_start : step.src_end])


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def lines_of(items: Sequence[Item]) -> list[tuple[str, str, str, str]]:
    """Return the rows of the terminal's table: item, what it is, its status, and what would be released."""
    return [
        (
            item.item,
            " ".join(filter(None, (item.kind, item.title, _number(item) or "", item.at[:10]))),
            f"{item.status.value} {item.code}".strip(),
            _proposal(item),
        )
        for item in items
    ]


def _proposal(item: Item) -> str:
    """Return the text that would be released; for a file that is not text, where a person looks at it; of a
    correction or a note what would be written."""
    if item.title in (What.CORRECT, What.ANNOTATE) and item.fields:
        return f"{item.proposal} ({'; '.join(f'{field.name}: {field.value}' for field in item.fields)})"
    if item.proposal or item.attachment is None:
        return item.proposal
    unread = f"; its content cannot be checked: {item.unread}" if item.unread else ""
    place = ", left out: look at it in the CRM or the console" if item.status is ItemStatus.WITHHELD else " in the working copy"
    return f"({item.attachment.media_type}: {item.attachment.name}{place}{unread})"
