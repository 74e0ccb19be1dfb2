"""Calls of scripts: who may, what they get, and what a wrong call is told. Everybody is fictitious."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from itertools import count
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx2 import Response
from starlette.applications import Starlette

from connectors.dynamics.connector import DynamicsConnector
from crm_compliance.console.api.answers import ROOT as ROOT_OF_CALLS
from crm_compliance.console.api.app import BODY_BYTES, ROUTERS, TRIES
from crm_compliance.console.frame.services import Services
from crm_compliance.console.work.act_under_way import Counts, Ended, OnCounts
from crm_compliance.console.work.process import Asked
from crm_compliance.host.files import DiskProblem
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from crm_compliance.keys.key_ring import KeysMissing
from crm_compliance.store.sql.problems import StoreUnusable
from rules.errors import ComplianceError
from rules.model.requests import RequestState
from rules.model.roles import HUMAN_ROLES, MAY, Act, Role
from tests.crm_compliance.console.browser import Browser, client_of, text_of
from tests.crm_compliance.nights import Applied
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.requesting import changed
from tests.drivers.typist import people_and_cases

OPERATIONS = [
    (route, method) for router in ROUTERS for route in router.routes if isinstance(route, APIRoute) for method in route.methods or ()
]
FORM = {
    "right": "access",
    "requester_kind": "donor",
    "received_at": "2026-11-25T09:30:00Z",
    "channel": "form",
    "language": "nl",
    "given": {"firstname": "Voorbeeld", "lastname": "Donor (fictief)", "birthdate": "1985-07-30", "emails": ["voorbeeld@example.org"]},
}


class Script:
    """Calls the interface as one of the demo's people."""

    def __init__(self, app: Starlette, role: Role) -> None:
        who = next(person.who for person in DEMO_PEOPLE if person.role is role)
        self.client = client_of(app, headers={"Authorization": f"Bearer {who}"}, raise_server_exceptions=False)

    def call(self, method: str, path: str, **given: Any) -> Response:
        return self.client.request(method, f"/api/v1{path}", **given)

    def ask(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        answer = self.call("POST", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


def made(script: Script, services: Services, **wanted: str) -> Any:
    """A plan that was asked for, once it is there."""
    begun = script.call("POST", "/plans", json=wanted)
    assert begun.status_code == 202, begun.text
    work = services.background.of(f"plan {begun.json()['plan']}")
    assert work is None or work.wait(60)
    assert script.call("GET", begun.headers["Location"].removeprefix(ROOT_OF_CALLS)).json()["state"] == "made"
    return script.ask(f"/plans/{begun.json()['plan']}")


def act(route: APIRoute) -> Act | None:
    found = [getattr(each.call, "act", None) for each in route.dependant.dependencies]
    return next((each for each in found if isinstance(each, Act)), None)


def test_every_operation_takes_an_act() -> None:
    assert len(OPERATIONS) > 15
    assert [route.path for route, _ in OPERATIONS if act(route) is None] == []


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_who_may_not_is_refused_and_that_is_kept(app: Starlette, org: Night, role: Role, subtests: pytest.Subtests) -> None:
    script = Script(app, role)
    for route, method in OPERATIONS:
        wanted = act(route)
        assert wanted is not None
        path = route.path.replace("{id}", "00000000-0000-0000-0000-000000000001")
        path = "/".join("nothing" if part.startswith("{") else part for part in path.split("/"))
        with subtests.test(f"{method} {route.path}"):
            before = len(list(org.store.ledger.entries()))
            answer = script.call(method, path, json=None if method == "GET" else {})
            if role in MAY[wanted]:
                assert answer.status_code not in (401, 403), answer.text
                continue
            told = [entry.data for entry in list(org.store.ledger.entries())[before:] if entry.kind == "denied"]
            assert answer.status_code == 403, answer.text
            assert answer.json()["error"]["code"] == "role"
            assert [(each["action"], each["role"]) for each in told] == [(wanted.value, role.value)]
            assert "demo-" not in str(told)


@pytest.mark.parametrize("header", [None, "Bearer ", "Basic ZGVtby1iZW46", "Bearer nobody", "Bearer demo-ben2", "demo-ben"])
def test_without_a_good_token_nothing_is_answered(app: Starlette, header: str | None) -> None:
    client = client_of(app, headers={} if header is None else {"Authorization": header})
    answer = client.get("/api/v1/plans")
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["WWW-Authenticate"]) == (401, "token", "Bearer")


def test_the_session_of_a_browser_is_no_token(browser: Browser) -> None:
    browser.sign_in(Role.DPO)
    assert browser.get("/api/v1/plans").status_code == 401


def test_tokens_are_not_tried_without_end(app: Starlette) -> None:
    client = client_of(app)
    codes = [client.get("/api/v1/plans", headers={"Authorization": f"Bearer {number}"}).status_code for number in range(TRIES + 1)]
    assert codes == [*[401] * TRIES, 429]


def test_a_plan_is_made_looked_through_and_approved_by_two(app: Starlette, org: Night, services: Services) -> None:
    people_and_cases(org)
    admin, dpo, auditor = (Script(app, role) for role in (Role.CRM_ADMIN, Role.DPO, Role.AUDITOR))
    plan = made(admin, services, kind="all")
    assert (plan["state"], plan["units"] > 0) == ("waiting", True)
    name = plan["plan"]
    page = auditor.ask(f"/plans/{name}/lines", outcome="dispose", limit=1)
    assert page["total"] == sum(plan["dispose"].values())
    assert [line["outcome"] for line in page["lines"]] == ["dispose"]
    unknown = auditor.call("GET", f"/plans/{name}/lines?disposition=erase")
    assert (unknown.status_code, unknown.json()["error"]["where"]) == (400, "query.disposition: literal error")
    assert page["facets"]["outcome"]["retain"] == plan["units"] - page["total"]
    everything, offset = [], 0
    while offset is not None:
        part = auditor.ask(f"/plans/{name}/lines", limit=2, offset=offset)
        everything += [line["id"] for line in part["lines"]]
        offset = part["next"]
    assert len(everything) == len(set(everything)) == plan["units"]
    refused = admin.call("POST", f"/plans/{name}/approve", json={"comment": "looked through"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "same_person"), "who made it has no word"
    given = dpo.act(f"/plans/{name}/approve", {"comment": "looked through"})["approvals"]["given"]
    assert [word["role"] for word in given] == ["dpo"]
    again = made(dpo, services)
    assert auditor.ask(f"/plans/{name}/changes/{again['plan']}")["unchanged"] == plan["units"]
    assert [each["plan"] for each in auditor.ask("/plans", limit=1)] == [again["plan"]]
    assert admin.act(f"/plans/{again['plan']}/reject", {"comment": "one is enough"})["state"] == "rejected"


def test_a_call_says_how_far_a_plan_is_and_one_is_made_at_a_time(app: Starlette, services: Services) -> None:
    go_on, told_of = threading.Event(), threading.Event()

    def slow(asked: Asked, told: OnCounts) -> Ended:
        told(Counts(rows=1234, requests=5))
        told_of.set()
        assert go_on.wait(60)
        raise ComplianceError("no token", code="token", hint="look")

    object.__setattr__(services, "carry_out", slow)
    admin = Script(app, Role.CRM_ADMIN)
    first = admin.call("POST", "/plans", json={}, headers={"Idempotency-Key": "one"})
    assert (first.status_code, first.headers["Retry-After"]) == (202, "5")
    plan, where = first.json()["plan"], first.headers["Location"].removeprefix(ROOT_OF_CALLS)
    assert told_of.wait(20)
    assert admin.ask(where) == {"plan": plan, "state": "going_on", "rows": 1234, "requests": 5, "error": None}
    again = admin.call("POST", "/plans", json={}, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["plan"]) == (202, plan), "the same call is the same plan"
    other = Script(app, Role.DPO).call("POST", "/plans", json={})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "busy")
    assert other.json()["error"]["where"] == f"plan {plan}", "what is waited for is the one that is being made"
    page = Browser(app).sign_in(Role.CRM_ADMIN)
    assert page.post("/plans/making", kind="all").status_code == 409
    assert "rows read so far: 1,234" in text_of(page.page("/plans")), "people see what a script has begun"
    go_on.set()
    work = services.background.of(f"plan {plan}")
    assert work is not None
    assert work.wait(20)
    failed = admin.ask(where)
    assert (failed["state"], failed["error"]["code"], failed["error"]["hint"]) == ("failed", "token", "look")
    assert admin.call("GET", "/plans/nothing/making").status_code == 400


def test_a_plan_or_a_word_on_it_that_is_sent_again_under_its_key_is_one(app: Starlette, org: Night, services: Services) -> None:
    """ACC-09, ACC-10: nobody is refused, and nothing is kept as an attempt, where a connection was lost."""
    people_and_cases(org)
    admin, dpo, key = Script(app, Role.CRM_ADMIN), Script(app, Role.DPO), {"Idempotency-Key": "key-1"}
    begun = admin.call("POST", "/plans", json={}, headers=key).json()["plan"]
    work = services.background.of(f"plan {begun}")
    assert work is not None
    assert work.wait(60)
    again = admin.call("POST", "/plans", json={}, headers=key)
    assert (again.status_code, again.json()) == (200, {"plan": begun, "state": "made", "rows": 0, "requests": 0, "error": None})
    assert [plan.id for plan in org.store.plans.all()] == [begun]
    answers = [dpo.call("POST", f"/plans/{begun}/approve", json={"comment": "good"}, headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert [word.who for word in org.store.plans.get(begun).given] == ["demo-ben"]
    assert "denied" not in {entry.kind for entry in org.store.ledger.entries()}
    for path, comment, given in (("reject", "good", key), ("approve", "better", key), ("approve", "good", {})):
        answer = dpo.call("POST", f"/plans/{begun}/{path}", json={"comment": comment}, headers=given)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "same_person"), "another word, or without a key"


class Queue:
    """A lock that says that a second one has come for it."""

    def __init__(self) -> None:
        self.lock, self.came, self.second = threading.Lock(), count(1), threading.Event()

    def __enter__(self) -> None:
        if next(self.came) == 2:
            self.second.set()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_a_word_that_is_sent_again_before_it_was_answered_is_one(
    app: Starlette, org: Night, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits no longer, and asks again, does so while the CRM is still asked for its time."""
    scripts, key, queue, begun = [Script(app, Role.DPO) for _ in range(2)], {"Idempotency-Key": "key-1"}, Queue(), threading.Event()

    def asked(*_: object) -> None:
        begun.set()
        assert queue.second.wait(60)

    monkeypatch.setattr("crm_compliance.console.api.plans._KEYED", queue)
    monkeypatch.setattr("crm_compliance.wiring.say_on_plan.refuse_approval_by_another_clock", asked)

    def approve(number: int) -> int:
        if number:
            assert begun.wait(60)
        return scripts[number].call("POST", f"/plans/{plan}/approve", json={"comment": "good"}, headers=key).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(approve, range(2))) == [200, 200]
    assert [word.who for word in org.store.plans.get(plan).given] == ["demo-ben"]
    assert "denied" not in {entry.kind for entry in org.store.ledger.entries()}


def test_why_a_unit_is_kept_is_told_step_by_step(app: Starlette, plan: str) -> None:
    line = Script(app, Role.DPO).ask(f"/plans/{plan}/lines", outcome="retain", limit=1)["lines"][0]
    address = f"/units/{line['table']}/{line['id'].upper()}/why"
    why = Script(app, Role.DPO).ask(address)
    assert (why["reason"], why["outcome"]) == (line["reason"], "retain")
    assert [step["rule"] for step in why["trace"]][-1:] != [""]
    assert len(why["trace"]) > 1
    assert Script(app, Role.AUDITOR).call("GET", address).status_code == 403, "it reads the CRM, as the page does"


def test_a_call_is_told_soon_that_the_crm_is_too_busy(app: Starlette, org: Night, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr("connectors.dynamics.connector.DynamicsConnector", partial(DynamicsConnector, sleep=naps.append))
    line = Script(app, Role.DPO).ask(f"/plans/{plan}/lines", limit=1)["lines"][0]
    set_faults(org.emulator, {"match": {}, "do": "status", "status": 429, "retry_after": 17})
    told = Script(app, Role.DPO).call("GET", f"/units/{line['table']}/{line['id']}/why")
    assert (told.status_code, "Retry-After" in told.headers) == (503, True)
    assert sum(naps) <= 60


def test_why_tells_no_day_of_birth_and_no_hold_to_whoever_may_not_see_it(app: Starlette, org: Night) -> None:
    """As the page does (ACC-04, section 9.4)."""
    dossier = org.dossier("grooming", closed=False, fiches=0)
    org.party(org.contact(birthdate="2014-03-02"), "child", dossier=dossier)
    told = {role: Script(app, role).ask(f"/units/cf_dossier/{dossier}/why")["trace"] for role in (Role.DPO, Role.CRM_ADMIN)}
    for role, trace in told.items():
        assert "2014-03-02" not in str(trace), role
        assert not {"birth_date", "recorded", "latest_birth_on"} & set(re.findall(r"'(\w+)':", str(trace))), role
        assert ("'holds'" in str(trace)) is (role is not Role.CRM_ADMIN)


def test_runs_and_the_ledger_are_for_who_may_see_the_history(app: Starlette, applied_night: Applied) -> None:
    run = applied_night.run
    auditor = Script(app, Role.AUDITOR)
    assert run in [each["run"] for each in auditor.ask("/runs")]
    shown = auditor.ask(f"/runs/{run}")
    assert sum(shown["outcomes"].values()) == shown["units"]
    verified = auditor.ask("/ledger/verification")
    assert (verified["ok"], verified["problems"]) == (True, [])


def test_a_hold_is_placed_by_one_and_released_by_another(app: Starlette, plan: str) -> None:
    dpo, approver = Script(app, Role.DPO), Script(app, Role.APPROVER)
    unit = dpo.ask(f"/plans/{plan}/lines", outcome="dispose", table="cf_dossier", limit=1)["lines"][0]
    wanted = {"type": "judicial", "table": unit["table"], "id": unit["id"], "reason": "CASE", "basis": "letter", "review_on": "2027-05-01"}
    hold = dpo.act("/holds", wanted, 201)["hold"]
    assert dpo.ask(f"/units/{unit['table']}/{unit['id']}/why")["outcome"] == "retain"
    assert [(each["hold"], each["state"]) for each in approver.ask("/holds", list="in_force")["holds"]] == [(hold, "active")]
    release = {"asked_by": "carl", "reason": "the case is closed"}
    assert dpo.call("POST", f"/holds/{hold}/release", json=release).status_code == 403
    assert approver.act(f"/holds/{hold}/release", release)["state"] == "released"


def test_holds_come_a_page_at_a_time_and_those_of_requests_only_to_whom_they_may(app: Starlette, org: Night, services: Services) -> None:
    """HLD-08, ACC-08, SUS-07."""
    dossier, flagged = org.dossier("social_card", spoken=date(2018, 3, 1)), org.dossier("grooming", cf_legalhold=True)
    org.contact(firstname="Voorbeeld", lastname="Donor (fictief)", birthdate="1985-07-30", emailaddress1="voorbeeld@example.org")
    dpo, auditor = Script(app, Role.DPO), Script(app, Role.AUDITOR)
    wanted = {"type": "judicial", "table": "cf_dossier", "id": dossier, "reason": "CASE", "basis": "letter", "review_on": "2027-05-01"}
    placed = [dpo.act("/holds", wanted, 201)["hold"] for _ in range(3)]
    made(dpo, services)
    request = dpo.act("/requests", FORM, 201)["request"]
    every, offset = list[dict[str, Any]](), 0
    while offset is not None:
        page = dpo.ask("/holds", offset=offset, limit=2)
        every += page["holds"]
        offset = page["next"]
    assert page["total"] == len(every)
    assert [each["hold"] for each in every][:4] == [*reversed(placed), f"crm:{flagged}"]
    assert {each["hold"] for each in every[4:]} == {request}
    assert [each["source"] for each in auditor.ask("/holds")["holds"]] == [*["placed"] * 3, "crm"]
    assert dpo.ask("/holds", source="crm")["total"] == dpo.ask("/holds", type="legal")["total"] == 1
    assert dpo.ask("/holds", id=dossier[:8], source="placed")["total"] == 3
    assert dpo.ask("/holds", list="over") == {"total": 0, "next": None, "holds": []}
    assert auditor.ask("/holds", source="request")["total"] == 0


def test_a_request_is_taken_in_and_moved_on(app: Starlette, org: Night) -> None:
    people_and_cases(org)
    dpo = Script(app, Role.DPO)
    request = dpo.act("/requests", FORM, 201)["request"]
    assert Script(app, Role.AUDITOR).ask(f"/requests/{request}")["state"] == "received"
    asked = dpo.act(f"/requests/{request}/suspend", {"reason": "identity", "asked_on": "2026-11-25"})
    assert (asked["state"], asked["due_on"]) == ("suspended", None)
    assert dpo.act(f"/requests/{request}/resume", {"answered_on": "2026-11-25"})["state"] != "suspended"
    assert dpo.act(f"/requests/{request}/identify", {"method": "known_channel"})["identity"]["method"] == "known_channel"
    late = dpo.call("POST", f"/requests/{request}/extend", json={"reason": "complex", "notified_at": "2026-11-25T10:00:00"})
    assert (late.status_code, late.json()["error"]["where"]) == (400, "notified_at")
    assert dpo.act(f"/requests/{request}/close", {"outcome": "WITHDRAWN"})["state"] == "closed"
    told = [entry.data for entry in org.store.ledger.entries() if entry.kind == "request"]
    assert "Voorbeeld" not in str(told)


def test_rf08_access_that_was_compiled_is_closed_as_excessive(app: Starlette, org: Night) -> None:
    people_and_cases(org)
    dpo = Script(app, Role.DPO)
    request = dpo.act("/requests", FORM, 201)["request"]
    changed(org, request, state=RequestState.REVIEWING, answer="package")
    closed = dpo.act(f"/requests/{request}/close", {"outcome": "REFUSED:RF-08"})
    assert (closed["state"], closed["outcome"], closed["refusal"]) == ("closed", "REFUSED", "RF-08")


def test_a_call_that_is_sent_again_under_its_key_makes_one(app: Starlette, org: Night) -> None:
    """A connection that was lost before the answer came; other contents, another key and no key at all are
    another request or hold (DDL-15)."""
    dossier = org.dossier("social_card", spoken=date(2018, 3, 1))
    hold = {"type": "judicial", "table": "cf_dossier", "id": dossier, "reason": "CASE", "basis": "letter", "review_on": "2027-05-01"}
    for path, body, name, other in (
        ("/requests", FORM, "request", {**FORM, "right": "erasure"}),
        ("/holds", hold, "hold", {**hold, "basis": "another letter"}),
    ):

        def sent(body: dict[str, Any], key: str, path: str = path, name: str = name) -> tuple[int, str]:
            answer = Script(app, Role.DPO).call("POST", path, json=body, headers={"Idempotency-Key": key} if key else {})
            return answer.status_code, answer.json()[name]

        first, again = sent(body, "key-1"), sent(body, "key-1")
        assert (first[0], again) == (201, (200, first[1]))
        others = [sent(other, "key-1"), sent(body, "key-2"), sent(body, ""), sent(body, "")]
        assert [status for status, _ in others] == [201] * 4
        assert len({first[1], *(made for _, made in others)}) == 5
    assert (len(org.store.requests.all()), len(org.store.holds.all())) == (5, 5)


def test_a_wrong_call_is_told_where_and_never_what(app: Starlette, org: Night) -> None:
    wrong = {**FORM, "given": {"lastname": ["Geheim (fictief)"], "Geheim (fictief)": ""}}
    answer = Script(app, Role.DPO).call("POST", "/requests", json=wrong)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "usage")
    assert "given.lastname" in error["where"]
    assert "Geheim" not in answer.text
    assert list(org.store.requests.all()) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/plans/nothing", 400, "usage"),
        ("GET", "/requests/nothing", 400, "usage"),
        ("GET", "/runs/nothing", 400, "usage"),
        ("GET", "/plans/nothing/making", 400, "usage"),
        ("POST", "/holds/nothing/release", 400, "usage"),
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/plans", 405, "usage"),
        ("GET", "/plans?limit=0", 400, "usage"),
        ("GET", "/plans/nothing/lines?outcome=foo", 400, "usage"),
        ("GET", "/units/cf_dossier/nothing/why", 400, "usage"),
    ],
)
def test_what_is_not_there_has_a_code(app: Starlette, method: str, path: str, status: int, code: str) -> None:
    answer = Script(app, Role.DPO).call(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "nothing" not in answer.text.replace("there is nothing at this address", ""), "what stands there may be a name"


def test_a_body_is_no_larger_than_a_call_needs(app: Starlette) -> None:
    answer = Script(app, Role.DPO).call("POST", "/requests", content=b" " * (BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_what_goes_wrong_in_here_is_not_told(app: Starlette, monkeypatch: pytest.MonkeyPatch, services: Any) -> None:
    def answer(error: Exception) -> Response:
        def broken(*_: object) -> None:
            raise error

        monkeypatch.setattr(type(services.store.plans), "newest", broken)
        return Script(app, Role.DPO).call("GET", "/plans")

    bug = answer(RuntimeError("Anna Voorbeeld (fictief)"))
    assert (bug.status_code, bug.json()["error"]["code"]) == (500, "bug")
    assert "Anna" not in bug.text
    for failed in (
        StoreUnusable("the database cannot be reached", where="postgresql://crm@db.example/crm"),
        DiskProblem("/var/lib/crm/state.db cannot be used", where="/var/lib/crm/state.db"),
        KeysMissing("/var/lib/crm/keys: keys are missing: r-2026", where="/var/lib/crm/keys"),
    ):
        told = answer(failed)
        assert (told.status_code, told.json()["error"]["code"]) == (503 if failed.code == "store" else 500, failed.code)
        assert told.headers.get("Retry-After") == ("60" if failed.code == "store" else None)
        assert not re.search("/var/|crm@", told.text), "paths and addresses are for who is on the machine"
