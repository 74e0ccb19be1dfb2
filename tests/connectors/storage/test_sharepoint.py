"""Documents in SharePoint: found, read and removed below the sites of the settings and nowhere else (ERA-12,
line 4)."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import ObjectError
from connectors.storage.graph import permissions_in, scope_of
from connectors.storage.sharepoint import SharePoint
from tests.connectors.storage.sharepoint import LIBRARY, SITE, Library

FOLDER = f"{SITE}/{LIBRARY}/D-1"


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running() as started:
        yield started


@pytest.fixture
def library(emulator: RunningEmulator) -> Library:
    requests.post(f"{emulator.root}/_emulator/reset", json={"empty": True}, timeout=30).raise_for_status()
    emulator.emulator.switches.graph_page_size = 200
    emulator.emulator.switches.bin_lists_second_stage = True
    found = Library(emulator)
    found.put("iets anders/blijft.txt")
    return found


@pytest.fixture
def store(library: Library) -> Iterator[SharePoint]:
    opened = library.open()
    yield opened
    opened.close()


def needed(store: SharePoint, address: str = FOLDER) -> str:
    found = store.folder(address)
    assert found is not None
    return found


def names(store: SharePoint, address: str = FOLDER) -> set[str]:
    return {each.name for each in store.documents(needed(store, address))}


def test_a_folder_is_listed_at_any_depth_and_on_all_pages(library: Library, store: SharePoint) -> None:
    wanted = {f"{number}.txt" for number in range(7)}
    for name in wanted:
        library.put(f"D-1/onder/{'dieper/' if name < '3' else ''}{name}")
    library.emulator.emulator.switches.graph_page_size = 2
    assert names(store) == wanted


def test_a_folder_that_is_not_there_is_an_answer_and_a_failing_read_is_none(library: Library, store: SharePoint) -> None:
    """Nothing is ever taken for empty because it could not be read."""
    assert store.folder(FOLDER) is None
    library.put("D-1/a.txt")
    folder = needed(store)
    for status in (404, 403, 500):  # a 404 of a gateway does not say that the item is gone
        library.emulator.emulator.faults.replace([{"match": {"path": "/children"}, "do": "status", "status": status}])
        with pytest.raises(ObjectError):
            list(store.documents(folder))
    library.emulator.emulator.faults.replace([{"match": {"path": "/children"}, "do": "truncate"}])
    with pytest.raises(ObjectError, match="broke off"):
        list(store.documents(folder))
    library.emulator.emulator.faults.replace([])


def test_a_page_that_has_something_twice_is_no_list(library: Library, store: SharePoint) -> None:
    for number in range(3):
        library.put(f"D-1/{number}.txt")
    library.emulator.emulator.faults.replace([{"match": {"path": "/children"}, "do": "duplicate_row"}])
    with pytest.raises(ObjectError, match="twice"):
        names(store)
    library.emulator.emulator.faults.replace([])


@pytest.mark.parametrize("name", ["D#1", "100% zeker", "d'Or", "Groß", "été", "a+b & c", "D%231"])
def test_names_that_an_address_has_to_escape(library: Library, store: SharePoint, name: str) -> None:
    library.put(f"{name}/{name}.txt", name.encode())
    address = f"{SITE}/{LIBRARY}/{quote(name, safe='')}"
    (document,) = store.documents(needed(store, address))
    assert (document.name, store.fetch(document.id)) == (f"{name}.txt", name.encode())
    store.remove(needed(store, address))
    assert store.folder(address) is None
    assert library.files == {"iets anders/blijft.txt"}


def test_upper_and_lower_case_are_one_address(library: Library, store: SharePoint) -> None:
    library.put("D-1/a.txt")
    assert store.canonical(FOLDER) == store.canonical(FOLDER.upper().replace("HTTPS", "https"))
    assert store.folder(FOLDER.replace("D-1", "d-1")) == store.folder(FOLDER)


def test_a_content_comes_whole_and_the_token_stays_here(library: Library, store: SharePoint) -> None:
    library.put("D-1/a.bin", bytes(range(256)) * 40, media_type="application/octet-stream")
    (document,) = store.documents(needed(store))
    assert store.fetch(document.id) == bytes(range(256)) * 40
    library.emulator.emulator.faults.replace([{"match": {"path": "/_graph/content"}, "do": "truncate"}])
    with pytest.raises(ObjectError):
        store.fetch(document.id)
    library.emulator.emulator.faults.replace([])
    store.remove(needed(store))
    assert store.fetch(document.id) is None


def test_a_notebook_and_a_shortcut_are_no_plain_files_and_go_with_the_folder(library: Library, store: SharePoint) -> None:
    library.put("D-1/notities", kind="package")
    library.put("D-1/elders", kind="shortcut")
    assert {each.name: each.is_plain for each in store.documents(needed(store))} == {"notities": False, "elders": False}
    store.remove(needed(store))
    assert library.files == {"iets anders/blijft.txt"}


def test_what_is_removed_is_gone_with_its_versions_and_past_the_bin(library: Library, store: SharePoint) -> None:
    """ERA-12, lines 4 and 8."""
    for text in (b"eerst", b"later"):
        library.put("D-1/onder/a.txt", text)
    folder = needed(store)
    store.remove(folder)
    assert not store.is_there(folder)
    assert (library.files, library.binned) == ({"iets anders/blijft.txt"}, [])
    assert library.emulator.emulator.tables.connection.execute("SELECT count(*) FROM _graph_versions").fetchone() == (0,)
    assert store.binned([FOLDER]) == set()
    store.remove(folder)  # once more: what is missing counts as removed


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize("path", ["D-1/onder/a.txt", "D-1/onder", "D-1"])
def test_what_somebody_deleted_by_hand_is_seen_in_both_stages_of_the_bin(
    library: Library, store: SharePoint, path: str, stage: int
) -> None:
    library.put("D-1/onder/a.txt")
    library.put("D-10/b.txt")
    library.delete_by_hand(path)
    if stage == 2:
        library.graph.drives.empty_bin(library.graph.drives.add_site(SITE), 1)
    assert store.binned([FOLDER, f"{SITE}/{LIBRARY}/D-10"]) == {FOLDER}


@pytest.mark.parametrize(("lock", "says"), [("checked_out", "checked out"), ("label", "retention label"), ("hold", "hold")])
def test_what_may_not_go_is_said(library: Library, store: SharePoint, lock: str, says: str) -> None:
    library.put("D-1/Lotte (fictief).txt", lock=lock)
    with pytest.raises(ObjectError, match=says) as caught:
        store.remove(needed(store))
    assert "Lotte" not in str(caught.value)
    assert store.is_there(needed(store))


def test_a_removal_that_was_only_said_is_noticed(library: Library, store: SharePoint) -> None:
    library.put("D-1/a.txt")
    library.emulator.emulator.faults.replace([{"match": {"path": "permanentDelete"}, "do": "keep_row"}])
    with pytest.raises(ObjectError, match="still in SharePoint"):
        store.remove(needed(store))
    library.emulator.emulator.faults.replace([])


@pytest.mark.parametrize("status", [429, 503])
def test_throttling_is_waited_out_as_long_as_it_asks(library: Library, store: SharePoint, status: int) -> None:
    library.put("D-1/a.txt")
    library.emulator.emulator.faults.replace([{"match": {"nth": 2}, "do": "status", "status": status, "retry_after": 17}])
    store.remove(needed(store))
    library.emulator.emulator.faults.replace([])
    assert 17.0 in library.naps
    assert library.files == {"iets anders/blijft.txt"}


def test_throttling_that_does_not_end_is_an_error(library: Library, store: SharePoint) -> None:
    library.emulator.emulator.faults.replace([{"do": "status", "status": 429, "retry_after": 900}])
    with pytest.raises(ObjectError, match="more waiting"):
        store.folder(FOLDER)
    library.emulator.emulator.faults.replace([])


@pytest.mark.parametrize(
    "address",
    [
        "", "Lotte Peeters (fictief)", "http://fictief.sharepoint.com/sites/Dossiers/cf_dossier/D-1", f"{SITE}", f"{SITE}2/cf_dossier/D-1",
        "https://elders.sharepoint.com/sites/Dossiers/cf_dossier/D-1", f"{SITE}/cf_dossier/../../Andere/x", f"{SITE}/cf_dossier/%2e%2e/x",
        f"{SITE}/cf_dossier/D-1?a=b", f"{SITE}/cf_dossier/D-1#x", f"{SITE}/cf_dossier/a%2Fb", "https://[", f"{SITE}/cf_dossier\\D-1",
    ],
)  # fmt: skip
def test_nothing_outside_the_settings_is_an_address(library: Library, store: SharePoint, address: str) -> None:
    assert store.canonical(address) is None
    with pytest.raises(ObjectError):
        store.folder(address)


def test_a_library_may_be_named_alone(library: Library) -> None:
    library.put("D-1/a.txt")
    other = Library(library.emulator, name="andere")
    other.put("D-1/b.txt")
    store = library.open(f"{SITE}/{LIBRARY}")
    assert names(store) == {"a.txt"}
    assert store.canonical(f"{SITE}/andere/D-1") is None
    assert store.findings() == []
    store.close()


def test_a_whole_library_is_nobodys_folder(library: Library, store: SharePoint) -> None:
    with pytest.raises(ObjectError, match="whole library"):
        store.folder(f"{SITE}/{LIBRARY}")


def test_a_subsite_and_a_library_that_is_not_there_are_no_empty_folder(library: Library, store: SharePoint) -> None:
    with pytest.raises(ObjectError, match="no library"):
        store.folder(f"{SITE}/ondersite/cf_dossier/D-1")


def test_a_location_that_names_a_file_is_no_folder(library: Library, store: SharePoint) -> None:
    library.put("D-1/a.txt")
    with pytest.raises(ObjectError, match="not a folder"):
        store.folder(f"{FOLDER}/a.txt")


def test_a_content_is_fetched_from_sharepoint_alone(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.put("D-1/a.txt")
    store = library.open()
    (document,) = store.documents(needed(store))
    monkeypatch.setattr("connectors.storage.graph.Graph._may_be_asked", lambda self, address: False)
    with pytest.raises(ObjectError, match="outside SharePoint"):
        store.fetch(document.id)
    store.close()


def test_findings_say_what_is_missing(library: Library) -> None:
    library.put("D-1/a.txt")
    reached, absent = library.open(), library.open(SITE, f"{SITE}-elders/x")
    assert reached.findings() == []
    (finding,) = absent.findings()
    assert finding.is_error
    assert "not there" in finding.message
    for store in (reached, absent):
        store.close()


@pytest.mark.parametrize(
    ("roles", "is_error"), [(["Sites.Selected"], False), (["Files.Read.All"], True), (["Files.ReadWrite.All"], None), ([], None)]
)
def test_findings_tell_of_permissions_that_the_token_names(library: Library, roles: list[str], is_error: bool | None) -> None:
    library.put("D-1/a.txt")
    store = library.open()
    store._permissions = lambda: roles
    assert [finding.is_error for finding in store.findings()] == ([] if is_error is None else [is_error])
    store.close()


def test_permissions_are_read_from_a_token_where_it_has_some(library: Library) -> None:
    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b", "scope": scope_of(f"{library.emulator.root}/v1.0/")}
    token = requests.post(f"{library.emulator.root}/t/oauth2/v2.0/token", data=form, timeout=30).json()["access_token"]
    assert permissions_in(token) == {"Sites.ReadWrite.All"}
    assert permissions_in("opaque") == permissions_in("a.b.c") == frozenset()
    assert scope_of("https://graph.microsoft.us/v1.0/") == "https://graph.microsoft.us/.default"
