"""What stays although its erasure was requested: stated with its term and its reason, granted or refused
(art. 12(4); RF-02, R-104)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from crm_compliance.answer_package.content.answer import Paragraph, Section, Table
from crm_compliance.answer_package.content.particulars import basis_lines, retention_lines, told_last_day
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation, Context
from jobs.register.decision import ERASING
from rules.model.requests import Right

ACCOUNTING: Final = "accounting"
# Refusals that rest on what the data are kept for; any other says nothing of them: it is not known to whom,
# or it is about the request.
_FOR_THE_PURPOSE: Final = frozenset({"RF-02", "RF-05"})


class Kept(msgspec.Struct, frozen=True):
    """Something that stays: for the term and on the ground of its context, or, without one, until what holds
    it is over."""

    kind: str
    at: str
    context: Context | None = None


def kept_of(compilation: Compilation) -> tuple[Kept, ...]:
    """Return what stays for its own term, and then what was granted and is held for now; nothing before there
    is a decision. What is stated has a context: never a file that is closed to the person (SUS-05), and
    nothing in a neutral answer (SUS-04)."""
    if not (compilation.granted or compilation.refusal in _FOR_THE_PURPOSE):
        return ()
    days = {item.source: item.at for item in compilation.items}
    staying = [context for context in compilation.contexts if not context.is_doubtful and _stays(context, compilation)]
    held = [item for item in compilation.items if item.item in compilation.held]
    return (
        *(Kept(each.kind, days.get(each.source, ""), _for_what(each)) for each in staying),
        *(Kept(each.kind, each.at) for each in held),
    )


def _stays(context: Context, compilation: Compilation) -> bool:
    """Return whether something of a context stays after any erasure, or its erasure was refused, alone or
    with the whole request."""
    if compilation.refusal and compilation.right == Right.ERASURE:
        return True
    refused = [item for item in compilation.items if item.item not in compilation.granted and item.title in ERASING]
    return context.key in compilation.kept or any(context.source in (item.source, (item.kind, "")) for item in refused)


def _for_what(context: Context) -> Context:
    """Return what something is kept for once its erasure was granted: of a gift only its payment, as tax law
    requires (R-104)."""
    if context.kind != "donation" or ACCOUNTING not in context.purposes:
        return context
    grounds = tuple(
        msgspec.structs.replace(ground, purposes=(ACCOUNTING,))
        for ground in context.grounds
        if ACCOUNTING in ground.purposes and not ground.code
    )
    if not grounds:
        return msgspec.structs.replace(context, purposes=(ACCOUNTING,), basis="legal_obligation", grounds=())
    return msgspec.structs.replace(context, purposes=(ACCOUNTING,), grounds=grounds)


def kept_section(kept: Sequence[Kept], texts: Texts) -> list[Section]:
    """Return a table of what is kept; what holds something is stated without detail."""
    if not kept:
        return []
    columns = (texts.say("outcome", "what"), texts.say("access", "retention"), texts.say("outcome", "kept_why"))
    rows = tuple(dict.fromkeys((_named(each, texts), term_of(each, texts), ground_of(each, texts)) for each in kept))
    return [Section(texts.say("outcome", "kept_title"), (Paragraph(texts.say("outcome", "kept")), Table(columns, rows)))]


def term_of(kept: Kept, texts: Texts) -> str:
    """Return the end of the term, in words."""
    return texts.say("outcome", "kept_while_held") if kept.context is None else " ".join(retention_lines(kept.context, texts))


def ground_of(kept: Kept, texts: Texts) -> str:
    """Return the ground, in words: each on a line, since several have commas and semicolons of their own."""
    return texts.say("access", "held") if kept.context is None else "\n".join(basis_lines(kept.context, texts))


def kept_data(kept: Kept, texts: Texts) -> dict[str, object]:
    """Return the same for a computer."""
    last_day = told_last_day(kept.context.retention) if kept.context is not None else None
    return {
        "type": kept.kind,
        "date": kept.at or None,
        "last_day": last_day.isoformat() if last_day is not None else None,
        "term": term_of(kept, texts),
        "basis": texts.joined(ground_of(kept, texts).split("\n")),
    }


def _named(kept: Kept, texts: Texts) -> str:
    name = texts.code("kind", kept.kind)
    return f"{name}, {texts.value(kept.at)}" if kept.at else name
