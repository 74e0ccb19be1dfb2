"""Quarantine: which units leave it and when, and who may keep one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rules.model.roles import Role
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


def test_a_unit_in_quarantine_is_shown_and_kept(marked: str, org: Night, signed_in: Callable[..., Browser]) -> None:
    admin, dpo, auditor = signed_in(Role.CRM_ADMIN), signed_in(Role.DPO), signed_in(Role.AUDITOR)
    assert "14 days left" in text_of(auditor.page("/quarantine"))
    assert f"/holds/new?table=cf_dossier&amp;id={marked}" in dpo.page("/quarantine")
    assert "/holds/new" not in admin.page("/quarantine")
    assert "Place a hold" not in auditor.page("/quarantine")
    assert 'action="/quarantine"' not in auditor.page("/quarantine")
    assert admin.post("/quarantine", table="cf_dossier", id=marked).status_code == 303
    assert "kept, marked afresh afterwards" in text_of(admin.page("/quarantine"))
    assert [mark.undone for mark in org.store.quarantine.marks()] == [True]
    assert admin.post("/quarantine", table="cf_dossier", id="nothing").status_code == 400
