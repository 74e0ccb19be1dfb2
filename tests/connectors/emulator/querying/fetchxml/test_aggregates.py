"""Aggregates and groups of FetchXML."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.connectors.emulator.fetches import LABEL, found
from tests.web_api import ANNOTATED

pytestmark = pytest.mark.row(45)


def aggregated(crm: Client, inside: str, table: str = "cf_dossier", headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    xml = f"<fetch aggregate='true'><entity name='{table}'>{inside}</entity></fetch>"
    rows: list[dict[str, Any]] = found(crm, table + "s", xml, headers)["value"]
    return rows


def test_groups_are_counted_and_ordered_by_alias(crm: Client) -> None:
    for reference in ("a", "b", "b", None):
        crm.dossier(cf_courtreference=reference)
    inside = (
        "<attribute name='cf_courtreference' alias='ref' groupby='true' /><attribute name='cf_dossierid' alias='n' aggregate='count' />"
    )
    rows = aggregated(crm, inside + "<order alias='n' descending='true' /><order alias='ref' />")
    assert rows == [{"ref": "b", "n": 2}, {"n": 1}, {"ref": "a", "n": 1}]


def test_dates_are_grouped_by_their_parts(crm: Client) -> None:
    for moment in ("2020-01-01T00:00:00Z", "2020-01-05T00:00:00Z", "2021-12-31T00:00:00Z"):
        crm.dossier(cf_openedon=moment)

    def parts(kind: str) -> list[tuple[int, int]]:
        inside = f"<attribute name='cf_openedon' alias='part' groupby='true' dategrouping='{kind}' />"
        inside += "<attribute name='cf_dossierid' alias='n' aggregate='count' /><order alias='part' />"
        return [(row["part"], row["n"]) for row in aggregated(crm, inside)]

    assert parts("year") == [(2020, 2), (2021, 1)]
    assert parts("quarter") == [(1, 2), (4, 1)]
    assert parts("month") == [(1, 2), (12, 1)]
    assert parts("week") == [(1, 1), (2, 1), (53, 1)]
    assert parts("day") == [(1, 1), (5, 1), (31, 1)]


def test_a_linked_column_can_be_grouped_by_with_its_label(crm: Client) -> None:
    crm.fiche(crm.dossier(cf_outcome=100000002))
    link = "<link-entity name='cf_dossier' from='cf_dossierid' to='cf_dossierid'>"
    link += "<attribute name='cf_outcome' alias='end' groupby='true' /></link-entity>"
    rows = aggregated(crm, "<attribute name='cf_ficheid' alias='n' aggregate='count' />" + link, "cf_fiche", ANNOTATED)
    assert rows == [{"n" + LABEL: "1", "n": 1, "end" + LABEL: "Teruggekeerd", "end": 100000002}]
