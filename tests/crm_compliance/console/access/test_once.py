"""A form that is sent again is answered with what came of it the first time. Everybody is fictitious."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.responses import PlainTextResponse, RedirectResponse

from crm_compliance.console.access.cookies import NOTE
from crm_compliance.console.access.once import LASTS_S, MOST, Forms
from crm_compliance.console.pages.plans.making import SUBJECT
from crm_compliance.console.services import Services
from crm_compliance.console.work.process import Asked
from crm_compliance.console.work.work import Ended, Told
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.console.live import live
from tests.crm_compliance.typist import Typist, people_and_cases
from tests.integration.night import Night

Signed = Callable[..., Browser]


def key_on(page: str, action: str) -> str:
    """The key of one time of the form that sends to an address."""
    form = next(each for each in page.split("<form")[1:] if f'action="{action}"' in each)
    found = re.search(r'name="once" value="([0-9a-f]{16})"', form)
    assert found is not None, form[:400]
    return found[1]


def test_the_same_form_makes_one_plan_also_when_it_is_sent_after_the_plan_was_made(
    org: Night, signed_in: Signed, services: Services
) -> None:
    people_and_cases(org)
    admin = signed_in(Role.CRM_ADMIN)
    once = key_on(admin.page("/plans"), "/plans/making")
    first = admin.post("/plans/making", kind="retention", as_of="", once=once)
    work = services.background.of(SUBJECT)
    assert work is not None
    assert work.wait(60)
    again = admin.post("/plans/making", kind="retention", as_of="", once=once)
    assert (first.status_code, again.status_code) == (303, 303)
    assert again.headers["Location"] == first.headers["Location"]
    assert "had been sent already" in text_of(admin.page("/plans"))
    assert len(org.store.plans.all()) == 1
    assert key_on(admin.page("/plans"), "/plans/making") != once, "whoever wants another one takes the form of now"


def test_an_approval_that_is_sent_twice_is_one_and_nobody_is_refused(org: Night, typist: Typist, signed_in: Signed) -> None:
    people_and_cases(org)
    plan = typist.ask("plan")["plan"]
    admin, page = signed_in(Role.CRM_ADMIN), f"/plans/{plan}"
    form = {"comment": "looked at", "once": key_on(admin.page(page), f"{page}/approve")}
    answers = [admin.post(f"{page}/approve", **form) for _ in range(3)]
    assert [(each.status_code, each.headers["Location"]) for each in answers] == [(303, page)] * 3
    assert [word.who for word in org.store.plans.get(plan).given] == ["demo-anna"]
    assert "denied" not in {entry.kind for entry in org.store.ledger.entries()}
    rejected = admin.post(f"{page}/reject", **form)
    assert rejected.status_code == 403, "another button is another form"


def test_who_sends_it_again_at_once_waits_for_the_first(org: Night, app: Starlette, services: Services) -> None:
    """A double click: the browser takes the second answer, and drops the first."""
    begun, go_on, made = threading.Event(), threading.Event(), list[str]()

    def slow(asked: Asked, told: Told) -> Ended:
        made.append(asked.act)
        return Ended()

    read = services.store.works.put

    def late(subject: str, work: object) -> None:
        begun.set()
        assert go_on.wait(20)
        read(subject, work)  # type: ignore[arg-type]

    object.__setattr__(services, "carry_out", slow)
    with live(app) as root, ThreadPoolExecutor(2) as clicks:
        browser = requests.Session()
        browser.post(f"{root}/signin", data={"who": "demo-anna"})
        page = browser.get(f"{root}/plans").text
        token = re.search(r'name="csrf" value="([0-9a-f]*)"', page)
        assert token is not None
        form = {"csrf": token[1], "once": key_on(page, "/plans/making"), "kind": "all", "as_of": ""}
        services.store.works.put = late  # type: ignore[method-assign]

        def click() -> requests.Response:
            return requests.post(f"{root}/plans/making", data=form, cookies=browser.cookies.get_dict(), allow_redirects=False, timeout=30)

        first = clicks.submit(click)
        assert begun.wait(20)
        second = clicks.submit(click)
        go_on.set()
        answers = [each.result() for each in (first, second)]
    assert [(each.status_code, each.headers["Location"]) for each in answers] == [(303, "/plans")] * 2
    assert sorted(str(each.cookies.get(NOTE)) for each in answers) == ["plan_begun", "sent_before"]
    assert made == ["plan"]


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


def test_what_was_refused_may_be_sent_again(clock: list[float]) -> None:
    forms, form = Forms(lambda: clock[0]), FormData([("once", "a"), ("kind", "all"), ("csrf", "x")])
    sent = forms.sent("anna", "/plans/making", form)
    assert sent is not None
    sent.keep(PlainTextResponse("no", status_code=409))
    assert not sent.led_to
    sent.keep(RedirectResponse("/plans", status_code=303))
    again = forms.sent("anna", "/plans/making", FormData([("once", "a"), ("kind", "all"), ("csrf", "y")]))
    assert again is not None
    assert (again is sent, again.led_to) == (True, "/plans")


def test_a_form_is_the_same_for_one_session_and_one_address_and_an_hour(clock: list[float]) -> None:
    forms, form = Forms(lambda: clock[0]), FormData([("once", "a")])
    sent = forms.sent("anna", "/stop", form)
    assert forms.sent("ben", "/stop", form) is not sent
    assert forms.sent("anna", "/resume", form) is not sent
    assert forms.sent("anna", "/stop", FormData([("kind", "all")])) is None
    clock[0] = LASTS_S + 1
    assert forms.sent("anna", "/stop", form) is not sent


def test_no_crowd_of_forms_fills_the_memory(clock: list[float]) -> None:
    forms = Forms(lambda: clock[0])
    first = forms.sent("anna", "/stop", FormData([("once", "first")]))
    for number in range(MOST):
        forms.sent("anna", "/stop", FormData([("once", str(number))]))
    assert forms.sent("anna", "/stop", FormData([("once", "first")])) is not first
