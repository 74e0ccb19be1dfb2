"""A contact goes with a unit that led to it, and with no other (RET-17, RET-20)."""

from collections.abc import Callable
from datetime import date

import pytest

from jobs.model.run import ActionState, RunState
from jobs.runs.apply import apply_plan
from jobs.writing.contact_links import unlinked
from rules.model.decisions import Reason
from tests.drivers.holding import place, release
from tests.drivers.night import CATEGORY, Night
from tests.jobs.residual.cleaning import LONG_AGO, actions
from tests.jobs.runs.interruptions import killed_after, killed_before

NO_TERM = "unexplained_disappearance"


def as_planned(night: Night, fiche: str) -> None:
    """Nothing else has changed: the fiche goes."""


def an_old_fiche(night: Night) -> str:
    return night.fiche("social_card", spoken=LONG_AGO)


def without_term(night: Night, fiche: str) -> None:
    night.patch("cf_fiches", fiche, cf_categories=str(CATEGORY[NO_TERM]))


def held(night: Night, fiche: str) -> None:
    place(night, "cf_fiche", fiche)


@pytest.mark.parametrize(("then", "stays"), [(as_planned, False), (without_term, True), (held, True)])
def test_a_contact_whose_role_was_taken_away_since_the_plan_stays_and_is_reported(
    night: Night, then: Callable[[Night, str], None], *, stays: bool
) -> None:
    fiche, other = night.fiche("social_card", spoken=LONG_AGO), night.fiche("social_card", spoken=LONG_AGO)
    contact, witness = night.contact(), night.contact()
    role = night.party(contact, "reporter", fiche=fiche)
    night.party(witness, "reporter", fiche=other)
    plan = night.plan()
    assert {contact, witness} <= {line.id for line in night.lines(plan).values() if line.disposition}
    night.http.delete(f"{night.emulator.url}cf_parties({role})").raise_for_status()
    then(night, fiche)
    run = night.apply(plan)
    assert (night.get("cf_fiches", fiche) is not None) is stays
    assert night.get("contacts", contact) is not None
    assert night.get("contacts", witness) is None, "its fiche has gone with it"
    assert (actions(night, run)[contact].state, actions(night, run)[contact].code) == (ActionState.SKIPPED, "UNLINKED")
    assert night.lines(night.plan())[contact].reason == Reason.ORPHAN_CONTACT
    assert night.get("contacts", contact) is not None


@pytest.mark.parametrize("then", [without_term, held])
@pytest.mark.parametrize("is_donor", [False, True])
def test_a_contact_whose_unit_stayed_after_all_is_not_taken_for_one_that_should_have_gone(
    night: Night, then: Callable[[Night, str], None], *, is_donor: bool
) -> None:
    """Its role is taken away later, by hand: no unit that led to it has gone, so it stays."""
    fiche, contact = night.fiche("social_card", spoken=LONG_AGO), night.contact(birthdate="1970-05-01")
    if is_donor:
        night.donation(contact)
    role = night.party(contact, "reporter", fiche=fiche)
    plan = night.plan()
    then(night, fiche)
    run = night.apply(plan)
    assert actions(night, run)[contact].code == "STILL_REFERRED"
    night.http.delete(f"{night.emulator.url}cf_parties({role})").raise_for_status()
    plan = night.plan()
    night.apply(plan)
    row = night.get("contacts", contact)
    assert row is not None
    assert (row["birthdate"], plan.trims) == ("1970-05-01", ())
    if not is_donor:
        assert night.lines(plan)[contact].reason == Reason.ORPHAN_CONTACT


def test_a_hold_of_the_person_is_told_and_once_it_is_over_nothing_of_the_person_goes(night: Night) -> None:
    """HLD-07: a hold has the first say, placed before the plan or after; who is linked to nothing stays after
    it as well."""
    plain, donor, held, held_donor = people = [night.contact(birthdate="1970-05-01") for _ in range(4)]
    for person in (donor, held_donor):
        night.donation(person)
    links = [f"cf_parties({night.party(person, 'reporter', fiche=an_old_fiche(night))})" for person in (plain, donor)]
    links += [f"phonecalls({night.call('cf_fiche', an_old_fiche(night), [person])})" for person in (held, held_donor)]
    holds = [place(night, "contact", person) for person in (held, held_donor)]
    plan = night.plan()
    assert (plan.trims, [contact for contact, _, _ in plan.held_contacts]) == ((donor,), sorted([held, held_donor]))
    for link in links:
        night.http.delete(f"{night.emulator.url}{link}").raise_for_status()
    holds += [place(night, "contact", person) for person in (plain, donor)]
    done = actions(night, night.apply(plan))
    assert {done[person].code for person in people} == {Reason.HOLD_JUDICIAL}
    for hold in holds:
        release(night, hold)
    plan = night.plan()
    assert (plan.trims, sum(plan.dispose.values())) == ((), 0)
    assert {line.id for line in night.lines(plan).values() if line.reason == Reason.ORPHAN_CONTACT} == {plain, held}


