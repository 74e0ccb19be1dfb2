"""The web resources that lead from a form of the CRM to the console, in a real browser. Their address is what
`/open` takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from crm_compliance.console.pages.why import row_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHIPPED = Path(__file__).parents[3] / "docs" / "crm-button"
ROW = "0f8fad5b-d9cb-469f-a165-70867728950e"
PASSED = {
    "typename": "cf_dossier",
    "type": "10012",
    "id": f"{{{ROW.upper()}}}",
    "orgname": "foundation",
    "userlcid": "1043",
    "orglcid": "1036",
}


@pytest.fixture(scope="module")
def page(chrome: Browser) -> Page:
    return chrome.new_page()


def leads_to_the_record(address: str) -> None:
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://compliance.example.org/open"
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert set(asked) == {"typename", "id"}, "nothing else of the record leaves the CRM"
    assert row_of(asked["typename"], asked["id"]) == ("cf_dossier", ROW)


def test_the_link_on_a_form_leads_to_the_record(page: Page) -> None:
    where = (SHIPPED / "retention_link.html").as_uri()
    page.goto(f"{where}?{urlencode(PASSED | {'data': 'https://compliance.example.org/'})}")
    link = page.get_by_role("link", name="Waarom wordt dit bewaard, en tot wanneer?")
    leads_to_the_record(str(link.get_attribute("href")))
    assert link.get_attribute("target") == "_blank"
    for wrong in ({"data": "javascript:alert(1)//"}, {"data": ""}, {"id": "", "data": "https://compliance.example.org"}):
        page.goto(f"{where}?{urlencode(PASSED | wrong)}")
        assert page.get_by_role("link").count() == 0
        assert page.inner_text("#told")


def test_the_command_on_the_bar_opens_the_record(page: Page) -> None:
    page.goto("about:blank")
    page.evaluate("window.Xrm = { Navigation: { openUrl: (address) => { window.opened = address; } } }")
    page.add_script_tag(path=SHIPPED / "retention_button.js")
    form = f"{{ data: {{ entity: {{ getEntityName: () => 'cf_dossier', getId: () => '{{{ROW.upper()}}}' }} }} }}"
    page.evaluate(f"CrmCompliance.open({form}, 'https://compliance.example.org/')")
    leads_to_the_record(page.evaluate("window.opened"))
    assert page.evaluate(f"CrmCompliance.isSaved({form})") is True
