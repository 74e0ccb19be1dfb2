"""The numbers of files that an answer is not about, as far as its texts name them.

They are left out alike, for every requester and every file: were it only the numbers of closed files, the gap
itself would tell of a suspicion. Only those that are named are looked for, else every answer would carry the
numbers of the whole CRM. What is written like the number of a file is taken for one, though no file has it
(any more): one that stays in clear beside a gap would tell that the gap is a file. Source: SUS-05, EXP-09,
R-107."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import ahocorasick

from jobs.requests.search.assess import Assessment
from jobs.requests.search.case_files import Filing
from jobs.requests.search.material import NUMBERS
from jobs.requests.search.scope import MENTION, Row
from rules.model.records import Record
from rules.texts.folding import fold

_SHORTEST: Final = 4
_LETTERS_OF_A_FORM: Final = 6  # more of them is a word, such as the name of a court
_DIGITS_OF_A_FORM: Final = 4
_ONE_NUMBER: Final = 9  # digits; fewer of them, and nothing else, may be a day, a year or an amount
_BETWEEN: Final = r"[\s\-‐‑–—/._]"
_PARTS: Final = re.compile(r"\d+|[^\W\d_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_SIGN: Final = r"[\-‐‑–—/._]"


class FileNumbers:
    """Numbers of other files that some texts name. `named` are these numbers, `leak_terms` the leak-check
    terms: those that can mean nothing else."""

    def __init__(self, found: Assessment, rows: Iterable[Row], texts: Iterable[str]) -> None:
        rows, texts = tuple(rows), tuple(texts)
        told = set(_told(rows))
        everywhere = {*found.material.numbers, *_numbers_of(found.filing), *told}
        alike = _written_alike(everywhere, texts, told)
        self.named = tuple(sorted({*_named(everywhere - told, texts), *alike}, key=lambda number: (-len(number), number)))
        self.leak_terms = tuple(number for number in self.named if _is_plain(number))
        self._pattern = _pattern_of(self.named)

    def replaced(self, text: str, by: str) -> str:
        """Return the text without these numbers, however they are written."""
        return self._pattern.sub(by, text) if self.named else text


def numbers_of(kind: str, row: Record) -> Iterator[str]:
    """Return the numbers by which a row of this kind is known, as they stand there."""
    yield from (number for name in NUMBERS.get(kind, ()) if (number := (getattr(row, name, None) or "").strip()))


def _numbers_of(filing: Filing) -> Iterator[str]:
    """Return the numbers of everything that was found, the recycle bin included."""
    for kind in NUMBERS:
        for row in filing.rows(kind):
            yield from numbers_of(kind, row)


def _told(rows: Iterable[Row]) -> Iterator[str]:
    """Return the numbers that the answer itself states: of a file in which the person only has a role, not
    that of its proceedings."""
    for row in rows:
        if row.place != MENTION:
            numbers = list(numbers_of(row.kind, row.record))
            yield from [number for number in numbers if number == getattr(row.record, "number", None)] if row.is_reference else numbers


def _named(known: Iterable[str], texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the numbers that stand in the texts, the longest first."""
    squeezed: dict[str, list[str]] = {}
    for number in known:
        if len(number) >= _SHORTEST and any(sign.isdigit() for sign in number):
            squeezed.setdefault(fold(number), []).append(number)
    if not squeezed:
        return ()
    automaton = ahocorasick.Automaton()
    for letters in squeezed:
        automaton.add_word(letters, letters)
    automaton.make_automaton()
    found = {
        number
        for text in texts
        for letters in {letters for _, letters in automaton.iter(fold(text))}
        for number in squeezed[letters]
        if _pattern_of((number,)).search(text)
    }
    return tuple(sorted(found, key=lambda number: (-len(number), number)))


