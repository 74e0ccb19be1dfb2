"""Every route with every role (section 9.4), and with nobody: what the routes say of themselves is what
happens."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from crm_compliance.console.app import INSIDE, OUTSIDE
from crm_compliance.console.frame.endpoint import Endpoint
from rules.model.roles import HUMAN_ROLES, MAY, TITLES, Role
from tests.crm_compliance.console.browser import Browser
from tests.drivers.night import Night

NOT_PAGES = {"/d/{token}", "/d/{rest:path}", "/healthz", "/metrics", "/static/{path:path}", "/{path:path}"}


def address(endpoint: Endpoint) -> str:
    """An address of the route that leads to nothing that there is."""
    return "/".join("nothing" if part.startswith("{") else part for part in endpoint.path.split("/"))


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_no_route_is_in_no_list(app: Starlette) -> None:
    served = {
        (path, frozenset(route.methods or ()) & {"GET", "POST"})
        for route in app.routes
        if isinstance(route, Route)
        for path in [route.path]
    }
    listed = {(each.path, frozenset({each.method})) for each in (*INSIDE, *OUTSIDE)}
    assert {each for each in served if each[0] not in NOT_PAGES} == listed


def test_each_address_is_there_once() -> None:
    names = [name(each) for each in (*INSIDE, *OUTSIDE)]
    assert len(set(names)) == len(names)


def test_nobody_gets_no_further_than_the_way_in(browser: Browser, subtests: pytest.Subtests) -> None:
    for endpoint in INSIDE:
        with subtests.test(name(endpoint)):
            answer = browser.client.request(endpoint.method, address(endpoint))
            assert (answer.status_code, answer.headers["Location"], answer.text) == (303, "/signin", "")


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_a_role_that_may_not_is_refused_and_that_is_kept(
    org: Night, signed_in: Callable[..., Browser], role: Role, subtests: pytest.Subtests
) -> None:
    browser = signed_in(role)
    token, known = browser.token, len(list(org.store.ledger.entries()))
    for endpoint in INSIDE:
        if endpoint.act is None or role in MAY[endpoint.act]:
            continue
        with subtests.test(name(endpoint)):
            answer = browser.client.request(endpoint.method, address(endpoint), **sent(endpoint, token, {"Sec-Fetch-Site": "same-origin"}))
            told = list(org.store.ledger.entries())[known:]
            known += len(told)
            assert answer.status_code == 403
            assert all(TITLES[each] in answer.text for each in MAY[endpoint.act] & set(HUMAN_ROLES)), "whom to ask"
            denied = [entry.data for entry in told if entry.kind == "denied"]
            assert [(each["action"], each["role"], each["code"]) for each in denied] == [(endpoint.act.value, role.value, "role")]
            assert "demo-" not in str(denied)


def sent(endpoint: Endpoint, token: str, headers: dict[str, str]) -> dict[str, Any]:
    """What a request carries: a form its token."""
    return {"headers": headers, **({"data": {"csrf": token}} if endpoint.method == "POST" else {})}


@pytest.mark.parametrize("wrong", ["no token", "another token", "another site", "another origin"])
def test_a_form_from_elsewhere_changes_nothing(
    org: Night, signed_in: Callable[..., Browser], wrong: str, subtests: pytest.Subtests
) -> None:
    browsers: dict[Role, Browser] = {role: signed_in(role) for role in HUMAN_ROLES}
    tokens: dict[Role, str] = {role: browser.token for role, browser in browsers.items()}
    before = len(list(org.store.ledger.entries()))
    for endpoint in INSIDE:
        if endpoint.method != "POST":
            continue
        with subtests.test(name(endpoint)):
            role = next(iter(MAY[endpoint.act])) if endpoint.act and Role.SERVICE not in MAY[endpoint.act] else Role.DPO
            token, headers = tokens[role], {"Sec-Fetch-Site": "same-origin"}
            if wrong == "no token":
                token = ""
            elif wrong == "another token":
                token = "0" * 64
            elif wrong == "another site":
                headers = {"Sec-Fetch-Site": "cross-site"}
            else:
                headers = {"Origin": "https://example.org"}
            answer = browsers[role].client.request("POST", address(endpoint), **sent(endpoint, token, headers))
            assert answer.status_code == 403
            assert len(list(org.store.ledger.entries())) == before


def test_a_link_of_a_package_that_is_torn_is_answered_as_a_dead_one(browser: Browser) -> None:
    """In every language of those who get answers; who holds it has no account here."""
    dead = browser.get("/d/nothing").text
    assert "werkt niet" in dead
    for address_of_it in ("/d/", "/d/nothing/", "/d/nothing/more"):
        answer = browser.get(address_of_it)
        assert (answer.status_code, answer.text) == (404, dead)
