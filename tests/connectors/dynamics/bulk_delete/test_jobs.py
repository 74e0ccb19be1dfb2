"""What goes by a job of the CRM and what does not, and holds that come before it runs."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.bulk_delete.jobs import PAGE, PAIRS, PREFIX
from connectors.dynamics.http.answers import Answer
from connectors.dynamics.http.transport import Transport
from connectors.emulator.serving.server import running
from connectors.interface.changes import ChangeSet, ChangeStatus
from rules.model.bypass import Bypass
from rules.model.records import Note, Recording
from tests.connectors.dynamics.bulk_delete.by_jobs import (
    CHANGED,
    COMMON,
    DONE,
    ENVIRONMENT,
    GUID,
    HELD,
    REFUSED,
    TOKEN,
    Crm,
    batches,
    on_first_sleep,
    statuses,
)

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


# -- a job ---------------------------------------------------------------------------------------------------


def test_rows_go_by_one_job_of_exact_versions_and_nothing_of_it_stays(crm: Crm) -> None:
    ids, others = crm.recordings(PAIRS + 60), crm.recordings(3)
    orphan = crm.recordings(1, fiche=False)
    before = batches(crm)
    assert set(crm.delete([*ids, *orphan]).values()) == {DONE}
    assert batches(crm) == before
    assert crm.left() == set(others)
    assert crm.job_rows == 0
    assert crm.connector.warnings == []


def test_the_versions_of_rows_are_found_whatever_form_their_ids_have(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = crm.recordings(PAIRS + 1)
    get = Transport.get

    def in_other_form(transport: Transport, address: str, **options: Any) -> Answer:
        answer = get(transport, address, **options)
        if "versionnumber" not in address:
            return answer
        return replace(answer, body=re.sub(rb'(?<="cf_recordingid":")[^"]+', lambda found: b"{%s}" % found[0].upper(), answer.body))

    monkeypatch.setattr(Transport, "get", in_other_form)
    before = batches(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    assert (batches(crm), crm.left(), crm.connector.warnings) == (before, set(), [])


def test_versions_of_other_rows_are_no_answer(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a cache gives them: the row that was asked for would seem to be gone."""
    ids, (other,) = crm.recordings(PAIRS + 1), crm.recordings(1)
    get = Transport.get

    def of_another(transport: Transport, address: str, **options: Any) -> Answer:
        return get(transport, address.replace(ids[0], other) if "versionnumber" in address else address, **options)

    monkeypatch.setattr(Transport, "get", of_another)
    assert set(crm.delete(ids).values()) == {DONE}
    assert crm.left() == {other}


def test_rows_that_pass_by_custom_logic_go_in_batches_for_no_job_can(crm: Crm) -> None:
    ids = crm.recordings(PAIRS + 60)
    wanted = crm.change_sets(Recording, ids)
    passing = frozenset({Bypass.PLUGINS})
    wanted[:60] = [ChangeSet(one.key, (replace(one.operations[0], bypass=passing),)) for one in wanted[:60]]
    refused = {"table": "cf_recording", "message": "Delete", "do": "refuse", "text": "Niet verwijderen (fictief)."}
    crm.control("plugins", [refused])
    before = batches(crm)
    found = statuses(crm.connector.change(wanted))
    assert [found[each] for each in ids] == [DONE] * 60 + [ChangeStatus.REFUSED] * PAIRS
    assert batches(crm) > before
    assert crm.left() == {*ids[60:]}


def test_what_a_job_keeps_are_ids_and_versions_only(crm: Crm) -> None:
    """GDPR: the rows of a job survive the rows that it deletes (reference, 6.2)."""
    kept: list[dict[str, Any]] = []

    def look() -> None:
        kept.extend([*crm.rows("asyncoperations"), *crm.rows("bulkdeleteoperations")])

    crm.on_sleep = look
    crm.emulator.load([("cf_recording", {"cf_recordingid": str(uuid.uuid4()), "cf_callernumber": "0470123456", **COMMON, "cf_name": "x"})])
    ids = [*crm.left()]
    assert crm.delete(ids) == {ids[0]: DONE}
    assert {bool(re.fullmatch(re.escape(PREFIX) + GUID.pattern, row["name"])) for row in kept} == {True}
    given = json.loads(kept[0]["data"])
    values: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            values.extend([node["Value"]] if "Value" in node else [])
            for each in node.values():
                collect(each)
        elif isinstance(node, list):
            for each in node:
                collect(each)

    collect(given["QuerySet"])
    assert values
    assert all(value == "false" or value.isdigit() or GUID.fullmatch(value) for value in values)
    assert "0470" not in GUID.sub("", json.dumps(kept))  # four digits may stand in an id
    assert given["SendEmailNotification"] is False
    assert given["RecurrencePattern"] == ""
    assert given["Options"] == {"CanRecoverDeletedRecords": False}


def test_attachments_of_a_fiche_go_by_a_job_and_other_notes_in_a_batch(crm: Crm) -> None:
    """The way from a note to a dossier's hold leads over its fiche; where it does not, the job leaves it
    alone."""
    on_fiche, on_dossier = crm.notes(3, "cf_fiche", crm.fiche), crm.notes(1, "cf_dossier", crm.dossier)
    before = batches(crm)
    assert set(crm.delete([*on_fiche, *on_dossier], Note).values()) == {DONE}
    assert batches(crm) == before + 1
    assert crm.rows("annotations") == []


