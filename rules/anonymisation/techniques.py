"""Anonymisation techniques, the columns each fits, and the bands and groups that may outlive a person. Pure
functions. A band says unknown where nothing is known, and never more than the published bands. Source:
sections 5.2 and 5.3 of the rules; ERA-05; R-092, R-093."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from rules.dates.ages import completed_years
from rules.dates.periods import add_years
from rules.model.home import BELGIUM
from rules.model.languages import LANGUAGES
from rules.texts.folding import fold

CONSTANT = "Geanonimiseerd"  # the same for everyone, never a running number
UNKNOWN = "unknown"
BRUSSELS_CAPITAL = "Brussels-Capital"
MIN_KEY_BYTES = 32  # as long as the digest, RFC 2104 section 3

AGE_BANDS = ("0-5", "6-11", "12-14", "15-17", "18-24", "25+", UNKNOWN)
DURATION_BANDS = ("same_day", "2d", "7d", "31d", "1y", "longer")
SEXES = ("f", "m", "x", UNKNOWN)


class ColumnType(StrEnum):
    """The types of columns, in the terms of the reference environment."""

    STRING = "string"
    MEMO = "memo"
    INT = "int"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOL = "bool"
    DATE = "date"
    DATETIME = "datetime"
    DATETIME_TZI = "datetime_tzi"
    CHOICE = "choice"
    CHOICES = "choices"
    LOOKUP = "lookup"
    FILE = "file"
    IMAGE = "image"
    GUID = "guid"


TEXTS = frozenset({ColumnType.STRING, ColumnType.MEMO})


def hmac_pseudonym(key: bytes, value: str) -> str:
    """Replace a value by a keyed pseudonym, to link rows during one run. The key is random for each run,
    stays in memory and is destroyed at the end: with a key that is kept the data are pseudonymised, not
    anonymous. Without a key 36 million register numbers a century are tried in seconds. Raises ValueError:
    the key is shorter than 32 bytes. Source: section 5.3, ERA-05; R-090."""
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"a key has {MIN_KEY_BYTES} bytes at least")
    return hmac.digest(key, value.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a result may be made of: the row by its id, the key of this run's pseudonyms, and what the
    statistics say of its unit (5.2). Nothing that the row holds: a second time the result is the same."""

    row: str
    key: bytes = b""
    year: int | None = None
    age_band: str | None = None
    province: str | None = None


def _nothing(facts: Facts) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Technique:
    """One way of masking: whatever is said or asked of it anywhere is said here.

    `result` is what stands in the column afterwards; None is an empty one. `fits` are the types of column
    that can hold it; empty where the technique works on rows, not on a column. `length` is how long a result
    can get as text. `fits_required`: the result is never empty. `fits_unique`: two persons never get the same
    result. `pattern` is what a result looks like that nobody can make again, by a key that is gone."""

    name: str
    purpose: str
    fits: frozenset[ColumnType] = frozenset()
    result: Callable[[Facts], object] = _nothing
    fits_required: bool = True
    fits_unique: bool = False
    length: int = 0
    pattern: str = ""

    def shows(self, found: object, facts: Facts) -> bool:
        """Return whether a column shows what this technique wrote, in this run or in an earlier one."""
        if self.pattern:
            return isinstance(found, str) and re.fullmatch(self.pattern, found) is not None
        return found == self.result(facts)


_STRING = frozenset({ColumnType.STRING})
_EMPTIED = frozenset(ColumnType) - {ColumnType.GUID}

