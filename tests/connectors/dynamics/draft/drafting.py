"""A draft of a mapping, as the command writes it, and what is read of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import Mapping
from connectors.emulator.serving.server import running
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import Typist

DATA = Path(__file__).parents[3] / "data"
SECOND = DATA / "second-environment.yaml"


@contextmanager
def organisation(typist_at: Callable[..., Typist], path: Path) -> Iterator[Typist]:
    with running(environment=path, token=TOKEN) as emulator:
        yield typist_at(emulator.url)


def drafted(typist: Typist, tmp_path: Path) -> tuple[dict[str, Any], str]:
    path = tmp_path / "draft.yaml"
    said = typist.type("mapping", "draft", "--output", path, "--json")
    assert said.code == 0, said
    assert set(said.document) == {"file", "tables", "fields", "open"}
    return said.document, path.read_text("utf-8")


def columns(mapping: Mapping) -> dict[tuple[str, str], str]:
    return {(table.kind, name): column.name for table in mapping.tables for name, column in (table.columns | table.personal).items()}


def keys(mapping: Mapping) -> dict[tuple[str, str, int], str]:
    return {
        (table.kind, name, value): key
        for table in mapping.tables
        for name, column in (table.columns | table.personal).items()
        if column.choice is not None
        for value, key in column.choice.keys.items()
    }


def put_in_force(text: str, kind: str) -> str:
    """Put in force everything that the draft proposes for a kind; its choices of one line stay open."""
    begin, head, rest = re.split(rf"^(  (?:# )?{kind}:.*\n)", text, maxsplit=1, flags=re.MULTILINE)
    block, end = rest.split("\n\n", 1)
    lines = [line if "# choose:" in line or "# keys:" in line else re.sub(r"^( *)# ", r"\1", line) for line in block.splitlines()]
    return begin + head.replace(f"# {kind}", kind, 1) + "\n".join(lines) + "\n\n" + end


def parse_problems(text: str) -> list[str]:
    """What is wrong with a draft beside what nobody has chosen yet."""
    return [problem.text for problem in examine_mapping(text, "m")[1] if problem.code != "missing"]
