"""The items of an answer: what is disclosed, what a person has to review, and what is withheld.

A person may release what is withheld. Structured fields are redacted by rule. Every free text, image,
document and sound waits for a person (EXP-07). After a running away or an abduction, what RGT-09 names is
withheld by default: the DPO releases it one by one. Source: EXP-01, EXP-05 to EXP-09, EXP-15, RGT-09, RGT-14,
R-096, R-117 to R-119."""

import hashlib
import mimetypes
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from types import MappingProxyType
from typing import Final

import msgspec

from jobs.files.file_texts import Checked
from jobs.files.html_text import plain_text
from jobs.model.answer import DPO_REVIEW, NOT_THE_PERSON, RECIPIENT, RGT_09, VOICE, Attachment, Field, Item, ItemStatus
from jobs.requests.redaction.redact import TextRedactor
from jobs.requests.search.contact_details import compared
from jobs.requests.search.mentions import NAME_PART
from jobs.requests.search.scope import MENTION, Row, json_value
from rules.dates.calendar import Calendar
from rules.model.kinds import kind_of
from rules.model.personal_records import PARTICIPATIONS, TOOK_PART, FullFiche, FullNote, FullParty, FullRecording
from rules.redaction.labels import label_for
from rules.redaction.not_shown import Redaction
from rules.rights.criminal_recipients import acts_in_criminal_matters
from rules.rights.fields import FIELDS, FieldRule, Nature, ShownTo, fields_of, needed_by, rule_for, rules_of
from rules.rights.withholding import CHILD_STATEMENTS, withheld_on_behalf, withheld_recipient, withheld_role
from rules.texts.folding import begin_of, fold, squeeze

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
_TITLES: Final = MappingProxyType({"bin": "deleted"})
# Of these RGT-09 withholds the texts and what leads to the child, and tells the rest: of a fiche its number
# and its day, not its hour.
_TOLD_IN_PART: Final = frozenset({"contact", "dossier", "party", "fiche"})
# Of the own report these are no secret.
_OF_THE_REPORT: Final = (*fields_of("fiche", Nature.PHONE, Nature.EMAIL), "channel", "language", "reporter_kind")
_ABOUT_RECIPIENT: Final = ("transmitted_to", "transmitted_on", "transmitted_country", "transfer_basis")
_AROUND = 200  # characters on either side of a mention, up to the ends of its sentences


