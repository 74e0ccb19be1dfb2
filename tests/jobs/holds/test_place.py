"""Placing a hold: what it may be placed on, what the ledger says of it, and what it asks of the CRM."""

from datetime import date

import pytest

from connectors.interface.errors import ConnectorError
from jobs.model.plan import Kind
from jobs.plans.make import make_plan
from rules.errors import Refused, UsageError
from tests.drivers.holding import LONG_AGO, place, release
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.meanwhile import between


def test_what_is_not_there_cannot_be_held(night: Night) -> None:
    nobody = "00000000-0000-0000-0000-0000000000ff"
    for table, row, more in (
        ("cf_dossier", nobody, {}),
        ("", "", {"person": nobody}),
        ("cf_nothing", nobody, {}),
        ("systemuser", nobody, {}),
        ("cf_statistic", nobody, {}),
        ("cf_dossier", "", {}),
        ("cf_dossier", nobody, {"where": ("active=no",)}),
        ("cf_dossier", nobody, {"person": nobody}),
    ):
        with pytest.raises(UsageError):
            place(night, table, row, **more)
    assert night.store.holds.all() == []


def test_the_ledger_tells_of_holds_without_a_name(night: Night) -> None:
    """ACC-01, ACC-10: placed, denied, released."""
    dossier = night.dossier("social_card", spoken=LONG_AGO)
    hold = place(night, "cf_dossier", dossier, ends_on=date(2027, 1, 1))
    with pytest.raises(Refused):
        release(night, hold, who="dora")
    release(night, hold)
    placed, denied, released = list(night.store.ledger.entries())[-3:]
    assert [entry.kind for entry in (placed, denied, released)] == ["hold_placed", "denied", "hold_released"]
    assert placed.data["ref"] == released.data["ref"] == night.key.reference("cf_dossier", dossier)
    assert (placed.data["type"], placed.data["reason"], placed.data["ends_on"]) == ("judicial", "REQ-1", "2027-01-01")
    assert (denied.data["action"], denied.data["role"], denied.data["code"]) == ("release_hold", "approver", "same_person")
    text = str([entry.data for entry in (placed, denied, released)])
    assert not any(word in text for word in ("dora", "erik", "carl", "letter", dossier))


def test_who_loses_against_another_release_of_the_same_instant_is_told_in_the_ledger(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """ACC-10: denied, as who comes later."""
    hold = place(night, "cf_dossier", night.dossier("social_card", spoken=LONG_AGO))
    between(monkeypatch, "jobs.holds.release.without_requests", lambda: release(night, hold))
    with pytest.raises(Refused) as caught:
        release(night, hold, who="frida", role="dpo")
    assert caught.value.code == "released"
    released, denied = list(night.store.ledger.entries())[-2:]
    assert (released.kind, released.data["role"]) == ("hold_released", "approver")
    assert (denied.kind, denied.data["action"], denied.data["role"], denied.data["code"]) == ("denied", "release_hold", "dpo", "released")


def test_without_holds_the_crm_is_asked_nothing_for_them(night: Night) -> None:
    from jobs.holds.active import active_holds

    context = night.context
    before = night.emulator.stats()["requests"]
    assert not active_holds(context, date(2026, 11, 25)).is_any
    assert night.emulator.stats()["requests"] == before


def test_a_hold_whose_cover_cannot_be_read_stops_the_plan(night: Night) -> None:
    """A read that fails raises: it never looks like a hold that covers nothing."""
    person = night.contact()
    night.party(person, "suspect", dossier=night.dossier("social_card", spoken=LONG_AGO))
    place(night, "contact", person)
    faults = [{"match": {"method": "GET", "path": "cf_parties", "every": 1}, "times": 99, "do": "status", "status": 403}]
    context = night.context
    set_faults(night.emulator, *faults)
    with pytest.raises(ConnectorError):
        make_plan(context, Kind.ALL)
    assert night.store.plans.all() == []
