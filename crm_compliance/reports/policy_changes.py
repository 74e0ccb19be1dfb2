"""What a change of the retention schedule means: the differences in words, and what it would do to the
existing units. No name, number, text or role of a person can reach these reports: a simulation knows tables,
ids, dates and codes only (ACC-04)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import msgspec
from rich.console import Console
from rich.text import Text

from crm_compliance.reports.parts.cells import write_csv_rows
from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.plan.model import Link
from jobs.plans.questions.simulate import CHANGES, DISPOSITION, END_MOVES, REASON, WOULD_GO, WOULD_STAY, ChangedUnit, Simulation
from rules.policy.diff import Change, Direction
from rules.policy.policy import Policy
from rules.retention.forecast import month_of

SUFFIXES = (".csv", ".jsonl")
COLUMNS = ("table", "id", "change", "old_outcome", "old_disposition", "old_end", "old_reason", "old_categories")
NEW_COLUMNS = tuple(column.replace("old_", "new_") for column in COLUMNS[3:])

DIRECTIONS: Mapping[Direction, tuple[str, str]] = {
    Direction.EARLIER: ("erases EARLIER", "bold red"),
    Direction.LATER: ("keeps longer", "green"),
    Direction.UNCLEAR: ("depends on the unit", "yellow"),
    Direction.NONE: ("no end moves", "dim"),
}
WORDS: Mapping[str, str] = {
    WOULD_GO: "kept now, would go",
    WOULD_STAY: "goes now, would stay",
    DISPOSITION: "deleted instead of anonymised, or the other way round",
    END_MOVES: "another retention end",
    REASON: "kept for another reason",
}
HEADINGS: Mapping[str, str] = {
    WOULD_GO: "Would go",
    WOULD_STAY: "Would stay",
    DISPOSITION: "Other way",
    END_MOVES: "End moves",
    REASON: "Reason",
}
MONTHS_SHOWN = 12


def print_changes(old: Policy, new: Policy, changes: Sequence[Change], console: Console) -> None:
    """Print the differences, those that erase earlier first, where the eye begins."""
    paper = Paper(console)
    paper.heading(f"From {old.name} {old.version} to {new.name} {new.version}")
    if not changes:
        paper.line("The two say the same.")
        return
    _one_version(paper, old, new)
    for direction, (title, style) in DIRECTIONS.items():
        found = [change for change in changes if change.direction is direction]
        if not found:
            continue
        paper.line()
        paper.line(Text(f"{title} ({len(found)})", style=style))
        for change in found:
            paper.line(Text.assemble("- ", change.sentence, (f"  [{change.where}]", "dim")))


def _one_version(paper: Paper, old: Policy, new: Policy) -> None:
    if (old.name, old.version) == (new.name, new.version) and old.digest != new.digest:
        told = f"Both are version {new.version} of {new.name}: raise the version of the changed one, since plans and certificates name it."
        paper.line(Text(told, style="yellow"))


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    counts: Mapping[str, int]


def print_simulation(found: Simulation, labels: Mapping[str, str], console: Console) -> None:
    """Print what would change, by category and month, and how many units go in each of the next months under
    both schedules."""
    paper = Paper(console)
    paper.heading(f"Simulation of {found.day}: {found.old.version} against {found.new.version}")
    paper.line(f"Schedule in force: {found.old.name} {found.old.version}. Tried out: {found.new.name} {found.new.version}.")
    _one_version(paper, found.old, found.new)
    paper.line(f"{paper.number(found.units)} units read; nothing was written, neither to the CRM nor to the store.")
    paper.rows("What would change", "Change", "Units", of=((WORDS[change], found.totals[change]) for change in CHANGES))
    limits, rows = found.new.limits, []
    for name, (before, after), limit in (
        ("Units", found.going, limits.units.max),
        ("Recordings", found.recordings, limits.recordings.max),
        ("Contacts that go along", found.contacts, None),
    ):
        style = "bold red" if limit is not None and after > limit else ""
        rows.append((name, before, Text(paper.number(after), style=style), "" if limit is None else limit))
    paper.rows("If it were applied now", "To dispose of", "In force", "Tried out", "Ceiling", of=rows, numbers=3)
    if found.changed:
        _changes(paper, "By category", [_Row(labels.get(key) or key or "no category", row) for key, row in found.by_category.items()])
        months = _by_month(found)
        _changes(paper, "By month of the new end", months[:MONTHS_SHOWN])
        if len(months) > MONTHS_SHOWN:
            paper.line(f"and {len(months) - MONTHS_SHOWN} months more: --json has them all.")
    _forecast(paper, found)
    if any(after > limit for (_, after), limit in ((found.going, limits.units.max), (found.recordings, limits.recordings.max))):
        paper.line(Text("The first plan under this schedule would wait for two approvals (RET-24).", style="yellow"))


def _changes(paper: Paper, title: str, rows: Sequence[_Row]) -> None:
    counted: list[list[str | Text]] = []
    for row in rows:
        numbers = (Text(paper.number(row.counts[change]), style="" if row.counts[change] else "dim") for change in CHANGES)
        counted.append([row.name, *numbers])
    paper.rows(title, title.removeprefix("By ").capitalize(), *HEADINGS.values(), of=counted, numbers=len(HEADINGS))


def _by_month(found: Simulation) -> list[_Row]:
    """Return the months from now on one by one; all earlier ones together."""
    now, past, rows = month_of(found.day), dict.fromkeys(CHANGES, 0), []
    for month, row in found.by_month.items():
        if month < now:
            past = {change: past[change] + row[change] for change in CHANGES}
        else:
            rows.append(_Row(month, row))
    return [*([_Row(f"before {now}", past)] if any(past.values()) else ()), *rows]


def _forecast(paper: Paper, found: Simulation) -> None:
    """Print two years, one line per month: how many units are disposed of, and by how much the two differ."""
    rows = []
    for month, before, after in found.forecast:
        difference = after - before
        sign = Text(
            f"{'+' if difference > 0 else ''}{paper.number(difference)}" if difference else "", style="red" if difference > 0 else ""
        )
        rows.append((month, before, after, sign))
    paper.rows("Forecast of disposals", "Month", "In force", "Tried out", "Difference", of=rows, numbers=3)
    paper.line(
        "If nothing happens meanwhile. The first month has all that is due by now; units kept for another reason than their date are not "
        "foreseen."
    )


def simulation_document(found: Simulation) -> dict[str, object]:
    """Return the answer of `policy simulate` (contract 3.2)."""
    return {
        "old": _named(found.old),
        "new": _named(found.new),
        "as_of": found.day.isoformat(),
        "units": found.units,
        "changed": found.totals,
        "by_category": found.by_category,
        "by_month": found.by_month,
        "forecast": [{"month": month, "old": before, "new": after} for month, before, after in found.forecast],
        "dispose": {
            name: {"old": before, "new": after}
            for name, (before, after) in (("units", found.going), ("recordings", found.recordings), ("contacts", found.contacts))
        },
        "units_changed": [_unit(one) for one in found.changed],
    }


def _named(policy: Policy) -> dict[str, str]:
    return {"name": policy.name, "version": policy.version, "digest": policy.digest}


def _unit(one: ChangedUnit) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(one)
    return built


def write_units(found: Simulation, suffix: str, out: IO[bytes], *, link: Link) -> None:
    """Write the units that change, one a line; nothing is closed here. `link` gives the address of a row in
    the CRM (ACC-04): the last column of CSV, as in the other files of units."""
    if suffix == ".jsonl":
        encoder = msgspec.json.Encoder()
        for one in found.changed:
            out.write(encoder.encode(one) + b"\n")
        return
    write_csv_rows((*COLUMNS, *NEW_COLUMNS, "link"), (_cells(one, link) for one in found.changed), out)


def _cells(one: ChangedUnit, link: Link) -> Iterator[str]:
    yield from (one.table, one.id, one.change)
    for verdict in (one.old, one.new):
        yield from (verdict.outcome, verdict.disposition or "", verdict.retention_end or "", verdict.reason, " ".join(verdict.categories))
    yield safe_link(link(one.table, one.id))
