"""Service protection: the three limits, for each user and each web server."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.connectors.emulator.client import Client
from tests.web_api import error_of, statuses

pytestmark = pytest.mark.usefixtures("real_http")


def allow(crm: Client, **allowance: float) -> None:
    crm.control("PUT", "limits", {"on": True, **allowance})


def ask(crm: Client, server: str = "") -> requests.Response:
    headers = {"Authorization": crm.http.headers["Authorization"]} | ({"Cookie": f"ARRAffinity={server}"} if server else {})
    return requests.get(crm.url + "WhoAmI", headers=headers, timeout=10)


@pytest.mark.row(16)
def test_six_thousand_requests_are_allowed_and_the_headers_count_down(crm: Client) -> None:
    allow(crm)
    left = [int(ask(crm).headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) for _ in range(3)]
    assert left == [5999, 5998, 5997]


@pytest.mark.row(16)
def test_too_many_requests_are_refused_until_the_window_slides(crm: Client) -> None:
    allow(crm, requests=3)
    assert [ask(crm).status_code for _ in range(3)] == [200, 200, 200]
    answer = ask(crm)
    assert error_of(answer) == (429, "0x80072322")
    assert answer.headers["Content-Type"] == "application/json; odata.metadata=minimal"
    assert answer.json()["error"]["message"] == "Number of requests exceeded the limit of 3 over time window of 300 seconds."
    assert 290 <= int(answer.headers["Retry-After"]) <= 302
    assert answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "0"
    crm.control("PUT", "clock", {"advance_s": int(answer.headers["Retry-After"])})
    assert ask(crm).status_code == 200
    assert crm.emulator.stats()["throttled"] == 1


@pytest.mark.row(16)
def test_the_documented_message_is_given_at_the_documented_limit(crm: Client) -> None:
    allow(crm, requests=6000)
    crm.emulator.emulator.limits.account(crm.row("WhoAmI")["UserId"], "b").requests = 6000
    assert ask(crm, "b").json()["error"]["message"] == "Number of requests exceeded the limit of 6000 over time window of 300 seconds."


@pytest.mark.row(16)
def test_asking_again_too_early_makes_the_wait_longer(crm: Client) -> None:
    allow(crm, requests=1)
    ask(crm)
    waits = [int(ask(crm).headers["Retry-After"]) for _ in range(20)]
    assert waits == sorted(waits)
    assert waits[-1] > waits[0] + 10


@pytest.mark.row(16)
def test_long_execution_is_refused(crm: Client) -> None:
    allow(crm, execution_s=0.05)
    crm.faults({"do": "latency", "ms": 100, "times": 1})
    assert ask(crm).status_code == 200
    assert error_of(ask(crm)) == (429, "0x80072321")
    allow(crm, execution_s=1200)
    account = crm.emulator.emulator.limits.account(crm.row("WhoAmI")["UserId"], "b")
    account.execution_s = 1200.0
    assert ask(crm, "b").json()["error"]["message"] == (
        "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds. "
        "Decrease number of concurrent requests or reduce the duration of requests and try again later."
    )


@pytest.mark.row(16)
def test_too_many_at_once_are_refused_at_once(crm: Client) -> None:
    allow(crm, concurrent=2)
    crm.faults({"do": "latency", "ms": 600})
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(crm), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 4
    assert {error_of(answer) for answer in refused} == {(429, "0x80072326")}
    assert refused[0].json()["error"]["message"] == "Number of concurrent requests exceeded the limit of 2."
    assert all(answer.headers["Retry-After"].isdigit() for answer in refused)
    crm.faults()
    assert ask(crm).status_code == 200


@pytest.mark.row(16)
def test_each_user_and_each_server_has_an_allowance_of_its_own(crm: Client) -> None:
    """The affinity cookie names the server."""
    other = crm.application("other")
    allow(crm, requests=1)
    assert [ask(crm).status_code, ask(crm).status_code] == [200, 429]
    assert ask(crm, server="b").status_code == 200
    assert ask(other).status_code == 200
    assert ask(crm, server="b").status_code == 429


def test_the_cookie_that_is_given_out_names_the_server_already_met(crm: Client) -> None:
    allow(crm, requests=2)
    first = ask(crm)
    assert [ask(crm, first.cookies["ARRAffinity"]).status_code for _ in range(2)] == [200, 429]


def test_a_batch_is_one_request(crm: Client) -> None:
    """Section 5.4: the whole batch is throttled, with a JSON body."""
    allow(crm, requests=1)
    part = "Content-Type: application/http\r\n\r\nGET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n"
    assert crm.batch(part, part, part).status_code == 200
    assert error_of(crm.batch(part)) == (429, "0x80072322")


def test_without_limits_nobody_is_throttled(crm: Client) -> None:
    crm.control("PUT", "limits", {"on": False, "requests": 1})
    assert [ask(crm).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("body", [{"requests": 0}, {"nothing": 1}, {"on": 1}, {"requests": "6"}])
def test_an_allowance_that_makes_no_sense_is_refused(crm: Client, body: dict[str, object]) -> None:
    assert requests.put(f"{crm.root}/_emulator/limits", json=body, timeout=10).status_code == 400


@pytest.mark.row(16, 17)
def test_the_operations_of_a_batch_may_be_refused_one_by_one(crm: Client) -> None:
    crm.switch(throttle_inside_batch=True)
    allow(crm, requests=3)
    part = "Content-Type: application/http\r\n\r\nGET /api/data/v9.2/WhoAmI HTTP/1.1\r\n\r\n"
    answer = crm.batch(*[part] * 5, headers={"Prefer": "odata.continue-on-error"})
    assert (answer.status_code, statuses(answer)) == (200, [200, 200, 200, 429, 429])
    assert answer.text.count("\r\nRetry-After: ") == 2
    assert "0x80072322" in answer.text
    assert crm.emulator.stats()["throttled"] == 2
    assert error_of(ask(crm)) == (429, "0x80072322")


@pytest.mark.row(16)
def test_without_limits_all_of_the_allowance_is_left(crm: Client) -> None:
    crm.control("PUT", "limits", {"on": False, "requests": 3})
    answers = [ask(crm) for _ in range(5)]
    assert {answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] for answer in answers} == {"3"}
