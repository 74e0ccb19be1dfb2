"""A night carries out the plan that people have approved, before it makes its own (section 9.4)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from jobs.model.plan import Kind
from jobs.nightly.retention import approved_plan, plan_and_apply
from jobs.plans.approve import approve_plan
from rules.errors import Refused
from tests.drivers.night import Night

LONG_AGO = date(2020, 1, 10)


@pytest.fixture
def night(make_night: Callable[..., Night]) -> Night:
    return make_night(first_look=True)


def refused_plan(night: Night) -> str:
    with pytest.raises(Refused) as caught:
        plan_and_apply(night.context, Kind.RETENTION)
    assert caught.value.code == "approval"
    return caught.value.where


def test_what_was_approved_is_done_by_the_next_night_and_then_its_own_plan(night: Night) -> None:
    old = night.fiche("social_card", spoken=LONG_AGO)
    waiting = refused_plan(night)
    night.clock.now += timedelta(hours=1)
    assert refused_plan(night) != waiting, "nobody has approved yet: each night asks again"
    night.approved(night.store.plans.get(waiting))
    late = night.fiche("social_card", spoken=LONG_AGO)
    night.clock.now += timedelta(hours=23)
    own = plan_and_apply(night.context, Kind.RETENTION)
    assert own.plan != waiting
    done = night.store.runs.of_plan(waiting)
    assert done is not None
    assert done.is_over
    assert night.get("cf_fiches", old) is None
    assert night.get("cf_fiches", late) is None, "found by the night's own plan, which nothing unusual is about any more"
    assert approved_plan(night.store, Kind.RETENTION, night.emulator.url, night.clock()) is None


def test_a_later_rejection_keeps_what_was_approved_before(night: Night) -> None:
    row = night.fiche("social_card", spoken=LONG_AGO)
    first = refused_plan(night)
    second = refused_plan(night)
    night.approved(night.store.plans.get(first))
    approve_plan(
        night.store,
        second,
        "fictief-dpo",
        "dpo",
        "not like this",
        approves=False,
        now=night.clock(),
        reference=night.key.reference,
        references=night.key.references,
    )
    refused_plan(night)
    assert night.get("cf_fiches", row) is not None
    assert night.store.runs.of_plan(first) is None


def test_another_schedule_makes_an_approval_of_no_use_and_the_night_goes_on(night: Night) -> None:
    row = night.fiche("social_card", spoken=LONG_AGO)
    waiting = refused_plan(night)
    night.approved(night.store.plans.get(waiting))
    night.policy = night.policy.model_copy(update={"digest": "f" * 64})
    assert refused_plan(night) != waiting
    assert night.get("cf_fiches", row) is not None


def test_an_approval_is_carried_out_by_a_night_of_its_kind_and_while_it_is_valid(night: Night) -> None:
    night.fiche("social_card", spoken=LONG_AGO)
    waiting = night.store.plans.get(refused_plan(night))
    night.approved(waiting)
    plan_and_apply(night.context, Kind.RECORDINGS)
    assert night.store.runs.of_plan(waiting.id) is None
    night.clock.now = waiting.valid_until
    assert refused_plan(night) != waiting.id
    assert night.store.runs.of_plan(waiting.id) is None
