"""Change sets happen whole or not at all, and of each one its fate is told."""

from datetime import date
from typing import Any

import msgspec
import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.emulator.serving.server import RunningEmulator
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.rows import Among
from rules.model.records import Contact, Donation, Note, Party, Record, Recording, Statistic
from tests.connectors.dynamics.protocols.organisations import all_of, client, faults


def one(connector: DynamicsConnector, record: type[Record], *fields: str) -> Any:
    return next(row for page in connector.read(record, fields) for row in page)


def delete(row: Record, record: type[Record]) -> Operation:
    return Operation(OperationKind.DELETE, record, row.id, row.etag)


def test_a_change_set_happens_whole(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        recording = one(connector, Recording, "fiche")
        note = one(connector, Note, "regarding")
        contact = one(connector, Contact, "birth_on")
        new = "7a9d2f10-3d0a-4f11-9f8a-000d3ab1d002"
        emptied = dict.fromkeys(("national_number", "birth_on", "birth_year", "birth_month", "stated_age", "stated_on", "description"))
        emptied |= {"birth_place": None, "image": None}
        values = {"name": "rij", "year": 2026, "category": "e_safety", "channel": "chat", "count": 1}
        operations = (
            Operation(OperationKind.UPDATE, Recording, recording.id, recording.etag, {"fiche": None}),
            Operation(OperationKind.UPDATE, Contact, contact.id, contact.etag, emptied | {"anonymised_on": date(2026, 3, 1)}),
            Operation(OperationKind.CREATE, Statistic, new, values=values),
            delete(note, Note),
        )
        (result,) = connector.change([ChangeSet("a", operations)])
        assert (result.status, result.key) == (ChangeStatus.DONE, "a")
        assert all_of(connector, Recording)[recording.id]["fiche"] is None
        trimmed = all_of(connector, Contact)[contact.id]
        assert {trimmed[name] for name in emptied} == {None}
        assert trimmed["anonymised_on"] == date(2026, 3, 1)
        written = all_of(connector, Statistic)[new]
        assert {name: written[name] for name in values} == values
        assert note.id not in all_of(connector, Note)


def test_each_change_set_has_its_own_fate(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        notes = [row for page in connector.read(Note, ["regarding"]) for row in page][:3]
        donation = one(connector, Donation, "contact")
        donors = {row.id: row for page in connector.read(Contact, [], among=Among("id", [donation.contact])) for row in page}
        stale = msgspec.structs.replace(notes[1], etag='W/"1"')
        sets = [
            ChangeSet("done", (delete(notes[0], Note),)),
            ChangeSet("stale", (delete(notes[2], Note), delete(stale, Note))),
            ChangeSet("restricted", (delete(notes[1], Note), delete(donors[donation.contact], Contact))),
            ChangeSet("gone", (Operation(OperationKind.DELETE, Note, "7a9d2f10-3d0a-4f11-9f8a-000d3ab1d00f", 'W/"1"'),)),
            ChangeSet("empty", ()),
            ChangeSet("also done", (delete(notes[1], Note),)),
        ]
        results = connector.change(sets)
        assert [result.key for result in results] == [one.key for one in sets]
        expected = [
            ChangeStatus.DONE,
            ChangeStatus.CHANGED,
            ChangeStatus.REFUSED,
            ChangeStatus.CHANGED,
            ChangeStatus.DONE,
            ChangeStatus.DONE,
        ]
        assert [result.status for result in results] == expected
        assert results[2].service_code == "0x80040227"
        left = all_of(connector, Note)
        assert notes[2].id in left
        assert notes[0].id not in left
        assert notes[1].id not in left


def test_a_create_that_is_repeated_makes_no_second_row(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        create = Operation(OperationKind.CREATE, Statistic, "7a9d2f10-3d0a-4f11-9f8a-000d3ab1d003", values={"year": 2026, "count": 1})
        first, second = connector.change([ChangeSet("a", (create,))]) + connector.change([ChangeSet("a", (create,))])
        assert (first.status, second.status) == (ChangeStatus.DONE, ChangeStatus.CHANGED)


def test_an_update_of_a_row_that_is_gone_never_brings_it_back(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        note = one(connector, Note, "media_type")
        connector.change([ChangeSet("a", (delete(note, Note),))])
        update = Operation(OperationKind.UPDATE, Note, note.id, note.etag, {"media_type": "text/plain"})
        (result,) = connector.change([ChangeSet("b", (update,))])
        assert result.status is ChangeStatus.CHANGED
        assert note.id not in all_of(connector, Note)


@pytest.mark.parametrize(("fault", "has_happened"), [("cut_before", False), ("cut_after", True)])
def test_a_lost_answer_is_unknown(emulator: RunningEmulator, fault: str, has_happened: bool) -> None:
    with client(emulator) as connector:
        note = one(connector, Note, "regarding")
        faults(emulator, {"match": {"path": "$batch"}, "times": 1, "do": fault})
        (result,) = connector.change([ChangeSet("a", (delete(note, Note),))])
        assert result.status is ChangeStatus.UNKNOWN
        assert (note.id not in all_of(connector, Note)) is has_happened


def test_a_throttled_batch_is_sent_again(emulator: RunningEmulator) -> None:
    naps: list[float] = []
    with client(emulator, sleep=naps.append) as connector:
        note = one(connector, Note, "regarding")
        faults(emulator, {"match": {"path": "$batch"}, "times": 2, "do": "status", "status": 429, "retry_after": 4})
        (result,) = connector.change([ChangeSet("a", (delete(note, Note),))])
        assert result.status is ChangeStatus.DONE
        assert naps == [4.0, 4.0]


def test_many_change_sets_go_in_few_batches(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        parties = [row for page in connector.read(Party, ["role"]) for row in page][:150]
        results = connector.change([ChangeSet(party.id, (delete(party, Party),)) for party in parties])
        assert {result.status for result in results} == {ChangeStatus.DONE}
        assert [result.key for result in results] == [party.id for party in parties]
        assert emulator.stats()["batches"] == 2
