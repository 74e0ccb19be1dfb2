"""Fictitious people: who they are, what is known of their birth, and who is already in the CRM."""

import unicodedata
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from connectors.emulator.seeding.draw import Draw, Row, TableRow, add_months, days_after, table_row
from connectors.emulator.seeding.names import FICTITIOUS, FIRST_NAMES, ORGANISATIONS, STREETS, SURNAMES, TOWNS, Gender
from connectors.emulator.seeding.numbers import BIS_SEX_KNOWN, BIS_SEX_UNKNOWN, RegisterNumbers, as_printed, landline, mobile
from connectors.emulator.seeding.texts import Language
from connectors.emulator.seeding.texts import language as any_language

Birth = (
    Literal["full", "register", "register_only", "bis", "bis_sex_unknown", "year", "month", "register_year", "register_month", "age"]
    | Literal["age_undated", "month_only", "none", "register_unknown", "sentinel", "future", "conflict", "leapling"]
    | Literal["wrong_check", "wrong_month", "other_century"]
)
SENTINELS = (date(1900, 1, 1), date(1753, 1, 1), date(9999, 12, 31))
LANGUAGE_CODES = {"nl": 100000000, "fr": 100000001, "de": 100000002, "other": 100000003}
_GENDERS: tuple[Gender, ...] = ("m", "f")
_GENDER_CODES = {"m": 1, "f": 2}
_REMEMBERED = 48  # people who may turn up again: a fixed number, so that memory does not grow with the organisation


@dataclass(frozen=True, slots=True)
class Person:
    """What the rest of the seed needs of a contact once its row has been given."""

    id: str
    name: str
    email: str | None
    phone: str | None
    town: str


class Organisation:
    """The foundation so far: its chance, day, running numbers and the people who may turn up again."""

    def __init__(self, seed: int, as_of: date) -> None:
        self.draw = Draw(seed)
        self.as_of = as_of
        self.register_numbers = RegisterNumbers()
        self.parents: deque[Person] = deque(maxlen=_REMEMBERED)
        self.reporters: deque[Person] = deque(maxlen=_REMEMBERED)
        self.professionals: deque[Person] = deque(maxlen=_REMEMBERED)
        self.children: deque[Person] = deque(maxlen=_REMEMBERED)
        self.numbered: deque[tuple[str, Row]] = deque(maxlen=_REMEMBERED)  # register number, contact row of a child
        self._running_number = 0

    def running_number(self) -> int:
        self._running_number += 1
        return self._running_number


def person(
    org: Organisation, *, added_on: date, language: Language | None = None, surname: str | None = None, **columns: object
) -> tuple[Person, TableRow]:
    """Return a new contact and its row; `columns` override what is drawn."""
    draw = org.draw
    spoken = language or any_language(draw)
    origin = "other" if draw.chance(0.17) else spoken
    gender = draw.pick(_GENDERS)
    first = draw.pick(FIRST_NAMES[origin][gender])
    family = surname or draw.pick(SURNAMES[origin])
    last = f"{family} {FICTITIOUS}"
    town, postcode = draw.pick(TOWNS[spoken])
    email = (
        f"{_ascii(first)}.{_ascii(family)}{draw.number(1, 9999)}@{draw.pick(('example.org', 'example.com'))}" if draw.chance(0.6) else None
    )
    phone = mobile(draw) if draw.chance(0.7) else None
    with_address = draw.chance(0.55)
    who = Person(draw.id(), f"{first} {last}", email, phone, town)
    values: Row = {
        "firstname": first,
        "lastname": last,
        "fullname": who.name,
        "gendercode": 3 if draw.chance(0.01) else _GENDER_CODES[gender],
        "emailaddress1": email,
        "mobilephone": phone,
        "telephone1": landline(draw) if draw.chance(0.12) else None,
        "address1_line1": f"{draw.pick(STREETS[spoken])} {draw.number(1, 240)}" if with_address else None,
        "address1_postalcode": postcode if with_address else None,
        "address1_city": town if with_address else None,
        "address1_country": ("België" if spoken == "nl" else "Belgique") if with_address else None,
        "cf_language": LANGUAGE_CODES["other" if origin == "other" and draw.chance(0.3) else "de" if draw.chance(0.02) else spoken],
        "donotbulkemail": draw.chance(0.4),
    }
    values.update(columns)
    return who, table_row("contact", who.id, draw.moment(added_on), **values)


def child(org: Organisation, *, born_on: date, birth: Birth, told_on: date, language: Language, surname: str) -> tuple[Person, TableRow]:
    """Return a child of a dossier; `birth` is how much of `born_on` the CRM knows."""
    draw = org.draw
    columns = _BIRTHS[birth](org, born_on, told_on)
    number = columns.get("cf_nationalnumber")
    if isinstance(number, str) and draw.chance(0.3):
        columns["cf_nationalnumber"] = as_printed(number)
    if draw.chance(0.3):
        columns["cf_birthplace"] = draw.pick(TOWNS[language])[0]
    if draw.chance(0.12):
        columns["description"] = "Verzonnen aandachtspunt" if language == "nl" else "Point d'attention inventé"
    if draw.chance(0.01):
        columns["cf_deceasedon"] = told_on
    who, row = person(org, added_on=told_on, language=language, surname=surname, **columns)
    if isinstance(number, str) and birth in ("register", "bis"):
        org.numbered.append((number, row[1]))
    return who, row


