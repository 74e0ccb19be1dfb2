"""Street and number, postcode and town, as they are written in Belgium and its neighbours. Source: EXP-06."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from rules.people.name_words import IN_STREETS, as_written, is_no_name
from rules.redaction.patterns import Found
from rules.texts.folding import fold

_CAPITAL: Final = r"[^\W\d_a-zà-öø-ÿ]"
_WORD: Final = rf"{_CAPITAL}[\w'-]{{0,40}}"
_PARTICLE: Final = rf"(?:de la|de l'|{as_written(IN_STREETS)})"
_NUMBER: Final = (
    r"\d{1,4}(?:\s?[a-zA-Z](?!\w))?(?:\s?[-/]\s?\d{1,4}[a-zA-Z]?)?"
    r"(?:\s?,?\s?(?:bus|bte|boîte|boite|box|b|appartement|app|apt|verdieping|étage)\.?\s?\w{1,4})?(?!\d)"
)
_PLACE: Final = (
    rf"(?:B-|D-|F-|L-|NL-|LU-)?(?:0\d{{4}}|[1-9]\d{{3,4}})(?:\s?[A-Z]{{2}}(?=\s))?\s+{_WORD}(?:[ -](?:{_PARTICLE}[ -])?{_WORD}){{0,2}}"
)
_THEN_PLACE: Final = rf"(?:[,\s-]+(?:(?:à|te|in|à)\s)?{_PLACE})?"
_BEFORE: Final = r"(?<!\w)"
_NR: Final = r"[, ]+(?:(?:nr|n°|nummer|numéro|no|huisnummer)\.?\s?)?"

# Endings that are a street in any case, and those that are one only with a capital: `onderweg 3 keer` is
# none.
_STREET: Final = r"(?:straat|straatje|laan|steenweg|plein|pleintje|dreef|kaai|steeg|straße|strasse|gasse|platz)"
_ENDING: Final = (
    rf"(?:{_STREET}|weg|wegel|lei|singel|baan|hof|hoek|heide|berg|veld|park|markt|dijk|ring|pad|gracht|kade|vest|dries|kouter|kerkhof|wijk|erf|einde?|"
    r"poort|dorp|donk|bahn|graben|winkel|str\.?|stwg\.?|stw\.|allee|damm|ufer|chaussee|steig)"
)
_DUTCH: Final = (
    rf"(?:(?:{_WORD}\s(?:{_PARTICLE}\s)?){{0,3}}(?:{_CAPITAL}[\w'-]{{0,40}}(?i:{_ENDING})|[\w'-]{{1,40}}(?i:{_STREET}))|"
    rf"(?:{_WORD}\s){{1,3}}(?i:{_ENDING})|(?i:steenweg|plein|laan|baan|weg)\s(?:{_PARTICLE}\s){{1,2}}{_WORD})"
)
_FRENCH: Final = (
    r"(?:(?i:rue|r\.|avenue|av\.|boulevard|bd\.?|boul\.|place|pl\.|chaussée|chée|ch\.|chemin|quai|impasse|allée|square|clos|route|sentier|drève|cité|"
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
# A hamlet or a square without a word for street: only the place behind it tells.
_BARE: Final = re.compile(
    rf"{_BEFORE}{_WORD}(?:\s(?:{_PARTICLE}\s)?{_WORD}){{0,2}}{_NR}{_NUMBER}[,\s-]+(?:(?:à|te|in)\s)?(?P<place>{_PLACE})"
)
_DIGITS: Final = re.compile(r"\d+")
_REACH: Final = 500  # more than an address is long
_FIRST_WORD: Final = re.compile(r"([^\W\d_]+)\s+(?=\D)")
_TOWN: Final = re.compile(rf"{_BEFORE}{_PLACE}")
_NUMBER_BEHIND: Final = re.compile(rf"(?<!\d){_NR}{_NUMBER}")
_HOUSE: Final = re.compile(
    r"(?P<street>\D+?)[\s,]*(?i:\b(?:nr|n°|nummer|numéro|no|huisnummer)\.?\s?)?(?P<number>\d{1,4})(?:\s?(?P<letter>[a-zA-Z])(?!\w))?"
    r"(?:(?:\s?,?\s?(?i:bus|bte|boîte|boite|box|b|appartement|app|apt)\.?\s?|\s?/\s?)0*(?P<box>\w{1,4}))?"
    rf"{_THEN_PLACE}"
)
_SHORTENED: Final = re.compile(r"str\.?$", re.IGNORECASE)
_FRENCH_START: Final = re.compile(
    rf"(?:rue|avenue|boulevard|place|chaussée|chemin|quai|allée|square|route|sentier|drève)\s(?:{_PARTICLE}\s?)*", re.IGNORECASE
)
_DUTCH_END: Final = re.compile(rf"(?<=\s)[\w'-]+{_STREET}$", re.IGNORECASE)
_SHORTEST_PART: Final = 8
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
    """Find streets with a number, with the place behind them, and postcodes with a town; the value is the
    same, folded."""
    taken = bytearray(len(text))
    places = list(_near_digits(text))
    for pattern in (*_PATTERNS, _BARE):
        for match in chain.from_iterable(pattern.finditer(text, *place) for place in places):
            if 1 in taken[slice(*match.span())] or (pattern is _BARE and _is_a_year(match["place"])):
                continue
            taken[slice(*match.span())] = b"\1" * len(match[0])
            begin = _after_the_beginning_of_a_sentence(text, *match.span())
            yield Found(begin, match.end(), "address", fold(text[begin : match.end()]))
    for match in chain.from_iterable(_TOWN.finditer(text, *place) for place in places):
        if 1 not in taken[slice(*match.span())] and not _is_a_year(match[0]):
            yield Found(match.start(), match.end(), "address", fold(match[0]))


def _near_digits(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of a text that are near enough to a digit for an address."""
    begin = end = 0
    for digits in _DIGITS.finditer(text):
        if digits.start() - _REACH > end:
            yield begin, end
            begin = digits.start() - _REACH
        end = digits.end() + _REACH
    yield begin, end


