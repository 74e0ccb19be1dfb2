"""What an answer says, in one language and in the order of reading: made once, shown by the letter and by the page.

Nothing here is markup; whoever shows it takes every string for what it is (EXP-19).
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Paragraph(msgspec.Struct, frozen=True, tag_field="type", tag="paragraph"):
    text: str


class Bullets(msgspec.Struct, frozen=True, tag_field="type", tag="bullets"):
    items: tuple[str, ...]


class Fact(msgspec.Struct, frozen=True):
    """A label with one or more lines."""

    label: str
    lines: tuple[str, ...]


class Facts(msgspec.Struct, frozen=True, tag_field="type", tag="facts"):
    facts: tuple[Fact, ...]


class Table(msgspec.Struct, frozen=True, tag_field="type", tag="table"):
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Entry(msgspec.Struct, frozen=True):
    """One item of the copy: its number, what it is, when it was, and what it says."""

    number: str
    what: str
    at: str
    facts: tuple[Fact, ...]


class Entries(msgspec.Struct, frozen=True, tag_field="type", tag="entries"):
    """The items of one context."""

    columns: tuple[str, str, str]
    entries: tuple[Entry, ...]


Block = Paragraph | Bullets | Facts | Table | Entries


class Section(msgspec.Struct, frozen=True):
    """A heading, empty where there is none, and what stands below it; `level` 3 is part of the section of level 2 before it.

    An `annex` follows the signature of the letter.
    """

    title: str
    blocks: tuple[Block, ...]
    level: int = 2
    annex: bool = False


class Sender(msgspec.Struct, frozen=True):
    """The organisation that answers, and where its data protection officer is reached, as the retention schedule has it."""

    name: str
    address: str
    dpo_address: str
    email: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `is_bare`: a neutral answer or a refusal, which is a letter and nothing else (contract 5)."""

    language: str
    title: str
    subject: str
    sender: Sender
    addressee: str
    on: date
    on_text: str
    reference: str
    labels: dict[str, str]
    salutation: str
    cover: Section | None
    sections: tuple[Section, ...]
    closing: str
    signature: tuple[str, ...]
    contact: str
    scope: str
    page: str
    is_bare: bool
    notice: str = ""
    transcribed: str = ""
    generated_at: datetime
