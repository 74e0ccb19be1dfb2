"""The words of a letter that not everybody knows, each explained in a line: only those that occur in it."""

from collections.abc import Iterator

from crm_compliance.answer_package.content.answer import Fact, Facts, Section
from crm_compliance.answer_package.content.view import Shown
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation
from rules.model.kinds import FILES, WHOLE
from rules.model.requests import COPIES
from rules.redaction.labels import word_for

_IN_FILES = frozenset({*WHOLE, "party"})
_ABOUT_ERASURE = frozenset({"erasure", "objection"})


def glossary(compilation: Compilation, shown: Shown, texts: Texts) -> Section:
    """Return the explanations, after the copy or the decision."""
    facts = tuple(Fact(_term(word, texts), (texts.say("words", f"{word}_means"),)) for word in _words(compilation, shown))
    return Section(texts.say("words", "title"), (Facts(facts),), annex=True)


def _words(compilation: Compilation, shown: Shown) -> Iterator[str]:
    is_copy = compilation.right in COPIES
    if {context.kind for context in shown.contexts} & _IN_FILES or any(item.kind in _IN_FILES for item in compilation.items):
        yield from FILES
    if is_copy and any(field.redactions for item in shown.items for field in item.fields):
        yield "label"
    yield "law"
    if is_copy:
        yield "article_6"
    if any(context.special for context in shown.contexts):
        yield "article_9"
    if compilation.right == "access":
        yield "article_15"
    if compilation.right in _ABOUT_ERASURE:
        yield "article_17"
    if any(context.processors for context in shown.contexts):
        yield "processor"


def _term(word: str, texts: Texts) -> str:
    if word != "label":
        return texts.say("words", word)
    return f"[{word_for('parent', texts.language)}], [{word_for('other', texts.language)} 1]"
