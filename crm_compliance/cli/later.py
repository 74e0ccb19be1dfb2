"""Commands of the contract that this version does not have yet: they say so and exit 2."""

from __future__ import annotations

from collections.abc import Callable

import typer

from rules.errors import UsageError

# name -> its commands; an empty tuple: the name is a command itself
NOT_YET: dict[str, tuple[str, ...]] = {
    "requests": (),
}
ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": ["--help"]}


def refuse(name: str) -> UsageError:
    """The answer of a command that is not there yet."""
    error = UsageError(f"{name} is not there yet in this version", hint="crm-compliance --help lists the commands that are")
    error.code = "not_there_yet"
    return error


def not_yet(name: str) -> Callable[[typer.Context], None]:
    """A command that takes anything and refuses."""

    def command(context: typer.Context) -> None:
        raise refuse(name)

    command.__doc__ = f"Not there yet in this version.\n\nExample: crm-compliance {name} --help"
    return command


def add_to(app: typer.Typer) -> None:
    """Add every command that is still to come, hidden from the list of those that work."""
    for name, commands in NOT_YET.items():
        if not commands:
            app.command(name, hidden=True, context_settings=ANYTHING)(not_yet(name))
            continue
        group = typer.Typer(help="Not there yet in this version.", no_args_is_help=True)
        for command in commands:
            group.command(command, context_settings=ANYTHING)(not_yet(f"{name} {command}"))
        app.add_typer(group, name=name, hidden=True)
