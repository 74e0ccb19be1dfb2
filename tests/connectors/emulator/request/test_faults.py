"""Every kind of scripted trouble does what it says, and nothing else."""

import time
from email.utils import parsedate_to_datetime

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.web_api import change_set, error_of, request_part, statuses

pytestmark = pytest.mark.usefixtures("real_http")

SERVICE = "/api/data/v9.2/"
DELETES = {"method": "DELETE", "path": "cf_dossiers"}


def test_status_answers_instead_of_acting(crm: Client) -> None:
    dossier = crm.dossier()
    crm.faults({"match": DELETES, "do": "status", "status": 429, "retry_after": 7, "times": 1})
    answer = crm.send("DELETE", f"cf_dossiers({dossier})")
    assert (*error_of(answer), answer.headers["Retry-After"]) == (429, "0x80072322", "7")
    assert crm.exists("cf_dossiers", dossier)
    assert crm.send("DELETE", f"cf_dossiers({dossier})").status_code == 204
    assert crm.emulator.stats()["throttled"] == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds."),
        (
            "0x80072321",
            "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds. "
            "Decrease number of concurrent requests or reduce the duration of requests and try again later.",
        ),
        ("0x80072326", "Number of concurrent requests exceeded the limit of 52."),
    ],
)
def test_each_kind_of_429_can_be_called_up(crm: Client, code: str, words: str) -> None:
    crm.faults({"match": {"path": "contacts"}, "do": "status", "status": 429, "retry_after": 37, "code": code})
    answer = crm.get("contacts")
    assert (*error_of(answer), answer.headers["Retry-After"]) == (429, code, "37")
    assert answer.json()["error"]["message"] == words


@pytest.mark.row(20)
@pytest.mark.parametrize("status", [502, 503])
def test_status_may_be_a_gateways_page(crm: Client, status: int) -> None:
    crm.faults({"do": "status", "status": status, "html": True})
    answer = crm.get("WhoAmI")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    assert answer.text.lower().startswith(("<html", "<!doctype"))


@pytest.mark.row(20)
def test_status_may_come_without_a_body(crm: Client) -> None:
    crm.faults({"do": "status", "status": 503, "empty": True})
    answer = crm.get("WhoAmI")
    assert (answer.status_code, answer.content, answer.headers.get("Content-Type")) == (503, b"", None)


def test_latency_takes_its_time(crm: Client) -> None:
    crm.faults({"match": {"path": "WhoAmI"}, "do": "latency", "ms": 300})
    started = time.monotonic()
    assert crm.get("WhoAmI").status_code == 200
    assert time.monotonic() - started >= 0.3


def test_cut_before_leaves_the_row_alone(crm: Client) -> None:
    dossier = crm.dossier()
    crm.faults({"match": DELETES, "do": "cut_before", "times": 1})
    with pytest.raises(requests.ConnectionError):
        crm.send("DELETE", f"cf_dossiers({dossier})")
    assert crm.exists("cf_dossiers", dossier)


