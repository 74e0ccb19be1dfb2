"""Microsoft's Python client, unmodified, against the emulator: rows, queries, batches, files, errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.config import DataverseConfig
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.filters import col
from PowerPlatform.Dataverse.models.query_builder import ExpandOption
from PowerPlatform.Dataverse.models.record import QueryResult
from PowerPlatform.Dataverse.models.upsert import UpsertItem

from connectors.emulator.serving.server import RunningEmulator
from tests.integration.clients.conftest import Credential

Control = Callable[..., Any]
FORMATTED = "@OData.Community.Display.V1.FormattedValue"


def contacts(client: DataverseClient, *names: str) -> list[str]:
    return client.records.create("contact", [{"lastname": name, "firstname": "Voorbeeld"} for name in names])


def names_of(rows: Any) -> list[Any]:
    return [row["lastname"] for row in rows]


# -- signing in ----------------------------------------------------------------------------------------------


def test_it_signs_in_at_the_token_endpoint_for_the_organisation(
    dataverse: DataverseClient, credential: Credential, https_emulator: RunningEmulator
) -> None:
    row = dataverse.records.retrieve("contact", dataverse.records.create("contact", {"lastname": "Peeters (fictief)"}))
    assert row is not None
    assert row["lastname"] == "Peeters (fictief)"
    assert set(credential.scopes) == {f"{https_emulator.root}/.default"}


def test_a_revoked_token_is_refused(dataverse: DataverseClient, control: Control) -> None:
    contacts(dataverse, "A")
    control("PUT", "faults", [{"match": {"method": "GET", "path": "contacts"}, "times": 1, "do": "expire_token"}])
    with pytest.raises(HttpError) as refused:
        dataverse.records.list("contact")
    assert refused.value.status_code == 401
    assert len(dataverse.records.list("contact")) == 1


# -- rows ----------------------------------------------------------------------------------------------------


def test_a_row_is_created_read_changed_and_deleted(dataverse: DataverseClient) -> None:
    row_id = dataverse.records.create("contact", {"LastName": "Peeters (fictief)", "birthdate": "2010-02-03"})
    row = dataverse.records.retrieve("contact", row_id, select=["lastname", "birthdate"])
    assert row is not None
    assert (row["lastname"], row["birthdate"], row.etag is not None) == ("Peeters (fictief)", "2010-02-03", True)
    dataverse.records.update("contact", row_id, {"lastname": "Janssens (fictief)"})
    changed = dataverse.records.retrieve("contact", row_id)
    assert changed is not None
    assert (changed["lastname"], changed["birthdate"]) == ("Janssens (fictief)", "2010-02-03")
    dataverse.records.delete("contact", row_id)
    assert dataverse.records.retrieve("contact", row_id) is None


def test_lookups_are_bound_and_expanded(dataverse: DataverseClient) -> None:
    dossier = dataverse.records.create("cf_dossier", {"cf_name": "D-1"})
    fiche = dataverse.records.create("cf_fiche", {"cf_name": "F-1", "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    row = dataverse.records.retrieve("cf_fiche", fiche, select=["cf_name"], expand=["cf_DossierId"], include_annotations="*")
    assert row is not None
    assert row["cf_DossierId"]["cf_name"] == "D-1"
    (expand,) = [each for each in dataverse.query.odata_expands("cf_fiche") if each["target_table"] == "cf_dossier"]
    assert (expand["nav_property"], expand["target_entity_set"]) == ("cf_DossierId", "cf_dossiers")


def test_a_choice_is_written_by_its_label_and_shown_by_it(dataverse: DataverseClient) -> None:
    fiche = dataverse.records.create("cf_fiche", {"cf_name": "F-1", "cf_channel": "Telephone"})
    row = dataverse.records.retrieve("cf_fiche", fiche, select=["cf_channel"], include_annotations="*")
    assert row is not None
    assert (row["cf_channel"], row["cf_channel" + FORMATTED]) == (100_000_000, "Telefoon")


def test_many_rows_are_created_and_changed_at_once(dataverse: DataverseClient) -> None:
    ids = contacts(dataverse, "A", "B", "C")
    assert len(set(ids)) == 3
    dataverse.records.update("contact", ids, {"firstname": "Samen"})
    dataverse.records.update("contact", ids[:2], [{"lastname": "A2"}, {"lastname": "B2"}])
    rows = dataverse.records.list("contact", select=["lastname", "firstname"], orderby=["lastname"])
    assert [(row["lastname"], row["firstname"]) for row in rows] == [("A2", "Samen"), ("B2", "Samen"), ("C", "Samen")]


def test_many_rows_are_changed_together_or_not_at_all(dataverse: DataverseClient) -> None:
    ids = contacts(dataverse, "A", "B")
    with pytest.raises(HttpError):
        dataverse.records.update("contact", [ids[0], str(uuid.uuid4())], {"lastname": "changed"})
    assert sorted(names_of(dataverse.records.list("contact"))) == ["A", "B"]


def test_rows_are_deleted_by_a_job_that_can_be_followed(dataverse: DataverseClient, control: Control) -> None:
    ids = contacts(dataverse, "A", "B", "C")
    job = dataverse.records.delete("contact", ids[:2])
    assert job is not None
    control("PUT", "clock", {"advance_s": 60})
    followed = dataverse.records.retrieve("asyncoperation", job, select=["statecode", "statuscode"])
    assert followed is not None
    assert (followed["statecode"], followed["statuscode"]) == (3, 30)
    assert names_of(dataverse.records.list("contact")) == ["C"]


def test_rows_are_deleted_one_by_one(dataverse: DataverseClient) -> None:
    ids = contacts(dataverse, "A", "B", "C")
    assert dataverse.records.delete("contact", ids[:2], use_bulk_delete=False) is None
    assert names_of(dataverse.records.list("contact")) == ["C"]


def test_one_or_many_rows_are_upserted_by_an_alternate_key(dataverse: DataverseClient) -> None:
    def item(number: str, name: str) -> UpsertItem:
        return UpsertItem(alternate_key={"cf_nationalnumber": number}, record={"lastname": name})

    dataverse.records.upsert("contact", [item("85073003361", "new")])
    dataverse.records.upsert("contact", [item("85073003361", "changed"), item("85073003460", "another")])
    rows = dataverse.records.list("contact", select=["lastname", "cf_nationalnumber"], orderby=["cf_nationalnumber"])
    assert [(row["lastname"], row["cf_nationalnumber"]) for row in rows] == [("changed", "85073003361"), ("another", "85073003460")]


# -- queries -------------------------------------------------------------------------------------------------


def test_a_list_is_filtered_ordered_and_cut_off(dataverse: DataverseClient) -> None:
    contacts(dataverse, "A", "B", "C", "D")
    found = dataverse.records.list("contact", filter="lastname ne 'B'", select=["lastname"], orderby=["lastname desc"], top=2)
    assert names_of(found) == ["D", "C"]
    assert found.first() is not None


def test_pages_come_one_after_the_other(dataverse: DataverseClient) -> None:
    contacts(dataverse, *(f"P{number}" for number in range(7)))
    pages = list(dataverse.records.list_pages("contact", select=["lastname"], orderby=["lastname"], page_size=3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert names_of(row for page in pages for row in page) == [f"P{number}" for number in range(7)]
    assert len(dataverse.records.list("contact", page_size=2, count=True)) == 7


def test_the_query_builder_asks_for_what_it_was_told(dataverse: DataverseClient) -> None:
    dossier = dataverse.records.create("cf_dossier", {"cf_name": "D-1"})
    for number in range(4):
        bind = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
        dataverse.records.create("cf_fiche", {"cf_name": f"F-{number}", "cf_channel": 100_000_001, **bind})
    query = (
        dataverse.query.builder("cf_fiche")
        .select("cf_name", "cf_channel")
        .where((col("cf_name") == "F-1") | col("cf_name").in_(["F-2", "F-3"]))
        .where(col("cf_name").startswith("F") & col("cf_channel").is_not_null())
        .order_by("cf_name", descending=True)
        .expand(ExpandOption("cf_DossierId").select("cf_name"))
        .include_formatted_values()
        .page_size(2)
    )
    rows = query.execute()
    assert isinstance(rows, QueryResult)
    assert [row["cf_name"] for row in rows] == ["F-3", "F-2", "F-1"]
    first = rows.first()
    assert first is not None
    assert (first["cf_DossierId"]["cf_name"], first["cf_channel" + FORMATTED]) == ("D-1", "Chat")
    pages = dataverse.query.builder("cf_fiche").select("cf_name").page_size(3).execute_pages()
    assert [len(page) for page in pages] == [3, 1]


def test_sql_is_answered(dataverse: DataverseClient) -> None:
    contacts(dataverse, "A", "B", "B")
    rows = dataverse.query.sql("SELECT TOP 2 lastname, firstname FROM contact WHERE lastname LIKE 'B%' OR lastname = 'A' ORDER BY lastname")
    assert names_of(rows) == ["A", "B"]
    counted = dataverse.query.sql("SELECT lastname, COUNT(*) AS number FROM contact GROUP BY lastname ORDER BY lastname")
    assert [(row["lastname"], row["number"]) for row in counted] == [("A", 1), ("B", 2)]


def test_fetchxml_is_answered_page_by_page(dataverse: DataverseClient) -> None:
    contacts(dataverse, *(f"P{number}" for number in range(5)))
    xml = '<fetch count="2"><entity name="contact"><attribute name="lastname"/><order attribute="lastname"/></entity></fetch>'
    pages = list(dataverse.query.fetchxml(xml).execute_pages())
    assert [len(page) for page in pages] == [2, 2, 1]
    assert names_of(dataverse.query.fetchxml(xml).execute()) == [f"P{number}" for number in range(5)]


def test_rows_go_through_data_frames(dataverse: DataverseClient) -> None:
    frame = pd.DataFrame([{"lastname": "A", "firstname": "x"}, {"lastname": "B", "firstname": None}])
    frame["contactid"] = dataverse.dataframe.create("contact", frame)
    frame["lastname"] = ["A2", "B2"]
    dataverse.dataframe.update("contact", frame[["contactid", "lastname"]], id_column="contactid")
    read = dataverse.records.list("contact", select=["lastname", "firstname"], orderby=["lastname"]).to_dataframe()
    assert list(read["lastname"]) == ["A2", "B2"]
    assert list(dataverse.dataframe.sql("SELECT lastname FROM contact ORDER BY lastname")["lastname"]) == ["A2", "B2"]
    dataverse.dataframe.delete("contact", frame["contactid"], use_bulk_delete=False)
    assert dataverse.records.list("contact", select=["lastname"]).to_dataframe().empty


# -- batches -------------------------------------------------------------------------------------------------


def test_a_batch_answers_each_of_its_operations(dataverse: DataverseClient) -> None:
    first = contacts(dataverse, "A")[0]
    batch = dataverse.batch.new()
    batch.records.create("contact", {"lastname": "B"})
    batch.records.create("contact", [{"lastname": "C"}, {"lastname": "D"}])
    batch.records.update("contact", first, {"lastname": "A2"})
    batch.records.retrieve("contact", first, select=["lastname"])
    batch.records.list("contact", filter="lastname ne 'D'", select=["lastname"], orderby=["lastname"], top=5)
    batch.records.upsert("contact", [UpsertItem({"cf_nationalnumber": "85073003361"}, {"lastname": "E"})])
    batch.query.sql("SELECT lastname FROM contact WHERE lastname = 'E'")
    batch.tables.get("contact")
    result = batch.execute()
    assert [answer.status_code for answer in result.responses] == [204, 200, 204, 200, 200, 204, 200, 200]
    data = [answer.data for answer in result.responses if answer.data]
    assert len(data[0]["Ids"]) == 2
    assert data[1]["lastname"] == "A2"
    assert names_of(data[2]["value"]) == ["A2", "B", "C"]
    assert names_of(data[3]["value"]) == ["E"]
    assert data[4]["value"][0]["EntitySetName"] == "contacts"
    assert uuid.UUID(result.entity_ids[0])


def test_a_batch_stops_at_an_error_unless_it_is_told_to_go_on(dataverse: DataverseClient) -> None:
    for going_on, statuses in ((False, [404]), (True, [404, 204])):
        batch = dataverse.batch.new()
        batch.records.retrieve("contact", str(uuid.uuid4()))
        batch.records.create("contact", {"lastname": "after"})
        result = batch.execute(continue_on_error=going_on)
        assert [answer.status_code for answer in result.responses] == statuses
        assert result.has_errors
        assert result.failed[0].error_code == "0x80040217"


def test_a_change_set_refers_to_what_it_makes(dataverse: DataverseClient) -> None:
    batch = dataverse.batch.new()
    with batch.changeset() as changes:
        dossier = changes.records.create("cf_dossier", {"cf_name": "D-1"})
        changes.records.create("cf_fiche", {"cf_name": "F-1", "cf_DossierId@odata.bind": dossier})
        changes.records.update("cf_dossier", dossier, {"cf_name": "D-2"})
    result = batch.execute()
    assert [(answer.status_code, answer.content_id) for answer in result.responses] == [(204, "1"), (204, "2"), (204, "3")]
    (fiche,) = dataverse.records.list("cf_fiche", expand=["cf_DossierId"])
    assert fiche["cf_DossierId"]["cf_name"] == "D-2"


def test_a_change_set_is_done_whole_or_not_at_all(dataverse: DataverseClient) -> None:
    batch = dataverse.batch.new()
    with batch.changeset() as changes:
        changes.records.create("contact", {"lastname": "never"})
        changes.records.delete("contact", str(uuid.uuid4()))
    result = batch.execute()
    assert [answer.status_code for answer in result.responses] == [404]
    assert len(dataverse.records.list("contact")) == 0


# -- files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "size"), [("small", 1_000), ("chunk", 9_000_000)])
def test_a_file_is_uploaded_whole_or_in_chunks(
    dataverse: DataverseClient, https_emulator: RunningEmulator, credential: Credential, tmp_path: Path, mode: str, size: int
) -> None:
    content = bytes(number % 251 for number in range(1000)) * (size // 1000)
    path = tmp_path / "note ë.bin"
    path.write_bytes(content)
    recording = dataverse.records.create("cf_recording", {"cf_name": "R-1"})
    dataverse.files.upload("cf_recording", recording, "cf_file", str(path), mode=mode)
    token = {"Authorization": f"Bearer {credential.get_token(https_emulator.root + '/.default').token}"}
    stored = requests.get(f"{https_emulator.url}cf_recordings({recording})/cf_file/$value", headers=token, timeout=30)
    assert stored.content == content
    row = dataverse.records.retrieve("cf_recording", recording, select=["cf_file_name"])
    assert row is not None
    assert row["cf_file_name"].startswith("note")


def test_a_file_column_that_is_missing_is_made(dataverse: DataverseClient, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    contact = contacts(dataverse, "A")[0]
    dataverse.files.upload("contact", contact, "new_Document", str(tmp_path / "a.txt"))
    row = dataverse.records.retrieve("contact", contact, select=["new_document_name"])
    assert row is not None
    assert row["new_document_name"] == "a.txt"


# -- errors --------------------------------------------------------------------------------------------------


def test_a_missing_row_is_an_error_with_its_code_and_request_id(dataverse: DataverseClient) -> None:
    with pytest.raises(HttpError) as refused:
        dataverse.records.update("contact", str(uuid.uuid4()), {"lastname": "x"})
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (404, "0x80040217")
    assert refused.value.details["service_request_id"]
    assert not refused.value.is_transient


def test_a_missing_table_is_named(dataverse: DataverseClient) -> None:
    with pytest.raises(MetadataError, match="new_nothing"):
        dataverse.records.list("new_nothing")


def test_a_row_that_is_there_already_is_refused(dataverse: DataverseClient) -> None:
    row_id = contacts(dataverse, "A")[0]
    with pytest.raises(HttpError) as refused:
        dataverse.records.create("contact", {"contactid": row_id, "lastname": "B"})
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (412, "0x80040237")


def test_too_many_requests_say_when_to_come_back(dataverse: DataverseClient, control: Control) -> None:
    contacts(dataverse, "A")
    control("PUT", "limits", {"on": True, "requests": 3})
    for _ in range(3):
        dataverse.records.list("contact")
    with pytest.raises(HttpError) as refused:
        dataverse.records.list("contact")
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (429, "0x80072322")
    assert refused.value.is_transient
    assert refused.value.details["retry_after"] >= 1


def test_a_connection_that_breaks_is_tried_again(https_emulator: RunningEmulator, credential: Credential, control: Control) -> None:
    with DataverseClient(https_emulator.root, credential, DataverseConfig(http_retries=2, http_backoff=0.01)) as client:
        contacts(client, "A")
        control("PUT", "faults", [{"match": {"method": "GET", "path": "contacts"}, "times": 1, "do": "cut_before"}])
        assert names_of(client.records.list("contact")) == ["A"]
