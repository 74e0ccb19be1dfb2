"""Reasons that are none: statistics, studies, research, training and quality never keep personal data longer.
Source: HLD-11, RET-22, R-049, R-075."""

import re
from typing import Final

from rules.texts.folding import plain_letters

NOT_A_HOLD: Final = "NOT_A_HOLD"

# Words in Dutch, French and English, without accents. A stem covers what begins with it.
_STEMS: Final = ("statisti", "wetenschap", "scientif", "kwaliteit", "qualit", "opleiding", "studiedoel", "jaarverslag", "training")
_WORDS: Final = frozenset(
    [
        "study",
        "studies",
        "studie",
        "etude",
        "etudes",
        "research",
        "researches",
        "formation",
        "formations",
        "vorming",
        "vormingen",
        "academy",
        "coaching",
    ]
)
# An investigation as well as research; where a court or a claim is the reason they stand for the former.
_AMBIGUOUS: Final = frozenset(
    ["onderzoek", "onderzoeken", "onderzoeksdoeleinden", "recherche", "recherches", "analysis", "analyse", "analyses"]
)
_FILLERS: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "at",
        "by",
        "for",
        "from",
        "in",
        "internal",
        "of",
        "on",
        "or",
        "our",
        "the",
        "to",
        "use",
        "with",
        "purpose",
        "purposes",
        "needed",
        "keep",
        "kept",
        "data",
        "report",
        "annual",
        "yearly",
        "aan",
        "bij",
        "de",
        "den",
        "dit",
        "een",
        "en",
        "het",
        "in",
        "intern",
        "interne",
        "met",
        "naar",
        "nodig",
        "of",
        "om",
        "onze",
        "op",
        "te",
        "tot",
        "van",
        "voor",
        "wegens",
        "zijn",
        "bewaren",
        "doeleinden",
        "gegevens",
        "a",
        "au",
        "aux",
        "avec",
        "ce",
        "d",
        "dans",
        "de",
        "des",
        "du",
        "en",
        "est",
        "et",
        "interne",
        "l",
        "la",
        "le",
        "les",
        "necessaire",
        "notre",
        "nos",
        "ou",
        "par",
        "pour",
        "rapport",
        "sur",
        "un",
        "une",
        "fins",
    ]
)


def is_no_reason(code: str, basis: str, *, is_investigation: bool) -> bool:
    """Return whether a hold for this reason would keep data for statistics, a study, research, training or
    quality. One such word in the reason code is enough. The basis is refused only where it says nothing else,
    since a complaint may well be about the quality of something. `is_investigation`: the hold is a legal or
    judicial one, so that *onderzoek* is an investigation."""
    if any(_is_excluded(word, is_investigation) for word in _words(code)):
        return True
    told = [word for word in _words(basis) if word not in _FILLERS and not word.isdecimal()]
    return bool(told) and all(_is_excluded(word, is_investigation) for word in told)


def _is_excluded(word: str, is_investigation: bool) -> bool:
    return word in _WORDS or word.startswith(_STEMS) or (word in _AMBIGUOUS and not is_investigation)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", plain_letters(text))
