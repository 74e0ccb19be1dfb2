"""Alternate keys in addresses and binds."""

from __future__ import annotations

import pytest

from tests.connectors.emulator.client import Client, error_of

NUMBER = "85.07.30-033.61"


@pytest.mark.row(37)
def test_a_row_is_read_changed_and_deleted_by_its_alternate_key(crm: Client) -> None:
    contact = crm.contact(cf_nationalnumber=NUMBER)
    address = f"contacts(cf_nationalnumber='{NUMBER}')"
    assert crm.row(address)["contactid"] == contact
    answer = crm.send("PATCH", address, {"firstname": "Lotte"}, {"If-Match": "*"})
    assert answer.headers["OData-EntityId"] == f"{crm.url}contacts({contact})"
    assert crm.row(f"contacts({contact})")["firstname"] == "Lotte"
    assert crm.send("DELETE", address).status_code == 204
    assert error_of(crm.get(address)) == (404, "0x80040217")


def test_characters_that_the_front_end_refuses_are_refused(crm: Client) -> None:
    crm.contact(cf_nationalnumber="a&b")
    assert crm.get("contacts(cf_nationalnumber='a%26b')").status_code == 400
    assert len(crm.rows("contacts?$filter=cf_nationalnumber eq 'a%26b'")) == 1


@pytest.mark.row(37)
def test_a_second_row_with_the_same_key_is_refused(crm: Client) -> None:
    crm.contact(cf_nationalnumber=NUMBER)
    other = crm.contact()
    body = {"lastname": "Maes (fictief)", "cf_nationalnumber": NUMBER}
    assert error_of(crm.send("POST", "contacts", body)) == (412, "0x80060892")
    assert error_of(crm.send("PATCH", f"contacts({other})", body)) == (412, "0x80060892")
    assert crm.row(f"contacts({other})")["cf_nationalnumber"] is None


def test_rows_without_a_key_do_not_compete(crm: Client) -> None:
    assert crm.contact() != crm.contact()


def test_an_upsert_by_key_creates_with_the_key(crm: Client) -> None:
    """Section 4.4."""
    address = f"contacts(cf_nationalnumber='{NUMBER}')"
    representation = {"Prefer": "return=representation"}
    assert error_of(crm.send("PATCH", address, {"lastname": "x"}, {"If-Match": "*"})) == (404, "0x80040217")
    created = crm.send("PATCH", address, {"lastname": "Maes (fictief)"}, representation)
    assert (created.status_code, created.json()["cf_nationalnumber"]) == (201, NUMBER)
    updated = crm.send("PATCH", address, {"firstname": "Bram"}, representation)
    assert (updated.status_code, updated.json()["fullname"]) == (200, "Bram Maes (fictief)")
    assert updated.json()["contactid"] == created.json()["contactid"]
