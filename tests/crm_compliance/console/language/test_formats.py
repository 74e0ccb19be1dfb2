"""Numbers and days as they are written where the organisation works."""

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
