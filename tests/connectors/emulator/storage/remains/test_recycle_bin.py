"""What stays restorable after a delete, for how long, and how it comes back (sections 11.4 and 15 of the wire
reference)."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.bulk_deletes import finished, query
from tests.connectors.emulator.client import Client
from tests.web_api import error_of

AUDIO = bytes(range(256)) * 10
DAY_S = 86_400
REFERENCES = "deleteditemreferences?$select=name,_deletedobject_value,_regardingobjectid_value,createdon"

pytestmark = pytest.mark.row(29)


@pytest.fixture(autouse=True)
def bin_of_thirty_days(crm: Client) -> None:
    assert crm.control("GET", "switches")["recycle_bin_days"] == 0
    crm.switch(recycle_bin_days=30)


def delete(crm: Client, table_set: str, row: str) -> None:
    assert crm.send("DELETE", f"{table_set}({row})").status_code == 204


def restore(crm: Client, table: str, row: str, **columns: Any) -> requests.Response:
    target = {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", f"{table}id": row, **columns}
    return crm.send("POST", "Restore", {"Target": target})


def referred(crm: Client) -> dict[str, str | None]:
    """Id of each row in the bin, and with which other row it went."""
    return {row["_deletedobject_value"]: row["_regardingobjectid_value"] for row in crm.rows(REFERENCES)}


def in_bin(crm: Client, table: str) -> int:
    """Copies that the bin holds, also those that nothing refers to."""
    tables = crm.emulator.emulator.tables
    with tables.lock:
        return int(tables.connection.execute(f'SELECT count(*) FROM "_bin_{table}"').fetchone()[0])


def with_everything(crm: Client) -> tuple[str, str, str, str]:
    """A dossier, and a party, a note and a call that go with it."""
    dossier = crm.dossier(cf_name="D-1", cf_summary="Verzonnen.")
    party = crm.create("cf_parties", cf_name="p", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    note = crm.create("annotations", subject="n", **{"objectid_cf_dossier@odata.bind": f"/cf_dossiers({dossier})"})
    call = crm.create("phonecalls", subject="c", **{"regardingobjectid_cf_dossier_phonecall@odata.bind": f"/cf_dossiers({dossier})"})
    return dossier, party, note, call


def test_a_deleted_row_lies_in_the_bin_with_a_reference_to_it(crm: Client) -> None:
    crm.control("PUT", "clock", {"now": "2031-02-03T04:05:06Z"})
    fiche = crm.fiche(cf_name="Jan (fictief)")
    delete(crm, "cf_fiches", fiche)
    (reference,) = crm.rows(REFERENCES)
    assert (reference["name"], reference["_deletedobject_value"]) == ("Jan (fictief)", fiche)
    assert reference["createdon"][:16] == "2031-02-03T04:05"
    assert not crm.exists("cf_fiches", fiche)
    assert in_bin(crm, "cf_fiche") == 1


def test_what_is_in_the_bin_is_found_by_its_data_source_alone(crm: Client) -> None:
    dossier, party, *_ = with_everything(crm)
    delete(crm, "cf_dossiers", dossier)
    for table_set, table, row in (("cf_dossiers", "cf_dossier", dossier), ("cf_parties", "cf_party", party)):
        entity = f'><entity name="{table}"><attribute name="cf_name"/></entity></fetch>'
        in_the_bin, live = quote('<fetch datasource="bin"' + entity), quote("<fetch" + entity)
        assert [each[f"{table}id"] for each in crm.rows(f"{table_set}?fetchXml={in_the_bin}")] == [row]
        assert crm.rows(f"{table_set}?fetchXml={live}") == crm.rows(table_set) == []


def test_nothing_is_kept_while_the_bin_is_off(crm: Client) -> None:
    crm.control("PUT", "switches", {"recycle_bin_days": 0})
    fiche = crm.fiche()
    delete(crm, "cf_fiches", fiche)
    assert (crm.rows(REFERENCES), in_bin(crm, "cf_fiche")) == ([], 0)
    assert error_of(restore(crm, "cf_fiche", fiche)) == (404, "0x80040217")


def test_a_delete_that_declines_the_bin_keeps_nothing(crm: Client) -> None:
    """As a bulk delete may."""
    fiche = crm.fiche()
    tables = crm.emulator.emulator.tables
    with tables.lock:
        tables.delete(tables.environment.tables["cf_fiche"], fiche, recoverable=False)
    assert (crm.rows(REFERENCES), in_bin(crm, "cf_fiche")) == ([], 0)


def test_a_row_comes_back_as_it_was_with_a_new_version(crm: Client) -> None:
    fiche = crm.fiche(cf_name="F-1", cf_summary="Verzonnen.")
    before = crm.row(f"cf_fiches({fiche})")
    delete(crm, "cf_fiches", fiche)
    answer = restore(crm, "cf_fiche", fiche)
    assert (answer.status_code, answer.json()["id"]) == (200, fiche)
    assert answer.json()["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.RestoreResponse")
    after = crm.row(f"cf_fiches({fiche})")
    changing = ("@odata.etag", "versionnumber")
    assert {k: v for k, v in after.items() if k not in changing} == {k: v for k, v in before.items() if k not in changing}
    assert after["versionnumber"] > before["versionnumber"]
    assert (crm.rows(REFERENCES), in_bin(crm, "cf_fiche")) == ([], 0)
    assert error_of(restore(crm, "cf_fiche", fiche)) == (404, "0x80040217")


def test_a_row_is_restored_by_its_address_too(crm: Client) -> None:
    fiche = crm.fiche()
    delete(crm, "cf_fiches", fiche)
    answer = crm.send("POST", "Restore", {"Target": {"@odata.id": f"{crm.url}cf_fiches({fiche})"}})
    assert answer.json()["id"] == fiche
    assert crm.exists("cf_fiches", fiche)


def test_columns_of_the_target_override_the_old_values(crm: Client) -> None:
    dossier = crm.dossier()
    contact = crm.contact(firstname="Lotte", lastname="Peeters (fictief)")
    fiche = crm.fiche(cf_name="F-1", cf_summary="a")
    delete(crm, "contacts", contact)
    delete(crm, "cf_fiches", fiche)
    assert restore(crm, "contact", contact, firstname="Els").status_code == 200
    assert crm.row(f"contacts({contact})")["fullname"] == "Els Peeters (fictief)"
    assert restore(crm, "cf_fiche", fiche, cf_name="F-2", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}).status_code == 200
    row = crm.row(f"cf_fiches({fiche})")
    assert (row["cf_name"], row["cf_summary"], row["_cf_dossierid_value"]) == ("F-2", "a", dossier)


def test_what_was_deleted_along_with_a_row_is_kept_and_restored_with_it(crm: Client) -> None:
    dossier, party, note, call = with_everything(crm)
    delete(crm, "cf_dossiers", dossier)
    assert referred(crm) == {dossier: None, party: dossier, note: dossier, call: dossier}
    assert restore(crm, "cf_dossier", dossier).status_code == 200
    for table_set, row, lookup in (
        ("cf_parties", party, "_cf_dossierid_value"),
        ("annotations", note, "_objectid_value"),
        ("phonecalls", call, "_regardingobjectid_value"),
    ):
        assert crm.row(f"{table_set}({row})")[lookup] == dossier
    assert referred(crm) == {}


def test_what_went_earlier_on_its_own_does_not_come_back_with_its_parent(crm: Client) -> None:
    dossier, party, *_ = with_everything(crm)
    delete(crm, "cf_parties", party)
    delete(crm, "cf_dossiers", dossier)
    assert restore(crm, "cf_dossier", dossier).status_code == 200
    assert not crm.exists("cf_parties", party)
    assert restore(crm, "cf_party", party).status_code == 200


def test_a_row_is_not_restored_before_the_row_that_it_looks_up(crm: Client) -> None:
    dossier, party, *_ = with_everything(crm)
    delete(crm, "cf_dossiers", dossier)
    assert error_of(restore(crm, "cf_party", party)) == (400, "0x80049959")
    assert restore(crm, "cf_party", party, cf_DossierId=None).status_code == 200
    assert crm.row(f"cf_parties({party})")["_cf_dossierid_value"] is None


def test_a_key_that_is_in_use_again_stands_in_the_way(crm: Client) -> None:
    fiche = crm.fiche()
    delete(crm, "cf_fiches", fiche)
    crm.fiche(cf_ficheid=fiche, cf_name="another")
    assert error_of(restore(crm, "cf_fiche", fiche)) == (400, "0x80049939")
    assert crm.row(f"cf_fiches({fiche})")["cf_name"] == "another"
    delete(crm, "cf_fiches", fiche)
    assert restore(crm, "cf_fiche", fiche).status_code == 200
    assert crm.row(f"cf_fiches({fiche})")["cf_name"] == "F-1"  # a second copy under the same key is not kept


def test_an_alternate_key_that_is_in_use_again_stands_in_the_way(crm: Client) -> None:
    contact = crm.contact(cf_nationalnumber="X-1")
    delete(crm, "contacts", contact)
    crm.contact(cf_nationalnumber="X-1")
    assert error_of(restore(crm, "contact", contact)) == (400, "0x80049929")
    assert not crm.exists("contacts", contact)
    assert restore(crm, "contact", contact, cf_nationalnumber="X-2").status_code == 200
    assert crm.row(f"contacts({contact})")["cf_nationalnumber"] == "X-2"


def test_a_conflict_among_the_rows_that_come_along_refuses_the_whole_restore(crm: Client) -> None:
    dossier, party, *_ = with_everything(crm)
    delete(crm, "cf_dossiers", dossier)
    crm.create("cf_parties", cf_partyid=party, cf_name="another")
    assert error_of(restore(crm, "cf_dossier", dossier)) == (400, "0x80049939")
    assert not crm.exists("cf_dossiers", dossier)
    assert len(referred(crm)) == 4


def test_files_come_back_with_their_row(crm: Client) -> None:
    recording = crm.create("cf_recordings", cf_name="R-1")
    headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": "a.mp3"}
    crm.http.patch(f"{crm.url}cf_recordings({recording})/cf_media", data=AUDIO, headers=headers, timeout=10)
    delete(crm, "cf_recordings", recording)
    assert restore(crm, "cf_recording", recording).status_code == 200
    answer = crm.get(f"cf_recordings({recording})/cf_media/$value")
    assert (answer.content, answer.headers["x-ms-file-name"]) == (AUDIO, "a.mp3")
    delete(crm, "cf_recordings", recording)
    crm.control("PUT", "clock", {"advance_s": 31 * DAY_S})
    crm.rows(REFERENCES)
    assert crm.emulator.emulator.tables.connection.execute("SELECT count(*) FROM _files").fetchone() == (0,)


def test_a_participant_is_no_longer_marked_deleted_once_restored(crm: Client) -> None:
    contact = crm.contact()
    party = {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 2}
    mail = crm.create("emails", subject="m", email_activity_parties=[party])
    delete(crm, "contacts", contact)
    query = f"activityparties?$select=ispartydeleted&$filter=_activityid_value eq {mail}"
    assert [row["ispartydeleted"] for row in crm.rows(query)] == [True]
    assert restore(crm, "contact", contact).status_code == 200
    assert [row["ispartydeleted"] for row in crm.rows(query)] == [False]


def test_tables_of_the_platform_are_never_kept(crm: Client) -> None:
    user = crm.create("systemusers", firstname="Iemand", lastname="Anders (fictief)")
    delete(crm, "systemusers", user)
    assert crm.rows(REFERENCES) == []
    delete(crm, "bulkdeleteoperations", finished(crm, query("cf_fiche"))["bulkdeleteoperationid"])
    jobs = quote("<fetch datasource='bin'><entity name='bulkdeleteoperation'><attribute name='name'/></entity></fetch>")
    assert crm.rows(f"bulkdeleteoperations?fetchXml={jobs}") == crm.rows(REFERENCES) == []
    assert error_of(crm.send("POST", "Restore", {"Target": {"@odata.id": f"systemusers({user})"}})) == (404, "0x80040217")


def test_a_row_expires_by_the_clock(crm: Client) -> None:
    fiche = crm.fiche()
    delete(crm, "cf_fiches", fiche)
    crm.control("PUT", "clock", {"advance_s": 29 * DAY_S})
    assert len(crm.rows(REFERENCES)) == 1
    crm.control("PUT", "clock", {"advance_s": DAY_S})
    assert error_of(restore(crm, "cf_fiche", fiche)) == (404, "0x80040217")
    assert (crm.rows(REFERENCES), in_bin(crm, "cf_fiche")) == ([], 0)


def test_a_table_can_have_its_own_days(crm: Client) -> None:
    crm.create("recyclebinconfigs", name="cf_fiche", cleanupintervalindays=2)
    crm.create("recyclebinconfigs", name="cf_dossier", cleanupintervalindays=-1)
    crm.create("recyclebinconfigs", name="organization", cleanupintervalindays=10)
    fiche, dossier = crm.fiche(), crm.dossier()
    delete(crm, "cf_fiches", fiche)
    delete(crm, "cf_dossiers", dossier)
    crm.control("PUT", "clock", {"advance_s": 3 * DAY_S})
    assert set(referred(crm)) == {dossier}
    crm.control("PUT", "clock", {"advance_s": 8 * DAY_S})
    assert referred(crm) == {}


def test_an_inactive_configuration_takes_a_table_out_of_the_bin(crm: Client) -> None:
    config = crm.create("recyclebinconfigs", name="cf_party")
    assert crm.send("PATCH", f"recyclebinconfigs({config})", {"statecode": 1, "statuscode": 2}).status_code == 204
    dossier, party, note, call = with_everything(crm)
    delete(crm, "cf_dossiers", dossier)
    assert set(referred(crm)) == {dossier, note, call}
    assert restore(crm, "cf_dossier", dossier).status_code == 200
    assert not crm.exists("cf_parties", party)


def test_deleting_a_reference_removes_the_copy_or_leaves_it_as_the_switch_says(crm: Client) -> None:
    first, second = crm.fiche(), crm.fiche()
    delete(crm, "cf_fiches", first)
    delete(crm, "deleteditemreferences", crm.rows(REFERENCES)[0]["deleteditemreferenceid"])
    assert (crm.rows(REFERENCES), in_bin(crm, "cf_fiche")) == ([], 0)
    assert error_of(restore(crm, "cf_fiche", first)) == (404, "0x80040217")
    crm.control("PUT", "switches", {"reference_delete_purges": False})
    delete(crm, "cf_fiches", second)
    delete(crm, "deleteditemreferences", crm.rows(REFERENCES)[0]["deleteditemreferenceid"])
    assert (crm.rows(REFERENCES), in_bin(crm, "cf_fiche")) == ([], 1)
    assert restore(crm, "cf_fiche", second).status_code == 200


def test_references_are_neither_written_nor_changed(crm: Client) -> None:
    delete(crm, "cf_fiches", crm.fiche())
    reference = crm.rows(REFERENCES)[0]["deleteditemreferenceid"]
    assert error_of(crm.send("PATCH", f"deleteditemreferences({reference})", {"name": "x"})) == (405, "0x80040800")
    assert error_of(crm.send("POST", "deleteditemreferences", {"name": "x"})) == (405, "0x80040800")


def test_a_reset_empties_the_bin(crm: Client) -> None:
    fiche = crm.fiche()
    delete(crm, "cf_fiches", fiche)
    crm.control("POST", "reset", {"empty": True})
    assert (crm.rows(REFERENCES), in_bin(crm, "cf_fiche")) == ([], 0)
    assert error_of(restore(crm, "cf_fiche", fiche)) == (404, "0x80040217")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({}, "0x80060888"),
        ("cf_fiche", "0x80060888"),
        ({"@odata.type": "Microsoft.Dynamics.CRM.cf_nothing"}, "0x80060888"),
        ({"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche"}, "0x80040203"),
        ({"@odata.id": "cf_fiches"}, "0x80060888"),
    ],
)
def test_a_target_that_names_no_row_is_refused(crm: Client, target: Any, code: str) -> None:
    assert error_of(crm.send("POST", "Restore", {"Target": target})) == (400, code)


def test_the_bin_and_the_audit_log_outlive_a_restart(tmp_path: Path) -> None:
    with running(state=tmp_path / "state.db") as emulator:
        crm = Client(emulator)
        crm.control("PUT", "switches", {"recycle_bin_days": 30})
        dossier, party, *_ = with_everything(crm)
        delete(crm, "cf_dossiers", dossier)
    with running(state=tmp_path / "state.db") as emulator:
        crm = Client(emulator)
        emulator.emulator.switches.recycle_bin_days = 30
        assert len(crm.rows(f"audits?$filter=_objectid_value eq {dossier}")) == 2
        assert restore(crm, "cf_dossier", dossier).status_code == 200
        assert crm.exists("cf_parties", party)


def test_restoring_takes_the_privilege_to_create(crm: Client) -> None:
    fiche = crm.fiche()
    delete(crm, "cf_fiches", fiche)
    target = {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}
    refused = crm.send("POST", "Restore", {"Target": target}, {"MSCRMCallerID": "9e8f0000-0000-4000-8000-0000000000a2"})
    assert error_of(refused) == (403, "0x80040220")
    assert "prvCreatecf_fiche" in refused.json()["error"]["message"]
    assert not crm.exists("cf_fiches", fiche)
