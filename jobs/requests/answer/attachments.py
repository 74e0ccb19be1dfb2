"""The files of one answer, as far as they can be read when it is compiled. Texts are shown as texts, every
other file is searched for other people, and what cannot be read is reported. Source: EXP-06, EXP-07, R-118,
R-119."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from connectors.interface.rows import Content
from jobs.files.file_texts import Checked, is_text_file, reading_of, text_in
from jobs.files.limits import Unread
from jobs.files.result import Told
from jobs.model.answer import Attachment, Compilation, ItemStatus
from jobs.ports.context import JobContext
from jobs.requests.search.documents import content_of, is_outside
from jobs.requests.search.scope import Row
from rules.model.kinds import kind_of
from rules.model.personal_records import FullNote
from rules.model.records import Record
from rules.redaction.leak_terms import LeakTerms
from rules.rights.fields import FIELDS

Place: TypeAlias = tuple[str, str, str]  # kind, id and field


class Files:
    """Fetches files, one at a time; of texts it keeps what they say, until the answer is made."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._texts: dict[Place, Told | None] = {}
        self._types: dict[Place, str | None] = {}  # of what was fetched

    def text_of(self, kind: str, row: Record, field: str) -> Told | None:
        """Return what a file of a row says, if it is a text: a note's by its name too, any other by what the
        CRM says that it is. Raises ConnectorError: it cannot be read whole."""
        place = (kind, row.id, field)
        if place not in self._texts:
            self._texts[place] = self._text_in(place, row)
        return self._texts[place]

    def type_of(self, kind: str, row: str, field: str) -> str | None:
        """Return what the CRM says that a file is, empty where it says nothing; None where there is no file.
        Raises as `text_of`."""
        if (kind, row, field) not in self._types:
            self._content(kind, row, field)
        return self._types[kind, row, field]

    def texts_of(self, rows: Iterable[Row]) -> Iterator[str]:
        """Yield what the files of these rows say, of those that are texts. Raises as `text_of`."""
        for row in rows:
            is_note = isinstance(row.record, FullNote)
            if row.place or (row.kind in FIELDS and not is_note) or (isinstance(row.record, FullNote) and not row.record.is_document):
                continue
            for field in kind_of(row.kind, row.record).contents:
                if (told := self.text_of(row.kind, row.record, field)) is not None:
                    yield told.text

    def checked(self, attachment: Attachment, leak_terms: LeakTerms) -> Checked | None:
        """Return whether somebody else is named in a file, and why not all of it can be read, if so; None
        where a row that says it has a file holds nothing. The sound of a recording is not fetched: only a
        person can know what is said in it. Raises ConnectorError: it cannot be fetched whole."""
        if attachment.kind == "recording":
            return Checked()
        found = self._content(attachment.kind, attachment.id, attachment.field)
        if found is None:  # a notebook or a shortcut has no content of its own that anybody could look into
            return Checked(tells_of_others=True, unread=Unread.UNKNOWN.value) if is_outside(attachment.id) else None
        reading = reading_of(found.body, attachment.media_type)
        tells_of_others = any(leak_terms.found_in(text) or leak_terms.are_nearly_in(text) for text in reading.texts)
        return Checked(tells_of_others=tells_of_others, unread=reading.why, sha256=hashlib.sha256(found.body).hexdigest())

    def _text_in(self, place: Place, row: Record) -> Told | None:
        name = media_type = ""
        if isinstance(row, FullNote):
            name, media_type = row.file_name or "", row.media_type or ""
            if not is_text_file(media_type, name):
                return None
        found = self._content(*place)
        media_type = media_type or (found.media_type if found is not None else "")
        return None if found is None or not is_text_file(media_type, name) else text_in(found.body, media_type, name)

    def _content(self, kind: str, row: str, field: str) -> Content | None:
        found = content_of(self._context, kind, row, field)
        self._types[kind, row, field] = found.media_type if found is not None else None
        return found


class Attachments(Mapping[str, bytes]):
    """The files of an answer by neutral name. Each is fetched when it is asked for, and not kept: together
    they may be larger than the memory."""

    def __init__(self, context: JobContext, attachments: Iterable[Attachment]) -> None:
        self._context = context
        self._attachments = {each.name: each for each in attachments}

    def __getitem__(self, name: str) -> bytes:
        """Raises KeyError: there is none, or no longer; ConnectorError: it cannot be fetched whole."""
        attachment = self._attachments[name]
        found = content_of(self._context, attachment.kind, attachment.id, attachment.field)
        if found is None:
            raise KeyError(name)
        return found.body

    def __iter__(self) -> Iterator[str]:
        return iter(self._attachments)

    def __len__(self) -> int:
        return len(self._attachments)


def attachments_of(context: JobContext, compilation: Compilation, *, working_copy: bool = False) -> Attachments:
    """Return the attachments; the package detects one that no longer exists. A working copy has also what
    waits: a person has to look at it (EXP-07)."""
    waiting = [item.attachment for item in compilation.items if working_copy and item.status is ItemStatus.PENDING_REVIEW]
    told = [item.shown_attachment for item in compilation.items]
    return Attachments(context, (each for each in (*told, *waiting) if each is not None))
