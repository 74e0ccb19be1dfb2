"""Where documents are in SharePoint, put together from the rows that say it piece by piece."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import Forbidden
from connectors.interface.remains import DocumentLocation
from tests.connectors.emulator.client import Client
from tests.drivers.connecting import connect
from tests.integration.documents import LOCATION, environment_with_sharepoint

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

SITE = "sharepointsite"
ADDRESS = "https://fictief.sharepoint.com/sites/CRM"


class Crm(Client):
    """An organisation with document locations, and the client under test."""

    def __init__(self, emulator: RunningEmulator) -> None:
        super().__init__(emulator)
        self.connector: DynamicsConnector = connect(
            url=emulator.url,
            tokens=StaticToken("any", emulator.url),
            mapping_text=REFERENCE.read_text("utf-8"),
            mapping_source="test.yaml",
            sleep=lambda seconds: None,
        )

    def row(self, table: str, **columns: Any) -> str:  # type: ignore[override]
        row = str(uuid.uuid4())
        self.emulator.load([(table, {f"{table}id": row, "name": "n", **columns})])
        return row

    def addresses(self) -> dict[str, str]:
        return {found.row[1]: found.address for found in self.connector.document_locations()}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    with running(environment=environment_with_sharepoint(tmp_path_factory.mktemp("environment"))) as started:
        yield started


@pytest.fixture
def crm(emulator: RunningEmulator) -> Iterator[Crm]:
    client = Crm(emulator)
    client.control("POST", "reset", {"empty": True})
    yield client
    client.connector.close()
    client.http.close()


@pytest.fixture
def site(crm: Crm) -> str:
    return crm.row(SITE, absoluteurl=f"{ADDRESS}/")


def test_a_location_lies_below_others_and_at_last_below_a_site(crm: Crm, site: str) -> None:
    library = crm.row(LOCATION, relativeurl="cf_dossier", parentsiteorlocation=(SITE, site))
    folder = crm.row(LOCATION, relativeurl="D#1 100%", parentsiteorlocation=(LOCATION, library))
    inner = crm.row(LOCATION, relativeurl="onder/dieper", parentsiteorlocation=(LOCATION, folder))
    found = crm.addresses()
    assert found[library] == f"{ADDRESS}/cf_dossier"
    assert found[folder] == f"{ADDRESS}/cf_dossier/D%231%20100%25"
    assert found[inner] == f"{ADDRESS}/cf_dossier/D%231%20100%25/onder/dieper"


def test_a_location_or_a_site_may_have_its_whole_address(crm: Crm, site: str) -> None:
    whole = crm.row(LOCATION, absoluteurl=f"{ADDRESS}/cf_dossier/D%231", relativeurl="telt niet")
    below = crm.row(LOCATION, relativeurl="onder", parentsiteorlocation=(LOCATION, whole))
    subsite = crm.row(SITE, relativeurl="team", parentsite=site)
    there = crm.row(LOCATION, relativeurl="lib", parentsiteorlocation=(SITE, subsite))
    found = crm.addresses()
    assert (found[whole], found[below]) == (f"{ADDRESS}/cf_dossier/D%231", f"{ADDRESS}/cf_dossier/D%231/onder")
    assert found[there] == f"{ADDRESS}/team/lib"


def test_what_leads_nowhere_has_no_address(crm: Crm) -> None:
    """A ring, a parent that is not there, and none at all."""
    alone = crm.row(LOCATION, relativeurl="D-1")
    lost = crm.row(LOCATION, relativeurl="D-2", parentsiteorlocation=(LOCATION, str(uuid.uuid4())))
    siteless = crm.row(LOCATION, relativeurl="D-3", parentsiteorlocation=(SITE, crm.row(SITE, relativeurl="zonder")))
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    crm.emulator.load(
        [
            (LOCATION, {f"{LOCATION}id": here, "name": "n", "relativeurl": "r", "parentsiteorlocation": (LOCATION, there)})
            for here, there in ((one, two), (two, one))
        ]
    )
    assert set(crm.addresses().items()) == {(row, "") for row in (alone, lost, siteless, one, two)}


def test_owners_are_told_and_other_rows_are_no_locations(crm: Crm, site: str) -> None:
    dossier = crm.dossier()
    library = crm.row(LOCATION, relativeurl="cf_dossier", parentsiteorlocation=(SITE, site))
    folder = crm.row(LOCATION, relativeurl="D-1", parentsiteorlocation=(LOCATION, library), regardingobjectid=("cf_dossier", dossier))
    asked = crm.connector.document_locations([(LOCATION, folder), ("cf_dossier", dossier), (LOCATION, str(uuid.uuid4()))])
    assert asked == [DocumentLocation((LOCATION, folder), ("cf_dossier", dossier), f"{ADDRESS}/cf_dossier/D-1")]
    assert "D-1" not in repr(asked)
    assert crm.connector.document_locations([("cf_dossier", dossier)]) == []


def test_locations_that_may_not_be_read_are_no_empty_answer(crm: Crm, site: str) -> None:
    crm.row(LOCATION, relativeurl="cf_dossier", parentsiteorlocation=(SITE, site))
    crm.faults({"match": {"path": "sharepointdocumentlocations"}, "do": "status", "status": 403})
    with pytest.raises(Forbidden, match="cannot be read"):
        crm.connector.document_locations()
    crm.faults()
