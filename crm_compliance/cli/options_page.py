"""The page of what every command takes, as its help tells it: docs/options.md."""

from collections.abc import Iterator
from typing import Any

import typer

from crm_compliance.cli.app import app

HEAD = """# Options

What every command takes, as its `--help` tells it, which has an example too. What each does: [Commands](commands.md). \
All of them take `--json`.
"""


def options_page() -> str:
    """Write the page, the commands in the order in which `--help` lists them."""
    return "\n".join([HEAD, *_commands(typer.main.get_command(app), ())])


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    for name, each in getattr(command, "commands", {}).items():
        yield from _commands(each, (*path, name))
    told = [each.get_help_record(typer.Context(command)) for each in command.params]
    if path and told:
        yield from (f"## {' '.join(path)}", "", "| | |", "| --- | --- |", *(_row(*each) for each in told if each), "")


def _row(names: str, told: str) -> str:
    words = names if names.startswith("-") else names.rpartition(" <")[0]  # of an argument, without its type
    return f"| `{_cell(words)}` | {_cell(' '.join(told.split()))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
