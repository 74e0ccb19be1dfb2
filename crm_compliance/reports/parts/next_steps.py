"""What a person does next, with the exact command, at the end of a report in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_compliance.reports.parts.paper import Paper


@dataclass(frozen=True, slots=True)
class NextStep:
    """What a person does now; `command` is exact and may be empty."""

    text: str
    command: str


def print_next_steps(steps: Sequence[NextStep], paper: Paper) -> None:
    paper.line()
    paper.heading("What to do next")
    for step in steps:
        paper.line(step.text)
        if step.command:
            paper.command(step.command)
