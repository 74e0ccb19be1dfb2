"""The countries to which personal data may go as if they stayed at home: the European Economic Area. Source:
GDPR art. 44, 45; Decision of the EEA Joint Committee 154/2018; section 7.1. ISO 3166-1 alpha-2."""

from typing import Final

EEA: Final = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV",
        "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip


def is_outside(country: str | None) -> bool:
    """Return whether a country is outside the EEA: empty is our own, what is not a code counts as outside."""
    code = (country or "").strip().upper()
    return bool(code) and code not in EEA