def test_cut_after_has_acted_without_a_word(crm: Client) -> None:
    dossier = crm.dossier()
    crm.faults({"match": DELETES, "do": "cut_after", "times": 1})
    with pytest.raises(requests.ConnectionError):
        crm.send("DELETE", f"cf_dossiers({dossier})")
    assert error_of(crm.send("DELETE", f"cf_dossiers({dossier})")) == (404, "0x80040217")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_truncate_breaks_off_in_the_middle_of_the_page(crm: Client, encoding: str) -> None:
    crm.emulator.load(("cf_dossier", {"cf_name": f"D-{n}"}) for n in range(500))
    crm.faults({"match": {"path": "cf_dossiers"}, "do": "truncate", "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        crm.get("cf_dossiers", {"Accept-Encoding": encoding})
    assert len(crm.rows("cf_dossiers")) == 500


@pytest.mark.parametrize(("kind", "number", "distinct"), [("lose_row", 4, 4), ("duplicate_row", 6, 5)])
def test_a_page_may_lose_or_repeat_a_row(crm: Client, kind: str, number: int, distinct: int) -> None:
    crm.emulator.load(("cf_dossier", {"cf_name": f"D-{n}"}) for n in range(5))
    crm.faults({"match": {"method": "GET", "path": "cf_dossiers"}, "do": kind, "times": 1})
    rows = crm.rows("cf_dossiers?$select=cf_name")
    assert (len(rows), len({row["cf_dossierid"] for row in rows})) == (number, distinct)
    assert len(crm.rows("cf_dossiers")) == 5


def test_skew_moves_the_servers_date(crm: Client) -> None:
    plain = parsedate_to_datetime(crm.get("WhoAmI").headers["Date"])
    crm.faults({"do": "skew", "s": -3600, "times": 1})
    skewed = parsedate_to_datetime(crm.get("WhoAmI").headers["Date"])
    assert 3590 < (plain - skewed).total_seconds() < 3610


def test_expire_token_refuses_a_token_of_its_own_for_good(crm: Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "s", "scope": "x/.default"}
    first, second = (requests.post(f"{crm.root}/t/oauth2/v2.0/token", data=form, timeout=10).json()["access_token"] for _ in range(2))
    crm.faults({"do": "expire_token", "times": 1})
    for expected in (401, 401):
        answer = requests.get(crm.url + "WhoAmI", headers={"Authorization": f"Bearer {first}"}, timeout=10)
        assert answer.status_code == expected
    assert "WWW-Authenticate" in answer.headers
    assert requests.get(crm.url + "WhoAmI", headers={"Authorization": f"Bearer {second}"}, timeout=10).status_code == 200


def test_a_fixed_token_is_refused_once(crm: Client) -> None:
    crm.faults({"do": "expire_token", "times": 1})
    assert [crm.get("WhoAmI").status_code for _ in range(2)] == [401, 200]


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_change_row_lets_a_write_find_another_version(crm: Client, method: str) -> None:
    dossier = crm.dossier()
    etag = crm.etag("cf_dossiers", dossier)
    crm.faults({"match": {"method": method}, "do": "change_row", "times": 1})
    assert error_of(crm.send(method, f"cf_dossiers({dossier})", {"cf_name": "x"}, {"If-Match": etag})) == (412, "0x80060882")
    assert crm.etag("cf_dossiers", dossier) != etag
    assert crm.row(f"cf_dossiers({dossier})")["cf_name"] == "D-1"


def test_keep_row_says_deleted_and_keeps_it(crm: Client) -> None:
    dossier = crm.dossier()
    crm.faults({"match": DELETES, "do": "keep_row", "times": 1})
    assert crm.send("DELETE", f"cf_dossiers({dossier})", headers={"If-Match": "*"}).status_code == 204
    assert crm.exists("cf_dossiers", dossier)


@pytest.mark.parametrize("inside_change_set", [False, True])
@pytest.mark.parametrize(("kind", "found"), [("status", [204, 503]), ("change_row", [204, 412]), ("keep_row", [204, 204, 204])])
def test_operations_inside_a_batch_are_matched_by_their_own_address(
    crm: Client, kind: str, found: list[int], inside_change_set: bool
) -> None:
    ids = [crm.dossier() for _ in range(3)]
    etags = [crm.etag("cf_dossiers", row) for row in ids]
    crm.faults({"match": {**DELETES, "nth": 2}, "do": kind})
    parts = [
        request_part("DELETE", f"{SERVICE}cf_dossiers({row})", content_id=str(n), If_Match=etag)
        for n, (row, etag) in enumerate(zip(ids, etags, strict=True))
    ]
    answer = crm.batch(change_set(*parts)) if inside_change_set else crm.batch(*parts)
    left = [crm.exists("cf_dossiers", row) for row in ids]
    if kind == "keep_row":
        assert (statuses(answer), left) == (found, [False, True, False])
    elif inside_change_set:
        assert (statuses(answer), left) == (found[-1:], [True, True, True])
    else:
        assert (statuses(answer), left) == (found, [False, True, True])


@pytest.mark.parametrize(("kind", "left"), [("cut_before", [False, True, True]), ("cut_after", [False, False, False])])
def test_a_batch_may_be_cut_by_one_of_its_operations(crm: Client, kind: str, left: list[bool]) -> None:
    ids = [crm.dossier() for _ in range(3)]
    crm.faults({"match": {**DELETES, "nth": 2}, "do": kind})
    with pytest.raises(requests.ConnectionError):
        crm.batch(*(request_part("DELETE", f"{SERVICE}cf_dossiers({row})") for row in ids))
    assert [crm.exists("cf_dossiers", row) for row in ids] == left


@pytest.mark.parametrize(
    ("match", "more", "fired"),
    [
        ({"path": "WhoAmI"}, {"times": 2}, [1, 1, 0, 0, 0, 0]),
        ({"path": "WhoAmI", "nth": 3}, {}, [0, 0, 1, 0, 0, 0]),
        ({"path": "WhoAmI", "nth": 3}, {"times": 2}, [0, 0, 1, 1, 0, 0]),
        ({"path": "WhoAmI", "every": 2}, {}, [0, 1, 0, 1, 0, 1]),
        ({"path": "WhoAmI", "every": 2}, {"times": 1}, [0, 1, 0, 0, 0, 0]),
        ({"path": "WhoAmI", "every": 2}, {"times": 2}, [0, 1, 0, 1, 0, 0]),
        ({"path": "*/WhoAmI"}, {}, [1] * 6),
        ({"path": "v9.2*AmI"}, {}, [1] * 6),
        ({"path": "^/api/.*/Who[A-Z]mI$"}, {}, [1] * 6),
        ({"path": "re:Who[A-Z]mI$"}, {}, [1] * 6),
        ({"path": "WhoAmI("}, {}, [0] * 6),
        ({"path": "Who*x"}, {}, [0] * 6),
        ({"method": ["PATCH", "get"]}, {}, [1] * 6),
        ({"method": "POST"}, {}, [0] * 6),
        ({}, {}, [1] * 6),
    ],
)
def test_a_rule_fires_on_the_matches_it_names(crm: Client, match: dict[str, object], more: dict[str, int], fired: list[int]) -> None:
    crm.faults({"match": match, "do": "status", "status": 503, **more})
    assert [int(crm.get("WhoAmI").status_code == 503) for _ in fired] == fired


def test_paths_match_percent_encoded_or_not(crm: Client) -> None:
    crm.faults({"match": {"path": "$filter=cf_name eq 'x'"}, "do": "status", "status": 503})
    assert crm.get("cf_dossiers?$filter=cf_name eq 'x'").status_code == 503
    assert crm.get("cf_dossiers?$filter=cf_name eq 'y'").status_code == 200


@pytest.mark.parametrize(
    "rule", [{"do": "nothing"}, {}, {"do": "status", "foo": 1}, {"do": "status", "match": {"foo": 1}}, {"do": "status", "times": -1}, 7]
)
def test_a_rule_that_makes_no_sense_is_refused_and_changes_nothing(crm: Client, rule: object) -> None:
    crm.faults({"match": {"path": "WhoAmI"}, "do": "status"})
    assert requests.put(f"{crm.root}/_emulator/faults", json=[rule], timeout=10).status_code == 400
    assert crm.get("WhoAmI").status_code == 503
    crm.faults()
    assert crm.get("WhoAmI").status_code == 200


def test_the_clock_is_set_advanced_and_real_again(crm: Client) -> None:
    assert crm.control("PUT", "clock", {"now": "2131-05-06T07:08:09+02:00"})["now"] == "2131-05-06T05:08:09Z"
    assert crm.control("PUT", "clock", {"advance_s": 51})["now"].startswith("2131-05-06T05:09:0")
    dossier = crm.dossier()
    row = crm.row(f"cf_dossiers({dossier})")
    assert row["createdon"].startswith("2131-05-06T05:09:0")
    assert row["modifiedon"].startswith("2131-05-06T05:09:0")
    assert parsedate_to_datetime(crm.get("WhoAmI").headers["Date"]).year == 2131
    assert not crm.control("PUT", "clock", {"real": True})["now"].startswith("2131")


@pytest.mark.parametrize(
    ("name", "body"), [("clock", {"now": "soon"}), ("clock", {"now": "2031-05-06"}), ("clock", {"later": 1}), ("clock", {"advance_s": "x"})]
)
def test_a_clock_that_makes_no_sense_is_refused(crm: Client, name: str, body: dict[str, object]) -> None:
    assert requests.put(f"{crm.root}/_emulator/{name}", json=body, timeout=10).status_code == 400


def test_reset_forgets_rows_faults_and_statistics_but_no_token_and_no_clock() -> None:
    with running(token="t") as emulator:
        crm = Client(emulator, "t")
        crm.dossier()
        crm.faults({"do": "status"})
        assert crm.control("POST", "reset", {"empty": True}) == {"empty": True}
        assert crm.rows("cf_dossiers") == []
        assert crm.emulator.stats()["requests"] == 1
        assert len(crm.rows("systemusers")) == 3
        crm.control("PUT", "clock", {"now": "2031-05-06T07:08:09Z"})
        crm.control("POST", "reset", {"empty": True})
        assert crm.row("cf_dossiers", None)["value"] == []
        assert crm.row(f"cf_dossiers({crm.dossier()})")["createdon"].startswith("2031-05-06")
