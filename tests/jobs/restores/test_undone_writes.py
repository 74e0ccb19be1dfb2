"""A restore that brings nothing back of what was erased, but undoes what requests had written (ERA-13)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest

from jobs.inbox.plans import of_restores
from jobs.model.request import Details, GivenPerson
from jobs.model.run import RunState
from jobs.nightly.requests import run_requests
from jobs.requests.decisions.carry_out import fulfil_all
from jobs.requests.decisions.lost_writes import lost_writes, undone_for_certain
from jobs.restores.replay_plan import plan_replay
from rules.model.requests import Right
from tests.drivers.deciding import ask, close, context_of, granted
from tests.drivers.night import Night
from tests.drivers.restoring import Backing
from tests.jobs.restores.replaying import entries
from tests.jobs.runs.kill_points import Killed


def test_a_night_ends_uses_again_and_disposes_of_nothing_by_a_corrected_birth_date_before_people_looked(
    night: Night, backup: Backing
) -> None:
    """RET-17, GDPR art. 16, 21(3): what was erased is not there to tell of the restore."""
    donor = night.contact(cf_newsletter=True, cf_newsletterconsenton="2025-01-01")
    night.donation(donor)
    child = night.contact(firstname="Joris", lastname="Claes (fictief)", birthdate="2007-11-10")
    dossier = night.dossier("grooming", spoken=date(2020, 1, 10))
    night.party(child, "child", dossier=dossier)
    kept = backup(night)
    asked = [
        ask(night, Right.OBJECTION, donor),
        ask(night, Right.RECTIFICATION, child, given=GivenPerson("Joris", "Claes (fictief)", "2009-11-10")),
    ]
    for request in asked:
        granted(night, request)
        close(night, request)
    night.clock.advance(days=31)

    def planned() -> tuple[str, tuple[str, ...]]:
        plan = night.plan()
        return night.lines(plan)[dossier].outcome, plan.why

    kept.restore()
    done = run_requests(context_of(night))
    assert (done.state, [alarm.code for alarm in done.alarms]) == (RunState.DONE_WITH_FAILURES, ["REQUEST_UNDONE"])
    assert [(night.get("contacts", donor) or {})[name] for name in ("cf_newsletter", "donotbulkemail")] == [False, True]
    assert planned() == ("dispose", ("REQUEST_UNDONE",))
    assert entries(night, "alarm") == [{"code": "REQUEST_UNDONE", "rows": 2}]
    assert list(of_restores(night.store, night.clock())) == [], "nobody is told that erased rows are back"
    night.patch("contacts", child, birthdate="2009-11-10")
    assert (run_requests(context_of(night)).alarms, planned()) == ((), ("retain", ()))


def test_a_row_that_is_older_than_before_the_write_and_a_note_that_is_gone_are_told(night: Night, backup: Backing) -> None:
    """GDPR art. 16: somebody had changed the row between the backup and the correction. The note is named by
    the plan of a replay alone: nothing tells whether a restore or a person has taken it away."""
    child = night.contact(firstname="Joris", lastname="Claes (fictief)", birthdate="2007-11-10")
    dossier = night.dossier("grooming", spoken=date(2020, 1, 10))
    night.party(child, "child", dossier=dossier)
    kept = backup(night)
    night.patch("contacts", child, telephone1="021234567")
    details = Details(statement="Verzonnen betwisting.")
    given = GivenPerson("Joris", "Claes (fictief)", "2009-11-10")
    request = ask(night, Right.RECTIFICATION, child, given=given, details=details)
    granted(night, request)
    assert lost_writes(night.context, with_notes=True) == []
    kept.restore()
    assert [(each.id, each.is_as_before, each.is_restored) for each in undone_for_certain(night.context)] == [(child, False, True)]
    plan = plan_replay(night.context)
    assert plan is not None
    assert {line.id for line in night.lines(plan).values() if line.reason == "REQUEST_UNDONE"} == {child, dossier}


def test_a_write_is_told_as_undone_whose_round_did_not_live_to_note_it(
    night: Night, backup: Backing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ERA-13: what the next round finds written is noted as done, once."""
    donor = night.contact(cf_newsletter=True, cf_newsletterconsenton="2025-01-01")
    night.donation(donor)
    child = night.contact(firstname="Joris", lastname="Claes (fictief)", birthdate="2007-11-10")
    dossier = night.dossier("grooming", spoken=date(2020, 1, 10))
    night.party(child, "child", dossier=dossier)
    kept = backup(night)
    append, alive = night.store.ledger.append, {"unsubscribe", "correct", "annotate"}

    def or_die(told: Any, run: Any = None) -> None:
        for kind, data in told:
            if kind == "request_write" and data["state"] == "done" and data["what"] in alive:
                alive.remove(data["what"])
                raise Killed
        append(told, run)

    given, details = GivenPerson("Joris", "Claes (fictief)", "2009-11-10"), Details(statement="Verzonnen betwisting.")
    monkeypatch.setattr(night.store.ledger, "append", or_die)
    for request in (ask(night, Right.OBJECTION, donor), ask(night, Right.RECTIFICATION, child, given=given, details=details)):
        with suppress(Killed):
            granted(night, request)
    for _ in range(3):
        night.clock.advance(days=1)  # a note has the day on which it was written
        with suppress(Killed):
            fulfil_all(context_of(night))
    noted = sorted((entry["what"], entry["state"]) for entry in entries(night, "request_write"))
    assert noted == [(what, state) for what in ("annotate", "correct", "unsubscribe") for state in ("done", "intended")]
    assert lost_writes(night.context, with_notes=True) == []
    kept.restore()
    assert "REQUEST_UNDONE" in {alarm.code for alarm in run_requests(context_of(night)).alarms}
    assert [(night.get("contacts", donor) or {})[name] for name in ("cf_newsletter", "donotbulkemail")] == [False, True]
    assert {(each.id, each.is_restored) for each in lost_writes(night.context, with_notes=True)} == {(child, True), (dossier, False)}
