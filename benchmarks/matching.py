"""Finding a person among many: how surely, how precisely and how fast, beside two plain ways.

One plain way compares the whole names of everybody with difflib. The other weighs everybody as the search
weighs those who are worth it: it has to give the same list, and takes as long as it takes. Seconds are those
of the processor: other work on the machine does not count.

Everybody is fictitious and made from a seed. A part of the people stand twice in the CRM, and among them are
namesakes, twins, families on one line and parents with the name of a child. Each is then asked for as people
ask for themselves: with slips, names in the other order, other spellings, particles joined or dropped, near
days of birth, numbers in any form. Who is who is known, so what is found can be counted.

    python -m benchmarks.matching [--contacts 200000] [--asked 300] [--seed 1]

It ends with 1 where a figure falls below its floor.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from difflib import SequenceMatcher
from random import Random

from benchmarks.fictitious import FIRST_NAMES, SPELLINGS, check_digits, surnames
from rules.model.personal_records import FullContact
from rules.people.birthdates import Sentinels
from rules.people.candidates import RANK, Match, Strength, match, weigh
from rules.people.everybody import Everybody
from rules.people.wanted import Wanted, wanted_of

TODAY = date(2026, 11, 25)
SENTINELS = Sentinels(frozenset({date(1900, 1, 1)}), frozenset({1900}))
LIKE_ENOUGH = 0.85  # of the plain way: its names are like each other from this ratio on
# Floors; of those listed as strong nobody may be somebody else.
FOUND, FOUND_WELL, STRONG, MEDIUM, CONTRADICTION, SECONDS, FASTER = 0.98, 0.80, 1.0, 0.97, 0.99, 2.0, 5.0


@dataclass(frozen=True)
class Somebody:
    """A fictitious person, as a whole."""

    who: int
    first: str
    last: str
    born: date
    phone: str
    email: str
    number: str


@dataclass
class Asked:
    """What somebody says of themselves, and how they came to say it."""

    person: Somebody
    first: str
    last: str
    birthdate: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    ways: list[str] = field(default_factory=list)

    @property
    def wanted(self) -> Wanted:
        return wanted_of(
            first_name=self.first,
            last_name=self.last,
            birthdate=self.birthdate,
            national_numbers=self.numbers,
            phones=self.phones,
            emails=self.emails,
            today=TODAY,
            sentinels=SENTINELS,
        )


def people(draw: Random, count: int) -> list[Somebody]:
    """People with namesakes, twins, parents of the same name and families on one line among them."""
    names = surnames(draw, max(200, count // 5))
    given: set[str] = set()
    everybody: list[Somebody] = []
    while len(everybody) < count:
        who = len(everybody)
        first = draw.choice(FIRST_NAMES) + (f" {draw.choice(FIRST_NAMES)}" if draw.random() < 0.2 else "")
        born = date(1940, 1, 1) + timedelta(draw.randrange(30_000))
        one = Somebody(who, first, draw.choice(names), born, mobile(draw), f"p{who}.{draw.randrange(10**6)}@example.org", "")
        number = check_digits(born, draw.choice((997, 998)), draw.choice((0, 0, 0, 20, 40)))
        everybody.append(replace(one, number="" if number in given else number))
        given.add(number)
        kind = draw.random()
        other = draw.choice([name for name in FIRST_NAMES if name[:2] != first[:2]])
        if kind < 0.05:  # a namesake, on another day
            everybody.append(
                replace(one, who=who + 1, born=born + timedelta(draw.randrange(400, 9000)), phone=mobile(draw), email="", number="")
            )
        elif kind < 0.10:  # a twin, on the same line
            everybody.append(replace(one, who=who + 1, first=other, email="", number=""))
        elif kind < 0.20:  # a parent or sister on the same line
            everybody.append(replace(one, who=who + 1, first=other, born=born - timedelta(draw.randrange(400, 12000)), email="", number=""))
        elif kind < 0.22:  # a parent of the same name on the same line
            everybody.append(replace(one, who=who + 1, born=born - timedelta(draw.randrange(7000, 12000)), email="", number=""))
    return everybody[:count]


def rows_of(draw: Random, everybody: list[Somebody]) -> tuple[list[FullContact], dict[int, set[str]]]:
    """Rows as a CRM has them: something is missing here and there, and one in twenty stands twice."""
    rows: list[FullContact] = []
    of: dict[int, set[str]] = {}
    for one in everybody:
        for _ in range(2 if draw.random() < 0.05 else 1):
            row = FullContact(
                id=f"{len(rows):08}",
                first_name=one.first,
                last_name=one.last,
                birth_on=one.born if draw.random() < 0.8 else None,
                birth_year=one.born.year if draw.random() < 0.3 else None,
                phone=written(draw, one.phone) if draw.random() < 0.7 else None,
                email=one.email if one.email and draw.random() < 0.7 else None,
                national_number=one.number if one.number and draw.random() < 0.3 else None,
            )
            rows.append(row)
            of.setdefault(one.who, set()).add(row.id)
    return rows, of


def asked_by(draw: Random, one: Somebody) -> Asked:
    """What somebody types: each has one to three of the ways in which it differs from the CRM, and what is
    needed to be found by."""
    asked = Asked(one, one.first, one.last, one.born.isoformat(), (one.phone,), (one.email,) if one.email else (), ())
    if one.number and draw.random() < 0.3:
        asked.numbers = (one.number,)
    for way in draw.sample(WAYS, draw.choice((0, 1, 1, 2, 3))):
        before = (asked.first, asked.last, asked.birthdate, asked.phones, asked.emails, asked.numbers)
        way(draw, asked)
        if before != (asked.first, asked.last, asked.birthdate, asked.phones, asked.emails, asked.numbers):
            asked.ways.append(way.__name__)
    return asked


def slip(draw: Random, asked: Asked) -> None:
    letters = list(asked.last)
    place = draw.randrange(1, max(2, len(letters) - 1))
    if len([letter for letter in letters if letter.isalpha()]) < 6 or not "".join(letters[place - 1 : place + 1]).isalpha():
        return
    kind = draw.random()
    if kind < 0.35:
        letters[place - 1], letters[place] = letters[place], letters[place - 1]
    elif kind < 0.7:
        letters[place] = draw.choice("aeioulnrst")
    else:
        letters.insert(place, letters[place])
    asked.last = "".join(letters)


def other_spelling(draw: Random, asked: Asked) -> None:
    for one, two in SPELLINGS:
        asked.last = asked.last.replace(one, two)
        asked.first = asked.first.replace(one, two)


def without_accents(draw: Random, asked: Asked) -> None:
    plain = str.maketrans("éèëêçïôöüşğıãáñ", "eeeeciooosgiaan")
    asked.first, asked.last = asked.first.translate(plain), asked.last.translate(plain)


def joined_particles(draw: Random, asked: Asked) -> None:
    asked.last = asked.last.replace(" ", "").capitalize()


def dropped_particles(draw: Random, asked: Asked) -> None:
    asked.last = asked.last.split(" ")[-1]


def swapped(draw: Random, asked: Asked) -> None:
    asked.first, asked.last = asked.last, asked.first


def one_first_name(draw: Random, asked: Asked) -> None:
    asked.first = asked.first.split(" ")[0]


def near_day(draw: Random, asked: Asked) -> None:
    day = asked.person.born
    if day.day <= 12 and draw.random() < 0.5:
        asked.birthdate = date(day.year, day.day, day.month).isoformat()
    else:
        asked.birthdate = day.replace(year=day.year - day.year % 10 + draw.randrange(7), day=min(day.day, 28)).isoformat()


def lost_zero(draw: Random, asked: Asked) -> None:
    asked.phones = tuple(phone.removeprefix("+32").removeprefix("0") for phone in asked.phones)


def no_line(draw: Random, asked: Asked) -> None:
    asked.phones = asked.emails = ()


def no_day(draw: Random, asked: Asked) -> None:
    asked.birthdate = ""


def another_name(draw: Random, asked: Asked) -> None:
    """Married: the last name alone is another."""
    asked.last = draw.choice(("Voorbeeldsma", "Fictiefstra", "Exemplaire"))


WAYS: list[Callable[[Random, Asked], None]] = [
    slip, other_spelling, without_accents, joined_particles, dropped_particles, swapped, one_first_name, near_day, lost_zero, no_line,
    no_day, another_name,
]  # fmt: skip


def mobile(draw: Random) -> str:
    return f"+32400{draw.randrange(10**6):06}"


def written(draw: Random, number: str) -> str:
    digits = number.removeprefix("+32")
    return draw.choice(
        (number, f"0{digits[:3]}/{digits[3:5]}.{digits[5:7]}.{digits[7:]}", f"0032 {digits}", f"0{digits}", f"+32 (0){digits}")
    )


@dataclass
class Counts:
    """What was found of those who asked, against who they are."""

    rows: int = 0
    found: int = 0
    found_well: int = 0
    right: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, asked: Asked, matches: list[Match], own: set[str]) -> None:
        by_id = {one.id: one.strength for one in matches}
        self.rows += len(own)
        for row in own:
            strength = by_id.get(row, Strength.CONTRADICTION)
            self.found += strength is not Strength.CONTRADICTION
            self.found_well += strength in (Strength.STRONG, Strength.MEDIUM)
            if strength is Strength.CONTRADICTION:
                self.lost.update(["+".join(sorted(asked.ways)) or "as it is"])
        for one in matches:
            self.listed[one.strength] += 1
            # A contradiction is right where it is somebody else.
            self.right[one.strength] += (one.id in own) != (one.strength is Strength.CONTRADICTION)

    def precision(self, strength: Strength) -> float:
        return self.right[strength] / self.listed[strength] if self.listed[strength] else 1.0


@dataclass
class Letters:
    """What comparing letters alone finds."""

    seconds: list[float] = field(default_factory=list)
    rows: int = 0
    found: int = 0
    listed: int = 0

    def add(self, rows: list[FullContact], asked: Asked, own: set[str]) -> None:
        began = time.process_time()
        found = by_letters(rows, asked)
        self.seconds.append(time.process_time() - began)
        self.rows, self.found, self.listed = self.rows + len(own), self.found + len(own & found), self.listed + len(found)

    @property
    def told(self) -> str:
        return f"finds {self.found / self.rows:.0%}, {self.found / max(self.listed, 1):.0%} right"


def by_letters(rows: list[FullContact], asked: Asked) -> set[str]:
    """A plain way: everybody whose whole name is much like this one, letter by letter."""
    matcher = SequenceMatcher(None, "", f"{asked.first} {asked.last}".lower(), autojunk=False)
    found = set()
    for row in rows:
        matcher.set_seq1(f"{row.first_name} {row.last_name}".lower())
        if matcher.real_quick_ratio() >= LIKE_ENOUGH and matcher.quick_ratio() >= LIKE_ENOUGH and matcher.ratio() >= LIKE_ENOUGH:
            found.add(row.id)
    return found


def one_by_one(rows: list[FullContact], wanted: Wanted) -> list[Match]:
    """Another plain way: everybody is weighed."""
    found = [match for row in rows if (match := weigh(row, wanted, TODAY, SENTINELS)) is not None]
    return sorted(found, key=lambda one: (RANK[one.strength], -len(one.evidence), one.id))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--asked", type=int, default=300)
    parser.add_argument("--letters", type=int, default=40, help="how many of them are looked for by the letters of names alone")
    parser.add_argument("--one-by-one", type=int, default=4, help="for how many of them everybody is weighed: it is slow")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    draw = Random(given.seed)
    everybody = people(draw, given.contacts)
    rows, of = rows_of(draw, everybody)
    questions = [asked_by(draw, one) for one in draw.sample(everybody, given.asked)]
    counts, letters = Counts(), Letters()
    quick: list[float] = []
    slow: list[float] = []
    for number, asked in enumerate(questions):
        began = time.process_time()
        matches = match(Everybody(rows), asked.wanted, today=TODAY, sentinels=SENTINELS)
        quick.append(time.process_time() - began)
        own = of[asked.person.who]
        counts.add(asked, matches, own)
        if number < given.letters:
            letters.add(rows, asked, own)
        if number < given.one_by_one:
            began = time.process_time()
            if one_by_one(rows, asked.wanted) != matches:
                sys.exit("the quick search has lost somebody")
            slow.append(time.process_time() - began)
    names = len({row.last_name for row in rows})
    print(f"{len(rows):,} contacts with {names:,} last names; {len(quick)} asked for, who have {counts.rows} rows")
    report(counts, quick, slow, letters)


def report(counts: Counts, quick: list[float], slow: list[float], letters: Letters) -> None:
    mean = sum(quick) / len(quick)
    faster = sum(slow) / sum(quick[: len(slow)]) if slow else float("inf")
    figures = [
        ("found at all", counts.found / counts.rows, FOUND),
        ("found as strong or medium", counts.found_well / counts.rows, FOUND_WELL),
        ("right among strong", counts.precision(Strength.STRONG), STRONG),
        ("right among medium", counts.precision(Strength.MEDIUM), MEDIUM),
        ("others among contradictions", counts.precision(Strength.CONTRADICTION), CONTRADICTION),
    ]
    for title, figure, floor in figures:
        say(title, f"{figure:8.2%}", f"floor {floor:.1%}")
    say("right among weak", f"{counts.precision(Strength.WEAK):8.2%}", "listed for a person, never included by itself")
    for strength in Strength:
        say(f"listed as {strength.value}", f"{counts.listed[strength]:8,}", f"{counts.listed[strength] / len(quick):.2f} for each")
    for ways, lost in counts.lost.most_common(8):
        say("lost", f"{lost:8}", ways)
    say("seconds for each", f"{mean:8.2f}", f"longest {max(quick):.2f}, ceiling {SECONDS:.1f}")
    if slow:
        say("everybody weighed", f"{sum(slow) / len(slow):8.2f}", "seconds for each, the same list")
        say("times faster", f"{faster:8.1f}", f"floor {FASTER:.0f}")
    if letters.seconds:
        say("names by difflib", f"{sum(letters.seconds) / len(letters.seconds):8.2f}", f"seconds for each, {letters.told}")
    failed = [title for title, figure, floor in figures if figure < floor]
    failed += ["seconds for each"] if mean > SECONDS else []
    failed += ["times faster"] if faster < FASTER else []
    if failed:
        sys.exit(f"below its floor: {', '.join(failed)}")


def say(title: str, figure: str, remark: str) -> None:
    print(f"{title:>28}: {figure}   {remark}")


if __name__ == "__main__":
    main()
