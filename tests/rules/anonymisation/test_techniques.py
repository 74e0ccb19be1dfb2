"""What may outlive a person is a band or a group, and a technique is refused where it does not fit (section
5.3)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.anonymisation.techniques import (
    AGE_BANDS,
    CONSTANT,
    DURATION_BANDS,
    REGIONS,
    TECHNIQUES,
    ColumnType,
    Facts,
    Technique,
    age_band,
    check_technique,
    duration_band,
    fiches_band,
    has_provinces,
    hmac_pseudonym,
    province,
    sex,
)

PLACES = (*REGIONS, "neighbouring", "eea", "other", "BE")


@pytest.mark.parametrize(
    ("postcode", "name"),
    [
        ("1300", "Walloon Brabant"),
        ("1500", "Flemish Brabant"),
        ("2999", "Antwerp"),
        ("3000", "Flemish Brabant"),
        ("3500", "Limburg"),
        ("6599", "Hainaut"),
        ("6600", "Luxembourg"),
        ("7000", "Hainaut"),
        ("8000", "West Flanders"),
        ("9999", "East Flanders"),
        ("0999", "BE"),
        ("10000", "BE"),
    ],
)
def test_a_postcode_gives_its_province(postcode: str, name: str) -> None:
    """R-092."""
    assert province(postcode, None) == name
    assert province(postcode, "België") == name


def test_the_postcode_table_has_no_gap() -> None:
    """Section 5.3, transcribed by hand."""
    table = {
        "Brussels-Capital": [(1000, 1299)],
        "Walloon Brabant": [(1300, 1499)],
        "Flemish Brabant": [(1500, 1999), (3000, 3499)],
        "Antwerp": [(2000, 2999)],
        "Limburg": [(3500, 3999)],
        "Liège": [(4000, 4999)],
        "Namur": [(5000, 5999)],
        "Hainaut": [(6000, 6599), (7000, 7999)],
        "Luxembourg": [(6600, 6999)],
        "West Flanders": [(8000, 8999)],
        "East Flanders": [(9000, 9999)],
    }
    expected = {number: name for name, spans in table.items() for first, last in spans for number in range(first, last + 1)}
    assert {number: province(str(number), "BE") for number in range(1000, 10000)} == expected
    assert set(REGIONS) == set(table)


@pytest.mark.parametrize("postcode", ["B-2000", "b-2000", "B 2000", "BE-2000", " 2000 "])
def test_a_postcode_is_read_with_its_country_letters(postcode: str) -> None:
    assert province(postcode, "") == "Antwerp"


@pytest.mark.parametrize("postcode", [None, "", " ", "2000 Antwerpen", "200", "20000", "１０００", "75001", "1011 AB", "F-2000", "E-2000"])
def test_what_is_no_belgian_postcode_is_just_belgium(postcode: str | None) -> None:
    assert province(postcode, None) == "BE"


@pytest.mark.parametrize(
    ("country", "group"),
    [
        ("be", "Antwerp"),
        ("BELGIQUE", "Antwerp"), ("Belgien", "Antwerp"), (" Belgie ", "Antwerp"), ("Belgium", "Antwerp"), ("  ", "Antwerp"),
        ("FR", "neighbouring"), ("Frankrijk", "neighbouring"), ("Pays-Bas", "neighbouring"), ("The Netherlands", "neighbouring"),
        ("Deutschland", "neighbouring"), ("Duitsland", "neighbouring"), ("Luxembourg", "neighbouring"), ("LU", "neighbouring"),
        ("Österreich", "eea"), ("Spanje", "eea"), ("Norwegen", "eea"), ("Islande", "eea"), ("Liechtenstein", "eea"), ("Grèce", "eea"),
        ("Tsjechië", "eea"), ("République tchèque", "eea"), ("Dänemark", "eea"), ("Roemenië", "eea"), ("ie", "eea"), ("Éire", "other"),
        ("Verenigd Koninkrijk", "other"), ("CH", "other"), ("Zwitserland", "other"), ("Maroc", "other"), ("somewhere", "other"),
    ],
)  # fmt: skip
def test_a_foreign_country_gives_its_group(country: str, group: str) -> None:
    assert province("2000", country) == group


@settings(deadline=None)
@given(st.text(max_size=30) | st.none(), st.text(max_size=30) | st.none())
def test_an_address_never_gives_more_than_a_province(postcode: str | None, country: str | None) -> None:
    assert province(postcode, country) in PLACES


def test_the_age_is_in_completed_years() -> None:
    """R-093."""
    assert age_band(date(2011, 3, 1), date(2023, 2, 28)) == "6-11"
    assert age_band(date(2011, 3, 1), date(2023, 3, 1)) == "12-14"


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0-5"), (5, "0-5"), (6, "6-11"), (11, "6-11"), (12, "12-14"), (14, "12-14"),
        (15, "15-17"), (17, "15-17"), (18, "18-24"), (24, "18-24"), (25, "25+"), (80, "25+"),
    ],
)  # fmt: skip
def test_each_age_has_its_band(age: int, band: str) -> None:
    assert age_band(date(1940, 6, 15), date(1940 + age, 6, 15)) == band


def test_the_birthday_of_29_february_comes_on_1_march() -> None:
    assert age_band(date(2008, 2, 29), date(2026, 2, 28)) == "15-17"
    assert age_band(date(2008, 2, 29), date(2026, 3, 1)) == "18-24"


def test_without_both_dates_or_before_birth_the_age_is_unknown() -> None:
    assert age_band(None, date(2026, 1, 1)) == age_band(date(2010, 1, 1), None) == "unknown"
    assert age_band(date(2026, 1, 2), date(2026, 1, 1)) == "unknown"


@settings(deadline=None)
@given(st.dates(), st.dates())
def test_a_later_opening_never_gives_a_younger_band(birth_on: date, opened_on: date) -> None:
    assume(birth_on <= opened_on < date.max)
    assert AGE_BANDS.index(age_band(birth_on, opened_on + timedelta(days=1))) >= AGE_BANDS.index(age_band(birth_on, opened_on))


@pytest.mark.parametrize(
    ("days", "band"),
    [(0, "same_day"), (1, "2d"), (2, "2d"), (3, "7d"), (7, "7d"), (8, "31d"), (31, "31d"), (32, "1y"), (365, "1y"), (366, "longer")],
)
def test_a_duration_has_its_band(days: int, band: str) -> None:
    assert duration_band(date(2025, 1, 10), date(2025, 1, 10) + timedelta(days=days)) == band
    assert band in DURATION_BANDS


def test_a_leap_year_is_one_year() -> None:
    assert duration_band(date(2024, 1, 10), date(2025, 1, 10)) == "1y"
    assert duration_band(date(2024, 2, 29), date(2025, 3, 1)) == "longer"


def test_a_duration_needs_two_dates_in_order() -> None:
    assert duration_band(None, date(2025, 1, 1)) is duration_band(date(2025, 1, 1), None) is None
    assert duration_band(date(2025, 1, 2), date(2025, 1, 1)) is None


def test_a_number_of_fiches_has_its_band() -> None:
    assert [fiches_band(n) for n in (0, 1, 2, 5, 6, 400)] == [None, "1", "2-5", "2-5", "6+", "6+"]


def test_a_sex_that_is_not_known_is_unknown() -> None:
    assert [sex(key) for key in ("f", "m", "x", None, "", "4", "unknown")] == ["f", "m", "x", "unknown", "unknown", "unknown", "unknown"]


def test_a_pseudonym_is_keyed_and_lasts_as_long_as_its_key() -> None:
    """ERA-05: a hash without a key is no pseudonym."""
    key, other = bytes(32), bytes(31) + b"\x01"
    assert hmac_pseudonym(key, "a") == hmac.new(key, b"a", hashlib.sha256).hexdigest()
    assert hmac_pseudonym(key, "a") != hmac_pseudonym(other, "a") != hashlib.sha256(b"a").hexdigest()
    with pytest.raises(ValueError, match="32 bytes"):
        hmac_pseudonym(b"short", "a")


@settings(deadline=None)
@given(st.text(min_size=5, max_size=40))
def test_a_pseudonym_never_holds_what_it_replaces(value: str) -> None:
    assume(not set(value) <= set("0123456789abcdef"))
    assert value not in hmac_pseudonym(bytes(32), value)


def test_every_technique_of_the_rules_is_there() -> None:
    """Section 5.3, the table of strategies."""
    named = "null constant drop_text hmac date_to_year age_band postcode_to_province delete_child_rows"
    assert [name for name in named.split() if name not in TECHNIQUES] == []


@pytest.mark.parametrize(
    ("technique", "column_type", "max_length", "required", "unique", "problem"),
    [
        ("null", "date", None, False, False, None),
        ("null", "string", 20, False, True, None),
        ("null", "string", 100, True, False, "leaves the column empty"),
        ("null", "guid", None, False, False, "does not fit a column of type guid"),
        ("constant", "string", 100, True, False, None),
        ("constant", "string", 13, False, False, "needs 14 characters, and the column holds 13"),
        ("constant", "string", 100, True, True, "gives the same value to several rows"),
        ("constant", "date", None, False, False, "does not fit a column of type date; it fits memo, string"),
        ("drop_text", "memo", 2000, False, False, None),
        ("drop_text", "memo", 2000, True, False, "leaves the column empty"),
        ("drop_text", "image", None, False, False, "does not fit"),
        ("hmac", "string", 64, True, True, None),
        ("hmac", "string", 20, False, True, "needs 64 characters"),
        ("hmac", "memo", 2000, False, False, "does not fit"),
        ("date_to_year", "int", None, False, False, None),
        ("date_to_year", "date", None, False, False, "does not fit"),
        ("age_band", "string", 10, False, False, None),
        ("age_band", "string", 6, False, False, "needs 7 characters"),
        ("postcode_to_province", "string", 40, True, False, None),
        ("postcode_to_province", "string", 15, False, False, "needs 16 characters"),
        ("delete_child_rows", "lookup", None, False, False, "works on rows"),
        ("blur", "image", None, False, False, "there is no technique blur"),
        ("null", "vector", None, False, False, "does not fit a column of type vector"),
    ],
)
def test_a_technique_is_checked_against_its_column(
    technique: str, column_type: str, max_length: int | None, required: bool, unique: bool, problem: str | None
) -> None:
    found = check_technique(technique, column_type, max_length=max_length, required=required, unique=unique)
    assert found is None if problem is None else problem in (found or "")


@settings(deadline=None)
@given(st.sampled_from(list(TECHNIQUES)), st.sampled_from(list(ColumnType)), st.integers(0, 200) | st.none(), st.booleans(), st.booleans())
def test_a_column_that_asks_less_is_never_refused_more(
    technique: str, column_type: str, max_length: int | None, required: bool, unique: bool
) -> None:
    if check_technique(technique, column_type, max_length=max_length, required=required, unique=unique) is None:
        assert check_technique(technique, column_type, max_length=None, required=False, unique=False) is None


def test_results_fit_the_length_that_the_technique_states() -> None:
    assert TECHNIQUES["constant"].length == len(CONSTANT)
    assert TECHNIQUES["hmac"].length == len(hmac_pseudonym(bytes(32), "a"))
    assert TECHNIQUES["postcode_to_province"].length == max(len(name) for name in PLACES)
    assert TECHNIQUES["age_band"].length == max(map(len, AGE_BANDS))


@given(st.sampled_from(list(TECHNIQUES.values())), st.integers(1990, 2100), st.sampled_from(AGE_BANDS), st.sampled_from(PLACES), st.uuids())
def test_every_technique_keeps_its_word(technique: Technique, year: int, band: str, place: str, row: UUID) -> None:
    """What it writes it knows again, whatever key it had; it is as long and as full as it says."""
    facts = Facts(str(row), bytes(32), year, band, place)
    written = technique.result(facts)
    assert technique.shows(written, facts)
    assert technique.shows(technique.result(replace(facts, key=bytes(31) + b"\x01")), facts)
    assert not technique.shows("Lotte Verzonnen", facts)
    assert technique.length >= len(str(written if written is not None else ""))
    assert not technique.fits or technique.fits_required is (written is not None)


@pytest.mark.parametrize(
    ("postcode", "country", "told"),
    [
        ("1012 AB", None, "NL"),
        ("1000", "Nederland", "NL"),
        ("1000", "pays-bas", "NL"),
        ("1000", "NLD", "NL"),
        ("1000", "België", "eea"),
        ("75001", "FR", "eea"),
        ("SW1A", "United Kingdom", "other"),
    ],
)
def test_of_another_home_country_no_province_is_guessed(postcode: str, country: str | None, told: str) -> None:
    """R-092: its postcodes are no Belgian ones, and which countries are its neighbours nobody here knows."""
    assert province(postcode, country, "NL") == told
    assert not has_provinces("NL")
