"""Who in the CRM may be the person that asks: found over HTTP, confirmed by a person, kept nowhere else
(section 10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
import urllib3

from jobs.model.request import (
    CANDIDATES,
    COMPILATION,
    CONFIRMED,
    GIVEN,
    Candidate,
    Candidates,
    Confirmed,
    Given,
    GivenPerson,
    SubjectRequest,
)
from jobs.register.overrides import override
from jobs.register.request_steps import Actor
from jobs.requests.search.confirm import confirm_candidates, match_request
from jobs.requests.search.match import find_all_candidates, find_candidates
from jobs.requests.search.preserve import preserved_of
from rules.decoders import decoder_of
from rules.errors import ComplianceError, Refused, UsageError
from rules.model.requests import Channel, RequesterKind, RequestState, Right
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults

LOTTE = GivenPerson(
    firstname="Lotte",
    lastname="Peeters (fictief)",
    birthdate="1985-07-30",
    nationalnumbers=("85.07.30-997.34",),
    phones=("+32 02 475 44 99",),
    emails=("Lotte@example.org",),
)
NOBODY = GivenPerson(firstname="Niemand", lastname="Nergens (fictief)")


def only(**said: Any) -> Given:
    return Given(GivenPerson(**said))


def found_ids(night: Night, given: Given) -> dict[str, Candidate]:
    return {candidate.id: candidate for candidate in find_candidates(night.context, given)}


def asked(night: Night, given: Given, *, state: RequestState = RequestState.SEARCHING) -> SubjectRequest:
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    request = SubjectRequest(
        id=night.context.new_id("request"),
        right=Right.ACCESS,
        requester_kind=RequesterKind.PARENT_SELF,
        channel=Channel.FORM,
        received_at=at,
        received_on=at.date(),
        language="nl",
        on_behalf=given.on_behalf_of is not None,
        state=state,
    )
    night.store.requests.add(request, {GIVEN: msgspec.json.encode(given)}, ("request", {"request": request.id, "step": "open"}))
    return request


def actor(night: Night, who: str = "dora", role: str = "dpo") -> Actor:
    return Actor(night.store, who, role, night.clock(), night.key.reference, night.policy.calendar)


def part(night: Night, request: SubjectRequest, name: str, type_: type[Any]) -> Any:
    content = night.store.requests.part(request.id, name)
    return None if content is None else decoder_of(type_).decode(content)


@pytest.fixture
def urls(real_http: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The address of every request that leaves this process."""
    seen: list[str] = []
    send: Callable[..., Any] = urllib3.HTTPConnectionPool.urlopen

    def noted(self: urllib3.HTTPConnectionPool, method: str, url: str, *rest: Any, **more: Any) -> Any:
        seen.append(unquote(url))
        return send(self, method, url, *rest, **more)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", noted)
    return seen


def test_a_person_is_found_by_everything_that_was_said_and_no_url_tells_it(night: Night, urls: list[str]) -> None:
    """R-148, R-149, ACC-05, R-142: names and numbers are compared here, they are sent to nobody."""
    lotte = night.contact(
        firstname="Lotte",
        lastname="Peeters (fictief)",
        birthdate="1985-07-30",
        cf_nationalnumber="85073099734",
        telephone1="02/475.44.99",
        emailaddress1="lotte@example.org",
    )
    by_phone = night.contact(firstname="Bram", lastname="Maes (fictief)", mobilephone="0032 2 475 44 99")
    by_second_email = night.contact(firstname="Bram", lastname="Claes (fictief)", emailaddress2="LOTTE@example.org")
    night.contact(firstname="Bram", lastname="Smet (fictief)")
    fiche = night.fiche("sexting", cf_callernumber="+32 (0)2 475 44 99")
    recording = night.recording(date(2026, 11, 1), cf_callernumber="024754499")
    urls.clear()
    found = found_ids(night, Given(LOTTE))
    assert set(found) == {lotte, by_phone, by_second_email, fiche, recording}
    assert found[lotte].strength == "strong"
    assert found[lotte].evidence == ("national_number", "name", "birth_date", "phone", "email")
    assert (found[lotte].born_in, found[lotte].number) == (1985, "85.07.30-***.**")
    assert {found[row].strength for row in (by_phone, by_second_email, fiche, recording)} == {"weak"}
    assert (found[fiche].table, found[recording].table) == ("cf_fiche", "cf_recording")
    assert [candidate.candidate for candidate in found.values()] == ["c1", "c2", "c3", "c4", "c5"]
    assert next(iter(found.values())).id == lotte
    assert urls
    told = ("lotte", "peeters", "1985", "850730", "4754499", "475.44.99", "@example", "99734")
    assert not [url for url in urls if any(text in url.lower() for text in told)]


