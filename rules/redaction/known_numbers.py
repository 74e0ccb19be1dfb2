"""Where the known numbers and addresses of people stand in a text, in any spelling. Source: EXP-06; IDN-07,
IDN-10, IDN-12."""

import re
from collections.abc import Iterable, Iterator, Set
from itertools import pairwise
from typing import Final

import ahocorasick
import phonenumbers

from rules.redaction.addresses import parts_of_street
from rules.redaction.patterns import Found
from rules.texts.folding import Squeezed, fold

OWN_ADDRESS: Final = "own_address"  # one whose street alone is not looked for
_ANYWHERE_FROM: Final = 8  # letters from which an e-mail address or account is known inside a longer word
_LONGEST_GAP: Final = 6
_SHORTEST_STREET: Final = 6
_HOUSE = re.compile(r"\d")


def forms_of(what: str, value: str) -> Iterator[str]:
    """Yield the letters and digits, squeezed, of every way to write one known number or address."""
    letters = fold(value)
    if what == "phone" and value.startswith("+"):
        parsed = phonenumbers.parse(value)
        code, national = str(parsed.country_code), phonenumbers.national_significant_number(parsed)
        yield from (prefix + national for prefix in ("", "0", code, "00" + code, code + "0", "00" + code + "0"))
    elif what == "national_number":
        yield letters
        yield letters.lstrip("0")
    elif what in ("address", OWN_ADDRESS):
        line = value.split(",")[0]
        street = fold(_HOUSE.split(line, maxsplit=1)[0])
        yield letters
        yield fold(line)
        if what == "address" and len(street) >= _SHORTEST_STREET and street != fold(line):
            yield street
            yield from (fold(part) for part in parts_of_street(_HOUSE.split(line, maxsplit=1)[0]))
    else:
        yield letters


class KnownStrings:
    """A search for known numbers and addresses, in any spelling; the value of a find is what was searched."""

    def __init__(self, known: Iterable[tuple[str, str]], without: Set[str] = frozenset()) -> None:
        """Prepare the search. `known` are class and value: a number in E.164 form, eleven digits, an e-mail
        address, a street with its number. `without` are forms that are not searched: the person's own."""
        self._forms: dict[str, tuple[str, str]] = {}
        for what, value in known:
            for form in forms_of(what, value):
                if len(form) > 2 and form not in without:
                    self._forms.setdefault(form, (what, value))
        self._search = ahocorasick.Automaton()
        for form in self._forms:
            self._search.add_word(form, form)
        self._search.make_automaton()

    def may_be_in(self, letters: str) -> bool:
        """Return whether letters, squeezed, have any of them in them."""
        return bool(self._forms and letters) and next(self._search.iter(letters), None) is not None

    def find(self, squeezed: Squeezed) -> list[Found]:
        """Find them in a squeezed text, at their places in the text itself."""
        if not self._forms or not squeezed.text:
            return []
        found: list[Found] = []
        for last, form in self._search.iter(squeezed.text):
            begin, end = last + 1 - len(form), last + 1
            what, value = self._forms[form]
            at = squeezed.at[begin:end]
            if any(after - before > _LONGEST_GAP for before, after in pairwise(at)):
                continue
            is_word = squeezed.starts[begin] and (end == len(squeezed.text) or squeezed.starts[end])
            if is_word or (what in ("email", "account") and len(form) >= _ANYWHERE_FROM):
                found.append(Found(at[0], at[-1] + 1, what, value))
        return found
