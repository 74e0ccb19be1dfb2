"""The real client against the emulator, over real HTTP: what is loaded is what is read, and change sets
happen whole or not at all."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.dynamics.connector import DynamicsConnector, connect
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import KIND_FIELDS, LOOKUPS, REFERENCE, TRUTHS, Column, Mapping, Table, field_type
from connectors.emulator.serving.server import RunningEmulator, SeedSpec, running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.errors import ReadIncomplete, Throttled
from connectors.interface.rows import Among
from rules.dates.calendar import BELGIAN, BRUSSELS
from rules.model.records import KINDS, Contact, Donation, Dossier, Fiche, Note, Party, Record, Recording, Statistic

DATA = Path(__file__).parents[2] / "data"
SECOND_ENVIRONMENT, SECOND_MAPPING = DATA / "second-environment.yaml", DATA / "second-mapping.yaml"
Rows = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """A small organisation; one category a unit, so that the second organisation can hold it too."""
    seeded = list(SeedSpec(60, 7, date(2026, 11, 25)).rows())
    for _, row in seeded:
        if row.get("cf_categories"):
            row["cf_categories"] = str(row["cf_categories"]).split(",")[0]
    number = "7a9d2f10-3d0a-4f11-9f8a-000d3ab1d001"
    statistic = {"cf_statisticid": number, "cf_name": "rij", "cf_year": 2026, "cf_categorykey": "e_safety", "cf_channel": 100000001}
    return [*seeded, ("cf_statistic", statistic | {"cf_count": 1})]


@pytest.fixture(scope="module")
def shared(rows: Rows) -> Iterator[RunningEmulator]:
    with running() as emulator:
        emulator.load(rows)
        yield emulator


@pytest.fixture
def emulator(rows: Rows) -> Iterator[RunningEmulator]:
    with running() as started:
        started.load(rows)
        yield started


def client(emulator: RunningEmulator, mapping: Path = REFERENCE, **options: Any) -> DynamicsConnector:
    settings: dict[str, Any] = {"mapping_text": mapping.read_text("utf-8"), "mapping_source": mapping.name, "sleep": lambda _: None}
    return connect(url=emulator.url, tokens=StaticToken("t", emulator.url), **(settings | options))


def all_of(connector: DynamicsConnector, record: type[Record]) -> dict[str, dict[str, Any]]:
    """Everything about every row but its version, which is another in each database."""
    fields = [name for name in record.__struct_fields__ if name != "etag"]
    return {row.id: {name: getattr(row, name) for name in fields} for page in connector.read(record, fields) for row in page}


def faults(emulator: RunningEmulator, *what: dict[str, Any]) -> None:
    request = urllib.request.Request(f"{emulator.root}/_emulator/faults", json.dumps(what).encode(), method="PUT")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).close()


def mapping_in(file: Path) -> Mapping:
    return parse_mapping(file.read_text(encoding="utf-8"), file.name)


def test_the_reference_mapping_fits_the_reference_environment(shared: RunningEmulator) -> None:
    with client(shared) as connector:
        assert connector.check() == []
        assert connector.stats.requests < 40


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_row_that_is_loaded_is_read(shared: RunningEmulator, rows: Rows, kind: str) -> None:
    record = KINDS[kind]
    mapping = mapping_in(REFERENCE)
    table = mapping.of(kind)[0]
    words = {mapped.name: mapped.kind for mapped in mapping.tables}
    expected = {}
    for name, row in rows:
        if name == table.name:
            wanted = {field: _meaning(table, column, row.get(column.name)) for field, column in table.columns.items()}
            for field in record.__struct_fields__:
                if field in KIND_FIELDS:
                    pointed = row.get(table.columns[KIND_FIELDS[field]].name)
                    unmapped = pointed[0] if pointed and field == "parent_kind" else None
                    wanted[field] = words.get(pointed[0], unmapped) if pointed else None
            expected[str(next(iter(row.values())))] = wanted
    with client(shared, page_size=50) as connector:
        found = {row_id: {name: row[name] for name in row if name != "id"} for row_id, row in all_of(connector, record).items()}
    assert found.keys() == expected.keys()
    assert len(found) >= 1
    for row_id, wanted in expected.items():
        assert {name: found[row_id][name] for name in wanted} == wanted


def _meaning(table: Table, column: Column, value: Any) -> Any:
    """What a loaded value means, worked out apart from the client's own decoder."""
    kind = field_type(table.record, column.field)
    if kind is tuple:
        assert column.choice is not None
        return tuple(column.choice.keys.get(int(part), part) for part in str(value).split(",")) if value else ()
    if value is None:
        return False if kind is bool else None  # a two-option column without a value shows its default
    if column.choice is not None:
        key = column.choice.keys.get(value)
        return TRUTHS[key] if kind is bool and key else key
    if column.field in LOOKUPS:
        return value[1] if isinstance(value, tuple) else value
    if kind is date:
        return BELGIAN.day(datetime.fromisoformat(value)) if len(value) > 10 else date.fromisoformat(value)
    return value


