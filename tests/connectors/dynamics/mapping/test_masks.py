"""Rows masked in place, and read back (section 5.3)."""

import base64
from pathlib import Path

import pytest

from connectors.dynamics.http.transport import Transport
from connectors.emulator.serving.server import RunningEmulator
from connectors.interface.changes import ChangeStatus, Operation, OperationKind
from connectors.interface.errors import ReadIncomplete
from rules.model.records import Dossier, Fiche
from tests.connectors.dynamics.mapping.masked import (
    CANARY,
    PIXEL,
    TEAM,
    TEXT,
    a_dossier,
    carried_out,
    client,
    crm,
    kept,
    masking,
    named,
    send,
    shown,
)

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


# --- writing and reading back -------------------------------------------------------------------------------


def test_the_reference_mapping_masks_the_reference_environment(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        assert connector.check(in_place=True) == []
        assert connector.remnants(Dossier) == frozenset()


def test_a_masked_row_holds_constants_and_nothing_else(emulator: RunningEmulator) -> None:
    """R-081, R-082, ERA-06: the whole text is gone, a neutral team owns the row, and it is in no active
    view."""
    with client(emulator) as connector:
        row, etag = a_dossier(emulator, cf_courtreference=CANARY, cf_legalholdreason=CANARY, cf_openedon="2019-03-01T11:00:00Z")
        operation = masking(row, etag)
        assert connector.unmasked([operation]) == {row}
        assert carried_out(connector, operation) is ChangeStatus.DONE
        assert connector.unmasked([operation]) == set()
        after = shown(emulator, row)
    own = {name: value for name, value in after.items() if name.startswith(("cf_", "_cf_")) and value is not None}
    assert own == {"cf_dossierid": row, "cf_name": "Geanonimiseerd", "cf_anonymisedon": "2026-11-25T03:00:00Z"}
    assert (after["_ownerid_value"], after["_owningteam_value"], after["_owninguser_value"], after["statecode"]) == (TEAM, TEAM, None, 1)
    assert CANARY not in str(after)


def test_another_row_says_nothing_of_what_was_masked(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with client(emulator) as connector:
        (row, etag), (other, _) = a_dossier(emulator), a_dossier(emulator)
        get = Transport.get
        monkeypatch.setattr(Transport, "get", lambda crm, address, **options: get(crm, address.replace(row, other), **options))
        with pytest.raises(ReadIncomplete, match="read back"):
            connector.unmasked([masking(row, etag)])


def test_a_masked_fiche_loses_its_links(emulator: RunningEmulator) -> None:
    """5.2: also the link to its dossier, by which the communications of one person would stay together."""
    with client(emulator) as connector:
        dossier, _ = a_dossier(emulator)
        columns = {"cf_name": CANARY, "cf_summary": CANARY, "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})", "cf_channel": 100000000}
        answer = send("POST", f"{emulator.url}cf_fiches", json=columns, headers={"Prefer": "return=representation"}).json()
        operation = masking(answer["cf_ficheid"], answer["@odata.etag"], Fiche)
        assert carried_out(connector, operation) is ChangeStatus.DONE
        assert connector.unmasked([operation]) == set()
        after = shown(emulator, answer["cf_ficheid"], "cf_fiches")
    assert (after["_cf_dossierid_value"], after["cf_channel"], after["cf_summary"], after["cf_name"]) == (
        None,
        None,
        None,
        "Geanonimiseerd",
    )


def test_file_and_image_columns_are_emptied_in_the_same_change_set(tmp_path: Path) -> None:
    """R-081: no attachment remains, in a column neither."""
    with crm(tmp_path, "cf_scan: {type: file, pii: true}", "cf_photo: {type: image, pii: true}") as emulator:
        mapping = named("        cf_scan: null\n", "        cf_photo: null\n")
        with client(emulator, mapping) as connector:
            assert connector.check(in_place=True) == []
            row, _ = a_dossier(emulator, cf_photo=base64.b64encode(PIXEL).decode())
            upload = {"Content-Type": "application/octet-stream", "x-ms-file-name": "kanarie.txt"}
            assert send("PATCH", f"{emulator.url}cf_dossiers({row})/cf_scan", data=CANARY.encode(), headers=upload).status_code == 204
            operation = masking(row, shown(emulator, row)["@odata.etag"])
            assert connector.unmasked([operation]) == {row}
            assert carried_out(connector, operation) is ChangeStatus.DONE
            assert connector.unmasked([operation]) == set()
        assert send("GET", f"{emulator.url}cf_dossiers({row})/cf_scan/$value").status_code in (204, 404)
        assert send("GET", f"{emulator.url}cf_dossiers({row})/cf_photo/$value").status_code in (204, 404)


def test_a_row_that_changed_since_is_left_alone(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        row, etag = a_dossier(emulator)
        send("PATCH", f"{emulator.url}cf_dossiers({row})", json={"cf_summary": "Verzonnen."}, headers={"If-Match": "*"})
        assert carried_out(connector, masking(row, etag)) is ChangeStatus.CHANGED
        assert shown(emulator, row)["cf_name"] == CANARY


def test_masks_happen_with_the_rest_of_their_change_set_or_not_at_all(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        (row, etag), (other, _) = a_dossier(emulator), a_dossier(emulator)
        stale = Operation(OperationKind.DELETE, Dossier, other, 'W/"1"')
        assert carried_out(connector, masking(row, etag), stale) is ChangeStatus.CHANGED
        assert shown(emulator, row)["cf_name"] == CANARY


@pytest.mark.parametrize("column", ["cf_summary", "cf_courtreference"])
def test_reading_back_sees_what_came_back(emulator: RunningEmulator, column: str) -> None:
    """ERA-15: what somebody writes into an anonymised row is found."""
    with client(emulator) as connector:
        row, etag = a_dossier(emulator)
        operation = masking(row, etag)
        carried_out(connector, operation)
        send("PATCH", f"{emulator.url}cf_dossiers({row})", json={column: CANARY}, headers={"If-Match": "*"})
        assert connector.unmasked([operation]) == {row}


def test_a_row_that_is_gone_shows_nothing(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        row, etag = a_dossier(emulator)
        send("DELETE", f"{emulator.url}cf_dossiers({row})")
        assert connector.unmasked([masking(row, etag)]) == set()


def test_what_is_kept_goes_too_where_too_few_share_it(emulator: RunningEmulator) -> None:
    """ERA-08."""
    with client(emulator, kept("cf_categories", "cf_outcome")) as connector:
        (rare, one), (common, two) = a_dossier(emulator), a_dossier(emulator)
        operations = [masking(rare, one), masking(common, two, is_common=True)]
        assert carried_out(connector, *operations) is ChangeStatus.DONE
        assert connector.unmasked(operations) == set()
        assert (shown(emulator, rare)["cf_categories"], shown(emulator, rare)["cf_outcome"]) == (None, None)
        assert (shown(emulator, common)["cf_categories"], shown(emulator, common)["cf_outcome"]) == ("100000030", 100000001)


def test_bands_are_written_where_the_mapping_has_room_for_them(tmp_path: Path) -> None:
    """5.3: year, age band and province, and nothing where the caller has none."""
    columns = ("cf_year: {type: int}", "cf_band: {type: string(10)}", "cf_place: {type: string(40)}")
    mapping = named("        cf_year: date_to_year\n", "        cf_band: age_band\n", "        cf_place: postcode_to_province\n")
    with crm(tmp_path, *columns) as emulator, client(emulator, mapping) as connector:
        assert connector.check(in_place=True) == []
        row, etag = a_dossier(emulator)
        operation = masking(row, etag, is_common=True, year=2019, age_band="15-17", province="Antwerp")
        assert carried_out(connector, operation) is ChangeStatus.DONE
        assert connector.unmasked([operation]) == set()
        after = shown(emulator, row)
    assert (after["cf_year"], after["cf_band"], after["cf_place"]) == (2019, "15-17", "Antwerp")


def test_pseudonyms_of_two_connections_have_nothing_in_common(emulator: RunningEmulator) -> None:
    """ERA-05: the key of a run dies with it, so the same row never gets the same pseudonym again; with a kept
    key it does (R-090)."""
    mapping = TEXT.replace("        cf_name: constant\n", "        cf_name: hmac\n", 1)
    names: list[str] = []
    row, _ = a_dossier(emulator)
    for key in (None, None, bytes(32), bytes(32)):
        with client(emulator, mapping, pseudonym_key=key) as connector:
            assert connector.check(in_place=True) == []
            operation = masking(row, shown(emulator, row)["@odata.etag"])
            assert carried_out(connector, operation) is ChangeStatus.DONE
            assert connector.unmasked([operation]) == set()
        names.append(shown(emulator, row)["cf_name"])
    assert len(set(names[:3])) == 3
    assert names[2] == names[3]
    assert row not in str(names)


def test_the_team_may_be_named_by_its_id(emulator: RunningEmulator) -> None:
    with client(emulator, TEXT.replace("owner: Geanonimiseerd", f"owner: {TEAM}")) as connector:
        assert connector.check(in_place=True) == []
        row, etag = a_dossier(emulator)
        assert carried_out(connector, masking(row, etag)) is ChangeStatus.DONE
        assert shown(emulator, row)["_ownerid_value"] == TEAM
