"""The kill switch on pages: who set it is kept by role and by nobody's name. Everybody is fictitious."""

import re
from collections.abc import Callable
from datetime import timedelta

from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night

Signed = Callable[..., Browser]


def test_a_stop_from_a_page_is_kept_with_the_role_and_nobodys_name(org: Night, signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    assert "Lift the stop" not in text_of(dpo.page("/plans"))
    assert dpo.post("/stop").headers["Location"] == "/plans"
    assert org.store.kill_switch.stopped_since() is not None
    page = text_of(dpo.page("/plans"))
    assert "Everything is stopped" in page
    assert "Lift the stop" in page
    auditor = signed_in(Role.AUDITOR).page("/plans")
    assert "Everything is stopped" in auditor
    assert "/resume" not in auditor
    assert "Make a plan" not in auditor
    dpo.post("/resume")
    assert org.store.kill_switch.stopped_since() is None
    entries = [entry for entry in org.store.ledger.entries() if entry.kind in ("stopped", "resumed")]
    assert [(entry.kind, entry.data["role"]) for entry in entries] == [("stopped", "dpo"), ("resumed", "dpo")]
    assert "demo-ben" not in str([entry.data for entry in entries])


def test_a_stop_that_came_after_the_page_was_opened_is_not_lifted_by_it(org: Night, signed_in: Signed) -> None:
    dpo, admin = signed_in(Role.DPO), signed_in(Role.CRM_ADMIN)
    dpo.post("/stop")
    (shown,) = re.findall(r'action="/resume".*?name="since" value="([^"]*)"', dpo.page("/plans"))
    admin.post("/resume")
    org.clock.now += timedelta(minutes=5)
    org.store.kill_switch.stop(org.clock(), ("stopped", {"role": "crm_admin"}))
    answer = dpo.post("/resume", since=shown)
    assert answer.status_code == 409
    assert "Somebody has stopped everything again" in text_of(answer.text)
    assert org.store.kill_switch.stopped_since() is not None
    (shown,) = re.findall(r'action="/resume".*?name="since" value="([^"]*)"', dpo.page("/plans"))
    assert dpo.post("/resume", since=shown).status_code == 303
    assert org.store.kill_switch.stopped_since() is None
