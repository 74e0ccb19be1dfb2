"""The words of a letter that not everybody knows, each explained in a line: only those that occur in it."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from crm_compliance.answer_package.content.answer import Fact, Facts, Section
from crm_compliance.answer_package.content.view import Shown
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation
from rules.model.kinds import FILES, WHOLE
from rules.model.requests import COPIES

_IN_FILES = frozenset({*WHOLE, "party"})
_LABELS_NAMED = 2  # what one of them means, all mean
_ABOUT_ERASURE = frozenset({"erasure", "objection"})


def glossary(compilation: Compilation, shown: Shown, texts: Texts, said: Sequence[Section], scope: str) -> Section:
    """Return the explanations, after the copy or the decision: of words of `said`, which is the rest of the
    letter, and of `scope`, which ends it."""
    # In one piece; names of keys are none of these words. Half a character is no error here.
    read = f"{json.dumps(msgspec.to_builtins(said), ensure_ascii=False)} {scope}"
    terms = {word: _term(word, shown, texts, read) for word in _words(compilation, shown)}
    facts = tuple(Fact(term, (texts.say("words", f"{word}_means"),)) for word, term in terms.items() if _occurs(term, word, read))
    return Section(texts.say("words", "title"), (Facts(facts),), annex=True)


def _occurs(term: str, word: str, read: str) -> bool:
    """Return whether a word is in a text; an article is by its number, with or without paragraphs (`Artikel
    17 Absatz 3 DSGVO`), also as one of several."""
    if word == "label":
        return bool(term)
    number = word.removeprefix("article_")
    if number == word:
        return re.search(rf"(?i)\b{re.escape(term)}", read) is not None
    return re.search(rf"(?i)\bart(?:\.|icles?|ikel[ns]?|ikelen)\s+(?:\d+(?:,| et| en| and| und)\s+)*{number}\b", read) is not None


def _words(compilation: Compilation, shown: Shown) -> Iterator[str]:
    is_copy = compilation.right in COPIES
    if {context.kind for context in shown.contexts} & _IN_FILES or any(item.kind in _IN_FILES for item in compilation.items):
        yield from FILES
    if is_copy:
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


def _term(word: str, shown: Shown, texts: Texts, read: str) -> str:
    if word != "label":
        return texts.say("words", word)
    given = dict.fromkeys(each.label for item in shown.items for field in item.fields for each in field.redactions)
    return ", ".join(islice((label for label in given if label in read), _LABELS_NAMED))
