"""Whether rows go by a job at all: by privileges, by what is switched on, by how quick batches are."""

from collections.abc import Callable, Collection

import pytest

from connectors.dynamics.bulk_delete.deletes import BulkDelete
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.interface.changes import ChangeSet
from rules.model.records import Recording
from tests.connectors.dynamics.bulk_delete.by_jobs import DONE, HELD, Crm, batches, statuses

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


def give(crm: Crm, **privileges: str) -> None:
    user = crm.connector.whoami()
    needed = {f"prv{access}{name}": "Global" for name in ("cf_recording", "cf_fiche", "cf_dossier") for access in ("Read", "Delete")}
    common = {"prvReadEntity": "Global", "prvReadAttribute": "Global", "prvReadRelationship": "Global", "prvReadOptionSet": "Global"}
    answer = crm.http.put(
        f"{crm.emulator.root}/_emulator/privileges", json={"user": user, "set": {**common, **needed, "prvReadUser": "Basic", **privileges}}
    )
    assert answer.status_code == 200, answer.text


def test_without_the_privileges_there_are_no_jobs_and_the_reason_is_told(crm: Crm) -> None:
    ids = crm.recordings(3)
    give(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    capability = crm.connector.deleting.capability()
    assert not capability.available
    assert "prvBulkDelete" in capability.reason
    assert "AsyncOperation" in capability.reason
    assert crm.connector.warnings == []
    crm.connector.reconcile_earlier()


def test_the_optional_privileges_are_enough_for_a_job(crm: Crm) -> None:
    ids = crm.recordings(3)
    tables = crm.http.get(
        f"{crm.emulator.url}EntityDefinitions?$select=LogicalName,Privileges"
        "&$filter=LogicalName eq 'asyncoperation' or LogicalName eq 'bulkdeleteoperation' or LogicalName eq 'bulkdeletefailure'"
    ).json()["value"]
    named = {(table["LogicalName"], each["PrivilegeType"]): each["Name"] for table in tables for each in table["Privileges"]}
    wanted = [
        *[named["asyncoperation", access] for access in ("Read", "Write", "Delete")],
        *[named["bulkdeleteoperation", access] for access in ("Read", "Delete")],
        named["bulkdeletefailure", "Read"],
    ]
    give(crm, prvBulkDelete="Global", **dict.fromkeys(wanted, "Global"))
    before = batches(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    assert batches(crm) == before


def test_switched_off_there_are_no_jobs(make: Callable[..., Crm]) -> None:
    crm = make(BulkDelete.OFF)
    before = batches(crm)
    assert set(crm.delete(crm.recordings(3)).values()) == {DONE}
    assert batches(crm) == before + 1
    assert crm.connector.group_size(Recording, 5_000, 100) == 100


def test_where_batches_are_quick_no_job_is_tried(make: Callable[..., Crm]) -> None:
    """A first hundred goes in a batch and is measured; then both ways are compared."""
    crm = make(BulkDelete.AUTO)
    assert crm.connector.group_size(Recording, 100, 100) == 100
    assert crm.connector.group_size(Recording, 700, 100) == 1_000
    ids = crm.recordings(700)
    before = batches(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    assert batches(crm) > before
    assert crm.connector.deleting.crossover.is_measured
    assert crm.connector.group_size(Recording, 700, 100) == 100, "small groups again: their holds are looked up more often"


def test_hld07_before_each_batch_the_holds_of_what_it_deletes_are_looked_up_once(make: Callable[..., Crm]) -> None:
    crm = make(BulkDelete.AUTO)
    ids = crm.recordings(250)
    asked: list[str] = []

    def held(keys: Collection[str]) -> Collection[str]:
        asked.extend(keys)
        return {ids[0], ids[-1]}.intersection(keys)

    found = statuses(crm.connector.change(crm.change_sets(Recording, ids), held))
    assert asked == ids
    assert {each for each, status in found.items() if status is HELD} == {ids[0], ids[-1]} == crm.left()


def test_where_batches_are_slow_the_rest_goes_by_a_job(make: Callable[..., Crm]) -> None:
    crm = make(BulkDelete.AUTO)
    ids = crm.recordings(650)
    crm.connector.deleting.crossover.saw_batches(100, 100.0)
    before = batches(crm)
    assert set(crm.delete(ids).values()) == {DONE}
    assert batches(crm) == before
    assert crm.left() == set()


def test_sets_of_several_rows_never_go_by_a_job(crm: Crm) -> None:
    first, second, third = crm.recordings(3)
    one, two, three = crm.change_sets(Recording, [first, second, third])
    both = ChangeSet("both", one.operations + two.operations)
    before = batches(crm)
    results = crm.connector.change([both, three])
    assert [(result.key, result.status) for result in results] == [("both", DONE), (third, DONE)]
    assert batches(crm) == before + 1


def test_a_mapping_without_holds_needs_no_guard(make: Callable[..., Crm]) -> None:
    text = REFERENCE.read_text("utf-8")
    text = text.replace("      legal_hold: cf_legalhold\n", "").replace(
        "  dossier:\n    table: cf_dossier\n", "  dossier:\n    table: cf_dossier\n    without: [legal_hold]\n"
    )
    crm = make(mapping=text)
    before = batches(crm)
    assert set(crm.delete(crm.recordings(3)).values()) == {DONE}
    assert batches(crm) == before
