"""What was granted to somebody and waits, where people merge that contact into another one meanwhile: two
people look before it counts as done."""

import pytest

from jobs.register.decision import What
from jobs.requests.decisions.carry_out import fulfil_all
from rules.model.requests import RequestState, Right
from tests.drivers.deciding import context_of, decision
from tests.drivers.holding import place, release
from tests.drivers.merging import merge
from tests.drivers.night import Night
from tests.jobs.requests.decisions.test_suspicions import granted, look, released, waiting_for_a_look

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


def test_sus11_a_child_that_was_merged_is_the_child_still(night: Night) -> None:
    """Nothing is done, or told, in its name while who asked is suspected in a file that went along."""
    child, other, ilse = (night.contact(birthdate=born) for born in ("2016-05-05", "2016-05-05", "1980-05-05"))
    file, elsewhere = (night.dossier(category, closed=False) for category in ("runaway", "sexting"))
    for dossier in (file, elsewhere):
        night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", file)
    released(night, Right.ERASURE, ilse, (What.ERASE, "dossier", file), child=child)
    merge(night, child, other)
    night.party(ilse, "suspect", dossier=elsewhere)
    release(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [])
    assert night.get("cf_dossiers", file) is not None


def test_rgt08_an_authority_over_a_child_that_was_merged_ends_too(night: Night) -> None:
    child, other, ilse = (night.contact(birthdate=born) for born in ("2016-05-05", "2016-05-05", "1980-05-05"))
    file = night.dossier("runaway", closed=False)
    night.party(child, "child", dossier=file)
    night.patch("cf_parties", night.party(ilse, "parent", dossier=file), cf_authorityvaliduntil="2026-12-10")
    hold = place(night, "cf_dossier", file)
    request = released(night, Right.ERASURE, ilse, (What.ERASE, "dossier", file), child=child)
    merge(night, child, other)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    look(night, request)
    assert fulfil_all(context_of(night)) == {}, "the hold is there"
    night.clock.advance(days=20)
    release(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    assert night.get("cf_dossiers", file) is not None


def test_sus10_whoever_is_suspected_as_the_contact_they_were_merged_into_restricts_nothing_there(night: Night) -> None:
    ilse, other, dossier = night.contact(firstname="Ilse"), night.contact(), night.dossier("sexting", closed=False)
    granted(night, Right.RESTRICTION, ilse, (What.RESTRICT, "dossier", dossier))
    night.party(other, "suspect", dossier=dossier)
    merge(night, ilse, other)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [])
    assert night.store.holds.all() == []
