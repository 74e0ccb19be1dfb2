"""A night whose recordings have their content in a storage that a test can break."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.interface.errors import Finding, ObjectError
from connectors.interface.objects import Stored
from connectors.storage.local import LocalFolder
from jobs.model.plan import Kind, Plan
from jobs.model.run import Action, ActionState, Run
from jobs.plans.make import make_plan
from jobs.ports.context import JobContext
from jobs.runs.apply import apply_plan
from tests.drivers.night import Night

OLD, RECENT = date(2025, 9, 1), date(2026, 11, 1)  # the night is of 25 November 2026
Killed = KeyboardInterrupt


@dataclass
class Storage:
    """A real folder that a test can break. `asked` are the names of what was to be removed."""

    folder: Path
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    on_remove: Callable[[], None] = lambda: None
    is_listable: bool = True

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.real = LocalFolder(self.folder)

    described = "a folder of a test"

    def put(self, name: str) -> str:
        (self.folder / name).write_bytes(b"RIFF verzonnen")
        return (self.folder / name).as_uri()

    def canonical(self, address: str) -> str | None:
        return self.real.canonical(address)

    def remove(self, address: str, kept: Collection[str] = ()) -> None:
        self.asked.append(address.rpartition("/")[2])
        self.on_remove()
        if address.rpartition("/")[2] in self.broken:
            raise ObjectError("the storage of a test refuses")
        self.real.remove(address, kept)

    def is_there(self, address: str, kept: Collection[str] = ()) -> bool:
        return self.real.is_there(address, kept)

    def fetch(self, address: str) -> bytes | None:
        return self.real.fetch(address)

    def listing(self) -> Iterator[Stored]:
        if not self.is_listable:
            raise ObjectError("the storage of a test cannot be listed")
        return self.real.listing()

    def findings(self) -> list[Finding]:
        return self.real.findings()

    @property
    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "objects")


@dataclass
class Reaching:
    """A night whose jobs reach a storage."""

    night: Night
    storage: Storage

    @property
    def context(self) -> JobContext:
        return replace(self.night.context, objects=(self.storage,))

    def plan(self) -> Plan:
        return make_plan(self.context, Kind.ALL)

    def apply(self, plan: Plan | None = None) -> Run:
        plan = plan or self.plan()
        self.night.approved(plan)
        return apply_plan(self.context, plan.id)

    def journal(self, run: Run) -> list[Action]:
        return self.night.store.journal.of_run(run.id)


@pytest.fixture
def reaching(night: Night, storage: Storage) -> Reaching:
    return Reaching(night, storage)


def outcome(reaching: Reaching, run: Run, row: str) -> tuple[ActionState, str]:
    return next((action.state, action.code) for action in reaching.journal(run) if action.id == row)


def a_recording(reaching: Reaching, name: str = "call.wav", ended: date = OLD, **more: Any) -> str:
    return reaching.night.recording(ended, cf_storageuri=reaching.storage.put(name), **more)
