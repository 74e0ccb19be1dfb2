"""An error as somebody reads it: a sentence in the language of the page first, and what the program said, in
English, below it."""

from typing import Final, NamedTuple

from crm_compliance.console.language.catalogs import translations
from crm_compliance.console.language.codes import words_of
from crm_compliance.console.language.error_codes import GENERAL
from crm_compliance.console.language.own_words import NONE, OwnWords
from crm_compliance.console.language.problem_sentences import problem_in
from rules.errors import ComplianceError
from rules.hints import Hint
from rules.model.languages import UiLanguage

KINDS: Final = ("error",)


class Said(str):
    """A text that is in the language of the page already."""

    __slots__ = ()


class WrongLine(NamedTuple):
    """A line of a file and what is wrong there: `said` in the language of the page, empty where it has no
    words for it, or is English; `text` in English, and `sort` the code of what sort it is of."""

    line: int
    said: str
    text: str
    sort: str


class ErrorMessage(NamedTuple):
    """`message` and `hint` are in the language of the page; `detail` is what the program said beside that, in
    English, empty where the message is just that. `problems` are the lines of a file that is refused. `field`
    is what was given and is wrong."""

    message: str
    hint: str
    detail: str
    code: str
    where: str
    problems: tuple[WrongLine, ...] = ()
    field: str = ""


def told(language: UiLanguage, error: ComplianceError, *kinds: str, code: str = "", own: OwnWords = NONE) -> ErrorMessage:
    """Return an error in words: those for the field that it names or for its code, of the
    first of these kinds that has some. Where the code is one for everything, the message itself says more,
    if it is in the language of the page. `code` is whose words are said, where that is not its own;
    `own` are the organisation's."""
    message, hint = str(error), "" if isinstance(error.hint, Hint) else error.hint
    if error.args and isinstance(error.args[0], Said):
        known = language != "en"  # in which the text is already
        problems = tuple(WrongLine(line, problem_in(language, text) if known else "", text, sort) for line, text, sort in error.problems)
        ours = hint if isinstance(hint, Said) else ""  # one of the error's own kind is for whoever runs the service, in English
        return ErrorMessage(message, ours, _detail(error.__cause__), error.code, error.where, problems)
    by_field = f"field_{error.field}" if error.field else ""
    said = _words(language, (by_field, code or error.code), kinds or KINDS, own)
    if (code or error.code) in GENERAL and not _words(language, (by_field,), kinds or KINDS, own):
        say = translations(language, own).ugettext
        if language == "en" or translations(language).ugettext(message) != message:
            return ErrorMessage(say(message), say(hint) if hint else "", "", error.code, error.where)
    if not said:
        return ErrorMessage(message, hint, "", error.code, error.where)
    return ErrorMessage(said, "", _detail(error), error.code, error.where)


def _detail(error: BaseException | None) -> str:
    """Return what the program said; nothing of what is no error of ours."""
    if not isinstance(error, ComplianceError):
        return ""
    hint = "" if isinstance(error.hint, Hint) else error.hint
    return f"{error}: {hint}" if hint else str(error)


def _words(language: UiLanguage, codes: tuple[str, ...], kinds: tuple[str, ...], own: OwnWords) -> str:
    word = words_of(language, own)
    return next((found for code in codes if code for kind in kinds if (found := word(kind, code)) != code), "")
