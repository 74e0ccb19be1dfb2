"""Pages of FetchXML while rows go, their cookies, and the total."""

import xml.etree.ElementTree as ElementTree
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

import pytest

from tests.connectors.emulator.client import Client
from tests.connectors.emulator.fetches import COOKIE, fill, found, refusal
from tests.web_api import ANNOTATED

pytestmark = pytest.mark.row(45)


def paged(page: int, cookie: str = "") -> str:
    given = f" paging-cookie={quoteattr(cookie)}" if cookie else ""
    return f"<fetch count='2' page='{page}'{given}><entity name='cf_dossier'><attribute name='cf_name' /></entity></fetch>"


def inner_cookie(document: dict[str, Any]) -> str:
    """What goes into the next query, taken out as the vendor documents: the attribute, decoded twice."""
    return unquote(unquote(ElementTree.fromstring(document[COOKIE]).attrib["pagingcookie"]))


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


def test_a_page_has_five_thousand_rows_and_the_total_is_told_to_that_limit(crm: Client) -> None:
    fill(crm, 5002)
    xml = "<fetch returntotalrecordcount='true' count='9000'><entity name='cf_dossier'><attribute name='cf_name' /></entity></fetch>"
    document = found(crm, "cf_dossiers", xml, ANNOTATED)
    assert len(document["value"]) == document["@Microsoft.Dynamics.CRM.totalrecordcount"] == 5000
    assert document["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
