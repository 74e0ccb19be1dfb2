"""Rows beyond one process: state files, and loading in bulk."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.schema.environment_file import load_environment
from connectors.emulator.serving.server import SeedSpec, running
from connectors.emulator.storage.database import Database, StateProblem
from tests.connectors.emulator.client import Client
from tests.connectors.emulator.schema.test_environment_file import OTHER
from tests.web_api import ANNOTATED, change_set, new_id, request_part, statuses


def test_a_state_file_keeps_rows_files_versions_and_cookies_over_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with running(state=state) as emulator:
        crm = Client(emulator)
        dossiers = sorted(crm.dossier() for _ in range(3))
        etag = crm.etag("cf_dossiers", dossiers[0])
        before = crm.row(f"cf_dossiers({dossiers[1]})")
        recording = f"cf_recordings({crm.create('cf_recordings', cf_name='R-1')})/cf_media"
        headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": "a.mp3"}
        assert crm.http.patch(crm.url + recording, data=b"geluid", headers=headers, timeout=10).status_code == 204
        link = crm.row("cf_dossiers?$select=cf_name", {"Prefer": "odata.maxpagesize=2"})["@odata.nextLink"]
        root = emulator.root
    with running(state=state) as emulator:
        crm = Client(emulator)
        assert crm.etag("cf_dossiers", dossiers[0]) == etag
        assert crm.row(f"cf_dossiers({dossiers[1]})").items() >= (before.items() - {("@odata.context", before["@odata.context"])})
        assert crm.get(recording + "/$value").content == b"geluid"
        assert [row["cf_dossierid"] for row in crm.rows(link.replace(root, emulator.root))] == dossiers[2:]
        crm.send("PATCH", f"cf_dossiers({dossiers[0]})", {"cf_name": "D-2"})
        assert crm.etag("cf_dossiers", dossiers[0]) > etag


def test_a_rolled_back_change_set_leaves_nothing_in_the_file(tmp_path: Path) -> None:
    with running(state=tmp_path / "state.db") as emulator:
        crm = Client(emulator)
        kept = crm.dossier()
        parts = [
            request_part("DELETE", f"/api/data/v9.2/cf_dossiers({kept})", content_id="1"),
            request_part("DELETE", f"/api/data/v9.2/cf_dossiers({new_id()})", content_id="2"),
        ]
        assert statuses(crm.batch(change_set(*parts))) == [404]
    with running(state=tmp_path / "state.db") as emulator:
        assert Client(emulator).exists("cf_dossiers", kept)


def test_a_state_file_is_seeded_once(tmp_path: Path) -> None:
    seed = SeedSpec(dossiers=3, seed=1, as_of=date(2026, 3, 15))
    with running(state=tmp_path / "state.db", seed=seed) as emulator:
        crm = Client(emulator)
        rows = crm.rows("cf_dossiers?$select=cf_name")
        crm.send("PATCH", f"cf_dossiers({rows[0]['cf_dossierid']})", {"cf_name": "changed"})
    with running(state=tmp_path / "state.db", seed=seed) as emulator:
        assert Client(emulator).row(f"cf_dossiers({rows[0]['cf_dossierid']})")["cf_name"] == "changed"
        assert len(Client(emulator).rows("cf_dossiers")) == len(rows)


def test_reset_seeds_again_what_was_seeded_at_first() -> None:
    with running(seed=SeedSpec(dossiers=3, seed=1, as_of=date(2026, 3, 15))) as emulator:
        crm = Client(emulator)
        before = {row["cf_dossierid"]: row["cf_name"] for row in crm.rows("cf_dossiers")}
        crm.send("DELETE", f"cf_dossiers({next(iter(before))})")
        assert crm.control("POST", "reset", {"empty": False}) == {"empty": False}
        assert {row["cf_dossierid"]: row["cf_name"] for row in crm.rows("cf_dossiers")} == before
        assert crm.control("POST", "reset", {"empty": True}) == {"empty": True}


def test_each_new_organisation_begins_alike_and_with_rows_of_its_own_day(tmp_path: Path) -> None:
    """Also where it is a copy of one that was made before; a state file never is."""

    def beginning(year: int, state: Path | None = None) -> dict[str, list[tuple[object, ...]]]:
        clock = Clock(datetime(year, 2, 3, tzinfo=UTC).timestamp)
        database = Database(load_environment(), clock, state)
        read = database.connection.execute
        tables = [name for (name,) in read("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: sorted(read(f'SELECT * FROM "{name}"'), key=repr) for name in tables}
        found["sqlite_master"] = read("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        found["_state"] = [(name, value) for name, value in found["_state"] if name != "security" or not value]  # drawn by chance
        assert database.next_version() > max(version for (version,) in read("SELECT versionnumber FROM systemuserroles"))
        database.load([("contact", {"lastname": "Fictief"})])
        database.close()
        return found

    first, second, third = beginning(2024), beginning(2025), beginning(2026, tmp_path / "state.db")
    dated = {name for name, rows in first.items() if "2024-02-03" in str(rows)}
    assert {"organization", "businessunit", "role", "systemuser", "team", "transactioncurrency"} <= dated
    for later, day in ((second, "2025-02-03"), (third, "2026-02-03")):
        assert later.keys() == first.keys()
        for name, rows in first.items():
            assert str(later[name]) == str(rows).replace("2024-02-03", day), name


def test_a_state_file_of_another_environment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(OTHER)
    Database(load_environment(), Clock(), tmp_path / "state.db").close()
    with pytest.raises(StateProblem, match="another environment"):
        Database(load_environment(tmp_path / "other.yaml"), Clock(), tmp_path / "state.db")
    (tmp_path / "text.db").write_text("no database at all, " * 50)
    with pytest.raises(StateProblem):
        Database(load_environment(), Clock(), tmp_path / "text.db")


def test_rows_are_loaded_in_bulk_in_any_order(crm: Client) -> None:
    dossier, fiche, contact, mail = new_id(), new_id(), new_id(), new_id()
    number = crm.emulator.load(
        [
            ("annotation", {"subject": "n", "objectid": ("cf_fiche", fiche)}),
            ("cf_fiche", {"cf_ficheid": fiche, "cf_name": "F", "cf_dossierid": dossier, "createdon": "2011-02-03T04:05:06Z"}),
            ("cf_dossier", {"cf_dossierid": dossier, "cf_name": "D", "statecode": 1, "cf_legalhold": True, "cf_categories": "100000021"}),
            ("contact", {"contactid": contact, "firstname": "Lotte", "lastname": "Peeters (fictief)"}),
            ("activityparty", {"activityid": ("email", mail), "partyid": ("contact", contact), "participationtypemask": 2}),
            ("email", {"activityid": mail, "subject": "m", "regardingobjectid": ("cf_dossier", dossier)}),
            ("cf_donation", {"cf_name": "gift", "cf_amount": 25, "cf_contactid": contact}),
            ("cf_recording", {"cf_name": "R", "cf_media": ("a.mp3", b"abc")}),
        ]
    )
    assert number == 8
    row = crm.row(f"cf_fiches({fiche})?$expand=cf_DossierId,cf_fiche_Annotations", ANNOTATED)
    assert (row["createdon"], row["modifiedon"]) == ("2011-02-03T04:05:06Z", "2011-02-03T04:05:06Z")
    assert (row["cf_DossierId"]["statuscode"], row["cf_DossierId"]["cf_legalhold"]) == (2, True)
    assert row["cf_fiche_Annotations"][0]["objecttypecode"] == "cf_fiche"
    assert crm.row(f"contacts({contact})")["fullname"] == "Lotte Peeters (fictief)"
    recording = crm.rows("cf_recordings")[0]["cf_recordingid"]
    assert crm.get(f"cf_recordings({recording})/cf_media/$value").content == b"abc"
    assert crm.send("DELETE", f"cf_dossiers({dossier})").status_code == 204
    assert crm.rows("emails") == crm.rows("activityparties") == []
    with pytest.raises(KeyError, match="cf_nothing"):
        crm.emulator.load([("cf_fiche", {"cf_nothing": 1})])
