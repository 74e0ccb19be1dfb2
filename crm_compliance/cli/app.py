"""The root of the commands: what was typed in, an exit code out. `--json` and `--config FILE` are accepted
anywhere on the line. Heavy modules are imported inside the commands that need them."""

import errno
import os
import sys
from collections.abc import Sequence
from copy import copy
from functools import cache
from typing import Any

import typer
from typer.models import TyperInfo

from crm_compliance.cli.commands import (
    alerts,
    control,
    datamap,
    emulator,
    history,
    holds,
    init,
    mapping,
    organisation,
    plans,
    policy,
    proof,
    restores,
    runs,
    service,
    statistics,
)
from crm_compliance.cli.requests import group
from crm_compliance.cli.terminal.output import let_go, output, print_line
from crm_compliance.host.files import DiskProblem, disk_problem
from crm_compliance.host.interruptions import exit_code
from rules.errors import ComplianceError, UsageError

INTERRUPTED = 130  # what typer makes of a KeyboardInterrupt
GO_ON = "interrupted; nothing is lost: give the same command again, and a plan that was being applied goes on where it was"
_PANICS = "pyo3_runtime"  # what is raised where a library in Rust breaks down is no Exception
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

app = typer.Typer(
    name="crm-compliance",
    help="Enforces a published retention schedule on personal data in Microsoft Dynamics CRM, and proves it.",
    epilog="Exit codes: 0 done, 1 bug, 2 usage, 3 policy or mapping, 4 CRM, 5 a guard refuses, 6 done with failures, 7 ledger broken.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
for part in (
    init, plans, runs, control, holds, history, proof, restores, group,
    statistics, service, alerts, policy, organisation, mapping, datamap, emulator,
):  # fmt: skip
    part.add_to(app)


def _version(asked: bool) -> None:
    if asked:
        from crm_compliance.wiring.software import software_version

        output.answer({"version": software_version()}, lambda console: console.print(f"crm-compliance {software_version()}"))
        raise typer.Exit


@app.callback()
def root(
    json_: bool = typer.Option(False, "--json", help="One JSON document on stdout; accepted anywhere on the line."),
    config: str = typer.Option("", "--config", metavar="FILE", help="A TOML file with settings; accepted anywhere on the line."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Which version this is."),
) -> None:
    """Enforces a published retention schedule on personal data in Microsoft Dynamics CRM, and proves it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    typed_error = typer.BadParameter.__mro__[1]  # typer's own error for wrong arguments
    try:
        arguments = take_global_options(arguments)
        refuse_no_text([*arguments, output.config or ""])
        code = _commands(arguments)(args=arguments, standalone_mode=False, prog_name="crm-compliance")
        sys.stdout.flush()
        if code == INTERRUPTED:
            print_line(GO_ON, error=True)
            return exit_code()
        return code if isinstance(code, int) else 0
    except ComplianceError as error:
        output.fail(error)
        return error.exit_code
    except typer.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print_line(GO_ON, error=True)
        return exit_code()
    except BrokenPipeError:  # of help: what else is printed is told to nobody, and goes on
        let_go()
        return 0
    except Exception as error:  # noqa: BLE001  the desk catches everything once, here
        if isinstance(error, typed_error):
            return _mistyped(error, arguments)
        if (problem := disk_problem(error)) is not None:
            output.fail(problem)
            return problem.exit_code
        if isinstance(error, OSError) and error.errno in FULL:  # what a file's name says is told where the file is opened
            output.fail(DiskProblem(f"the output cannot be written: {os.strerror(error.errno)}", hint="make room and repeat"))
            return DiskProblem.exit_code
        return _bug(error)
    except BaseException as error:
        if type(error).__module__ != _PANICS:
            raise
        return _bug(error)


def _commands(arguments: Sequence[str]) -> Any:
    """Return the commands, or the one command or group with which a line begins, alone, and of a group the
    one command that follows: reading the parameters of a hundred functions takes longer than most
    commands."""
    names = {*(command.name for command in app.registered_commands), *(group.name for group in app.registered_groups)}
    return _built(*arguments[:2]) if arguments and arguments[0] in names else _built()


@cache
def _built(name: str = "", below: str = "") -> Any:
    part = copy(app)
    if name:
        part.registered_commands = [command for command in app.registered_commands if command.name == name]
        part.registered_groups = [_narrowed(group, below) for group in app.registered_groups if group.name == name]
    return typer.main.get_command(part)


def _narrowed(group: TyperInfo, name: str) -> TyperInfo:
    """Return a group with the one command of that name, and whole where there is none."""
    if group.typer_instance is None:
        return group
    narrow, part = copy(group), copy(group.typer_instance)
    part.registered_commands = [command for command in part.registered_commands if command.name == name]
    part.registered_groups = []
    narrow.typer_instance = part
    return narrow if part.registered_commands else group


def take_global_options(arguments: list[str]) -> list[str]:
    """Take `--json` and `--config FILE` out of the line and remember them."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    output.json, output.config = "--json" in ours, None  # an error of the rest of the line is told in JSON too
    rest: list[str] = []
    items = iter(arguments)
    for item in items:
        if item == "--":
            return [*rest, item, *items]
        if item == "--json":
            continue
        if item == "--config":
            value = next(items, "--")
            output.config = _config(value)
        elif item.startswith("--config="):
            output.config = _config(item.removeprefix("--config="))
        else:
            rest.append(item)
    return rest


def _config(value: str) -> str:
    """Return the file of `--config`. Raises UsageError: it is missing, or empty, as an unset variable of a
    shell is: the settings would be other ones than were meant."""
    if not value or value.startswith("--"):
        raise UsageError("--config needs a file", hint="crm-compliance --config settings.toml ...")
    return value


def refuse_no_text(arguments: Sequence[str]) -> None:
    """Refuse what no database and no file of ours can hold. Raises UsageError: an argument has bytes that are
    not UTF-8; it is not repeated."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError("an argument is not text: it has bytes that are not UTF-8", hint="write names and paths in UTF-8") from None


def _mistyped(error: Exception, arguments: list[str]) -> int:
    """Report wrong arguments: what is wrong with them, and whose help to read. A group without a command
    names its commands."""
    words, commands = _known(arguments)
    told = error.format_message() if hasattr(error, "format_message") else str(error)
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help page
        told = f"a command is missing; one of: {', '.join(commands)}"
    output.fail(UsageError(told, hint=f"{' '.join(['crm-compliance', *words])} --help"))
    return UsageError.exit_code


def _known(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the words of the line that are commands, and the commands that may follow them."""
    words: list[str] = []
    command: Any = _commands(arguments)
    for item in arguments:
        below = getattr(command, "commands", {}).get(item)
        if below is None:
            break
        words.append(item)
        command = below
    return words, [name for name, found in getattr(command, "commands", {}).items() if not found.hidden]


def _bug(error: BaseException) -> int:
    """Report a bug: where it happened, never the data involved (a message may quote a row)."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{frame.name} ({os.path.basename(frame.filename)}:{frame.lineno})" for frame in reversed(frames[-4:]))
    told = ComplianceError(f"a bug: {type(error).__name__} in {place}", hint="please report this line", code="bug")
    output.fail(told)
    return 1
