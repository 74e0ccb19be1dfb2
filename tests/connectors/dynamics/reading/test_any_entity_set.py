"""`doctor --read`: any entity set to its end, also of an OData service that is not Dataverse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.interface.errors import Forbidden, ReadIncomplete
from rules.errors import UsageError
from rules.model.records import Contact, Dossier, Fiche, Record
from tests.connectors.dynamics.fake_crm import FakeCrm, edit, row_id
from tests.drivers.connecting import connect

SERVICE = "http://127.0.0.1:9999/odata/"
SCHEMA = """<?xml version="1.0"?><!-- any service -->
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"><edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="N">
<EntityType Name="Thing"><Key><PropertyRef Name="Id"/></Key></EntityType>
<EntityType Name="Person" BaseType="N.Thing"/>
<EntityType Name="Line"><Key><PropertyRef Name="Order"/><PropertyRef Name="No"/></Key></EntityType>
<EntityType Name="Loop" BaseType="N.Loop"/>
<EntityContainer Name="C"><EntitySet Name="People" EntityType="N.Person"/><EntitySet Name="Lines" EntityType="N.Line"/>
<EntitySet Name="Loops" EntityType="N.Loop"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as started:
        yield started


@pytest.fixture
def service(mock: responses.RequestsMock) -> Iterator[DynamicsConnector]:
    mock.get(f"{SERVICE}EntityDefinitions", status=404, body="no such set")
    mock.get(f"{SERVICE}$metadata", body=SCHEMA, content_type="application/xml")
    yield from _connected(SERVICE)


def _connected(url: str) -> Iterator[DynamicsConnector]:
    text = REFERENCE.read_text("utf-8")
    with connect(
        url=url, tokens=StaticToken("t", url), mapping_text=text, mapping_source="m", sleep=lambda _: None, any_odata=True
    ) as started:
        yield started


def digest(*ids: str) -> str:
    return hashlib.sha256("".join(f"{one}\n" for one in ids).encode()).hexdigest()


def page(mock: responses.RequestsMock, name: str, rows: list[dict[str, Any]], **more: Any) -> None:
    mock.get(f"{SERVICE}{name}", json={"@odata.context": "x", "value": rows} | {f"@odata.{key}": value for key, value in more.items()})


def test_a_service_of_another_maker_is_paged_by_its_own_key(mock: responses.RequestsMock, service: DynamicsConnector) -> None:
    page(mock, "People", [{"Id": "B"}, {"Id": "A"}], count=3, nextLink="People?$skiptoken=%27A%27")
    page(mock, "People", [{"Id": "C"}])
    found = service.read_set("People")
    assert (found.rows, found.pages, found.requests, found.retries) == (3, 2, 2, 0)
    assert found.ids_sha256 == digest("a", "b", "c")
    assert "%24select" not in str(mock.calls[2].request.url)
    assert "$select=Id&$count=true" in str(mock.calls[2].request.url)


def test_a_key_of_several_parts(mock: responses.RequestsMock, service: DynamicsConnector) -> None:
    page(mock, "Lines", [{"Order": 1, "No": 1}, {"Order": 1, "No": 2}], count=2)
    assert service.read_set("Lines").ids_sha256 == digest("1,1", "1,2")


@pytest.mark.parametrize("name", ["Loops", "Unknown"])
def test_a_service_that_does_not_tell_its_keys_is_read_by_address(
    mock: responses.RequestsMock, service: DynamicsConnector, name: str
) -> None:
    page(mock, name, [{"@odata.id": "Loops(1)"}], count=1)
    assert service.read_set(name).rows == 1


@pytest.mark.parametrize("schema", [b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"no xml", b"<x/>"])
def test_a_schema_that_is_not_to_be_trusted_is_left_alone(mock: responses.RequestsMock, schema: bytes) -> None:
    mock.get(f"{SERVICE}EntityDefinitions", status=404)
    mock.get(f"{SERVICE}$metadata", body=schema)
    page(mock, "Loops", [{"@odata.id": "Loops(1)"}], count=1)
    for started in _connected(SERVICE):
        assert started.read_set("Loops").rows == 1


def test_a_service_without_schema(mock: responses.RequestsMock) -> None:
    mock.get(f"{SERVICE}EntityDefinitions", status=501)
    mock.get(f"{SERVICE}$metadata", status=404)
    page(mock, "Loops", [{"@odata.id": "Loops(1)"}], count=1)
    for started in _connected(SERVICE):
        assert started.read_set("Loops").rows == 1


def test_a_service_that_refuses_is_not_taken_for_one_without_definitions(mock: responses.RequestsMock) -> None:
    mock.get(f"{SERVICE}EntityDefinitions", status=403)
    for started in _connected(SERVICE):
        with pytest.raises(Forbidden):
            started.read_set("Loops")


def test_a_count_that_differs_is_read_again_and_then_refused(mock: responses.RequestsMock, service: DynamicsConnector) -> None:
    page(mock, "People", [{"Id": "A"}], count=2)
    with pytest.raises(ReadIncomplete, match="count"):
        service.read_set("People")
    assert service.stats.retries == 1


def test_without_a_count_the_last_page_is_asked_for_twice(mock: responses.RequestsMock, service: DynamicsConnector) -> None:
    page(mock, "People", [{"Id": "A"}])
    page(mock, "People", [{"Id": "A"}, {"Id": "B"}])
    assert service.read_set("People").rows == 2


