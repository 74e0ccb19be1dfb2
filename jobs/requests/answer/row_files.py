"""The files of rows: which there are, and what was found in each."""

from collections.abc import Callable, Iterator

from jobs.files.file_texts import Checked
from jobs.files.result import Told
from jobs.model.answer import Attachment
from jobs.requests.answer.fields import Extent
from jobs.requests.search.scope import Row
from rules.model.kinds import kind_of
from rules.model.media_types import type_by_name
from rules.model.personal_records import FullNote, FullRecording
from rules.model.records import Record
from rules.rights.fields import FIELDS


class RowFiles:
    """Finds the files that rows of one answer have.

    `media_type` says what a column of a row holds as a file, None for nothing. `text_of` gives what the file
    in a column of a row says, if it is a text; None for every other file. `checked` looks into such a file;
    None where it is empty."""

    def __init__(
        self,
        extent: Extent,
        media_type: Callable[[str, str, str], str | None],
        text_of: Callable[[str, Record, str], Told | None],
        checked: Callable[[Attachment], Checked | None],
    ) -> None:
        self._extent, self._media_type, self._text_of, self.checked = extent, media_type, text_of, checked
        self.wants_audio = extent.wants_audio

    def of(self, row: Row) -> Iterator[Attachment]:
        """Yield the files that a row holds or names; whether one that it names exists is found out when it is
        fetched."""
        if row.place or self._extent.only_provided:
            return
        contents = kind_of(row.kind, row.record).contents
        if row.kind not in FIELDS:
            for name in contents:
                if held := self._media_type(row.kind, row.id, name):
                    yield Attachment(row.kind, row.id, name, held, "")
            return
        media_type = ""
        if isinstance(row.record, FullNote) and row.record.is_document:
            media_type = type_by_name(row.record.media_type, row.record.file_name)
        elif isinstance(row.record, FullRecording) and row.record.channel != "chat":
            media_type = "audio/mpeg"
        elif row.kind == "contact" and self._extent.whole_contact:
            media_type = self._media_type(row.kind, row.id, "picture") or ""
        if media_type:
            yield Attachment(row.kind, row.id, contents[0], media_type, "")

    def text_of(self, row: Row, attachment: Attachment) -> Told | None:
        """Return what a file of a row says, if it is a text."""
        is_told = isinstance(row.record, FullNote) or row.kind not in FIELDS
        return self._text_of(row.kind, row.record, attachment.field) if is_told else None