class Items:
    """Makes the items of one answer.

    `numbers` are those of the person; `media_type` says what a column of a row holds as a file, None for
    nothing; `choice` what an option of a dependent table is called; `needed` are the columns
    that are disclosed of it if not all are. `askers` are the contacts of a person who asks in somebody's
    name, with their name: nobody is a stranger in their own answer. `text_of` gives what a file that is a
    text says; None for every other file. `checked` looks into such a file. If somebody else is named in it
    nobody can remove the name, so that it is withheld unless a person writes a text in its place. If not all
    of it can be read, it says so and waits for a person's approval of that very file."""

    def __init__(
        self,
        redactor: TextRedactor,
        language: str,
        numbers: frozenset[str],
        *,
        calendar: Calendar,
        country: str,
        names: tuple[str, ...],
        askers: Mapping[str, str] = MappingProxyType({}),
        whole_contact: bool = True,
        needed: frozenset[str] = needed_by(()),
        only_provided: bool = False,
        wants_audio: bool = False,
        media_type: Callable[[str, str, str], str | None] = lambda kind, row, field: None,
        choice: Callable[[str, str, object], object] = lambda kind, field, value: value,
        text_of: Callable[[FullNote], str | None] = lambda note: None,
        checked: Callable[[Attachment], Checked] = lambda attachment: Checked(),
    ) -> None:
        self._redactor, self._language, self._numbers = redactor, language, numbers
        self._calendar, self._country = calendar, country
        self._names = tuple(letters for name in names if (letters := fold(name)))
        self._askers, self._whole_contact, self._needed = askers, whole_contact, needed
        self._only_provided, self._wants_audio, self._media_type, self._choice = only_provided, wants_audio, media_type, choice
        self._text_of, self._checked = text_of, checked

    def of(self, row: Row, context: str) -> list[Item]:
        """Return the items of one row, without numbers. They are the row itself, a file that belongs to it,
        and what RGT-09 separates."""
        fields = tuple(self._fields(row))
        texts = tuple(field for field in fields if field.is_text)
        told = tuple(field for field in fields if not field.is_text)
        apart: tuple[Field, ...] = ()
        beside: tuple[Field, ...] = ()  # goes with the text, and comes with it
        if row.is_limited:
            apart = tuple(field for field in told if self._withheld(row, field) is not None)
            told = tuple(field for field in told if field not in apart)
            if row.kind == "fiche" and texts:
                beside = tuple(field for field in apart if self._withheld(row, field) == CHILD_STATEMENTS)
                apart = tuple(field for field in apart if field not in beside)
        if row.is_limited and row.kind in _TOLD_IN_PART:
            made = [self._item(row, context, told)] if told or not (apart or beside) else []
            if texts:
                made.append(self._with_text(row, self._item(row, context, (*beside, *texts)), texts))
        else:
            made = [self._with_text(row, self._item(row, context, (*told, *texts)), texts)]
        for withholds in dict.fromkeys(self._withheld(row, field) or "" for field in apart):
            of_class = tuple(field for field in apart if self._withheld(row, field) == withholds)
            made.append(self._apart(row, context, of_class, withholds))
        if (recipient := self._recipient(row, context)) is not None:
            made.append(recipient)
        attachments = () if self._only_provided or row.place == MENTION else self._attachments(row)
        for attachment in attachments:
            text = self._text_of(row.record) if isinstance(row.record, FullNote) else None
            made.append(self._file(row, context, attachment) if text is None else self._text_file(row, context, text))
        if row.is_doubtful:
            waiting = {"needs_review": True, "status": ItemStatus.WITHHELD, "code": "RF-03", "is_doubtful": True}
            made = [msgspec.structs.replace(item, **waiting) for item in made]
        return [msgspec.structs.replace(item, digest=_digest(item, row)) for item in made]

    # -- the row ---------------------------------------------------------------------------------------------

    def _item(self, row: Row, context: str, fields: tuple[Field, ...], title: str = "") -> Item:
        return Item(
            item="",
            context=context,
            kind=row.kind,
            source=row.source,
            title=title or _TITLES.get(row.place, row.place),
            at=row.day(self._calendar) if row.is_limited else row.at,
            fields=fields,
        )

    def _with_text(self, row: Row, item: Item, texts: tuple[Field, ...]) -> Item:
        """Return the item with its texts as they would be disclosed. Nothing of it is released before a
        person has read them."""
        if not texts:
            return item
        parts = [str(field.value) for field in texts]
        redacted = self._redactor.redact("\n\n".join(self._around(part) for part in parts) if row.place == MENTION else "\n\n".join(parts))
        limits = next((code for field in texts if (code := withheld_on_behalf(row.kind, field.name))), "")
        if row.place == MENTION and row.evidence == NAME_PART:  # most who are called so are somebody else
            proposed = msgspec.structs.replace(item, needs_review=True, proposal=redacted.text, redactions=redacted.redactions)
            return msgspec.structs.replace(proposed, status=ItemStatus.WITHHELD, code=NOT_THE_PERSON, withholds=MENTION, where=row.where)
        is_limited = row.is_limited and not row.is_askers  # their own report is theirs, once a person has read it
        return msgspec.structs.replace(
            item,
            needs_review=True,
            status=ItemStatus.WITHHELD if is_limited else ItemStatus.PENDING_REVIEW,
            proposal=redacted.text,
            redactions=redacted.redactions,
            code=RGT_09 if is_limited else "",
            withholds=limits if is_limited else MENTION if row.place == MENTION else "",
            where=row.where,
        )

    def _apart(self, row: Row, context: str, fields: tuple[Field, ...], withholds: str) -> Item:
        """Return what RGT-09 names among structured fields, by class: withheld until the DPO releases it."""
        item = self._item(row, context, fields)
        return msgspec.structs.replace(item, needs_review=True, status=ItemStatus.WITHHELD, code=RGT_09, withholds=withholds)

    def _withheld(self, row: Row, field: Field) -> str | None:
        """Return the class of RGT-09 that a structured field falls under."""
        if row.is_askers and field.name in _OF_THE_REPORT:
            return None
        if isinstance(row.record, FullParty) and row.is_own and (spoke := withheld_role(row.record.role)):
            return spoke
        return withheld_on_behalf(row.kind, field.name)

    def _recipient(self, row: Row, context: str) -> Item | None:
        """Return the recipient to which something of a fiche was passed on, as an item of its own. It can be
        withheld if the fiche is disclosed (7.1(c)). A recipient that acts in criminal matters waits for a
        person. After a running away or an abduction only authorities are disclosed (RGT-09)."""
        fiche = row.record
        if not isinstance(fiche, FullFiche) or row.place == MENTION or not (fiche.transmitted_to or fiche.transmitted_on):
            return None
        names = [name for name in _ABOUT_RECIPIENT if self._is_told(row, name)]
        fields = tuple(field for name in names if (field := self._field(row, name)) is not None)
        if not fields:
            return None
        confidant = withheld_recipient(fiche.transmitted_to) if row.is_limited and fiche.transmitted_to else None
        is_criminal = acts_in_criminal_matters(fiche.transmitted_to, fiche.transmitted_country, self._country)
        status = ItemStatus.WITHHELD if confidant else ItemStatus.PENDING_REVIEW if is_criminal else ItemStatus.APPROVED
        return msgspec.structs.replace(
            self._item(row, context, fields, RECIPIENT),
            kind=RECIPIENT,
            needs_review=True,
            status=status,
            code=RGT_09 if confidant else DPO_REVIEW if is_criminal else "",
            withholds=confidant or "",
            proposal=", ".join(str(field.value) for field in fields),
        )

    # -- fields ----------------------------------------------------------------------------------------------

    def _fields(self, row: Row) -> Iterator[Field]:
        if row.place == MENTION:  # whatever holds the mention is a text for a person to look at, and nothing else of the row is told
            for name in row.fields:
                texts = [passage for field, passage in row.said if field == name] or [str(getattr(row.record, name))]
                yield from (Field(name, plain_text(text), is_text=True) for text in texts)
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
        if self._only_provided and name not in PROVIDED.get(row.kind, frozenset()):
            return False
        if row.kind == "contact" and not self._whole_contact and name not in self._needed:
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
            return Field(name, plain_text(str(value)), is_text=True)
        if rule.nature in (Nature.REFERENCE, Nature.RECIPIENT) or (row.kind == "party" and rule.nature is Nature.NAME):
            redacted = self._redactor.redact(str(value))
            return Field(name, redacted.text, redactions=redacted.redactions, provided=provided)
        return Field(name, json_value(value), provided=provided)

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

    def _around(self, text: str) -> str:
        """Return the sentences around the first place where a text names the person, or a whole short one."""
        folded = squeeze(text)
        at = min((place for name in self._names if (place := begin_of(name, folded)) is not None), default=-1)
        if at < 0 or len(text) <= 2 * _AROUND:
            return text if len(text) <= 2 * _AROUND else text[: 2 * _AROUND]
        begin = max(text.rfind(stop, 0, at) for stop in (".", "!", "?", "\n")) + 1
        ends = [end for stop in (".", "!", "?", "\n") if (end := text.find(stop, at)) >= 0]
        end = min(ends, default=len(text)) + 1
        return text[max(begin, at - _AROUND) : min(end, at + _AROUND)].strip()

    # -- files -----------------------------------------------------------------------------------------------

    def _attachments(self, row: Row) -> Iterator[Attachment]:
        """Yield the files that a row holds or names; whether one that it names exists is found out when it is
        fetched."""
        if row.place:
            return
        contents = kind_of(row.kind, row.record).contents
        if row.kind not in FIELDS:
            for name in contents:
                if held := self._media_type(row.kind, row.id, name):
                    yield Attachment(row.kind, row.id, name, held, "")
            return
        media_type = ""
        if isinstance(row.record, FullNote) and row.record.is_document:
            media_type = row.record.media_type or "application/octet-stream"
        elif isinstance(row.record, FullRecording) and row.record.channel != "chat":
            media_type = "audio/mpeg"
        elif row.kind == "contact" and self._whole_contact:
            media_type = self._media_type(row.kind, row.id, "picture") or ""
        if media_type:
            yield Attachment(row.kind, row.id, contents[0], media_type, "")

    def _text_file(self, row: Row, context: str, text: str) -> Item:
        """Return a file that is a text as one: what it says, redacted, once a person has read it."""
        texts = (Field("body", text, is_text=True),)
        return self._with_text(row, self._item(row, context, texts, "attachment"), texts)

    def _file(self, row: Row, context: str, attachment: Attachment) -> Item:
        """Return an item for the file alone. A voice is withheld: the transcript represents it, and a session
        to listen to it is offered, unless it is the voice of somebody else who called (R-119)."""
        is_audio = attachment.media_type.startswith("audio/")
        withholds = "voice" if is_audio and (row.is_others_call or not self._wants_audio) else ""
        checked = self._checked(attachment)
        if row.is_limited:
            withholds = withheld_on_behalf(row.kind, attachment.field) or "text"
        elif not withholds and checked.tells_of_others:
            withholds = "attachment"
        item = self._item(row, context, (Field("media_type", attachment.media_type),), "attachment")
        return msgspec.structs.replace(
            item,
            needs_review=True,
            status=ItemStatus.WITHHELD if withholds else ItemStatus.PENDING_REVIEW,
            code=VOICE if withholds == "voice" and not row.is_others_call else RGT_09 if row.is_limited else "RF-03" if withholds else "",
            withholds=withholds,
            attachment=msgspec.structs.replace(attachment, unread=checked.unread, sha256=checked.sha256),
        )