@pytest.mark.parametrize("rows", [[{"Id": "A"}, {"Id": "A"}], [{"Id": None}], [{"Id": {}}], [{}], ["x"]])
def test_rows_without_an_id_of_their_own_are_refused(mock: responses.RequestsMock, service: DynamicsConnector, rows: list[Any]) -> None:
    page(mock, "People", rows, count=len(rows))
    with pytest.raises(ReadIncomplete):
        service.read_set("People")


def test_a_circle_is_refused(mock: responses.RequestsMock, service: DynamicsConnector) -> None:
    page(mock, "People", [{"Id": "A"}], nextLink="People?x=1", count=3)
    page(mock, "People", [{"Id": "B"}], nextLink="People?x=1", count=3)
    with pytest.raises(ReadIncomplete, match="circle"):
        service.read_set("People")


@pytest.mark.parametrize("name", ["", "a b", "../x", "People?$top=1"])
def test_a_name_that_is_none_is_refused(service: DynamicsConnector, name: str) -> None:
    with pytest.raises(UsageError):
        service.read_set(name)


def test_a_set_that_dataverse_does_not_have_is_an_unknown_name(mock: responses.RequestsMock) -> None:
    with FakeCrm(mock).connector() as connector, pytest.raises(UsageError, match="no entity set"):
        connector.read_set("Cf_dossiers")


def test_a_page_of_dataverse_that_is_short_or_broken_is_asked_for_again(mock: responses.RequestsMock) -> None:
    crm = FakeCrm(mock)
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(n)} for n in range(5)]
    crm.fault_once("cf_dossiers", edit(lambda content: content["value"].pop()))
    crm.fault_once("cf_dossiers", lambda reply: (reply[0], reply[1], reply[2][:40]))
    with crm.connector(page_size=2) as connector:
        found = connector.read_set("cf_dossiers")
    assert found.ids_sha256 == digest(*(row_id(n) for n in range(5)))
    assert found.retries == 1
    assert found.requests == 4


def test_a_service_that_describes_itself_like_dataverse_may_have_pages_of_any_length(mock: responses.RequestsMock) -> None:
    crm = FakeCrm(mock)
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(n)} for n in range(250)]
    crm.most = 100
    with crm.connector() as connector:
        found = connector.read_set("cf_dossiers")
    assert (found.rows, found.pages, found.requests) == (250, 3, 4)


def test_a_large_set_of_dataverse(mock: responses.RequestsMock) -> None:
    crm = FakeCrm(mock)
    crm.rows["cf_dossiers"] = [{"cf_dossierid": row_id(n)} for n in range(5004)]
    with crm.connector() as connector:
        found = connector.read_set("cf_dossiers")
    assert (found.rows, found.pages, found.requests) == (5004, 2, 3)


# -- what else a connector says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "total"),
    [
        (200, {"EntityRecordCountCollection": {"Count": 1, "Keys": ["cf_dossier"], "Values": [81234]}}, 81234),
        (200, {"EntityRecordCountCollection": {"Keys": [], "Values": []}}, None),
        (200, [], None),
        (404, {"error": {"code": "0x8006088a", "message": ""}}, None),
        (501, {}, None),
    ],
)
def test_the_crms_own_total(mock: responses.RequestsMock, status: int, body: Any, total: int | None) -> None:
    root = "http://127.0.0.1:8765/api/data/v9.2/"
    mock.get(f"{root}RetrieveTotalRecordCount(EntityNames=['cf_dossier'])", status=status, body=json.dumps(body))
    for started in _connected(root):
        assert started.totals([Dossier]) == ({} if total is None else {Dossier: total})


@pytest.mark.parametrize("is_refused", [False, True])
def test_totals_are_asked_at_once_and_each_by_itself_where_the_crm_does_not_count_them_all(
    mock: responses.RequestsMock, is_refused: bool
) -> None:
    asked = "http://127.0.0.1:8765/api/data/v9.2/RetrieveTotalRecordCount(EntityNames=[{}])"
    counted = {"EntityRecordCountCollection": {"Keys": ["cf_dossier", "cf_fiche"], "Values": [81234, 0]}}
    if is_refused:
        mock.get(asked.format("'cf_dossier','cf_fiche'"), status=400, json={})
        mock.get(asked.format("'cf_dossier'"), json={"EntityRecordCountCollection": {"Keys": ["cf_dossier"], "Values": [81234]}})
        mock.get(asked.format("'cf_fiche'"), status=404, json={})
    else:
        mock.get(asked.format("'cf_dossier','cf_fiche'"), json=counted)
    for started in _connected("http://127.0.0.1:8765/api/data/v9.2/"):
        assert started.totals([Dossier, Fiche]) == ({Dossier: 81234} if is_refused else {Dossier: 81234, Fiche: 0})


@pytest.mark.parametrize("body", ['{"user": 1}', '{"user": ' + "[" * 100_000], ids=["another", "nested"])
def test_a_service_that_does_not_say_who_we_are_is_no_dataverse(mock: responses.RequestsMock, body: str) -> None:
    mock.get(f"{SERVICE}WhoAmI", body=body)
    for started in _connected(SERVICE):
        with pytest.raises(ReadIncomplete, match="not a Dataverse"):
            started.whoami()


def test_links_lead_to_the_host_that_people_use() -> None:
    text = REFERENCE.read_text("utf-8")

    class NoToken:
        def token(self) -> str:
            return ""

        def renew(self, rejected: str) -> str | None:
            return None

        def close(self) -> None:
            """Nothing is held."""

    url = "https://cfbe.api.crm4.dynamics.com/api/data/v9.2/"
    with connect(url=url, tokens=NoToken(), mapping_text=text, mapping_source="m") as connector:
        assert connector.has(Contact)
        assert not connector.has(Record)
