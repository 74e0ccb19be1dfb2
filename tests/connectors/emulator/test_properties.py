"""One column by its own address: read, written, cleared."""

from __future__ import annotations

import pytest

from tests.connectors.emulator.client import Client, error_of

pytestmark = pytest.mark.row(35)


def test_a_put_writes_one_column(crm: Client) -> None:
    fiche = crm.fiche(cf_callernumber="1", cf_calleremail="a@voorbeeld.example")
    before = crm.etag("cf_fiches", fiche)
    answer = crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {"value": "2"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert crm.row(f"cf_fiches({fiche})/cf_callernumber")["value"] == "2"
    assert crm.row(f"cf_fiches({fiche})")["cf_calleremail"] == "a@voorbeeld.example"
    assert crm.etag("cf_fiches", fiche) != before


def test_a_delete_clears_one_column(crm: Client) -> None:
    fiche = crm.fiche(cf_callernumber="1", cf_calleremail="a@voorbeeld.example")
    assert crm.send("DELETE", f"cf_fiches({fiche})/cf_callernumber").status_code == 204
    assert crm.get(f"cf_fiches({fiche})/cf_callernumber").status_code == 204
    row = crm.row(f"cf_fiches({fiche})")
    assert (row["cf_callernumber"], row["cf_calleremail"]) == (None, "a@voorbeeld.example")


def test_a_put_of_null_clears_as_well(crm: Client) -> None:
    fiche = crm.fiche(cf_callernumber="1")
    assert crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {"value": None}).status_code == 204
    assert crm.row(f"cf_fiches({fiche})")["cf_callernumber"] is None


@pytest.mark.parametrize("name", ["cf_DossierId", "_cf_dossierid_value", "cf_dossierid"])
def test_a_delete_of_a_lookup_without_ref_does_not_clear_it(crm: Client, name: str) -> None:
    dossier = crm.dossier()
    fiche = crm.fiche(dossier)
    before = crm.etag("cf_fiches", fiche)
    assert crm.send("DELETE", f"cf_fiches({fiche})/{name}").status_code in (404, 405)
    assert crm.send("PUT", f"cf_fiches({fiche})/{name}", {"value": None}).status_code in (404, 405)
    assert crm.exists("cf_dossiers", dossier), "nor is the row deleted that it points to"
    assert (crm.row(f"cf_fiches({fiche})")["_cf_dossierid_value"], crm.etag("cf_fiches", fiche)) == (dossier, before)
    assert crm.send("DELETE", f"cf_fiches({fiche})/cf_DossierId/$ref").status_code == 204
    assert crm.row(f"cf_fiches({fiche})")["_cf_dossierid_value"] is None


def test_what_is_read_only_or_wrong_is_refused(crm: Client) -> None:
    fiche = crm.fiche()
    assert error_of(crm.send("DELETE", f"cf_fiches({fiche})/createdon")) == (400, "0x80048d19")
    assert error_of(crm.send("DELETE", f"cf_fiches({fiche})/cf_ficheid")) == (400, "0x80048d19")
    assert error_of(crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {"value": 1})) == (400, "0x80048d19")
    assert error_of(crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {})) == (400, "0x80048d19")
    stale = crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {"value": "1"}, {"If-Match": 'W/"1"'})
    assert error_of(stale) == (412, "0x80060882")
