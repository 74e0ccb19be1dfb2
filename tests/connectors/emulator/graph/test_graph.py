"""Documents in SharePoint as Microsoft Graph offers them: what a program sees that knows its
documentation."""

from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from connectors.emulator.graph.drives import BIN_DAYS
from connectors.emulator.serving.server import SeedSpec, running
from tests.connectors.emulator.client import Client, stand_still
from tests.integration.documents import environment_with_sharepoint

SITE = "https://fictief.sharepoint.com/sites/Dossiers"
LIBRARY = "cf_dossier"
pytestmark = [pytest.mark.row(53), pytest.mark.usefixtures("real_http")]


class Graph:
    """Graph of one running emulator, with the token of an application."""

    def __init__(self, crm: Client, client_id: str = "an-application", scope: str = "https://graph.microsoft.com/.default") -> None:
        self.crm, self.root = crm, f"{crm.root}/v1.0/"
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "verzonnen", "scope": scope}
        self.token = requests.post(f"{crm.root}/tenant/oauth2/v2.0/token", data=form, timeout=30).json()["access_token"]

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        url = path if path.startswith("http") else self.root + path
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=30, allow_redirects=False, **more)

    def get(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, text: str = "Verzonnen.", **more: Any) -> None:
        self.crm.control("PUT", "graph", {"files": [{"site": SITE, "library": LIBRARY, "path": path, "text": text, **more}]})

    @property
    def site(self) -> str:
        found: str = self.get("sites/fictief.sharepoint.com:/sites/dossiers")["id"]
        return found

    @property
    def drive(self) -> str:
        (drive,) = self.get(f"sites/{self.site}/drives")["value"]
        return quote(drive["id"], safe="")

    def item(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"drives/{self.drive}/root:/{quote(path)}")
        return found

    def names(self, path: str) -> list[str]:
        return [row["name"] for row in self.get(f"drives/{self.drive}/root:/{quote(path)}:/children")["value"]]


@pytest.fixture
def graph(crm: Client) -> Graph:
    return Graph(crm)


def test_a_site_is_known_by_address_and_by_id(graph: Graph) -> None:
    graph.put("D-1/a.txt")
    assert graph.get(f"sites/{graph.site}") == graph.get("sites/fictief.sharepoint.com:/sites/Dossiers")
    (drive,) = graph.get(f"sites/{graph.site}/drives")["value"]
    assert drive["webUrl"] == f"{SITE}/{LIBRARY}"
    assert graph.send("GET", "sites/fictief.sharepoint.com:/sites/nergens").json()["error"]["code"] == "itemNotFound"


def test_items_are_found_by_path_and_by_id_whatever_their_names(graph: Graph) -> None:
    graph.put("D#1 100% d'Or/brief é.txt", "Verzonnen é.")
    item = graph.item("D#1 100% d'Or/brief é.txt")
    assert item == graph.get(f"drives/{graph.drive}/items/{item['id']}")
    assert (item["size"], item["file"]["mimeType"]) == (13, "application/octet-stream")
    assert graph.names("d#1 100% D'OR") == ["brief é.txt"]
    assert graph.send("GET", f"drives/{graph.drive}/root:/nergens").status_code == 404


def test_children_come_in_pages(graph: Graph) -> None:
    for number in range(5):
        graph.put(f"D-1/{number}.txt")
    graph.crm.switch(graph_page_size=2)
    names, link = [], f"drives/{graph.drive}/root:/D-1:/children?$top=100"
    while link:
        page = graph.get(link)
        assert len(page["value"]) <= 2
        names += [row["name"] for row in page["value"]]
        link = page.get("@odata.nextLink", "")
    assert names == [f"{number}.txt" for number in range(5)]


def test_packages_and_shortcuts_say_what_they_are(graph: Graph) -> None:
    graph.put("D-1/notities", kind="package")
    graph.put("D-1/elders", kind="shortcut")
    assert graph.item("D-1/notities")["package"] == {"type": "oneNote"}
    assert "remoteItem" in graph.item("D-1/elders")
    assert graph.send("GET", f"drives/{graph.drive}/root:/D-1/notities:/content").status_code == 400


