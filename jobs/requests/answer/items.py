"""The items of an answer: what is disclosed, what a person has to review, and what is withheld.

A person may release what is withheld. Structured fields are redacted by rule. Every free text, image,
document and sound waits for a person (EXP-07). After a running away or an abduction, what RGT-09 names is
withheld by default: the DPO releases it one by one. Source: EXP-01, EXP-05 to EXP-09, EXP-15, RGT-09, RGT-14,
R-096, R-117 to R-119."""

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator
from itertools import count
from types import MappingProxyType
from typing import Final

import msgspec

from jobs.files.file_texts import Checked
from jobs.model.answer import DPO_REVIEW, NOT_THE_PERSON, RECIPIENT, RGT_09, VOICE, Attachment, Field, Item, ItemStatus
from jobs.requests.answer.fields import Fields
from jobs.requests.answer.row_files import RowFiles
from jobs.requests.redaction.redact import TextRedactor
from jobs.requests.search.mentions import NAME_PART
from jobs.requests.search.scope import MENTION, Row
from rules.dates.calendar import Calendar
from rules.model.media_types import ending_of, is_sound, plain_type
from rules.model.personal_records import FullFiche, FullParty
from rules.rights.fields import Nature, fields_of
from rules.rights.recipients import acts_in_criminal_matters
from rules.rights.withholding import CHILD_STATEMENTS, withheld_on_behalf, withheld_recipient, withheld_role
from rules.texts.folding import begin_of, fold, squeeze

_TITLES: Final = MappingProxyType({"bin": "deleted"})
# Of these RGT-09 withholds the texts and what leads to the child, and tells the rest: of a fiche its number
# and its day, not its hour.
_TOLD_IN_PART: Final = frozenset({"contact", "dossier", "party", "fiche"})
# Of the own report these are no secret.
_OF_THE_REPORT: Final = (*fields_of("fiche", Nature.PHONE, Nature.EMAIL), "channel", "language", "reporter_kind")
_AROUND = 200  # characters on either side of a mention, up to the ends of its sentences


class Items:
    """Makes the items of one answer.

    `names` are those of the person. If somebody else is named in a file that is no text, nobody can remove
    the name, so that it is withheld unless a person writes a text in its place. If not all of it can be read,
    it says so and waits for a person's approval of that very file. An e-mail with files in it is told as a
    text, and is a file of its own beside it: nobody may take the text for all there is."""

    def __init__(
        self, redactor: TextRedactor, fields: Fields, files: RowFiles, *, calendar: Calendar, country: str, names: Iterable[str]
    ) -> None:
        self._redactor, self._fields, self._files = redactor, fields, files
        self._calendar, self._country = calendar, country
        self._names = tuple(letters for name in names if (letters := fold(name)))

    def of(self, row: Row, context: str) -> list[Item]:
        """Return the items of one row, without numbers. They are the row itself, a file that belongs to it,
        and what RGT-09 separates."""
        fields = tuple(self._fields.of(row))
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
        for attachment in self._files.of(row):
            told_as_text = self._files.text_of(row, attachment)
            is_redacted = False
            if told_as_text is not None:
                made.append(self._text_file(row, context, attachment.field, told_as_text.text))
                is_redacted = bool(made[-1].redactions)
            if told_as_text is not None and told_as_text.is_whole:
                continue
            if (checked := self._files.checked(attachment)) is not None:  # one that is empty could never go out
                made.append(self._file(row, context, attachment, checked, is_redacted=is_redacted))
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
        fields = self._fields.about_recipient(row)
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

    def _text_file(self, row: Row, context: str, field: str, text: str) -> Item:
        """Return a file that is a text as one: what it says, redacted, once a person has read it."""
        texts = (Field(field, text, is_text=True),)
        return self._with_text(row, self._item(row, context, texts, "attachment"), texts)

    def _file(self, row: Row, context: str, attachment: Attachment, checked: Checked, *, is_redacted: bool) -> Item:
        """Return an item for the file alone. A voice is withheld: the transcript represents it, and a session
        to listen to it is offered, unless it is the voice of somebody else who called (R-119). A file that is
        told as a text too (`is_redacted`) still holds what was redacted there, and is withheld for it."""
        is_audio = is_sound(attachment.media_type)
        withholds = "voice" if is_audio and (row.is_others_call or not self._files.wants_audio) else ""
        if row.is_limited:
            withholds = withheld_on_behalf(row.kind, attachment.field) or "text"
        elif not withholds and (checked.tells_of_others or is_redacted):
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


def _ending(media_type: str) -> str:
    return ending_of(media_type) or mimetypes.guess_extension(plain_type(media_type), strict=False) or ".bin"
