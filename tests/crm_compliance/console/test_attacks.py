"""What somebody who is signed in, or is not, could try at the console (docs/security.md). Everybody is
fictitious."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

import pytest
from starlette.applications import Starlette

from crm_compliance.console.access.sessions import form_token
from crm_compliance.console.app import INSIDE, OUTSIDE
from crm_compliance.console.frame.services import Busy, Services, waiting_for
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.plans import progress
from crm_compliance.console.work.act_under_way import Ended, Work
from crm_compliance.service.web.server import HEADERS
from crm_compliance.store.sql.problems import StoreUnusable
from jobs.model.plan import Kind, Plan
from jobs.model.run import Run, RunState
from jobs.runs.journal import Journal
from rules.errors import Refused
from rules.model.roles import HUMAN_ROLES, Role
from tests.crm_compliance.cli.requests.family import LOTTE, lotte
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases
from tests.meanwhile import between

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_one_person_says_one_word_however_often_at_once(org: Night, plan: str, signed_in: Callable[..., Browser]) -> None:
    browsers = [signed_in(Role.DPO) for _ in range(4)]
    tokens = [browser.token for browser in browsers]
    with ThreadPoolExecutor(4) as pool:

        def approve(number: int) -> int:
            given = {"csrf": tokens[number % 4], "comment": "looked through"}
            browser = browsers[number % 4]
            return browser.client.post(f"/plans/{plan}/approve", data=given, headers={"Sec-Fetch-Site": "same-origin"}).status_code

        codes = list(pool.map(approve, range(8)))
    assert sorted(codes)[0] == 303
    assert sorted(codes)[1:] != [303] * 7
    found = org.store.plans.get(plan)
    assert [word.role for word in found.given] == ["dpo"]
    told = [entry for entry in org.store.ledger.entries() if entry.kind == "plan_approved"]
    assert len(told) <= 1


def test_two_people_at_the_same_instant_are_two_words(org: Night, plan: str, signed_in: Callable[..., Browser]) -> None:
    browsers = [signed_in(Role.DPO), signed_in(Role.CRM_ADMIN)]
    tokens = [browser.token for browser in browsers]
    with ThreadPoolExecutor(2) as pool:

        def approve(number: int) -> int:
            given = {"csrf": tokens[number], "comment": ""}
            return browsers[number].client.post(f"/plans/{plan}/approve", data=given, headers={"Sec-Fetch-Site": "same-origin"}).status_code

        assert list(pool.map(approve, range(2))) == [303, 303]
    found = org.store.plans.get(plan)
    assert sorted(word.role for word in found.given) == ["crm_admin", "dpo"]
    assert found.state(org.clock()).value == "ready"


def test_a_word_between_the_two_readings_of_another_is_no_alteration(
    org: Night, plan: str, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan is read, and then the ledger: the word that came between is in the ledger alone."""
    dpo, admin = signed_in(Role.DPO), signed_in(Role.CRM_ADMIN)
    said: list[int] = []
    between(monkeypatch, "jobs.checks.ledger_drift.Believed", lambda: said.append(admin.post(f"/plans/{plan}/approve").status_code))
    assert dpo.post(f"/plans/{plan}/approve").status_code == 303
    assert said == [303]
    assert sorted(word.role for word in org.store.plans.get(plan).given) == ["crm_admin", "dpo"]


