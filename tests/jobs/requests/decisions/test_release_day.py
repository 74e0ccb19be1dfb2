"""The days of the decision and of the release decide about what is granted, too (SUS-08, RGT-07)."""

from datetime import date
from typing import Any

import pytest

from crm_compliance.hints import in_words
from jobs.model.request import Details, GivenPerson, SubjectRequest
from jobs.register.answer_blocks import blocks_of
from jobs.register.overrides import override
from jobs.register.request_steps import next_step
from jobs.requests.answer.compile import compile_request
from jobs.requests.answer.release import approve_content
from jobs.requests.answer.release_check import for_release
from jobs.requests.decisions.carry_out import fulfil
from rules.errors import Refused
from rules.model.requests import RequesterKind, Right
from tests.drivers.deciding import ask, compile_, context_of, decide, decision, decline, dora, release
from tests.drivers.merging import merge
from tests.drivers.night import ROLE, Night
from tests.jobs.requests.search.searching import remove

ILSE = GivenPerson(firstname="Ilse", lastname="Wouters (fictief)")


def approved(night: Night, right: Right, contact: str, **asked: Any) -> str:
    """A request of Ilse on which all is granted, and whose content is approved."""
    request = ask(night, right, contact, given=ILSE, **asked)
    assert compile_(night, request).answer == "package"
    decide(night, request)
    approve_content(context_of(night), request.id, "dora", "dpo")
    return request.id


def sent_back_for(night: Night, request: str) -> str:
    with pytest.raises(Refused) as error:
        for_release(context_of(night), request, "erik", "approver")
    return error.value.code


def refused_for(night: Night, request: SubjectRequest) -> str:
    with pytest.raises(Refused) as error:
        decide(night, request)
    return error.value.code


def test_sus10_who_has_become_suspect_since_the_answer_was_compiled_obtains_no_restriction(night: Night) -> None:
    """DDL-13: what is done at once the release cannot undo, and a hold is lifted by two people (HLD-02)."""
    ilse, file = night.contact(firstname="Ilse", lastname="Wouters (fictief)"), night.dossier("sexting", closed=False)
    night.party(ilse, "witness", dossier=file)
    request = ask(night, Right.RESTRICTION, ilse, given=ILSE)
    assert [item.source for item in compile_(night, request).items] == [("dossier", file)]
    night.party(ilse, "suspect", dossier=file)
    assert (refused_for(night, request), night.store.holds.all()) == ("standing_changed", [])
    assert (compile_(night, request).answer, decide(night, request).granted) == ("neutral", ())


def test_rgt07_nothing_is_granted_in_the_name_of_a_child_that_came_of_age_since_the_answer_was_compiled(night: Night) -> None:
    """RGT-08: nor at the word of a parent whose authority has ended since."""
    of_age, young = (night.contact(birthdate=born, firstname="Lotte") for born in ("2008-12-01", "2016-05-05"))
    ilse, asked = night.contact(firstname="Ilse", lastname="Wouters (fictief)"), {}
    for child in (of_age, young):
        file = night.dossier("sexting", closed=False)
        night.party(child, "child", dossier=file)
        role = night.party(ilse, "parent", dossier=file)
        night.patch("cf_parties", role, cf_authorityevidence="Vonnis (fictief)", cf_authorityvaliduntil="2026-12-03")
        asked[child] = ask(night, Right.RESTRICTION, ilse, child=child, given=ILSE, kind=RequesterKind.PARENT_FOR_CHILD)
        compile_(night, asked[child])
    night.clock.advance(days=7)
    assert refused_for(night, asked[of_age]) == "MANDATE_LAPSED"
    night.clock.advance(days=7)
    assert (refused_for(night, asked[young]), night.store.holds.all()) == ("standing_changed", [])


