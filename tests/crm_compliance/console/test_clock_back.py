"""The clock of the machine is put back between what somebody looked at and what they say. Everybody is
fictitious."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from crm_compliance.console.frame.services import Services
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.clock import NOW
from tests.drivers.night import Night

Signed = Callable[..., Browser]


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)], ids=["an hour", "a day"])
def test_nobody_approves_a_plan_before_it_was_made(org: Night, plan: str, signed_in: Signed, services: Services, back: timedelta) -> None:
    dpo = signed_in(Role.DPO)
    assert dpo.get(f"/plans/{plan}").status_code == 200
    right, token = services.clock, dpo.token
    object.__setattr__(services, "clock", lambda: NOW - back)
    sent = dpo.client.post(f"/plans/{plan}/approve", data={"csrf": token}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/signin"), "the session does not last longer"
    answer = dpo.sign_in(Role.DPO).post(f"/plans/{plan}/approve")
    assert answer.status_code == 409
    assert "a time before this plan was made" in text_of(answer.text)
    assert org.store.plans.get(plan).given == ()
    object.__setattr__(services, "clock", right)
    assert dpo.sign_in(Role.DPO).post(f"/plans/{plan}/approve").status_code == 303
    assert [word.role for word in org.store.plans.get(plan).given] == ["dpo"]
