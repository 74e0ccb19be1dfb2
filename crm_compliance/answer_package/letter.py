"""The letter: a tagged PDF/A with its fonts inside, made from the answer by the template beside this module
(EXP-12). The template gets the answer as data: nothing of it is read as markup (EXP-19). The same answer
makes the same file, byte for byte."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from crm_compliance.answer_package.characters import FONTS, composed, french, printable
from crm_compliance.answer_package.content.answer import Answer
from crm_compliance.answer_package.typesetter import Unprintable, letter_set

_ID: Final = re.compile(rb"<xmpMM:(Document|Instance)ID>([A-Za-z0-9+/=]{16,})<")


def letter_pdf(answer: Answer) -> bytes:
    """Make the letter."""
    try:
        made = letter_set(msgspec.json.encode(letter_data(answer)), answer.on)
    except Unprintable:  # a cluster of characters that the fonts have one by one, but not together
        made = letter_set(msgspec.json.encode(letter_data(answer, lambda text: printable(text, plain=True))), answer.on)
    return _unidentified(made) if answer.is_bare else made


def letter_data(answer: Answer, print_as: Callable[[str], str] = printable) -> dict[str, Any]:
    """Return the data for the template: every string as it can be printed, and whether any had to be
    transcribed."""
    given = msgspec.to_builtins(answer)
    if answer.language == "fr":
        given = _each(given, french) | {"title": answer.title}
    printed: dict[str, Any] = _each(given, print_as)
    has_changed = printed != _each(given, composed)
    return printed | {
        "fonts": FONTS,
        "transcribed": printed["transcribed"] if has_changed else "",
    }


def _unidentified(pdf: bytes) -> bytes:
    """Return the same file under an id that reveals nothing of its content: neutral letters differ in what
    they must, and no more (SUS-04)."""
    for value in {found[2] for found in _ID.finditer(pdf)}:
        pdf = pdf.replace(value, b"A" * len(value))  # of the same length: every offset in the file stays right
    return pdf


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """Return the same value with every string in it changed; keys are ours."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [_each(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _each(item, change) for key, item in value.items()}
    return value
