"""The seam of the channels: what is told, in words that hold nobody's data, and what a channel answers to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec

from rules.errors import ComplianceError


class ChannelFailed(ComplianceError):
    """A channel does not take what it was given. The message says how far it came, never with an address, a
    password or an answer of the other side; `code` is stable."""

    exit_code = 6
    code = "channel"


class TakenInPart(ChannelFailed):
    """Some of those whom a notice was for have it, and the others never will: it is not sent again."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits, as it is told: a sentence in the notice's language, and the same for machines.

    `key` is the same each time the thing is told. `why` says what its code means, where that has words;
    `subject` is an opaque id of ours, or a job; `href` the full address of the page where it is seen to."""

    key: str
    text: str
    kind: str
    stage: str
    href: str
    code: str = ""
    why: str = ""
    subject: str = ""
    count: int | None = None
    due_on: date | None = None
    since: datetime | None = None
    roles: tuple[str, ...] = ()
    is_repeat: bool = False


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is told at once. `id` is the same where the same is sent again for want of an answer; `more` is
    how many lines were left out, so that a message has an end; `lead` and `foot` stand around the lines,
    `address` is that of the console."""

    id: str
    at: datetime
    language: str
    title: str
    lead: str
    foot: str
    address: str
    lines: tuple[Line, ...] = ()
    more: int = 0
    more_text: str = ""
    is_test: bool = False


class Channel(Protocol):
    """A way to tell people. Each method raises ChannelFailed."""

    name: str

    def send(self, notice: Notice, to: Sequence[str] = ()) -> None:
        """Send one notice, to these addresses where the channel has several; return once the other side has
        taken it."""

    def check(self) -> str:
        """Go as far as is possible without anybody hearing of it, and say how far that was."""
