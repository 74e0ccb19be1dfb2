"""The least-privilege role as a page that an administrator works from: `docs/least-privilege-role.md`, and
`doctor --role`."""

from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Protocol

LEVELS = {"Global": "Organization", "Basic": "User"}  # as the role editor calls the depths
PAGE = Path(__file__).with_name("templates") / "role.md"


class Line(Protocol):
    """One privilege: its name, its depth in the CRM's terms, and what it is for."""

    @property
    def name(self) -> str: ...

    @property
    def depth(self) -> str: ...

    @property
    def reason(self) -> str: ...


def role_page(lines: Sequence[Line], cleaning: Sequence[Line], answering: Sequence[Line]) -> str:
    """Return the page, in Markdown: what the jobs need, and what `cleaning` and `answering` need also."""
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        needs=_table(lines),
        cleaning=_table(cleaning),
        answering=_table(answering),
        first=lines[0].name,
        depth=lines[0].depth,
        depths=" and ".join(f"`{depth}` for the level {level}" for depth, level in LEVELS.items()),
    )


def _table(lines: Sequence[Line]) -> str:
    rows = [f"| `{line.name}` | {LEVELS.get(line.depth, line.depth)} | {line.reason} |" for line in lines]
    return "\n".join(["| privilege | level | what for |", "|---|---|---|", *rows])
