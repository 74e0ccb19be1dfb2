"""What a CRM can do is asked, not assumed, and each answer has a reason."""

from collections.abc import Iterator

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from tests.drivers.connecting import connect

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


@pytest.fixture(scope="module", params=["online", "onprem"])
def emulator(request: pytest.FixtureRequest) -> Iterator[RunningEmulator]:
    with running(profile=request.param) as started:
        yield started


def connector(emulator: RunningEmulator, text: str = "") -> DynamicsConnector:
    written = text or REFERENCE.read_text("utf-8")
    return connect(
        url=emulator.url, tokens=StaticToken("t", emulator.url), mapping_text=written, mapping_source="m.yaml", sleep=lambda _: None
    )


def found(emulator: RunningEmulator) -> dict[str, tuple[bool, str]]:
    with connector(emulator) as connected:
        connected.check()
        return {each.name: (each.available, each.reason) for each in connected.capabilities()}


def test_each_kind_of_crm_is_told_from_the_other(emulator: RunningEmulator) -> None:
    told = found(emulator)
    online = emulator.url.endswith("/v9.2/")
    assert told["version"] == (True, f"the CRM is version {'9.2' if online else '9.1'}")
    assert told["service protection"][0] is online
    assert told["bulk delete past the recycle bin"][0] is online
    assert told["row counts"][0] is True
    tracked, reason = told["change tracking"]
    assert tracked
    assert "annotation" in reason
    assert "cf_fiche" not in reason


@pytest.mark.parametrize(
    ("path", "name", "reason"),
    [
        ("RetrieveVersion", "version", "the CRM is version unknown"),
        ("RetrieveTotalRecordCount", "row counts", "hidden rows are found by privileges alone"),
    ],
)
def test_what_the_crm_does_not_know_is_told_and_stops_nothing(emulator: RunningEmulator, path: str, name: str, reason: str) -> None:
    requests.put(f"{emulator.root}/_emulator/faults", json=[{"match": {"path": path}, "do": "status", "status": 404}])
    try:
        assert found(emulator)[name] == (False, reason)
    finally:
        requests.put(f"{emulator.root}/_emulator/faults", json=[])


def test_of_a_mapping_that_does_not_fit_no_table_is_named_that_the_crm_lacks(emulator: RunningEmulator) -> None:
    text = (
        REFERENCE.read_text("utf-8")
        .replace("table: cf_dossier\n", "table: xx_dossier\n")
        .replace("table: annotation\n", "table: xx_note\n")
    )
    with connector(emulator, text) as connected:
        connected.check()
        told = {each.name: (each.available, each.reason) for each in connected.capabilities()}
    assert "xx_" not in told["change tracking"][1]
    assert told["row counts"] == (True, "the CRM counts its rows")
