"""The moments at which a run may be killed, and what a run that is killed there leaves."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import update

from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Held
from crm_compliance.store.sql import tables
from crm_compliance.store.store import SqlStore
from jobs.model.plan import Plan
from jobs.model.run import Run
from jobs.runs.apply import apply_plan
from jobs.runs.journal import Journal
from jobs.runs.resume import reconcile_intended
from tests.drivers.beginnings import Beginning
from tests.drivers.night import Night
from tests.drivers.typed import typed

MakeNight = Callable[..., Night]
TABLES = (
    "cf_dossiers",
    "cf_fiches",
    "cf_parties",
    "cf_recordings",
    "contacts",
    "annotations",
    "phonecalls",
    "activityparties",
    "cf_donations",
)
VOLATILE = ("@odata.etag", "versionnumber", "modifiedon", "createdon", "activitypartyid")
ON = date(2018, 3, 1)


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


class Points:
    """Counts the moments at which a run may be killed, and kills it at one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Killed


class Snapshots(Points):
    """Keeps what a process that is killed leaves at the first moment and each so many later, once where it is
    the same. The run itself goes on."""

    def __init__(self, night: Night, url: str, every: int = 1) -> None:
        super().__init__()
        self._night, self._url, self._every = night, url, every
        self._moments: dict[str, tuple[int, Beginning]] = {}  # by what is left

    def __call__(self) -> None:
        super().__call__()
        if self.passed % self._every == 1 % self._every:
            left = Beginning(self._night, self._url, f"left-{self.passed}")
            if self._moments.setdefault(left.digest, (self.passed, left))[0] != self.passed:
                left.close()

    def __len__(self) -> int:
        return len(self._moments)

    def nights(self, make_night: MakeNight, database_file: Callable[[], str]) -> Iterator[tuple[int, Night]]:
        """Each moment, and a night over what it left, a minute later: nobody lives to renew the lease."""
        for at, left in self._moments.values():
            night = left.again(make_night, database_file())
            with night.store.database.writing() as connection:
                connection.execute(update(tables.leases).values(renewed_at=0.0))
            yield at, night
            night.close()
            night.store.close()
            left.close()


class Fragile:
    """A noun of the store, or a connector, that may be killed before and after each of some methods."""

    def __init__(self, inner: Any, points: Points, methods: Sequence[str]) -> None:
        self._inner, self._points, self._methods = inner, points, methods

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._methods:
            return found

        def fragile(*args: Any, **more: Any) -> Any:
            self._points()
            answer = found(*args, **more)
            self._points()
            return answer

        return fragile


class CutShort:
    """A connector whose n-th request leaves a process that is killed; it arrives when what was announced has
    been read back."""

    def __init__(self, inner: Any, nth: int) -> None:
        self._inner, self._left = inner, nth
        self._under_way: Sequence[ChangeSet] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        self._left -= 1
        if self._left:
            found: list[ChangeResult] = self._inner.change(change_sets, held)
            return found
        self._under_way = change_sets
        raise Killed

    def reconcile_and_land(self, journal: Journal) -> None:
        reconcile_intended(journal)
        self.land()

    def land(self) -> None:
        landed = self._inner.change(self._under_way)
        assert [each.status for each in landed] == [ChangeStatus.DONE] * len(self._under_way)


def fragile_store(store: SqlStore, points: Points, **methods: Sequence[str]) -> SqlStore:
    """A store that may be killed before and after each of some methods of some nouns."""
    nouns: dict[str, Any] = {noun: Fragile(getattr(store, noun), points, verbs) for noun, verbs in methods.items()}
    return dataclasses.replace(store, **nouns)


def organisation(night: Night) -> None:
    """Two dossiers to anonymise, one to delete, one that stays; a shared contact, a donor, recordings, a
    total to count on."""
    donor, shared = night.contact(birthdate="1980-05-05"), night.contact(birthdate="1981-01-01")
    night.donation(donor)
    night.create("cf_statistics", "cf_statisticid", cf_name="Statistic", cf_categorykey="total_exploitation", cf_year=2018, cf_count=2)
    for category in ("sexting", "grooming", "social_card"):
        dossier = night.dossier(category, spoken=ON, fiches=3)
        first = night.fiches_of(dossier)[0]
        child = night.contact(birthdate="2000-02-01")
        night.party(child, "child", dossier=dossier)
        night.party(donor, "reporter", fiche=first)
        night.party(shared, "parent", dossier=dossier)
        night.note("cf_fiche", first)
        night.call("cf_dossier", dossier, [child, shared])
        night.recording(ON, fiche=first)
        night.recording(date(2026, 11, 1), fiche=first)
    night.party(shared, "parent", dossier=night.dossier("runaway", spoken=date(2026, 11, 1)))


def state_of(night: Night) -> dict[str, Any]:
    """Every row of the organisation, without what changes by itself; of statistics the values alone."""
    found: dict[str, Any] = {
        table: sorted(
            json.dumps({key: value for key, value in row.items() if key not in VOLATILE}, sort_keys=True) for row in night.rows(table)
        )
        for table in TABLES
    }
    statistics = night.rows("cf_statistics?$select=cf_categorykey,cf_year,cf_count,cf_province,cf_ageband,cf_sex")
    found["cf_statistics"] = sorted(
        json.dumps({key: value for key, value in row.items() if not key.startswith("@") and key != "cf_statisticid"}, sort_keys=True)
        for row in statistics
    )
    return found


def said(settings: dict[str, str], *words: str) -> dict[str, Any]:
    """What a command answers, typed in this process."""
    answered = typed(*words, "--json", settings=settings)
    assert answered.code == 0, answered
    answer: dict[str, Any] = answered.document
    return answer


def run_fragile(night: Night, plan: Plan, points: Points) -> Run:
    """Apply a plan with a store and a client that may be killed."""
    context = night.context
    context = dataclasses.replace(
        context,
        store=fragile_store(night.store, points, journal=("record",), runs=("save", "start")),
        connector=Fragile(context.connector, points, ("change",)),
    )
    return apply_plan(context, plan.id)
