"""Making a plan from a page, and the kill switch. Everybody is fictitious."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from crm_compliance.console.planning.maker import PlanMaker
from crm_compliance.console.services import Services
from crm_compliance.wiring import line_cache_of
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.typist import NOW, people_and_cases
from tests.integration.night import Night

Signed = Callable[..., Browser]
SAYS = "import sys, json; asked = json.loads(sys.stdin.readline()); {}"


def made(code: str) -> PlanMaker:
    """What was made by a process that is asked, and says something."""
    maker, over = PlanMaker((sys.executable, "-c", SAYS.format(code))), threading.Event()
    maker.start("all", "", "demo-anna", NOW, ended=over.set)
    assert over.wait(20)
    return maker


@pytest.mark.usefixtures("real_http")
def test_a_plan_is_made_in_a_process_of_its_own(org: Night, signed_in: Signed, services: Services) -> None:
    people_and_cases(org)
    over = threading.Event()
    start = services.planning.start
    object.__setattr__(services.planning, "start", lambda *asked: start(*asked, ended=over.set))
    admin = signed_in(Role.CRM_ADMIN)
    answer = admin.post("/plans/making", kind="retention", as_of="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/plans")
    assert over.wait(60)
    last = services.planning.last
    assert last is not None
    assert last.error is None
    plan = org.store.plans.get(last.plan)
    assert (plan.kind, plan.proposer) == ("retention", "demo-anna")
    assert line_cache_of(services.settings).load(plan.id, plan.digest), "nobody who opens it waits for its columns"
    page = admin.page("/plans")
    assert f'<a href="/plans/{plan.id}">Look at the plan</a>' in page
    assert "hx-trigger" not in page.split('id="making"')[1].split("</div>")[0], "nothing is asked any more"
    assert "You made this plan" in text_of(admin.page(f"/plans/{plan.id}"))


def test_one_plan_is_made_at_a_time_and_pages_ask_how_far_it_is(org: Night, signed_in: Signed, services: Services) -> None:
    over = threading.Event()
    maker = PlanMaker(
        (sys.executable, "-c", SAYS.format("print(json.dumps({'stage': 'dossier', 'done': 7}), flush=True); sys.stdin.read()"))
    )
    object.__setattr__(services, "planning", maker)
    maker.start("all", "", "demo-ben", NOW, ended=over.set)
    admin = signed_in(Role.CRM_ADMIN)
    assert admin.post("/plans/making", kind="all").status_code == 409
    part = admin.get("/plans/making", **{"HX-Request": "true"}).text
    assert 'hx-get="/plans/making"' in part
    assert 'id="making"' not in signed_in(Role.AUDITOR).page("/plans")
    maker.stop()
    assert over.wait(20)
    assert "The plan was not made" in text_of(admin.page("/plans"))


def test_what_cannot_be_asked_for_is_refused(org: Night, signed_in: Signed, services: Services) -> None:
    admin = signed_in(Role.CRM_ADMIN)
    for asked in ({"kind": "request"}, {"kind": "nonsense"}, {"kind": "all", "as_of": "tomorrow"}):
        assert admin.post("/plans/making", **asked).status_code == 400
    assert services.planning.last is None


@pytest.mark.parametrize(("code", "says"), [("sys.exit(1)", "bug"), ("print(json.dumps({'error': ['no token', 'token', '']}))", "token")])
def test_how_it_failed_is_told(code: str, says: str) -> None:
    last = made(code).last
    assert last is not None
    assert last.is_over
    assert last.error is not None
    assert last.error.code == says


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