def same_house(written: str, own: str) -> bool:
    """Return whether an address is this one in another spelling: `Kapellestr. 17/3, 9220 Hamme` for
    `Kapellestraat 17 bus 3`. The box may be missing; another box, or a box where the own address has none, is
    a neighbour's."""
    one, other = _HOUSE.fullmatch(written.strip()), _HOUSE.fullmatch(own.strip())
    if one is None or other is None:
        return False
    same = all(_part(one, name) == _part(other, name) for name in ("street", "number", "letter"))
    return same and (one["box"] is None or _part(one, "box") == _part(other, "box"))


def _part(house: re.Match[str], name: str) -> str:
    return fold(_SHORTENED.sub("straat", (house[name] or "").strip()))


def parts_of_street(street: str) -> Iterator[str]:
    """Yield what identifies a street without the rest of its name: `Marché aux Herbes` without `Rue du`,
    `Plateaulaan` without `Jozef`."""
    name = street.strip(" ,")
    short = _FRENCH_START.sub("", name, count=1)
    last = _DUTCH_END.search(name)
    if short != name and " " in short.strip():
        yield short
    if last is not None and len(last[0]) >= _SHORTEST_PART:
        yield last[0]


def past_the_number(text: str, end: int) -> int:
    """Return the position after the number of a house behind its street."""
    number = _NUMBER_BEHIND.match(text, end)
    return end if number is None or text[end - 1].isdigit() else number.end()


def _after_the_beginning_of_a_sentence(text: str, begin: int, end: int) -> int:
    """Step over words before a street: in `Toen Kerkstraat 12` one."""
    while (word := _FIRST_WORD.match(text, begin, end)) is not None and is_no_name(word[1]):
        begin = word.end()
    return begin


def _is_a_year(written: str) -> bool:
    """Return whether `2010 Antwerpen` is more likely a year: only towns with such a postcode count. The
    town may be on the next line, as is what follows the date of an e-mail."""
    number, town, *_ = written.split()
    if not number.isdigit() or int(number) not in _LIKE_A_YEAR:
        return False
    return int(number) not in _POSTCODES_LIKE_A_YEAR or fold(town) not in _THEIR_TOWNS
