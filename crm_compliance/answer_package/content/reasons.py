"""Why something was left out or refused, in words (EXP-09, 6.4)."""

from crm_compliance.answer_package.content.view import Shown
from crm_compliance.answer_package.content.wording import Texts


def left_out_rows(shown: Shown, texts: Texts) -> tuple[tuple[str, str], ...]:
    """Return what was withheld and why, each class and reason once."""
    return tuple(dict.fromkeys((_class(each.what, texts), reason(each.code, texts)) for each in shown.withheld))


def reason(code: str, texts: Texts) -> str:
    """Return the reason for which something is left out; the rights of others where the code has no words."""
    for table in ("refusal", "withheld_code"):
        if texts.knows(table, code):
            return texts.code(table, code)
    return texts.say("refusal", "RF-03")


def declined(right: str, code: str, texts: Texts) -> str:
    """Return why a requested action is not taken; how the rights of others are concerned is stated only where
    that is the reason."""
    if texts.knows("refusal", code):
        return texts.code("refusal", code)
    return texts.code("declined", right if texts.knows("declined", right) else "other")


def _class(what: str, texts: Texts) -> str:
    return texts.code("withheld" if texts.knows("withheld", what) else "kind", what)
