"""The data map as a page, a workbook, JSON and in a terminal: names of tables and columns, counts and
reasons; no value of a row."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, BinaryIO

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.parts.spreadsheet import workbook
from crm_compliance.reports.parts.template import template
from rules.model.data_map import DataMap, Fate, MapPlace

COLUMNS = ("table", "column", "path", "rows", "fate", "why", "new")
WIDTHS = (26, 30, 60, 10, 14, 60, 6)
FATES: Mapping[Fate, str] = {
    Fate.UNACCOUNTED: "nothing says what becomes of it",
    Fate.STAYS: "somebody decided that it may stay",
    Fate.MASKED: "overwritten where its row is anonymised in place",
    Fate.GOES_ALONG: "goes with the row that it belongs to, and is not searched",
    Fate.MAPPED: "read, searched, told and deleted by the rules",
    Fate.PLATFORM: "the CRM's own",
}
COUNTED = 5_000  # rows; the CRM counts no further
_BOX, _GAP, _STEP = (212, 34), 12, 282  # of the picture, in pixels
_ROOTS = {"tables.dossier", "tables.contact"}  # as the map says of them, some for a part of their rows only


@dataclass(frozen=True, slots=True)
class Survey:
    """A data map, and the names of what was not there last time."""

    found: DataMap
    new: Collection[str]

    def rows(self) -> list[dict[str, object]]:
        """Return the answer of `datamap --json`."""
        return [
            {
                "table": place.table,
                "column": place.column,
                "path": place.path,
                "rows": place.rows,
                "fate": place.fate.value,
                "why": place.why,
                **({"out_of_scope": place.beyond} if place.beyond != 0 else {}),
                **({"about_nothing": place.loose} if place.loose != 0 else {}),
                **({"in_anonymised": place.in_anonymised} if place.in_anonymised != 0 else {}),
                "new": place.name in self.new,
            }
            for place in self.found.places
        ]


def write_data_map(suffix: str, survey: Survey, out: BinaryIO) -> None:
    """Write a survey to a binary file; nothing is closed here."""
    WRITERS[suffix](survey, out)


def print_data_map(survey: Survey, console: Console) -> None:
    """Print what nothing accounts for, then how much has which fate."""
    paper = Paper(console)
    if survey.found.alarming:
        places = ((Text(place.name, style="red"), place.why, count(place)) for place in survey.found.alarming)
        paper.rows("Unaccounted, and with rows", "Table or column", "Why", "Rows", of=places)
        paper.line("Map them, or name them under `stay` or `goes_along` in the mapping: docs/data-map.md.")
    of = Counter((place.fate, place.column is None) for place in survey.found.places)
    fates = ((fate.value, meaning, of[fate, True], of[fate, False]) for fate, meaning in FATES.items())
    paper.rows("Fates", "Fate", "Meaning", "Tables", "Columns", of=fates, numbers=2)
    if survey.new:
        paper.line(f"New since last time: {', '.join(sorted(survey.new))}")


def count(place: MapPlace) -> str:
    """Return how many rows a place has, in words where the number is not known."""
    if place.rows is None:
        return "not known"
    return f"{COUNTED} or more" if place.rows >= COUNTED else str(place.rows)


def _json(survey: Survey, out: BinaryIO) -> None:
    out.write(json.dumps(survey.rows(), ensure_ascii=False, indent=1).encode() + b"\n")


def _xlsx(survey: Survey, out: BinaryIO) -> None:
    with workbook(out) as book:
        sheet, bold = book.add_worksheet("data map"), book.add_format({"bold": True, "bottom": 1})
        sheet.freeze_panes(1, 0)
        for at, (name, width) in enumerate(zip(COLUMNS, WIDTHS, strict=True)):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, name, bold)
        for line, row in enumerate(survey.rows(), 1):
            for at, name in enumerate(COLUMNS):
                _write_cell(sheet, line, at, row[name])
        sheet.autofilter(0, 0, len(survey.found.places), len(COLUMNS) - 1)


def _write_cell(sheet: Any, line: int, at: int, value: object) -> None:
    if isinstance(value, bool):
        sheet.write_string(line, at, "new" if value else "")
    elif isinstance(value, int):
        sheet.write_number(line, at, value)
    else:
        sheet.write_string(line, at, "" if value is None else str(value))


def _html(survey: Survey, out: BinaryIO) -> None:
    by_table: defaultdict[str, list[MapPlace]] = defaultdict(list)
    for place in survey.found.places:
        if place.column is not None:
            by_table[place.table].append(place)
    page = template("data_map.html.j2").render(
        css=Markup(files("crm_compliance.reports").joinpath("templates/report.css").read_text("utf-8")),  # ours: no value is in it
        tables=sorted(survey.found.tables, key=lambda place: (list(FATES).index(place.fate), place.name)),
        columns=by_table,
        alarming=survey.found.alarming,
        fates=FATES,
        of=Counter(place.fate for place in survey.found.places),
        new=survey.new,
        count=count,
        picture=picture(survey.found),
        Fate=Fate,
    )
    out.write(page.encode())


@dataclass(frozen=True, slots=True)
class Box:
    """One table in the picture, by its upper left corner."""

    place: MapPlace
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The graph of tables: dossiers and people on the left, what leads to them further right."""

    boxes: tuple[Box, ...]
    lines: tuple[tuple[int, int, int, int, str], ...]  # from, to, and what is said of the relationship
    width: int
    height: int
    box: tuple[int, int] = _BOX


def picture(found: DataMap) -> Picture:
    """Lay out the tables that are mapped or have rows; those of the platform are left out."""
    shown = {place.table: place for place in found.tables if place.fate is not Fate.PLATFORM and place.rows != 0}
    steps = _steps(found, shown)
    filled: Counter[int] = Counter()
    boxes: dict[str, Box] = {}
    for name in sorted(shown, key=lambda name: (steps[name], name)):
        step = steps[name]
        boxes[name] = Box(shown[name], step * _STEP, filled[step] * (_BOX[1] + _GAP))
        filled[step] += 1
    lines = []
    for tie in found.ties:
        if tie.child in boxes and tie.parent in boxes and tie.child != tie.parent:
            one, other = boxes[tie.child], boxes[tie.parent]
            if one.x > other.x:
                middle = _BOX[1] // 2
                lines.append((one.x, one.y + middle, other.x + _BOX[0], other.y + middle, f"{tie.child}.{tie.column} > {tie.parent}"))
    width = (max(steps.values(), default=0)) * _STEP + _BOX[0]
    return Picture(tuple(boxes.values()), tuple(lines), width, max(filled.values(), default=0) * (_BOX[1] + _GAP))


def _steps(found: DataMap, shown: Collection[str]) -> dict[str, int]:
    """Return how many relationships away from a unit or person each table is."""
    roots = {place.table for place in found.tables if _ROOTS & {part.partition(" ")[0] for part in place.why.split(", ")}}
    steps = dict.fromkeys(roots & set(shown), 0)
    level = list(steps)
    while level:
        nearer = set(level)
        level = sorted({tie.child for tie in found.ties if tie.parent in nearer and tie.child in shown and tie.child not in steps})
        steps |= dict.fromkeys(level, max(steps.values()) + 1)
    return steps | {name: 0 for name in shown if name not in steps}


WRITERS: dict[str, Callable[[Survey, BinaryIO], None]] = {".html": _html, ".json": _json, ".xlsx": _xlsx}
