"""Pages: their size, the link to the next, and rows that come and go between them."""

from __future__ import annotations

import re
import uuid
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connectors.emulator.client import Client, error_of

SMALL = {"Prefer": "odata.maxpagesize=2"}


def fill(crm: Client, number: int, **columns: Any) -> list[str]:
    ids = [str(uuid.uuid4()) for _ in range(number)]
    crm.emulator.load(("cf_dossier", {"cf_dossierid": row, "cf_name": f"D-{n}", **columns}) for n, row in enumerate(ids))
    return ids


def pages(crm: Client, path: str, headers: dict[str, str]) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    link: str | None = path
    while link:
        document = crm.row(link, headers)
        found.append(document["value"])
        link = document.get("@odata.nextLink")
    return found


@pytest.mark.row(14)
@pytest.mark.parametrize("preference", ["", "odata.maxpagesize=9999", "odata.maxpagesize=0"])
def test_a_page_has_five_thousand_rows_at_most(crm: Client, preference: str) -> None:
    fill(crm, 5003)
    sizes = [len(page) for page in pages(crm, "cf_dossiers?$select=cf_name", {"Prefer": preference})]
    assert sizes == [5000, 3]


@pytest.mark.row(14)
def test_the_page_size_is_echoed_and_the_last_page_has_no_link(crm: Client) -> None:
    ids = fill(crm, 4)
    answer = crm.get("cf_dossiers?$select=cf_name", SMALL)
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=2"
    found = pages(crm, "cf_dossiers?$select=cf_name", SMALL)
    assert [len(page) for page in found] == [2, 2]
    assert sorted(row["cf_dossierid"] for page in found for row in page) == sorted(ids)


@pytest.mark.row(14)
def test_a_link_followed_without_the_preference_gives_a_full_page(crm: Client) -> None:
    fill(crm, 9)
    link = crm.row("cf_dossiers?$select=cf_name", SMALL)["@odata.nextLink"]
    assert len(crm.rows(link)) == 7


def test_the_link_has_the_services_shape(crm: Client) -> None:
    """Section 3.6, character by character."""
    ids = sorted(fill(crm, 3))
    link = crm.row("cf_dossiers?$select=cf_name&$filter=statecode eq 0", SMALL)["@odata.nextLink"]
    head, _, token = link.partition("&$skiptoken=")
    assert head in (
        f"{crm.url}cf_dossiers?$select=cf_name&$filter=statecode%20eq%200",
        f"{crm.url}cf_dossiers?$select=cf_name&$filter=statecode+eq+0",
    )
    first, last = ids[0].upper(), ids[1].upper()
    assert token == (
        "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253ccf_dossierid%2520last%253d%2522%257b"
        f"{last}%257d%2522%2520first%253d%2522%257b{first}%257d%2522%2520%252f%253e%253c%252fcookie%253e%22%20istracking=%22False%22%20/%3E"
    )
    inner = unquote(re.search('pagingcookie="([^"]*)"', unquote(token)).group(1))  # type: ignore[union-attr]
    assert inner == f'<cookie page="1"><cf_dossierid last="{{{last}}}" first="{{{first}}}" /></cookie>'


def test_order_columns_stand_before_the_key_in_a_cookie(crm: Client) -> None:
    fill(crm, 3, cf_courtreference='a"<b>&')
    link = crm.row("cf_dossiers?$select=cf_name&$orderby=cf_courtreference,cf_outcome desc", SMALL)["@odata.nextLink"]
    inner = unquote(unquote(link))
    assert re.search(
        r'<cf_courtreference last="a&quot;&lt;b&gt;&amp;" first="[^"]*" /><cf_outcome lastnull="1" firstnull="1" /><cf_dossierid last=',
        inner,
    )