def test_sus08_who_was_in_no_file_and_became_suspect_is_not_told_of_a_correction(night: Night) -> None:
    """SUS-04: the letter would say that somebody is known of whom nothing may be said."""
    ilse = night.contact(firstname="Ilse", lastname="Wouters (fictief)", emailaddress1="ilse@example.org")
    new_name = Details(corrections={"lastname": "Wauters (fictief)"})
    request = approved(night, Right.RECTIFICATION, ilse, details=new_name)
    night.party(ilse, "suspect", dossier=night.dossier("sexting", closed=False))
    assert sent_back_for(night, request) == "standing_changed"


def test_rgt08_what_was_granted_to_a_parent_whose_authority_has_ended_since_is_sent_back(night: Night) -> None:
    child, ilse = night.contact(birthdate="2016-05-05"), night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    dossier = night.dossier("sexting", closed=False)
    night.party(child, "child", dossier=dossier)
    role = night.party(ilse, "parent", dossier=dossier)
    night.patch("cf_parties", role, cf_authorityevidence="Vonnis (fictief)", cf_authorityvaliduntil="2026-12-01")
    request = approved(night, Right.ERASURE, ilse, child=child, kind=RequesterKind.PARENT_FOR_CHILD)
    night.clock.advance(days=10)
    assert sent_back_for(night, request) == "standing_changed"


def test_a_file_that_is_not_of_the_person_any_more_is_not_erased_whole(night: Night) -> None:
    """6.2: of a witness the role alone goes, and the information stays."""
    ilse = night.contact(firstname="Ilse", lastname="Wouters (fictief)", birthdate="2010-05-05")
    dossier = night.dossier("sexting", closed=False)
    role = night.party(ilse, "child", dossier=dossier)
    request = approved(night, Right.ERASURE, ilse)
    night.patch("cf_parties", role, cf_role=ROLE["witness"])
    assert sent_back_for(night, request) == "standing_changed"


def test_sus10_no_note_is_added_in_the_file_of_a_suspicion_to_which_a_fiche_has_moved(night: Night) -> None:
    ilse = night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    witnessed, suspected = (night.dossier("sexting", closed=False, fiches=0) for _ in range(2))
    moved, stays = (night.fiche("sexting", dossier=witnessed) for _ in range(2))
    for fiche in (moved, stays):
        night.party(ilse, "witness", fiche=fiche)
    night.party(ilse, "suspect", dossier=suspected)
    request = approved(night, Right.RECTIFICATION, ilse, details=Details(statement="Het was anders."))
    night.patch("cf_fiches", moved, **{"cf_DossierId@odata.bind": f"/cf_dossiers({suspected})"})
    assert sent_back_for(night, request) == "standing_changed"
    with pytest.raises(Refused) as error:
        decline(night, night.store.requests.get(request), "RF-09")
    assert error.value.code == "state", "what does not hold is compiled again before it is decided about"
    found = compile_(night, night.store.requests.get(request))
    assert [item.source for item in found.items if item.title == "annotate"] == [("fiche", stays)]


@pytest.mark.parametrize("what", ["course", "recording", "caller", "role"])
def test_what_turns_out_to_be_somebody_elses_is_not_erased_at_this_ones_word(night: Night, what: str) -> None:
    """SUS-08, RET-17: it was linked to the wrong person, or its reporter is known by now."""
    ilse, other = night.contact(firstname="Ilse", lastname="Wouters (fictief)", telephone1="+32470112233"), night.contact()
    dossier, course = night.dossier("sexting", closed=False), enrolled(night, ilse)
    (fiche,) = night.fiches_of(dossier)
    night.patch("cf_fiches", fiche, cf_callernumber="+32470112233")
    night.recording(date(2026, 11, 20), fiche=fiche)
    own = night.party(ilse, "parent", dossier=dossier)
    role = night.party(ilse, "reporter", fiche=fiche) if what == "recording" else own
    request = approved(night, Right.ERASURE, ilse)
    moved = {"course": ("cf_enrolments", course), "recording": ("cf_parties", role), "role": ("cf_parties", role)}
    if what in moved:
        night.patch(*moved[what], **{"cf_ContactId@odata.bind": f"/contacts({other})"})
    else:
        night.party(other, "reporter", fiche=fiche)
    assert sent_back_for(night, request) == "standing_changed"