def _written_alike(numbers: Iterable[str], texts: Iterable[str], told: Iterable[str]) -> set[str]:
    """Return what stands in the texts in the form of a number of the CRM and is not one that the answer
    states, with or without leading zeros."""
    forms = sorted({form for number in numbers for form in (*_forms_of(number), _form_without_letters(number)) if form})
    if not forms:
        return set()
    own = {form for number in told for form in (_bare(number), _digits(number), (fold(number),))}
    pattern = re.compile("|".join(forms), re.IGNORECASE)
    found = {match[0] for text in texts for match in pattern.finditer(text)}
    return {written for written in found if own.isdisjoint((_bare(written), (fold(written),))) and not _are_years(written)}


def _forms_of(number: str) -> tuple[str, ...]:
    """Return the patterns of numbers of the same form: its letters, as many digits in each part, and any
    number of them in the last, which counts on; written in one, no fewer than it has. None for digits alone,
    which may be a day or an amount, and for what has more of a word than of a number."""
    parts = _PARTS.findall(number)
    letters = sum(len(part) for part in parts if not part.isdigit())
    digits = sum(len(part) for part in parts if part.isdigit())
    if not (0 < letters <= _LETTERS_OF_A_FORM and digits >= _DIGITS_OF_A_FORM) or not parts[-1].isdigit():
        return ()
    first = [rf"\d{{{len(part)}}}" if part.isdigit() else re.escape(part) for part in parts[:-1]]
    is_counted_apart = digits - len(parts[-1]) >= _DIGITS_OF_A_FORM  # a year stands before it
    last = rf"\d{{{len(parts[-1])},}}"
    return _joined(number, [*first, r"\d+" if is_counted_apart else last]), _joined(number, [*first, last], is_in_one=True)


def _form_without_letters(number: str) -> str:
    """Return the pattern of numbers of the form `D-2026-0118` without their letters: a year, and as many
    digits behind a sign. Empty for numbers of any other form."""
    parts = _PARTS.findall(number)
    is_of_a_year = len(parts) == 3 and not parts[0].isdigit() and _YEAR.fullmatch(parts[1]) and len(parts[2]) >= _DIGITS_OF_A_FORM
    return rf"(?<!\w)(?<!\d[-/.]){_YEAR.pattern}{_SIGN}\d{{{len(parts[2])}}}(?!\w)(?![-/.]\d)" if is_of_a_year else ""


def _are_years(written: str) -> bool:
    """Return whether this is a span of years, such as that of a school year."""
    parts = _PARTS.findall(written)
    return len(parts) == 2 and all(map(_YEAR.fullmatch, parts))


def _digits(number: str) -> tuple[str, ...]:
    return tuple(part for part in _bare(number) if part.isdigit())


def _bare(number: str) -> tuple[str, ...]:
    return tuple(fold(part).lstrip("0") for part in _PARTS.findall(number))


def _pattern_of(numbers: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of numbers with other signs between their parts, or without any; a number of digits
    alone is not sought inside a date."""
    return re.compile("|".join(map(_written, numbers)), re.IGNORECASE)


def _written(number: str) -> str:
    return _joined(number, [re.escape(part) for part in _PARTS.findall(number)], is_in_one=bool(_LETTERS.search(number)))


def _joined(number: str, patterns: Sequence[str], *, is_in_one: bool = False) -> str:
    """Return one pattern made from the patterns of the parts of a number, which has the same parts; nothing
    need stand between its digits where it may be written in one: `D20260118`."""
    parts = _PARTS.findall(number)
    text = patterns[0]
    for (before, part), pattern in zip(pairwise(parts), patterns[1:], strict=True):
        both_digits = before[-1].isdigit() and part[0].isdigit()
        text += f"{_BETWEEN}{{{1 if both_digits and not is_in_one else 0},3}}{pattern}"
    if _LETTERS.search(number):
        return rf"(?<!\w){text}(?!\w)"
    return rf"(?<!\w)(?<!\d[-/.]){text}(?!\w)(?![-/.]\d)"


def _is_plain(number: str) -> bool:
    """Return whether these letters and digits in this order are the number of a file and nothing else."""
    return bool(_LETTERS.search(number)) or sum(sign.isdigit() for sign in number) >= _ONE_NUMBER
