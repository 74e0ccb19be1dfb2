"""contract 3.1 and the hooks of section 15: what goes wrong on purpose."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.independent.conformance.served import END, PART, Crm, Row, error, new_id

pytestmark = pytest.mark.row(20)
Control = Callable[[Any], Any]
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def rule(kind: str, match: Row, **more: Any) -> list[Row]:
    return [{"match": match, "do": kind, **more}]


def test_a_status_instead_of_an_answer(crm: Crm, faults: Control) -> None:
    """contract: '`status` (with `status`, `retry_after`)'; nothing is done."""
    row = new_id()
    faults(rule("status", {"method": "POST", "path": "contacts"}, status=503, retry_after=7, times=1))
    body = {"contactid": row, "lastname": "Fout (fictief)"}
    answer = crm.post("contacts", body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert not crm.exists(f"contacts({row})")
    assert crm.post("contacts", body).status_code == 204


def test_the_nth_match_only(crm: Crm, faults: Control) -> None:
    """contract: 'nth'; 15: '429 on the nth request'."""
    faults(rule("status", {"method": "GET", "path": "WhoAmI", "nth": 3}, status=429, retry_after=1))
    assert [crm.get("WhoAmI").status_code for _ in range(5)] == [200, 200, 429, 200, 200]


def test_every_nth_match_a_number_of_times(crm: Crm, faults: Control) -> None:
    """contract: '"every": …, "times": N'."""
    faults([{"match": {"path": "WhoAmI", "every": 2}, "times": 2, "do": "status", "status": 502}])
    assert [crm.get("WhoAmI").status_code for _ in range(7)] == [200, 502, 200, 502, 200, 200, 200]


def test_an_empty_list_clears(crm: Crm, faults: Control) -> None:
    """contract: '[] clears'."""
    faults(rule("status", {"path": "WhoAmI"}, status=500))
    assert crm.get("WhoAmI").status_code == 500
    faults([])
    assert crm.get("WhoAmI").status_code == 200


def test_latency(crm: Crm, faults: Control) -> None:
    """contract: '`latency` (`ms`)'."""
    faults(rule("latency", {"path": "WhoAmI"}, ms=150, times=1))
    start = time.monotonic()
    assert crm.get("WhoAmI").status_code == 200
    assert time.monotonic() - start >= 0.15


def test_a_connection_cut_before_does_nothing(crm: Crm, faults: Control) -> None:
    """contract: '`cut_before`'."""
    row = crm.create("contacts", lastname="Knip (fictief)")
    faults(rule("cut_before", {"method": "DELETE"}, times=1))
    with pytest.raises(BROKEN):
        crm.delete(f"contacts({row})")
    assert crm.exists(f"contacts({row})")


def test_a_connection_cut_after_has_done_it(crm: Crm, faults: Control) -> None:
    """15: 'connection reset after the server has committed a DELETE (→ client sees 404 on retry)'."""
    row = crm.create("contacts", lastname="Knip (fictief)")
    faults(rule("cut_after", {"method": "DELETE"}, times=1))
    with pytest.raises(BROKEN):
        crm.delete(f"contacts({row})")
    assert error(crm.delete(f"contacts({row})")) == (404, "0x80040217")


def test_an_answer_breaks_off(crm: Crm, faults: Control) -> None:
    """contract: '`truncate`'."""
    faults(rule("truncate", {"path": "contacts"}, times=1))
    with pytest.raises((*BROKEN, ValueError)):
        crm.get("contacts").json()


@pytest.mark.parametrize(("kind", "expected"), [("lose_row", (2, 2)), ("duplicate_row", (4, 3))])
def test_a_page_with_a_row_lost_or_doubled(crm: Crm, faults: Control, kind: str, expected: tuple[int, int]) -> None:
    """contract: '`lose_row`, `duplicate_row`'."""
    crm.control("POST", "reset", {"empty": True})
    for number in range(3):
        crm.create("cf_enrolments", cf_name=f"E{number}")
    faults(rule(kind, {"path": "cf_enrolments"}, times=1))
    rows = crm.rows("cf_enrolments?$select=cf_name")
    assert (len(rows), len({row["cf_enrolmentid"] for row in rows})) == expected
    assert len(crm.rows("cf_enrolments?$select=cf_name")) == 3


def test_a_skewed_clock(crm: Crm, faults: Control) -> None:
    """contract: '`skew` (`s`)'."""
    faults(rule("skew", {"path": "WhoAmI"}, s=600, times=1))
    told, now = (email.utils.parsedate_to_datetime(crm.get("WhoAmI").headers["Date"]) for _ in range(2))
    assert 590 <= (told - now).total_seconds() <= 610


def test_a_token_that_expires(crm: Crm, faults: Control) -> None:
    """contract: '`expire_token`'; 8.3: '0x8005F101 AccessTokenExpired 401'."""
    form = {"grant_type": "client_credentials", "client_id": new_id(), "client_secret": "s", "scope": crm.origin + "/.default"}
    first, second = (crm.http.post(f"{crm.origin}/t/oauth2/v2.0/token", data=form).json()["access_token"] for _ in range(2))
    faults(rule("expire_token", {"path": "WhoAmI"}, times=1))
    answers = [Crm(crm.root, first).get("WhoAmI") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert Crm(crm.root, second).get("WhoAmI").status_code == 200


def test_a_row_that_changes_at_the_last_moment(crm: Crm, faults: Control) -> None:
    """contract: '`change_row`'; 4.3: stale If-Match → 412 0x80060882."""
    row = crm.create("contacts", lastname="Anders (fictief)")
    tag = crm.get(f"contacts({row})").headers["ETag"]
    faults(rule("change_row", {"method": "DELETE"}, times=1))
    assert error(crm.delete(f"contacts({row})", {"If-Match": tag})) == (412, "0x80060882")
    assert crm.exists(f"contacts({row})")


def test_a_row_that_stays(crm: Crm, faults: Control) -> None:
    """contract: '`keep_row`'."""
    row = crm.create("contacts", lastname="Blijver (fictief)")
    faults(rule("keep_row", {"method": "DELETE"}, times=1))
    assert crm.delete(f"contacts({row})").status_code == 204
    assert crm.exists(f"contacts({row})")
    assert crm.delete(f"contacts({row})").status_code == 204
    assert not crm.exists(f"contacts({row})")


def test_faults_hit_operations_inside_a_batch(crm: Crm, faults: Control) -> None:
    """contract: match by method and path; 5.4: 'An inner part with 429 must be handled'."""
    row = crm.create("contacts", lastname="Stapel (fictief)")
    faults(rule("status", {"method": "DELETE", "path": "contacts"}, status=429, retry_after=5, times=1))
    body = PART.format(f"GET contacts({row})") + PART.format(f"DELETE contacts({row})") + END
    text = crm.batch(body.encode(), headers={"Prefer": "odata.continue-on-error"}).text
    assert "HTTP/1.1 200 OK" in text
    assert "HTTP/1.1 429 " in text
    assert crm.exists(f"contacts({row})")


def test_a_gateway_s_page_is_no_json(crm: Crm, faults: Control) -> None:
    """8.1: 'Gateway errors may be HTML; a client must survive non-JSON'; row 20: 'optional HTML 502/503
    mode'."""
    faults(rule("status", {"path": "WhoAmI"}, status=502, html=True, times=1))
    answer = crm.get("WhoAmI")
    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.lstrip().lower().startswith(("<html", "<!doctype"))


def test_a_fault_that_is_none_is_refused(crm: Crm) -> None:
    """contract: KIND is one of a list."""
    answer = crm.http.put(crm.origin + "/_emulator/faults", json=[{"match": {}, "do": "nothing of the kind"}])
    assert 400 <= answer.status_code < 500