def test_r150_the_same_name_written_otherwise_is_a_candidate(night: Night) -> None:
    pairs = [("D'Hondt", "Dhondt"), ("Van den Broeck", "Vandenbroeck"), ("El Khattabi", "Al-Khattabi")]
    ids = {name: night.contact(firstname="Lotte", lastname=name) for pair in pairs for name in pair}
    for pair in pairs:
        for asked_for in pair:
            found = found_ids(night, only(firstname="Lotte", lastname=asked_for))
            assert set(found) == {ids[name] for name in pair}


def test_r149_a_number_of_a_service_is_nobodys(night: Night) -> None:
    night.contact(telephone1="116 000")
    night.fiche("sexting", cf_callernumber="116000")
    assert find_candidates(night.context, only(phones=("116 000",))) == []


def test_who_was_anonymised_is_nobody_any_more(night: Night) -> None:
    night.contact(telephone1="02 475 44 99", cf_anonymisedon="2026-01-01T11:00:00Z")
    night.fiche("sexting", cf_callernumber="02 475 44 99", cf_anonymisedon="2026-01-01T11:00:00Z")
    assert find_candidates(night.context, only(phones=("02 475 44 99",))) == []


def test_a_row_without_contact_is_listed_and_one_of_a_candidate_is_found_through_them(night: Night) -> None:
    """IDN-17: a number alone is weak, with the name of a role without contact it is medium."""
    lotte = night.contact(firstname="Lotte", lastname="Peeters (fictief)", telephone1="02 475 44 99")
    hers = night.fiche("sexting", cf_callernumber="02 475 44 99")
    night.party(lotte, "reporter", fiche=hers)
    in_her_dossier = night.dossier("grooming", fiches=0)
    night.party(lotte, "parent", dossier=in_her_dossier)
    night.fiche("grooming", dossier=in_her_dossier, cf_callernumber="02 475 44 99")
    alone = night.fiche("sexting", cf_callernumber="02 475 44 99")
    named = night.fiche("sexting", cf_calleremail="lotte@example.org")
    role = night.create(
        "cf_parties", "cf_partyid", cf_name="Peeters, Lotte", cf_role=100000003, **{"cf_FicheId@odata.bind": f"/cf_fiches({named})"}
    )
    strange = night.fiche("sexting", cf_callernumber="02 475 44 99")
    night.party(night.contact(firstname="Bram", lastname="Maes (fictief)"), "reporter", fiche=strange)
    call = night.create("phonecalls", "activityid", subject="gesprek", phonenumber="02 475 44 99")
    mail = night.create(
        "emails", "activityid", subject="bericht", sender="lotte@example.org", torecipients="intake@example.org;bram@example.org;"
    )
    found = found_ids(night, Given(LOTTE))
    assert {row: (one.table, one.strength) for row, one in found.items()} == {
        lotte: ("contact", "medium"),
        alone: ("cf_fiche", "weak"),
        strange: ("cf_fiche", "weak"),
        named: ("cf_fiche", "medium"),
        role: ("cf_party", "medium"),
        call: ("phonecall", "weak"),
        mail: ("email", "weak"),
    }


