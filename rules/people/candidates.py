"""Who in the CRM may be the person that somebody describes, how strongly, and on what evidence. Nothing is
decided here: a person confirms. No index is kept: each search compares everybody again, and keeps nothing
(IDN-19, SUS-02). Source: IDN-08, IDN-09, IDN-11, IDN-15 to IDN-19; EXP-04."""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from rules.model.decisions import Flag
from rules.model.personal_records import FullContact
from rules.people.birthdates import Sentinels
from rules.people.emails import addresses
from rules.people.everybody import Everybody
from rules.people.names import Likeness, Name, first_names_alike, last_names_alike, name_of, whole_names_alike
from rules.people.national_numbers import NationalNumber, parse
from rules.people.phones import numbers_of_people
from rules.people.wanted import Wanted, is_usable

# What a person should look at, beside the flags of a child's birth date.
BIRTHDATE_NEAR: Final = "BIRTHDATE_NEAR"
PHONE_GUESSED: Final = "PHONE_GUESSED"
NAME_DIFFERS: Final = "NAME_DIFFERS"


class Strength(StrEnum):
    """The classes of IDN-17, the strongest first. A contradiction speaks against the person; it is included
    by nobody alone."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"
    CONTRADICTION = "contradiction"


RANK: Final = {strength: rank for rank, strength in enumerate(Strength)}


class Evidence(StrEnum):
    """What speaks for a candidate, or against one (`…_differs`). A fuzzy name is another spelling, a slip or
    a part (IDN-16)."""

    NATIONAL_NUMBER = "national_number"
    NAME = "name"
    NAME_FUZZY = "name_fuzzy"
    SWAPPED_NAMES = "swapped_names"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    BIRTH_DATE = "birth_date"
    BIRTH_DATE_NEAR = "birth_date_near"
    BIRTH_YEAR = "birth_year"
    PHONE = "phone"
    EMAIL = "email"
    NATIONAL_NUMBER_DIFFERS = "national_number_differs"
    BIRTH_DATE_DIFFERS = "birth_date_differs"


class Match(msgspec.Struct, frozen=True):
    """A contact that may be the person. `born_in` and `number`, masked (IDN-08), help to recognise them."""

    id: str
    strength: Strength
    flags: tuple[str, ...]
    evidence: tuple[str, ...]
    born_in: int | None = None
    number: str = ""


def match(people: Everybody, wanted: Wanted, *, today: date, sentinels: Sentinels) -> list[Match]:
    """Compare everybody with the person, and give those who may be them, the strongest first, and of equal
    ones those with fewer flags; the order of `people` changes nothing. Those who were anonymised are nobody
    any more."""
    if wanted.is_empty:
        return []
    found = (weigh(person, wanted, today, sentinels) for person in people.near(wanted) if person.anonymised_on is None)
    return strongest_first(one for one in found if one is not None)


def strongest_first(matches: Iterable[Match]) -> list[Match]:
    """Return them in the order of `match`."""
    return sorted(matches, key=lambda one: (RANK[one.strength], len(one.flags), -len(one.evidence), one.id))


def masked(number: NationalNumber | None) -> str:
    """Show a number as it may stand on a screen: `85.07.30-***.**` (IDN-08); of one in which nobody reads a
    birth the last two signs, since its first six are most of what it is."""
    if number is None:
        return ""
    digits = number.digits
    return f"…{digits[-2:]}" if number.year is None else f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}-***.**"


def weigh(person: FullContact, wanted: Wanted, today: date, sentinels: Sentinels) -> Match | None:
    """Return what speaks for and against a contact being the person, how strongly; None if nothing does."""
    evidence: list[Evidence] = []
    flags: set[str] = set()
    number = parse(person.national_number, today=today, scheme=sentinels.scheme)
    same_number = next((own for own in wanted.numbers if number is not None and own.digits == number.digits), None)
    name = _name_evidence(wanted, name_of(person.first_name or ""), name_of(person.last_name or ""), evidence)
    birth = _birth_evidence(person, number, wanted, today, sentinels)
    reached = _reach_evidence(person, wanted, flags)
    if same_number is not None and number is not None:
        evidence.insert(0, Evidence.NATIONAL_NUMBER)
        if same_number.padded or number.padded:
            flags.add(Flag.RRN_PADDED.value)
    if birth is Evidence.BIRTH_DATE_NEAR:
        flags.add(BIRTHDATE_NEAR)
    # Of a BIS number and a register number one may have replaced the other (IDN-09).
    differs = same_number is None and number is not None and not number.is_bis and any(not own.is_bis for own in wanted.numbers)
    against = [Evidence.NATIONAL_NUMBER_DIFFERS] if differs else []
    if birth is Evidence.BIRTH_DATE_DIFFERS:
        against.append(birth)
    elif birth is not None:
        evidence.append(birth)
    evidence += reached
    strength = _strength(name, birth, bool(reached), evidence, has_number=same_number is not None, is_against=bool(against))
    if strength is None:
        return None
    if strength is Strength.STRONG and birth is Evidence.BIRTH_DATE_DIFFERS:
        flags.add(Flag.BIRTHDATE_CONFLICT.value)
    if name is Likeness.NONE and strength is not Strength.WEAK:
        flags.add(NAME_DIFFERS)
    told = evidence if strength is not Strength.CONTRADICTION else [*evidence, *against]
    born_in = next((year for year in (person.birth_on.year if person.birth_on else None, person.birth_year) if year is not None), None)
    return Match(person.id, strength, tuple(sorted(flags)), tuple(one.value for one in told), born_in, masked(number))


def _strength(
    name: Likeness, birth: Evidence | None, is_reached: bool, evidence: Sequence[Evidence], *, has_number: bool, is_against: bool
) -> Strength | None:
    """Apply the table of IDN-17. Another spelling of a name widens the list (IDN-16): with it alone nobody is
    a strong candidate."""
    if has_number:
        return Strength.STRONG
    if name is Likeness.NONE:
        part = Evidence.FIRST_NAME in evidence and birth is Evidence.BIRTH_DATE
        return Strength.WEAK if is_reached or part or Evidence.LAST_NAME in evidence else None
    if is_against:
        return Strength.CONTRADICTION if name is Likeness.SAME or is_reached else None
    if birth is Evidence.BIRTH_DATE and is_reached and name is Likeness.SAME:
        return Strength.STRONG
    return Strength.MEDIUM if is_reached or birth in (Evidence.BIRTH_DATE, Evidence.BIRTH_DATE_NEAR) else Strength.WEAK


def _name_evidence(wanted: Wanted, first: Name, last: Name, evidence: list[Evidence]) -> Likeness:
    """Compare the names, and add what that shows. Where one side alone has no first name there is no whole
    name, only a last name."""
    straight = min(first_names_alike(wanted.first, first), last_names_alike(wanted.last, last))
    swapped = min(first_names_alike(wanted.first, last), last_names_alike(wanted.last, first))
    whole = Likeness.NONE
    if not (first and last) and not (wanted.first and wanted.last):  # one name is all there is, in whichever field it stands
        whole = last_names_alike(wanted.last or wanted.first, last or first)
    elif not first or not last:
        whole = whole_names_alike(wanted.first, wanted.last, last or first)
    elif not wanted.first or not wanted.last:
        whole = whole_names_alike(first, last, wanted.last or wanted.first)
    best = max(straight, swapped, whole)
    if best is not Likeness.NONE:
        evidence.append(Evidence.NAME if best is Likeness.SAME else Evidence.NAME_FUZZY)
        if swapped > max(straight, whole):
            evidence.append(Evidence.SWAPPED_NAMES)
    elif last_names_alike(wanted.last, last) is not Likeness.NONE and not (first and wanted.first):
        evidence.append(Evidence.LAST_NAME)
    elif first_names_alike(wanted.first, first) is Likeness.SAME:
        evidence.append(Evidence.FIRST_NAME)
    return best


def _reach_evidence(person: FullContact, wanted: Wanted, flags: set[str]) -> list[Evidence]:
    evidence: list[Evidence] = []
    if wanted.phones:
        phones = numbers_of_people((person.phone, person.mobile), wanted.country)
        shared = [number for number in phones if number in wanted.phones]
        if shared:
            evidence.append(Evidence.PHONE)
            if all(phones[number] or wanted.phones[number] for number in shared):
                flags.add(PHONE_GUESSED)
    if wanted.emails and wanted.emails & addresses((person.email, person.email_2)):
        evidence.append(Evidence.EMAIL)
    return evidence


def _birth_evidence(
    person: FullContact, number: NationalNumber | None, wanted: Wanted, today: date, sentinels: Sentinels
) -> Evidence | None:
    """Compare what is known of the birth. Only days that somebody stated, or a register number shows, can
    speak against the person."""
    days = {day for day in (person.birth_on,) if day is not None and is_usable(day, today, sentinels)}
    told = number.born_on if number is not None else None
    if told is not None and not (number is not None and number.is_bis):
        days.add(told)
    wanted_days = {wanted.born_on} if wanted.born_on is not None else set()
    own_guesses = {told} if told is not None else set()
    if (wanted_days | wanted.guessed_days) & (days | own_guesses):
        return Evidence.BIRTH_DATE
    if wanted_days and days:
        near = any(is_near_day(one, two) for one in wanted_days for two in days)
        return Evidence.BIRTH_DATE_NEAR if near else Evidence.BIRTH_DATE_DIFFERS
    years = {day.year for day in days | own_guesses}
    if person.birth_year is not None and person.birth_year not in sentinels.years:
        years.add(person.birth_year)
    if number is not None and number.year is not None:
        years.add(number.year)
    if years & ({day.year for day in wanted_days} | wanted.years):
        return Evidence.BIRTH_YEAR
    return None


def is_near_day(one: date, two: date) -> bool:
    """Return whether two days differ by one digit, or by day and month in each other's place (IDN-18)."""
    if one != two and one.year == two.year and (one.month, one.day) == (two.day, two.month):
        return True
    return sum(a != b for a, b in zip(one.isoformat(), two.isoformat(), strict=True)) == 1
