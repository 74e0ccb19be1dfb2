"""What the CRM itself would delete along with units that go, as a reviewer is told."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from connectors.interface.connector import Connector
from connectors.interface.remains import DependentRow, RowKey
from jobs.plans.cascade_preview import cascade_counts_among


@pytest.mark.parametrize("at_once", [1, 10])
def test_a_row_that_hangs_on_several_counts_once(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """However the rows are shared out that are asked about; what stays behind is not counted."""
    monkeypatch.setattr("jobs.plans.cascade_preview._AT_ONCE", at_once)

    def dependent_rows(rows: Collection[RowKey]) -> list[DependentRow]:
        on_each = [(("task", "of both"), True), (("cf_review", "stays"), False)]
        return [DependentRow(row, on, cascades=goes) for on in rows for row, goes in (*on_each, (("task", f"of {on[1]}"), True))]

    crm = cast(Connector, SimpleNamespace(depended_on=set, dependent_rows=dependent_rows))
    assert cascade_counts_among(crm, {"cf_dossier": ["one", "more"], "cf_fiche": ["two"]}) == {"task": 4}


def test_no_id_is_made_of_a_table_on_whose_rows_nothing_depends() -> None:
    def ids() -> Iterator[str]:
        raise AssertionError("nobody has to know these")
        yield

    def dependent_rows(rows: Collection[RowKey]) -> list[DependentRow]:
        return [DependentRow(("task", "one"), on, cascades=True) for on in rows]

    crm = cast(Connector, SimpleNamespace(depended_on=lambda tables: set(tables) & {"cf_fiche"}, dependent_rows=dependent_rows))
    assert cascade_counts_among(crm, {"cf_dossier": ids(), "cf_fiche": iter(["two"])}) == {"task": 1}