def test_a_content_is_fetched_where_it_redirects_to_without_a_token(graph: Graph) -> None:
    graph.put("D-1/a.txt", "Verzonnen tekst.", media_type="text/plain")
    answer = graph.send("GET", f"drives/{graph.drive}/root:/D-1/a.txt:/content")
    assert answer.status_code == 302
    where = answer.headers["Location"]
    assert requests.get(where, timeout=30).content == b"Verzonnen tekst."
    part = requests.get(where, headers={"Range": "bytes=0-8"}, timeout=30)
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"Verzonnen", "bytes 0-8/16")
    assert graph.send("GET", where).status_code == 401, "no token belongs there"
    graph.crm.control("PUT", "clock", {"advance_s": 3_700})
    assert requests.get(where, timeout=30).status_code == 404


def test_what_is_deleted_lies_in_the_recycle_bin_and_what_is_deleted_permanently_does_not(graph: Graph) -> None:
    for name in ("a", "b"):
        graph.put(f"D-1/{name}.txt")
        graph.put(f"D-1/{name}.txt", "Nieuwe versie.")
    a, b = (graph.item(f"D-1/{name}.txt")["id"] for name in ("a", "b"))
    assert [row["id"] for row in graph.get(f"drives/{graph.drive}/items/{a}/versions")["value"]] == ["2.0", "1.0"]
    assert graph.send("DELETE", f"drives/{graph.drive}/items/{a}").status_code == 204
    assert graph.send("POST", f"drives/{graph.drive}/items/{b}/permanentDelete").status_code == 204
    for item in (a, b):
        assert graph.send("GET", f"drives/{graph.drive}/items/{item}").status_code == 404
    (binned,) = graph.get(f"sites/{graph.site}/recycleBin/items")["value"]
    assert (binned["name"], binned["deletedFromLocation"]) == ("a.txt", f"{LIBRARY}/D-1")


def test_the_bin_has_two_stages_and_forgets(graph: Graph) -> None:
    stand_still(graph.crm.emulator)
    graph.put("D-1/a.txt")
    graph.send("DELETE", f"drives/{graph.drive}/items/{graph.item('D-1/a.txt')['id']}")
    graph.crm.control("PUT", "graph", {"empty_bin": {SITE: 1}})
    address = f"sites/{graph.site}/recycleBin/items"
    assert len(graph.get(address)["value"]) == 1
    graph.crm.switch(bin_lists_second_stage=False)
    assert graph.get(address)["value"] == []
    graph.crm.switch(bin_lists_second_stage=True)
    graph.crm.control("PUT", "clock", {"advance_s": BIN_DAYS * 86_400 + 1})
    assert Graph(graph.crm).get(address)["value"] == []


@pytest.mark.parametrize(
    ("lock", "status", "code"), [("checked_out", 423, "resourceLocked"), ("label", 403, "accessDenied"), ("hold", 403, "accessDenied")]
)
def test_what_may_not_go_stays_with_all_around_it(graph: Graph, lock: str, status: int, code: str) -> None:
    graph.put("D-1/a.txt")
    graph.put("D-1/b.txt", lock=lock)
    for path in ("D-1/b.txt", "D-1"):
        answer = graph.send("POST", f"drives/{graph.drive}/items/{graph.item(path)['id']}/permanentDelete")
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert graph.names("D-1") == ["a.txt", "b.txt"]


def test_a_token_is_good_for_one_service_alone(graph: Graph) -> None:
    graph.put("D-1/a.txt")
    other = Graph(graph.crm, scope=f"{graph.crm.root}/.default")
    assert other.send("GET", "sites/fictief.sharepoint.com").json()["error"]["code"] == "InvalidAuthenticationToken"
    assert requests.get(f"{graph.crm.url}WhoAmI", headers={"Authorization": f"Bearer {graph.token}"}, timeout=30).status_code == 401
    assert requests.get(f"{graph.root}sites/fictief.sharepoint.com", timeout=30).status_code == 401


