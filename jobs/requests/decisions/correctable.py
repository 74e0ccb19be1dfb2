"""Which fields of a contact a person can have corrected, and where what they say differs from what the CRM
says. Source: GDPR art. 16; R-102."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from jobs.model.request import GivenPerson
from jobs.requests.decisions.correct import DATES
from jobs.requests.search.contact_details import EMAILS, PHONES
from rules.model.home import IN_BELGIUM, Home
from rules.model.personal_records import FullContact
from rules.people.emails import normal_email
from rules.people.national_numbers import parse
from rules.people.phones import is_mobile, normal_phone
from rules.texts.folding import fold

# The words of a request -> the field of the contact. What is given once goes to the first field that has room
# for it.
FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "firstname": "first_name",
        "lastname": "last_name",
        "birthdate": "birth_on",
        "birthplace": "birth_place",
        "nationalnumber": "national_number",
        "nationalnumbers": "national_number",
        "phone": "phone",
        "phones": "phone",
        "mobile": "mobile",
        "email": "email",
        "emails": "email",
        "email_2": "email_2",
        "street": "street",
        "postcode": "postcode",
        "city": "city",
        "country": "country",
    }
)
ALL: Final = frozenset(FIELDS.values())


def corrections(
    contact: FullContact,
    person: GivenPerson,
    asked: Mapping[str, str],
    *,
    today: date,
    home: Home = IN_BELGIUM,
    told: Collection[str] = ALL,
    mapped: Collection[str] = ALL,
    awaited: Collection[str] = (),
) -> list[tuple[str, str]]:
    """Return the fields of a contact to be corrected, each once, with the new value; dates in ISO form.
    `asked` is taken as it is written. Of the details given for identification only real differences count:
    case, accents and the spelling of a number are not differences. What cannot be read as what it should be
    is left out.

    `told` are the fields of which the person is told: what another field says is not to be learned from what
    is corrected (SUS-05). So what is asked of such a field is corrected whatever it says, and what was given
    for identification alone is not. Nor does it matter what a field says of which an earlier correction still
    waits (`awaited`): that one would undo what is asked. A field that is not `mapped` cannot be written: a
    number that is asked for goes where there is room for one. What was given for identification takes the
    place of no other sort of number."""
    wanted: dict[str, str] = {}
    for name, value in asked.items():
        field, text = FIELDS.get(name, ""), value.strip()
        if (
            field
            and text
            and _is_readable(field, text, today, home)
            and (field not in told or field in awaited or text != written(contact, field))
        ):
            place = _place(field, text, home, mapped)
            if place == field or place not in wanted:  # a number without a column of its own takes that of no other
                wanted[place] = text
    for field, text in _given(person):
        if field in wanted or field not in told or not _is_readable(field, text, today, home):
            continue
        if field in ("phone", "email"):
            known = [written(contact, name) for name in (PHONES if field == "phone" else EMAILS)["contact"]]
            if not any(_same(field, text, one, home) for one in known):
                wanted.setdefault(_place(field, text, home, ALL), text)
        elif not _same(field, text, written(contact, field), home):
            wanted[field] = text
    return [(field, text) for field, text in sorted(wanted.items()) if field in mapped]


def written(contact: FullContact, field: str) -> str:
    """Return what a field says now, in the form of a correction; empty where it says nothing."""
    value = getattr(contact, field)
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _given(person: GivenPerson) -> Iterator[tuple[str, str]]:
    firsts = (
        ("firstname", person.firstname),
        ("lastname", person.lastname),
        ("birthdate", person.birthdate),
        ("nationalnumber", next(iter(person.nationalnumbers), "")),
        ("phone", next(iter(person.phones), "")),
        ("email", next(iter(person.emails), "")),
    )
    yield from ((FIELDS[name], text.strip()) for name, text in firsts if text.strip())


def _place(field: str, text: str, home: Home, mapped: Collection[str]) -> str:
    phone = normal_phone(text, home.country) if field in PHONES["contact"] else None
    if phone is None:
        return field
    first = "mobile" if field == "mobile" or is_mobile(phone) else "phone"
    return next((name for name in (first, *PHONES["contact"]) if name in mapped), field)


def _is_readable(field: str, text: str, today: date, home: Home) -> bool:
    if field in DATES:
        try:
            return date.fromisoformat(text) <= today
        except ValueError:
            return False
    if field == "national_number":
        return parse(text, today=today, scheme=home.scheme) is not None
    if field in PHONES["contact"]:
        return normal_phone(text, home.country) is not None
    return normal_email(text) is not None if field in EMAILS["contact"] else True


def _same(field: str, one: str, other: str, home: Home) -> bool:
    if field in PHONES["contact"]:
        return (normal_phone(one, home.country) or one) == (normal_phone(other, home.country) or other)
    if field == "email":
        return normal_email(one) == normal_email(other)
    if field == "national_number":
        return _digits(one) == _digits(other)
    return fold(one) == fold(other)


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))
