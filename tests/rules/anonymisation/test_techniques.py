"""A technique writes what it says, and is refused where it does not fit (section 5.3)."""

import hashlib
import hmac
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.anonymisation.bands import AGE_BANDS
from rules.anonymisation.provinces import REGIONS
from rules.anonymisation.techniques import CONSTANT, TECHNIQUES, ColumnType, Facts, Technique, check_technique, hmac_pseudonym

PLACES = (*REGIONS, "neighbouring", "eea", "other", "BE")


def test_a_pseudonym_is_keyed_and_lasts_as_long_as_its_key() -> None:
    """ERA-05: a hash without a key is not a pseudonym."""
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
