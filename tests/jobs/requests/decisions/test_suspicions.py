"""What was granted and waits, where who asked has become suspect since (SUS-05, SUS-08, SUS-11), where what
was weighed is another thing by now, or where it is not wanted any more."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import msgspec
import pytest

from jobs.inbox.requests import LOOK_AGAIN, of_requests
from jobs.model.request import DECISIONS, GivenPerson, RequestApproval, SubjectRequest
from jobs.register.decision import Decision, Task, What, encoded, reopened
from jobs.register.overrides import override
from jobs.register.transitions import close
from jobs.requests.decisions.carry_out import fulfil_all
from jobs.requests.decisions.correct import write
from jobs.requests.decisions.suspicions import kept_items
from rules.errors import Refused
from rules.model.requests import Outcome, RequestState, Right
from tests.drivers.deciding import ask, compile_, context_of, decide, decision, dora, release
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import Night
from tests.jobs.requests.search.searching import remove, switch

ILSE = GivenPerson(firstname="Ilse", lastname="Wouters (fictief)")


def released(night: Night, right: Right, person: str, *tasks: tuple[What, str, str], child: str | None = None) -> SubjectRequest:
    """What Ilse was granted, after the first night that could carry it out."""
    request = granted(night, right, person, *tasks, child=child)
    assert fulfil_all(context_of(night)) == {}
    return request


def granted(
    night: Night,
    right: Right,
    person: str,
    *tasks: tuple[What, str, str],
    child: str | None = None,
    state: RequestState = RequestState.RELEASED,
    people: tuple[str, ...] = (),
) -> SubjectRequest:
    """What Ilse was granted while the CRM was out of reach; released, unless a state says otherwise."""
    released_at = night.clock() if state is RequestState.RELEASED else None
    request = ask(night, right, person, child=child, given=ILSE, state=state, released_at=released_at)
    wanted = tuple(Task(f"item-{at}", *task, {"first_name": "Lot"}) for at, task in enumerate(tasks))
    contacts, asking = people or (child or person,), tuple(sorted({person, child or person}))
    decided = Decision(
        right=right, who="dora", at=night.clock(), contacts=contacts, asking=asking, tasks=wanted, on_behalf=child is not None
    )
    night.store.requests.save(request, since=request, parts={DECISIONS: encoded(decided)})
    return request


def look(night: Night, request: SubjectRequest) -> None:
    for who, role in (("dora", "dpo"), ("erik", "approver")):
        override(dora(night, who, role), request.id, "SUS-08", "CHECKED")


def kept(night: Night, request: SubjectRequest, **changes: Any) -> set[str]:
    return {*kept_items(context_of(night), msgspec.structs.replace(decision(night, request), **changes)).items}


def waiting_for_a_look(night: Night) -> list[str]:
    return [item.subject for item in of_requests(night.store, night.clock(), night.policy.calendar) if item.code == LOOK_AGAIN]


def test_sus11_nothing_is_done_in_the_name_of_a_child_while_who_asked_is_suspected_in_any_file_of_it(night: Night) -> None:
    """Whatever the file is about, and of a correction too; unless two people had set SUS-11 aside."""
    child, ilse = night.contact(birthdate="2016-05-05"), night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    file, other = (night.dossier(category, closed=False) for category in ("runaway", "sexting"))
    for dossier in (file, other):
        night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", file)
    asked = [
        released(night, Right.ERASURE, ilse, (What.ERASE, "dossier", file), child=child),
        released(night, Right.RECTIFICATION, ilse, (What.CORRECT, "contact", child), child=child),
    ]
    night.patch("cf_parties", night.party(ilse, "suspect", dossier=other), cf_suspectuntil="2026-12-10")
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [])
    assert (night.get("cf_dossiers", file) is not None, len(decision(night, asked[1]).tasks)) == (True, 1)
    aside = tuple(RequestApproval("override", *given, night.clock(), "SUS-11", "CODE") for given in (("dora", "dpo"), ("erik", "approver")))
    assert kept(night, asked[0], looks=aside) == set()
    night.clock.advance(days=20)
    assert (fulfil_all(context_of(night)), sorted(waiting_for_a_look(night))) == ({}, sorted(request.id for request in asked))
    for request in asked:
        look(night, request)
    assert [kept(night, request) for request in asked] == [set(), set()]


def test_sus08_a_filler_is_no_last_day_of_a_suspicion(night: Night) -> None:
    """DAT-10: it lasts, so that no look of two people lets anything go."""
    child, dossier = night.contact(firstname="Ilse", lastname="Wouters (fictief)"), night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", dossier)
    request = released(night, Right.ERASURE, child, (What.ERASE, "dossier", dossier))
    night.patch("cf_parties", night.party(child, "suspect", dossier=dossier), cf_suspectuntil="1900-01-01")
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [])
    assert night.get("cf_dossiers", dossier) is not None
    assert kept(night, request) == {"item-0"}


def test_sus10_a_restriction_that_comes_late_is_not_placed_on_the_file_of_a_suspicion(night: Night) -> None:
    """What was granted while the CRM was out of reach is looked at again before it counts: nobody who has
    become suspect restricts the file of the suspicion, or acts for a child in whose file they are suspected
    (SUS-11), and a mandate may have ended (RGT-07). A newsletter ends all the same (R-115)."""
    ilse, child, grown = (night.contact(birthdate=born) for born in ("1980-05-05", "2016-05-05", "2000-05-05"))
    witnessed, suspected = (night.dossier("sexting", closed=False) for _ in range(2))
    night.party(child, "child", dossier=suspected)
    for dossier in (witnessed, suspected):
        night.party(ilse, "witness", dossier=dossier)
    both = ((What.RESTRICT, "dossier", dossier) for dossier in (witnessed, suspected))
    files = granted(night, Right.RESTRICTION, ilse, *both)
    everything = granted(night, Right.RESTRICTION, ilse, (What.RESTRICT, "contact", ilse))
    for_child = granted(night, Right.RESTRICTION, ilse, (What.RESTRICT, "contact", child), child=child)
    for_adult = granted(night, Right.RESTRICTION, ilse, (What.RESTRICT, "contact", grown), child=grown)
    letters = granted(night, Right.OBJECTION, ilse, (What.UNSUBSCRIBE, "contact", ilse))
    suspicion = night.party(ilse, "suspect", dossier=suspected)
    assert fulfil_all(context_of(night)) == {for_adult.id: "MANDATE_LAPSED"}
    assert [(hold.kind, hold.row) for hold in night.store.holds.all()] == [("dossier", witnessed)]
    assert [len(decision(night, each).tasks) for each in (files, everything, for_child, for_adult, letters)] == [1, 1, 1, 0, 0]
    assert waiting_for_a_look(night) == []
    night.patch("cf_parties", suspicion, cf_suspectuntil="2026-11-20")
    assert fulfil_all(context_of(night)) == {}
    assert {hold.row for hold in night.store.holds.all()} == {witnessed, suspected, ilse, child}, "a hold keeps what two people may look at"


def test_sus10_what_waits_is_neither_noted_nor_corrected_for_whoever_is_known_for_a_suspicion(night: Night) -> None:
    """A note stays out of that file alone, and of who has a relation the name is corrected all the same."""
    ilse, donor, witness = (night.contact(birthdate="1980-05-05", firstname="Ilse") for _ in range(3))
    night.donation(donor)
    suspected, other = (night.dossier("sexting", closed=False) for _ in range(2))
    noted = []
    for person in (ilse, donor, witness):
        night.party(person, "suspect", dossier=suspected)
        noted.append(granted(night, Right.RECTIFICATION, person, (What.ANNOTATE, "dossier", suspected), (What.CORRECT, "contact", person)))
    night.party(witness, "witness", dossier=other)
    assert fulfil_all(context_of(night)) == {}
    assert night.rows("annotations") == []
    assert [(night.get("contacts", one) or {})["firstname"] for one in (ilse, donor, witness)] == ["Ilse", "Lot", "Lot"]
    assert [[task.what for task in decision(night, each).tasks] for each in noted] == [[What.ANNOTATE]] * 3


def test_ddl13_a_restriction_that_could_not_be_placed_at_its_decision_is_placed_before_the_release(night: Night) -> None:
    """Looked at again as at a release (SUS-10, RGT-07); not where the answer was compiled anew."""
    ilse, grown = (night.contact(birthdate=born) for born in ("1980-05-05", "2000-05-05"))
    witnessed, suspected, other = (night.dossier("sexting", closed=False) for _ in range(3))
    for dossier in (witnessed, suspected, other):
        night.party(ilse, "witness", dossier=dossier)
    both = ((What.RESTRICT, "dossier", dossier) for dossier in (witnessed, suspected))
    files = granted(night, Right.RESTRICTION, ilse, *both, state=RequestState.APPROVED)
    for_adult = granted(night, Right.RESTRICTION, ilse, (What.RESTRICT, "contact", grown), child=grown, state=RequestState.REVIEWING)
    night.party(ilse, "suspect", dossier=suspected)
    assert fulfil_all(context_of(night)) == {}
    assert [(hold.kind, hold.row) for hold in night.store.holds.all()] == [("dossier", witnessed)]
    assert [len(decision(night, each).tasks) for each in (files, for_adult)] == [1, 1]
    assert fulfil_all(context_of(night)) == {}
    assert len(night.store.holds.all()) == 1
    again = granted(night, Right.RESTRICTION, ilse, (What.RESTRICT, "dossier", other), state=RequestState.REVIEWING)
    night.store.requests.save(again, since=again, parts={DECISIONS: reopened(night.store, again.id)})
    assert fulfil_all(context_of(night)) == {}
    assert len(night.store.holds.all()) == 1


def test_sus08_a_suspicion_that_was_removed_is_looked_at_where_it_had_been_seen(night: Night) -> None:
    """SUS-05: by a night, or in the recycle bin. What the product itself has erased is no sign of anything,
    and what is noted of a suspect is noted of everybody."""
    switch(night, recycle_bin_days=30)
    child = night.contact(firstname="Ilse", lastname="Wouters (fictief)", birthdate="2010-05-05")
    gone, seen, binned = (night.dossier("sexting", closed=False) for _ in range(3))
    for dossier in (gone, seen, binned):
        night.party(child, "child", dossier=dossier)
    holds = [place(night, "cf_dossier", dossier) for dossier in (seen, binned)]
    request = released(night, Right.ERASURE, child, *((What.ERASE, "dossier", dossier) for dossier in (gone, seen, binned)))
    assert (night.get("cf_dossiers", gone), waiting_for_a_look(night)) == (None, [])
    suspicion = night.party(child, "suspect", dossier=seen)
    remove(night, "cf_parties", night.party(child, "suspect", dossier=binned))
    assert fulfil_all(context_of(night)) == {}
    assert {len(role.ref) for role in decision(night, request).roles} == {len(night.key.reference("role", ""))}
    for hold in holds:
        release_hold(night, hold)
    switch(night, recycle_bin_days=0)
    remove(night, "cf_parties", suspicion)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    assert [night.get("cf_dossiers", dossier) is not None for dossier in (seen, binned)] == [True, True]
    look(night, request)
    assert kept(night, request) == set()


def test_sus06_what_shares_a_child_with_the_file_of_a_new_suspicion_is_looked_at_while_it_lasts(night: Night) -> None:
    """SUS-05: and a file in which a role has come that cannot be read. A recording of the own voice goes with
    the file in which it is (SUS-10)."""
    ilse, child = night.contact(firstname="Ilse", lastname="Wouters (fictief)"), night.contact(birthdate="2012-05-05")
    shared, odd, own = (night.dossier("sexting", closed=False) for _ in range(3))
    night.party(child, "child", dossier=shared)
    for dossier in (shared, odd):
        night.party(ilse, "witness", dossier=dossier)
    (fiche,) = night.fiches_of(own)
    night.party(ilse, "reporter", fiche=fiche)
    recording = night.recording(date(2026, 11, 1), fiche=fiche)
    holds = [place(night, "cf_dossier", dossier) for dossier in (shared, odd, own)]
    roles = ((What.DISOWN, "dossier", dossier) for dossier in (shared, odd))
    request = released(night, Right.ERASURE, ilse, *roles, (What.ERASE, "recording", recording))
    other = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=other)
    night.party(ilse, "suspect", dossier=other)
    night.party(ilse, "suspect", dossier=own)
    night.patch("cf_parties", night.party(ilse, "witness", dossier=odd), cf_role=None)
    for hold in holds:
        release_hold(night, hold)

    def roles_in(dossier: str) -> int:
        return len(night.rows(f"cf_parties?$filter=_cf_contactid_value eq {ilse} and _cf_dossierid_value eq {dossier}"))

    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    assert (roles_in(shared), roles_in(odd), night.get("cf_recordings", recording) is not None) == (1, 2, True)
    assert kept(night, request) == {"item-0", "item-1", "item-2"}
    look(night, request)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [])
    assert (roles_in(shared), roles_in(odd), night.get("cf_recordings", recording) is not None) == (0, 0, True)
    assert kept(night, request) == {"item-2"}


def test_what_was_opened_again_or_got_a_fiche_since_it_was_decided_is_looked_at_before_it_goes(night: Night) -> None:
    """4.2, ranks 10 to 12: another thing was weighed. What is as it was goes. A new file about the child
    is one more thing to weigh, for all of it."""
    child = night.contact(firstname="Ilse", lastname="Wouters (fictief)", birthdate="2010-05-05")
    opened, grown, same = files = [night.dossier("sexting") for _ in range(3)]
    for dossier in files:
        night.party(child, "child", dossier=dossier)
    place(night, person=child)
    request = released(night, Right.ERASURE, child, *((What.ERASE, "dossier", dossier) for dossier in files))
    assert kept(night, request) == set()
    night.patch("cf_dossiers", opened, statecode=0, statuscode=1)
    night.fiche("sexting", dossier=grown)
    assert (kept(night, request), fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({"item-0", "item-1"}, {}, [request.id])
    look(night, request)
    assert (kept(night, request), fulfil_all(context_of(night)), waiting_for_a_look(night)) == (set(), {}, [])
    night.clock.advance(days=1)
    night.party(child, "child", dossier=night.dossier("sexting", closed=False))
    assert kept(night, request) == {"item-0", "item-1", "item-2"}
    assert night.get("cf_dossiers", same) is not None, "it is held"


@pytest.mark.parametrize("where", ["dossier", "its fiche", "lone fiche", "lone fiche that moved", "without a contact"])
def test_a_file_that_is_about_another_child_too_since_it_was_granted_is_looked_at_before_it_goes(night: Night, where: str) -> None:
    """6.2: what is theirs does not go at this one's word."""
    child, other = night.contact(firstname="Ilse", lastname="Wouters (fictief)", birthdate="2000-05-05"), night.contact()
    dossier, lone = night.dossier("sexting", closed=False), night.fiche("sexting")
    files = [("dossier", dossier), ("fiche", lone)]
    for kind, row in files:
        night.party(child, "child", **{kind: row})
    holds = [place(night, f"cf_{kind}", row) for kind, row in files]
    request = ask(night, Right.ERASURE, child, given=ILSE)
    compile_(night, request)
    decide(night, request)
    release(night, request)
    if where == "lone fiche that moved":
        sibling = night.dossier("sexting", closed=False)
        night.party(other, "child", dossier=sibling)
        night.patch("cf_fiches", lone, **{"cf_DossierId@odata.bind": f"/cf_dossiers({sibling})"})
    else:
        place_of = {"its fiche": {"fiche": night.fiches_of(dossier)[0]}, "lone fiche": {"fiche": lone}}.get(where, {"dossier": dossier})
        night.party(None if where == "without a contact" else other, "child", **place_of)
    for hold in holds:
        release_hold(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    is_alone = where.startswith("lone fiche")
    assert [night.get(f"cf_{kind}s", row) is not None for kind, row in files] == [not is_alone, is_alone]


def test_rgt08_what_a_parent_was_granted_waits_once_the_last_day_of_the_authority_has_passed(night: Night) -> None:
    """RGT-04: a new last day is enough; so are two people."""
    child, ilse = night.contact(birthdate="2016-05-05"), night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    file, sibling = (night.dossier("sexting", closed=False) for _ in range(2))
    night.party(child, "child", dossier=file)
    roles = [night.party(ilse, "parent", dossier=dossier) for dossier in (file, sibling)]
    night.patch("cf_parties", roles[0], cf_authorityevidence="Vonnis (fictief)", cf_authorityvaliduntil="2026-12-03")
    night.patch("cf_parties", roles[1], cf_authorityevidence="Vonnis (fictief)")
    hold = place(night, "contact", child)
    request = released(night, Right.RECTIFICATION, ilse, (What.CORRECT, "contact", child), child=child)
    release_hold(night, hold)
    night.clock.advance(days=8)
    assert kept(night, request) == set()
    night.clock.advance(days=1)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    assert len(decision(night, request).tasks) == 1
    look(night, request)
    assert (kept(night, request), len(decision(night, request).tasks)) == (set(), 1)
    night.patch("cf_parties", roles[0], cf_authorityvaliduntil="2027-12-03")
    assert kept(night, request, looks=()) == set()


def test_a_course_that_was_linked_to_somebody_else_is_looked_at_and_stays(night: Night) -> None:
    """A merge of contacts does that: nobody knows whether it is the same person."""
    ilse, other = (night.contact(firstname="Ilse", lastname="Wouters (fictief)") for _ in range(2))
    linked = {"cf_ContactId@odata.bind": f"/contacts({ilse})"}
    course, kept = (night.create("cf_enrolments", "cf_enrolmentid", cf_name="cursus", **linked) for _ in range(2))
    hold = place(night, "cf_enrolment", course)
    request = released(night, Right.ERASURE, ilse, (What.ERASE, "enrolment", course))
    night.patch("cf_enrolments", course, **{"cf_ContactId@odata.bind": f"/contacts({other})"})
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    look(night, request)
    assert (fulfil_all(context_of(night)), decision(night, request).tasks) == ({}, ())
    assert [night.get("cf_enrolments", row) is not None for row in (course, kept)] == [True, True]


def test_the_number_of_a_caller_is_looked_at_where_somebody_else_is_the_reporter_by_now(night: Night) -> None:
    """It may be that one's; nothing else that was granted waits for it."""
    ilse, other = night.contact(firstname="Ilse", lastname="Wouters (fictief)"), night.contact(firstname="Jo", lastname="Maes (fictief)")
    fiches = [night.fiche("sexting", cf_callernumber="+32470112233") for _ in range(2)]
    holds = [place(night, "cf_fiche", fiche) for fiche in fiches]
    request = released(night, Right.ERASURE, ilse, *((What.NO_CALLER, "fiche", fiche) for fiche in fiches))
    for fiche, who in zip(fiches, (other, ilse), strict=True):
        night.party(who, "reporter", fiche=fiche)
    for hold in holds:
        release_hold(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [request.id])
    assert [(night.get("cf_fiches", fiche) or {})["cf_callernumber"] for fiche in fiches] == ["+32470112233", None]
    look(night, request)
    assert (fulfil_all(context_of(night)), decision(night, request).tasks) == ({}, ())


def test_what_waits_ends_at_the_word_of_who_asked(night: Night) -> None:
    """Released or closed; what was done stays done, and so does the outcome of what was closed."""
    child, dossier = night.contact(firstname="Ilse", lastname="Wouters (fictief)"), night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", dossier)
    undone = released(night, Right.ERASURE, child, (What.ERASE, "dossier", dossier))
    asked, waiting = [undone], decision(night, undone)
    for state, done in ((RequestState.RELEASED, ("item-9",)), (RequestState.CLOSED, ())):
        request = ask(night, Right.ERASURE, child, given=ILSE, state=state, outcome=Outcome.DONE)
        part = encoded(msgspec.structs.replace(waiting, done=done))
        night.store.requests.save(request, since=request, parts={DECISIONS: part})
        asked.append(request)
    ended = [close(dora(night), request.id, "WITHDRAWN") for request in asked]
    assert [(row.state.value, row.outcome) for row in ended] == [("closed", "WITHDRAWN"), ("closed", "DONE"), ("closed", "DONE")]
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), night.get("cf_dossiers", dossier) is not None) == ({}, True)
    with pytest.raises(Refused, match="not possible while the request is closed"):
        close(dora(night), undone.id, "WITHDRAWN")


def test_sus10_the_picture_of_a_suspect_stays_and_nothing_tells_of_it(night: Night) -> None:
    """RGT-12: withdrawn consent ends the use that rests on it; what is held on another basis stays."""
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\nverzonnen").decode()
    suspected, other = (night.contact(entityimage=picture) for _ in range(2))
    night.party(suspected, "suspect", dossier=night.dossier("sexting", closed=False))
    assert [write(context_of(night), [Task("", What.NO_IMAGE, "contact", one)]) for one in (suspected, other)] == [[], []]
    pictures = {row["contactid"]: row["entityimage"] for row in night.rows("contacts?$select=entityimage")}
    assert [bool(pictures[one]) for one in (suspected, other)] == [True, False]
