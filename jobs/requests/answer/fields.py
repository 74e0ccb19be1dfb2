"""The fields of rows: what of each column is told to the person, as it stands or with others left out.

Structured fields are redacted by rule. Source: EXP-01, EXP-06, EXP-15, RGT-10, R-117 to R-119."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec

from jobs.files.html_text import holds_more, plain_text
from jobs.model.answer import Field
from jobs.requests.redaction.redact import TextRedactor
from jobs.requests.search.contact_details import compared
from jobs.requests.search.scope import MENTION, Row, json_value
from rules.model.kinds import kind_of
from rules.model.personal_records import PARTICIPATIONS, TOOK_PART, FullParty
from rules.redaction.labels import label_for
from rules.redaction.not_shown import Redaction
from rules.rights.fields import FIELDS, FieldRule, Nature, ShownTo, needed_by, rule_for, rules_of

# What a person told of themselves; the rest was written by somebody else or follows from what was done (art.
# 20, RGT-10).
PROVIDED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "contact": frozenset(
            {
                "first_name", "last_name", "email", "email_2", "phone", "mobile", "street", "postcode", "city", "country", "birth_on",
                "birth_place", "gender", "national_number", "language", "newsletter", "newsletter_consent_on", "no_bulk_email",
            }
        ),
        "donation": frozenset({"amount", "booked_on", "iban"}),
        "enrolment": frozenset({"course", "kind", "held_on"}),
        "engagement": frozenset({"kind", "started_on", "ended_on"}),
    }
)  # fmt: skip
# Natures by which somebody is known: where such a field is not told, its label stands in its place.
_LABELLED: Final = frozenset(
    {Nature.PHONE, Nature.EMAIL, Nature.ADDRESS, Nature.NATIONAL_NUMBER, Nature.BIRTH_DATE, Nature.ACCOUNT, Nature.IP_ADDRESS}
)
_EXACT: Final = frozenset({"communicated", "started", "ended", "created", "sent"})  # `…_at` says what `…_on` says, and the hour
_ABOUT_RECIPIENT: Final = ("transmitted_to", "transmitted_on", "transmitted_country", "transfer_basis")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a person's data is asked for and may be told. `needed` are the columns that are disclosed
    of their own row if not all are."""

    whole_contact: bool = True
    needed: frozenset[str] = needed_by(())
    only_provided: bool = False
    wants_audio: bool = False


