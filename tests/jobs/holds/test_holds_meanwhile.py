"""Holds that are placed while a plan is carried out: whatever has not been written is not written any more
(HLD-07, R-077)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from connectors.dynamics.bulk_delete.deletes import Deleting
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.pace.governor import Pace
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from jobs.holds.active import active_holds
from jobs.model.plan import Kind
from jobs.model.run import ActionState, RunState
from jobs.runs.apply import apply_plan
from jobs.writing import send
from rules.holds.of_requests import RequestHold
from tests.drivers.connecting import connect
from tests.drivers.holding import LONG_AGO, Register, carry_out, place, release, with_register
from tests.drivers.merging import merge
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN
from tests.jobs.runs.bulk_deletes import QUEUE_S, Bulk
from tests.jobs.runs.interruptions import Meddling, applied, killed_before


def an_expired_case(night: Night, **columns: Any) -> dict[str, str]:
    dossier = night.dossier("social_card", spoken=LONG_AGO, **columns)
    (fiche,) = night.fiches_of(dossier)
    person = night.contact()
    return {
        "dossier": dossier,
        "fiche": fiche,
        "contact": person,
        "party": night.party(person, "suspect", fiche=fiche),
        "note": night.note("cf_dossier", dossier),
    }


TABLES = {"dossier": "cf_dossier", "fiche": "cf_fiche", "contact": "contact", "party": "cf_party", "note": "annotation"}
# Reads and writes on the way from the plan to the write: each is a moment at which somebody may place a hold.
MOMENTS = [("Dossier", 1), ("Fiche", 1), ("Party", 2), ("Recording", 2), ("Note", 2), ("Email", 2)]


@pytest.mark.parametrize("what", TABLES)
def test_r077_a_hold_placed_after_the_plan_wins(night: Night, what: str) -> None:
    """R-077: on any row of the unit, or on a person in it."""
    rows, plan = an_expired_case(night), night.plan()
    place(night, TABLES[what], rows[what])
    before = night.writes()
    run = night.apply(plan)
    assert night.writes() == before
    assert run.counts["skipped"] == {"HOLD_JUDICIAL": 2 if what == "contact" else 1} | ({} if what == "contact" else {"STILL_REFERRED": 1})
    assert run.state is RunState.DONE


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("what", ["contact", "note", "conditions"])
def test_r077_a_hold_wins_at_every_moment_before_the_write(night: Night, moment: tuple[str, int], what: str) -> None:
    rows, plan = an_expired_case(night), night.plan()

    def act() -> None:
        if what == "conditions":
            place(night, "cf_dossier", where=("category=social_card",))
        else:
            place(night, TABLES[what], rows[what])

    night.approved(plan)
    applied(night, plan, Meddling(night.context.connector, act, before=moment[0], nth=moment[1]))
    assert len(night.store.holds.all()) == 1
    assert night.get("cf_dossiers", rows["dossier"]) is not None
    assert night.get("annotations", rows["note"]) is not None
    assert night.get("contacts", rows["contact"]) is not None


def test_r077_a_request_received_after_the_plan_wins(night: Night) -> None:
    rows, register = an_expired_case(night), Register()
    context = with_register(night, register)
    plan = night.plan()
    night.approved(plan)
    register.requests.append(RequestHold(request="request-1", right="access", contacts=(rows["contact"],)))
    assert apply_plan(context, plan.id).counts["skipped"] == {"HOLD_REQUEST": 2}
    assert carry_out(night, context)[0].retain == {"HOLD_REQUEST": 1}


def in_small_batches(night: Night) -> None:
    """Ten operations in a batch at first, one batch after the other."""
    text, source = mapping_text(Settings())
    night.connector.close()
    night.connector = connect(
        url=night.emulator.url,
        tokens=StaticToken(TOKEN, night.emulator.url),
        mapping_text=text,
        mapping_source=source,
        sleep=lambda _: None,
        pace=Pace(concurrency=1),
    )


class Batches:
    """Calls `act` once, when the n-th batch is about to be sent: the batch itself is on its way, the next one
    is not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], nth: int) -> None:
        self.count = 0
        real = Transport.post_batch

        def post(transport: Transport, *args: Any, **more: Any) -> Any:
            self.count += 1
            if self.count == nth:
                act()
            return real(transport, *args, **more)

        monkeypatch.setattr(Transport, "post_batch", post)


