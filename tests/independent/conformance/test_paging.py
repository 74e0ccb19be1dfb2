"""Sections 3.3, 3.6 and 3.8: pages, cookies, counts and the length of addresses."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from tests.web_api import ANNOTATED, Row, WebApi, error_of, request_part, statuses

pytestmark = pytest.mark.row(14, 15, 46, 50)
ROWS = 5003
THREE = {"Prefer": "odata.maxpagesize=3"}


@pytest.fixture(scope="module", autouse=True)
def many(crm: WebApi) -> None:
    for start in range(0, ROWS, 2000):
        numbers = range(start, min(ROWS, start + 2000))
        crm.load("cf_statistic", [{"cf_name": f"S{number:05d}", "cf_count": number % 7} for number in numbers], "cf_statistics")
    for number in range(8):
        crm.create("cf_enrolments", cf_name=f"E{number}", cf_course="x" if number % 2 else "y")


def pages(crm: WebApi, path: str, headers: Row | None) -> list[requests.Response]:
    found: list[requests.Response] = []
    link: str | None = path
    while link:
        answer = crm.get(link, headers)
        assert answer.status_code == 200, answer.text
        found.append(answer)
        link = answer.json().get("@odata.nextLink")
    return found


def cookie(link: str) -> str:
    return unquote(link.partition("$skiptoken=")[2])


def test_the_default_page_is_5000_and_the_union_is_all(crm: WebApi) -> None:
    """3.6: 'N > 5,000 or absent → 5,000'; row 14: 'union of pages = all rows, no duplicates'."""
    told = pages(crm, "cf_statistics?$select=cf_name", None)
    assert [len(page.json()["value"]) for page in told] == [5000, 3]
    assert len({row["cf_statisticid"] for page in told for row in page.json()["value"]}) == ROWS


@pytest.mark.parametrize(("top", "least"), [("100", 1_000), ("5000", 262_144)])
def test_a_page_comes_compressed_to_who_takes_it(crm: WebApi, top: str, least: int) -> None:
    """A large one is packed by another thread; each says what it says as it is."""
    path = f"cf_statistics?$select=cf_name,cf_count&$top={top}"
    packed, plain = (crm.get(path, {"Accept-Encoding": coding}) for coding in ("gzip", "identity"))
    assert (packed.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)
    assert len(plain.content) > least
    assert len(plain.content) > int(packed.headers["Content-Length"])
    assert packed.json() == plain.json()


@pytest.mark.parametrize("size", ["6000", "0"])
def test_a_larger_page_than_5000_is_not_given(crm: WebApi, size: str) -> None:
    """3.6: 'N > 5,000 … → 5,000 for standard tables'."""
    page = crm.row("cf_statistics?$select=cf_name", {"Prefer": f"odata.maxpagesize={size}"})
    assert len(page["value"]) == 5000
    assert len(crm.rows(page["@odata.nextLink"])) == 3


def test_the_page_size_is_honoured_and_echoed(crm: WebApi) -> None:
    """15 row 14: 'maxpagesize honoured and echoed'."""
    told = pages(crm, "cf_enrolments?$select=cf_name", THREE)
    assert [len(page.json()["value"]) for page in told] == [3, 3, 2]
    assert {page.headers["Preference-Applied"] for page in told} == {"odata.maxpagesize=3"}


def test_the_last_page_has_no_link_however_full_it_is(crm: WebApi) -> None:
    """3.6: the link is there where more follows."""
    told = pages(crm, "cf_enrolments?$select=cf_name", {"Prefer": "odata.maxpagesize=4"})
    assert [len(page.json()["value"]) for page in told] == [4, 4]


def test_dropping_prefer_on_page_two_falls_back_to_5000(crm: WebApi) -> None:
    """15 row 14: 'following it without Prefer falls back to 5,000'."""
    link = crm.row("cf_enrolments?$select=cf_name", THREE)["@odata.nextLink"]
    assert len(crm.rows(link)) == 5


def test_the_page_size_may_change_on_the_way(crm: WebApi) -> None:
    """3.6: 'Page size can change per page only by changing the header'."""
    link = crm.row("cf_enrolments?$select=cf_name", THREE)["@odata.nextLink"]
    assert len(crm.rows(link, {"Prefer": "odata.maxpagesize=2"})) == 2


def test_the_link_has_the_documented_characters(crm: WebApi) -> None:
    """3.6: 'Decoded once: <cookie pagenumber="2" pagingcookie="%3ccookie%20page%3d%221%22%3e…"
    istracking="False" />'; the cookie within is encoded twice."""
    page = crm.row("cf_enrolments?$select=cf_name&$filter=statecode eq 0", THREE)
    head, _, token = page["@odata.nextLink"].partition("&$skiptoken=")
    assert head in (
        f"{crm.url}cf_enrolments?$select=cf_name&$filter=statecode%20eq%200",
        f"{crm.url}cf_enrolments?$select=cf_name&$filter=statecode+eq+0",
    )
    first, last = page["value"][0]["cf_enrolmentid"].upper(), page["value"][-1]["cf_enrolmentid"].upper()
    assert token == (
        "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253ccf_enrolmentid%2520last%253d%2522%257b"
        f"{last}%257d%2522%2520first%253d%2522%257b{first}%257d%2522%2520%252f%253e%253c%252fcookie%253e%22%20istracking=%22False%22%20/%3E"
    )
    found = re.fullmatch(r'<cookie pagenumber="2" pagingcookie="([^"]+)" istracking="False" />', cookie(page["@odata.nextLink"]))
    assert found
    assert unquote(found[1]) == f'<cookie page="1"><cf_enrolmentid last="{{{last}}}" first="{{{first}}}" /></cookie>'


