"""A run is killed at any point and its database is lost with it: keys and register of erasures finish what it
had begun (ERA-12, ERA-13).

After `recover` and the next night nothing is left of what would not be left after a run that was never
disturbed: in the rows, in their history, in the recycle bin, in jobs and timelines.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from connectors.emulator.serving.server import RunningEmulator, running
from jobs.erasures.register import load_register, reconcile
from jobs.model.plan import Plan
from jobs.model.run import RunState
from jobs.restores.half_deleted_units import half_done
from jobs.restores.lost_places import LostPlaces
from jobs.restores.recover import recover
from jobs.restores.replay import replay_if_restored
from jobs.restores.replay_plan import plan_replay
from jobs.runs.apply import apply_plan
from jobs.writing import send
from tests.connectors.dynamics.residual.residual_crm import environment_with_more
from tests.drivers.holding import place, release
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.restoring import Backup
from tests.jobs.runs.kill_points import Fragile, Killed, Points, fragile_store, organisation, state_of
from tests.known_definitions import KNOWN

LONG_AGO = date(2018, 3, 1)
NAME = "Kanarie Verzonnen"
BIN = {
    "cf_dossiers": "cf_dossier",
    "cf_fiches": "cf_fiche",
    "cf_parties": "cf_party",
    "cf_recordings": "cf_recording",
    "annotations": "annotation",
    "phonecalls": "phonecall",
    "contacts": "contact",
    "activityparties": "activityparty",
}
MakeNight = Callable[..., Night]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    """An organisation with posts and queues."""
    with running(environment=environment_with_more(tmp_path), token=TOKEN, limits=False) as started, KNOWN.of(started, TOKEN):
        yield started


def start(night: Night) -> None:
    """The organisation of before, with a canary in every text, and old values, jobs and posts that tell of
    it."""
    root = night.emulator.root
    night.http.post(f"{root}/_emulator/reset", json={"empty": True}).raise_for_status()
    night.http.put(f"{root}/_emulator/switches", json={"recycle_bin_days": 30}).raise_for_status()
    organisation(night)
    somebody = night.dossier("social_card", spoken=LONG_AGO, fiches=0, cf_summary=NAME)
    night.http.delete(f"{night.emulator.url}cf_dossiers({somebody})").raise_for_status()  # by hand: nobody's business here
    rows = {
        "cf_dossier": [("cf_dossiers", row["cf_dossierid"]) for row in night.rows("cf_dossiers?$select=cf_dossierid")],
        "cf_fiche": [("cf_fiches", row["cf_ficheid"]) for row in night.rows("cf_fiches?$select=cf_ficheid")],
        "annotation": [("annotations", row["annotationid"]) for row in night.rows("annotations?$select=annotationid")],
        "phonecall": [("phonecalls", row["activityid"]) for row in night.rows("phonecalls?$select=activityid")],
        "contact": [("contacts", row["contactid"]) for row in night.rows("contacts?$select=contactid")],
    }
    column = {"cf_dossier": "cf_summary", "cf_fiche": "cf_summary", "annotation": "notetext", "phonecall": "subject", "contact": "lastname"}
    number = 0
    for table, found in rows.items():
        for table_set, row in sorted(found):
            night.patch(table_set, row, **{column[table]: NAME})
            number += 1
            if table in ("cf_dossier", "cf_fiche"):
                post = {"postid": f"7d7d0000-0000-4000-8000-{number:012d}", "text": NAME, "regardingobjectid": (table, row)}
                job = {"asyncoperationid": f"7e7e0000-0000-4000-8000-{number:012d}", "name": NAME, "regardingobjectid": (table, row)}
                night.emulator.load([("post", post), ("asyncoperation", job | {"statecode": 3, "statuscode": 30})])


def leftovers(night: Night) -> dict[str, Any]:
    """Everything that is there, by what it is about; of participants, whose ids are new each time, how many
    there are."""
    found: dict[str, Any] = {table: rows for table, rows in state_of(night).items() if table != "cf_statistics"}
    audits = night.rows("audits?$select=objecttypecode,_objectid_value,operation,action")
    about = ((row["objecttypecode"], row["_objectid_value"], row["operation"], row["action"]) for row in audits)
    found["audits"] = sorted(Counter(each for each in about if each[0] in BIN.values()).items())
    for table_set, table in BIN.items():
        text = f'<fetch datasource="bin"><entity name="{table}"><attribute name="createdon"/></entity></fetch>'
        found[f"bin {table}"] = len(night.rows(f"{table_set}?fetchXml={quote(text)}"))
    found["bin"] = len(night.rows("deleteditemreferences"))
    found["posts"] = sorted(row["postid"] for row in night.rows("posts?$select=postid"))
    jobs = night.rows("asyncoperations?$select=asyncoperationid,_regardingobjectid_value")
    found["jobs"] = sorted(row["asyncoperationid"] for row in jobs if row["_regardingobjectid_value"])
    return found


def begin(night: Night, plan: Plan, points: Points) -> None:
    """Carry out a plan until the process is killed, before or after one of all that it does to the CRM, the
    database and the register."""
    context = night.context
    context = dataclasses.replace(
        context,
        store=fragile_store(night.store, points, journal=("record",), runs=("save", "start"), erasures=("add",)),
        connector=Fragile(context.connector, points, ("change", "purge")),
        erased=Fragile(context.erased, points, ("append",)),
    )
    apply_plan(context, plan.id)


class Remaining(Points):
    """Keeps what a process that is killed here leaves when its database is lost with it: the rows of the CRM,
    and the register of erasures. Once where it leaves the same at several moments in a row, as most of what
    happens between them goes into the database alone. The run itself goes on."""

    def __init__(self, night: Night) -> None:
        super().__init__()
        self._night = night
        self._register = night.key.folder.parent / night.register
        self.moments: list[tuple[int, Backup, bytes]] = []

    def __call__(self) -> None:
        super().__call__()
        rows, erased = Backup(self._night), self._register.read_bytes() if self._register.exists() else b""
        if self.moments and (rows.content, erased) == (self.moments[-1][1].content, self.moments[-1][2]):
            rows.close()
        else:
            self.moments.append((self.passed, rows, erased))


@pytest.mark.parametrize("operations", [1000, 3], ids=["one change set a unit", "several change sets a unit"])
def test_a_run_that_was_killed_and_lost_leaves_what_an_undisturbed_one_leaves(
    make_night: MakeNight, tmp_path: Path, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch, operations: int
) -> None:
    """Killed before and after each call."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", operations)
    calm = make_night(url=database_file())
    start(calm)
    plan, points = calm.plan(), Remaining(calm)
    begin(calm, plan, points)
    expected = leftovers(calm)
    assert expected["bin"] == 1, "what somebody has deleted by hand"
    assert len(points.moments) > 10
    assert any(erased for *_, erased in points.moments), "none was killed with a register"
    for at, rows, erased in points.moments:
        calm.http.post(f"{calm.emulator.root}/_emulator/reset", json={"empty": True}).raise_for_status()
        rows.restore()
        if erased:
            (tmp_path / f"erased-{at}.jsonl").write_bytes(erased)
        after = make_night(url=database_file(), register=f"erased-{at}.jsonl")
        done = recover(after.context)
        assert (at, done.places.left, done.places.held) == (at, {}, 0)
        run = after.apply(after.plan())
        assert (at, run.state) == (at, RunState.DONE)
        assert {name: (found, expected[name]) for name, found in leftovers(after).items() if found != expected[name]} == {}, at
        after.close()
        after.store.close()
        rows.close()


