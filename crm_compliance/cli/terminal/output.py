"""How a command answers: one JSON document with `--json`, text without; errors with what to do, as a sentence
or as JSON. Their exit codes are in rules/errors.py."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from rules.errors import ComplianceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from crm_compliance.configuration.settings import Settings
    from jobs.ports.context import Progress

# What a terminal obeys instead of showing it, and what turns the direction of a line or ends it: in a text of
# the CRM or a file, it would hide or change what a person decides on.
_OBEYED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Output:
    """Where this invocation speaks to. Results go to stdout; progress, warnings and errors to stderr."""

    def __init__(self) -> None:
        self.json = False
        self.config: str | None = None

    def answer(self, document: object, show: Callable[[Console], None], *, ids: tuple[str, str] | None = None) -> None:
        """Print the document, or show it; `ids` (word, id) makes the last line for a person's script, such as
        `plan ID`."""
        if self.json:
            print_line(_as_json(document))
            return
        from rich.console import Console
        from rich.segment import Segment

        class Screen(Console):
            def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
                for part in super().render(renderable, options):
                    yield part if part.control else Segment(_OBEYED.sub("", part.text), part.style)

            def on_broken_pipe(self) -> None:  # rich itself would end the program with exit code 1, which means a bug here
                let_go()

        # What stands between colons or brackets is what somebody wrote, and no picture or style.
        show(Screen(highlight=False, soft_wrap=False, emoji=False, markup=False))
        if ids is not None:
            print_line(f"{ids[0]} {ids[1]}")

    def warn(self, text: str) -> None:
        """Print one line on stderr."""
        self.note(f"warning: {text}")

    def note(self, text: str) -> None:
        """Print one line on stderr, for a person's information."""
        print_line(text, error=True)

    def log(self, settings: Settings) -> None:
        """Send logs to stderr from now on, redacted; a command that may log says so before it does, for the
        library's own default is stdout."""
        from crm_compliance.host.logs import configure

        configure(sys.stderr, level=settings.log_level, terminal=sys.stderr.isatty())

    def fail(self, error: ComplianceError) -> None:
        """Print what is wrong, where, and what to do; with `--json` as the last line of stderr."""
        from crm_compliance.hints import in_words, option, with_place

        hint, place = in_words(error.hint), error.where or option(error.field)
        if self.json:
            document = {"code": error.code, "message": str(error), "hint": hint, "where": place}
            print_line(_as_json({"error": document}), error=True)
            return
        print_line(f"error: {with_place(str(error), place)}", error=True)
        if hint:
            print_line(f"  hint: {hint}", error=True)

    def progress(self) -> AbstractContextManager[Progress]:
        """Show a bar on stderr while it is a terminal, nothing otherwise."""
        return _progress()


@contextmanager
def _progress() -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield _silence
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, done: int, total: int | None = None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield tell


def _silence(stage: str, done: int, total: int | None = None) -> None:
    """Do nothing: nobody is watching."""


def _as_json(document: object) -> str:
    """Return a document as JSON, on one line, with escapes for what a terminal would obey."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(document, ensure_ascii=False, default=str))


def print_line(text: str, *, error: bool = False) -> None:
    """Print one line, whole, without what a terminal would obey. Where nobody reads results any more, the
    command still ends as it would, with its own exit code; nor does it fail because stderr takes no message.
    Raises OSError: stdout is a full disk."""
    stream = sys.stderr if error else sys.stdout
    try:
        stream.write(_OBEYED.sub("", text) + "\n")
        stream.flush()
    except BrokenPipeError:
        if not error:
            let_go()
    except OSError:
        if not error:
            raise


def let_go() -> None:
    """Let stdout lead nowhere from now on: who reads it has seen enough."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


output = Output()