@pytest.fixture(scope="module")
def second(rows: Rows) -> Iterator[RunningEmulator]:
    with running(environment=SECOND_ENVIRONMENT) as emulator:
        emulator.load(translated(rows))
        yield emulator


def test_a_second_organisation_needs_another_mapping_and_no_code(second: RunningEmulator) -> None:
    with client(second, SECOND_MAPPING) as connector:
        findings = connector.check()
        assert [finding.message for finding in findings if finding.is_error] == []
        assert any("option 17" in finding.message for finding in findings), "an option that is not mapped is told (R-161)"
        assert not connector.has(KINDS["enrolment"])
        assert connector.table(Dossier) == "kt_zaak"
        assert connector.records("kt_melding") == (Fiche,)
        assert connector.records("kt_onbekend") == ()
        assert connector.recording_media_types == ("audio/*", "video/*")


UNRECORDED = {"donation": ("booked_on",), "engagement": ("kind",), "note": ("subject", "text")}  # by the second organisation


def test_the_second_organisation_gives_the_same_records(shared: RunningEmulator, second: RunningEmulator) -> None:
    with client(shared) as here, client(second, SECOND_MAPPING) as there:
        for kind, record in KINDS.items():
            if kind == "enrolment":
                continue
            ours, theirs = all_of(here, record), all_of(there, record)
            if kind == "note":  # the evidence mark on an attachment exists there only
                assert {row.pop("evidence") for row in theirs.values()} == {False}
                assert {row.pop("evidence") for row in ours.values()} == {None}
            for field in UNRECORDED.get(kind, ()):
                assert {row.pop(field) for row in theirs.values()} == {None}
                assert {row.pop(field) for row in ours.values()} != {None}
            assert theirs == ours, kind


def test_the_mapping_of_one_organisation_does_not_fit_another(shared: RunningEmulator) -> None:
    with client(shared, SECOND_MAPPING) as connector:
        errors = [finding for finding in connector.check() if finding.is_error]
        assert any(finding.message == "The CRM has no table kt_zaak (dossier)." for finding in errors)
        assert all(finding.where.startswith("second-mapping.yaml:") for finding in errors)


def translated(rows: Rows) -> Rows:
    """The same facts in the second organisation's tables: columns by field, options by key, days in the
    column's own kind."""
    here, there = (
        mapping_in(REFERENCE),
        mapping_in(SECOND_MAPPING),
    )
    mapped = {here.of(kind)[0].name: there.of(kind)[0].name for kind in KINDS if there.of(kind)}
    names = mapped | {"account": "account", "systemuser": "systemuser"}
    kinds = {"kt_geopend": "day", "kt_leeftijdop": "day", "kt_einde": "day", "kt_geanonimiseerd": "day"}
    found: Rows = []
    for name, row in rows:
        tables = here.named(name)
        if not tables:
            found.extend([(name, {key: row[key] for key in ("accountid", "name")})] if name == "account" else [])
            continue
        kind = tables[0].kind
        if not there.of(kind):
            continue
        source, target = here.of(kind)[0], there.of(kind)[0]
        key = "activityid" if kind in ("call", "email") else f"{target.name}id"
        new: dict[str, Any] = {key: next(iter(row.values())), "statecode": row.get("statecode", 0)}
        if "statuscode" in row:
            new["statuscode"] = row["statuscode"]
        for field, column in target.columns.items():
            if column.choice is not None and field_type(target.record, field) is bool and column.name != "statecode":
                new[column.name] = 0  # a two-option column without a value shows its default; a choice would be empty
            if field in source.columns and row.get(source.columns[field].name) is not None and column.name != "statecode":
                day = kinds.get(column.name) == "day" and not (kind == "engagement" or (kind == "fiche" and field == "anonymised_on"))
                new[column.name] = _translated(source, source.columns[field], column, row[source.columns[field].name], names, day)
        found.append((target.name, new))
    return found


def _translated(source: Table, old: Column, new: Column, value: Any, names: dict[str, str], is_day: bool) -> Any:
    kind = field_type(source.record, old.field)
    if old.field in LOOKUPS:
        return (names[value[0]], value[1]) if isinstance(value, tuple) else value
    if new.choice is not None:
        meaning = _meaning(source, old, value)
        options = {key: option for option, key in new.choice.keys.items()}
        return options[meaning[0] if kind is tuple else ("yes" if meaning else "no") if kind is bool else meaning]
    if kind is date:
        day = _meaning(source, old, value)
        if is_day:
            return day.isoformat()
        if old.field == "created_on":
            return value
        if new.name in ("kt_gesloten", "kt_nagekeken", "kt_moment", "kt_begin"):
            return f"{day}T23:30:00Z"  # independent of any time zone: the Z means nothing
        return datetime(day.year, day.month, day.day, 0, 30, tzinfo=BRUSSELS).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


