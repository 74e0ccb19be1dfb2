"""What may stand instead of an address: a province, a region, a group of countries (section 5.3, R-092)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.anonymisation.provinces import REGIONS, has_provinces, province

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
    """R-092: its postcodes are not Belgian ones, and which countries are its neighbours nobody here knows."""
    assert province(postcode, country, "NL") == told
    assert not has_provinces("NL")