@pytest.mark.row(14)
@pytest.mark.parametrize(
    "tamper",
    [
        lambda link: link + "x",
        lambda link: link[:-3],
        lambda link: link.replace("pagenumber=%222", "pagenumber=%223"),
        lambda link: link.replace("%257b", "%257b0", 1),
        lambda link: link.replace("%25", "%2525"),
        lambda link: link.split("$skiptoken=")[0] + "$skiptoken=%3Ccookie%20/%3E",
        lambda link: link.split("$skiptoken=")[0] + "$skiptoken=",
        lambda link: link.replace("cf_dossiers?", "contacts?").replace("cf_name", "fullname"),
        lambda link: link.replace("?", "?$orderby=cf_name&", 1),
    ],
)
def test_a_tampered_cookie_is_refused(crm: Client, tamper: Any) -> None:
    fill(crm, 3)
    link = crm.row("cf_dossiers?$select=cf_name", SMALL)["@odata.nextLink"]
    assert crm.get(link).status_code == 200
    assert error_of(crm.get(tamper(link)))[0] == 400


def test_top_gives_no_link_and_a_page_size_wins_over_it(crm: Client) -> None:
    fill(crm, 5)
    document = crm.row("cf_dossiers?$top=3")
    assert (len(document["value"]), "@odata.nextLink" in document) == (3, False)
    assert [len(page) for page in pages(crm, "cf_dossiers?$top=3", SMALL)] == [2, 2, 1]


def test_children_of_a_row_are_paged_too(crm: Client) -> None:
    dossier, other = crm.dossier(), crm.dossier()
    crm.emulator.load(("cf_fiche", {"cf_name": f"F-{n}", "cf_dossierid": dossier if n < 5 else other}) for n in range(9))
    found = pages(crm, f"cf_dossiers({dossier})/cf_dossier_fiches?$select=cf_name", SMALL)
    assert sorted(row["cf_name"] for page in found for row in page) == [f"F-{n}" for n in range(5)]


def test_rows_are_ordered_by_a_column_of_another_table(crm: Client) -> None:
    dossiers = {name: crm.dossier(cf_name=name) for name in ("b", "A", "c")}
    for name, row in dossiers.items():
        crm.fiche(row, cf_name=name)
    crm.fiche(cf_name="lone")
    found = pages(crm, "cf_fiches?$select=cf_name&$orderby=cf_DossierId/cf_name desc", SMALL)
    assert [row["cf_name"] for page in found for row in page] == ["c", "b", "A", "lone"]


@pytest.mark.row(14)
@pytest.mark.parametrize("order", ["", "&$orderby=cf_outcome", "&$orderby=cf_outcome desc,cf_name", "&$orderby=cf_courtreference desc"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_deleting_between_pages_loses_and_repeats_nothing(crm: Client, order: str, data: st.DataObject) -> None:
    """Every row that stays is read exactly once, and no row twice."""
    crm.control("POST", "reset", {"empty": True})
    # Ids are drawn too: they order the pages, and with them what is drawn next.
    outcomes = data.draw(st.dictionaries(st.uuids().map(str), st.sampled_from([None, 100000000, 100000001]), min_size=1, max_size=14))
    ids = list(outcomes)
    crm.emulator.load(
        (
            "cf_dossier",
            {"cf_dossierid": row, "cf_name": f"D-{n % 3}", "cf_outcome": outcome, "cf_courtreference": None if outcome else f"r{n % 2}"},
        )
        for n, (row, outcome) in enumerate(outcomes.items())
    )
    size = {"Prefer": f"odata.maxpagesize={data.draw(st.integers(1, 4))}"}
    read: list[str] = []
    deleted: set[str] = set()
    link: str | None = f"cf_dossiers?$select=cf_name{order}"
    while link:
        document = crm.row(link, size)
        read += [row["cf_dossierid"] for row in document["value"]]
        link = document.get("@odata.nextLink")
        for row in data.draw(st.lists(st.sampled_from(ids), max_size=3, unique=True)):
            if row not in deleted:
                assert crm.send("DELETE", f"cf_dossiers({row})").status_code == 204
                deleted.add(row)
    assert len(read) == len(set(read))
    assert set(ids) - deleted <= set(read) <= set(ids)
