"""The province, region or group of countries that may stand instead of an address. Source: section 5.3 of the
rules, postcode table; ERA-09; R-092."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from rules.model.home import BELGIUM
from rules.model.languages import LANGUAGES
from rules.texts.folding import fold

BRUSSELS_CAPITAL = "Brussels-Capital"

# Up to and including each number, from 1000 on (section 5.3).
_PROVINCES = (
    (1299, BRUSSELS_CAPITAL),
    (1499, "Walloon Brabant"),
    (1999, "Flemish Brabant"),
    (2999, "Antwerp"),
    (3499, "Flemish Brabant"),
    (3999, "Limburg"),
    (4999, "Liège"),
    (5999, "Namur"),
    (6599, "Hainaut"),
    (6999, "Luxembourg"),
    (7999, "Hainaut"),
    (8999, "West Flanders"),
    (9999, "East Flanders"),
)

# ERA-09 step 1.
REGIONS: Mapping[str, str] = MappingProxyType(
    {BRUSSELS_CAPITAL: "Brussels"}
    | dict.fromkeys(("Antwerp", "East Flanders", "Flemish Brabant", "Limburg", "West Flanders"), "Flanders")
    | dict.fromkeys(("Hainaut", "Liège", "Luxembourg", "Namur", "Walloon Brabant"), "Wallonia")
)

_POSTCODE = re.compile(r"(?:BE?)?[ -]*([1-9][0-9]{3})", re.ASCII)

_BELGIUM_NAMES = "be bel belgie belgique belgium belgien"
_NEIGHBOUR_NAMES = (
    "fr fra frankrijk france frankreich nl nld nederland paysbas netherlands thenetherlands niederlande holland "
    "de deu duitsland allemagne germany deutschland lu lux luxemburg luxembourg"
)
_EEA_NAMES = (
    "at aut oostenrijk autriche austria osterreich oesterreich bg bgr bulgarije bulgarie bulgaria bulgarien "
    "cy cyp cyprus chypre zypern cz cze tsjechie tchequie czechia tschechien tsjechischerepubliek republiquetcheque czechrepublic "
    "dk dnk denemarken danemark denmark ee est estland estonie estonia es esp spanje espagne spain spanien "
    "fi fin finland finlande finnland gr grc el griekenland grece greece griechenland hr hrv kroatie croatie croatia kroatien "
    "hu hun hongarije hongrie hungary ungarn ie irl ierland irlande ireland irland is isl ijsland islande iceland island "
    "it ita italie italy italien li lie liechtenstein lt ltu litouwen lituanie lithuania litauen "
    "lv lva letland lettonie latvia lettland mt mlt malta malte no nor noorwegen norvege norway norwegen "
    "pl pol polen pologne poland pt prt portugal ro rou roemenie roumanie romania rumanien "
    "se swe zweden suede sweden schweden si svn slovenie slovenia slowenien sk svk slowakije slovaquie slovakia slowakei"
)
_GROUPS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(_EEA_NAMES.split(), "eea")
    | dict.fromkeys(_NEIGHBOUR_NAMES.split(), "neighbouring")
    | dict.fromkeys(_BELGIUM_NAMES.split(), BELGIUM)
)


def has_provinces(country: str) -> bool:
    """Return whether the provinces of a country's postcodes are known."""
    return country == BELGIUM


def province(postcode: str | None, country: str | None, home: str = BELGIUM) -> str:
    """Return the Belgian province of a postcode, or the group of a foreign country: neighbouring, eea or
    other. The country is an ISO code or a name in Dutch, French, English or German; an empty one is `home`,
    a name that is none of those of the European Economic Area is `other`. A postcode that does not exist, or
    none, gives `BE`. Of another home, whose postcodes nobody here knows, all are one place, called by its
    code; which countries are its neighbours is not known either. Source: section 5.3, postcode table;
    R-092."""
    folded = fold(country) if country else ""
    group = _GROUPS.get(folded, "other") if folded else home
    if home != BELGIUM:
        return home if not folded or folded in _names_of(home) else "other" if group == "other" else "eea"
    if group != BELGIUM:
        return group
    match = _POSTCODE.fullmatch(postcode.strip().upper()) if postcode else None
    if match is None:
        return BELGIUM
    number = int(match[1])
    return next(name for last, name in _PROVINCES if number <= last)


@lru_cache(maxsize=4)
def _names_of(country: str) -> frozenset[str]:
    """Return a country's codes and its names in the languages of answers, folded."""
    from babel.core import Locale, get_global  # a moment to load, and most schedules are of one country

    codes = {code for code, meant in get_global("territory_aliases").items() if country in meant and len(code) == len("BEL")}
    names = {Locale.parse(language).territories.get(country, "") for language in LANGUAGES}
    return frozenset(fold(name) for name in (country, *codes, *names) if name)
