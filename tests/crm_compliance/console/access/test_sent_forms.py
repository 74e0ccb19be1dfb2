"""A form that is sent again is answered with what came of it the first time. Everybody is fictitious."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from crm_compliance.console.access.cookies import NOTE
from crm_compliance.console.access.sent_forms import LASTS, Forms, answered_once
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.console.pages.plans.new_plan import SUBJECT
from crm_compliance.console.work.act_under_way import Ended, OnCounts
from crm_compliance.console.work.process import Asked
from crm_compliance.host.files import DiskProblem
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.console.live import live
from tests.drivers.night import Night
from tests.drivers.typist import people_and_cases

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


def test_an_approval_that_is_sent_twice_is_one_and_nobody_is_refused(org: Night, plan: str, signed_in: Signed) -> None:
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

    def slow(asked: Asked, told: OnCounts) -> Ended:
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


FORM = FormData([("once", "a"), ("kind", "Voorbeeld (fictief)"), ("csrf", "x")])
NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


@pytest.fixture
def token(services: Services) -> str:
    return services.sessions.begin("oid-1", ("dpo",), "", NOW)


def test_what_was_refused_may_be_sent_again(org: Night, token: str) -> None:
    forms = Forms(org.store.sent_forms)
    answers: list[Response] = [PlainTextResponse("no", status_code=409), RedirectResponse("/plans", status_code=303)]
    led = list[str]()
    for _ in range(3):
        sent = forms.sent(token, "/plans/making", FORM)
        assert sent is not None
        answered_once(sent, NOW, lambda: answers.pop(0), lambda led_to: led.append(led_to) or PlainTextResponse(led_to))  # type: ignore[func-returns-value]
    assert (answers, led) == ([], ["/plans"])


@pytest.mark.parametrize("is_done", [False, True])
def test_what_a_full_disk_kept_from_being_noted_of_a_form_is_known_when_it_is_sent_again(
    org: Night, token: str, is_done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was not done is carried out then, one that was done is not, and says so at once."""
    forms, led, answers = Forms(org.store.sent_forms), list[str](), list[Response]()

    def full(*_: object) -> None:
        raise DiskProblem("the disk of the database is full")

    def answer() -> Response:
        if disk_is_full and not is_done:
            full()
        answers.append(RedirectResponse("/plans", status_code=303))
        return answers[-1]

    def send() -> Response:
        sent = forms.sent(token, "/plans/making", FORM)
        assert sent is not None
        return answered_once(sent, NOW, answer, lambda led_to: led.append(led_to) or PlainTextResponse(led_to))  # type: ignore[func-returns-value]

    disk_is_full = True
    with monkeypatch.context() as patched:
        for write in ("answer", "forget"):
            patched.setattr(org.store.sent_forms, write, full)
        if is_done:
            assert send() is answers[0]
        else:
            with pytest.raises(DiskProblem):
                send()
        with pytest.raises(DiskProblem):
            send()
    disk_is_full = False
    send()
    assert (len(answers), led) == (1, ["/plans"] if is_done else [])
    send()
    assert (len(answers), led[-1]) == (1, "/plans")


def test_a_form_is_the_same_for_one_session_and_one_address_and_an_hour(org: Night, services: Services, token: str) -> None:
    forms, other = Forms(org.store.sent_forms), services.sessions.begin("oid-2", ("dpo",), "", NOW)

    def led(token: str, path: str, form: FormData, now: datetime = NOW) -> str:
        sent = forms.sent(token, path, form)
        assert sent is not None
        before = sent.begin(now)
        if not before:
            sent.keep(RedirectResponse("/done", status_code=303))
        return before

    again = FormData([*FORM.multi_items()[:2], ("csrf", "y")])
    assert (led(token, "/stop", FORM), led(token, "/stop", again)) == ("", "/done")
    assert (led(other, "/stop", FORM), led(token, "/resume", FORM)) == ("", "")
    assert led(token, "/stop", FormData([("once", "b")])) == ""
    assert led(token, "/stop", FORM, NOW + LASTS - timedelta(seconds=1)) == "/done"
    assert led(token, "/stop", FORM, NOW + LASTS) == ""
    assert forms.sent(token, "/stop", FormData([("kind", "all")])) is None
    with org.store.database.reading() as connection:
        kept = connection.execute(text("SELECT * FROM sent_forms")).all()
    assert len(kept) == 1, "what is an hour old goes with the next form"
    assert not [each for each in ("done", "stop", "Voorbeeld", token) if each in str(kept)], "sealed"
    services.sessions.end(token)
    with org.store.database.reading() as connection:
        assert connection.execute(text("SELECT * FROM sent_forms")).all() == [], "it goes with the session"


def test_after_a_restart_a_form_that_is_sent_again_is_the_same(org: Night, plan: str, app: Starlette, services: Services) -> None:
    """Two services over one store, one after the other: the second knows what the first was sent."""
    before, path = Browser(app).sign_in(Role.CRM_ADMIN), f"/plans/{plan}/approve"
    form = {"comment": "looked at", "once": key_on(before.page(f"/plans/{plan}"), path)}
    assert before.post(path, **form).status_code == 303
    again = Services(services.settings, org.store, services.clock, services.sessions, carry_out=services.carry_out)
    after = Browser(app_of(Downloads(org.store, services.clock), console=routes(again)))
    after.client.cookies = before.client.cookies
    answer = after.post(path, **form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/plans/{plan}")
    assert "had been sent already" in text_of(after.page(f"/plans/{plan}"))
    assert [word.who for word in org.store.plans.get(plan).given] == ["demo-anna"]
    assert "denied" not in {entry.kind for entry in org.store.ledger.entries()}


def test_nobody_says_that_a_form_was_done_which_the_end_of_the_service_has_cut_off(
    org: Night, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    dpo, dossier = Browser(app).sign_in(Role.DPO), org.dossier("social_card", fiches=0)
    page = dpo.page(f"/holds/new?table=cf_dossier&id={dossier}")
    form = {"scope": "row", "table": "cf_dossier", "id": dossier, "type": "judicial", "reason": "REQ-1", "basis": "letter"}
    form |= {"review_on": "2027-02-01", "once": key_on(page, "/holds/new")}

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        for name in ("answer", "forget"):
            patched.setattr(type(org.store.sent_forms), name, killed)
        dpo.client.portal = None  # a loop of its own, which ends with the process
        with pytest.raises(BaseException):  # noqa: B017, PT011 - how the test client says that the process is gone
            dpo.post("/holds/new", **form)
    assert len(org.store.holds.all()) == 1
    answer = dpo.post("/holds/new", **form)
    assert answer.status_code == 409
    assert "Look whether it was done" in text_of(answer.text)
    assert len(org.store.holds.all()) == 1
    form["once"] = key_on(dpo.page("/holds/new"), "/holds/new")
    assert dpo.post("/holds/new", **form).status_code == 303, "a page that was opened again sends another form"
