"""Following a delta link: changes and deletions told apart, and whatever is odd leads to a full read, never
to a wrong one."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.memory.change_tracking import Changes, changes_since
from connectors.interface.errors import Forbidden, Throttled, Unreachable

ROOT = "http://127.0.0.1:8765/api/data/v9.2/"
LINK = f"{ROOT}cf_fiches?$select=cf_name&$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44"
NEXT = f"{ROOT}cf_fiches?$select=cf_name&$deltatoken=919058%21"
ID, OTHER = "5b1f0c7e-3d0a-4f11-9f8a-000d3ab1c001", "5b1f0c7e-3d0a-4f11-9f8a-000d3ab1c002"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as started:
        yield started


def follow(link: str = LINK) -> Changes | None:
    environment = Environment(url=ROOT, retries=0, max_wait_s=0)
    with Transport(environment, StaticToken("t", ROOT), sleep=lambda _: None) as transport:
        return changes_since(transport, link, prefer="odata.maxpagesize=5000", where="cf_fiche")


def changed(**columns: Any) -> dict[str, Any]:
    return {"@odata.etag": 'W/"2"', "cf_ficheid": ID, **columns}


def deletion(row: str = OTHER) -> dict[str, Any]:
    return {"@odata.context": f"{ROOT}$metadata#cf_fiches/$deletedEntity", "id": row, "reason": "deleted"}


def test_rows_deletions_and_the_next_link_are_told_apart(mock: responses.RequestsMock) -> None:
    mock.get(LINK, json={"value": [changed(cf_name="x"), deletion(OTHER.upper())], "@odata.deltaLink": NEXT})
    found = follow()
    assert found is not None
    assert (found.deleted, found.link, len(found.rows)) == ({OTHER}, NEXT, 1)
    assert b'"cf_name":"x"' in found.rows[0].replace(b": ", b":")


def test_a_row_with_a_context_or_a_reason_of_its_own_is_no_deletion(mock: responses.RequestsMock) -> None:
    rows = [changed() | {"@odata.context": f"{ROOT}$metadata#cf_fiches/$entity"}, changed() | {"reason": "verhuisd"}]
    mock.get(LINK, json={"value": rows, "@odata.deltaLink": NEXT})
    found = follow()
    assert found is not None
    assert (len(found.rows), found.deleted) == (2, set())


def test_a_deletion_may_be_told_by_its_context_alone(mock: responses.RequestsMock) -> None:
    row = {key: value for key, value in deletion().items() if key != "reason"}
    mock.get(LINK, json={"value": [row], "@odata.deltaLink": NEXT})
    found = follow()
    assert found is not None
    assert found.deleted == {OTHER}


def test_pages_are_followed_and_the_link_stands_on_the_last(mock: responses.RequestsMock) -> None:
    page = f"{ROOT}cf_fiches?$skiptoken=%3Ccookie%20pagenumber=%222%22%20/%3E"
    mock.get(LINK, json={"value": [changed()], "@odata.nextLink": page})
    mock.get(page, json={"value": [deletion()], "@odata.deltaLink": NEXT})
    found = follow()
    assert found is not None
    assert (len(found.rows), found.deleted, found.link) == (1, {OTHER}, NEXT)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": {"error": {"code": "0x80040203", "message": "expired"}}},
        {"status": 410, "json": {"error": {"code": "", "message": "gone"}}},
        {"status": 404, "body": "<html>"},
        {"status": 500, "json": {"error": {"code": "0x80040216", "message": "unexpected"}}},
        {"status": 304},
        {"status": 204},
        {"json": {"value": [changed()]}},
        {"json": {"value": [{"reason": "deleted"}], "@odata.deltaLink": NEXT}},
        {"json": {"value": [1], "@odata.deltaLink": NEXT}},
        {"json": {"@odata.deltaLink": NEXT}},
        {"json": []},
        {"body": "no json"},
        {"json": {"value": [], "@odata.nextLink": LINK}},
        {"json": {"value": [], "@odata.nextLink": "https://elsewhere.example/api/x"}},
    ],
    ids=[
        "bad",
        "gone",
        "html",
        "failed",
        "not modified",
        "empty",
        "no link",
        "no id",
        "no row",
        "no rows",
        "list",
        "text",
        "circle",
        "elsewhere",
    ],
)
def test_whatever_is_odd_means_a_full_read(mock: responses.RequestsMock, answer: dict[str, Any]) -> None:
    mock.get(LINK, **answer)
    assert follow() is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 403, "json": {"error": {"code": "0x80040220", "message": "prvReadcf_fiche"}}}, Forbidden),
        ({"status": 429, "headers": {"Retry-After": "9"}, "json": {"error": {"code": "0x80072322", "message": ""}}}, Throttled),
        ({"body": requests.ConnectionError("cut")}, Unreachable),
    ],
)
def test_a_crm_that_is_away_or_refuses_us_is_no_reason_to_read_everything(
    mock: responses.RequestsMock, answer: dict[str, Any], error: type[Exception]
) -> None:
    mock.get(LINK, **answer)
    with pytest.raises(error):
        follow()


def test_more_changes_than_a_full_read_would_cost_are_not_collected(mock: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.dynamics.memory.change_tracking.MAX_CHANGES", 2)
    mock.get(LINK, json={"value": [changed(), deletion(), deletion(ID)], "@odata.nextLink": NEXT})
    assert follow() is None