def test_a_participant_who_is_no_contact_stands_for_the_activity(night: Night) -> None:
    mail = night.create(
        "emails",
        "activityid",
        subject="bericht",
        email_activity_parties=[{"addressused": "lotte@example.org", "participationtypemask": 1}],
    )
    (one,) = find_candidates(night.context, only(emails=("LOTTE@example.org",)))
    assert (one.table, one.id, one.strength, one.evidence) == ("email", mail, "weak", ("email",))


def test_the_child_is_looked_for_apart_from_the_requester(night: Night) -> None:
    parent = night.contact(firstname="Lotte", lastname="Peeters (fictief)", telephone1="02 475 44 99")
    child = night.contact(firstname="Noor", lastname="Peeters (fictief)", birthdate="2016-04-03", telephone1="02 475 44 99")
    given = Given(LOTTE, GivenPerson(firstname="Noor", lastname="Peeters (fictief)", birthdate="2016-03-04"))
    found = [(one.person, one.id, one.strength, one.flags) for one in find_candidates(night.context, given)]
    assert found == [
        ("requester", parent, "medium", ()),
        ("child", child, "medium", ("BIRTHDATE_NEAR",)),
        ("requester", child, "weak", ()),  # a family's line (IDN-11)
    ]


def test_several_requests_are_looked_for_in_one_reading(night: Night, urls: list[str]) -> None:
    night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="1985-07-30")
    night.contact(firstname="Bram", lastname="Maes (fictief)")
    given = {"a": Given(LOTTE), "b": only(firstname="Bram", lastname="Maes"), "c": only(birthdate="1985-07-30")}
    alone = {request: find_candidates(night.context, one) for request, one in given.items()}
    urls.clear()
    assert find_all_candidates(night.context, given) == alone
    assert [len(found) for found in alone.values()] == [1, 1, 0]
    assert len([url for url in urls if "/contacts?" in url]) == 1


def test_a_page_that_fails_is_no_empty_list(night: Night) -> None:
    night.contact(telephone1="02 475 44 99")
    set_faults(night.emulator, {"match": {"method": "GET", "path": "cf_parties"}, "times": 50, "do": "status", "status": 500})
    with pytest.raises(ComplianceError) as failed:
        find_candidates(night.context, Given(LOTTE))
    assert failed.value.exit_code == 4


def test_what_match_finds_is_sealed_and_kept_from_disposal(night: Night) -> None:
    """HLD-08, IDN-19: the list is in the working area of the request, and the ledger does not know what is
    on it."""
    lotte = night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="1990-01-01")
    request = asked(night, Given(LOTTE))
    listed = match_request(night.context, request.id, actor(night))
    assert [(one.id, one.strength) for one in listed.found] == [(lotte, "contradiction")]
    assert "backups" in listed.not_searched
    assert part(night, request, CANDIDATES, Candidates) == listed
    preserved = preserved_of(night.context, request.id)
    assert preserved is not None
    assert preserved.contacts == (lotte,)


def test_a_search_that_finds_nobody_leaves_the_same_trace(night: Night) -> None:
    """SUS-04, SUS-07: neither the register nor the ledger tells whether there is anybody."""
    night.contact(firstname="Lotte", lastname="Peeters (fictief)")
    told, rows = [], []
    for given in (Given(LOTTE), Given(NOBODY)):
        request = asked(night, given)
        (*_, before) = night.store.ledger.entries()
        listed = match_request(night.context, request.id, actor(night))
        confirm_candidates(actor(night), request.id, [one.candidate for one in listed.found])
        entries = [(entry.kind, {**entry.data, "request": ""}) for entry in night.store.ledger.entries(before.seq)]
        told.append(entries)
        rows.append(msgspec.structs.replace(night.store.requests.get(request.id), id=""))
    assert told[0] == told[1]
    assert [kind for kind, _ in told[0]] == ["request", "request"]
    assert rows[0] == rows[1]