@pytest.mark.parametrize("nth", [1, 2])
def test_r077_a_hold_placed_in_the_middle_of_batches_stops_those_that_follow(
    night: Night, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """One group of units goes in several batches of about ten rows; the last unit of the plan comes under a
    hold at the n-th."""
    dossiers = sorted(night.dossier("social_card", spoken=LONG_AGO, fiches=5) for _ in range(8))
    plan = night.plan()
    in_small_batches(night)
    batches = Batches(monkeypatch, lambda: place(night, "cf_dossier", dossiers[-1]), nth)
    run = night.apply(plan)
    assert batches.count > nth
    assert [night.get("cf_dossiers", row) is not None for row in dossiers] == [False] * 7 + [True]
    assert len(night.fiches_of(dossiers[-1])) == 5
    assert (run.counts["deleted"], run.counts["skipped"]) == (7, {"HOLD_JUDICIAL": 1})


@pytest.mark.parametrize("what", ["dossier", "contact", "conditions"])
def test_r077_a_hold_placed_between_the_parts_of_a_large_unit_leaves_the_rest(
    night: Night, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A unit beyond 1,000 rows goes in several change sets. Its roles go first, and with them the way from
    the person to the dossier; the run, and every later one, leaves what is left until the hold is
    released."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", 2)
    rows = an_expired_case(night)
    plan = night.plan()

    def act() -> None:
        if what == "conditions":
            place(night, "cf_dossier", where=("category=social_card",))
        else:
            place(night, TABLES[what], rows[what])

    night.approved(plan)
    run = applied(night, plan, Meddling(night.context.connector, act, before="change", nth=2))
    journal = {action.id: (action.state, action.code) for action in night.store.journal.of_run(run.id)}
    assert journal[rows["dossier"]] == (ActionState.PARTIAL, "HOLD_JUDICIAL")
    assert (night.get("annotations", rows["note"]), night.get("cf_dossiers", rows["dossier"]) is None) == (None, False)


@pytest.mark.parametrize("what", ["dossier", "contact", "conditions", "merged"])
def test_a_unit_that_was_left_half_done_stays_so_under_a_hold(night: Night, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Killed after the first part; the hold comes before the run goes on (ERA-15, HLD-07)."""
    monkeypatch.setattr(send, "MAX_OPERATIONS", 2)
    rows, merged = an_expired_case(night), night.contact()
    merge(night, merged, rows["contact"])
    plan = night.plan()
    night.approved(plan)
    killed_before(night, plan, "change", at=2)
    assert night.get("annotations", rows["note"]) is None
    if what == "conditions":
        hold = place(night, "cf_dossier", where=("category=social_card", "active=no"))
    elif what == "merged":
        hold = place(night, person=merged)
    else:
        hold = place(night, TABLES[what], rows[what])
    for again in (False, True):
        night.apply(night.plan() if again else plan)
        assert night.get("cf_dossiers", rows["dossier"]) is not None
    release(night, hold)
    night.apply(night.plan())
    assert night.get("cf_dossiers", rows["dossier"]) is None


def test_a_contact_that_comes_under_a_hold_when_its_unit_has_gone_stays_as_it_is(night: Night) -> None:
    """The dossier goes, then the hold comes, then the contacts' turn: one would be removed, the other
    trimmed."""
    rows, donor = an_expired_case(night), night.contact(birthdate="1980-05-05")
    night.donation(donor)
    night.party(donor, "parent", dossier=rows["dossier"])
    plan = night.plan()
    night.approved(plan)

    def act() -> None:
        place(night, person=rows["contact"])
        place(night, person=donor)

    holds = Meddling(night.context.connector, act, before="ActivityParty", nth=2)
    run = applied(night, plan, holds)
    assert night.get("cf_dossiers", rows["dossier"]) is None
    assert run.counts["skipped"] == {"HOLD_JUDICIAL": 2}
    assert run.counts["partial"] == 1  # what the dossier has left in other places stays too
    left = night.get("contacts", donor)
    assert left is not None
    assert left["birthdate"] == "1980-05-05"
    for hold in night.store.holds.all():
        release(night, hold)
    again = night.apply(night.plan())
    assert (again.counts["deleted"], again.counts["trimmed"], again.counts["partial"]) == (2, 1, 0)


# -- jobs of the CRM -----------------------------------------------------------------------------------------


def test_r077_a_hold_placed_before_a_job_is_started_keeps_its_row_out_of_it(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = Bulk(night)
    due = [night.recording(LONG_AGO) for _ in range(5)]
    plan = bulk.plan()
    night.approved(plan)
    real = Deleting._versions

    def versions(self: Deleting, *args: Any) -> Any:
        place(night, "cf_recording", due[0])
        return real(self, *args)

    monkeypatch.setattr(Deleting, "_versions", versions)
    run = bulk.apply(plan)
    assert bulk.left() == {due[0]}
    assert (run.counts["deleted"], run.counts["skipped"]) == (4, {"HOLD_JUDICIAL": 1})


def test_r077_a_hold_placed_while_a_job_waits_has_it_cancelled(night: Night) -> None:
    """No query of the CRM knows the product's holds, so the job is stopped; the other rows go in batches."""
    bulk = Bulk(night)
    due = [night.recording(LONG_AGO) for _ in range(5)]
    plan = bulk.plan()
    night.approved(plan)
    bulk.control("switches", {"bulk_delete_queue_s": 30 * QUEUE_S})
    placed: list[object] = []

    def act() -> None:
        if not placed and bulk.job_rows:
            placed.append(place(night, "cf_recording", due[0]))

    bulk.on_sleep = act
    run = bulk.apply(plan)
    assert placed
    assert bulk.left() == {due[0]}
    assert (run.counts["deleted"], run.counts["skipped"]) == (4, {"HOLD_JUDICIAL": 1})
    assert bulk.job_rows == 0


def test_a_recording_whose_dossier_comes_under_a_hold_is_not_deleted(night: Night) -> None:
    """R-048 at the write: the recording's own row tells nothing of it."""
    dossier = night.dossier("runaway", spoken=date(2026, 1, 1), closed=False)
    (fiche,) = night.fiches_of(dossier)
    recording, free = night.recording(LONG_AGO, fiche=fiche), night.recording(LONG_AGO)
    plan = night.plan(Kind.RECORDINGS)
    night.approved(plan)
    connector = Meddling(night.context.connector, lambda: place(night, "cf_dossier", dossier), before="Call", nth=1)
    run = applied(night, plan, connector)
    assert run.counts["skipped"] == {"HOLD_JUDICIAL": 1}
    assert (night.get("cf_recordings", recording) is None, night.get("cf_recordings", free) is None) == (False, True)


def test_hld07_a_hold_that_comes_while_the_crm_is_asked_for_its_own_flag_wins(night: Night) -> None:
    """At each look at the dossier of a recording, the one right before the write among them."""
    of_moments: list[tuple[int, bool]] = []
    for nth in range(1, 20):
        dossier = night.dossier("runaway", spoken=date(2026, 1, 1), closed=False)
        recording = night.recording(LONG_AGO, fiche=night.fiches_of(dossier)[0])
        plan = night.plan(Kind.RECORDINGS)
        night.approved(plan)
        placed: list[bool] = []

        def act(placed: list[bool] = placed, recording: str = recording, dossier: str = dossier) -> None:
            placed.append(night.get("cf_recordings", recording) is not None)
            place(night, "cf_dossier", dossier)

        applied(night, plan, Meddling(night.context.connector, act, before="Dossier", nth=nth))
        if placed != [True]:
            break
        of_moments.append((nth, night.get("cf_recordings", recording) is not None))
    assert len(of_moments) > 1
    assert all(stays for _, stays in of_moments), of_moments


def test_hld07_a_hold_that_comes_while_the_crm_is_asked_what_others_reach_is_in_force(night: Night) -> None:
    first, other = night.contact(), night.contact()
    night.party(first, "suspect", dossier=night.dossier("runaway", closed=False))
    place(night, "contact", first)
    for nth in range(1, 20):
        placed: list[str] = []

        def act(placed: list[str] = placed) -> None:
            placed.append(place(night, "contact", other).id)

        context = dataclasses.replace(night.context, connector=Meddling(night.context.connector, act, before="Party", nth=nth))
        holds = active_holds(context, night.context.day(night.clock()))
        assert (nth, ("contact", other) in holds.rows) == (nth, bool(placed))
        if not placed:
            assert nth > 1
            return
        (hold,) = (each for each in night.store.holds.all() if each.id == placed[0])
        release(night, hold)
    raise AssertionError("more looks than there can be")
