"""Writing rows: owners, forms of values, names that follow, what is born active and what cannot change."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import ANNOTATED, error_of, new_id


def test_a_team_may_own_a_row(crm: Client) -> None:
    team = crm.rows("teams")[0]["teamid"]
    dossier = crm.dossier(**{"ownerid@odata.bind": f"/teams({team})"})
    row = crm.row(f"cf_dossiers({dossier})", ANNOTATED)
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "team"
    assert (row["_owningteam_value"], row["_owninguser_value"]) == (team, None)


def test_the_primary_name_is_required_where_the_environment_says_so(crm: Client) -> None:
    assert error_of(crm.send("POST", "cf_dossiers", {})) == (400, "0x80040203")
    assert crm.send("POST", "contacts", {}).status_code == 204


@pytest.mark.row(38)
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"cf_courtreference": ""}, {"cf_courtreference": None}),
        ({"cf_categories": "100000030, 100000021"}, {"cf_categories": "100000021,100000030"}),
        ({"cf_openedon": "2026-03-14T10:30:00+02:00"}, {"cf_openedon": "2026-03-14T08:30:00Z"}),
        ({"cf_openedon": "2026-03-14T08:30:00.789Z"}, {"cf_openedon": "2026-03-14T08:30:00Z"}),
        ({"cf_outcomeon": "2014-07-30"}, {"cf_outcomeon": "2014-07-30"}),
        ({}, {"cf_legalhold": False, "cf_outcome": None}),
    ],
)
def test_values_are_stored_in_the_services_form(crm: Client, sent: dict[str, Any], stored: dict[str, Any]) -> None:
    row = crm.row(f"cf_dossiers({crm.dossier(**sent)})")
    assert {name: row[name] for name in stored} == stored


def test_a_full_name_follows_its_parts(crm: Client) -> None:
    contact = crm.contact(firstname="Lotte", lastname="Peeters (fictief)", fullname="Iemand Anders")
    assert crm.row(f"contacts({contact})")["fullname"] == "Lotte Peeters (fictief)"
    crm.send("PATCH", f"contacts({contact})", {"firstname": None})
    assert crm.row(f"contacts({contact})")["fullname"] == "Peeters (fictief)"
    crm.send("PATCH", f"contacts({contact})", {"lastname": None})
    assert crm.row(f"contacts({contact})")["fullname"] is None


def test_a_row_is_born_active(crm: Client) -> None:
    assert crm.send("POST", "cf_dossiers", {"cf_name": "D", "statecode": 1}).status_code == 400
    assert crm.send("POST", "cf_dossiers", {"cf_name": "D", "statuscode": 2}).status_code == 400
    assert crm.send("POST", "cf_dossiers", {"cf_name": "D", "statecode": 0, "statuscode": 1}).status_code == 204


def test_a_call_is_completed_with_a_status_of_its_own(crm: Client) -> None:
    call = crm.create("phonecalls", subject="gesprek")
    assert crm.row(f"phonecalls({call})")["directioncode"] is True
    assert crm.send("PATCH", f"phonecalls({call})", {"statecode": 1, "statuscode": 4}).status_code == 204
    assert crm.send("PATCH", f"phonecalls({call})", {"statecode": 2}).status_code == 204
    assert crm.row(f"phonecalls({call})")["statuscode"] == 3


def test_a_body_must_be_announced_as_json(crm: Client) -> None:
    answer = crm.http.post(crm.url + "cf_dossiers", data='{"cf_name":"D"}', headers={"Content-Type": "text/plain"}, timeout=10)
    assert answer.status_code == 415


def test_the_key_of_a_row_cannot_be_changed(crm: Client) -> None:
    dossier = crm.dossier()
    assert crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_dossierid": new_id()}).status_code == 400
    assert crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_dossierid": dossier, "cf_name": "D-2"}).status_code == 204


@pytest.mark.row(35)
def test_a_single_property_that_is_read_only_or_wrong_is_refused(crm: Client) -> None:
    fiche = crm.fiche()
    for name in ("createdon", "cf_ficheid"):
        assert error_of(crm.send("DELETE", f"cf_fiches({fiche})/{name}")) == (400, "0x80048d19")
    assert error_of(crm.send("PUT", f"cf_fiches({fiche})/createdon", {"value": "2020-01-01T00:00:00Z"})) == (400, "0x80048d19")
    assert error_of(crm.send("PUT", f"cf_fiches({fiche})/cf_channel", {"value": 7})) == (400, "0x8004431a")
    assert error_of(crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {"value": 1})) == (400, "0x80048d19")
    assert error_of(crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {})) == (400, "0x80048d19")
    stale = crm.send("PUT", f"cf_fiches({fiche})/cf_callernumber", {"value": "1"}, {"If-Match": 'W/"1"'})
    assert error_of(stale) == (412, "0x80060882")


@pytest.mark.row(12)
@pytest.mark.parametrize("status", [404, 400])
def test_the_status_of_a_delete_on_a_set_can_be_another(crm: Client, status: int) -> None:
    crm.dossier()
    crm.switch(delete_on_set_status=status)
    assert [crm.send(method, "cf_dossiers", {"cf_name": "x"}).status_code for method in ("DELETE", "PATCH", "PUT")] == [status, status, 405]
    assert len(crm.rows("cf_dossiers")) == 1
