"""`$expand` in all its modes (row 43, section 3.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.emulator.client import Client, error_of, new_id

pytestmark = pytest.mark.row(43)

FICHES, PARTIES = "cf_dossier_fiches", "cf_fiche_parties"
NESTED = f"$select=cf_name&$expand={FICHES}($select=cf_name;$expand={PARTIES}($select=cf_name))"
ONLY_SELECT_AND_FILTER = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested one-to-many relationship."
)


def refusal(crm: Client, path: str) -> tuple[int, str, str]:
    answer = crm.get(path)
    return (*error_of(answer), answer.json()["error"]["message"])


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


def test_a_lookup_gives_a_row_without_etag_or_null(crm: Client) -> None:
    dossier = crm.dossier(cf_name="D")
    crm.fiche(dossier, cf_name="A")
    crm.fiche(cf_name="B")
    rows = crm.rows("cf_fiches?$select=cf_name&$orderby=cf_name&$expand=cf_DossierId($select=cf_name)")
    assert [row["cf_DossierId"] for row in rows] == [{"cf_name": "D", "cf_dossierid": dossier}, None]


def test_a_collection_is_inline_with_a_link_that_reads_it_again(crm: Client) -> None:
    dossier = fill(crm, 3)
    expand = f"{FICHES}($select=cf_name;$filter=cf_name ne 'F-0';$orderby=cf_name desc)"
    row = crm.rows(f"cf_dossiers?$select=cf_name&$expand={expand}")[0]
    assert [child["cf_name"] for child in row[FICHES]] == ["F-2", "F-1"]
    assert all(child["_cf_dossierid_value"] == dossier and "@odata.etag" in child for child in row[FICHES])
    link = row[FICHES + "@odata.nextLink"]
    assert link == f"{crm.url}cf_dossiers({dossier})/{FICHES}?$select=cf_name&$filter=cf_name ne 'F-0'&$orderby=cf_name desc"
    assert [child["cf_ficheid"] for child in crm.rows(link)] == [child["cf_ficheid"] for child in row[FICHES]]


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


def test_a_filter_in_an_expand_keeps_every_parent(crm: Client) -> None:
    fill(crm, 1)
    assert [row[FICHES] for row in crm.rows(f"cf_dossiers?$expand={FICHES}($filter=cf_name eq 'x')")] == [[]]


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


@pytest.mark.parametrize(
    "expand",
    [
        f"{FICHES}($orderby=cf_name;$expand={PARTIES}($select=cf_name))",
        f"{FICHES}($top=1;$expand={PARTIES}($select=cf_name))",
        f"{FICHES}($expand={PARTIES}($top=1))",
        f"{FICHES}($expand={PARTIES}($orderby=cf_name))",
    ],
)
def test_order_and_top_do_not_go_with_a_nested_expand(crm: Client, expand: str) -> None:
    assert refusal(crm, f"cf_dossiers?$expand={expand}") == (400, "0x80060888", ONLY_SELECT_AND_FILTER)


def test_order_and_top_do_not_go_with_a_lookup(crm: Client) -> None:
    assert refusal(crm, "cf_fiches?$expand=cf_DossierId($top=1)") == (400, "0x80060888", ONLY_SELECT_AND_FILTER)


def test_a_nested_many_to_many_collection_is_refused(crm: Client) -> None:
    status, code, message = refusal(crm, "cf_dossiers?$expand=owninguser($expand=systemuserroles_association)")
    assert (status, code) == (400, "0x80060888")
    assert message == (
        "The navigation property 'systemuserroles_association' cannot be expanded. Only many-to-one relationships are supported for nested "
        "expansion."
    )


def test_a_reference_is_for_lookups_only(crm: Client) -> None:
    dossier = crm.dossier()
    crm.fiche(dossier)
    row = crm.rows("cf_fiches?$select=cf_name&$expand=cf_DossierId/$ref")[0]
    assert row["cf_DossierId"] == {"@odata.id": f"{crm.url}cf_dossiers({dossier})"}
    message = "Expand with $ref is only supported on lookup type navigation property."
    assert refusal(crm, f"cf_dossiers?$expand={FICHES}/$ref") == (400, "0x80060888", message)


@pytest.mark.parametrize("option", ["$count=true", "$skip=1", "$search=x", "$levels=2"])
def test_other_options_do_not_stand_in_an_expand(crm: Client, option: str) -> None:
    assert crm.get(f"cf_dossiers?$expand={FICHES}({option})").status_code == 400


def test_the_sixteenth_expand_is_refused(crm: Client) -> None:
    crm.fiche(crm.dossier())
    assert crm.get("cf_fiches?$expand=" + ",".join(["cf_DossierId"] * 15)).status_code == 200
    assert error_of(crm.get("cf_fiches?$expand=" + ",".join(["cf_DossierId"] * 16))) == (400, "0x80060888")
    inner = ",".join([PARTIES] * 15)
    assert error_of(crm.get(f"cf_dossiers?$expand={FICHES}($expand={inner})")) == (400, "0x80060888")


def test_an_older_build_gives_only_the_link(crm: Client) -> None:
    """The switch `collection_links_only`: in a list; one row still has its children."""
    dossier = fill(crm, 2)
    path = f"?$select=cf_name&$expand={FICHES}($select=cf_name)"
    crm.control("PUT", "switches", {"collection_links_only": True})
    row = crm.rows("cf_dossiers" + path)[0]
    assert FICHES not in row
    assert len(crm.rows(row[FICHES + "@odata.nextLink"])) == 2
    assert len(crm.row(f"cf_dossiers({dossier}){path}")[FICHES]) == 2
