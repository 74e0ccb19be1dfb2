"""What was granted to somebody and waits, where people merge that contact into another one meanwhile: two
people look before it counts as done."""

import pytest

from jobs.register.decision import What
from jobs.requests.decisions.carry_out import fulfil_all
from rules.model.requests import RequestState, Right
from tests.drivers.deciding import context_of, decision
from tests.drivers.merging import merge
from tests.drivers.night import Night
from tests.jobs.requests.decisions.test_suspicions import granted, look, waiting_for_a_look

RIGHTS = {
    What.PROFILE: Right.ERASURE,
    What.DISOWN: Right.ERASURE,
    What.CORRECT: Right.RECTIFICATION,
    What.UNSUBSCRIBE: Right.OBJECTION,
}


@pytest.mark.parametrize("what", RIGHTS)
def test_what_waits_for_somebody_who_was_merged_is_looked_at_first(night: Night, what: What) -> None:
    ilse, other, dossier = night.contact(firstname="Ilse", cf_newsletter=True), night.contact(), night.dossier("runaway", closed=False)
    role = night.party(ilse, "reporter", dossier=dossier) if what is What.DISOWN else ""
    request = granted(night, RIGHTS[what], ilse, (what, "dossier", dossier) if role else (what, "contact", ilse))
    merge(night, ilse, other)
    before = night.get("contacts", ilse)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    assert (night.get("contacts", ilse), len(decision(night, request).tasks)) == (before, 1)
    look(night, request)
    assert (fulfil_all(context_of(night)), decision(night, request).tasks) == ({}, ())
    assert (night.get("contacts", ilse) == before) is (what is What.DISOWN)
    assert not role or night.get("cf_parties", role) is not None, "whose it is by now was not asked for"


def test_two_contacts_of_one_person_that_are_merged_are_nothing_new(night: Night) -> None:
    ilse, other = night.contact(firstname="Ilse"), night.contact(firstname="Ilse")
    request = granted(night, Right.ERASURE, ilse, (What.PROFILE, "contact", ilse), (What.PROFILE, "contact", other), people=(ilse, other))
    merge(night, ilse, other)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [])
    assert [night.get("contacts", row) for row in (ilse, other)] == [None, None]
    assert decision(night, request).tasks == ()


def test_what_takes_effect_at_once_and_waits_is_looked_at_at_the_release(night: Night) -> None:
    ilse, other = night.contact(firstname="Ilse", cf_newsletter=True), night.contact()
    request = granted(night, Right.OBJECTION, ilse, (What.UNSUBSCRIBE, "contact", ilse), state=RequestState.REVIEWING)
    merge(night, ilse, other)
    assert (fulfil_all(context_of(night)), len(decision(night, request).tasks)) == ({}, 1)
