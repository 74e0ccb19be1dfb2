"""A connection is kept in two halves, each seen from one of its records, unless an organisation
keeps it once."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.connectors.emulator.customers import client

__all__ = ["client"]

pytestmark = pytest.mark.usefixtures("real_http")


def connect(client: Client, **columns: Any) -> tuple[str, str, str]:
    """A connection from a contact to an incident; gives its id and theirs."""
    contact, incident = client.create("contacts", fullname="a"), client.create("incidents", title="i")
    bound = {"record1id_contact@odata.bind": f"/contacts({contact})", "record2id_incident@odata.bind": f"/incidents({incident})"}
    return client.create("connections", **bound, **columns), contact, incident


@pytest.mark.row(51)
def test_a_connection_is_seen_from_both_records(client: Client) -> None:
    role = client.create("connectionroles", name="r")
    row, contact, incident = connect(client, description="d", **{"record1roleid@odata.bind": f"/connectionroles({role})"})
    (other,) = client.rows(f"connections?$filter=connectionid ne {row}")
    assert (other["_record1id_value"], other["_record2id_value"], other["_record2roleid_value"]) == (incident, contact, role)
    assert (other["description"], other["_relatedconnectionid_value"], other["ismaster"]) == ("d", row, False)
    own = client.row(f"connections({row})")
    assert (own["_relatedconnectionid_value"], own["ismaster"]) == (other["connectionid"], True)
    assert client.send("PATCH", f"connections({other['connectionid']})", {"description": "e"}).status_code == 204
    assert client.row(f"connections({row})")["description"] == "e"


@pytest.mark.row(51)
def test_both_halves_go_together_also_with_a_record(client: Client) -> None:
    row, _, _ = connect(client)
    assert client.send("DELETE", f"connections({row})").status_code == 204
    assert client.rows("connections") == []
    _, contact, _ = connect(client)
    assert client.send("DELETE", f"contacts({contact})").status_code == 204
    assert client.rows("connections") == []


@pytest.mark.row(51)
def test_a_connection_may_be_kept_once(client: Client) -> None:
    client.switch(connection_halves=False)
    connect(client)
    (row,) = client.rows("connections")
    assert row["_relatedconnectionid_value"] is None
