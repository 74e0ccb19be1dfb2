"""Street and number, postcode and town, as they are written in Belgium and its neighbours.

Source: EXP-06.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rules.detection import Found
from rules.folding import fold
from rules.ordinary_words import NO_NAMES

_CAPITAL: Final = r"[^\W\d_a-zà-öø-ÿ]"
_WORD: Final = rf"{_CAPITAL}[\w'-]{{0,40}}"
_PARTICLE: Final = (
    r"(?:de la|de l'|der|den|de|het|'?t|van|von|ter|ten|aan|op|in|du|des|d'|l'|la|les|le|aux?|en|et|sur|am|an|zum|zur|im|naar)"
)
_NUMBER: Final = (
    r"\d{1,4}(?:\s?[a-zA-Z](?!\w))?(?:\s?[-/]\s?\d{1,4}[a-zA-Z]?)?"
    r"(?:\s?,?\s?(?:bus|bte|boîte|boite|box|b|appartement|app|apt|verdieping|étage)\.?\s?\w{1,4})?(?!\d)"
)
_PLACE: Final = rf"(?:B-|D-|F-|L-|NL-|LU-)?[1-9]\d{{3,4}}(?:\s?[A-Z]{{2}}(?=\s))?\s+{_WORD}(?:[ -](?:{_PARTICLE}[ -])?{_WORD}){{0,2}}"
_THEN_PLACE: Final = rf"(?:[,\s-]+(?:(?:à|te|in|à)\s)?{_PLACE})?"
_BEFORE: Final = r"(?<!\w)"
_NR: Final = r"[, ]+(?:(?:nr|n°|nummer|numéro|no|huisnummer)\.?\s?)?"

# Endings that are a street in any case, and those that are one only with a capital: `onderweg 3 keer` is none.
_STREET: Final = r"(?:straat|straatje|laan|steenweg|plein|pleintje|dreef|kaai|steeg|straße|strasse|gasse|platz)"
_ENDING: Final = (
    rf"(?:{_STREET}|weg|wegel|lei|singel|baan|hof|hoek|heide|berg|veld|park|markt|dijk|ring|pad|gracht|kade|vest|dries|kouter|kerkhof|wijk|erf|einde?|"
    r"poort|dorp|donk|bahn|graben|winkel|str\.|allee|damm|ufer|chaussee|steig)"
)
_DUTCH: Final = (
    rf"(?:(?:{_WORD}\s(?:{_PARTICLE}\s)?){{0,3}}(?:{_CAPITAL}[\w'-]{{0,40}}(?i:{_ENDING})|[\w'-]{{1,40}}(?i:{_STREET}))|"
    rf"(?:{_WORD}\s){{1,3}}(?i:{_ENDING})|(?i:steenweg|plein|laan|baan|weg)\s(?:{_PARTICLE}\s){{1,2}}{_WORD})"
)
_FRENCH: Final = (
    r"(?:(?i:rue|avenue|av\.|boulevard|bd\.?|boul\.|place|pl\.|chaussée|chée|chemin|quai|impasse|allée|square|clos|route|sentier|drève|cité|"
    r"résidence|esplanade|faubourg|parvis|passage|venelle|cours|montagne)"
    rf"\s(?:{_PARTICLE}\s?){{0,2}}[\w'-]{{1,40}}(?:[ -](?:{_PARTICLE}[ ']?)?{_WORD}){{0,4}})"
)
_ENGLISH: Final = rf"(?:(?:{_WORD}\s){{1,3}}(?:Street|St\.|Road|Rd\.|Avenue|Lane|Square|Drive|Close|Court|Way|Terrace|Gardens))"

_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_BEFORE}{_FRENCH}{_NR}{_NUMBER}{_THEN_PLACE}",
        rf"{_BEFORE}\d{{1,4}}\s?[a-zA-Z]?,?\s{_FRENCH}{_THEN_PLACE}",
        rf"{_BEFORE}{_DUTCH}{_NR}{_NUMBER}{_THEN_PLACE}",
        rf"{_BEFORE}\d{{1,4}}[a-zA-Z]?,?\s{_ENGLISH}{_THEN_PLACE}",
    )
)
_FIRST_WORD: Final = re.compile(r"([^\W\d_]+)\s+(?=\D)")
_TOWN: Final = re.compile(rf"{_BEFORE}{_PLACE}")
_LIKE_A_YEAR: Final = range(1900, 2100)
_POSTCODES_LIKE_A_YEAR: Final = frozenset(
    {1910, 1930, 1931, 1932, 1933, 1934, 1935, 1950, 1970, 1980, 1981, 1982, 2000, 2018, 2020, 2030, 2040, 2050, 2060, 2070}
)
_TOWNS: Final = """
    Kampenhout Berg Buken Nederokkerzeel Zaventem Nossegem Sterrebeek Sint-Stevens-Woluwe Diegem Machelen Kraainem Wezembeek-Oppem
    Zemst Eppegem Hofstade Elewijt Weerde Antwerpen Anvers Antwerp Linkeroever Zwijndrecht Burcht Brussel Bruxelles
"""
_THEIR_TOWNS: Final = frozenset(fold(town) for town in _TOWNS.split())


def street_lines(text: str) -> Iterator[Found]:
    """Find streets with a number, with the place behind them, and postcodes with a town; the value is the same, folded."""
    taken: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not any(begin < match.end() and match.start() < end for begin, end in taken):
                taken.append(match.span())
                begin = _after_the_beginning_of_a_sentence(text, *match.span())
                yield Found(begin, match.end(), "address", fold(text[begin : match.end()]))
    for match in _TOWN.finditer(text):
        if any(begin < match.end() and match.start() < end for begin, end in taken) or _is_a_year(match[0]):
            continue
        yield Found(match.start(), match.end(), "address", fold(match[0]))


def _after_the_beginning_of_a_sentence(text: str, begin: int, end: int) -> int:
    """Step over words that are no part of a street: in `Toen Kerkstraat 12` one."""
    while (word := _FIRST_WORD.match(text, begin, end)) is not None and word[1].casefold() in NO_NAMES:
        begin = word.end()
    return begin


def _is_a_year(written: str) -> bool:
    """Say whether `2010 Antwerpen` is more likely a year: only towns that have such a postcode are believed."""
    number, _, town = written.partition(" ")
    if not number.isdigit() or int(number) not in _LIKE_A_YEAR:
        return False
    return int(number) not in _POSTCODES_LIKE_A_YEAR or fold(town.split()[0]) not in _THEIR_TOWNS
