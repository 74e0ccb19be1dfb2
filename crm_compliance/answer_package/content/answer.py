"""The content of an answer, in one language and in reading order: made once, shown by the letter and by the
page. Nothing here is markup; the code that shows it takes every string literally (EXP-19)."""

from datetime import date, datetime

import msgspec


class Paragraph(msgspec.Struct, frozen=True, tag_field="type", tag="paragraph"):
    """A text; `phone` is a number in it that a telephone can dial from a page."""

    text: str
    phone: str = ""


class Bullets(msgspec.Struct, frozen=True, tag_field="type", tag="bullets"):
    items: tuple[str, ...]


class Fact(msgspec.Struct, frozen=True):
    """A label with one or more lines; `file` is a file of the package that the line names."""

    label: str
    lines: tuple[str, ...]
    file: str = ""


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


class Group(msgspec.Struct, frozen=True):
    """The items of one context, under its title; `key` is the target of an index, `numbers` are those of its
    items in words."""

    key: str
    title: str
    numbers: str
    entries: tuple[Entry, ...]


class Entries(msgspec.Struct, frozen=True, tag_field="type", tag="entries"):
    """The items of the copy, in one table."""

    columns: tuple[str, str, str]
    groups: tuple[Group, ...]


class Index(msgspec.Struct, frozen=True, tag_field="type", tag="index"):
    """Where each group of items is: numbers, title, and in the letter the page."""

    columns: tuple[str, str, str]
    groups: tuple[Group, ...]


Block = Paragraph | Bullets | Facts | Table | Entries | Index


class Section(msgspec.Struct, frozen=True):
    """A heading, empty where there is none, and what stands below it; `level` 3 is part of the section of
    level 2 before it. An `annex` follows the signature of the letter."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2
    annex: bool = False


class Sender(msgspec.Struct, frozen=True):
    """The organisation that answers, and where its data protection officer is reached, as the retention
    schedule has it. `phone` is the number that children can call, `ask_for` whom they ask for there."""

    name: str
    address: str
    dpo_address: str
    email: str = ""
    phone: str = ""
    ask_for: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """What every letter says of the organisation itself."""
        return (self.name, self.address, self.dpo_address, self.email, self.phone, self.ask_for)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `is_bare`: a neutral answer or a refusal, which is a letter alone (contract 5)."""

    language: str
    region: str = "BE"  # the country in which the language is written
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
    cover_end: str = ""  # what comes after a child's page: in the letter
    cover_end_page: str = ""  # and on the page
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
