"""An incident is resolved by its message, and by an update only where the organisation lets it."""

import uuid
from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.connectors.emulator.customers import client

__all__ = ["client"]

pytestmark = pytest.mark.usefixtures("real_http")


def resolve(client: Client, incident: str, status: int = -1, **more: Any) -> Any:
    resolution = {"subject": "opgelost", "incidentid@odata.bind": f"/incidents({incident})", **more}
    return client.send("POST", "CloseIncident", {"IncidentResolution": resolution, "Status": status})


@pytest.mark.row(52)
def test_an_incident_is_resolved_by_its_message_and_an_activity_tells_how(client: Client) -> None:
    one, other = client.create("incidents", title="i"), client.create("incidents", title="j")
    assert resolve(client, one).status_code == 204
    assert resolve(client, other, 1000).status_code == 204
    assert [client.row(f"incidents({row})")["statuscode"] for row in (one, other)] == [5, 1000]
    activity = client.rows(f"incidentresolutions?$filter=_incidentid_value eq {one}")
    assert [(row["subject"], row["statecode"]) for row in activity] == [("opgelost", 1)]


@pytest.mark.row(52)
def test_an_update_does_not_resolve_an_incident_unless_the_organisation_lets_it(client: Client) -> None:
    row = client.create("incidents", title="i")
    refused = client.send("PATCH", f"incidents({row})", {"statecode": 1, "statuscode": 5})
    assert (refused.status_code, "CloseIncident" in refused.text) == (400, True)
    assert client.send("PATCH", f"incidents({row})", {"statecode": 2}).status_code == 204
    client.switch(incident_by_action=False)
    assert client.send("PATCH", f"incidents({row})", {"statecode": 1}).status_code == 204


@pytest.mark.row(52)
def test_what_is_no_incident_is_not_resolved(client: Client) -> None:
    contact = client.create("contacts", fullname="a")
    assert resolve(client, str(uuid.UUID(int=1))).status_code == 404
    wrong = client.send("POST", "CloseIncident", {"IncidentResolution": {"incidentid@odata.bind": f"/contacts({contact})"}, "Status": -1})
    assert wrong.status_code == 400
    assert client.send("POST", "CloseIncident", {"IncidentResolution": {"subject": "x"}, "Status": -1}).status_code == 400
    with_bad_status = client.create("incidents", title="i")
    assert resolve(client, with_bad_status, 77).status_code == 400
    assert client.row(f"incidents({with_bad_status})")["statecode"] == 0
