"""An open request holds what it is about, and for how long after its answer (R-035, R-072, R-073)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from jobs.model.plan import Kind
from jobs.plans.lines.pages import lines_of
from jobs.plans.make import make_plan
from jobs.runs.apply import apply_plan
from rules.holds.of_requests import RequestHold
from rules.policy.versions import Version, arranged
from tests.drivers.holding import LONG_AGO, Register, carry_out, with_register
from tests.drivers.night import Night, brussels_noon


def test_r072_a_recording_that_expired_yesterday_waits_for_its_callers_request(night: Night) -> None:
    """R-072, HLD-08: kept while the request is pending and for thirty days after, found by the caller's role
    or by the recording alone."""
    open_dossier = night.dossier("runaway", spoken=LONG_AGO, closed=False)
    (fiche,) = night.fiches_of(open_dossier)
    caller = night.contact()
    night.party(caller, "reporter", fiche=fiche)
    linked, alone = night.recording(date(2026, 5, 24), fiche=fiche), night.recording(date(2026, 5, 24))
    free = night.recording(date(2026, 5, 24))
    pending = RequestHold(request="request-1", right="access", contacts=(caller,), rows=(("recording", alone),))
    register = Register(pending)
    context = with_register(night, register)
    carry_out(night, context, Kind.RECORDINGS)
    assert night.get("cf_recordings", free) is None
    plan = make_plan(context, Kind.RECORDINGS)
    reasons = {line.id: line.reasons for line in lines_of(night.store.plans.pages(plan.id))}
    assert reasons == {linked: ("HOLD_REQUEST",), alone: ("HOLD_REQUEST",)}


@pytest.mark.parametrize(("day", "goes"), [(date(2026, 5, 10), False), (date(2026, 5, 11), True)])
def test_r035_r073_an_answered_request_holds_for_thirty_days_and_moves_no_end(night: Night, day: date, *, goes: bool) -> None:
    """R-073: closed 2026-04-10, kept on 2026-05-10, disposed of on 2026-05-11; R-035: the end stays."""
    dossier, person = night.dossier("social_card", spoken=date(2025, 2, 10)), night.contact()
    night.party(person, "reporter", dossier=dossier)
    register = Register(RequestHold(request="request-1", right="access", contacts=(person,), closed_on=date(2026, 4, 10)))
    night.clock.now = brussels_noon(day)
    context = with_register(night, register)
    plan, _ = carry_out(night, context)
    line = {line.id: line for line in lines_of(night.store.plans.pages(plan.id))}[dossier]
    assert (line.is_disposal, line.retention_end) == (goes, "2025-08-10")
    assert line.reasons == (("EXPIRED",) if goes else ("HOLD_REQUEST",))
    assert (night.get("cf_dossiers", dossier) is None) is goes


def test_the_grace_of_requests_is_the_schedules(make_night: Any) -> None:
    """HLD-08: configurable from 0 to 90 days."""
    night = make_night(policy=lambda text: text.replace("request_grace_days: 30", "request_grace_days: 0"))
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    night.party(person, "reporter", dossier=dossier)
    closed = Register(RequestHold(request="request-1", right="access", contacts=(person,), closed_on=date(2026, 11, 25)))
    context = with_register(night, closed)
    assert make_plan(context, Kind.ALL).retain == {"HOLD_REQUEST": 1}
    night.clock.now += timedelta(days=1)
    assert make_plan(context, Kind.ALL).retain == {}


def test_the_grace_of_requests_is_that_of_the_version_in_force_where_it_is_longer(night: Night) -> None:
    """HLD-08: the plan was made on the last day of a version without one."""
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    night.party(person, "reporter", dossier=dossier)
    closed = Register(RequestHold(request="request-1", right="access", contacts=(person,), closed_on=date(2026, 11, 24)))
    first, second = (
        night.policy.model_copy(
            update={
                "version": version,
                "valid_from": begins,
                "digest": version * 64,
                "defaults": night.policy.defaults.model_copy(update={"request_grace_days": days}),
            }
        )
        for version, begins, days in (("1", date(2020, 1, 1), 0), ("2", date(2026, 11, 26), 30))
    )
    versions = arranged([Version(first, "", "1.yaml"), Version(second, "", "2.yaml")])
    context = replace(with_register(night, closed), policy=first, versions=versions)
    plan = make_plan(context, Kind.ALL)
    assert plan.dispose["delete"] == 2
    night.clock.now += timedelta(days=1)
    assert apply_plan(context, plan.id).counts["deleted"] == 0
    assert night.get("cf_dossiers", dossier) is not None


def test_an_objection_holds_until_it_is_decided(night: Night) -> None:
    """HLD-10."""
    dossier, person = night.dossier("social_card", spoken=LONG_AGO), night.contact()
    night.party(person, "parent", dossier=dossier)
    register = Register(RequestHold(request="request-1", right="objection", contacts=(person,)))
    assert make_plan(with_register(night, register), Kind.ALL).retain == {"HOLD_OBJECTION": 1}
    register.requests = [RequestHold(request="request-1", right="objection", contacts=(person,), closed_on=date(2026, 11, 25))]
    assert make_plan(with_register(night, register), Kind.ALL).retain == {}