def test_order_columns_precede_the_key_in_the_cookie(crm: WebApi) -> None:
    """3.6: 'With $orderby, the order columns precede the PK: <fullname last="…" first="…" /><contactid
    …/>'."""
    page = crm.row("cf_enrolments?$select=cf_name&$orderby=cf_name desc", THREE)
    inner = unquote(cookie(page["@odata.nextLink"]))
    assert inner.index('<cf_name last="E5" first="E7" />') < inner.index("<cf_enrolmentid ")


def test_a_cookie_holds_nulls_and_any_text(crm: WebApi) -> None:
    """3.6: the values of the order columns are XML; a null has an attribute of its own."""
    for _ in range(3):
        crm.create("cf_dossiers", cf_name="D", cf_courtreference='a"<b>&')
    page = crm.row("cf_dossiers?$select=cf_name&$orderby=cf_courtreference,cf_outcome desc", {"Prefer": "odata.maxpagesize=2"})
    assert re.search(
        r'<cf_courtreference last="a&quot;&lt;b&gt;&amp;" first="[^"]*" /><cf_outcome lastnull="1" firstnull="1" /><cf_dossierid last=',
        unquote(cookie(page["@odata.nextLink"])),
    )
    assert len(crm.rows(page["@odata.nextLink"])) == 1


@pytest.mark.parametrize("order", ["cf_course,cf_name", "cf_course desc", "createdon desc,cf_name desc", "cf_heldon,cf_name"])
def test_pages_in_any_order_are_all_rows_once(crm: WebApi, order: str) -> None:
    """3.6: 'page boundaries use first/last values'; row 14: no duplicates, nulls and equal values
    included."""
    whole = [row["cf_enrolmentid"] for row in crm.rows(f"cf_enrolments?$select=cf_name&$orderby={order}")]
    paged = [
        row["cf_enrolmentid"]
        for page in pages(crm, f"cf_enrolments?$select=cf_name&$orderby={order}", THREE)
        for row in page.json()["value"]
    ]
    assert paged == whole
    assert len(set(paged)) == 8


def test_the_link_repeats_the_query(crm: WebApi) -> None:
    """3.6: 'Follow @odata.nextLink verbatim; append nothing'."""
    told = pages(crm, "cf_enrolments?$select=cf_name&$filter=cf_course eq 'x'&$orderby=cf_name", {"Prefer": "odata.maxpagesize=1"})
    assert [row["cf_name"] for page in told for row in page.json()["value"]] == ["E1", "E3", "E5", "E7"]
    assert all(set(row) == {"@odata.etag", "cf_name", "cf_enrolmentid"} for page in told for row in page.json()["value"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda link: link + "x",
        lambda link: link[:-3],
        lambda link: link.replace("pagenumber=%222", "pagenumber=%223"),
        lambda link: link.replace("%2522%257b", "%2522%257bZZ"),
        lambda link: link.replace("%257b", "%257b0", 1),
        lambda link: link.replace("%25", "%2525"),
        lambda link: link.replace("cf_enrolmentid", "cf_name"),
        lambda link: link.split("$skiptoken=")[0] + "$skiptoken=" + cookie(link),
        lambda link: link.split("$skiptoken=")[0] + "$skiptoken=abc",
        lambda link: link.split("$skiptoken=")[0] + "$skiptoken=%3Ccookie%20/%3E",
        lambda link: link.split("$skiptoken=")[0] + "$skiptoken=",
        lambda link: link.replace("cf_enrolments?", "contacts?").replace("$select=cf_name", "$select=fullname"),
        lambda link: link.replace("?", "?$orderby=cf_name&", 1),
    ],
)
def test_a_tampered_token_is_400(crm: WebApi, damage: Callable[[str], str]) -> None:
    """3.6: 'reject a tampered token with 400'; it belongs to its own set and order."""
    link = crm.row("cf_enrolments?$select=cf_name", THREE)["@odata.nextLink"]
    assert crm.get(link).status_code == 200
    assert damage(link) != link
    assert error_of(crm.get(damage(link)))[0] == 400


def test_top_ends_after_one_page(crm: WebApi) -> None:
    """3.6: '$top disables paging'."""
    page = crm.row("cf_enrolments?$select=cf_name&$top=2")
    assert len(page["value"]) == 2
    assert "@odata.nextLink" not in page


def test_top_is_ignored_beside_a_page_size(crm: WebApi) -> None:
    """3.6: 'when both are sent … ($top is ignored)'."""
    assert [len(page.json()["value"]) for page in pages(crm, "cf_enrolments?$select=cf_name&$top=2", THREE)] == [3, 3, 2]


