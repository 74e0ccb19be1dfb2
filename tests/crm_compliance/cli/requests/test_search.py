"""The commands `requests match` and `requests confirm` (contract 3.6)."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from crm_compliance.wiring.store import store_of
from jobs.model.request import GIVEN, Given, GivenPerson, SubjectRequest
from rules.model.requests import Channel, RequesterKind, RequestState, Right
from tests.drivers.asking import Asking
from tests.drivers.clock import NOW, Clock
from tests.drivers.night import Night
from tests.drivers.typist import DORA, Typist

LOTTE = GivenPerson(firstname="Lotte", lastname="Peeters (fictief)", birthdate="1985-07-30", emails=("lotte@example.org",))
KEYS = {"candidate", "for", "table", "id", "class", "flags", "evidence"}


@pytest.fixture
def request_id(typist: Typist, org: Night) -> str:
    """A request of somebody who was identified."""
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    request = SubjectRequest(
        id="request-1",
        right=Right.ACCESS,
        requester_kind=RequesterKind.PARENT_SELF,
        channel=Channel.FORM,
        received_at=at,
        received_on=at.date(),
        language="nl",
        on_behalf=False,
        state=RequestState.SEARCHING,
    )
    with store_of(typist.settings, Clock(NOW)) as store:
        store.requests.add(request, {GIVEN: msgspec.json.encode(Given(LOTTE))}, ("request", {"request": request.id, "step": "open"}))
    return request.id


def test_candidates_are_listed_and_confirmed_by_name(typist: Typist, org: Night, request_id: str) -> None:
    """R-151: a name alone is listed; only what is confirmed counts."""
    strong = org.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="1985-07-30", emailaddress1="lotte@example.org")
    weak = org.contact(firstname="Lotte", lastname="Peeters (fictief)")
    listed = typist.ask("requests", "match", request_id)
    assert set(listed) == {"request", "candidates", "not_searched", "left_out"}
    assert all(set(one) >= KEYS for one in listed["candidates"])
    told = [(one["candidate"], one["for"], one["table"], one["id"], one["class"], one["evidence"]) for one in listed["candidates"]]
    assert told == [
        ("c1", "requester", "contact", strong, "strong", ["name", "birth_date", "email"]),
        ("c2", "requester", "contact", weak, "weak", ["name"]),
    ]
    assert "backups" in listed["not_searched"]
    confirmed = typist.ask("requests", "confirm", request_id, "c1", *DORA)
    assert (confirmed["request"], confirmed["confirmed"], confirmed["state"]) == (request_id, ["c1"], "searching")
    assert typist.ask("requests", "confirm", request_id, "--none", *DORA)["confirmed"] == []


def test_a_person_sees_why_somebody_is_listed_without_their_name(typist: Typist, org: Night, request_id: str) -> None:
    """IDN-08: of a number the screen shows no more than the birth date in it."""
    row = org.contact(
        firstname="Lotte",
        lastname="Peeters (fictief)",
        birthdate="1985-07-30",
        emailaddress1="l@example.org",
        cf_nationalnumber="85073099734",
    )
    said = typist.type("requests", "match", request_id)
    assert (said.code, said.last) == (0, f"request {request_id}")
    assert "born in 1985, 85.07.30-***.**" in " ".join(said.out.split())
    assert not [text for text in ("Lotte", "Peeters", "99734", "l@example") if text in said.out.replace(row, "")]
    shown = typist.type("requests", "confirm", request_id, "c1", *DORA)
    assert (shown.code, shown.out) == (0, f"c1 confirmed\nNext: crm-compliance requests compile {request_id}\nrequest {request_id}\n")


def test_nobody_found_is_an_answer_too(typist: Typist, request_id: str) -> None:
    assert typist.ask("requests", "match", request_id)["candidates"] == []
    assert "No candidate." in typist.type("requests", "match", request_id).out
    assert typist.type("requests", "confirm", request_id, "--none", *DORA).out.splitlines()[0] == "nobody confirmed"


def test_what_was_given_and_cannot_be_looked_for_is_told_by_its_field(typist: Typist, org: Night, request_id: str) -> None:
    """An address with a slip finds nobody, and is not the same as nobody being there."""
    assert typist.ask("requests", "match", request_id, *DORA)["left_out"] == []
    request = org.store.requests.get(request_id)
    given = Given(GivenPerson(emails=("lotte(at)example.org",), phones=("04 12",)))
    told = ("request", {"request": request.id, "step": "open"})
    org.store.requests.save(request, [told], since=request, parts={GIVEN: msgspec.json.encode(given)})
    assert typist.ask("requests", "match", request_id, *DORA)["left_out"] == ["phones", "emails"]
    said = typist.type("requests", "match", request_id, *DORA)
    assert "Left out, since what was given cannot be read as such: phones, emails" in said.out
    assert "lotte" not in said.out


def test_what_cannot_be_confirmed_ends_with_what_to_do(typist: Typist, org: Night, request_id: str) -> None:
    org.contact(firstname="Lotte", lastname="Peeters (fictief)", birthdate="1990-01-01")
    assert typist.refused("requests", "confirm", request_id, "--none", *DORA, code=5)["code"] == "not_matched"
    typist.ask("requests", "match", request_id)
    for words in ((), ("c1", "--none"), ("c9",), ("Lotte",)):
        error = typist.refused("requests", "confirm", request_id, *words, *DORA, code=2)
        assert "Lotte" not in json.dumps(error)
    assert typist.refused("requests", "confirm", request_id, "c1", *DORA, code=5)["code"] == "contradiction"
    assert typist.refused("requests", "confirm", request_id, "--none", "--as", "carl", "--role", "crm_admin", code=5)["code"] == "role"
    assert typist.refused("requests", "match", "request-9", code=2)["code"] == "usage"


@pytest.mark.parametrize("step", ["match", "compile"])
def test_who_lost_the_key_of_a_request_hears_to_restore_it_and_not_that_it_was_erased(typist: Typist, org: Night, step: str) -> None:
    """ACC-08: nothing of an open request is erased; its term goes on from the day of its receipt."""
    contact = org.contact(firstname="Fien", lastname="Voorbeeld (fictief)", emailaddress1="fien@example.org")
    asking = Asking(typist).open({"firstname": "Fien", "lastname": "Voorbeeld (fictief)", "emails": ["fien@example.org"]}).identify()
    asking.confirm(contact)
    (typist.folder / "data" / "keys" / "requests" / f"{asking.id}.key").unlink()
    refused = typist.refused("requests", step, asking.id, *(DORA if step == "compile" else ()), code=5)
    assert refused["code"] == "erased"
    assert "its key is gone" in refused["message"]
    assert "restore the data folder" in refused["hint"]
