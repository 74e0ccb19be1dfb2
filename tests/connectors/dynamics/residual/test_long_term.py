"""Long-term retention is looked at as cheaply as can be, and what cannot be told is never "nothing there"
(section 6.4)."""

from collections.abc import Iterator

import pytest

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.residual import long_term
from connectors.dynamics.schema import unmapped_tables
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable
from connectors.emulator.querying.fetchxml import answer
from connectors.interface.errors import ConnectorError, ReadIncomplete
from rules.model.records import Contact, Dossier, Fiche, Party
from tests.connectors.dynamics.connected import Connected, connected

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

ASKED = (Contact, Dossier, Fiche, Party)
THERE = '*datasource="retained"*'


class Crm(Connected):
    def retain(self, row: str, table: str = "cf_fiche") -> str:
        target = {"Target": {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", f"{table}id": row}}
        assert self.send("POST", "Retain", target).status_code == 200
        return row

    def roll_back(self, fiche: str) -> None:
        target = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.cf_fiche", "cf_ficheid": fiche}}
        assert self.send("POST", "RollbackRetain", target).status_code in (200, 204)

    def requests(self) -> int:
        return self.connector.stats.requests


@pytest.fixture
def crm() -> Iterator[Crm]:
    with connected(Crm) as client:
        yield client


def test_a_crm_without_it_costs_one_question(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_term, "RETENTION_POLICY", "cf_nothing")
    for _ in range(3):
        assert crm.connector.retaining(ASKED) == frozenset()
        assert crm.connector.retained_rows() == {}
    assert crm.requests() == 1


def test_tables_that_are_not_enabled_are_looked_into_once(crm: Crm) -> None:
    assert crm.connector.retaining(ASKED) == frozenset()
    before = crm.requests()
    assert crm.connector.retaining(ASKED) == frozenset()
    assert crm.requests() == before + 1, "whether a table is enabled by now"


def test_a_table_that_was_enabled_meanwhile_is_known(crm: Crm) -> None:
    assert crm.connector.retaining(ASKED) == frozenset()
    crm.retain(crm.fiche())
    assert crm.connector.retaining(ASKED) == {Fiche}
    assert crm.connector.retained_rows() == {"cf_fiche": 1}


def test_rows_of_before_are_known_although_the_table_is_not_enabled_any_more(crm: Crm) -> None:
    crm.retain(crm.fiche())
    crm.emulator.emulator.tables.environment.retaining.clear()
    assert crm.connector.retaining(ASKED) == {Fiche}


def test_rows_are_counted_without_a_sum_over_all_pages(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmapped_tables, "PAGE", 3)
    for _ in range(7):
        crm.retain(crm.fiche())
    crm.faults({"match": {"path": "*aggregate*"}, "do": "status", "status": 400})
    assert crm.connector.retained_rows() == {"cf_fiche": 7}


def test_all_that_would_go_along_with_rows_there_is_told_however_much_it_is(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmapped_tables, "PAGE", 3)
    fiche = crm.fiche()
    notes = {crm.create("annotations", **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"}) for _ in range(7)}
    for note in notes:
        crm.retain(note, "annotation")
    found = crm.connector.retained_dependent_rows([("cf_fiche", crm.retain(fiche))])
    assert {each.row for each in found} == {("annotation", note) for note in notes}


def test_more_rows_there_than_a_page_number_leads_to_are_read(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmapped_tables, "PAGE", 3)
    monkeypatch.setattr(answer, "MAX_SIMPLE_PAGING", 6)
    for _ in range(10):
        crm.retain(crm.fiche())
    assert crm.connector.retained_rows() == {"cf_fiche": 10}


def test_a_row_that_goes_while_pages_are_read_takes_none_behind_it_out_of_sight(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmapped_tables, "PAGE", 3)
    fiches = sorted(crm.retain(crm.fiche()) for _ in range(7))
    table = KnownTable("cf_fiche", "cf_fiches", "cf_ficheid", audited=False)
    with Transport(Environment(crm.emulator.url), StaticToken("any", crm.emulator.url)) as transport:
        rows = Directory(transport).rows_in_source(table, "retained", (), "cf_ficheid", None)
        seen = {next(rows)["cf_ficheid"]}
        crm.roll_back(min(seen))
        assert seen | {row["cf_ficheid"] for row in rows} == set(fiches)


@pytest.mark.parametrize("status", [403, 500])
def test_what_cannot_be_told_is_no_empty_answer(crm: Crm, status: int) -> None:
    crm.faults({"match": {"path": THERE}, "do": "status", "status": status})
    with pytest.raises(ConnectorError):
        crm.connector.retained_rows()


def test_an_enabled_table_that_refuses_is_no_empty_answer(crm: Crm) -> None:
    crm.retain(crm.fiche())
    crm.faults({"match": {"path": THERE}, "do": "status", "status": 400})
    with pytest.raises(ReadIncomplete):
        crm.connector.retained_rows()


def test_a_table_that_has_no_such_source_has_no_rows_there(crm: Crm) -> None:
    crm.faults({"match": {"path": THERE}, "do": "status", "status": 400})
    assert crm.connector.retained_rows() == {}
