"""Making a plan from a page. Everybody is fictitious."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from crm_compliance.console.frame.services import Services
from crm_compliance.console.pages.plans.new_plan import SUBJECT
from crm_compliance.console.work.act_under_way import Counts, Ended, OnCounts, Work
from crm_compliance.console.work.process import Asked, carried_out
from rules.errors import ComplianceError
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night
from tests.drivers.typist import people_and_cases

Signed = Callable[..., Browser]


@pytest.mark.usefixtures("real_http")
def test_a_plan_is_made_in_a_process_of_its_own(org: Night, signed_in: Signed, services: Services) -> None:
    people_and_cases(org)
    object.__setattr__(services, "carry_out", carried_out)
    admin = signed_in(Role.CRM_ADMIN)
    answer = admin.post("/plans/making", kind="retention", as_of="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/plans")
    work = services.background.of(SUBJECT)
    assert work is not None
    assert work.wait(60)
    assert work.error is None
    plan = org.store.plans.get(work.made)
    assert (plan.kind, plan.proposer) == ("retention", "demo-anna")
    page = admin.page("/plans")
    assert f'<a href="/plans/{plan.id}">Look at the plan</a>' in page
    assert "hx-trigger" not in page.split('id="making"')[1].split("</div>")[0], "nothing is asked any more"
    assert "You made this plan" in text_of(admin.page(f"/plans/{plan.id}"))


def test_one_plan_is_made_at_a_time_and_pages_tell_how_far_it_is(org: Night, signed_in: Signed, services: Services) -> None:
    go_on = threading.Event()

    def slow(asked: Asked, told: OnCounts) -> Ended:
        told(Counts(rows=1234, requests=5))
        go_on.wait(60)
        raise ComplianceError("no token", code="token")

    object.__setattr__(services, "carry_out", slow)
    admin = signed_in(Role.CRM_ADMIN)
    assert admin.post("/plans/making", kind="all").status_code == 303
    assert admin.post("/plans/making", kind="all").status_code == 409
    work = services.background.of(SUBJECT)
    assert work is not None
    assert telling(work)
    part = admin.get("/plans/making", **{"HX-Request": "true"}).text
    assert 'hx-get="/plans/making"' in part
    assert "rows read so far: 1,234, requests to the CRM: 5" in part
    assert "No plan yet" not in text_of(admin.page("/plans")), "there is one by the time that the page says so"
    assert 'id="making"' not in signed_in(Role.AUDITOR).page("/plans")
    go_on.set()
    assert work.wait(20)
    assert "The plan was not made" in (page := text_of(admin.page("/plans")))
    assert "No plan yet" in page


def telling(work: Work) -> bool:
    """Whether it has told how far it is, within a while."""
    deadline = time.monotonic() + 20
    while not work.counts.rows and time.monotonic() < deadline:
        work.wait(0.01)
    return bool(work.counts.rows)


def test_what_cannot_be_asked_for_is_refused(org: Night, signed_in: Signed, services: Services) -> None:
    admin = signed_in(Role.CRM_ADMIN)
    for asked in ({"kind": "request"}, {"kind": "nonsense"}, {"kind": "all", "as_of": "tomorrow"}):
        assert admin.post("/plans/making", **asked).status_code == 400
    assert services.background.of(SUBJECT) is None
