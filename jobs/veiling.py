"""Redacts the texts of one answer, the numbers of files that are closed to the person among them: they must leave no trace.

Source: SUS-05, EXP-06, R-107.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from jobs.assessing import Assessment
from jobs.other_people import other_people, shown_person
from rules.as_read import as_read
from rules.needles import GUID, TEXT, Needles, needle
from rules.redaction import Protected, Redacted, Redactor

LEFT_OUT = "[…]"
_SHORTEST = 4


class Veil:
    """What stands between the texts of the CRM and whoever receives them."""

    def __init__(self, found: Assessment, language: str, ours: Iterable[str] = (), also: Sequence[Protected] = ()) -> None:
        """`ours` are addresses of the organisation itself, which stand in every letter; `also` people who are named and in no file."""
        self._redactor = Redactor((*other_people(found, ours), *also), shown_person(found), language)
        self._closed = _numbers_of_closed_files(found)
        longest_first = sorted(self._closed, key=lambda number: (-len(number), number))
        self._needles = Needles(self.needles())
        self._pattern = re.compile("|".join(rf"(?<!\w){re.escape(number)}(?!\w)" for number in longest_first), re.IGNORECASE)

    def redact(self, text: str) -> Redacted:
        """The text as it may be proposed; an id of the CRM, such as stands in a link to a row, is left out (EXP-13)."""
        text = GUID.sub(LEFT_OUT, as_read(text))
        return self._redactor.redact(self._pattern.sub(LEFT_OUT, text) if self._closed else text)

    def tells(self, text: str) -> bool:
        """Whether a text has something in it that would stop the release."""
        return bool(self._needles.found_in(text))

    def label(self, key: str) -> str:
        """The label of a person, the same throughout (R-118)."""
        return self._redactor.label(key)

    def needles(self) -> tuple[str, ...]:
        """What must not occur anywhere in the package; it does not say why."""
        return (*self._redactor.needles(), *(needle(TEXT, number) for number in self._closed))


def _numbers_of_closed_files(found: Assessment) -> tuple[str, ...]:
    """The numbers of files, fiches and proceedings that are told nowhere, without those that an open file has too."""
    numbers: dict[bool, set[str]] = {True: set(), False: set()}
    for kind, names in (("dossier", ("number", "court_reference")), ("fiche", ("number",))):
        for row in found.filing.rows(kind):
            is_closed = bool(found.filing.units(kind, row.id) & found.standing.excluded)
            numbers[is_closed] |= {(getattr(row, name) or "").strip() for name in names}
    telling = {number for number in numbers[True] - numbers[False] if len(number) >= _SHORTEST and any(sign.isdigit() for sign in number)}
    return tuple(sorted(telling))
