"""Runs that are interrupted, and what somebody does in the CRM meanwhile."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import pytest

from connectors.interface.changes import ChangeResult, ChangeSet, Held
from jobs.model.plan import Plan
from jobs.model.run import Run
from jobs.runs.apply import apply_plan
from tests.drivers.night import Night
from tests.jobs.runs.kill_points import Fragile, Killed, Points

LONG_AGO = date(2018, 3, 1)


class Meddling:
    """A connector beside which somebody works in the CRM: `act` is called once, just before the n-th read of
    a kind or the n-th change.

    Notes are read once with the units and once more with what depends on them, after the decision.
    """

    def __init__(self, inner: Any, act: Callable[[], object], *, before: str, nth: int = 1) -> None:
        self._inner, self._act, self._before, self._left = inner, act, before, nth

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _maybe(self, what: str) -> None:
        if what == self._before:
            self._left -= 1
            if self._left == 0:
                self._act()

    def read(self, record: type[Any], fields: Any, **options: Any) -> Iterator[list[Any]]:
        self._maybe(record.__name__)
        return iter(list(self._inner.read(record, fields, **options)))

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        self._maybe("change")
        found: list[ChangeResult] = self._inner.change(change_sets, held)
        return found


def applied(night: Night, plan: Plan, connector: Any) -> Run:
    return apply_plan(dataclasses.replace(night.context, connector=connector), plan.id)


def killed_before(night: Night, plan: Plan, method: str, at: int = 1) -> None:
    """Carry out a plan until just before the n-th call of a connector's or store's method."""
    _killed(night, plan, method, Points(2 * at - 1))


def killed_after(night: Night, plan: Plan, method: str) -> None:
    """Carry out a plan until just after the first call of a connector's or store's method."""
    _killed(night, plan, method, Points(2))


def _killed(night: Night, plan: Plan, method: str, points: Points) -> None:
    context = night.context
    broken = Fragile(context.connector if method == "change" else context.store, points, (method,))
    changed: dict[str, Any] = {"connector" if method == "change" else "store": broken}
    with pytest.raises(Killed):
        apply_plan(dataclasses.replace(context, **changed), plan.id)


def a_grown_up(night: Night, **columns: Any) -> tuple[str, str]:
    """An expired dossier and its child."""
    dossier = night.dossier("sexting", spoken=LONG_AGO, fiches=2, **columns)
    child = night.contact(birthdate="2000-02-01")
    night.party(child, "child", dossier=dossier)
    return dossier, child
