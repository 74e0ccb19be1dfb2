"""Reading by changes gives the rows of a full read, always; where that is in doubt it is a full read."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from connectors.dynamics.memory.incremental import RememberingReader
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.page_values import Page
from connectors.dynamics.writing.pool import Pool
from connectors.emulator.schema.environment_file import DEFAULT_ENVIRONMENT
from connectors.emulator.serving.server import running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.id_numbers import as_texts
from rules.model.records import Contact, Dossier, Fiche, Note
from tests.connectors.dynamics.memory.organisation import FIELDS, NOW, Organisation
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is read, not how it comes


def test_what_did_not_change_is_not_fetched_again_and_is_there(organisation: Organisation) -> None:
    """A row becomes due by time alone, so those that did not change matter as much."""
    organisation.load("cf_dossier", "cf_dossierid", 130)
    first = organisation.read(Dossier)
    assert (organisation.fetched, organisation.remembered) == (130, 0)
    assert organisation.read(Dossier) == first == organisation.read(Dossier, full=True)
    organisation.read(Dossier)
    assert (organisation.fetched, organisation.remembered) == (0, 130)


def test_changes_additions_and_deletions_are_seen(organisation: Organisation) -> None:
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    organisation.patch(f"cf_dossiers({ids[3]})", cf_legalhold=True)
    organisation.delete(f"cf_dossiers({ids[4]})")
    organisation.post("cf_dossiers", cf_name="nieuw")
    found = organisation.read(Dossier)
    assert found == organisation.read(Dossier, full=True)
    assert found[ids[3]][0] is True
    assert ids[4] not in found
    assert organisation.read(Dossier) == found


def test_a_row_that_goes_by_a_cascade_and_one_whose_link_is_cleared_are_seen(organisation: Organisation) -> None:
    (dossier,) = organisation.load("cf_dossier", "cf_dossierid", 1)
    organisation.load("cf_fiche", "cf_ficheid", 5, cf_dossierid=dossier)
    organisation.read(Fiche)
    organisation.delete(f"cf_dossiers({dossier})")
    assert organisation.read(Fiche) == organisation.read(Fiche, full=True)


@pytest.mark.parametrize("seed", range(6))
def test_any_series_of_nights_gives_what_full_reads_give(organisation: Organisation, seed: int) -> None:
    chance = Random(seed)
    alive = organisation.load("contact", "contactid", 40, lastname="Maes (fictief)")
    organisation.read(Contact)
    for _ in range(8):
        for _ in range(chance.randrange(12)):
            kind = chance.choice(["create", "change", "change", "delete", "again"])
            if kind == "create" or not alive:
                alive.append(str(uuid.UUID(int=chance.getrandbits(128), version=4)))
                organisation.post("contacts", contactid=alive[-1], lastname="Maes (fictief)")
            elif kind == "change":
                organisation.patch(f"contacts({chance.choice(alive)})", cf_birthyear=chance.randrange(2000, 2020))
            else:
                gone = alive.pop(chance.randrange(len(alive)))
                organisation.delete(f"contacts({gone})")
                if kind == "again":
                    organisation.post("contacts", contactid=gone, lastname="Maes (fictief)")
                    alive.append(gone)
        if chance.random() < 0.2:
            organisation.now += timedelta(days=8)
        assert organisation.read(Contact) == organisation.read(Contact, full=True)


def _expire(organisation: Organisation) -> None:
    organisation.http.put(f"{organisation.emulator.root}/_emulator/clock", json={"advance_s": 8 * 86400})


def _reset(organisation: Organisation) -> None:
    """Another organisation under the same address: no tombstone tells that the old rows are gone."""
    organisation.emulator.emulator.reset(empty=True)
    organisation.load("cf_dossier", "cf_dossierid", 60)


@pytest.mark.parametrize("status", [400, 410])
def test_an_expired_link_leads_to_a_full_read(organisation: Organisation, status: int) -> None:
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.switch(expired_delta_status=status)
    organisation.read(Dossier)
    organisation.patch(f"cf_dossiers({ids[0]})", cf_legalhold=True)
    _expire(organisation)
    assert organisation.read(Dossier) == organisation.read(Dossier, full=True)
    organisation.read(Dossier)
    assert organisation.remembered == 60, "the full read gave a new link"


def test_a_link_that_answers_with_all_rows_as_new_loses_nothing_and_doubles_nothing(organisation: Organisation) -> None:
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.switch(expired_delta_full=True)
    organisation.read(Dossier)
    organisation.delete(f"cf_dossiers({ids[0]})")
    _expire(organisation)
    assert organisation.read(Dossier) == organisation.read(Dossier, full=True)


def test_another_organisation_under_the_same_address_is_not_mixed_with_the_first(organisation: Organisation) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    _reset(organisation)
    assert organisation.read(Dossier) == organisation.read(Dossier, full=True)


def test_after_a_week_the_whole_table_is_read_in_any_case(organisation: Organisation) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    organisation.now += timedelta(days=6)
    organisation.read(Dossier)
    assert organisation.fetched == 0
    organisation.now += timedelta(days=1)
    organisation.read(Dossier)
    assert organisation.fetched == 60


@pytest.mark.parametrize(
    ("late", "fetched"),
    [(timedelta(hours=-1, minutes=-5), 60), (timedelta(minutes=-1), 60), (timedelta(minutes=1), 60), (-timedelta(days=1), 0)],
)
def test_the_seventh_night_reads_in_full_also_where_it_comes_a_little_earlier(
    organisation: Organisation, late: timedelta, fetched: int
) -> None:
    """Nights begin by the clock of the wall, which summer time moves, and come to a table sooner or later."""
    organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    organisation.now += timedelta(days=7) + late
    organisation.read(Dossier)
    assert organisation.fetched == fetched


def test_a_read_that_is_not_finished_is_not_remembered(organisation: Organisation) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 5200)
    with organisation.connector(organisation.memory, page_size=1000) as connector:
        next(iter(connector.columns(Dossier, FIELDS[Dossier])))
    organisation.read(Dossier)
    assert organisation.remembered == 0


def test_what_we_erase_or_empty_is_not_kept(organisation: Organisation) -> None:
    gone, emptied, kept = organisation.load("contact", "contactid", 3, lastname="Claes (fictief)", cf_birthyear=2014)
    organisation.read(Contact)
    with organisation.connector(organisation.memory) as connector:
        rows = {row.id: row for page in connector.read(Contact, FIELDS[Contact]) for row in page}
        operations = (
            Operation(OperationKind.DELETE, Contact, gone, rows[gone].etag),
            Operation(OperationKind.UPDATE, Contact, emptied, rows[emptied].etag, {"birth_year": None}),
        )
        (result,) = connector.change([ChangeSet("a", operations)])
        assert result.status is ChangeStatus.DONE
    (place,) = organisation.memory.folder.iterdir()
    found = organisation.memory.load(place)
    assert found is not None
    assert [each for chunk in found.chunks() for each in as_texts(chunk.rows())["id"]] == [kept]
    assert organisation.read(Contact) == organisation.read(Contact, full=True)
    assert organisation.remembered + organisation.fetched > 0


def test_a_table_without_change_tracking_is_read_in_full(organisation: Organisation) -> None:
    with organisation.connector(organisation.memory) as connector:
        list(connector.columns(Note, ("regarding", "regarding_kind")))
    assert not organisation.memory.folder.exists() or not [
        p for p in organisation.memory.folder.iterdir() if p.name.startswith("annotation")
    ]


# -- doubt is a full read ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "remembered"), [(timedelta(minutes=-59), 60), (timedelta(days=-1), 0), (timedelta(days=-400), 0)])
def test_a_clock_that_was_set_back_makes_no_memory_young(organisation: Organisation, step: timedelta, remembered: int) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    organisation.now += step
    organisation.read(Dossier)
    assert organisation.remembered == remembered


def test_rows_that_are_not_in_the_columns_of_now_are_read_anew(organisation: Organisation) -> None:
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    first = organisation.read(Dossier)
    (place,) = organisation.memory.folder.iterdir()
    old = organisation.memory.load(place)
    assert old is not None
    with organisation.memory.writing(place) as draft:
        draft.add(pl.DataFrame({"id": ids, "etag": ['W/"1"'] * 60, "cf_dossierid": [7] * 60}))
        draft.finish(old.worth.link, old.worth.full_at)
    assert organisation.read(Dossier) == first
    assert organisation.fetched == 60


def test_a_memory_that_another_process_replaces_while_it_is_read_is_read_anew(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 60)
    first = organisation.read(Dossier)
    agrees = RememberingReader._number_agrees

    def meanwhile(reader: RememberingReader[Any], number: int) -> bool:
        monkeypatch.undo()
        assert organisation.read(Dossier) == first  # the other process
        return agrees(reader, number)

    monkeypatch.setattr(RememberingReader, "_number_agrees", meanwhile)
    assert organisation.read(Dossier) == first
    assert organisation.fetched == 60


def test_a_kind_that_was_not_asked_for_before_is_another_memory(organisation: Organisation) -> None:
    """The same column, with and without the table that its lookup points to."""
    organisation.load("contact", "contactid", 3, parentcustomerid=None)
    with organisation.connector(organisation.memory) as connector:
        list(connector.columns(Contact, ("parent",)))
        list(connector.columns(Contact, ("parent", "parent_kind")))
    assert len(list(organisation.memory.folder.iterdir())) == 2


def test_a_table_whose_changes_are_not_tracked_any_more_is_forgotten(organisation: Organisation) -> None:
    """What changes until it is tracked again, no delta link would tell."""
    with organisation.memory.writing(organisation.memory.place("annotation", "another mapping")) as draft:
        draft.finish("link of then", NOW)
    with organisation.connector(organisation.memory) as connector:
        list(connector.columns(Note, ("regarding", "regarding_kind")))
    assert list(organisation.memory.folder.iterdir()) == []


def test_a_table_that_refuses_to_be_tracked_is_read_in_full(organisation: Organisation) -> None:
    """Although its definition says otherwise."""
    organisation.load("cf_dossier", "cf_dossierid", 60)
    expected = organisation.read(Dossier, full=True)
    definition = organisation.emulator.emulator.tables.environment.tables["cf_dossier"]
    object.__setattr__(definition, "change_tracking", False)  # the definitions that are told are made once
    try:
        assert organisation.read(Dossier) == expected
    finally:
        object.__setattr__(definition, "change_tracking", True)
    assert list(organisation.memory.folder.iterdir()) == []


def test_a_crm_that_counts_no_rows_where_changes_are_asked_for_is_read_without(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 60)
    expected = organisation.read(Dossier, full=True)
    decode = PageDecoder.decode

    def without_count(decoder: PageDecoder[Any], body: bytes) -> Page[Any]:
        page = decode(decoder, body)
        return replace(page, count=None) if page.delta_link else page

    monkeypatch.setattr(PageDecoder, "decode", without_count)
    assert organisation.read(Dossier) == expected


@pytest.mark.parametrize("do", ["cut_after", "raise"])
def test_a_table_in_which_something_may_have_been_erased_is_forgotten(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    gone, _ = organisation.load("contact", "contactid", 2, lastname="Claes (fictief)", cf_birthyear=2014)
    etag = organisation.read(Contact)[gone][-1]
    with organisation.connector(organisation.memory) as connector:
        change = [ChangeSet("a", (Operation(OperationKind.DELETE, Contact, gone, etag),))]
        if do == "raise":
            monkeypatch.setattr(Pool, "send", interrupted)
            with pytest.raises(KeyboardInterrupt):
                connector.change(change)
        else:
            organisation.fault(match={"path": "$batch"}, do="cut_after", times=1)
            assert [result.status for result in connector.change(change)] == [ChangeStatus.UNKNOWN]
    assert list(organisation.memory.folder.iterdir()) == []
    assert organisation.read(Contact) == organisation.read(Contact, full=True)


def interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_without_being_told_that_it_may_nothing_is_read_from_memory(organisation: Organisation) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    with organisation.connector(organisation.memory) as connector:
        assert sum(len(page) for page in connector.read(Dossier, FIELDS[Dossier])) == 60
        assert (connector.stats.remembered, connector.stats.rows) == (0, 60)


def test_what_the_crm_works_out_is_read_each_night(tmp_path: Path) -> None:
    """RET-17: a hold that follows from another row comes and goes without a change of its own row, and no
    delta link tells it."""
    environment = read_yaml(DEFAULT_ENVIRONMENT)
    environment["tables"]["cf_dossier"]["columns"]["cf_legalhold"]["read_only"] = True
    environment["tables"]["cf_fiche"]["columns"]["cf_summary"]["read_only"] = True  # of which no plan reads
    (tmp_path / "e.yaml").write_text(yaml_text(environment), encoding="utf-8")
    with running(environment=tmp_path / "e.yaml") as emulator, KNOWN.of(emulator, "t"):
        organisation = Organisation(emulator, tmp_path / "memory")
        for table in ("cf_dossier", "cf_fiche"):
            organisation.load(table, f"{table}id", 60)
        for record, fetched in ((Dossier, 60), (Fiche, 0)):
            organisation.read(record)
            organisation.read(record)
            assert (organisation.fetched, organisation.remembered) == (fetched, 60 - fetched)
        with organisation.connector() as connector:
            (told,) = [each.reason for each in connector.capabilities() if each.name == "change tracking"]
        assert "cf_dossier" in told
        assert "cf_fiche" not in told
        organisation.http.close()
