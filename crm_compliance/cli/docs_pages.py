"""The parts of the documents that follow from the registries of the product, written by `make docs`. A page
has a place for each, between `<!-- NAME -->` and `<!-- end -->`; the tests hold the stored pages and schemas
against what is made here."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from connectors.dynamics.mapping.fields_page import fields_page
from connectors.dynamics.mapping.published_schema import mapping_schema
from connectors.emulator.serving.features import emulator_page
from crm_compliance.cli.app import app
from crm_compliance.reports.plan.formats import FORMATS
from jobs.registry import JOBS
from rules.documents.organisation_page import organisation_page, organisation_schema
from rules.documents.policy_page import policy_page, policy_schema
from rules.documents.rights_page import matrix_part, overridable_part
from rules.documents.roles_page import roles_part
from rules.policy.loader import load_policy

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


SCHEDULES = "rules/policy/schedules"
ORGANISATIONS = "rules/organisation/shipped"
MAPPING_SCHEMA = "connectors/dynamics/mapping/schema.json"


def jobs_part() -> str:
    """Write the table of the jobs, in the order of the night."""
    rows = ((f"`run {job.name}`", job.hour, f"`{job.setting.upper()}`", job.purpose) for job in JOBS.values())
    return _table(("job", "hour", "setting", "what it does"), rows)


def formats_part() -> str:
    """Write the table of the formats in which a plan is written to a file."""
    return _table(("ending", "what it is"), ((f"`{suffix}`", each.purpose) for suffix, each in FORMATS.items()))


PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "docs/nights.md": {"jobs": jobs_part},
    "docs/commands.md": {"formats": formats_part},
    "docs/rights.md": {"matrix": matrix_part, "overridable": overridable_part},
    "docs/roles.md": {"roles": roles_part},
}


def pages(root: Path) -> Iterator[tuple[Path, str]]:
    """Return every file that follows from the product, with what it should hold."""
    source = root / SCHEDULES / "childfocus.yaml"
    yield root / "docs/policy.md", policy_page(load_policy(source.read_text(encoding="utf-8"), source=source.name))
    yield root / SCHEDULES / "schema.json", policy_schema()
    yield root / "docs/organisation.md", organisation_page()
    yield root / ORGANISATIONS / "schema.json", organisation_schema()
    yield root / MAPPING_SCHEMA, mapping_schema()
    yield root / "docs/mapping-fields.md", fields_page()
    yield root / "docs/emulator.md", emulator_page()
    yield root / "docs/options.md", options_page()
    for name, parts in PARTS.items():
        text = (root / name).read_text(encoding="utf-8")
        for part, made in parts.items():
            text = _put(text, part, made())
        yield root / name, text


def _put(text: str, part: str, made: str) -> str:
    place = re.compile(rf"(<!-- {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    return place.sub(lambda found: f"{found[1]}{made.strip()}\n{found[2]}", text)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


if __name__ == "__main__":
    for path, content in pages(Path.cwd()):
        path.write_text(content, encoding="utf-8")
