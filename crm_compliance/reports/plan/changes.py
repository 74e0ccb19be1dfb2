"""What two plans say differently, as a person reads it: on a screen, as a page, for a spreadsheet. Codes,
dates and ids only: no name, number, text or role of a person (ACC-04, R-144)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import islice
from typing import BinaryIO, Final

import msgspec
from rich.console import Console

from crm_compliance.hints import in_words
from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.parts.spreadsheet import Cell, Column, Linked, write_csv, write_xlsx
from crm_compliance.reports.plan.headings import WORDS, heading, sheet_name
from crm_compliance.reports.plan.lines_file import WIDTH, WIDTHS, InWords, cells_of, columns_of
from crm_compliance.reports.plan.model import Link
from jobs.model.plan import Plan, PlanLine
from jobs.plans.lines.compare import ADDED, CHANGED, REMOVED, Change, Comparison
from rules.hints import hint_to
from rules.model.languages import Language

COUNTS: Final = (ADDED, REMOVED, CHANGED, "unchanged")
SHOWN: Final = 20  # on a screen
ON_A_PAGE: Final = 10_000  # more make a browser slow; a spreadsheet has them all
_SIDES: Final = ("outcome", "disposition", "retention_end", "reason", "reasons", "flags", "categories", "rule")


@dataclass(frozen=True, slots=True)
class Difference:
    """A comparison with what its writers need: addresses in the CRM, the moment, and the language of
    headings and reasons; without one, headings are names of columns and reasons are English. With `words`
    each column of codes of a file has one beside it that says them."""

    found: Comparison
    link: Link
    now: datetime
    language: Language | None = None
    words: InWords | None = None

    @property
    def plans(self) -> tuple[Plan, Plan]:
        return self.found.before.plan, self.found.after.plan

    def why(self, change: Change) -> str:
        return why_changed(change, self.language or "en")


def difference_document(found: Comparison) -> dict[str, object]:
    """Return the answer of `plans diff`: a number for each of COUNTS, the kinds of both plans, and of each
    change both lines as the plan file has them, what differs, and that in words."""
    lines = [
        {
            "table": each.table,
            "id": each.id,
            "change": each.change,
            "before": msgspec.to_builtins(each.before),
            "after": msgspec.to_builtins(each.after),
            "differs": each.differs,
            "why": why_changed(each, "en"),
        }
        for each in found.changes()
    ]
    kinds = {"kinds": [found.before.plan.kind.value, found.after.plan.kind.value]}
    return {name: getattr(found, name) for name in COUNTS} | kinds | {"lines": lines}


def why_changed(change: Change, language: Language) -> str:
    """Return what is different, in one sentence: what becomes of the unit first, then why and when."""
    words = WORDS[language]
    before, after = change.before, change.after
    if before is None or after is None:
        line = after or before
        assert line is not None
        return f"{words['new here' if before is None else 'not here']}: {words[fate(line)]}, {line.reason}"
    told = []
    if fate(before) != fate(after):
        told.append(f"{words[fate(after)]} {words['instead of']} {words[fate(before)]}")
    passed = {"outcome", "disposition", *(("reasons",) if "reason" in change.differs else ())}
    told += [
        f"{words[name]} {_value(after, name, words)} {words['instead of']} {_value(before, name, words)}"
        for name in change.differs
        if name not in passed
    ]
    return "; ".join(told)


def fate(line: PlanLine) -> str:
    """Return how a line disposes of its unit, `retain` where it does not."""
    return line.disposition or "delete" if line.is_disposal else "retain"


def _value(line: PlanLine, name: str, words: Mapping[str, str]) -> str:
    value = getattr(line, name)
    return (" ".join(value) if isinstance(value, tuple) else value) or words["none"]


def since_document(found: Comparison) -> dict[str, object]:
    """Return what `plan` says of the plan before it: which that is, and a number for each of COUNTS."""
    return {"plan": found.before.plan.id} | {name: getattr(found, name) for name in COUNTS}


def print_since(found: Comparison, console: Console) -> None:
    """Print how a new plan differs from the one before it, and how to see each change."""
    paper = Paper(console)
    before, after = found.before.plan.id, found.after.plan.id
    if not found.places.height:
        paper.line(f"Nothing has changed since {before}.")
        return
    numbers = ", ".join(f"{paper.number(getattr(found, name))} {name}" for name in COUNTS)
    paper.line(f"Since {before}: {numbers}; {in_words(hint_to('diff_plans', before=before, after=after))}")


def print_difference(difference: Difference, console: Console) -> None:
    """Print the numbers and the first changes."""
    found, paper = difference.found, Paper(console)
    before, after = difference.plans
    paper.heading(f"From {before.id} to {after.id}")
    numbers = (f"{paper.number(getattr(found, name))} {name}" for name in COUNTS)
    paper.line(f"{', '.join(numbers)}.")
    if before.kind is not after.kind:
        paper.line(
            f"The first is of kind {before.kind}, the second of {after.kind}: units that only one of them looks at are added or removed."
        )
    rows = ((f"{each.table} {each.id}", each.change, difference.why(each)) for each in islice(found.changes(), SHOWN))
    paper.rows("What changed", "Unit", "Change", "Why", of=rows, numbers=0)
    if found.places.height > SHOWN:
        paper.line(f"and {paper.number(found.places.height - SHOWN)} more: --json, or --output with a file, has them all.")


def write_difference(suffix: str, difference: Difference, out: BinaryIO) -> None:
    """Write every change to a binary file in the format of FORMATS; nothing is closed here."""
    FORMATS[suffix](difference, out)


def _html(difference: Difference, out: BinaryIO) -> None:
    from markupsafe import Markup

    from crm_compliance.reports.parts.template import template  # where a page is asked for: every plan loads this module

    language: Language = difference.language or "en"
    before, after = difference.plans
    pieces = template("plan_changes.html.j2").generate(
        css=Markup(files("crm_compliance.reports").joinpath("templates/report.css").read_text("utf-8")),  # ours: no value is in it
        language=language,
        words=WORDS[language],
        before=before,
        after=after,
        counts=[(name, getattr(difference.found, name)) for name in COUNTS],
        changes=islice(difference.found.changes(), ON_A_PAGE),
        more=max(0, difference.found.places.height - ON_A_PAGE),
        why=difference.why,
        address=lambda change: safe_link(difference.link(change.table, change.id)),
    )
    for piece in pieces:
        out.write(piece.encode())


def _rows(difference: Difference) -> Iterator[list[Cell]]:
    for each in difference.found.changes():
        address = safe_link(difference.link(each.table, each.id))
        table = cells_of(each.after or each.before, "table", difference.words)
        sides = [cell for name in _SIDES for line in (each.before, each.after) for cell in cells_of(line, name, difference.words)]
        change = each.change if difference.language is None else WORDS[difference.language][each.change]
        yield [*table, Linked(each.id, address), change, difference.why(each), *sides]


def _columns(difference: Difference) -> list[Column]:
    language, words = difference.language, difference.words
    columns = [*columns_of("table", heading("table", language), language, words)]
    columns += [Column(heading(name, language), WIDTHS.get(name, WIDTH)) for name in ("id", "change")]
    columns.append(Column(heading("why", language), 60))
    for name in _SIDES:
        for side in ("before", "after"):
            said = f"{side}_{name}" if language is None else f"{heading(name, language)}, {heading(side, language)}"
            columns += columns_of(name, said, language, words)
    return columns


def _csv(difference: Difference, out: BinaryIO) -> None:
    """Write text alone: the address of each row stands in a column of its own, the last."""
    columns = [*_columns(difference), Column(heading("link", difference.language), WIDTH)]
    rows = ([*row, next((cell.address for cell in row if isinstance(cell, Linked)), "")] for row in _rows(difference))
    write_csv(columns, rows, out)


def _xlsx(difference: Difference, out: BinaryIO) -> None:
    before, after = difference.plans
    write_xlsx(
        f"From {before.id} to {after.id}",
        sheet_name(difference.language),
        difference.now,
        _columns(difference),
        _rows(difference),
        out,
    )


FORMATS: Mapping[str, Callable[[Difference, BinaryIO], None]] = {".csv": _csv, ".xlsx": _xlsx, ".html": _html}
