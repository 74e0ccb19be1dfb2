"""A report carries web addresses and nothing else that a browser would open or run."""

import pytest

from crm_compliance.reports.parts.links import safe_link

NO_PAGES = ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x", "https://", "", "http://[x")


@pytest.mark.parametrize("address", NO_PAGES)
def test_an_address_that_is_no_page_is_dropped(address: str) -> None:
    assert safe_link(address) == ""


@pytest.mark.parametrize("address", ["https://org.crm4.dynamics.com/main.aspx?id=1", "HTTP://127.0.0.1:8765/"])
def test_an_address_of_a_page_stays_as_it_is(address: str) -> None:
    assert safe_link(address) == address
