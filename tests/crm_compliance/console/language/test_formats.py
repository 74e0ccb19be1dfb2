"""Numbers and days as they are written where the organisation works."""

from datetime import UTC, datetime

import pytest

from crm_compliance.console.language.formats import Formats
from rules.dates.calendar import Calendar


@pytest.mark.parametrize(
    ("language", "country", "locale", "number"),
    [
        ("nl", "BE", "nl_BE", "1.234,5"),
        ("nl", "NL", "nl_NL", "1.234,5"),
        ("fr", "LU", "fr_LU", "1.234,5"),
        ("fr", "FR", "fr_FR", "1\u202f234,5"),
        ("nl", "DE-NW", "nl", "1.234,5"),
        ("en", "US", "en_GB", "1,234.5"),
    ],
)
def test_a_language_is_written_as_in_the_country_of_the_organisation(language: str, country: str, locale: str, number: str) -> None:
    formats = Formats.of(language, Calendar(country))
    assert (str(formats.locale), formats.number(1234.5)) == (locale, number)


def test_french_has_an_ordinal_for_the_first_of_a_month_alone() -> None:
    """As letters write it."""
    french, dutch = (Formats.of(language, Calendar("BE")) for language in ("fr", "nl"))
    assert [french.day(day) for day in ("2027-03-01", "2027-03-11", "2027-01-31")] == ["1er mars 2027", "11 mars 2027", "31 janv. 2027"]
    assert (french.long_day("2027-03-01"), french.short_day("2027-03-01")) == ("lundi 1er mars 2027", "1er mars")
    assert french.clock(datetime(2027, 2, 28, 23, 1, tzinfo=UTC)) == "1er mars 2027 00:01"
    assert dutch.day("2027-03-01") == "1 mrt 2027"
