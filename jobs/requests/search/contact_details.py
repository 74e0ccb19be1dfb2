"""The telephone numbers and e-mail addresses of a person, as they can be compared with those on rows. Source:
IDN-10, IDN-12."""

from collections.abc import Iterable

from rules.model.personal_records import FullContact
from rules.people.emails import normal_email
from rules.people.phones import normal_phone


def own_numbers(contacts: Iterable[FullContact], country: str) -> frozenset[str]:
    """Return all numbers and addresses of people."""
    people = list(contacts)
    phones = [number for contact in people for number in (contact.phone, contact.mobile)]
    return compared(phones, [address for contact in people for address in (contact.email, contact.email_2)], country)


def compared(phones: Iterable[str | None], emails: Iterable[str | None], country: str) -> frozenset[str]:
    """Return numbers and addresses in one spelling; a number that says no country is one of `country`. Short
    numbers, which are nobody's, are left out."""
    found = {phone.number for number in phones if (phone := normal_phone(number, country)) is not None and not phone.is_short}
    return frozenset(found | {address for email in emails if (address := normal_email(email)) is not None})


def is_own_caller(number: str | None, email: str | None, own: frozenset[str], country: str) -> bool:
    """Return whether a caller is known by a number or an address that is one of these."""
    return bool(own & compared([number], [email], country))
