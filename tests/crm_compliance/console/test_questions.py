"""What somebody new asks, by clicks in a real browser: each role that may know finds the answer in three of
them at most. Everybody is fictitious."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from rules.model.roles import Role
from tests.crm_compliance.console.clicking import Visitor, clicks, come_in
from tests.crm_compliance.nights import applied
from tests.crm_compliance.worlds import Worlds
from tests.drivers.night import Night
from tests.drivers.requesting import opened
from tests.drivers.typist import LONG_AGO, Typist

__all__ = ["come_in"]
OPERATORS = (Role.CRM_ADMIN, Role.DPO)


WORLDS = ("nights",)


@pytest.fixture
def nights(worlds: Worlds, request: pytest.FixtureRequest) -> None:
    """An organisation with two nights, the second one of today."""
    worlds.begin(request, two_nights)


def two_nights(typist: Typist, org: Night) -> None:
    applied(typist, org)
    org.fiche("social_card", spoken=LONG_AGO)
    typist.ask("plan")


@pytest.fixture
def asked(nights: None, come_in: Visitor) -> Callable[[Role], Any]:
    """A browser of a role, before that organisation."""
    return come_in


def said(page: Any) -> str:
    """What the page says."""
    return " ".join(page.locator("main").inner_text().split())


def test_why_a_fiche_was_kept(org: Night, asked: Callable[[Role], Any]) -> None:
    (fiche,) = org.fiches_of(org.dossier("grooming", spoken=LONG_AGO, closed=False))
    for role in OPERATORS:
        page = asked(role)
        with clicks(page, 1) as click:
            page.get_by_label("A record of the CRM").fill(f"https://org.crm4.dynamics.com/main.aspx?etn=cf_fiche&id={fiche}")
            click("Look it up", "button")
        page.get_by_text("The dossier is still open").first.wait_for()
    page = asked(Role.AUDITOR)
    with clicks(page, 3) as click:
        click("Last plan")
        click("The dossier is still open")
        page.locator("main table tbody a").first.click()
    assert "OPEN_DOSSIER" in said(page)
    assert page.get_by_role("link", name=re.compile("Decide now")).count() == 0, "an auditor has nothing decided"


def test_who_approved_a_run(asked: Callable[[Role], Any]) -> None:
    for role in (Role.DPO, Role.AUDITOR):
        page = asked(role)
        with clicks(page, 2) as click:
            click("^History$")
            assert "Wed" in said(page), "the day of the week stands beside the date"
            click("25 Nov 2026")
        assert "fictief-dpo" in said(page)
        assert "fictief-crm_admin" in said(page)


def test_what_is_new_since_yesterday(asked: Callable[[Role], Any]) -> None:
    for role in (*OPERATORS, Role.AUDITOR):
        page = asked(role)
        with clicks(page, 2) as click:
            click("Last plan")
            click("What changed")
        assert re.search(r"Added|New|came", said(page)), role


def test_when_a_request_is_due_and_what_comes_next(typist: Typist, asked: Callable[[Role], Any]) -> None:
    opened(typist)
    for role in (Role.DPO, Role.APPROVER, Role.AUDITOR):
        page = asked(role)
        with clicks(page, 2) as click:
            click("^Requests$")
            click("DSR-2026")
        assert "Last day 28 Dec 2026" in said(page), role
        assert "Next: Check who asks" in said(page), role