def test_a_run_whose_plan_is_rejected_begins_nothing_more(
    org: Night, typist: Typist, plan: str, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who rejects it would believe that nothing goes any more, though the run is at work."""
    typist.approve_first(plan)
    dpo, carry_out = signed_in(Role.DPO), Journal.carry_out

    def rejected_then(journal: Journal, *given: Any) -> None:
        carry_out(journal, *given)
        if not org.store.plans.approvals([plan])[plan][-1].approves:
            return
        assert dpo.post(f"/plans/{plan}/reject", comment="not yet").status_code == 303

    monkeypatch.setattr(Journal, "carry_out", rejected_then)
    run, before = typist.ask("apply", plan)["run"], org.writes()
    counts = org.store.runs.get(run).counts
    assert (counts["deleted"], counts["skipped"]) == (1, {"PLAN_REJECTED": 4})
    assert typist.ask("apply", plan)["run"] == run
    assert org.writes() == before
    assert typist.ask("ledger", "verify")["ok"] is True


@pytest.mark.parametrize(
    "after", ["jobs.checks.ledger_drift.Believed", "jobs.runs.apply.refuse_altered", "jobs.runs.apply.refuse_other_clock"]
)
def test_a_plan_that_is_rejected_while_its_run_begins_is_not_carried_out(
    org: Night, typist: Typist, plan: str, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """What a run goes by is read, of the whole store and of the CRM: that takes a while. Nobody has altered
    the database."""
    typist.approve_first(plan)
    dpo = signed_in(Role.DPO)
    between(monkeypatch, after, lambda: dpo.post(f"/plans/{plan}/reject", comment="not yet"))
    before = org.writes()
    assert "rejected" in typist.refused("apply", plan, code=5)["message"]
    assert org.writes() == before
    assert org.store.runs.of_plan(plan) is None


def test_a_word_for_another_plan_or_role_in_the_form_changes_nothing(org: Night, plan: str, signed_in: Callable[..., Browser]) -> None:
    """Who acts is the session's business, whatever a form says."""
    browser = signed_in(Role.AUDITOR)
    answer = browser.post(f"/plans/{plan}/approve", role="dpo", who="demo-ben", person="demo-ben")
    assert answer.status_code == 403
    assert org.store.plans.get(plan).given == ()


def test_a_role_that_the_sign_in_did_not_bring_is_not_taken(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.AUDITOR)
    browser.post("/role", role="dpo")
    assert browser.get("/requests/new").status_code == 403


def test_what_is_there_and_not_ones_own_answers_as_what_is_not_there(plan: str, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.APPROVER)  # who sees no plans
    there, nowhere = browser.get(f"/plans/{plan}"), browser.get("/plans/plan-000000000000")
    assert there.status_code == nowhere.status_code == 403
    assert there.text.replace(plan, "") == nowhere.text.replace("plan-000000000000", "")


def test_the_token_of_one_session_is_not_that_of_another(signed_in: Callable[..., Browser], plan: str) -> None:
    one, other = signed_in(Role.DPO), signed_in(Role.DPO)
    assert one.token != other.token
    answer = one.client.post(
        f"/plans/{plan}/reject", data={"csrf": other.token, "comment": "no"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("cookie", ["", "0", "a" * 43, "../../etc/passwd", "%00", "' OR 1=1 --", "ÿ" * 43])
def test_a_made_up_cookie_is_nobodys(browser: Browser, cookie: str) -> None:
    answer = browser.client.get("/plans", headers=[(b"Cookie", f"session={cookie}".encode())])
    assert answer.status_code == 303
    assert not any(form_token("", role) in answer.text for role in HUMAN_ROLES)


def test_texts_of_people_are_texts_on_every_page(org: Night, typist: Typist, signed_in: Callable[..., Browser]) -> None:
    """A name in the CRM, a name in a request, and what somebody types as a comment."""
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name=f"D {SCRIPT}"[:90])
    org.fiche("grooming", dossier=dossier, cf_summary=f"Lotte vertelt. {SCRIPT}")
    org.party(child, "child", dossier=dossier)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04", "lastname": f"Zandstra {SCRIPT}"}, kind="child").identify()
    asking.confirm(child).compile()
    people_and_cases(org)
    plan = typist.ask("plan")["plan"]
    dpo = signed_in(Role.DPO)
    dpo.post(f"/plans/{plan}/reject", comment=f"no {SCRIPT}")
    seen = {
        address: dpo.page(address) for address in (f"/requests/{asking.id}", f"/plans/{plan}", f"/plans/{plan}/lines", "/", "/requests")
    }
    for address, page in seen.items():
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address
    assert "&lt;script&gt;alert(1)" in seen[f"/requests/{asking.id}"], "it is shown, as text"


@pytest.mark.parametrize(
    "query", ["sort=__class__", "offset=-1", "limit=0", "outcome='", "page=9999999999999999999", "id=%FF", "sort=%F0%9F%92%A9"]
)
def test_a_strange_query_is_answered(plan: str, signed_in: Callable[..., Browser], query: str) -> None:
    assert signed_in(Role.DPO).get(f"/plans/{plan}/lines?{query}").status_code in (200, 400)


@pytest.mark.parametrize("charset", ["undefined", "idna", "zlib", "x" * 300])
@pytest.mark.parametrize("where", ["/preferences", "/signin", "/role"])
def test_a_form_in_an_encoding_that_is_none_is_refused(app: Starlette, signed_in: Callable[..., Browser], where: str, charset: str) -> None:
    browser = signed_in(Role.DPO)
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff..\r\n--x--\r\n'
    headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}", "X-CSRF-Token": browser.token}
    answer = browser.client.post(where, content=body, headers=headers)
    assert answer.status_code < 500
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("address", ["/plans/plan-%00", "/plans?before=%00", "/requests/%00", "/api/v1/plans/%00", "/d/%00"])
def test_a_zero_is_in_no_address_of_ours(signed_in: Callable[..., Browser], address: str) -> None:
    """PostgreSQL takes no text that has one."""
    assert signed_in(Role.DPO).get(address).status_code == 404


def test_nor_in_what_somebody_types(org: Night, plan: str, signed_in: Callable[..., Browser]) -> None:
    assert signed_in(Role.DPO).post(f"/plans/{plan}/reject", comment="a\0b").status_code == 400
    assert org.store.plans.get(plan).given == ()


@pytest.mark.parametrize("where", ["/preferences", "/signin", "/role"])
def test_halves_of_characters_are_no_form(signed_in: Callable[..., Browser], where: str) -> None:
    """An encoding of the sender's choice can make text that no page, header or row can hold."""
    body = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\\ud800\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=unicode_escape", "Sec-Fetch-Site": "same-origin"}
    assert signed_in(Role.DPO).client.post(where, content=body, headers=headers).status_code == 400


def test_a_page_with_a_strange_name_leads_to_the_way_in(browser: Browser) -> None:
    """Where somebody wanted to go is kept in a cookie, which takes no such sign."""
    assert browser.get("/requests/%C4%80").headers["Location"] == "/signin"
    assert browser.client.post("/signin", data={"who": "demo-ben"}).headers["Location"] == "/requests/%C4%80"


def test_a_form_without_its_boundary_is_refused_as_one(signed_in: Callable[..., Browser]) -> None:
    answer = signed_in(Role.DPO).client.post("/role", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (400, "no-store")


def test_a_failure_before_any_page_is_answered_with_the_guarding_headers(
    app: Starlette, services: Services, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Anna Voorbeeld (fictief)")

    monkeypatch.setattr(type(services.store.sessions), "get", broken)
    answer = browser.client.get("/plans", headers={"Cookie": "session=x"})
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert "Anna" not in answer.text


def test_a_page_that_cannot_be_answered_is_named_in_the_log_and_nobody_is(
    services: Services,
    plan: str,
    signed_in: Callable[..., Browser],
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[], list[dict[str, Any]]],
) -> None:
    dpo = signed_in(Role.DPO)

    def away(*_: object) -> None:
        raise StoreUnusable("the database cannot be reached")

    monkeypatch.setattr(type(services.store.plans), "get", away)
    answer = dpo.get(f"/plans/{plan}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert [(line["event"], line["operation"]) for line in told()] == [("a page could not be answered", "/plans/{plan}")]


@pytest.mark.parametrize("address", ["/", "/plans", "/nothing", "/runs/run-1/progress"])
def test_while_the_database_is_away_every_address_says_when_to_come_again(
    services: Services, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    dpo = signed_in(Role.DPO, "nl")

    def away(*_: object) -> None:
        raise StoreUnusable("the database cannot be reached", where="postgresql://crm@db.example/crm")

    monkeypatch.setattr(type(services.store.sessions), "get", away)
    answer = dpo.get(address)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    said = text_of(answer.text)
    assert ("De databank van deze dienst" in said, "Dit kan nu niet" in said, "Het CRM antwoordt niet" in said) == (True, True, False)
    assert "crm@" not in answer.text


def test_a_stream_ends_with_the_session_that_asked_for_it(
    org: Night, plan: str, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(id="run-1", kind=Kind.ALL, plan=plan, state=RunState.RUNNING, as_of=org.clock(), started_at=org.clock())
    org.store.runs.start(run, ("run_started", {"plan": plan}))
    looked = progress.progress_of

    def signs_out(visit: Visit, of: Plan) -> object:
        visit.services.sessions.end(visit.token)
        return looked(visit, of)

    monkeypatch.setattr(progress, "EVERY_S", 0)
    monkeypatch.setattr(progress, "progress_of", signs_out)
    assert signed_in(Role.CRM_ADMIN).get(f"/plans/{plan}/progress").text.count("event: progress\n") == 1


def test_whoever_does_not_wait_in_the_queue_is_told_at_once() -> None:
    """Somebody who asks for the same slow thing forty times takes no thread from the pages of others."""
    places, queue = BoundedSemaphore(1), BoundedSemaphore(1)
    with waiting_for(places, queue, 3600, "taken"), pytest.raises(Busy), waiting_for(places, queue, 3600, "taken"):
        pass
    with waiting_for(places, queue, 0, "taken"):
        pass


@pytest.mark.parametrize(("fetched", "leads_to"), [("document", "/quarantine"), ("image", "/"), ("empty", "/")])
def test_a_picture_or_a_stream_is_no_page_to_come_back_to(browser: Browser, fetched: str, leads_to: str) -> None:
    browser.get("/quarantine", **{"Sec-Fetch-Dest": fetched})
    assert browser.client.post("/signin", data={"who": "demo-ben"}).headers["Location"] == leads_to


@pytest.mark.parametrize("address", ["//[", "//example.org", "http://[", "/\\example.org", "//\u2100.com"])
def test_an_address_that_is_none_leads_home_and_keeps_nobody_out(browser: Browser, address: str) -> None:
    cookie = f"wanted={address}".encode()
    assert browser.client.post("/signin", data={"who": "demo-ben"}, headers=[(b"Cookie", cookie)]).headers["Location"] == "/"
    assert browser.client.post("/preferences", data={"here": address, "theme": "dark"}).headers["Location"] == "/"


@pytest.mark.parametrize("origin", ["http://[", "null", "//127.0.0.1:8080@example.org", "http://127.0.0.1:8080.example.org"])
def test_an_origin_that_is_none_is_not_ours(signed_in: Callable[..., Browser], origin: str) -> None:
    browser = signed_in(Role.DPO)
    answer = browser.client.post("/role", data={"csrf": browser.token, "role": "dpo"}, headers={"Origin": origin})
    assert answer.status_code == 403


def test_a_number_of_five_thousand_digits_is_no_number(typist: Typist, signed_in: Callable[..., Browser]) -> None:
    asking = Asking(typist).open(LOTTE, kind="child")
    answer = signed_in(Role.DPO).post(f"/requests/{asking.id}/told", notice="9" * 5000, told_on="2026-11-25")
    assert 400 <= answer.status_code < 500


def test_how_an_act_ended_is_not_told_in_a_role_that_is_told_of_no_answers(
    typist: Typist, services: Services, signed_in: Callable[..., Browser]
) -> None:
    """Somebody began it as a DPO, and looks again as an auditor."""
    asking = Asking(typist).open(LOTTE, kind="child")
    work = Work(asking.id, "match", "demo-ines", services.clock())

    def fails() -> Ended:
        raise Refused("something was found", code="needle")

    services.background.begin(work, fails)
    assert "something was found" not in signed_in(Role.AUDITOR).page(f"/requests/{asking.id}")
    assert services.background.of(asking.id) is work, "it waits for who may be told"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"])
def test_every_answer_to_every_method_is_guarded_and_kept_by_no_cache(signed_in: Callable[..., Browser], method: str) -> None:
    browser = signed_in(Role.AUDITOR)
    for path in (*{each.path for each in (*INSIDE, *OUTSIDE)}, "/d/x", "/healthz", "/metrics", "/nothing", "/api/v1/plans", "/api/v1/x"):
        answer = browser.client.request(method, re.sub(r"{[^}]*}", "nothing", path))
        assert answer.status_code < 500, path
        assert answer.headers["Cache-Control"] == "no-store", path
        assert {name.lower() for name in HEADERS} <= set(answer.headers), path


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("address", ["/history?from={0}", "/history?to={0}", "/history/audit?to={0}", "/history/audit?from={0}&to={0}"])
def test_a_day_beyond_all_calendars_is_refused(plan: str, signed_in: Callable[..., Browser], address: str, day: str) -> None:
    assert signed_in(Role.AUDITOR).get(address.format(day)).status_code == 400
