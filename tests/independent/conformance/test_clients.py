"""Microsoft's own Python client against the emulator, over https."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from tests.independent.conformance.served import Served
from tests.web_api import WebApi, new_id

pytestmark = pytest.mark.row(2, 4, 8, 12, 14, 17, 24, 42)


class Credential:
    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        assert scopes
        return AccessToken("t", 4102444800)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    trusted = tmp_path_factory.mktemp("tls") / "CA.pem"
    process = Served("--empty", "--tls", str(trusted))
    yield process, trusted
    process.stop()


@pytest.fixture
def plain(secure: tuple[Served, Path]) -> Iterator[WebApi]:
    caller = WebApi(secure[0].url, verify=str(secure[1]))
    caller.control("POST", "reset", {"empty": True})
    yield caller
    caller.http.close()


@pytest.fixture
def client(secure: tuple[Served, Path], plain: WebApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataverseClient]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure[1]))
    with DataverseClient(plain.root, Credential()) as made:
        yield made


def test_it_creates_reads_updates_and_deletes(client: DataverseClient, plain: WebApi) -> None:
    """2.1, 4.2, 4.3: it resolves set names by itself, sends If-Match: * on update and delete."""
    row = client.records.create("cf_fiche", {"cf_name": "F-1", "cf_channel": 100000000})
    assert plain.row(f"cf_fiches({row})")["cf_name"] == "F-1"
    client.records.update("cf_fiche", row, {"cf_name": "F-2"})
    found = client.records.retrieve("cf_fiche", row)
    assert found is not None
    assert found["cf_name"] == "F-2"
    client.records.delete("cf_fiche", row)
    assert not plain.exists(f"cf_fiches({row})")


def test_it_does_not_recreate_what_is_gone(client: DataverseClient) -> None:
    """4.3: 'Microsoft's Python client sends If-Match: * on update'."""
    with pytest.raises(HttpError) as told:
        client.records.update("cf_fiche", new_id(), {"cf_name": "x"})
    assert told.value.status_code == 404


def test_it_creates_and_updates_many(client: DataverseClient, plain: WebApi) -> None:
    """6.1: CreateMultiple and UpdateMultiple."""
    rows = client.records.create("cf_fiche", [{"cf_name": f"F-{n}"} for n in range(3)])
    client.records.update("cf_fiche", rows, {"cf_summary": "alle"})
    client.records.update("cf_fiche", rows[:2], [{"cf_name": "a"}, {"cf_name": "b"}])
    told = plain.rows("cf_fiches", select="cf_name,cf_summary", orderby="cf_name")
    assert [(row["cf_name"], row["cf_summary"]) for row in told] == [("a", "alle"), ("b", "alle"), ("F-2", "alle")]


def test_it_upserts_by_key(client: DataverseClient, plain: WebApi) -> None:
    """4.4 and 6.1: alternate keys in @odata.id; one item is a PATCH, several UpsertMultiple."""
    items: list[UpsertItem | dict[str, object]] = [
        UpsertItem(alternate_key={"cf_nationalnumber": f"K-{n}"}, record={"lastname": f"Sleutel {n} (fictief)"}) for n in range(2)
    ]
    for chosen in (items[:1], items, items):
        client.records.upsert("contact", chosen)
    assert sorted(row["cf_nationalnumber"] for row in plain.rows("contacts")) == ["K-0", "K-1"]


def test_it_binds_by_schema_name(client: DataverseClient, plain: WebApi) -> None:
    """2.3: navigation names keep their case."""
    who = client.records.create("contact", {"lastname": "Een (fictief)"})
    row = client.records.create("cf_party", {"cf_name": "p", "cf_ContactId@odata.bind": f"/contacts({who})"})
    assert plain.row(f"cf_parties({row})")["_cf_contactid_value"] == who


def test_it_pages(client: DataverseClient, plain: WebApi) -> None:
    """3.6: Prefer on each page."""
    plain.load("cf_fiche", [{"cf_name": f"F-{n:02d}"} for n in range(25)], "cf_fiches")
    pages = list(client.records.list_pages("cf_fiche", select=["cf_name"], orderby=["cf_name asc"], page_size=10))
    assert [row["cf_name"] for page in pages for row in page] == [f"F-{n:02d}" for n in range(25)]
    assert len(pages) == 3
    assert len(list(client.records.list("cf_fiche", filter="cf_name lt 'F-05'"))) == 5


