"""Why something was left out or refused, in words (EXP-09, 6.4)."""

from typing import Final

from crm_compliance.answer_package.content.answer import Paragraph
from crm_compliance.answer_package.content.view import Shown, is_refusal
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation
from rules.model.requests import COPIES

_NOT_FOR_THE_CHILD: Final = "RF-07"
# Refusals beside which nothing is told: it is not known who asks, or they are about the request.
_REASON_ENOUGH: Final = frozenset({"RF-01", "RF-07", "RF-08"})


def left_out_rows(shown: Shown, texts: Texts) -> tuple[tuple[str, str], ...]:
    """Return what was withheld and why, each class and reason once."""
    return tuple(dict.fromkeys((_class(each.what, texts), reason(each.code, texts)) for each in shown.withheld))


def reason(code: str, texts: Texts) -> str:
    """Return the reason for which something is left out; the rights of others where the code has no words."""
    for table in ("refusal", "withheld_code"):
        if texts.knows(table, code):
            return texts.code(table, code)
    return texts.say("refusal", "RF-03")


def remarks_of(compilation: Compilation, texts: Texts) -> tuple[Paragraph, ...]:
    """Return what a letter adds to its answer. That somebody may not act for the child stands beside every
    answer about their own data that gives a reason (art. 12(4)); what a right does not reach, beside a copy
    alone."""
    if compilation.refusal in _REASON_ENOUGH:
        return ()
    is_copy = compilation.right in COPIES and not is_refusal(compilation)
    codes = [code for code in compilation.remarks if is_copy or code == _NOT_FOR_THE_CHILD]
    return tuple(Paragraph(texts.code("remark" if texts.knows("remark", code) else "refusal", code)) for code in codes)


def declined(right: str, code: str, texts: Texts) -> str:
    """Return why a requested action is not taken; how the rights of others are concerned is stated only where
    that is the reason."""
    if texts.knows("refusal", code):
        return texts.code("refusal", code)
    return texts.code("declined", right if texts.knows("declined", right) else "other")


def _class(what: str, texts: Texts) -> str:
    return texts.code("withheld" if texts.knows("withheld", what) else "kind", what)
