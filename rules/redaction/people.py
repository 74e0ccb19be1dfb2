"""Whom an answer is about, and whom it must not show, with everything by which they would be known."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from rules.model.file_roles import FileRole
from rules.model.home import Home
from rules.people.emails import normal_email
from rules.people.phones import numbers_of_people
from rules.people.spellings import spellings
from rules.redaction.patterns import detect
from rules.texts.folding import fold, tidy

SHORTEST_ADDRESS: Final = 5

_BRACKET = re.compile(r"\s*\([^()]*\)")

SAID_OF_SOMEBODY = re.compile(r"\s*\(\s*[^\W\d_A-Z][^()]*\)")


class Protected(msgspec.Struct, frozen=True):
    """Somebody else whose identity must not be seen, with everything by which they would be known.

    `key` distinguishes people (an id, a name); `role` is child, parent, guardian, reporter, witness, suspect,
    professional, staff or other. `emails`, `phones` and `national_numbers` are as the CRM has them, in any
    spelling; `addresses` are streets, and places where they are rare enough to identify somebody;
    `organisation` is shown instead of a professional where it is known."""

    key: str
    role: str
    names: tuple[tuple[str, str], ...] = ()  # (first name, last name)
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    national_numbers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    birth_dates: tuple[str, ...] = ()
    organisation: str = ""


class Shown(msgspec.Struct, frozen=True):
    """The person whom the answer is about: what of them stays readable, also where others share it."""

    names: tuple[tuple[str, str], ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    national_numbers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    birth_dates: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()


def without_remarks(names: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Leave out what somebody wrote behind a name, such as `(overleden)`: it is not a name, and the word may
    stand anywhere in a text."""
    return tuple((_without_remark(first), _without_remark(last)) for first, last in names)


def _without_remark(name: str) -> str:
    """Cut off a bracket without a capital, which is a remark where the name itself has one: `de smet
    (janssens)` may be two names."""
    rest = _BRACKET.sub(lambda match: "" if match[0].lower() == match[0] else match[0], name).strip()
    return rest if rest and rest.lower() != rest else name


def days_in(written: str) -> frozenset[str]:
    """Return a date as `detect` writes it, with and without its century."""
    found = {one.value for one in detect(tidy(written).text) if one.what in ("date", "birth_date")}
    return frozenset(found | {"--" + value[2:] for value in found if not value.startswith("--")})


def own_values(shown: Shown, home: Home) -> dict[str, frozenset[str]]:
    """Return the numbers and addresses of the person shown, in normal form, by what they are."""
    return {
        "phone": frozenset(numbers_of_people(shown.phones, home.country)),
        "email": frozenset(email for written in shown.emails if (email := normal_email(written))),
        "national_number": frozenset(fold(number) for number in shown.national_numbers),
        "address": frozenset(address for address in shown.addresses if len(fold(address)) >= SHORTEST_ADDRESS),
        "account": frozenset(fold(account) for account in shown.accounts),
        "ip_address": frozenset(shown.ip_addresses),
    }


def alike(others: Sequence[Protected]) -> dict[str, str]:
    """Return the key under which each person is labelled: rows with one name and role are one person."""
    first_seen: dict[tuple[str, frozenset[str]], str] = {}
    keys: dict[str, str] = {}
    for person in others:
        names = frozenset(fold(f"{first} {last}") for first, last in person.names if fold(first) and fold(last))
        keys[person.key] = first_seen.setdefault((person.role, names), person.key) if names else person.key
    return keys


def surnames(others: Sequence[Protected]) -> dict[str, frozenset[str]]:
    """Return the grown-up people by every spelling of their surname."""
    found: dict[str, set[str]] = {}
    for person in others:
        for _, last in person.names:
            for spelling in spellings("", last) if person.role != FileRole.CHILD else ():
                found.setdefault(spelling.letters, set()).add(person.key)
    return {letters: frozenset(keys) for letters, keys in found.items()}
