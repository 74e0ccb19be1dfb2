"""What was granted and waits, where who asked has become suspect since (SUS-05, SUS-08, SUS-11)."""

from __future__ import annotations

import msgspec

from jobs.inbox.requests import LOOK_AGAIN, of_requests
from jobs.model.request import Details, GivenPerson, RequestApproval, SubjectRequest
from jobs.register.overrides import override
from jobs.requests.decisions.carry_out import fulfil_all
from jobs.requests.decisions.suspicions import kept_items
from rules.model.requests import RequesterKind, Right
from tests.drivers.deciding import ask, compile_, context_of, decide, decision, dora, release
from tests.drivers.holding import place
from tests.drivers.holding import release as release_hold
from tests.drivers.night import Night
from tests.jobs.requests.search.searching import remove, switch

ILSE = GivenPerson(firstname="Ilse", lastname="Wouters (fictief)")


def released(night: Night, request: SubjectRequest, *files: str) -> SubjectRequest:
    """Grant what is about these files, or all, and release it."""
    answer = compile_(night, request)
    decide(night, request, *(item.item for item in answer.items if item.source[1] in files))
    release(night, request)
    return request


def look(night: Night, request: SubjectRequest) -> None:
    for who, role in (("dora", "dpo"), ("erik", "approver")):
        override(dora(night, who, role), request.id, "SUS-08", "CHECKED")


def waiting_for_a_look(night: Night) -> list[str]:
    return [item.subject for item in of_requests(night.store, night.clock(), night.policy.calendar) if item.code == LOOK_AGAIN]


def test_sus11_nothing_is_done_in_the_name_of_a_child_while_who_asked_is_suspected_in_any_file_of_it(night: Night) -> None:
    """Whatever the file is about, and of a correction too; unless two people had set SUS-11 aside."""
    child, ilse = night.contact(birthdate="2016-05-05"), night.contact(firstname="Ilse", lastname="Wouters (fictief)")
    file, other = (night.dossier(category, closed=False) for category in ("runaway", "sexting"))
    for dossier in (file, other):
        night.party(child, "child", dossier=dossier)
    hold = place(night, "cf_dossier", file)
    new_name = Details(corrections={"firstname": "Lot"})
    asked = [
        released(night, ask(night, right, ilse, child=child, kind=RequesterKind.PARENT_FOR_CHILD, given=ILSE, details=new_name), *only)
        for right, only in ((Right.ERASURE, [file]), (Right.RECTIFICATION, []))
    ]
    night.patch("cf_parties", night.party(ilse, "suspect", dossier=other), cf_suspectuntil="2026-12-10")
    release_hold(night, hold)
    assert (fulfil_all(context_of(night)), waiting_for_a_look(night)) == ({}, [])
    assert (night.get("cf_dossiers", file) is not None, len(decision(night, asked[1]).tasks)) == (True, 1)
    aside = tuple(RequestApproval("override", *given, night.clock(), "SUS-11", "CODE") for given in (("dora", "dpo"), ("erik", "approver")))
    assert kept_items(context_of(night), msgspec.structs.replace(decision(night, asked[0]), looks=aside)).items == frozenset()
    night.clock.advance(days=20)
    assert (fulfil_all(context_of(night)), sorted(waiting_for_a_look(night))) == ({}, sorted(request.id for request in asked))
    for request in asked:
        look(night, request)
    assert (fulfil_all(context_of(night)), night.get("cf_dossiers", file), decision(night, asked[1]).tasks) == ({}, None, ())


def test_sus08_a_suspicion_that_was_removed_is_looked_at_where_it_had_been_seen(night: Night) -> None:
    """SUS-05: by a night, or in the recycle bin. What the product itself has erased is no sign of anything,
    and what is noted of a suspect is noted of everybody."""
    switch(night, recycle_bin_days=30)
    child = night.contact(firstname="Ilse", lastname="Wouters (fictief)", birthdate="2010-05-05")
    gone, seen, binned = (night.dossier("sexting", closed=False) for _ in range(3))
    for dossier in (gone, seen, binned):
        night.party(child, "child", dossier=dossier)
    holds = [place(night, "cf_dossier", dossier) for dossier in (seen, binned)]
    request = released(night, ask(night, Right.ERASURE, child, given=ILSE))
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
    assert fulfil_all(context_of(night)) == {}
    assert [night.get("cf_dossiers", dossier) for dossier in (seen, binned)] == [None, None]
    assert (decision(night, request).tasks, decision(night, request).roles) == ((), ())
