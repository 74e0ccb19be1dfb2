"""People of the CRM who have no part in the files of an answer and are named in its texts all the same:
staff, and other contacts. Only those who are named count: else every answer would have the whole CRM among
what it looks for. Source: EXP-06 ("staff: function only"), R-118, R-123."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from jobs.ports.context import JobContext
from jobs.requests.redaction.other_people import split_name, without_remarks
from jobs.requests.search.assess import Assessment
from jobs.requests.search.scope import Row
from rules.model.personal_records import FullContact
from rules.redaction.people import Protected
from rules.texts.folding import fold, letters_of

STAFF: Final = "systemuser"
_WORD = re.compile(r"\w+")
_SHORTEST: Final = 2  # letters of either name


class Words:
    """The words of all texts of an answer, folded, and their letters without anything between."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._letters: list[str] = []
        self._words: set[str] = set()
        for text in texts:
            self._letters.append(letters_of(text))
            self._words.update(map(fold, _WORD.findall(text)))

    def has_all(self, name: str) -> bool:
        """Return whether every word of a name is somewhere in the texts."""
        words = _WORD.findall(name)
        return bool(words) and all(fold(word) in self._words for word in words)

    def has_together(self, first: str, last: str) -> bool:
        """Return whether a full name stands somewhere, in either order."""
        one, other = fold(first), fold(last)
        return any(one + other in letters or other + one in letters for letters in self._letters)


def texts_of_rows(rows: Iterable[Row]) -> Iterator[str]:
    """Return every text and name in the rows of an answer; one that is not shown does no harm here."""
    for row in rows:
        yield from (passage for _, passage in row.said)
        for name in row.record.__struct_fields__:
            value = getattr(row.record, name)
            if isinstance(value, str) and value and name != "id":
                yield value


def mentioned_people(context: JobContext, found: Assessment, texts: Iterable[str]) -> tuple[Protected, ...]:
    """Return staff whose surname, and contacts whose full name, occurs in the texts of an answer. Raises
    ConnectorError: they cannot be read."""
    words = Words(texts)
    return (*_staff(context, words), *_contacts(context, found, words))


def _staff(context: JobContext, words: Words) -> Iterator[Protected]:
    """Yield users of the CRM, by the name that it shows for them. Applications are left out: their name is a
    single word, or has a sign before it."""
    for user, name in sorted(context.connector.names(STAFF).items()):
        first, last = split_name(name)
        if first and not first.startswith("#") and (words.has_all(last) or words.has_together(first, last)):
            yield Protected(f"staff {user}", "staff", names=((first, last),))


def _contacts(context: JobContext, found: Assessment, words: Words) -> Iterator[Protected]:
    """Yield contacts that are not in the files; a namesake, indistinguishable, stays readable."""
    own = {_folded(contact) for contact in found.subject_contacts}
    known: Collection[str] = found.material.contacts
    for page in context.connector.read(FullContact, ["first_name", "last_name"]):
        for contact in page:
            first, last = _folded(contact)
            if min(len(first), len(last)) < _SHORTEST or contact.id in known or (first, last) in own:
                continue
            names = without_remarks(contact.first_name), without_remarks(contact.last_name)
            if words.has_all(names[1]) and words.has_together(*names):
                yield Protected(contact.id, "other", names=(names,))


def _folded(contact: FullContact) -> tuple[str, str]:
    return fold(without_remarks(contact.first_name)), fold(without_remarks(contact.last_name))