def test_an_application_reaches_the_sites_it_was_given(graph: Graph) -> None:
    graph.put("D-1/a.txt")
    item = graph.item("D-1/a.txt")["id"]
    address = f"drives/{graph.drive}/items/{item}"
    given = {"none": {}, "reads": {SITE: "read"}, "writes": {SITE: "write"}}
    applications = {client: {"permissions": ["Sites.Selected"], "sites": sites} for client, sites in given.items()}
    graph.crm.control("PUT", "graph", {"applications": applications | {"all": {"permissions": ["Files.Read.All"]}}})
    statuses = {
        client: tuple(Graph(graph.crm, client).send(*asked).status_code for asked in (("GET", address), ("DELETE", address)))
        for client in ("none", "reads", "all", "writes")
    }
    assert statuses == {"none": (403, 403), "reads": (200, 403), "all": (200, 403), "writes": (200, 204)}


def test_what_only_dataverse_takes_for_no_condition_is_refused(graph: Graph) -> None:
    graph.put("D-1/a.txt")
    answer = graph.send("GET", "sites/fictief.sharepoint.com:/sites/Dossiers", headers={"If-None-Match": "null"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalidRequest")


def test_trouble_is_scripted_as_elsewhere(graph: Graph) -> None:
    graph.put("D-1/a.txt")
    graph.crm.faults({"match": {"path": "sites/"}, "times": 1, "do": "status", "status": 429, "retry_after": 7})
    answer = graph.send("GET", "sites/fictief.sharepoint.com:/sites/Dossiers")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["error"]["code"]) == (429, "7", "TooManyRequests")
    assert graph.site


def test_documents_are_kept_in_the_state_file(tmp_path: Path) -> None:
    state = tmp_path / "crm.db"
    for expected in (0, 1):
        with running(state=state) as emulator:
            client = Client(emulator)
            assert client.control("GET", "graph") == {"files": expected, "binned": 0}
            Graph(client).put("D-1/a.txt")
            client.http.close()


def test_a_reset_empties_sharepoint_too(graph: Graph) -> None:
    graph.put("D-1/a.txt")
    assert graph.crm.control("GET", "graph") == {"files": 1, "binned": 0}
    graph.crm.control("POST", "reset", {"empty": True})
    assert graph.crm.control("GET", "graph") == {"files": 0, "binned": 0}


@pytest.mark.parametrize(
    "document",
    [[], {"unknown": 1}, {"files": [{"site": SITE}]}, {"empty_bin": {SITE: 3}}, {"applications": {"a": {"permissions": ["All"]}}},
     {"files": [{"site": SITE, "library": "l", "path": "p", "lock": "maybe"}]}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(crm: Client, document: Any) -> None:
    assert requests.put(f"{crm.root}/_emulator/graph", json=document, timeout=30).status_code == 400


def test_a_seeded_organisation_has_documents_where_its_rows_say(tmp_path: Path) -> None:
    """The same for the same seed, after a reset too; none where the schema has no room for it."""
    seed = SeedSpec(dossiers=6, seed=1, as_of=date(2026, 11, 25))
    with running(environment=environment_with_sharepoint(tmp_path), seed=seed) as emulator:
        client = Client(emulator)
        locations = client.rows("sharepointdocumentlocations?$filter=_regardingobjectid_value ne null")
        graph = Graph(client)
        assert client.control("GET", "graph") == {"files": 2 * len(locations), "binned": 0}
        site = graph.get("sites/fictief.sharepoint.com:/sites/CRM")["id"]
        names = {drive["name"]: quote(drive["id"], safe="") for drive in graph.get(f"sites/{site}/drives")["value"]}
        assert names.keys() == {"contact", "cf_dossier", "cf_fiche"}
        location = next(row for row in locations if client.exists("cf_dossiers", row["_regardingobjectid_value"]))
        found = graph.get(f"drives/{names['cf_dossier']}/root:/{quote(location['relativeurl'])}:/children")["value"]
        assert [row["name"] for row in found] == ["document 1.txt", "document 2.txt"]
        client.control("POST", "reset", {"empty": False})
        assert client.control("GET", "graph") == {"files": 2 * len(locations), "binned": 0}
        client.http.close()
    with running(seed=seed) as emulator:
        assert requests.get(f"{emulator.root}/_emulator/graph", timeout=30).json() == {"files": 0, "binned": 0}
