"""An applied run in a terminal, from the JSON answers of `apply`, `verify` and `history`. The answers are
what is stored and what scripts read, so that a person never sees another number than a script."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from crm_compliance.hints import in_words
from crm_compliance.reports.parts.clock_times import clock_time
from crm_compliance.reports.parts.next_steps import NextStep, print_next_steps
from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.parts.sentences import ALARMS, bypass_sentence, reason_sentence
from jobs.model.run import INTERRUPTED, TECHNICAL, RunState, contacts_not_trimmed, of_units_alone
from rules.dates.calendar import Calendar
from rules.hints import hint_to

SHOWN = 20  # rows still there that are named one by one; `--json` has them all

Document = Mapping[str, object]


def print_run(document: Document, console: Console) -> None:
    """Print what `apply` did. `document` is its JSON answer; the command line prints `run ID` after this."""
    paper = Paper(console)
    paper.line(Text.assemble("Run ", (_text(document, "run"), "bold"), " of plan ", _text(document, "plan"), ": ", _state(document)))
    _print_counts(document, paper)
    steps = []
    if document.get("state") in (RunState.RUNNING, INTERRUPTED):
        steps.append(NextStep("The run did not reach its end. Go on from there:", in_words(hint_to("apply", plan=_text(document, "plan")))))
    elif document.get("state") == RunState.DONE_WITH_FAILURES:
        steps.append(NextStep("What failed or stayed in part comes back in the next plan:", in_words(hint_to("plan"))))
    steps.append(
        NextStep("Read back once more, at any time, that all of it is gone:", in_words(hint_to("verify", run=_text(document, "run"))))
    )
    print_next_steps(steps, paper)


def print_verify(document: Document, console: Console) -> None:
    """Print what reading back found; the answer of `verify`."""
    paper = Paper(console)
    there = _rows(document.get("still_there"))
    paper.line(
        Text.assemble("Run ", (_text(document, "run"), "bold"), f": {paper.number(_number(document, 'checked'))} rows looked for again.")
    )
    if unsettled := _number(document, "unsettled"):
        told = "units were begun and are not settled: apply the plan again, and verify then."
        paper.line(Text(f"{paper.number(unsettled)} {told}", style="bold red"))
    elif not there:
        paper.line(Text("All are gone or masked.", style="green"))
    if there:
        paper.line(Text(f"{paper.number(len(there))} still there:", style="bold red"))
        for row in there[:SHOWN]:
            paper.line(f"  {row.get('table', '')} {row.get('id', '')}")
        if len(there) > SHOWN:
            paper.line(f"  and {paper.number(len(there) - SHOWN)} more: --json lists them all")
    places = document.get("not_checkable")
    if isinstance(places, Sequence) and not isinstance(places, str) and places:
        paper.line("Cannot be checked from here: " + ", ".join(str(place) for place in places) + ".")


def print_history(documents: Sequence[Document], console: Console, calendar: Calendar) -> None:
    """Print all runs as they come, one a row; the answer of `history list`."""
    paper = Paper(console)
    if not documents:
        paper.line("No run yet.")
        return
    table = paper.table("", f"Started\n({calendar.city})", "Run", "Kind", "State", "Deleted", "Anonym.", numbers=2)
    table.title, table.box = None, None  # of 80 columns there are as many left as the longest word of a state has
    for column in table.columns[:3]:  # what is broken into lines cannot be copied
        column.no_wrap = True
    for document in documents:
        counts = _mapping(document.get("counts")) or document
        table.add_row(
            _clock(document.get("started_at"), calendar),
            _text(document, "run"),
            _text(document, "kind"),
            _state(document),
            paper.number(_number(counts, "deleted")),
            paper.number(_number(counts, "anonymised")),
        )
    console.print(table)


def print_history_run(document: Document, console: Console, calendar: Calendar) -> None:
    """Print one run in full: its counts, the codes of its outcomes, and in which roles it was approved; the
    answer of `history show`."""
    paper = Paper(console)
    of_plan = f", of plan {_text(document, 'plan')}" if document.get("plan") else ""
    paper.line(Text.assemble("Run ", (_text(document, "run"), "bold"), f", {_text(document, 'kind')}{of_plan}: ", _state(document)))
    started, ended, as_of = (_clock(document.get(name), calendar) for name in ("started_at", "ended_at", "as_of"))
    paper.line(f"Started {started}, ended {ended or 'not yet'}, as of {as_of} ({calendar.city}).")
    if not of_plan:
        for name, value in _mapping(document.get("counts")).items():
            told = ", ".join(map(str, value)) if isinstance(value, list) else value
            paper.line(f"{name.replace('_', ' ')}: {told if told != '' else 'none'}")
        return
    _print_counts(_mapping(document.get("counts")) or document, paper)
    outcomes = _counts(document.get("outcomes"))
    technical = _mapping(document.get("technical"))
    rows = (
        (code.replace(":", " "), _meaning(code.rpartition(":")[2], _counts(technical.get(code)), paper), number)
        for code, number in outcomes.items()
    )
    paper.rows("Outcomes", "Outcome", "Meaning", "Units", of=rows)
    for approval in _rows(document.get("approvals")):
        verb = "Rejected" if approval.get("approves") is False else "Approved"
        paper.line(f"{verb} by {approval.get('role', '')} at {_clock(approval.get('at'), calendar)}.")


def _print_counts(counts: Document, paper: Paper) -> None:
    not_trimmed, counts = contacts_not_trimmed(counts), of_units_alone(counts)
    paper.line(
        Text.assemble(
            (f"{paper.number(_number(counts, 'deleted'))} deleted", "red"),
            ", ",
            (f"{paper.number(_number(counts, 'anonymised'))} anonymised", "yellow"),
            ", ",
            f"{paper.number(sum(_counts(counts.get('skipped')).values()))} skipped, ",
            _alarm(_number(counts, "partial"), "in part", paper),
            ", ",
            _alarm(_number(counts, "failed"), "failed", paper),
            ".",
        )
    )
    trimmed = _number(counts, "trimmed")
    if trimmed or not_trimmed:
        others = paper.number(sum(not_trimmed.values()))
        paper.line(f"Beside these units: {paper.number(trimmed)} contacts trimmed, {others} to be trimmed and left.")
    verified = _mapping(counts.get("verified"))
    if verified:
        paper.line(
            Text.assemble(
                f"Read back: {paper.number(_number(verified, 'gone'))} gone, {paper.number(_number(verified, 'masked'))} masked, ",
                _alarm(_number(verified, "still_there"), "still there", paper),
                ".",
            )
        )
    causes = {TECHNICAL: _counts(counts.get("technical"))}
    skipped = ((code, _meaning(code, causes.get(code, {}), paper), number) for code, number in _counts(counts.get("skipped")).items())
    paper.rows("Skipped", "Code", "Meaning", "Units", of=skipped)
    left = ((code, _meaning(code, {}, paper), number) for code, number in not_trimmed.items())
    paper.rows("Contacts not trimmed", "Code", "Meaning", "Contacts", of=left)
    for name, number in sorted(_counts(counts.get("unaccounted")).items()):
        told = f"{paper.number(number)} of the skipped units have rows of {name} that would stay behind, or go along although they stay"
        told += f": see {in_words(hint_to('datamap'))}, and the warnings of the run, which name the lookup"
        paper.line(Text(told, style="yellow"))
    if documents := _number(counts, "documents"):
        paper.line(f"{paper.number(documents)} documents outside the CRM went before their rows.")
    paper.rows("Rows deleted, by table of the CRM", "Table", "Rows", of=sorted(_counts(counts.get("rows")).items()))
    for word, number in _counts(counts.get("bypass")).items():
        paper.line(Text.assemble(("Bypass: ", "bold yellow"), f"{bypass_sentence(word, number)}."))
    for alarm in _rows(counts.get("alarms")):
        code = _text(alarm, "code")
        paper.line(Text.assemble((f"Alarm {code}: ", "bold red"), f"{_text(alarm, 'message')}. {ALARMS.get(code, '')}"))


def _meaning(code: str, causes: Mapping[str, int], paper: Paper) -> str:
    """Return what a code means, by its exact causes where they are known: units by cause."""
    if len(causes) > 1:
        return "\n".join(f"{paper.number(number)}: {reason_sentence(cause)}" for cause, number in causes.items())
    return reason_sentence(next(iter(causes), code))


def _alarm(number: int, word: str, paper: Paper) -> tuple[str, str]:
    return f"{paper.number(number)} {word}", "bold red" if number else ""


def _state(document: Document) -> Text:
    state = _text(document, "state")
    colours = {RunState.DONE: "green", RunState.DONE_WITH_FAILURES: "bold red", RunState.RUNNING: "yellow", INTERRUPTED: "yellow"}
    return Text(state.replace("_", " "), style=colours.get(state, ""))


def _counts(value: object) -> dict[str, int]:
    """Return codes with their counts, from a mapping or from a list of rows with a `code` or a `state`."""
    if isinstance(value, Mapping):
        return {str(code): number for code, number in value.items() if isinstance(number, int)}
    counted: dict[str, int] = {}
    for row in _rows(value):
        code = str(row.get("code") or row.get("state") or "")
        counted[code] = counted.get(code, 0) + 1
    return counted


def _mapping(value: object) -> Document:
    return value if isinstance(value, Mapping) else {}


def _rows(value: object) -> list[Document]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [row for row in value if isinstance(row, Mapping)]


def _text(document: Document, key: str) -> str:
    value = document.get(key)
    return "" if value is None else str(value)


def _number(document: Document, key: str) -> int:
    value = document.get(key)
    return value if isinstance(value, int) else 0


def _clock(value: object, calendar: Calendar) -> str:
    """Return an instant from JSON to the minute, by the clock of the schedule; anything else unchanged."""
    if isinstance(value, datetime):
        return clock_time(value, calendar)
    try:
        return clock_time(datetime.fromisoformat(str(value)), calendar) if value else ""
    except ValueError:
        return str(value)
