"""Quarantine: which units leave it and when, and who may keep one."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from crm_compliance.console.frame.services import Services
from crm_compliance.store.sql.problems import StoreUnusable
from rules.model.roles import Role
from rules.retention.quarantine import Mark
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist


@pytest.fixture
def marked(typist: Typist, org: Night) -> str:
    """A dossier that a run has put into quarantine."""
    path = Path(typist.folder / "policy.yaml")
    assert typist.type("policy", "show", "--output", path).code == 0
    path.write_text(path.read_text(encoding="utf-8") + "\nquarantine:\n  days: 14\n", encoding="utf-8")
    typist.set(POLICY=str(path))
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    typist.ask("apply", typist.ask("plan")["plan"])
    return dossier


def test_a_schedule_without_quarantine_says_so(org: Night, signed_in: Callable[..., Browser]) -> None:
    assert "The schedule has no quarantine" in text_of(signed_in(Role.DPO).page("/quarantine"))
    assert signed_in(Role.APPROVER).get("/quarantine").status_code == 403


def test_a_schedule_that_has_no_quarantine_any_more_promises_nobody_days(
    marked: str, typist: Typist, signed_in: Callable[..., Browser]
) -> None:
    """The next run disposes of what an earlier version had put there."""
    assert [each["id"] for each in typist.ask("quarantine", "list")] == [marked]
    path = typist.folder / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("\nquarantine:\n  days: 14\n", ""), encoding="utf-8")
    dpo = signed_in(Role.DPO)
    page = dpo.page("/quarantine")
    assert "The schedule has no quarantine" in text_of(page)
    assert marked not in page
    assert "It is in quarantine" not in text_of(dpo.page(f"/open?typename=cf_dossier&id={marked}"))
    assert typist.ask("quarantine", "list") == []


def test_marks_that_cannot_be_read_are_not_told_as_none(
    marked: str, services: Services, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable() -> list[Mark]:
        raise StoreUnusable("the database cannot be read")

    dpo = signed_in(Role.DPO)
    assert "It is in quarantine" in dpo.page(f"/open?typename=cf_dossier&id={marked}")
    monkeypatch.setattr(services.store.quarantine, "marks", unreadable)
    assert dpo.get(f"/open?typename=cf_dossier&id={marked}").status_code >= 400


def test_whoever_keeps_a_unit_stays_on_its_page_of_the_list(
    marked: str, org: Night, typist: Typist, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.quarantine.ON_A_PAGE", 1)
    org.dossier("social_card", spoken=LONG_AGO)
    typist.ask("apply", typist.ask("plan")["plan"])
    dpo = signed_in(Role.DPO)
    form = re.search(r'<form method="post" action="(/quarantine[^"]*)".*?name="id" value="([^"]*)"', dpo.page("/quarantine?page=2"))
    assert form is not None
    answer = dpo.post(form[1], table="cf_dossier", id=form[2])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/quarantine?page=2")


def test_a_unit_in_quarantine_is_shown_and_kept(marked: str, org: Night, signed_in: Callable[..., Browser]) -> None:
    admin, dpo, auditor = signed_in(Role.CRM_ADMIN), signed_in(Role.DPO), signed_in(Role.AUDITOR)
    assert "14 days left" in text_of(auditor.page("/quarantine"))
    assert "is disposed of then" in text_of(dpo.page(f"/open?typename=cf_dossier&id={marked}"))
    assert f"/holds/new?table=cf_dossier&amp;id={marked}" in dpo.page("/quarantine")
    assert f'href="/open?typename=cf_dossier&amp;id={marked}"' in auditor.page("/quarantine"), "why it goes"
    assert "/holds/new" not in admin.page("/quarantine")
    assert "Place a hold" not in auditor.page("/quarantine")
    assert 'action="/quarantine"' not in auditor.page("/quarantine")
    assert admin.post("/quarantine", table="cf_dossier", id=marked).status_code == 303
    assert "kept, marked afresh afterwards" in text_of(admin.page("/quarantine"))
    assert [mark.undone for mark in org.store.quarantine.marks()] == [True]
    assert "is disposed of then" not in text_of(dpo.page(f"/open?typename=cf_dossier&id={marked}"))
    assert "is er niet meer" in text_of(signed_in(Role.DPO, "nl").post("/quarantine", table="cf_dossier", id="nothing").text)
