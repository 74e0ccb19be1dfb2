"""A hold on a person goes along when the person is merged into another contact (HLD-04)."""

import pytest

from jobs.model.plan import Kind
from jobs.plans.lines.pages import lines_of
from jobs.plans.make import make_plan
from rules.holds.of_requests import RequestHold
from tests.drivers.holding import LONG_AGO, Register, place, with_register
from tests.drivers.merging import merge
from tests.drivers.night import Night


@pytest.mark.parametrize("times", [1, 2])
def test_a_hold_on_a_person_reaches_the_files_of_whom_that_person_was_merged_into(night: Night, times: int) -> None:
    person, free = night.contact(), night.dossier("social_card", spoken=LONG_AGO)
    held, called = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
    night.party(person, "reporter", dossier=held)
    night.call("cf_dossier", called, [person])
    place(night, person=person)
    plan = night.approved(night.plan())
    for _ in range(times):
        other = night.contact()
        merge(night, person, other)
        person = other
    night.apply(plan)
    assert [night.get("cf_dossiers", row) is not None for row in (held, called, free)] == [True, True, False]
    assert {line.id: line.reasons for line in night.lines(night.plan()).values() if line.id in (held, called)} == {
        held: ("HOLD_JUDICIAL",),
        called: ("HOLD_JUDICIAL",),
    }


def test_what_a_pending_request_keeps_stays_when_its_person_is_merged(night: Night) -> None:
    """HLD-08."""
    person, other, dossier = night.contact(), night.contact(), night.dossier("social_card", spoken=LONG_AGO)
    night.party(person, "reporter", dossier=dossier)
    merge(night, person, other)
    register = Register(RequestHold(request="request-1", right="access", contacts=(person,)))
    plan = make_plan(with_register(night, register), Kind.ALL)
    assert {line.id: line.reasons for line in lines_of(night.store.plans.pages(plan.id))}[dossier] == ("HOLD_REQUEST",)


def test_two_that_were_merged_into_each_other_are_both_held(night: Night) -> None:
    """The first was activated again in between."""
    one, other, dossier = night.contact(), night.contact(), night.dossier("social_card", spoken=LONG_AGO)
    place(night, person=other)
    merge(night, one, other)
    night.patch("contacts", one, statecode=0)
    merge(night, other, one)
    night.party(one, "reporter", dossier=dossier)
    assert night.lines(night.plan())[dossier].reasons == ("HOLD_JUDICIAL",)
