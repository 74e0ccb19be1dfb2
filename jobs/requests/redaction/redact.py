"""Redacts the texts of one answer, the numbers of files that it is not about among them. Source: SUS-05,
EXP-06, R-107."""

from collections.abc import Iterable, Sequence

from jobs.requests.redaction.file_numbers import FileNumbers
from jobs.requests.redaction.other_people import other_people, shown_person
from jobs.requests.search.assess import Assessment
from jobs.requests.search.scope import Row
from rules.redaction.leak_terms import GUID, TEXT, LeakTerms, leak_term
from rules.redaction.people import Protected
from rules.redaction.redactor import Redacted, Redactor
from rules.texts.disguises import as_read, as_written

LEFT_OUT = "[…]"


class TextRedactor:
    """Redacts the texts of one answer: other people, numbers of other files, ids of the CRM."""

    def __init__(
        self,
        found: Assessment,
        language: str,
        ours: Iterable[str],
        also: Sequence[Protected],
        *,
        rows: Iterable[Row],
        texts: Iterable[str],
    ) -> None:
        """Prepare the redaction of an answer. `ours` are addresses of the organisation itself, which are in
        every letter; `also` people who are named and in no file. `rows` are those of the answer, `texts` all
        texts in which other files may be named."""
        self._redactor = Redactor((*other_people(found, ours), *also), shown_person(found), language, found.home)
        self._files = FileNumbers(found, rows, map(as_read, texts))
        self._leak_terms = LeakTerms(self.leak_terms())

    def redact(self, text: str) -> Redacted:
        """Return the text as it may be proposed; an id of the CRM, such as stands in a link to a row, is left
        out (EXP-13).

        Where a sign that turns the direction of reading would have it tell something backwards, the text is
        proposed in the order in which it was written; left out where that tells somebody backwards too."""
        seen, written = as_read(text), as_written(text)
        redacted = self._redacted(seen)
        backwards = redacted.text[::-1]
        if seen == written or self._redacted(backwards).text == backwards:
            return redacted
        redacted = self._redacted(written)
        return Redacted(LEFT_OUT) if self.tells(redacted.text[::-1]) else redacted

    def _redacted(self, text: str) -> Redacted:
        return self._redactor.redact(self._files.replaced(GUID.sub(LEFT_OUT, text), LEFT_OUT))

    def tells(self, text: str) -> bool:
        """Return whether a text has something in it that would stop the release, or nearly."""
        return bool(self._leak_terms.found_in(text)) or self._leak_terms.are_nearly_in(text)

    def label(self, key: str) -> str:
        """Return the label of a person, the same throughout (R-118)."""
        return self._redactor.label(key)

    def leak_terms(self) -> tuple[str, ...]:
        """Return what must not occur anywhere in the package, without a reason."""
        return (*self._redactor.leak_terms(), *(leak_term(TEXT, number) for number in self._files.leak_terms))