def test_a_role_that_was_moved_to_another_contact_takes_that_one_along_alone(night: Night) -> None:
    fiche = night.fiche("social_card", spoken=LONG_AGO)
    first, second = night.contact(), night.contact()
    role = night.party(first, "reporter", fiche=fiche)
    other = night.fiche("social_card", spoken=LONG_AGO)
    night.party(second, "reporter", fiche=other)
    plan = night.plan()
    night.http.delete(f"{night.emulator.url}cf_parties({role})").raise_for_status()
    night.party(second, "reporter", fiche=fiche)
    night.apply(plan)
    assert night.get("contacts", first) is not None


def test_who_is_deleted_is_not_said_to_stay_and_a_donor_is_not_emptied_for_a_unit_that_leads_to_her_no_more(night: Night) -> None:
    fiche, contact = night.fiche("social_card", spoken=LONG_AGO), night.contact()
    role = night.party(contact, "reporter", fiche=fiche)
    other, donor = night.fiche("social_card", spoken=LONG_AGO), night.contact(birthdate="1970-05-01")
    night.donation(donor)
    hers = night.party(donor, "reporter", fiche=other)
    plan = night.plan()
    assert plan.trims == (donor,)
    for gone in (f"cf_parties({role})", f"contacts({contact})", f"cf_parties({hers})"):
        night.http.delete(f"{night.emulator.url}{gone}").raise_for_status()
    run = night.apply(plan)
    assert actions(night, run)[contact].code == "CHANGED"
    row = night.get("contacts", donor)
    assert row is not None
    assert row["birthdate"] == "1970-05-01"
    assert actions(night, run)[donor].code == "UNLINKED"


def test_of_two_contacts_that_are_each_others_parent_one_goes_and_the_other_by_the_next_plan(night: Night) -> None:
    """RET-17: the CRM empties the lookup of the other, which then has a version that nobody has looked at."""
    fiche, both = night.fiche("social_card", spoken=LONG_AGO), [night.contact(), night.contact()]
    for contact, parent in (both, both[::-1]):
        night.patch("contacts", contact, **{"parentcustomerid_contact@odata.bind": f"/contacts({parent})"})
        night.party(contact, "reporter", fiche=fiche)
    done = actions(night, night.apply(night.plan()))
    (left,) = (contact for contact in both if night.get("contacts", contact) is not None)
    assert (done[left].state, done[left].code) == (ActionState.SKIPPED, "CHANGED")
    assert [line.id for line in night.lines(night.plan()).values() if line.disposition] == [left]


def test_what_leads_to_a_contact_is_a_role_an_activity_a_contact_or_a_gift(night: Night) -> None:
    fiche = night.fiche("social_card", spoken=date(2026, 11, 1))
    reporter, caller, parent, donor, nobody = (night.contact() for _ in range(5))
    child = night.contact(**{"parentcustomerid_contact@odata.bind": f"/contacts({parent})"})
    night.party(reporter, "reporter", fiche=fiche)
    night.call("cf_fiche", fiche, [caller])
    night.donation(donor)
    every = [reporter, caller, parent, donor, nobody, child]
    assert unlinked(night.context.connector, every, ()) == {nobody, child}
    assert unlinked(night.context.connector, (), every) == {nobody, child, parent, donor}
    assert unlinked(night.context.connector, (), ()) == set()


def test_a_run_that_was_killed_after_its_units_had_gone_removes_their_contacts_all_the_same(night: Night) -> None:
    fiche, contact = night.fiche("social_card", spoken=LONG_AGO), night.contact()
    night.party(contact, "reporter", fiche=fiche)
    plan = night.approved(night.plan())
    killed_before(night, plan, "change", at=2)
    assert (night.get("cf_fiches", fiche), night.get("contacts", contact) is None) == (None, False)
    apply_plan(night.context, plan.id)
    assert night.get("contacts", contact) is None


@pytest.mark.parametrize("named_by", ["a role", "a call"])
@pytest.mark.parametrize("is_donor", [False, True])
@pytest.mark.parametrize("is_killed", [False, True])
def test_who_comes_to_a_unit_between_its_plan_and_its_end_is_decided_on_by_the_next_plan(
    night: Night, named_by: str, *, is_donor: bool, is_killed: bool
) -> None:
    """RET-17, RET-20: nobody has approved that they go, and they do not stay for good as if never linked."""
    fiche, other = an_old_fiche(night), night.fiche(NO_TERM, spoken=LONG_AGO)
    contact, known = night.contact(birthdate="1970-05-01"), night.contact(birthdate="1970-05-01")
    night.party(known, "reporter", fiche=other)
    if is_donor:
        night.donation(contact)
    plan = night.plan()
    for person in (contact, known):
        if named_by == "a role":
            night.party(person, "reporter", fiche=fiche)
        else:
            night.call("cf_fiche", fiche, [person])
    if is_killed:
        killed_after(night, night.approved(plan), "change")
        assert night.get("cf_fiches", fiche) is None
    run = night.apply(plan)
    assert night.get("cf_fiches", fiche) is None
    assert (actions(night, run)[contact].code, known in actions(night, run)) == ("AWAITS_TURN", False)
    assert run.state is RunState.DONE
    night.apply(night.plan())
    row = night.get("contacts", contact)
    assert (row and row["birthdate"]) is None
    assert (row is not None) is is_donor
    assert night.get("contacts", known)["birthdate"] == "1970-05-01"  # type: ignore[index]
