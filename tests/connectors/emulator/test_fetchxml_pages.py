"""Pages of FetchXML by cookie and by number, and the total."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

import pytest

from tests.connectors.emulator.client import ANNOTATED, Client
from tests.connectors.emulator.fetches import COOKIE, MORE, fill, found, refusal

pytestmark = pytest.mark.row(45)


def paged(page: int, cookie: str = "", inside: str = "", count: int = 2) -> str:
    given = f" paging-cookie={quoteattr(cookie)}" if cookie else ""
    return f"<fetch count='{count}' page='{page}'{given}><entity name='cf_dossier'><attribute name='cf_name' />{inside}</entity></fetch>"


def inner_cookie(document: dict[str, Any]) -> str:
    """What goes into the next query, taken out as the vendor documents: the attribute, decoded twice."""
    return unquote(unquote(ElementTree.fromstring(document[COOKIE]).attrib["pagingcookie"]))


@pytest.mark.parametrize("inside", ["", "<order attribute='cf_name' descending='true' />", "<order attribute='cf_courtreference' />"])
def test_pages_follow_each_other_by_the_doubly_decoded_cookie(crm: Client, inside: str) -> None:
    ids = fill(crm, 5)
    seen: list[str] = []
    page, cookie = 1, ""
    while True:
        document = found(crm, "cf_dossiers", paged(page, cookie, inside), ANNOTATED)
        seen += [row["cf_dossierid"] for row in document["value"]]
        if not document.get(MORE):
            break
        page, cookie = page + 1, inner_cookie(document)
    assert COOKIE not in document
    assert sorted(seen) == ids
    assert page == 3


def test_the_cookie_has_the_services_shape(crm: Client) -> None:
    ids = fill(crm, 3)
    document = found(crm, "cf_dossiers", paged(1), ANNOTATED)
    assert document[COOKIE].startswith('<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522%253e')
    assert document[COOKIE].endswith('" istracking="False" />')
    assert inner_cookie(document) == f'<cookie page="1"><cf_dossierid last="{{{ids[1].upper()}}}" first="{{{ids[0].upper()}}}" /></cookie>'


def test_the_cookie_and_more_come_with_annotations_only(crm: Client) -> None:
    fill(crm, 3)
    document = found(crm, "cf_dossiers", paged(1))
    assert document.keys() == {"@odata.context", "value"}


def test_a_page_by_cookie_stays_right_while_rows_are_deleted(crm: Client) -> None:
    ids = fill(crm, 5)
    cookie = inner_cookie(found(crm, "cf_dossiers", paged(1), ANNOTATED))
    for row in ids[:2]:
        crm.send("DELETE", f"cf_dossiers({row})")
    rows = found(crm, "cf_dossiers", paged(2, cookie))["value"]
    assert [row["cf_dossierid"] for row in rows] == ids[2:4]


def test_a_changed_cookie_is_refused(crm: Client) -> None:
    ids = fill(crm, 5)
    cookie = inner_cookie(found(crm, "cf_dossiers", paged(1), ANNOTATED))
    assert refusal(crm, paged(2, cookie.replace(ids[1].upper(), ids[2].upper())))[0] == 400
    assert refusal(crm, paged(2, "x"))[0] == 400


def test_pages_by_number_alone_end_at_fifty_thousand_rows(crm: Client) -> None:
    ids = fill(crm, 5)
    rows = found(crm, "cf_dossiers", paged(2))["value"]
    assert [row["cf_dossierid"] for row in rows] == ids[2:4]
    assert found(crm, "cf_dossiers", paged(10, count=5000))["value"] == []
    assert refusal(crm, paged(11, count=5000))[0] == 400


def test_an_order_by_a_linked_column_has_no_cookie(crm: Client) -> None:
    for number in range(3):
        crm.fiche(crm.dossier(cf_name=f"D-{number}"))
    link = "<link-entity name='cf_dossier' from='cf_dossierid' to='cf_dossierid'><order attribute='cf_name' /></link-entity>"
    xml = f"<fetch count='2'><entity name='cf_fiche'><attribute name='cf_name' />{link}</entity></fetch>"
    document = found(crm, "cf_fiches", xml, ANNOTATED)
    assert document[MORE] is True
    assert COOKIE not in document


def test_the_total_is_told_to_a_limit(crm: Client) -> None:
    fill(crm, 5001)
    xml = "<fetch returntotalrecordcount='true' count='1'><entity name='cf_dossier'><attribute name='cf_name' /></entity></fetch>"
    document = found(crm, "cf_dossiers", xml, ANNOTATED)
    assert document["@Microsoft.Dynamics.CRM.totalrecordcount"] == 5000
    assert document["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True


def test_a_page_has_five_thousand_rows_at_most(crm: Client) -> None:
    fill(crm, 5002)
    assert len(found(crm, "cf_dossiers", paged(1, count=9000))["value"]) == 5000