def _rules(row: Row) -> Mapping[str, FieldRule]:
    return rules_of(kind_of(row.kind, row.record))


def _rule(row: Row, name: str) -> FieldRule:
    return _rules(row).get(name, rule_for(row.kind, name))


def numbered(items: list[Item]) -> tuple[Item, ...]:
    """Return the items and their files with numbers, in the order given. All that is excluded is removed
    before, so there is no gap (EXP-09)."""
    files = count(1)
    return tuple(
        msgspec.structs.replace(item, item=f"item-{number}", attachment=_named(item.attachment, files))
        for number, item in enumerate(items, 1)
    )


def _named(attachment: Attachment | None, files: Iterator[int]) -> Attachment | None:
    """Return a file under a neutral name of its own."""
    if attachment is None:
        return None
    return msgspec.structs.replace(attachment, name=f"attachment-{next(files)}{_ending(attachment.media_type)}")


def with_decisions(items: tuple[Item, ...], before: tuple[Item, ...]) -> tuple[Item, ...]:
    """Keep what a person has decided on items that are still the same; what has changed waits again."""
    decided = {item.digest: item for item in before if item.needs_review and item.digest}
    kept = []
    for item in items:
        old = decided.get(item.digest) if item.needs_review else None
        said = {} if old is None else {"status": old.status, "text": old.text, "code": old.code, "withholds": old.withholds}
        kept.append(msgspec.structs.replace(item, **said))
    return tuple(kept)


def _digest(item: Item, row: Row) -> str:
    """Return a digest of what a decision is about: the row, all that is disclosed of it, and that it may be
    somebody else's. Of a file it is the version of its row, since nobody reads it here."""
    version = row.record.etag if item.attachment is not None else ""
    doubt = ("doubtful",) if item.is_doubtful else ()
    told = (item.source, item.title, item.fields, item.proposal, item.withholds, item.attachment, version, *doubt)
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def _ending(media_type: str) -> str:
    return mimetypes.guess_extension(media_type.partition(";")[0].strip(), strict=False) or ".bin"
