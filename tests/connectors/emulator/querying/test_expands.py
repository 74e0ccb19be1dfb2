"""Collections that `$expand` gives: how many rows, in which pages, by which links (row 43, section 3.5)."""

from typing import Any

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import new_id

pytestmark = pytest.mark.row(43)

FICHES, PARTIES = "cf_dossier_fiches", "cf_fiche_parties"
NESTED = f"$select=cf_name&$expand={FICHES}($select=cf_name;$expand={PARTIES}($select=cf_name))"


def fill(crm: Client, number: int, **columns: Any) -> str:
    """A dossier with a number of fiches."""
    dossier = crm.dossier(cf_name="D")
    crm.emulator.load(
        ("cf_fiche", {"cf_ficheid": new_id(), "cf_name": f"F-{n}", "cf_dossierid": dossier, **columns}) for n in range(number)
    )
    return dossier


def followed(crm: Client, first: dict[str, Any], name: str, headers: dict[str, str] | None = None) -> list[list[dict[str, Any]]]:
    """The pages of an expanded collection: the rows inline, then what each link gives."""
    pages, link = [first[name]], first.get(name + "@odata.nextLink")
    while link:
        document = crm.row(link, headers)
        pages.append(document["value"])
        link = document.get("@odata.nextLink")
    return pages


def test_a_collection_is_inline_up_to_five_thousand_whatever_the_page_size(crm: Client) -> None:
    fill(crm, 5001)
    row = crm.rows(f"cf_dossiers?$select=cf_name&$expand={FICHES}($select=cf_name)", {"Prefer": "odata.maxpagesize=2"})[0]
    assert len(row[FICHES]) == 5000
    assert "$skiptoken" not in row[FICHES + "@odata.nextLink"]


def test_a_link_survives_text_that_would_end_an_option(crm: Client) -> None:
    crm.fiche(crm.dossier(), cf_name="Kind & Gezin 100%")
    row = crm.rows(f"cf_dossiers?$expand={FICHES}($select=cf_name;$filter=cf_name eq 'Kind %26 Gezin 100%25')")[0]
    assert len(row[FICHES]) == 1
    assert [child["cf_name"] for child in crm.rows(row[FICHES + "@odata.nextLink"])] == ["Kind & Gezin 100%"]


@pytest.mark.parametrize("single", [False, True])
def test_with_a_nested_expand_collections_come_in_pages(crm: Client, single: bool) -> None:
    dossier = fill(crm, 5)
    size = {"Prefer": "odata.maxpagesize=2"}
    row = crm.row(f"cf_dossiers({dossier})?{NESTED}", size) if single else crm.rows(f"cf_dossiers?{NESTED}", size)[0]
    pages = followed(crm, row, FICHES, size)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {child["cf_name"] for page in pages for child in page} == {f"F-{n}" for n in range(5)}
    assert all(child[PARTIES] == [] for page in pages for child in page)


def test_the_token_of_a_nested_collection_counts_its_records(crm: Client) -> None:
    dossier = fill(crm, 3)
    link = crm.rows(f"cf_dossiers?{NESTED}", {"Prefer": "odata.maxpagesize=1"})[0][FICHES + "@odata.nextLink"]
    assert link.startswith(
        f"{crm.url}cf_dossiers({dossier})/{FICHES}?$select=cf_name&$expand={PARTIES}($select=cf_name)&$skiptoken=%3Ccookie%20"
    )
    assert "countOfRecords%253d%25221%2522" in link


def test_the_innermost_collection_is_paged_too(crm: Client) -> None:
    fiche = crm.fiche(crm.dossier())
    for number in range(3):
        crm.create("cf_parties", cf_name=f"P-{number}", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    size = {"Prefer": "odata.maxpagesize=2"}
    child = crm.rows(f"cf_dossiers?{NESTED}", size)[0][FICHES][0]
    pages = followed(crm, child, PARTIES, size)
    assert [len(page) for page in pages] == [2, 1]
    assert sorted(row["cf_name"] for page in pages for row in page) == ["P-0", "P-1", "P-2"]


def test_a_collection_beside_a_nested_expand_is_paged_with_its_filter(crm: Client) -> None:
    fiche = crm.fiche(crm.dossier())
    for number in range(4):
        crm.create("cf_parties", cf_name=f"P-{number}", **{"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"})
    expand = f"{PARTIES}($select=cf_name;$filter=cf_name ne 'P-0'),cf_DossierId($select=cf_name;$expand={FICHES}($select=cf_name))"
    size = {"Prefer": "odata.maxpagesize=2"}
    row = crm.rows(f"cf_fiches?$select=cf_name&$expand={expand}", size)[0]
    assert [child["cf_ficheid"] for child in row["cf_DossierId"][FICHES]] == [fiche]
    pages = followed(crm, row, PARTIES, size)
    assert sorted(child["cf_name"] for page in pages for child in page) == ["P-1", "P-2", "P-3"]
    assert [len(page) for page in pages] == [2, 1]


def test_a_page_has_five_thousand_children_without_a_page_size(crm: Client) -> None:
    fill(crm, 5003)
    assert [len(page) for page in followed(crm, crm.rows(f"cf_dossiers?{NESTED}")[0], FICHES)] == [5000, 3]


def test_a_whole_collection_has_no_link_in_a_nested_expand(crm: Client) -> None:
    fill(crm, 2)
    row = crm.rows(f"cf_dossiers?{NESTED}", {"Prefer": "odata.maxpagesize=2"})[0]
    assert len(row[FICHES]) == 2
    assert FICHES + "@odata.nextLink" not in row


def test_a_changed_token_is_refused(crm: Client) -> None:
    fill(crm, 3)
    link = crm.rows(f"cf_dossiers?{NESTED}", {"Prefer": "odata.maxpagesize=1"})[0][FICHES + "@odata.nextLink"]
    assert crm.get(link.replace("pagenumber=%222", "pagenumber=%223")).status_code == 400