def killed(night: Night, method: str, nth: int = 1) -> None:
    """A run that dies right before it calls the connector for the nth time."""
    context = night.context
    broken = Fragile(context.connector, Points(2 * nth - 1), (method,))
    with pytest.raises(Killed):
        apply_plan(dataclasses.replace(context, connector=broken), night.plan().id)


def history_of(night: Night, row: str) -> int:
    return len(night.rows(f"audits?$select=auditid&$filter=_objectid_value eq {row} and action ne 111"))


def test_a_hold_on_the_unit_keeps_what_is_left_of_its_rows(
    make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HLD-07: a dossier of which a part had gone comes under the hold of the CRM before anybody recovers;
    each night looks again."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", 3)
    night = make_night(url=database_file(), register="held.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=2)
    roles = [night.party(night.contact(), "witness", dossier=dossier) for _ in range(5)]
    killed(night, "change", 2)
    gone = [role for role in roles if night.get("cf_parties", role) is None]
    assert 0 < len(gone) < len(roles)
    night.patch("cf_dossiers", dossier, cf_legalhold=True)
    after = make_night(url=database_file(), register="held.jsonl")
    places = recover(after.context).places
    assert (places.held, places.cleaned) == (len(gone), 0)
    assert all(history_of(after, role) for role in gone)
    replay_if_restored(after.context)
    assert all(history_of(after, role) for role in gone)
    after.patch("cf_dossiers", dossier, cf_legalhold=False)
    replay_if_restored(after.context)
    assert not any(history_of(after, role) for role in gone)
    told = [entry.data for entry in after.store.ledger.entries() if entry.kind == "lost_places"]
    assert [(data["held"], data["cleaned"]) for data in told] == [(len(gone), 0), (len(gone), 0), (0, len(gone))]
    assert after.get("cf_dossiers", dossier) is not None


def test_a_later_hold_on_a_person_keeps_what_cannot_be_told_apart(make_night: MakeNight, database_file: Callable[[], str]) -> None:
    """HLD-04, HLD-07: whom rows were about that are gone stands nowhere any more."""
    night = make_night(url=database_file(), register="person.jsonl")
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    night.donation(person)
    killed(night, "purge")
    assert night.get("cf_dossiers", dossier) is None
    after = make_night(night.clock.now + timedelta(hours=1), url=database_file(), register="person.jsonl")
    hold = place(after, person=person)
    places = recover(after.context).places
    assert (places.held, places.cleaned, places.uncertified) == (places.rows, 0, places.rows)
    assert history_of(after, dossier)
    release(after, hold)
    replay_if_restored(after.context)
    assert not history_of(after, dossier)


def test_a_unit_that_its_run_left_half_done_is_cleaned_after_a_later_loss(make_night: MakeNight, database_file: Callable[[], str]) -> None:
    """The run came to its end; the next night would have gone on (R-089)."""
    night = make_night(url=database_file(), register="later.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    context = night.context

    class Refusing(Fragile):
        def __getattr__(self, name: str) -> Any:
            return (lambda *_, **__: frozenset()) if name == "purge" else super().__getattr__(name)

    run = apply_plan(dataclasses.replace(context, connector=Refusing(context.connector, Points(), ())), night.plan().id)
    assert run.state is RunState.DONE_WITH_FAILURES
    assert history_of(night, dossier)
    after = make_night(url=database_file(), register="later.jsonl")
    places = recover(after.context).places
    assert (places.left, places.held, places.rows > 0) == ({}, 0, True)
    assert not history_of(after, dossier)


def test_a_row_that_lives_keeps_its_history_whatever_was_announced(make_night: MakeNight, database_file: Callable[[], str]) -> None:
    """Killed between the announcement and the first write."""
    night = make_night(url=database_file(), register="alive.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    killed(night, "change")
    after = make_night(url=database_file(), register="alive.jsonl")
    before = history_of(after, dossier)
    assert recover(after.context).places == LostPlaces(not_reachable=recover(after.context).places.not_reachable)
    assert history_of(after, dossier) == before > 0


def come(night: Night, change: str, dossier: str, left: list[str]) -> None:
    """What somebody does with a dossier of which these fiches are left."""
    if change == "version":
        night.patch("cf_dossiers", dossier, cf_summary="Verzonnen.")
    elif change == "fiche":
        night.fiche("social_card", spoken=date(2026, 11, 1), dossier=dossier)
    elif change == "child":
        night.party(night.contact(birthdate="2015-01-01"), "child", dossier=dossier)
    elif change == "child of a fiche":
        night.party(night.contact(birthdate="2015-01-01"), "child", fiche=left[0])
    elif change == "recording":
        night.recording(date(2026, 11, 20), fiche=left[0])
    elif change == "note":
        night.note("cf_fiche", left[0])


@pytest.mark.parametrize("change", ["nothing", "version", "fiche", "child", "child of a fiche", "recording", "note"])
def test_a_unit_that_is_half_gone_is_finished_only_as_it_was_judged(
    make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """RET-03, RET-17: without its fiches nothing can be judged any more; one that was changed, or to which
    something came, if only a role that changes no version, is counted and stays."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", 3)
    night = make_night(url=database_file(), register="half.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=6)
    killed(night, "change", 2)
    left = night.fiches_of(dossier)
    assert 0 < len(left) < 6
    come(night, change, dossier, left)
    after = make_night(url=database_file(), register="half.jsonl")
    done = recover(after.context)
    assert done.left == (() if change == "nothing" else (("cf_dossier", dossier),))
    assert (after.get("cf_dossiers", dossier) is None) is (change == "nothing")
    assert done.places.cleaned == 6 - len(left)


def test_what_was_announced_with_a_unit_is_no_news_in_it(
    make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "MAX_OPERATIONS", 3)
    night = make_night(url=database_file(), register="known.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=2)
    roles = [night.party(night.contact(), "witness", dossier=dossier) for _ in range(4)]
    kept, other = night.fiches_of(dossier)
    recording = night.recording(date(2026, 11, 20), fiche=kept)
    night.note("cf_fiche", other)
    killed(night, "change", 2)
    assert 0 < sum(night.get("cf_parties", role) is None for role in roles) < 4
    assert (night.get("cf_recordings", recording) or {})["_cf_ficheid_value"] == kept
    after = make_night(url=database_file(), register="known.jsonl")
    assert recover(after.context).left == ()
    assert after.get("cf_dossiers", dossier) is None


@pytest.mark.parametrize("change", ["nothing", "child"])
def test_what_comes_to_the_rest_of_a_unit_while_its_plan_waits_keeps_it(
    make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """RET-17: people may take days to approve what `recover` has found."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", 3)
    night = make_night(url=database_file(), register="waits.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=6)
    killed(night, "change", 2)
    after = make_night(url=database_file(), register="waits.jsonl")
    reconcile(after.context)
    half = half_done(after.context, load_register(after.context), lambda *_: False)
    plan = plan_replay(after.context, half_done=half.units)
    assert plan is not None
    come(after, change, dossier, [])
    run = apply_plan(after.context, plan.id)
    assert ("CHANGED" in str(run.counts["skipped"])) is (change != "nothing")
    assert (after.get("cf_dossiers", dossier) is None) is (change == "nothing")


@pytest.mark.parametrize("change", ["nothing", "child", "fiche", "version"])
@pytest.mark.parametrize("refused", ["dossier", "fiche"])
def test_a_unit_that_a_run_which_ended_has_left_half_done_is_found_after_a_later_loss(
    make_night: MakeNight, database_file: Callable[[], str], monkeypatch: pytest.MonkeyPatch, refused: str, change: str
) -> None:
    """ERA-15: the CRM refused the rest of it. The next night would have gone on; the lost database alone knew
    of that, and nobody else would come back to a dossier without the fiches by which it was judged."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", 3)
    night = make_night(url=database_file(), register="left.jsonl")
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=6)
    last = sorted(night.fiches_of(dossier))[-1]
    path = f"cf_dossiers({dossier})" if refused == "dossier" else f"cf_fiches({last})"
    set_faults(night.emulator, {"match": {"method": "DELETE", "path": path, "every": 1}, "times": 99, "do": "status", "status": 403})
    run = night.apply(night.plan())
    set_faults(night.emulator)
    assert run.counts["partial"] == 1
    assert recover(night.context).left == ()  # the database is there: the next night goes on
    assert night.get("cf_dossiers", dossier) is not None
    come(night, change, dossier, [])
    after = make_night(url=database_file(), register="left.jsonl")
    assert len(recover(after.context).left) == (change != "nothing")
    assert (after.get("cf_dossiers", dossier) is None) is (change == "nothing")
    assert len(recover(after.context).left) == (change != "nothing")
