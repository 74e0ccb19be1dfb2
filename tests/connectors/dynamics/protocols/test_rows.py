"""What is loaded is what is read, of one organisation and of another, and whatever the network does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import KIND_FIELDS, REFERENCE, TRUTHS, Column, Mapping, Table, field_type
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import ReadIncomplete, Throttled
from connectors.interface.rows import Among
from rules.dates.calendar import BELGIAN, BRUSSELS
from rules.model.kinds import LOOKUPS
from rules.model.records import KINDS, Donation, Dossier, Fiche, Party
from tests.connectors.dynamics.protocols.organisations import Rows, all_of, client, faults

DATA = Path(__file__).parents[3] / "data"
SECOND_ENVIRONMENT, SECOND_MAPPING = DATA / "second-environment.yaml", DATA / "second-mapping.yaml"


def mapping_in(file: Path) -> Mapping:
    return parse_mapping(file.read_text(encoding="utf-8"), file.name)


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


def test_rows_are_found_by_a_field_that_is_not_read_of_them(shared: RunningEmulator) -> None:
    """Whether they are the wanted ones their own values do not tell."""
    with client(shared) as connector:
        whole = all_of(connector, Party)
        dossier = next(row["dossier"] for row in whole.values() if row["dossier"])
        found = [row.id for page in connector.read(Party, ["role"], among=Among("dossier", [dossier])) for row in page]
        assert sorted(found) == sorted(row_id for row_id, row in whole.items() if row["dossier"] == dossier)


@pytest.mark.parametrize("field", ["id", "dossier"])
def test_an_answer_to_another_question_is_refused(shared: RunningEmulator, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """As a cache gives it that looks at a part of the address; else what was asked for would seem to be
    gone."""
    with client(shared) as connector:
        first, second = sorted({str(row[field]) for row in all_of(connector, Party).values() if row[field]})[:2]
        get = Transport.get
        monkeypatch.setattr(Transport, "get", lambda crm, address, **options: get(crm, address.replace(first, second), **options))
        with pytest.raises(ReadIncomplete, match="not asked for"):
            list(connector.read(Party, ["dossier"], among=Among(field, [first])))


def test_a_row_that_has_nothing_where_it_was_asked_for_is_refused(shared: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with client(shared) as connector:
        first = next(row["dossier"] for row in all_of(connector, Party).values() if row["dossier"])
        get = Transport.get
        monkeypatch.setattr(Transport, "get", lambda crm, address, **options: get(crm, address.replace(first, "null"), **options))
        with pytest.raises(ReadIncomplete, match="not asked for"):
            list(connector.read(Party, ["dossier"], among=Among("dossier", [first])))


def test_the_crm_counts_for_itself(shared: RunningEmulator) -> None:
    with client(shared) as connector:
        assert connector.totals([Dossier]) == {Dossier: 60}
        assert connector.read_set("cf_dossiers").rows == 60
