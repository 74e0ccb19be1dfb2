"""How a subject request is opened on the command line, and what it keeps from then on (contract 3.6, ACC-08,
HLD-08)."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.model.request import GIVEN, PRESERVED
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.requesting import CHILD, a_form, at, opened, person, shown, unreachable, written
from tests.drivers.typist import DORA, LONG_AGO, Typist

KEYS = {"request", "right", "state", "received_on", "due_on", "outcome", "approvals"}
CANARIES = ("Kanarie", "Zangvogel (fictief)", "0470 11 22 33", "kanarie@example.org", "85.07.30-997.34")


@pytest.fixture(autouse=True)
def no_faults_left(org: Night) -> Iterator[None]:
    yield
    set_faults(org.emulator)


def test_a_request_is_opened_listed_and_shown(typist: Typist, org: Night) -> None:
    said = typist.type("requests", "open", written(typist.folder, a_form()))
    assert (said.code, said.last.split()[0]) == (0, "request")
    request = said.last.split()[1]
    document = shown(typist, request)
    assert set(document) >= KEYS
    assert {key: document[key] for key in KEYS} == {
        "request": request,
        "right": "access",
        "state": "received",
        "received_on": "2026-11-25",
        "due_on": "2026-12-28",
        "outcome": None,
        "approvals": [],
    }
    (listed,) = typist.ask("requests", "list")
    assert listed == {key: value for key, value in document.items() if key != "blocks"}
    screen = typist.type("requests", "list").out
    assert all(word in screen for word in (request, "access", "received", "2026-12-28"))
    assert typist.type("requests", "show", request).last == f"request {request}"


def test_a_form_comes_from_standard_input_too(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(json.dumps(a_form()).encode())

    monkeypatch.setattr("sys.stdin", Stdin())
    assert typist.ask("requests", "open", "-")["state"] == "received"


def test_r133_the_day_of_receipt_is_the_one_in_brussels(typist: Typist, org: Night) -> None:
    """R-133, DDL-02."""
    document = shown(typist, opened(typist, received_at="2026-09-14T22:10:00Z"))
    assert (document["received_on"], document["due_on"]) == ("2026-09-15", "2026-10-15")


def test_several_rights_in_one_message_are_several_requests(typist: Typist, org: Night) -> None:
    """DDL-15."""
    for right in ("access", "erasure", "objection", "consent_withdrawal", "restriction", "portability", "rectification"):
        assert shown(typist, opened(typist, right=right))["right"] == right
    assert len({document["due_on"] for document in typist.ask("requests", "list")}) == 1


def test_what_was_said_is_sealed_and_stands_nowhere_else(typist: Typist, org: Night) -> None:
    """ACC-08, R-142: not in the database, not in the ledger, not on the screen."""
    first, last, phone, mail, number = CANARIES
    given = person(firstname=first, lastname=last, phones=[phone], emails=[mail], nationalnumbers=[number])
    said = typist.type("requests", "open", written(typist.folder, a_form(given=given)))
    request = said.last.split()[1]
    assert first.encode() in (org.store.requests.part(request, GIVEN) or b"")
    kept = b"".join(file.read_bytes() for file in (typist.folder / "data").rglob("*") if file.is_file())
    told = said.out + said.err + str([entry.data for entry in org.store.ledger.entries()])
    for canary in CANARIES:
        assert canary.encode() not in kept
        assert canary not in told


def test_a_receipt_is_not_lost_because_the_crm_cannot_be_reached(typist: Typist, org: Night) -> None:
    """HLD-08: stored first; what it keeps is looked up by the next plan."""
    with typist.monkeypatch.context() as without:
        without.setattr("crm_compliance.wiring.desk.checked", unreachable)
        said = typist.type("requests", "open", written(typist.folder, a_form()), "--json")
    assert (said.code, said.document["state"]) == (0, "received")
    assert "not looked up yet" in said.err
    request = said.document["request"]
    assert org.store.requests.part(request, PRESERVED) is None
    typist.ask("plan")
    assert org.store.requests.part(request, PRESERVED) is not None


BAD: dict[str, tuple[object, str]] = {
    "no object": ([1], "not a JSON object"),
    "no json": ('{"right": ', "not valid JSON"),
    "a key twice": ('{"right": "access", "right": "erasure"}', "a key twice"),
    "a strange number": ('{"right": NaN}', "number"),
    "a number without end": ('{"right": ' + "9" * 5000 + "}", "a number that is too long"),
    "nothing": ({}, "right: is missing"),
    "no right": ({key: value for key, value in a_form().items() if key != "right"}, "right: is missing"),
    "an unknown right": (a_form(right="oblivion"), "right: "),
    "an unknown kind": (a_form(requester_kind="suspect"), "requester_kind: "),
    "an unknown channel": (a_form(channel="pigeon"), "channel: "),
    "no language": (a_form(language="Nederlands, graag"), "language: "),
    "no zone": (a_form(received_at="2026-11-25T09:30:00"), "received_at: "),
    "no instant": (a_form(received_at="2026-02-30T09:30:00Z"), "received_at: "),
    "a number as instant": (a_form(received_at=1795600000), "received_at: "),
    "the future": (a_form(received_at="2026-11-26T09:30:00Z"), "received_at: lies in the future"),
    "the end of the calendar": (a_form(received_at="9999-12-31T23:59:59Z"), "received_at: lies in the future"),
    "before the calendar": (a_form(received_at="0001-01-01T00:00:00+14:00"), "received_at: "),
    "before the rights": (a_form(received_at="2016-11-25T11:30:00Z"), "received_at: "),
    "nobody": (a_form(given=person(firstname="", lastname="")), "given: needs"),
    "no person": (a_form(given=None), "given: should be an object"),
    "a bad birth date": (a_form(given=person(birthdate="8 mei 2012")), "given.birthdate: "),
    "a 30th of February": (a_form(given=person(birthdate="2012-02-30")), "given.birthdate: "),
    "not born yet": (a_form(given=person(birthdate="2026-12-01")), "given.birthdate: lies in the future"),
    "a phone that is no list": (a_form(given=person(phones="0470112233")), "given.phones: should be a list"),
    "a number that is no text": (a_form(given=person(nationalnumbers=[85073099734])), "given.nationalnumbers.0: "),
    "more numbers than anybody has": (a_form(given=person(phones=["0470112233"] * 21)), "given.phones: is too long"),
    "an empty address": (a_form(given=person(emails=["  "])), "given.emails.0: is empty"),
    "a line end in a name": (a_form(given=person(lastname="Vraagster\nBcc: x")), "given.lastname: "),
    "a misspelt key": (a_form(given=person(birthdat="2012-05-08")), "is birthdate meant?"),
    "an unknown key": (a_form(geheim_van_kanarie=1), "the form: has a key that is not known"),
    "a parent without a child": (a_form(requester_kind="parent_for_child"), "on_behalf_of: is needed"),
    "a guardian without a child": (a_form(requester_kind="guardian"), "on_behalf_of: is needed"),
    "a witness for a child": (a_form(on_behalf_of=CHILD), "on_behalf_of: only"),
    "an unknown subject": (a_form(details={"about": "the weather"}), "details.about: "),
    "an unknown correction": (a_form(details={"corrections": {"shoe_size": "44"}}), "details.corrections: has a key"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_form_is_refused_with_its_field_and_nothing_is_stored(typist: Typist, org: Night, name: str) -> None:
    form, part = BAD[name]
    error = typist.refused("requests", "open", written(typist.folder, form), code=2)
    assert part in error["message"]
    assert typist.ask("requests", "list") == []
    assert not [entry for entry in org.store.ledger.entries() if entry.kind == "request"]


def test_every_mistake_is_told_and_no_value_is_repeated(typist: Typist, org: Night) -> None:
    form = a_form(
        right="kanarie",
        channel="zangvogel",
        language="k@narie",
        given=person(birthdate="kanarie", phones=["x" * 400]),
        kanariesleutel="kanarie",
    )
    said = typist.type("requests", "open", written(typist.folder, form), "--json")
    for field in ("right", "channel", "language", "given.birthdate", "given.phones.0", "the form"):
        assert f"{field}: " in said.error["message"]
    assert "anarie" not in said.err
    assert "zangvogel" not in said.err


def test_what_is_wrong_by_the_clock_or_by_another_field_is_told_beside_what_cannot_be_read(typist: Typist, org: Night) -> None:
    """A person mends all in one go; only what may come of a field that cannot be read is left out."""
    form = a_form(given=person(birthdate="2012-02-31"), received_at="2030-01-01T09:00:00Z", requester_kind="parent_for_child")
    told = typist.refused("requests", "open", written(typist.folder, form), code=2)["message"]
    for mistake in ("given.birthdate: should be a day", "received_at: lies in the future", "on_behalf_of: is needed"):
        assert mistake in told
    empty = a_form(given={"birthdate": "2012-02-31"}, on_behalf_of={"firstname": "a\nb"}, requester_kind="guardian")
    told = typist.refused("requests", "open", written(typist.folder, empty), code=2)["message"]
    assert "given: needs a name" in told
    assert "on_behalf_of: " not in told
    unread = a_form(given={"firstnam": "Voorbeeld"}, on_behalf_of=5, requester_kind="guardian", received_at="2016-11-25T11:30:00Z")
    told = typist.refused("requests", "open", written(typist.folder, unread), code=2)["message"]
    assert "received_at: lies before" in told
    assert "needs" not in told
    assert "is needed" not in told


def test_a_file_that_is_not_there_is_exit_2(typist: Typist, org: Night) -> None:
    assert "cannot be read" in typist.refused("requests", "open", typist.folder / "none.json", code=2)["message"]
    assert typist.refused("requests", "show", "request-none", code=2)["message"]


def test_a_language_that_no_answer_has_is_accepted(typist: Typist, org: Night) -> None:
    """EXP-11, R-122."""
    assert shown(typist, opened(typist, language="es-419"))["language"] == "es"
    assert shown(typist, opened(typist, language="NL-be"))["language"] == "nl"
    assert shown(typist, opened(typist, language=None))["language"] is None


# -- holds ---------------------------------------------------------------------------------------------------


def test_r072_a_request_keeps_the_persons_data_from_its_receipt_on(typist: Typist, org: Night) -> None:
    """HLD-08: confirmed or not."""
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    org.party(org.contact(firstname="Voorbeeld", lastname="Vraagster (fictief)"), "reporter", dossier=dossier)
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "EXPIRED"
    request = opened(typist)
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "HOLD_REQUEST"
    assert typist.ask("plan")["retain"] == {"HOLD_REQUEST": 1}
    typist.ask("requests", "close", request, "--outcome", "WITHDRAWN", *DORA)
    at(typist, "2026-12-25T11:00:00Z")
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "HOLD_REQUEST"
    at(typist, "2026-12-26T11:00:00Z")
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "EXPIRED"


def test_consent_that_is_withdrawn_keeps_nothing(typist: Typist, org: Night) -> None:
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    org.party(org.contact(firstname="Voorbeeld", lastname="Vraagster (fictief)"), "reporter", dossier=dossier)
    opened(typist, right="consent_withdrawal")
    assert typist.ask("why", "cf_dossier", dossier)["reason"] == "EXPIRED"


def test_a_lookup_that_fails_stops_the_plan(typist: Typist, org: Night) -> None:
    """HLD-08: never an empty hold."""
    opened(typist)
    set_faults(org.emulator, {"match": {"path": "contacts"}, "times": 1000, "do": "status", "status": 403})
    try:
        typist.refused("plan", code=4)
    finally:
        set_faults(org.emulator)
    assert typist.ask("plans", "list") == []


def test_nothing_of_a_request_is_readable_by_others(typist: Typist, org: Night) -> None:
    request = opened(typist)
    key: Path = typist.folder / "data" / "keys" / "requests" / f"{request}.key"
    assert key.stat().st_mode & 0o077 == 0