# -- reading under faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["truncate", "lose_row", "duplicate_row", "cut_before", "cut_after"])
def test_a_fault_that_passes_is_survived(shared: RunningEmulator, kind: str) -> None:
    with client(shared, page_size=20) as connector:
        whole = all_of(connector, Fiche)
        faults(shared, {"match": {"path": "cf_fiches", "nth": 2}, "times": 1, "do": kind})
        assert all_of(connector, Fiche) == whole
        assert connector.stats.retries >= 1
    faults(shared)


@pytest.mark.parametrize("kind", ["truncate", "lose_row", "duplicate_row"])
@pytest.mark.parametrize("page_size", [20, 5000])
def test_a_fault_that_stays_fails_the_read(shared: RunningEmulator, kind: str, page_size: int) -> None:
    with client(shared, page_size=page_size) as connector:
        faults(shared, {"match": {"path": "cf_fiches"}, "times": 1000, "do": kind})
        with pytest.raises(ReadIncomplete):
            all_of(connector, Fiche)
    faults(shared)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_row_lost_from_a_table_beyond_counting_is_found_again(nth: int) -> None:
    with running() as emulator, client(emulator, page_size=2500) as connector:
        emulator.load(("cf_donation", {"cf_donationid": f"7a9d2f10-3d0a-4f11-9f8a-{n:012x}"}) for n in range(5200))
        connector.check()
        faults(emulator, {"match": {"path": "cf_donations", "nth": nth}, "do": "lose_row"})
        assert len(all_of(connector, Donation)) == 5200


def test_throttling_is_waited_out_and_counted(shared: RunningEmulator) -> None:
    naps: list[float] = []
    with client(shared, sleep=naps.append) as connector:
        connector.check()
        faults(shared, {"match": {"path": "cf_dossiers"}, "times": 2, "do": "status", "status": 429, "retry_after": 3})
        assert len(all_of(connector, Dossier)) == 60
        assert naps == [3.0, 3.0]
        assert connector.stats.throttled == 2
        faults(shared, {"match": {"path": "cf_dossiers"}, "times": 9999, "do": "status", "status": 429, "retry_after": 1000})
        with pytest.raises(Throttled):
            all_of(connector, Dossier)
    faults(shared)


def test_among_many_ids(shared: RunningEmulator) -> None:
    with client(shared) as connector:
        whole = all_of(connector, Party)
        found = [row.id for page in connector.read(Party, ["role"], among=Among("id", list(whole))) for row in page]
        assert sorted(found) == sorted(whole)
        dossiers = {row["dossier"] for row in whole.values() if row["dossier"]}
        lone = [row.id for page in connector.read(Party, ["dossier"], among=Among("dossier", sorted(dossiers))) for row in page]
        assert sorted(lone) == sorted(row_id for row_id, row in whole.items() if row["dossier"])


def test_the_crm_counts_for_itself(shared: RunningEmulator) -> None:
    with client(shared) as connector:
        assert connector.totals([Dossier]) == {Dossier: 60}
        assert connector.read_set("cf_dossiers").rows == 60


# -- writing -------------------------------------------------------------------------------------------------


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
        assert [result.failed for result in results[1:4]] == [1, 1, 0]
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


def test_a_column_that_cannot_be_emptied_is_told_before_anything_is_written(tmp_path: Path) -> None:
    """Section 5.3: the techniques are checked against the metadata of the columns."""
    text = (Path(environment_file()).read_text("utf-8")).replace("birthdate: {type: date,", "birthdate: {type: date, required: true,")
    changed = tmp_path / "environment.yaml"
    changed.write_text(text, encoding="utf-8")
    with running(environment=changed) as emulator, client(emulator) as connector:
        errors = [finding.message for finding in connector.check() if finding.is_error]
    assert errors == ["contact.birthdate cannot be masked: null leaves the column empty, and the CRM requires a value."]


def test_a_column_under_column_security_is_refused_unless_it_is_known_to_be_readable(tmp_path: Path) -> None:
    """Who may not read it sees it empty and gets no error: a hold would be overlooked."""
    text = Path(environment_file()).read_text("utf-8")
    secured = tmp_path / "environment.yaml"
    secured.write_text(text.replace("cf_legalhold: {type: bool", "cf_legalhold: {secured: true, type: bool"), encoding="utf-8")
    readable = REFERENCE.read_text("utf-8").replace("    table: cf_dossier\n", "    table: cf_dossier\n    readable: [legal_hold]\n")
    assert secured.read_text("utf-8") != text
    assert readable != REFERENCE.read_text("utf-8")
    with running(environment=secured) as emulator:
        with client(emulator) as connector:
            (error,) = [finding.message for finding in connector.check() if finding.is_error]
        with client(emulator, mapping_text=readable) as connector:
            assert [finding for finding in connector.check() if finding.is_error] == []
    assert error.startswith("cf_dossier.cf_legalhold is secured: it looks empty to who may not read it.")
    assert error.endswith("list legal_hold under readable.")


def environment_file() -> str:
    from importlib.resources import files

    return str(files("connectors.emulator") / "schema" / "environment.yaml")
