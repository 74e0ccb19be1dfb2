"""The words of letters and packages, in four languages, and how each writes times (EXP-11, EXP-12)."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, get_timezone_location
from babel.localedata import locale_identifiers
from babel.numbers import format_currency, format_decimal, get_territory_currencies
from babel.units import format_unit

from crm_compliance.configuration.organisation import product_texts
from jobs.model.answer import Compilation
from rules.dates.instants import read_instant
from rules.model.home import BELGIUM
from rules.model.media_types import plain_type
from rules.organisation.organisation import Organisation

ON_BEHALF: Final = "_on_behalf"
NO_WORDS: Final = "zxx"  # ISO 639 for "no linguistic content": an answer of which only the data are left
_PLACE: Final = re.compile(r"\{\w*[^{}]*\}")

_COUNTRIES: Final = frozenset({"country", "nationality", "transmitted_country"})
_OTHER: Final[Mapping[str, str]] = MappingProxyType({"text": "text", "message": "email"})
_MEDIA: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "pdf": ("pdf",),
        "document": ("word", "opendocument.text", "rtf"),
        "spreadsheet": ("excel", "sheet", "csv"),
        "email": ("rfc822", "outlook"),
        "archive": ("zip", "gzip", "x-7z", "x-tar"),
    }
)


class Texts:
    """The texts of one language, as its file has them. A table `…_on_behalf` has the different wording for a
    person who asks in a child's name: about the child, not about the reader."""

    def __init__(
        self,
        language: str,
        tables: Mapping[str, Mapping[str, str]],
        locale: str,
        organisation: Organisation,
        *,
        on_behalf: bool,
        own: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._own = own  # what the CRM calls tables and columns that are the organisation's alone
        self._said_as = (tables, locale)
        self.language = language
        self.organisation = organisation
        self.zone = ZoneInfo(organisation.timezone)
        self.locale = Locale.parse(locale)
        self._all, self._on_behalf = tables, on_behalf
        said = {name: table for name, table in tables.items() if not name.endswith(ON_BEHALF)}
        other = {name.removesuffix(ON_BEHALF): table for name, table in tables.items() if name.endswith(ON_BEHALF)}
        self._tables = {name: {**table, **other.get(name, {})} for name, table in said.items()} if on_behalf else said

    def say(self, table: str, key: str, **values: str) -> str:
        """Return a sentence with its places filled in."""
        return self._tables[table][key].format(**values)

    def code(self, table: str, code: str) -> str:
        """Return the words for a code; one without words is returned unchanged, but readable."""
        return self._tables[table].get(code) or (table == "kind" and self._own.get(code)) or code.replace("_", " ")

    def named(self, kind: str, field: str) -> str:
        """Return the words for a field of a kind."""
        return self._own.get(f"{kind}.{field}") or self.code("field", field)

    def with_words(self, own: Mapping[str, str]) -> "Texts":
        """Return the same texts with words for kinds and fields that are the organisation's alone."""
        tables, locale = self._said_as
        return type(self)(self.language, tables, locale, self.organisation, on_behalf=self._on_behalf, own=own) if own else self

    def all_texts(self) -> tuple[str, ...]:
        """Return every text of the language: what is the same in all letters is about nobody."""
        return tuple(text for table in self._all.values() for text in table.values())

    def without_words(self) -> "Texts":
        """Return the same texts with only the places filled in: all they then contain is data."""
        tables = {name: {key: _places_in(text) for key, text in table.items()} for name, table in self._all.items()}
        return _Wordless(NO_WORDS, tables, "en", self.organisation, on_behalf=self._on_behalf)

    def all_codes(self) -> tuple[str, ...]:
        """Return every code that there are words for."""
        return tuple(key for table in self._tables.values() for key in table)

    def knows(self, table: str, code: str) -> bool:
        return code in self._tables[table]

    @property
    def city(self) -> str:
        """The city by whose clock the hours of an answer are; in French with the "of" before it, which loses
        its vowel before another."""
        city = str(get_timezone_location(self.zone.key, locale=self.locale, return_city=True))
        if self.language != "fr":
            return city
        return f"d’{city}" if city.startswith(tuple("AEIOUYÂÉÈÊÎÔŒ")) else f"de {city}"

    @property
    def currency(self) -> str:
        """The currency of amounts, which the CRM does not tell: that of the organisation's country."""
        return str(next(iter(get_territory_currencies(self.organisation.country)), "EUR"))

    def day(self, day: date) -> str:
        """Write a day as people write it: `4 mei 2026`."""
        written = str(format_date(day, format="long", locale=self.locale))
        return f"1er{written[1:]}" if self.language == "fr" and day.day == 1 else written

    def period(self, months: int) -> str:
        """Write a term in months, or in years where it has two or more: `5 jaar`, `12 maanden`."""
        is_in_years = months % 12 == 0 and months > 12
        return str(
            format_unit(months // 12 if is_in_years else months, f"duration-{'year' if is_in_years else 'month'}", locale=self.locale)
        )

    def moment(self, at: datetime) -> str:
        """Write an instant on the clock of the organisation, with its offset: `4 mei 2026, 14:03
        (UTC+02:00)`."""
        offset = at.astimezone(self.zone).strftime("%z")
        return f"{self.hour(at)} (UTC{offset[:3]}:{offset[3:5]})"

    def hour(self, at: datetime) -> str:
        """Write the same without the offset, which says nothing to a child: `4 mei 2026, 14:03`."""
        local = at.astimezone(self.zone)
        return f"{self.day(local.date())}, {local:%H:%M}"

    def civil_day(self, at: str) -> date:
        """Return the civil day of a day or an instant in ISO form."""
        return datetime.fromisoformat(at).astimezone(self.zone).date() if "T" in at else date.fromisoformat(at)

    def country(self, code: str) -> str:
        """Name a country by its ISO code; anything else stands as it is."""
        return str(self.locale.territories.get(code, code))

    def money(self, amount: float) -> str:
        """Write an amount with its currency, that of the country: `€ 25,50`."""
        return str(format_currency(amount, self.currency, locale=self.locale))

    def joined(self, parts: Iterable[str]) -> str:
        """Join what may have commas itself; French has a blank before a semicolon."""
        return (" ; " if self.language == "fr" else "; ").join(parts)

    def media(self, media_type: str) -> str:
        """Return in words what kind of file a media type is."""
        family, _, kind = plain_type(media_type).partition("/")
        if family in ("image", "audio", "video"):
            return self._tables["media"][family]
        return self._tables["media"][
            next((word for word, parts in _MEDIA.items() if any(part in kind for part in parts)), _OTHER.get(family, "other"))
        ]

    def field(self, name: str, value: str | int | float | bool) -> str:
        """Write a value by what its field is (an amount, a country, a role, …); else as any value."""
        if name == "role" and isinstance(value, str) and self.knows("role", value):
            return self.code("role", value)
        if name == "categories" and isinstance(value, str):
            return ", ".join(self._own.get(f"categories.{key}") or self.value(key) for key in value.split(", "))
        if name == "amount" and isinstance(value, int | float) and not isinstance(value, bool):
            return self.money(value)
        if isinstance(value, str) and name in _COUNTRIES:
            return self.country(value.strip().upper()) if len(value.strip()) == len("BE") else value
        return self.media(value) if isinstance(value, str) and name == "media_type" else self.value(value)

    def value(self, value: str | int | float | bool) -> str:
        """Return a value of a field in words: days and instants as people write them, codes in words, other
        text unchanged."""
        if isinstance(value, bool):
            return self._tables["value"]["yes" if value else "no"]
        if isinstance(value, float):
            return str(format_decimal(value, format="#,##0.00########", locale=self.locale))
        if isinstance(value, int):
            return str(value)
        if len(value) == len("2026-05-04") and (day := _day(value)) is not None:
            return self.day(day)
        if "T" in value and (at := read_instant(value)) is not None:
            return self.moment(at)
        known = self._tables["value"]
        codes = value.split(", ")  # of a choice that may have several
        return ", ".join(known[code] for code in codes) if all(code in known for code in codes) else value


class _Wordless(Texts):
    """Texts of which only the data are left. Days, countries and amounts are written as CLDR's `root` has
    them, which names nothing, but without asking Babel for it: the first question to `root` changes what
    every locale that is loaded later in the process calls its months."""

    @property
    def city(self) -> str:
        return ""

    def day(self, day: date) -> str:
        return f"{day.year} M{day.month:02} {day.day}"

    def period(self, months: int) -> str:
        return str(months)

    def country(self, code: str) -> str:
        return code

    def money(self, amount: float) -> str:
        return str(format_currency(amount, self.currency, format="¤\u00a0#,##0.00", locale=self.locale))


def _places_in(text: str) -> str:
    return " | ".join(_PLACE.findall(text)) or "·"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text[4] == text[7] == "-" else None
    except ValueError:
        return None


def texts_for(compilation: Compilation, organisation: Organisation) -> Texts:
    """Return the texts of an answer."""
    return texts_in(compilation.language, organisation, on_behalf=compilation.is_on_behalf).with_words(compilation.words)


@lru_cache(maxsize=32)
def texts_in(language: str, organisation: Organisation, *, on_behalf: bool = False) -> Texts:
    """Return the texts of a language, some in the organisation's own words; its usual language where it does
    not write in that one (EXP-11). `on_behalf`: about a child, to the person who acts for it."""
    usual = organisation.languages[0]
    if language == NO_WORDS:
        return texts_in(usual, organisation, on_behalf=on_behalf).without_words()
    known = language if language in organisation.languages else usual
    tables = {name: dict(table) for name, table in product_texts(known).items() if name != "locale"}
    for name, own in organisation.words.items():
        tables[name] |= {key: text for key, words in own.items() if (text := words.in_language(known))}
    tables["purpose"] |= {key: text for key, each in organisation.purposes.items() if each.name and (text := each.name.in_language(known))}
    return Texts(known, tables, locale_of(known, organisation.country), organisation, on_behalf=on_behalf)


def locale_of(language: str, country: str) -> str:
    """Return how days and amounts are written in a language in a country; as everywhere where people there
    are not known to write it."""
    if country == BELGIUM:
        return str(product_texts(language)["locale"])
    return there if (there := f"{language}_{country}") in locale_identifiers() else language
