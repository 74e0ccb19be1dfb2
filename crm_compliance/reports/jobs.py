"""What a job did, in a terminal, from its JSON answer: people and scripts see the same numbers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.parts.sentences import ALARMS, counted
from crm_compliance.reports.run import print_run

SHOWN = 20  # recordings that are named one by one; `--json` has them all

Document = Mapping[str, Any]


def print_job(name: str, document: Document, console: Console) -> None:
    """Print the answer of `run NAME`; the command line prints `run ID` after this."""
    if "plan" in document:
        print_run(document, console)
        return
    paper = Paper(console)
    before, after = VIEWS.get(name, (_counts, _nothing))
    for line in before(document, paper):
        paper.line(line)
    for alarm in document.get("alarms", ()):
        paper.line(Text.assemble((f"Alarm {alarm['code']}: ", "bold red"), f"{alarm['message']}. {ALARMS.get(alarm['code'], '')}"))
    for line in after(document, paper):
        paper.line(line)


def _counts(document: Document, paper: Paper) -> Iterator[str | Text]:
    """Return what a job without a view of its own counted."""
    for name, value in document.items():
        if isinstance(value, int | str) and name not in ("run", "state"):
            yield f"{name.replace('_', ' ')}: {paper.number(value) if isinstance(value, int) else value}"


def _nothing(document: Document, paper: Paper) -> Iterator[str | Text]:
    return iter(())


def _requests(document: Document, paper: Paper) -> Iterator[str | Text]:
    yield f"{counted(document['pending'], 'request')} pending, {paper.number(len(document['overdue']))} of them overdue."
    yield (
        f"Reminders due: {len(document['reminded'])}; closed because the person did not answer: {len(document['closed'])}; "
        f"sealed data expired and removed: {len(document['erased'])}; rows turned into yearly totals: {document['totalled']}."
    )
    yield from (f"{request}: what was granted waits for {code}." for request, code in document["waiting"].items())


def _housekeeping(document: Document, paper: Paper) -> Iterator[str | Text]:
    found, expired = document["objects"], document["expired"]
    listed = paper.number(found["listed"])
    yield f"{paper.number(found['recordings'])} recordings have content outside the CRM; the storages hold {listed} objects."
    if found["not_reached"]:
        yield f"{paper.number(found['not_reached'])} of the recordings name a storage that no setting reaches."
    yield (
        f"Our own data that have expired: lines of {paper.number(expired['plans'])} plans, "
        f"journals of {paper.number(expired['journals'])} runs with {paper.number(expired['units'])} units, "
        f"{paper.number(expired['holds'])} holds."
    )


def _lost(document: Document, paper: Paper) -> Iterator[str | Text]:
    """Yield the rows that have lost their object. Addresses of objects are never printed: they can hold
    names; the file has them."""
    rows = document["rows_without_object"]
    yield from (f"  {row['table']} {row['id']}" for row in rows[:SHOWN])
    if len(rows) > SHOWN:
        yield f"  and {paper.number(len(rows) - SHOWN)} more: --json lists them all"
    yield from (f"Their addresses, for nobody else: {file}" for file in document["files"])
    if not document["alarms"]:
        yield Text("Nothing has lost its other half.", style="green")


View = Callable[[Document, Paper], Iterator[str | Text]]

# What is said before the alarms, and after them.
VIEWS: Mapping[str, tuple[View, View]] = {"requests": (_requests, _nothing), "housekeeping": (_housekeeping, _lost)}