def test_a_course_of_somebody_else_by_now_stays_when_what_was_granted_is_carried_out(night: Night) -> None:
    """It had to wait after the release; as after a merge of contacts, two people look whose it is."""
    ilse, other = night.contact(firstname="Ilse", lastname="Wouters (fictief)"), night.contact()
    moved, own = enrolled(night, ilse), enrolled(night, ilse)
    request = ask(night, Right.ERASURE, ilse, given=ILSE)
    compile_(night, request)
    decide(night, request)
    night.patch("cf_enrolments", moved, **{"cf_ContactId@odata.bind": f"/contacts({other})"})
    release(night, request)
    assert [night.get("cf_enrolments", row) is not None for row in (moved, own)] == [True, False]
    fulfil(context_of(night), request.id)
    assert moved in [task.id for task in decision(night, request).tasks]
    for who, role in (("dora", "dpo"), ("erik", "approver")):
        override(dora(night, who, role), request.id, "SUS-08", "CHECKED")
    fulfil(context_of(night), request.id)
    assert (decision(night, request).tasks, night.get("cf_enrolments", moved) is not None) == ((), True)


def enrolled(night: Night, person: str) -> str:
    return night.create("cf_enrolments", "cf_enrolmentid", cf_name="cursus", **{"cf_ContactId@odata.bind": f"/contacts({person})"})


def test_the_second_copy_of_a_request_leads_back_to_the_search_once_the_first_was_carried_out(night: Night) -> None:
    """A refusal would say that data which are gone are still needed."""
    ilse = night.contact(firstname="Ilse", lastname="Wouters (fictief)", birthdate="2010-05-05")
    copy = ask(night, Right.ERASURE, ilse, given=ILSE)
    remove(night, "contacts", ilse)
    compile_request(context_of(night), copy.id, "dora", "dpo")
    with pytest.raises(Refused, match="nothing that could be granted") as granting:
        decide(night, copy)
    with pytest.raises(Refused, match="neither included nor withheld") as approving:
        approve_content(context_of(night), copy.id, "dora", "dpo")
    assert {in_words(error.value.hint).split(",")[0] for error in (granting, approving)} == {"match and confirm again"}


@pytest.mark.parametrize("right", [Right.RECTIFICATION, Right.ERASURE])
def test_who_was_merged_into_another_contact_is_confirmed_again(night: Night, right: Right) -> None:
    """What was theirs stands at the other one; nothing of it would be corrected or erased."""
    ilse, other = (night.contact(firstname="Ilse", lastname="Wouters (fictief)", cf_newsletter=True) for _ in range(2))
    request = approved(night, right, ilse, details=Details(corrections={"birthdate": "2001-05-05"}))
    merge(night, ilse, other)
    assert sent_back_for(night, request) == "standing_changed"
    following = next_step(night.store.requests.get(request))
    assert following is not None
    assert "requests match" in in_words(following).split(",")[0]
    with pytest.raises(Refused) as error:  # else it would be approved and sent back again
        compile_request(context_of(night), request, "dora", "dpo")
    assert error.value.code == "not_confirmed"


def test_sus07_nothing_tells_what_stopped_a_neutral_answer_that_a_merge_sent_back(night: Night) -> None:
    """The blocks of a request that is open are shown to whoever sees the register."""
    ilse, other = (night.contact(firstname="Ilse", lastname="Wouters (fictief)") for _ in range(2))
    night.patch("contacts", ilse, cf_nocontact=True)
    night.party(ilse, "suspect", dossier=night.dossier("sexting", closed=False))
    request = ask(night, Right.ERASURE, ilse, given=ILSE)
    compilation = compile_request(context_of(night), request.id, "dora", "dpo")
    assert (compilation.answer, compilation.blocks) == ("neutral", ("NO_CONTACT",))
    decide(night, request)
    approve_content(context_of(night), request.id, "dora", "dpo")
    merge(night, ilse, other)
    assert sent_back_for(night, request.id) == "standing_changed"
    assert blocks_of(night.store, night.store.requests.get(request.id)) == ()