def test_count_stops_at_5000_and_says_so(crm: WebApi) -> None:
    """3.3: '"@odata.count":5000 at most; with annotations totalrecordcount 5000 and
    totalrecordcountlimitexceeded true'."""
    page = crm.row("cf_statistics?$select=cf_name&$count=true", {"Prefer": 'odata.maxpagesize=10,odata.include-annotations="*"'})
    assert page["@odata.count"] == page["@Microsoft.Dynamics.CRM.totalrecordcount"] == 5000
    assert page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True


def test_the_bare_count_may_go_on_past_5000(crm: WebApi, switches: Any) -> None:
    """3.3: that it is capped like the other is inferred; so there is the switch `count_capped`."""
    switches({"count_capped": False})
    assert crm.get("cf_statistics/$count").content == f"\ufeff{ROWS}".encode()
    assert crm.row("cf_statistics?$select=cf_name&$count=true&$top=1")["@odata.count"] == 5000


def test_a_small_count_is_exact_whatever_the_page(crm: WebApi) -> None:
    """3.3: 'whatever the page size'; limit not exceeded."""
    page = crm.row("cf_enrolments?$count=true&$filter=cf_course eq 'x'", {"Prefer": 'odata.maxpagesize=1,odata.include-annotations="*"'})
    assert page["@odata.count"] == 4
    assert page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False


def test_without_count_the_total_is_minus_one(crm: WebApi) -> None:
    """3.3: 'Without $count totalrecordcount is -1'."""
    page = crm.row("cf_enrolments", ANNOTATED)
    assert page["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    assert "@odata.count" not in page


def test_the_count_path_has_a_bom(crm: WebApi) -> None:
    """3.3: 'text/plain, body = digits, preceded by a UTF-8 BOM'; 'capped at 5,000 like the other'."""
    answer = crm.get("cf_enrolments/$count", filter="cf_course eq 'y'")
    assert answer.content == b"\xef\xbb\xbf4"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert crm.get("cf_statistics/$count").content == b"\xef\xbb\xbf5000"


@pytest.mark.parametrize("form", ["(EntityNames=['cf_statistic','cf_enrolment'])", "(EntityNames=@p)?@p=['cf_statistic','cf_enrolment']"])
def test_retrieve_total_record_count(crm: WebApi, form: str) -> None:
    """3.3:
    '{"EntityRecordCountCollection":{"Count":1,"IsReadOnly":false,"Keys":["cf_fiche"],"Values":[81234]}}'."""
    body = crm.row("RetrieveTotalRecordCount" + form)
    assert body["@odata.context"] == crm.url + "$metadata#Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse"
    expected = {"Count": 2, "IsReadOnly": False, "Keys": ["cf_statistic", "cf_enrolment"], "Values": [ROWS, 8]}
    assert body["EntityRecordCountCollection"] == expected


@pytest.mark.parametrize("form", ["(EntityNames=['cf_nothing'])", "(EntityNames=@p)"])
def test_a_table_that_does_not_exist_has_no_count(crm: WebApi, form: str) -> None:
    """3.3 and 8.2: 400 bad argument."""
    assert error_of(crm.get("RetrieveTotalRecordCount" + form))[0] == 400


def test_a_stale_total_lags_behind(crm: WebApi, switches: Any, clock: Any) -> None:
    """3.3: 'approximate, snapshot up to 24 h old'; row 46: 'stale snapshot mode (value lags)'."""
    path = "RetrieveTotalRecordCount(EntityNames=['cf_donation','cf_engagement'])"
    switches({"stale_counts": True})
    assert crm.row(path)["EntityRecordCountCollection"]["Values"] == [0, 0]
    crm.create("cf_donations", cf_name="g")
    assert crm.row(path)["EntityRecordCountCollection"]["Values"] == [0, 0]
    clock({"advance_s": 86_000})
    assert crm.row(path)["EntityRecordCountCollection"]["Values"] == [0, 0]
    assert len(crm.rows("cf_donations")) == 1
    clock({"advance_s": 500})
    assert crm.row(path)["EntityRecordCountCollection"]["Values"] == [1, 0]


def long(length: int, start: str) -> str:
    """An address of so many characters that asks for one name."""
    start += "cf_enrolments?$select=cf_name&$filter=cf_name%20eq%20'"
    return start + "x" * (length - len(start) - 1) + "'"


def test_an_address_of_32768_characters_passes_and_a_longer_one_does_not(crm: WebApi) -> None:
    """3.8: 'GET URL ≤ 32,768 characters'; row 50: '32,769 characters → refused outside'. The path counts."""
    assert [crm.get(crm.root + long(length, crm.path)).status_code for length in (32_768, 32_769)] == [200, 414]


def test_an_address_in_a_batch_may_be_twice_as_long(crm: WebApi) -> None:
    """3.8: 'the same GET inside $batch ≤ 65,536'."""
    for length, status in ((32_769, 200), (65_536, 200), (65_537, 414)):
        assert statuses(crm.batch(request_part("GET", long(length, "")))) == [status], length
