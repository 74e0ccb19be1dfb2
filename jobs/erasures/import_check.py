"""Looks through a file about to be imported for rows that had been erased, by table and id alone (ERA-13).
Nothing else of the file is looked at, and nothing of it is repeated but line numbers and names of tables."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from jobs.erasures.register import Register
from jobs.model.run import WRITTEN_OFF
from rules.decoders import decoder_of
from rules.errors import UsageError
from rules.model.row_ids import row_id

TABLE = re.compile(r"[a-z][a-z0-9_]{0,127}")
HINT = 'one row a line: {"table": "contact", "id": "…"}, or comma separated with the columns table and id'


class Incoming(NamedTuple):
    """One row that a file would import; `line` counts from 1."""

    line: int
    table: str
    id: str


class Found(msgspec.Struct, frozen=True):
    """What was found: how many rows the file has, which lines would bring an erased row back, and how many
    rows are of tables of which nothing was ever erased (a misspelt name, for one, is among them)."""

    rows: int
    erased: tuple[tuple[int, str], ...]  # (line, table)
    other_tables: dict[str, int]


class _Row(msgspec.Struct):
    table: str
    id: str


def look_through(rows: Iterable[Incoming], register: Register, references: Callable[[str, str], Collection[str]]) -> Found:
    """Look every row up in the register."""
    number = 0
    erased: list[tuple[int, str]] = []
    others: Counter[str] = Counter()
    for row in rows:
        number += 1
        if row.table not in register.tables:
            others[row.table] += 1
            continue
        found = register.find(references(row.table, row.id))
        # A trimmed contact is still there, and may be filled in for a reason of its own.
        if found is not None and found.operation in WRITTEN_OFF:
            erased.append((row.line, row.table))
    return Found(number, tuple(erased), dict(sorted(others.items())))


def incoming_rows(lines: Iterable[bytes], where: str) -> Iterator[Incoming]:
    """Yield the rows of a file in one of three forms, recognised by its first line. The forms are JSON Lines,
    comma separated (or with ; or tabs) with a header that names the columns table and id, or a bare list of
    table and id. Raises UsageError: a line that has none of these forms, which `where` names, or none at
    all."""
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        if line.strip(b"\xef\xbb\xbf \t\r\n"):
            rest = chain([(number, line.removeprefix(b"\xef\xbb\xbf"))], numbered)
            is_json = line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{")
            yield from _json_rows(rest, where) if is_json else _separated_rows(rest, where, number)
            return
    raise UsageError("there is nothing in it", hint=HINT, where=where)


def _json_rows(lines: Iterable[tuple[int, bytes]], where: str) -> Iterator[Incoming]:
    decode = decoder_of(_Row).decode
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = decode(line)
        except (msgspec.MsgspecError, UnicodeError):  # their messages may quote the line
            raise _bad(where, number, "this is not a JSON object with the texts table and id") from None
        yield _incoming(number, row.table, row.id, where)


def _separated_rows(lines: Iterable[tuple[int, bytes]], where: str, first: int) -> Iterator[Incoming]:
    numbers = first - 1

    def decoded() -> Iterator[str]:
        nonlocal numbers
        for number, line in lines:
            numbers = number
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                raise _bad(where, number, "this is not UTF-8") from None

    text = decoded()
    head = next(text)
    delimiter = next((each for each in (",", ";", "\t") if each in head), ",")
    reader = csv.reader(chain([head], text), delimiter=delimiter, strict=True)
    columns: tuple[int, int] | None = None
    start = first
    try:
        for cells in reader:
            at, start = start, numbers + 1
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells)
                if columns is not None:
                    continue
                columns = (0, 1)
                if len(cells) != 2:
                    raise _bad(where, at, "the first line neither names the columns table and id nor is a table and an id")
            if len(cells) <= max(columns):
                raise _bad(where, at, "a column is missing")
            yield _incoming(at, cells[columns[0]].strip(), cells[columns[1]], where)
    except csv.Error:
        raise _bad(where, start, "this is not comma separated text") from None


def _columns(cells: Sequence[str]) -> tuple[int, int] | None:
    names = [cell.strip().lower() for cell in cells]
    return (names.index("table"), names.index("id")) if "table" in names and "id" in names else None


def _incoming(line: int, table: str, row: str, where: str) -> Incoming:
    if not TABLE.fullmatch(table):
        raise _bad(where, line, "this is not the logical name of a table")
    if (identity := row_id(row)) is None:
        raise _bad(where, line, "this is not a row id (GUID)")
    return Incoming(line, table, identity)


def _bad(where: str, line: int, what: str) -> UsageError:
    return UsageError(f"line {line}: {what}", hint=HINT, where=f"{where}:{line}")
