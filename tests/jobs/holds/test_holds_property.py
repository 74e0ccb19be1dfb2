"""Whatever is placed at whatever moment: no row that a hold covers is in any later write (HLD-04, HLD-07)."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Held, OperationKind
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.store.store import SqlStore
from jobs.model.plan import Kind
from jobs.writing import send
from rules.holds.placements import HoldType
from rules.model.records import KINDS, Recording
from rules.policy.loader import load_policy
from tests.drivers.clock import Clock
from tests.drivers.holding import LONG_AGO, carry_out, place, release
from tests.drivers.moments import Moments
from tests.drivers.night import Night, witness_of
from tests.drivers.organisation import TOKEN
from tests.known_definitions import KNOWN

TABLES = {
    "dossier": ("cf_dossier", "cf_dossiers"),
    "fiche": ("cf_fiche", "cf_fiches"),
    "contact": ("contact", "contacts"),
    "party": ("cf_party", "cf_parties"),
    "recording": ("cf_recording", "cf_recordings"),
    "note": ("annotation", "annotations"),
    "call": ("phonecall", "phonecalls"),
    "email": ("email", "emails"),
}


class Organisation:
    """Three dossiers, two lone fiches, four people; `covered_by` says from the outside what a hold on each
    row covers."""

    def __init__(self, night: Night) -> None:
        self.rows: list[tuple[str, str]] = []  # kind and id
        self.below: dict[str, set[str]] = {}  # unit -> all rows of it, recordings with what depends on them
        self.unit_of: dict[str, str] = {}  # row -> the unit that it cannot be taken from
        self.roles: dict[str, set[str]] = {}  # contact -> the units in which it has a role
        self.about: dict[str, set[str]] = {}  # contact -> what depends on it
        people = [self._new("contact", night.contact(birthdate="1980-05-05")) for _ in range(4)]
        for person in people:
            self.about[person] = {self._new("note", night.note("contact", person))}
        night.donation(people[1])
        for number, category in enumerate(("social_card", "sexting", "e_safety")):
            dossier = night.dossier(category, spoken=LONG_AGO, fiches=2, cf_legalhold=False)
            fiches = night.fiches_of(dossier)
            self._unit("dossier", dossier)
            for fiche in fiches:
                self._part(dossier, "fiche", fiche)
            self._part(dossier, "note", night.note("cf_fiche", fiches[0]))
            self._part(dossier, "call", night.call("cf_dossier", dossier, []))
            self._role(night, people[number], dossier, fiche=fiches[1])
            self._role(night, people[number + 1], dossier, dossier=dossier)
            self._recording(night, dossier, fiches[0], evidence=number == 0)
        for category in ("social_card", "e_safety"):
            fiche = night.fiche(category, spoken=LONG_AGO)
            self._unit("fiche", fiche)
            self._role(night, people[3], fiche, fiche=fiche)
        self._recording(night, None, None, evidence=False)

    def _new(self, kind: str, row: str) -> str:
        self.rows.append((kind, row))
        return row

    def _unit(self, kind: str, row: str) -> None:
        self._new(kind, row)
        self.below[row], self.unit_of[row] = {row}, row

    def _part(self, unit: str, kind: str, row: str) -> None:
        self._new(kind, row)
        self.below[unit].add(row)
        self.unit_of[row] = unit

    def _role(self, night: Night, person: str, unit: str, **where: str) -> None:
        self._part(unit, "party", night.party(person, "suspect" if "fiche" in where else "child", **where))
        self.roles.setdefault(person, set()).add(unit)

    def _recording(self, night: Night, dossier: str | None, fiche: str | None, *, evidence: bool) -> None:
        recording = self._new("recording", night.recording(LONG_AGO, fiche=fiche, cf_evidence=evidence))
        note = self._new("note", night.note("cf_recording", recording))
        self.below[recording] = {recording, note}
        self.unit_of[recording] = self.unit_of[note] = recording
        if dossier is not None:
            self.below[dossier] |= {recording, note}

    def covered_by(self, kind: str, row: str) -> set[str]:
        """HLD-04, by what was built."""
        if kind == "contact":
            held = {row} | self.about[row]
            return held.union(*(self.below[unit] for unit in self.roles.get(row, ())))
        owner = next((person for person, notes in self.about.items() if row in notes), None)
        if owner is not None:
            return {row, owner}
        unit = self.unit_of[row]
        people = {person for person, units in self.roles.items() if unit in units}
        return self.below[unit] | people


class Watched(Moments):
    """A connector that places holds at given moments and remembers, for each write that it did not take for
    held, what was held when it was handed over."""

    def __init__(self, inner: Any, act: Callable[[int], object], held: set[str]) -> None:
        super().__init__(inner, act)
        self._held = held
        self.broken: list[tuple[str, str]] = []

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        before = set(self._held)
        found: list[ChangeResult] = self._inner.change(change_sets, held)
        for one, result in zip(change_sets, found, strict=True):
            for operation in one.operations if result.status is not ChangeStatus.HELD else ():
                unlinks = operation.record is Recording and operation.kind is OperationKind.UPDATE  # RET-03
                if operation.id in before and not unlinks:
                    self.broken.append((operation.record.__name__, operation.id))
        self._pass()
        return found


@pytest.fixture(scope="module")
def crm() -> Iterator[RunningEmulator]:
    with running(token=TOKEN, limits=False) as started, KNOWN.of(started, TOKEN):
        yield started


MOMENTS = st.lists(st.tuples(st.integers(1, 150), st.integers(0, 99)), min_size=1, max_size=3)


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=[*HealthCheck])
@given(MOMENTS, st.sampled_from([3, 1000]), st.sampled_from(sorted(set(HoldType) - {HoldType.REQUEST})))
def test_no_held_row_is_ever_written_and_all_goes_once_the_holds_are_released(
    crm: RunningEmulator, moments: list[tuple[int, int]], operations: int, kind: str
) -> None:
    """Each path that writes: units, several change sets of a unit, recordings and their links, contacts
    removed and trimmed, partial units that a later run finishes."""
    with tempfile.TemporaryDirectory() as folder, patch.object(send, "MAX_OPERATIONS", operations):
        night = a_night(crm, Path(folder))
        try:
            organisation, held = Organisation(night), set[str]()
            due = dict(moments)

            def act(moment: int) -> None:
                if (at := due.pop(moment, None)) is not None:
                    of_kind, row = organisation.rows[at % len(organisation.rows)]
                    table, entity_set = TABLES[of_kind]
                    if night.get(entity_set, row) is not None:
                        place(night, table, row, kind=kind)
                        held.update(organisation.covered_by(of_kind, row))

            for _ in range(2):
                connector = Watched(night.context.connector, act, held)
                carry_out(night, dataclasses.replace(night.context, connector=connector))
                assert connector.broken == []
            for hold in night.store.holds.all():
                release(night, hold, notified_on=date(2026, 11, 25))
            for _ in range(2):  # a unit that was left half done is finished before its people go
                carry_out(night, night.context)
            last = night.plan(Kind.ALL)
            assert (last.dispose, last.held_contacts, last.retain) == ({"delete": 0, "anonymise": 0}, (), {})
        finally:
            night.close()
            night.store.close()


def a_night(crm: RunningEmulator, folder: Path) -> Night:
    clock = Clock(datetime(2026, 11, 25, 11, tzinfo=UTC))
    policy = load_policy(
        (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8"), source="childfocus.yaml"
    )
    store = SqlStore.open(f"sqlite:///{folder / 'state.db'}", clock=clock, witness=witness_of(folder, folder, clock))
    night = Night(crm, store, KeyRing.open(folder, clock()), policy, clock)
    night.http.post(f"{crm.root}/_emulator/reset", json={"empty": True}).raise_for_status()
    return night


def test_every_kind_that_can_be_held_is_among_those_that_are_tried() -> None:
    assert set(TABLES) <= set(KINDS)