def test_a_candidate_keeps_its_name_when_the_search_is_made_again(night: Night) -> None:
    old = night.contact(firstname="Lotte", lastname="Peeters (fictief)")
    request = asked(night, Given(LOTTE))
    assert [(one.candidate, one.id) for one in match_request(night.context, request.id, actor(night)).found] == [("c1", old)]
    new = night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="1985-07-30")
    assert [(one.candidate, one.id) for one in match_request(night.context, request.id, actor(night)).found] == [("c2", new), ("c1", old)]


def test_confirming_again_replaces_and_searching_again_undoes(night: Night) -> None:
    night.contact(firstname="Lotte", lastname="Peeters (fictief)")
    request = asked(night, Given(LOTTE))
    match_request(night.context, request.id, actor(night))
    confirm_candidates(actor(night), request.id, ["c1", "c1"])
    assert part(night, request, CONFIRMED, Confirmed) == Confirmed(("c1",), "dora", night.clock())
    compiled = msgspec.structs.replace(night.store.requests.get(request.id), state=RequestState.REVIEWING, answer="package", scope="own")
    night.store.requests.save(compiled, since=night.store.requests.get(request.id), parts={COMPILATION: b"{}"})
    confirm_candidates(actor(night), request.id, [])
    assert part(night, request, CONFIRMED, Confirmed).candidates == ()
    assert night.store.requests.part(request.id, COMPILATION) is None
    after = night.store.requests.get(request.id)
    assert (after.state, after.answer, after.scope) == (RequestState.SEARCHING, "", "")
    match_request(night.context, request.id, actor(night))
    assert night.store.requests.part(request.id, CONFIRMED) is None


def test_a_contradiction_is_confirmed_once_two_people_set_the_rule_aside(night: Night) -> None:
    """IDN-17."""
    night.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="1990-01-01")
    request = asked(night, Given(LOTTE))
    match_request(night.context, request.id, actor(night))
    for who, role in (("dora", "dpo"), ("erik", "approver")):
        with pytest.raises(Refused) as refused:
            confirm_candidates(actor(night), request.id, ["c1"])
        assert refused.value.code == "contradiction"
        override(actor(night, who, role), request.id, "IDN-17", "MARRIED")
    assert confirm_candidates(actor(night), request.id, ["c1"]).candidates == ("c1",)


def test_only_the_dpo_confirms_and_an_attempt_is_recorded(night: Night) -> None:
    """R-127, ACC-10."""
    request = asked(night, Given(LOTTE))
    match_request(night.context, request.id, actor(night))
    with pytest.raises(Refused) as refused:
        confirm_candidates(actor(night, "carl", "crm_admin"), request.id, [])
    assert refused.value.code == "role"
    (*_, last) = night.store.ledger.entries()
    assert (last.kind, last.data["code"]) == ("denied", "role")


def test_an_unknown_candidate_is_not_repeated(night: Night) -> None:
    night.contact(firstname="Lotte", lastname="Peeters (fictief)")
    request = asked(night, Given(LOTTE))
    with pytest.raises(Refused) as refused:
        confirm_candidates(actor(night), request.id, [])
    assert refused.value.code == "not_matched"
    match_request(night.context, request.id, actor(night))
    with pytest.raises(UsageError) as unknown:
        confirm_candidates(actor(night), request.id, ["c1", "Lotte"])
    assert "Lotte" not in f"{unknown.value} {unknown.value.hint} {unknown.value.where}"


@pytest.mark.parametrize("state", [RequestState.RECEIVED, RequestState.SUSPENDED, RequestState.APPROVED, RequestState.CLOSED])
def test_nobody_is_looked_for_before_the_requester_is_identified_or_after_the_approval(night: Night, state: RequestState) -> None:
    request = asked(night, Given(LOTTE), state=state)
    for step in (lambda: match_request(night.context, request.id, actor(night)), lambda: confirm_candidates(actor(night), request.id, [])):
        with pytest.raises(Refused) as refused:
            step()
        assert refused.value.code == "state"
