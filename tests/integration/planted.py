"""Words planted in every text column and every file of rows: each stands nowhere else, so that it tells
whether a place was found, and whether anything of it is left."""

from __future__ import annotations

import base64
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

from connectors.emulator.serving.server import RunningEmulator
from tests.drivers.organisation import Organisation

LOCATION = "sharepointdocumentlocation"
UNPLANTED = {"documentbody", "body", "objecttypecode", "mimetype"}


class Planted(Organisation):
    """An organisation, and the words that were planted in it: where each is, by word."""

    def __init__(self, emulator: RunningEmulator) -> None:
        super().__init__(emulator, seed=3)
        self.tables = emulator.emulator.tables.environment.tables
        self.words: dict[str, str] = {}

    def set_of(self, table: str) -> str:
        return self.tables[table].set_name

    def make(self, table: str, **columns: Any) -> str:
        """Create a row; `NAME__bind` binds a lookup."""
        return self.create(
            self.set_of(table), self.tables[table].key, **{name.replace("__", "@odata."): value for name, value in columns.items()}
        )

    def at(self, table: str, row: str) -> str:
        """The address to which a lookup is bound."""
        return f"/{self.set_of(table)}({row})"

    def change(self, table: str, row: str, **columns: Any) -> None:
        self.patch(self.set_of(table), row, **columns)

    def pair(self, one: tuple[str, str], relationship: str, other: tuple[str, str]) -> None:
        to = {"@odata.id": self.emulator.url.rstrip("/") + self.at(*other)}
        answer = self.http.post(f"{self.emulator.url}{self.at(*one)[1:]}/{relationship}/$ref", json=to)
        assert answer.status_code == 204, answer.text

    def word(self, place: str) -> str:
        word = f"woord{len(self.words):03}"
        self.words[word] = place
        return word

    def texts(self, table: str, *but: str) -> dict[str, str]:
        """A word for every text column that a caller may write."""
        free = [
            each for each in self.tables[table].columns.values() if each.kind in ("string", "memo") and each.writable and not each.system
        ]
        return {each.name: self.word(f"{table}.{each.name}") for each in free if each.length >= 12 and each.name not in {*but, *UNPLANTED}}

    def file(self, table: str, row: str, column: str) -> None:
        """Fill a column of files with a text, or of images with a picture, that has a word."""
        word = self.word(f"{table}.{column}")
        if self.tables[table].columns[column].kind == "image":
            self.change(table, row, **{column: base64.b64encode(picture(word)).decode()})
            return
        headers = {"x-ms-file-name": "verslag.txt", "Content-Type": "application/octet-stream"}
        address = f"{self.emulator.url}{self.set_of(table)}({row})/{column}"
        self.http.patch(address, data=f"Verslag met {word}.".encode(), headers=headers).raise_for_status()

    def note(self, table: str, row: str) -> None:
        """Attach a text to a row."""
        file = base64.b64encode(f"Bijlage met {self.word(f'annotation of {table}')}.".encode()).decode()
        on: dict[str, Any] = {f"objectid_{table}__bind": self.at(table, row), "isdocument": True, "mimetype": "text/plain"}
        self.make("annotation", documentbody=file, **on, **self.texts("annotation"))

    def location(self, folder: str, below: tuple[str, str], of: tuple[str, str] | None = None) -> str:
        """Record that documents are in a folder below a site or another location, of a row where there is
        one."""
        bound = {f"parentsiteorlocation_{below[0]}__bind": self.at(*below)}
        if of is not None:
            bound[f"regardingobjectid_{of[0]}_{LOCATION}__bind"] = self.at(*of)
        return self.make(LOCATION, name=folder, relativeurl=folder, **bound)

    def person(self, first: str, last: str, **more: Any) -> str:
        return self.make("contact", firstname=first, lastname=f"{last} (fictief)", **more)

    def connect(self, role: str, of: tuple[str, str], person: str, **more: str) -> None:
        """Connect a person to a row in a role, by its id."""
        ends = {f"record1id_{of[0]}__bind": self.at(*of), "record2id_contact__bind": self.at("contact", person)}
        self.make("connection", record2roleid__bind=self.at("connectionrole", role), **ends, **more)


def picture(word: str) -> bytes:
    """A picture of one point that has a word in a comment."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    comment, point = chunk(b"tEXt", b"Comment\0" + word.encode()), chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + comment + point + chunk(b"IEND", b"")


def left_of(words: dict[str, str], file: Path) -> dict[str, str]:
    """The words that anything in the CRM still holds, audit and bin among it."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        text = "".join(str(database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names)
    return {word: place for word, place in words.items() if word in text}