def test_on_premises_jobs_say_nothing_about_a_recycle_bin() -> None:
    with running(token=TOKEN, limits=False, profile="onprem") as emulator:
        crm = Crm(emulator)
        kept: list[dict[str, Any]] = []
        crm.on_sleep = lambda: kept.extend(crm.rows("asyncoperations"))
        assert set(crm.delete(crm.recordings(3)).values()) == {DONE}
        assert "Options" not in json.loads(kept[0]["data"])
        crm.close()


def test_a_row_that_changes_before_the_job_runs_stays(crm: Crm) -> None:
    ids = crm.recordings(4)
    on_first_sleep(crm, lambda: crm.patch("cf_recordings", ids[0], cf_evidence=True))
    assert crm.delete(ids) == {ids[0]: CHANGED, **dict.fromkeys(ids[1:], DONE)}
    assert crm.left() == {ids[0]}
    assert crm.job_rows == 0


def test_a_row_that_had_changed_or_gone_before_our_look_is_not_in_the_job(crm: Crm) -> None:
    ids = crm.recordings(4)
    change_sets = crm.change_sets(Recording, ids)
    crm.patch("cf_recordings", ids[0], cf_evidence=True)
    crm.http.delete(f"{crm.emulator.url}cf_recordings({ids[1]})").raise_for_status()
    found = statuses(crm.connector.change(change_sets))
    assert found == {ids[0]: CHANGED, ids[1]: CHANGED, ids[2]: DONE, ids[3]: DONE}


@pytest.mark.parametrize("moved", [False, True], ids=["hold", "fiche moved under a hold"])
def test_a_hold_that_appears_before_the_job_runs_wins(crm: Crm, moved: bool) -> None:
    """HLD-07: it changes no version of the recording, so the job itself asks for it, and so does the batch
    that would follow."""
    ids, orphans = crm.recordings(3), crm.recordings(2, fiche=False)
    if moved:
        other = str(uuid.uuid4())
        crm.emulator.load([("cf_dossier", {"cf_dossierid": other, "cf_name": "D", "cf_legalhold": True, **COMMON})])
        on_first_sleep(crm, lambda: crm.patch("cf_fiches", crm.fiche, **{"cf_DossierId@odata.bind": f"/cf_dossiers({other})"}))
    else:
        on_first_sleep(crm, lambda: crm.patch("cf_dossiers", crm.dossier, cf_legalhold=True))
    assert crm.delete([*ids, *orphans]) == {**dict.fromkeys(ids, HELD), **dict.fromkeys(orphans, DONE)}
    assert crm.left() == set(ids)


def test_a_hold_that_is_lifted_again_does_not_stand_in_the_way(crm: Crm) -> None:
    crm.patch("cf_dossiers", crm.dossier, cf_legalhold=False)
    ids = crm.recordings(3)
    assert set(crm.delete(ids).values()) == {DONE}


def test_a_hold_on_the_dossier_of_attachments_wins(crm: Crm) -> None:
    notes = crm.notes(2, "cf_fiche", crm.fiche)
    on_first_sleep(crm, lambda: crm.patch("cf_dossiers", crm.dossier, cf_legalhold=True))
    assert crm.delete(notes, Note) == dict.fromkeys(notes, HELD)
    assert len(crm.rows("annotations")) == 2


@pytest.mark.parametrize("failing", [2, PAGE + 2], ids=["few", "more than a page"])
def test_rows_that_the_crm_cannot_delete_are_refused_with_its_code(tmp_path: Path, failing: int) -> None:
    """ "Succeeded" does not mean that nothing failed: here a child row restricts the delete of its
    recording."""
    text = ENVIRONMENT.read_text("utf-8")
    column = "      cf_donationid: {type: guid, key: true}\n"
    text = text.replace(column, column + "      cf_recordingid: {type: lookup cf_recording, schema_name: cf_RecordingId}\n")
    relationship = "{name: cf_recording_donations, parent: cf_recording, child: cf_donation, column: cf_recordingid, on_delete: restrict}"
    path = tmp_path / "environment.yaml"
    path.write_text(text.replace("\nrelationships:", f"\nrelationships:\n  - {relationship}\n#", 1), encoding="utf-8")
    with running(token=TOKEN, limits=False, environment=path) as emulator:
        crm = Crm(emulator)
        ids = crm.recordings(failing + 3)
        emulator.load([("cf_donation", {"cf_donationid": str(uuid.uuid4()), "cf_recordingid": each, **COMMON}) for each in ids[:failing]])
        results = crm.connector.change(crm.change_sets(Recording, ids))
        assert statuses(results) == {**dict.fromkeys(ids[:failing], REFUSED), **dict.fromkeys(ids[failing:], DONE)}
        assert {result.service_code for result in results[:failing]} == {"0x80040227"}
        assert crm.left() == set(ids[:failing])
        assert crm.job_rows == 0
        crm.close()
