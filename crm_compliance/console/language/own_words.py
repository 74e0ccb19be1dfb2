"""What the organisation calls its files, in place of the console's own words for them, and which table of the
CRM is which of ours.

The words around a noun change with it: French and Dutch have articles and endings by gender, which no file
tells. A message is reworded where none of them stands beside a noun, or where the word ends as those of the
same gender do; any other keeps the console's words, which are at least no mistake."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from babel.support import NullTranslations

from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapped_tables
from jobs.model.request import CONTACT_KIND
from rules.errors import ComplianceError
from rules.model.kinds import ACTIVITIES, FILES, KINDS_IN_ORDER
from rules.model.languages import UI_LANGUAGES, UiLanguage
from rules.organisation.words import OwnTable

LABELS: Final = tuple(kind for kind in KINDS_IN_ORDER if kind not in (*FILES, *ACTIVITIES, CONTACT_KIND))  # named alone, in no sentence
OTHER_THINGS: Final = r"(?! de (?:preuve|réponse))"  # "dossier de preuve" is the evidence pack
# In all three languages of the console they are these words, the plural with an s.
_NOUN: Final = re.compile(rf"(?<!%\()(?<![\w-])(an? )?({'|'.join(FILES)})(s?)(?![\w-]){OTHER_THINGS}", re.IGNORECASE)
# What stands before and after a noun, for one and for several, that needs no change with it.
_APART: Final = {
    ("nl", ""): (
        re.compile(r"^(?!.*\b(?:het|de|dit|dat|deze|die|elke?|andere?|losse|eerste|laatste) $)", re.I | re.S),
        re.compile(r"(?!.*\b(?:haar|ze)\b)(?! (?:of \w+ )?(?:die|dat)\b)", re.S),
    ),
    ("nl", "s"): (re.compile(r"^(?!.*\blaatste van \w+ $)", re.I | re.S), re.compile("")),
    ("fr", ""): (re.compile(r"(?:^|\b(?:sans|par|ou) )$", re.I), re.compile(r"$|[.,]| (?:sans|ou)\b")),
    ("fr", "s"): (re.compile(r"(?:^|(?<!tous )\b(?:les|des|ses|aux|ou) )$", re.I), re.compile(r"(?! (?:ouverts|laissés|non)\b)")),
}
_LIKE_OURS: Final = {  # endings, of the first word, that have the gender of ours
    ("nl", "dossier"): re.compile(r"(?:dossier|verslag|rapport|gesprek|traject|blad|bericht|document|formulier|geval|contact|bestand|je)$"),
    ("nl", "fiche"): re.compile(r"(?:ing|heid|teit|[tsz]ie|fiche|zaak|map|nota|kaart|vraag|klacht|oproep|casus)$"),
    ("fr", "dossier"): re.compile(r"(?:ement|dossier|rapport|suivi|parcours|compte|cahier|contact|cas)$"),
    ("fr", "fiche"): re.compile(r"(?:[st]ion|ance|ence|ure|fiche|feuille|demande|note|plainte|visite)$"),
}
_PLAIN: Final = re.compile(r"[\w’' ./()-]+")  # what stands in a message of ours is neither escaped nor without meaning as `%`
_VOWELS: Final = tuple("aeiouhéèêâîôœ")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """`nouns` are by language and noun of ours the word for one and for several, `labels` by language and
    kind. `tables` are by table of the CRM that of the reference environment for the same kind."""

    nouns: tuple[tuple[str, str, str, str], ...] = ()
    labels: tuple[tuple[tuple[str, str], str], ...] = ()
    tables: tuple[tuple[str, str], ...] = ()

    def table(self, name: str) -> str:
        """Return the table of the reference environment for one of the CRM; others as they are."""
        return dict(self.tables).get(name, name)

    def label(self, language: UiLanguage, kind: str, code: str) -> str:
        """Return what a row of a kind, or of its table, is called; empty where the organisation does not
        say it, or several are meant."""
        return "" if kind == "deleted" else dict(self.labels).get((language, code.removeprefix("cf_")), "")

    def reworded(self, language: UiLanguage, text: str) -> str:
        """Return a text of the console in the words of the organisation: all of its nouns, or none."""
        own = {ours: (one, many) for told, ours, one, many in self.nouns if told == language}
        found = list(_NOUN.finditer(text)) if own else []
        words = [own.get(each[2].lower(), ("", ""))[bool(each[3])] for each in found]
        if not all(word and _fits(language, each, own[each[2].lower()][0]) for word, each in zip(words, found, strict=True)):
            return text
        said = iter(words)
        return _NOUN.sub(lambda each: _put(next(said), each), text) if found else text


def own_words_of(settings: Settings) -> OwnWords:
    """Return the words of the organisation that the settings name: the console's own are those of the shipped
    one. A file that cannot be used has none, and keeps nobody from a page."""
    try:
        own = organisation_of(settings).words if settings.organisation is not None else {}
        reference, tables = mapped_tables(settings.model_copy(update={"mapping": None})), mapped_tables(settings)
    except ComplianceError:
        return NONE

    def said(language: UiLanguage, kind: str, *tables: OwnTable) -> str:
        texts = (own.get(table, {}).get(kind) for table in tables)
        return next((text.in_language(language) for text in texts if text is not None), "")

    def noun(language: UiLanguage, kind: str, *tables: OwnTable) -> str:
        return found if _PLAIN.fullmatch(found := said(language, kind, *tables)) else ""

    nouns = ((told, kind, noun(told, kind, "words", "kind"), noun(told, kind, "searched")) for told in UI_LANGUAGES for kind in FILES)
    labels = (((told, kind), said(told, kind, "kind")) for told in UI_LANGUAGES for kind in LABELS)
    ours = (
        (name, reference[kind])
        for kind, names in tables.items()
        if kind in reference
        for name in names.split(" or ")
        if name != reference[kind]
    )
    return OwnWords(tuple(each for each in nouns if each[2]), tuple(each for each in labels if each[1]), tuple(reversed(list(ours))))


NONE: Final = OwnWords()


class Reworded(NullTranslations):
    """The words of a language as the organisation has them."""

    def __init__(self, language: UiLanguage, said: NullTranslations, own: OwnWords) -> None:
        super().__init__()
        self._said = said
        self._reworded = lru_cache(maxsize=4096)(lambda text: own.reworded(language, text))

    def ugettext(self, message: str) -> str:
        return self._reworded(self._said.ugettext(message))

    def ungettext(self, one: str, many: str, number: int) -> str:
        return self._reworded(self._said.ungettext(one, many, number))


def _fits(language: UiLanguage, found: re.Match[str], one: str) -> bool:
    head = one.split()[0].lower()
    if language == "en" or (_LIKE_OURS[language, found[2].lower()].search(head) and not (language == "fr" and head.startswith(_VOWELS))):
        return True
    before, after = _APART[language, found[3].lower()]
    return bool(before.search(found.string[: found.start(2)]) and after.match(found.string, found.end()))


def _put(word: str, found: re.Match[str]) -> str:
    """Return a word in the place of ours: with its article in English, and a capital where ours has one."""
    if not word[1:2].isupper():
        word = (word[0].upper() if found[2][0].isupper() else word[0].lower()) + word[1:]
    if not (article := found[1]):
        return word
    return f"{article[0]}{'n' if word.lower().startswith(_VOWELS[:5]) else ''} {word}"
