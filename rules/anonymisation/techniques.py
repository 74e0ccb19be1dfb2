"""Anonymisation techniques: what each writes instead of a value, the columns it fits, and which of them this
product applies. Source: sections 5.2 and 5.3 of the rules; ERA-05."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from rules.anonymisation.bands import AGE_BANDS
from rules.anonymisation.provinces import BRUSSELS_CAPITAL

CONSTANT = "Geanonimiseerd"  # the same for everyone, never a running number
MIN_KEY_BYTES = 32  # as long as the digest, RFC 2104 section 3


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