# An empty value does not clash with another in an alternate key, so `null` fits unique columns.
_TECHNIQUES = (
    Technique("null", "set empty", _EMPTIED, fits_required=False, fits_unique=True),
    Technique("constant", f"the fixed value {CONSTANT}", TEXTS, lambda facts: CONSTANT, length=len(CONSTANT)),
    Technique("drop_text", "remove the whole text", TEXTS, fits_required=False, fits_unique=True),
    Technique(
        "hmac",
        "a keyed pseudonym that lasts one run",
        _STRING,
        lambda facts: hmac_pseudonym(facts.key, facts.row),
        fits_unique=True,
        length=64,
        pattern="[0-9a-f]{64}",
    ),
    Technique("date_to_year", "keep the year of a date", _STRING | {ColumnType.INT}, lambda facts: facts.year, length=4),
    Technique("age_band", "a band of ages instead of a birth date", _STRING, lambda facts: facts.age_band, length=max(map(len, AGE_BANDS))),
    Technique(
        "postcode_to_province", "the province instead of the address", _STRING, lambda facts: facts.province, length=len(BRUSSELS_CAPITAL)
    ),
    Technique("delete_child_rows", "delete notes, attachments, activities and party rows"),
)
TECHNIQUES: Mapping[str, Technique] = MappingProxyType({technique.name: technique for technique in _TECHNIQUES})


# What this product masks, by field: a contact that lives on for another relation (RET-20), and the statistics
# that outlive a dossier (5.2).
APPLIED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "contact": MappingProxyType(
            {
                "national_number": "null",
                "birth_on": "null",
                "birth_year": "null",
                "birth_month": "null",
                "stated_age": "null",
                "stated_on": "null",
                "birth_place": "null",
                "image": "null",
                "description": "drop_text",
            }
        ),
        "statistic": MappingProxyType({"year": "date_to_year", "province": "postcode_to_province", "age_band": "age_band"}),
    }
)


def check_technique(technique: str, column_type: str, *, max_length: int | None, required: bool, unique: bool) -> str | None:
    """Return why a technique cannot be used for a column, or None where it can. It is checked when a mapping
    is loaded. `column_type` is a word of ColumnType; `max_length` is that of a text column, None where it has
    none or is not one. Source: section 5.3."""
    if technique not in TECHNIQUES:
        return f"there is no technique {technique}; it is one of {', '.join(TECHNIQUES)}"
    chosen = TECHNIQUES[technique]
    if not chosen.fits:
        return f"{technique} works on rows, not on a column"
    if column_type not in chosen.fits:
        return f"{technique} does not fit a column of type {column_type}; it fits {', '.join(sorted(chosen.fits))}"
    if required and not chosen.fits_required:
        return f"{technique} leaves the column empty, and the CRM requires a value"
    if unique and not chosen.fits_unique:
        return f"{technique} gives the same value to several rows, and the column is part of a key"
    if column_type in TEXTS and max_length is not None and max_length < chosen.length:
        return f"{technique} needs {chosen.length} characters, and the column holds {max_length}"
    return None


def age_band(birth_on: date | None, opened_on: date | None) -> str:
    """Return the band of the age in completed years on the opening date; unknown without both dates, or if
    born later (R-093)."""
    if birth_on is None or opened_on is None or birth_on > opened_on:
        return UNKNOWN
    age = completed_years(birth_on, opened_on)
    for below, band in ((6, "0-5"), (12, "6-11"), (15, "12-14"), (18, "15-17"), (25, "18-24")):
        if age < below:
            return band
    return "25+"


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


def duration_band(opened_on: date | None, closed_on: date | None) -> str | None:
    """Return the band of the days from opening to closing; None where a date is missing or the closing lies
    before the opening (5.2)."""
    if opened_on is None or closed_on is None or closed_on < opened_on:
        return None
    days = (closed_on - opened_on).days
    for at_most, band in ((0, "same_day"), (2, "2d"), (7, "7d"), (31, "31d")):
        if days <= at_most:
            return band
    return "1y" if closed_on <= add_years(opened_on, 1) else "longer"


def fiches_band(n: int) -> str | None:
    """Return the band of a number of fiches; None for a dossier without any (5.2)."""
    if n < 1:
        return None
    return "1" if n == 1 else "2-5" if n <= 5 else "6+"


def sex(gender_key: str | None) -> str:
    """Return the sex as a statistics row holds it: f, m, x, else unknown (5.2)."""
    return gender_key if gender_key in SEXES and gender_key is not None else UNKNOWN
