"""What a release asks of the desk: an answer as files, looked at a last time, and put aside."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from jobs.model.answer import Compilation
from rules.errors import Refused
from rules.hints import Hint


class Unchecked(Refused):
    """No program can tell what is in a file to attach, and nobody has stated that they looked at it."""

    code = "unchecked"


class LeakFound(Refused):
    """A file of the package holds what must not be sent out: `file` names it, `item` the item of the review
    that brings it in, where it is one; `found` are the kinds of what it holds. `is_near`: what was found may
    be no name at all."""

    code = "needle"

    def __init__(self, file: str, found: Sequence[str], item: str = "", *, is_near: bool = False, hint: str | Hint = "") -> None:
        what = f"{file} holds what must not be told: {', '.join(found)}"
        super().__init__(f"{item} in {what}" if item else what, where=f"{file} {item}".strip(), hint=hint)
        self.file, self.found, self.item, self.is_near = file, tuple(found), item, is_near


class Outbox(Protocol):
    """Where one answer leaves from. `is_held`: passphrase and message stay with the request until somebody
    has passed them on."""

    is_held: bool

    def package(
        self, compilation: Compilation, attachments: Mapping[str, bytes], told: Sequence[str], until: datetime
    ) -> tuple[bytes, str]:
        """Make the encrypted archive of an answer, and the passphrase that opens it. `attachments` holds what
        goes along, by its neutral name, `told` who hears of a decision (art. 19); the link works before
        `until`.

        Raises LeakFound: something in it, or in the message that goes with the link, must not go out;
        Unchecked: a file in it cannot be read, and nobody has said that they looked at it; Refused: with code
        `attachment`, where one is lacking, or another than it was."""

    def message(self, compilation: Compilation, token: str, until: datetime) -> str:
        """Return the message that takes the link to the person."""

    def putting(self, archive: bytes, passphrase: str, message: str) -> AbstractContextManager[None]:
        """Write archive, passphrase and message, as far as files are asked for. They take their names, and
        the passphrase stays, only if the block ends well."""