def test_it_runs_fetchxml_and_sql(client: DataverseClient, plain: WebApi) -> None:
    """3.7: FetchXML with its cookie; the SQL route."""
    plain.load("cf_fiche", [{"cf_name": f"F-{n}"} for n in range(5)], "cf_fiches")
    xml = "<fetch count='2'><entity name='cf_fiche'><attribute name='cf_name'/><order attribute='cf_name'/></entity></fetch>"
    assert [row["cf_name"] for row in client.query.fetchxml(xml).execute()] == [f"F-{n}" for n in range(5)]
    assert len(client.query.sql("SELECT cf_name FROM cf_fiche WHERE cf_name > 'F-2'")) == 2


def test_it_deletes_many_by_a_job(client: DataverseClient, plain: WebApi) -> None:
    """6.2: 'the client therefore defaults to BulkDelete for id lists'."""
    rows = client.records.create("cf_fiche", [{"cf_name": f"F-{n}"} for n in range(3)])
    job = client.records.delete("cf_fiche", rows[:2])
    plain.control("PUT", "clock", {"advance_s": 60})
    assert plain.row(f"asyncoperations({job})")["statuscode"] == 30
    assert [row["cf_ficheid"] for row in plain.rows("cf_fiches")] == rows[2:]
    client.records.delete("cf_fiche", rows[2:], use_bulk_delete=False)
    assert plain.rows("cf_fiches") == []


def test_it_batches_with_a_change_set(client: DataverseClient, plain: WebApi) -> None:
    """5.1: its own bytes, '$1' references."""
    batch = client.batch.new()
    with batch.changeset() as changes:
        first = changes.records.create("cf_dossier", {"cf_name": "D"})
        changes.records.create("cf_fiche", {"cf_name": "F", "cf_DossierId@odata.bind": first})
    batch.records.create("contact", {"lastname": "Los (fictief)"})
    result = batch.execute()
    assert not result.has_errors
    [fiche] = plain.rows("cf_fiches", expand="cf_DossierId")
    assert fiche["cf_DossierId"]["cf_name"] == "D"


def test_its_batch_tells_which_failed(client: DataverseClient) -> None:
    """5.3: continue-on-error."""
    batch = client.batch.new()
    batch.records.delete("cf_fiche", new_id())
    batch.records.create("cf_fiche", {"cf_name": "F"})
    result = batch.execute(continue_on_error=True)
    assert [item.status_code for item in result.failed] == [404]
    assert len(result.succeeded) == 1


@pytest.mark.parametrize("mode", ["small", "chunk"])
def test_it_uploads_files(client: DataverseClient, plain: WebApi, tmp_path: Path, mode: str) -> None:
    """12: 'Microsoft's Python upload sends If-None-Match: null (only if empty) or If-Match: *'."""
    (tmp_path / "stem.mp3").write_bytes(b"geluid" * 1000)
    row = client.records.create("cf_recording", {"cf_name": "R"})
    client.files.upload("cf_recording", row, "cf_media", str(tmp_path / "stem.mp3"), mode=mode, mime_type="audio/mpeg")
    assert plain.get(f"cf_recordings({row})/cf_media/$value").content == b"geluid" * 1000


def test_it_lists_and_describes_tables(client: DataverseClient) -> None:
    """10.1: 'IsPrivate eq false is added by Microsoft's client when listing tables'."""
    names = {table["LogicalName"] for table in client.tables.list()}
    assert {"contact", "cf_party"} <= names
    told = client.tables.get("cf_party")
    assert told is not None
    assert told["entity_set_name"] == "cf_parties"


def test_it_tells_a_throttle_from_other_errors(client: DataverseClient, plain: WebApi) -> None:
    """7.4: 'Microsoft's Python client marks 429/502/503/504 as transient but does not retry them itself'."""
    client.records.create("cf_fiche", {"cf_name": "F"})
    plain.control(
        "PUT", "faults", [{"match": {"method": "POST", "path": "cf_fiches"}, "do": "status", "status": 429, "retry_after": 9, "times": 1}]
    )
    with pytest.raises(HttpError) as told:
        client.records.create("cf_fiche", {"cf_name": "F"})
    assert (told.value.status_code, told.value.is_transient) == (429, True)