def known_child_again(org: Organisation, *, told_on: date) -> tuple[Person, TableRow] | None:
    """Return a second contact for a known child: the same register number, written the other way."""
    if not org.numbered:
        return None
    number, known = org.numbered.popleft()
    written = as_printed(number) if known["cf_nationalnumber"] == number else number
    same = {column: known.get(column) for column in ("firstname", "lastname", "fullname", "birthdate", "gendercode")}
    who, row = person(org, added_on=told_on, cf_nationalnumber=written, **same)
    return replace(who, name=known["fullname"]), row


def account(org: Organisation, *, added_on: date) -> tuple[str, TableRow]:
    draw = org.draw
    account_id = draw.id()
    name = f"{draw.pick(ORGANISATIONS)} {draw.pick(TOWNS[draw.pick(('nl', 'fr'))])[0]} {FICTITIOUS}"
    return account_id, table_row("account", account_id, draw.moment(added_on), name=name)


def professional(org: Organisation, *, added_on: date) -> Iterator[TableRow]:
    """Yield a person at another organisation and remember them: professionals turn up in many dossiers."""
    columns: Row = {}
    if org.draw.chance(0.4):
        account_id, row = account(org, added_on=added_on)
        yield row
        columns["parentcustomerid"] = ("account", account_id)
    who, row = person(org, added_on=added_on, **columns)
    yield row
    org.professionals.append(who)


def closest_leap_day(born_on: date) -> date:
    """Return 29 February of the last leap year up to the year of birth."""
    year = born_on.year - born_on.year % 4
    return date(year - 4 if year % 100 == 0 and year % 400 else year, 2, 29)


def _ascii(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.replace("ı", "i").replace("ß", "ss")).lower()
    return "".join(letter for letter in decomposed if "a" <= letter <= "z")


def _conflict(org: Organisation, born_on: date, told_on: date) -> Row:
    """Return a birth date column and a register number that disagree; the later of the two counts."""
    earlier = add_months(born_on, -5)
    first, second = (earlier, born_on) if org.draw.chance(0.5) else (born_on, earlier)
    return {"birthdate": first, "cf_nationalnumber": org.register_numbers.give(second)}


def _with_number(give: Callable[[Organisation, date], str | None], *, with_date: bool) -> Callable[[Organisation, date, date], Row]:
    def columns(org: Organisation, born_on: date, told_on: date) -> Row:
        number = give(org, born_on)  # none left for that day: then the date is all that is known
        return {"birthdate": born_on if with_date or number is None else None, "cf_nationalnumber": number}

    return columns


def _stated_age(org: Organisation, born_on: date, told_on: date) -> Row:
    """Return the age as stated on the last anniversary: the latest fitting birth date is `born_on`."""
    age = told_on.year - born_on.year - ((told_on.month, told_on.day) < (born_on.month, born_on.day))
    return {"cf_statedage": max(0, age), "cf_statedageon": add_months(born_on, 12 * max(0, age))}


_BIRTHS: dict[Birth, Callable[[Organisation, date, date], Row]] = {
    "full": lambda org, born_on, told_on: {"birthdate": born_on},
    "register": _with_number(lambda org, born_on: org.register_numbers.give(born_on), with_date=True),
    "register_only": _with_number(lambda org, born_on: org.register_numbers.give(born_on), with_date=False),
    "bis": _with_number(lambda org, born_on: org.register_numbers.give(born_on, bis=BIS_SEX_KNOWN), with_date=True),
    "bis_sex_unknown": _with_number(lambda org, born_on: org.register_numbers.give(born_on, bis=BIS_SEX_UNKNOWN), with_date=False),
    "year": lambda org, born_on, told_on: {"cf_birthyear": born_on.year},
    "month": lambda org, born_on, told_on: {"cf_birthyear": born_on.year, "cf_birthmonth": born_on.month},
    "register_year": _with_number(lambda org, born_on: org.register_numbers.give(born_on, known="year"), with_date=False),
    "register_month": _with_number(lambda org, born_on: org.register_numbers.give(born_on, known="month"), with_date=False),
    "age": _stated_age,
    "age_undated": lambda org, born_on, told_on: {"cf_statedage": max(1, told_on.year - born_on.year)},
    "month_only": lambda org, born_on, told_on: {"cf_birthmonth": born_on.month},
    "none": lambda org, born_on, told_on: {},
    "register_unknown": _with_number(lambda org, born_on: org.register_numbers.give(born_on, known="unknown"), with_date=False),
    "sentinel": lambda org, born_on, told_on: {"birthdate": org.draw.pick(SENTINELS)},
    "future": lambda org, born_on, told_on: {"birthdate": days_after(org.as_of, org.draw.number(30, 700))},
    "conflict": _conflict,
    "leapling": lambda org, born_on, told_on: {"birthdate": closest_leap_day(born_on)},
    "wrong_check": _with_number(lambda org, born_on: org.register_numbers.give_wrong_check(born_on), with_date=True),
    "wrong_month": _with_number(lambda org, born_on: org.register_numbers.give_impossible_month(born_on), with_date=True),
    # The check number tells the century: a valid number, of somebody born a hundred years earlier.
    "other_century": _with_number(lambda org, born_on: org.register_numbers.give(add_months(born_on, -1200)), with_date=True),
}
