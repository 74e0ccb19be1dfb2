"""Cases that share a night, which costs much the same for twenty units as for one: each has rows of its own,
and looks at those alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import pytest

from jobs.ledger.certificates import Certificate
from jobs.model.run import ActionState, Run
from tests.drivers.night import Night

PLANNED, APPLIED = "planned", "applied"  # until when a case waits; it is given the plan, or the run
Case: TypeAlias = Generator[str, Any, None]


class World(Protocol):
    """What plans and carries out plans, such as a night."""

    def plan(self) -> Any: ...
    def apply(self, plan: Any) -> Any: ...


W = TypeVar("W", bound=World)


class SideBySide(dict[str, Callable[[W], Case]], Generic[W]):
    """Cases by name, each a generator that makes its rows and yields until when it waits.

    What one asserts fails for itself, under its name.
    """

    def __call__(self, case: Callable[[W], Case]) -> Callable[[W], Case]:
        """Add a case."""
        self[case.__name__] = case
        return case

    def play(self, world: W, subtests: pytest.Subtests) -> None:
        """Let all of them make their rows, then plan and apply night after night until each has ended."""
        waiting: dict[str, tuple[Case, str]] = {}

        def go_on(name: str, case: Case, given: Any = None) -> None:
            with subtests.test(name), suppress(StopIteration):
                until = case.send(given)
                assert until in (PLANNED, APPLIED), f"{name} waits for {until}"
                waiting[name] = case, until

        def tell(stage: str, given: Any) -> None:
            for name in [name for name, (_, until) in waiting.items() if until == stage]:
                go_on(name, waiting.pop(name)[0], given)

        for name, begin in self.items():
            go_on(name, begin(world))
        nights = 0
        while waiting:
            plan = world.plan()
            if nights and isinstance(world, Night):  # it approves the first itself, where that waits for nothing else
                world.approved(plan)
            tell(PLANNED, plan)
            tell(APPLIED, world.apply(plan))
            nights += 1


def skipped(night: Night, run: Run, *rows: str) -> dict[str, int]:
    """Why some of these rows were skipped in a run, and how many; with the others it was done."""
    actions = [action for action in night.store.journal.of_run(run.id) if action.id in rows]
    assert {action.state for action in actions} <= {ActionState.SKIPPED, ActionState.DONE}, actions
    return dict(Counter(action.code for action in actions if action.state is ActionState.SKIPPED))


def certificate_of(night: Night, run: Run, table: str, row: str) -> Certificate:
    """The one certificate of a run for a unit."""
    references = night.key.references(table, row)
    (found,) = [each.certificate for each in night.store.certificates.of_run(run.id) if each.certificate.unit_ref in references]
    return found
