"""Answers to a delta link: changes and deletions as the JSON says, or None, which means a full read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.memory.change_tracking import Changes, changes_since
from connectors.interface.errors import ConnectorError
from tests.connectors.dynamics.fuzz.corpus import Entry, entries
from tests.connectors.dynamics.fuzz.damage import mutated

ROOT = "http://127.0.0.1:8765/api/data/v9.2/"
LINK = f"{ROOT}cf_fiches?$deltatoken=1"
CORPUS = entries("deltas")
BODIES = [entry.body for entry in CORPUS] + [entry.body for entry in entries("pages")]


class Answering(Transport):
    """A transport that gives the same body, whatever is asked, a few times."""

    def __init__(self, body: bytes) -> None:
        super().__init__(Environment(url=ROOT), StaticToken("t", ROOT), sleep=lambda _: None)
        self.body = body

    def get(self, address: str, **more: Any) -> Answer:
        assert self.absolute(address).startswith(ROOT)
        return Answer(200, {}, self.body, "r")


def read(body: bytes) -> Changes | None:
    return changes_since(Answering(body), LINK, prefer="", where="cf_fiche")


def as_json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8", "replace"), strict=False)  # a column is not looked at here


def agrees(body: bytes) -> Changes | None:
    """What was read, after comparing it with the JSON."""
    found = read(body)
    if found is None:
        return None
    content: dict[str, Any] = as_json(body)
    assert found.link == content["@odata.deltaLink"]
    gone = [
        row for row in content["value"] if row.get("reason") == "deleted" or str(row.get("@odata.context", "")).endswith("/$deletedEntity")
    ]
    assert [as_json(row) for row in found.rows] == [row for row in content["value"] if row not in gone]
    assert found.deleted == {row["id"].strip("{}").lower() for row in gone}
    return found


@pytest.mark.parametrize("entry", [entry for entry in CORPUS if entry.status == 200], ids=lambda entry: entry.name)
def test_each_form_of_delta_is_read_or_left(entry: Entry) -> None:
    found = agrees(entry.body)
    assert (found is not None) is (entry.words("X-Usable") == ["yes"])
    if found is not None:
        assert [str(len(found.rows)), str(len(found.deleted))] == entry.words("X-Changed") + entry.words("X-Deleted")


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_a_delta_cut_at_any_byte_is_none(entry: Entry) -> None:
    for end in range(len(entry.body)):
        assert read(entry.body[:end]) is None


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"value":[],"x":' + b"[" * 100_000, b'{"value":[' + b'{"a":' * 100_000])
def test_a_delta_that_nests_without_end_is_none(body: bytes) -> None:
    assert read(body) is None


@given(mutated(BODIES))
def test_a_damaged_delta_tells_what_its_json_does_or_nothing(body: bytes) -> None:
    agrees(body)


TEXTS: SearchStrategy[Any] = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.just("deleted"), st.just("x/$deletedEntity"))
ROWS = st.dictionaries(st.sampled_from(["id", "reason", "@odata.context", "@odata.etag", "@removed", "cf_name"]), TEXTS)


@given(st.lists(ROWS, max_size=5), TEXTS, TEXTS)
def test_a_row_is_a_deletion_only_if_it_says_so(rows: list[dict[str, Any]], next_link: Any, delta_link: Any) -> None:
    agrees(json.dumps({"value": rows, "@odata.nextLink": next_link, "@odata.deltaLink": delta_link}).encode())


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as started:
        yield started


@pytest.mark.parametrize("entry", [entry for entry in CORPUS if entry.status >= 400], ids=lambda entry: entry.name)
def test_a_refused_delta_link_means_a_full_read(mock: responses.RequestsMock, entry: Entry) -> None:
    mock.get(LINK, status=entry.status, body=entry.body)
    with Transport(Environment(url=ROOT), StaticToken("t", ROOT), sleep=lambda _: None) as transport:
        assert changes_since(transport, LINK, prefer="", where="cf_fiche") is None


def test_a_lost_connection_is_no_reason_for_a_full_read(mock: responses.RequestsMock) -> None:
    mock.get(LINK, body=requests.ConnectionError())
    with (
        Transport(Environment(url=ROOT, retries=1), StaticToken("t", ROOT), sleep=lambda _: None) as transport,
        pytest.raises(ConnectorError),
    ):
        changes_since(transport, LINK, prefer="", where="cf_fiche")
