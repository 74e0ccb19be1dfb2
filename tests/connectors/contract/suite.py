"""What every connector keeps to. A connector's test module inherits `ConnectorContract` and says how to
connect.

The suite speaks through the protocol alone. It makes its own rows, without personal data, and removes them,
so that it can also ask a real test environment whether the emulator tells the truth.
"""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.connector import Connector
from connectors.interface.errors import ConnectorError
from connectors.interface.rows import Among
from rules.model.records import Contact, Dossier, Fiche, Note, Record, Statistic

NEVER = str(uuid.UUID("5b1f0c7e-3d0a-4f11-9f8a-00000000dead"))


class Rows:
    """Rows that a test made; what is left of them is removed at its end, last made first."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self._made: list[tuple[type[Record], str]] = []

    def make(self, record: type[Record], **values: object) -> str:
        row_id = str(uuid.uuid4())
        (result,) = self.connector.change([ChangeSet("make", (self.creation(record, row_id, **values),))])
        assert result.status is ChangeStatus.DONE, result
        return row_id

    def creation(self, record: type[Record], row_id: str, **values: object) -> Operation:
        self._made.append((record, row_id))
        return Operation(OperationKind.CREATE, record, row_id, values=values)

    def find(self, record: type[Record], row_id: str, *fields: str) -> Any:
        """The row, or None."""
        found = [row for page in self.connector.read(record, fields, among=Among("id", [row_id])) for row in page]
        assert len(found) <= 1
        return found[0] if found else None

    def clear(self) -> None:
        for record, row_id in reversed(self._made):
            with suppress(ConnectorError):
                if (row := self.find(record, row_id)) is not None:
                    self.connector.change([ChangeSet("clear", (deletion(record, row),))])


def deletion(record: type[Record], row: Record) -> Operation:
    return Operation(OperationKind.DELETE, record, row.id, row.etag)


def update(record: type[Record], row: Record, **values: object) -> Operation:
    return Operation(OperationKind.UPDATE, record, row.id, row.etag, values)


class ConnectorContract:
    """Inherit it and give the fixture `connector`."""

    @pytest.fixture
    def connector(self) -> Iterator[Connector]:
        raise NotImplementedError

    @pytest.fixture
    def rows(self, connector: Connector) -> Iterator[Rows]:
        made = Rows(connector)
        yield made
        made.clear()

    @staticmethod
    def change(connector: Connector, *operations: Operation) -> ChangeResult:
        (result,) = connector.change([ChangeSet("one", operations)])
        return result

    # -- what it is ------------------------------------------------------------------------------------------

    def test_the_mapping_fits(self, connector: Connector) -> None:
        assert [finding for finding in connector.check() if finding.is_error] == []

    def test_tables_and_kinds_of_record_lead_to_each_other(self, connector: Connector) -> None:
        assert connector.has(Dossier)
        assert connector.records(connector.table(Dossier)) == (Dossier,)
        assert connector.records("no_such_table") == ()

    # -- reading ---------------------------------------------------------------------------------------------

    def test_a_row_that_was_made_is_read_with_its_id_and_version(self, rows: Rows) -> None:
        made = rows.make(Statistic, name="contract", year=2026, count=1)
        found = rows.find(Statistic, made, "name", "year", "outcome")
        assert (found.id, found.name, found.year, found.outcome) == (made, "contract", 2026, None)
        assert found.etag

    def test_a_row_that_is_not_there_is_not_found(self, rows: Rows) -> None:
        assert rows.find(Dossier, NEVER) is None

    def test_rows_are_found_by_a_lookup(self, connector: Connector) -> None:
        fiches = {row.id: row.dossier for page in connector.read(Fiche, ["dossier"]) for row in page}
        dossiers = sorted({dossier for dossier in fiches.values() if dossier})[:3]
        if not dossiers:
            pytest.skip("this environment has no fiche with a dossier")
        found = {
            row.id: row.dossier for page in connector.read(Fiche, ["dossier"], among=Among("dossier", [*dossiers, NEVER])) for row in page
        }
        assert found == {fiche: dossier for fiche, dossier in fiches.items() if dossier in dossiers}

    def test_reading_among_no_ids_asks_nothing(self, connector: Connector) -> None:
        before = connector.stats.requests
        assert list(connector.read(Dossier, ["is_active"], among=Among("id", []))) == []
        assert connector.stats.requests == before

    def test_every_row_is_read_once(self, connector: Connector, rows: Rows) -> None:
        made = {rows.make(Statistic, name="contract", count=1) for _ in range(20)}
        found = [row.id for page in connector.read(Statistic, ["year"]) for row in page]
        assert len(found) == len(set(found))
        assert made <= set(found)

    def test_a_field_that_does_not_exist_is_a_mistake(self, connector: Connector) -> None:
        with pytest.raises(ValueError, match="no_such_field"):
            list(connector.read(Dossier, ["no_such_field"]))

    def test_the_crm_counts_at_least_what_is_read_or_does_not_count(self, connector: Connector) -> None:
        """A count may be a day old: what has come since may lack in it."""
        counts = connector.totals([Fiche, Note])
        assert counts.keys() <= {Fiche, Note}
        before = (datetime.now(UTC) - timedelta(days=2)).date()
        for record, count in counts.items():
            days = [getattr(row, "created_on") for page in connector.read(record, ["created_on"]) for row in page]  # noqa: B009
            assert count >= sum(day is not None and day < before for day in days), record
        assert connector.totals([]) == {}

    # -- writing ---------------------------------------------------------------------------------------------

    def test_no_change_sets_give_no_results(self, connector: Connector) -> None:
        assert connector.change([]) == []

    def test_an_empty_change_set_is_done(self, connector: Connector) -> None:
        assert self.change(connector).status is ChangeStatus.DONE

    def test_an_update_changes_the_row_and_its_version(self, connector: Connector, rows: Rows) -> None:
        made = rows.make(Contact, birth_year=2014)
        before = rows.find(Contact, made, "birth_year")
        assert self.change(connector, update(Contact, before, birth_year=None)).status is ChangeStatus.DONE
        after = rows.find(Contact, made, "birth_year")
        assert (before.birth_year, after.birth_year) == (2014, None)
        assert before.etag != after.etag

    def test_a_write_on_another_version_changes_nothing(self, connector: Connector, rows: Rows) -> None:
        made = rows.make(Contact, birth_year=2014)
        stale = rows.find(Contact, made)
        self.change(connector, update(Contact, stale, birth_year=2015))
        for operation in (update(Contact, stale, birth_year=1900), deletion(Contact, stale)):
            assert self.change(connector, operation).status is ChangeStatus.CHANGED
        assert rows.find(Contact, made, "birth_year").birth_year == 2015

    def test_a_delete_removes_the_row_and_a_second_one_finds_it_gone(self, connector: Connector, rows: Rows) -> None:
        row = rows.find(Statistic, rows.make(Statistic, name="contract", year=2026, count=1))
        assert self.change(connector, deletion(Statistic, row)).status is ChangeStatus.DONE
        assert rows.find(Statistic, row.id) is None
        assert self.change(connector, deletion(Statistic, row)).status is ChangeStatus.CHANGED

    def test_an_update_never_brings_back_what_was_deleted(self, connector: Connector, rows: Rows) -> None:
        row = rows.find(Contact, rows.make(Contact, birth_year=2014))
        self.change(connector, deletion(Contact, row))
        assert self.change(connector, update(Contact, row, birth_year=2013)).status is ChangeStatus.CHANGED
        assert rows.find(Contact, row.id) is None

    def test_a_change_set_happens_whole_or_not_at_all(self, connector: Connector, rows: Rows) -> None:
        first, second = (rows.find(Statistic, rows.make(Statistic, name="contract", year=2026, count=1)) for _ in range(2))
        stale = rows.find(Contact, rows.make(Contact, birth_year=2014))
        self.change(connector, update(Contact, stale, birth_year=2015))
        failed = self.change(connector, deletion(Statistic, first), deletion(Statistic, second), deletion(Contact, stale))
        assert failed.status is ChangeStatus.CHANGED
        assert rows.find(Statistic, first.id) is not None
        assert rows.find(Statistic, second.id) is not None
        assert self.change(connector, deletion(Statistic, first), deletion(Statistic, second)).status is ChangeStatus.DONE
        assert rows.find(Statistic, first.id) is None

    def test_a_create_with_an_id_that_is_taken_makes_nothing(self, connector: Connector, rows: Rows) -> None:
        made = rows.make(Statistic, name="contract", year=2026, count=1)
        again = self.change(connector, rows.creation(Statistic, made, name="contract", year=1999, count=7))
        assert again.status in (ChangeStatus.CHANGED, ChangeStatus.REFUSED)
        assert rows.find(Statistic, made, "year").year == 2026

    def test_a_write_without_a_version_is_a_mistake_before_anything_is_sent(self, connector: Connector) -> None:
        connector.check()  # so that no definition has to be looked up
        before = connector.stats.requests
        for kind in (OperationKind.UPDATE, OperationKind.DELETE):
            for etag in ("", "*"):
                with pytest.raises(ValueError, match="version"):
                    connector.change([ChangeSet("one", (Operation(kind, Dossier, NEVER, etag),))])
        assert connector.stats.requests == before

    def test_results_come_in_the_order_asked_each_with_its_own_fate(self, connector: Connector, rows: Rows) -> None:
        found = [rows.find(Statistic, rows.make(Statistic, name="contract", year=2026, count=1)) for _ in range(30)]
        gone = {row.id for row in found[::7]}
        for row in found[::7]:
            self.change(connector, deletion(Statistic, row))
        results = connector.change([ChangeSet(row.id, (deletion(Statistic, row),)) for row in found])
        assert [result.key for result in results] == [row.id for row in found]
        expected = [ChangeStatus.CHANGED if row.id in gone else ChangeStatus.DONE for row in found]
        assert [result.status for result in results] == expected
