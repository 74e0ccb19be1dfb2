"""The numbers of files that an answer is not about, as far as its texts name them.

They are left out alike, whoever asks and whatever the file: were it only the numbers of closed files, the gap itself would tell of a
suspicion. Only those that are named are looked for, else every answer would carry the numbers of the whole CRM.

Source: SUS-05, EXP-09, R-107.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

import ahocorasick

from jobs.assessing import Assessment
from jobs.filing import Filing
from jobs.scoping import MENTION, Row
from jobs.searching import NUMBERS
from rules.records import Record

_SHORTEST: Final = 4
_ONE_NUMBER: Final = 9  # digits; fewer of them, and nothing else, may be a day, a year or an amount
_BETWEEN: Final = r"[\s\-‐‑–—/._]"
_PARTS: Final = re.compile(r"\d+|[^\W\d_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]")


class FileNumbers:
    """Numbers of other files that some texts name. `named` are these numbers, `needles` those of which nothing else can be meant."""

    def __init__(self, found: Assessment, rows: Iterable[Row], texts: Iterable[str]) -> None:
        known = {*found.material.numbers, *_numbers_of(found.filing)} - set(_told(rows))
        self.named = _named(known, tuple(texts))
        self.needles = tuple(number for number in self.named if _is_plain(number))
        self._pattern = _pattern_of(self.named)

    def replaced(self, text: str, by: str) -> str:
        """The text without these numbers, however they are written."""
        return self._pattern.sub(by, text) if self.named else text


def numbers_of(kind: str, row: Record) -> Iterator[str]:
    """The numbers by which a row of this kind is known, as they stand there."""
    for name in NUMBERS.get(kind, ()):
        if number := (getattr(row, name, None) or "").strip():
            yield number


def _numbers_of(filing: Filing) -> Iterator[str]:
    """Those of everything that was found, the recycle bin included."""
    for kind in NUMBERS:
        for row in filing.rows(kind):
            yield from numbers_of(kind, row)


def _told(rows: Iterable[Row]) -> Iterator[str]:
    """The numbers that the answer itself tells: of a file in which the person has no more than a role, not that of its proceedings."""
    for row in rows:
        if row.place != MENTION:
            numbers = list(numbers_of(row.kind, row.record))
            yield from [number for number in numbers if number == getattr(row.record, "number", None)] if row.is_reference else numbers


def _named(known: Iterable[str], texts: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the numbers that stand in the texts, the longest first."""
    squeezed: dict[str, list[str]] = {}
    for number in known:
        if len(number) >= _SHORTEST and any(sign.isdigit() for sign in number):
            squeezed.setdefault(_squeezed(number), []).append(number)
    if not squeezed:
        return ()
    automaton = ahocorasick.Automaton()
    for letters in squeezed:
        automaton.add_word(letters, letters)
    automaton.make_automaton()
    found = {
        number
        for text in texts
        for letters in {letters for _, letters in automaton.iter(_squeezed(text))}
        for number in squeezed[letters]
        if _pattern_of((number,)).search(text)
    }
    return tuple(sorted(found, key=lambda number: (-len(number), number)))


def _squeezed(text: str) -> str:
    return "".join(_PARTS.findall(text)).casefold()


def _pattern_of(numbers: Iterable[str]) -> re.Pattern[str]:
    """What finds numbers with other signs between their parts, or none; a number of digits alone is not looked for inside of a day."""
    return re.compile("|".join(map(_written, numbers)), re.IGNORECASE)


def _written(number: str) -> str:
    parts = _PARTS.findall(number)
    text = re.escape(parts[0])
    for before, part in pairwise(parts):
        both_digits = before[-1].isdigit() and part[0].isdigit()
        text += f"{_BETWEEN}{{{1 if both_digits else 0},3}}{re.escape(part)}"
    if _LETTERS.search(number):
        return rf"(?<!\w){text}(?!\w)"
    return rf"(?<!\w)(?<!\d[-/.]){text}(?!\w)(?![-/.]\d)"


def _is_plain(number: str) -> bool:
    """Whether these letters and digits in this order are the number of a file and nothing else."""
    return bool(_LETTERS.search(number)) or sum(sign.isdigit() for sign in number) >= _ONE_NUMBER
