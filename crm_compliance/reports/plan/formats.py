"""A stored plan as a file: one writer a suffix. Every writer streams: it reads the lines of the plan page by
page and hands bytes to the file it is given, so that a plan of any size takes little memory. The caller owns
the file, and replaces an old one only when the new one is whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import BinaryIO

import msgspec

from crm_compliance.reports.parts.cells import cells, write_csv_rows
from crm_compliance.reports.parts.endings import ending_of
from crm_compliance.reports.parts.sentences import table_name
from crm_compliance.reports.plan.model import DryRunReport, Link, Parts, build_report
from jobs.model.plan import LINE_COLUMNS, Plan, PlanLine
from rules.dates.calendar import Calendar

CHUNK = 1 << 16
PERSONAL = frozenset({"proposer", "comment"})


@dataclass(frozen=True, slots=True)
class Source:
    """The data available to a writer. `document` is the JSON answer of `plan`; `parts` reads the plan again
    each time it is called."""

    document: Mapping[str, object]
    plan: Plan
    parts: Parts
    now: datetime
    labels: Mapping[str, str]
    link: Link
    calendar: Calendar
    unit_name: Callable[[str], str] = table_name

    def report(self) -> DryRunReport:
        return build_report(
            self.plan, self.parts, now=self.now, labels=self.labels, link=self.link, calendar=self.calendar, unit_name=self.unit_name
        )

    def lines(self) -> Iterator[PlanLine]:
        """Yield the lines of the plan, in its order."""
        for part in self.parts():
            yield from part.lines()


def write_report(suffix: str, source: Source, out: BinaryIO) -> None:
    """Write a plan in the format of `suffix` to a binary file; nothing is closed here. Raises UsageError:
    there is no format for the suffix."""
    FORMATS[ending_of("plan" + suffix, FORMATS)].write(source, out)


def write_jsonl(source: Source, out: BinaryIO) -> None:
    """Write one JSON object a unit: the plan file of the contract, its keys first."""
    encoder = msgspec.json.Encoder()
    for line in source.lines():
        out.write(encoder.encode(line) + b"\n")


def write_json(source: Source, out: BinaryIO) -> None:
    """Write the answer of `plan`, with the lines themselves under `units` and their number under
    `unit_count`, and nobody named."""
    encoder = msgspec.json.Encoder()
    head = nameless(source.document) | {"unit_count": source.plan.units}
    del head["units"]
    out.write(encoder.encode(head)[:-1] + b',"units":[')
    comma = b"\n"
    for line in source.lines():
        out.write(comma + encoder.encode(line))
        comma = b",\n"
    out.write(b"\n]}\n")


def nameless(document: Mapping[str, object]) -> dict[str, object]:
    """Return the answer of `plan` without what names a person: proposer, approvers, their comments, and the
    folders of a user (ACC-04, R-144). Who approved stands in the store and in its history; a file travels.
    Keys of the contract stay, a withheld value is null."""
    shown: dict[str, object] = {"units": None} | {key: value for key, value in document.items() if key not in PERSONAL}
    if isinstance(approvals := shown.get("approvals"), Mapping):
        shown["approvals"] = dict(approvals) | {"given": _roles_only(approvals.get("given"))}
    if "rejected" in shown:
        shown["rejected"] = _roles_only(shown["rejected"])
    if isinstance(files := shown.get("files"), Sequence):
        shown["files"] = [PurePath(str(path)).name for path in files]
    return shown


def _roles_only(words: object) -> list[dict[str, object]]:
    """Return approvals by role and time."""
    found = [word for word in words if isinstance(word, Mapping)] if isinstance(words, Sequence) else []
    return [{"as": None, "role": word.get("role"), "at": word.get("at")} for word in found]


def write_csv(source: Source, out: BinaryIO) -> None:
    """Write comma separated, UTF-8, a unit a line; lists are joined by spaces, no formula (R-124)."""
    write_csv_rows(LINE_COLUMNS, map(cells, source.lines()), out)


def write_xlsx(source: Source, out: BinaryIO) -> None:
    from crm_compliance.reports.plan.workbook import write_workbook  # here, so that other formats do not load the spreadsheet library

    write_workbook(source.report(), source.lines, out)


def write_html(source: Source, out: BinaryIO) -> None:
    from crm_compliance.reports.plan.page import page_pieces  # here, so that other formats do not load templates and charts

    buffer = bytearray()
    for piece in page_pieces(source.report()):
        buffer += piece.encode()
        if len(buffer) >= CHUNK:
            out.write(buffer)
            buffer.clear()
    out.write(buffer)


@dataclass(frozen=True, slots=True)
class Format:
    """A format of report files: their ending, in lower case, what is said of it, and what writes it."""

    suffix: str
    purpose: str
    write: Callable[[Source, BinaryIO], None]


FORMATS: Mapping[str, Format] = {
    each.suffix: each
    for each in (
        Format(".html", "the report, to be read in a browser", write_html),
        Format(".xlsx", "a workbook: every unit on a line, and the totals", write_xlsx),
        Format(".csv", "every unit on a line, for any spreadsheet", write_csv),
        Format(".json", "the answer of `plan --json`, with every unit", write_json),
        Format(".jsonl", "the plan file: one JSON object a unit", write_jsonl),
    )
}
