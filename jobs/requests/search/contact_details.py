"""By which telephone numbers and e-mail addresses a row says whose it is, as they can be compared: those of a
person, and those from which somebody called or wrote. Source: IDN-10, IDN-12."""

from collections.abc import Iterable, Mapping
from typing import Final

from rules.model.records import Record, word_of
from rules.people.emails import normal_email
from rules.people.phones import normal_phone
from rules.rights.fields import FIELDS, Nature, fields_of

_OF_OTHERS: Final = frozenset({"recipients"})  # an e-mail is from its sender


def _by_kind(nature: Nature) -> Mapping[str, tuple[str, ...]]:
    return {kind: tuple(name for name in fields_of(kind, nature) if name not in _OF_OTHERS) for kind in FIELDS}


PHONES: Final = _by_kind(Nature.PHONE)  # by the kind of row: its fields
EMAILS: Final = _by_kind(Nature.EMAIL)
# By what a person can be reached, as their contact says it.
CHANNELS: Final = (*EMAILS["contact"], *PHONES["contact"], "street", "postcode", "city")


def phones_on(rows: Iterable[Record]) -> list[str]:
    """Return the telephone numbers on rows as they are written."""
    return [number for row in rows for name in PHONES.get(word_of(type(row)), ()) if (number := getattr(row, name))]


def emails_on(rows: Iterable[Record]) -> list[str]:
    """Return the e-mail addresses on rows as they are written, without those to whom something was sent."""
    return [address for row in rows for name in EMAILS.get(word_of(type(row)), ()) if (address := getattr(row, name))]


def numbers_on(rows: Iterable[Record], country: str) -> frozenset[str]:
    """Return all numbers and addresses on rows, as they are compared."""
    of = list(rows)
    return compared(phones_on(of), emails_on(of), country)


def compared(phones: Iterable[str], emails: Iterable[str], country: str) -> frozenset[str]:
    """Return numbers and addresses in one spelling; a number that says no country is one of `country`. Short
    numbers, which are nobody's, are left out."""
    found = {phone.number for number in phones if (phone := normal_phone(number, country)) is not None and not phone.is_short}
    return frozenset(found | {address for email in emails if (address := normal_email(email)) is not None})
