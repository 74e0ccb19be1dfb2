"""RetrieveTotalRecordCount: of this moment, or a snapshot that lags behind."""

from __future__ import annotations

import pytest

from tests.connectors.emulator.client import Client

pytestmark = pytest.mark.row(46)


def counts(crm: Client, *tables: str) -> list[int]:
    names = ",".join(f"'{table}'" for table in tables)
    collection = crm.row(f"RetrieveTotalRecordCount(EntityNames=[{names}])")["EntityRecordCountCollection"]
    assert (collection["Count"], collection["Keys"]) == (len(tables), list(tables))
    found: list[int] = collection["Values"]
    return found


def test_the_figure_is_that_of_the_moment(crm: Client) -> None:
    crm.fiche()
    assert counts(crm, "cf_fiche", "cf_dossier") == [1, 0]
    crm.dossier()
    assert counts(crm, "cf_fiche", "cf_dossier") == [1, 1]


def test_a_stale_figure_stays_for_a_day(crm: Client) -> None:
    crm.control("PUT", "switches", {"stale_counts": True})
    crm.fiche()
    assert counts(crm, "cf_fiche") == [1]
    crm.fiche()
    assert counts(crm, "cf_fiche", "cf_dossier") == [1, 0]
    crm.control("PUT", "clock", {"advance_s": 86_000})
    assert counts(crm, "cf_fiche") == [1]
    crm.control("PUT", "clock", {"advance_s": 500})
    assert counts(crm, "cf_fiche") == [2]
    assert len(crm.rows("cf_fiches")) == 2


def test_a_reset_takes_a_new_snapshot(crm: Client) -> None:
    crm.control("PUT", "switches", {"stale_counts": True})
    crm.fiche()
    assert counts(crm, "cf_fiche") == [1]
    crm.control("POST", "reset", {"empty": True})
    assert counts(crm, "cf_fiche") == [0]


def test_a_table_that_does_not_exist_has_no_count(crm: Client) -> None:
    assert crm.get("RetrieveTotalRecordCount(EntityNames=['cf_nothing'])").status_code == 400
    assert crm.get("RetrieveTotalRecordCount(EntityNames=@p)").status_code == 400