class Fields:
    """Makes the fields of one answer.

    `numbers` are those of the person; `choice` says what an option of a dependent table is called. `askers`
    are the contacts of a person who asks in somebody's name, with their name: nobody is a stranger in their
    own answer."""

    def __init__(
        self,
        redactor: TextRedactor,
        language: str,
        numbers: frozenset[str],
        *,
        country: str,
        extent: Extent,
        askers: Mapping[str, str],
        choice: Callable[[str, str, object], object],
    ) -> None:
        self._redactor, self._language, self._numbers = redactor, language, numbers
        self._country, self._extent, self._askers, self._choice = country, extent, askers, choice

    def of(self, row: Row) -> Iterator[Field]:
        if row.place == MENTION:  # whatever holds the mention is a text for a person to look at, and nothing else of the row is told
            for name in row.fields:
                texts = [passage for field, passage in row.said if field == name] or [str(getattr(row.record, name))]
                yield from (self._text(name, text) for text in texts)
            return
        if isinstance(row.record, FullParty) and not row.is_own:
            if row.record.contact is not None and row.record.contact in self._askers:
                yield from (Field("role", row.record.role), Field("name", self._askers[row.record.contact]))
                return
            label = self._redactor.label(row.record.contact or row.record.id)
            yield Field("name", label, redactions=(Redaction("name", label),))
            return
        # In the order in which people name them, not that of the columns.
        names = [name for name in _rules(row) if name in row.record.__struct_fields__ and self._is_told(row, name)]
        names = [name for name in names if row.kind != "fiche" or name not in _ABOUT_RECIPIENT]  # an item of its own
        for name in names:
            stem, _, ending = name.rpartition("_")
            if row.is_limited and ending == "at" and stem in _EXACT and f"{stem}_on" in names:
                continue
            if not row.is_limited and ending == "on" and stem in _EXACT and f"{stem}_at" in names:
                continue
            field = self._field(row, name)
            if field is not None:
                yield self._without_others(field)

    def about_recipient(self, row: Row) -> tuple[Field, ...]:
        """Return what is told of the recipient to which something of a fiche was passed on."""
        names = [name for name in _ABOUT_RECIPIENT if self._is_told(row, name)]
        return tuple(field for name in names if (field := self._field(row, name)) is not None)

    def _without_others(self, field: Field) -> Field:
        """Return a field of the person without other people. These occur as in `p/a Jan Peeters, Kerkstraat
        12` or in a remark between brackets. A single word is the person's own, even if others share it."""
        if field.is_text or not isinstance(field.value, str) or " " not in field.value:
            return field
        if "(" not in field.value and not self._redactor.tells(field.value):
            return field
        redacted = self._redactor.redact(field.value)
        return msgspec.structs.replace(field, value=redacted.text, redactions=redacted.redactions)

    def _is_told(self, row: Row, name: str) -> bool:
        value = getattr(row.record, name)
        rule = _rule(row, name)
        if rule.nature is Nature.TEXT and not row.has_texts:
            return False
        if rule.shown is ShownTo.NEVER or rule.nature is Nature.FILE or value is None or value in ("", ()):
            return False
        if self._extent.only_provided and name not in PROVIDED.get(row.kind, frozenset()):
            return False
        if row.kind == "contact" and not self._extent.whole_contact and name not in self._extent.needed:
            return False
        return name == "number" or not row.is_reference

    def _field(self, row: Row, name: str) -> Field | None:
        rule, value = _rule(row, name), getattr(row.record, name)
        if name == "participation":
            value = PARTICIPATIONS.get(value, TOOK_PART)  # a code that there are words for, no number of the platform's
        if row.kind not in FIELDS and rule.nature is Nature.CHOICE:
            value = self._choice(row.kind, name, value)
        provided = name in PROVIDED.get(row.kind, frozenset())
        is_of_somebody = rule.nature in (Nature.PHONE, Nature.EMAIL, Nature.IP_ADDRESS)
        is_own = row.is_caller if row.kind == "fiche" else row.is_own
        if is_of_somebody or (rule.shown is ShownTo.OWN and not is_own):
            return self._of_somebody(row, name, rule.nature, str(value), provided=provided)
        if rule.nature is Nature.TEXT:
            return self._text(name, str(value))
        if rule.nature in (Nature.REFERENCE, Nature.RECIPIENT) or (row.kind == "party" and rule.nature is Nature.NAME):
            redacted = self._redactor.redact(str(value))
            return Field(name, redacted.text, redactions=redacted.redactions, provided=provided)
        return Field(name, json_value(value), provided=provided)

    def _text(self, name: str, written: str) -> Field:
        """Return a text without its markup. A picture that is written into it is no text that anybody could be
        left out of: its label tells that it is there."""
        words = plain_text(written)
        if holds_more(written):
            words = f"{words}\n{label_for('picture', self._language)}".lstrip()
        return Field(name, words, is_text=True)

    def _of_somebody(self, row: Row, name: str, nature: Nature, value: str, *, provided: bool) -> Field | None:
        """Return a field that only the person to whom it belongs may see. That is a caller's number, an
        address, a note about somebody."""
        if nature not in _LABELLED:
            return None
        if row.kind == "contact" and row.is_own:
            return Field(name, value, provided=provided)
        if nature is Nature.IP_ADDRESS:
            return Field(name, value) if row.is_caller else self._label(name, nature)
        parts = [part.strip() for part in value.split(";") if part.strip()]
        own = [bool(self._numbers & compared([part], [part], self._country)) for part in parts]
        if all(own):
            return Field(name, value, provided=provided)
        label = label_for(nature.value, self._language)
        told = "; ".join(part if is_own else label for part, is_own in zip(parts, own, strict=True))
        return Field(name, told, redactions=(Redaction(nature.value, label),))

    def _label(self, name: str, nature: Nature) -> Field:
        label = label_for(nature.value, self._language)
        return Field(name, label, redactions=(Redaction(nature.value, label),))


def _rules(row: Row) -> Mapping[str, FieldRule]:
    return rules_of(kind_of(row.kind, row.record))


def _rule(row: Row, name: str) -> FieldRule:
    return _rules(row).get(name, rule_for(row.kind, name))
