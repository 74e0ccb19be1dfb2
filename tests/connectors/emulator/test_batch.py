"""`$batch`: order, failures, change sets, and the bytes of the answer."""

from __future__ import annotations

import json
import re

import pytest

from tests.connectors.emulator.client import Client, change_set, error_of, new_id, request_part, statuses

CONTINUE = {"Prefer": "odata.continue-on-error"}
SERVICE = "/api/data/v9.2/"


def create(name: str, content_id: str | None = None, table: str = "cf_dossiers", **more: object) -> str:
    return request_part("POST", SERVICE + table, json.dumps({"cf_name": name, **more}), content_id=content_id)


def names(crm: Client) -> list[str]:
    return sorted(row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name"))


@pytest.mark.row(17)
def test_answers_come_in_the_order_of_the_requests(crm: Client) -> None:
    dossier = crm.dossier()
    answer = crm.batch(
        request_part("GET", f"{SERVICE}cf_dossiers?$select=cf_name&$top=3", Accept="application/json"),
        create("D-2"),
        request_part("DELETE", f"{SERVICE}cf_dossiers({dossier})", If_Match="*"),
    )
    assert answer.status_code == 200
    assert statuses(answer) == [200, 204, 204]
    assert names(crm) == ["D-2"]


def test_the_answer_is_written_as_the_service_writes_it(crm: Client) -> None:
    """Section 5.2."""
    row = new_id()
    answer = crm.batch(request_part("GET", SERVICE + "cf_dossiers?$select=cf_name"), change_set(create("D-1", "1", cf_dossierid=row)))
    boundary = re.fullmatch(r"multipart/mixed; boundary=(batchresponse_[0-9a-f-]{36})", answer.headers["Content-Type"])
    inner = re.search(r"boundary=(changesetresponse_[0-9a-f-]{36})\r\n", answer.text)
    assert boundary
    assert inner
    outer, nested = boundary.group(1), inner.group(1)
    address = f"{crm.url}cf_dossiers({row})"
    context = f'{{"@odata.context":"{crm.url}$metadata#cf_dossiers(cf_name)","value":[]}}'
    assert answer.text == (
        f"--{outer}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Type: application/json; odata.metadata=minimal; odata.streaming=true\r\nOData-Version: 4.0\r\n\r\n"
        f"{context}\r\n"
        f"--{outer}\r\nContent-Type: multipart/mixed; boundary={nested}\r\n\r\n"
        f"--{nested}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n"
        f"HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nLocation: {address}\r\nOData-EntityId: {address}\r\n\r\n\r\n"
        f"--{nested}--\r\n--{outer}--\r\n"
    )


@pytest.mark.row(17)
def test_a_failure_ends_the_batch_and_earlier_work_stays(crm: Client) -> None:
    answer = crm.batch(create("D-1"), request_part("DELETE", f"{SERVICE}cf_dossiers({new_id()})"), create("D-3"))
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("multipart/mixed")
    assert statuses(answer) == [204, 404]
    assert "0x80040217" in answer.text
    assert re.search(r"\r\nREQ_ID: [0-9a-f-]{36}\r\n", answer.text)
    assert names(crm) == ["D-1"]


@pytest.mark.row(17)
def test_a_batch_goes_on_after_an_error_when_asked_to(crm: Client) -> None:
    answer = crm.batch(create("D-1"), request_part("GET", SERVICE + "cf_nothing"), create("D-3"), headers=CONTINUE)
    assert (answer.status_code, statuses(answer)) == (200, [204, 404, 204])
    assert names(crm) == ["D-1", "D-3"]


@pytest.mark.row(18)
def test_a_change_set_is_all_or_nothing(crm: Client) -> None:
    """One error response stands for the whole set, with the failing Content-ID."""
    dossier = crm.dossier()
    failing = change_set(
        create("D-2", "1"),
        request_part("DELETE", f"{SERVICE}cf_dossiers({dossier})", content_id="2"),
        request_part("PATCH", f"{SERVICE}cf_dossiers({new_id()})", '{"cf_name":"x"}', content_id="3", If_Match="*"),
        create("D-4", "4"),
    )
    answer = crm.batch(failing, create("D-5"))
    assert (answer.status_code, statuses(answer)) == (400, [404])
    assert "changesetresponse_" in answer.text
    assert re.findall(r"Content-ID: (\S+)", answer.text) == ["3"]
    assert names(crm) == ["D-1"]


def test_the_rest_of_the_batch_follows_a_failed_change_set_when_asked_to(crm: Client) -> None:
    failing = change_set(create("D-2", "1"), create("x" * 101, "2"))
    answer = crm.batch(create("D-1"), failing, create("D-5"), headers=CONTINUE)
    assert (answer.status_code, statuses(answer)) == (200, [204, 400, 204])
    assert names(crm) == ["D-1", "D-5"]


@pytest.mark.row(18)
def test_references_lead_to_rows_of_the_same_change_set(crm: Client) -> None:
    """In a bind, in an address, in a reference."""
    answer = crm.batch(
        change_set(
            create("D-1", "1"),
            create("F-1", "2", "cf_fiches", **{"cf_DossierId@odata.bind": "$1"}),
            request_part("PATCH", "$1", '{"cf_courtreference":"REF"}', content_id="3"),
            create("F-2", "4", "cf_fiches"),
            request_part("POST", "$1/cf_dossier_fiches/$ref", '{"@odata.id":"$4"}', content_id="5"),
        )
    )
    assert (answer.status_code, statuses(answer)) == (200, [204] * 5)
    row = crm.rows("cf_dossiers?$expand=cf_dossier_fiches($select=cf_name;$orderby=cf_name)")[0]
    assert row["cf_courtreference"] == "REF"
    assert [fiche["cf_name"] for fiche in row["cf_dossier_fiches"]] == ["F-1", "F-2"]


@pytest.mark.row(18)
def test_a_forward_reference_is_refused(crm: Client) -> None:
    answer = crm.batch(change_set(create("F-1", "1", "cf_fiches", **{"cf_DossierId@odata.bind": "$2"}), create("D-1", "2")))
    assert (answer.status_code, statuses(answer)) == (400, [400])
    assert "Content-ID Reference: '$2' does not exist in the batch context." in answer.text


def test_a_representation_breaks_a_later_reference(crm: Client) -> None:
    """Trap 7: no Location, nothing to refer to."""
    first = request_part("POST", SERVICE + "cf_dossiers", '{"cf_name":"D-1"}', content_id="1", Prefer="return=representation")
    answer = crm.batch(change_set(first, create("F-1", "2", "cf_fiches", **{"cf_DossierId@odata.bind": "$1"})))
    assert (answer.status_code, statuses(answer)) == (400, [400])


def test_references_do_not_reach_into_another_change_set(crm: Client) -> None:
    second = change_set(create("F-1", "2", "cf_fiches", **{"cf_DossierId@odata.bind": "$1"}), boundary="d")
    answer = crm.batch(change_set(create("D-1", "1")), second)
    assert statuses(answer) == [204, 400]


@pytest.mark.row(18, 19)
@pytest.mark.parametrize(
    "part",
    [
        change_set(request_part("GET", SERVICE + "cf_dossiers", content_id="1")),
        change_set(create("D-1")),
        change_set(create("D-1", "1"), create("D-2", "1")),
        request_part("POST", SERVICE + "$batch", "{}"),
        request_part("GET", SERVICE + "cf_dossiers?$skip=1"),
    ],
)
def test_what_may_not_stand_in_a_batch_is_refused(crm: Client, part: str) -> None:
    answer = crm.batch(part)
    assert (answer.status_code, statuses(answer)) == (400, [400])
    assert names(crm) == []


@pytest.mark.parametrize("prefix", [SERVICE, "{url}", "", "/"])
def test_an_address_may_be_absolute_or_relative_to_host_or_service(crm: Client, prefix: str) -> None:
    answer = crm.batch(request_part("GET", prefix.format(url=crm.url) + "cf_dossiers"))
    assert statuses(answer) == [200]


@pytest.mark.row(19)
def test_a_missing_last_line_end_is_an_unreadable_stream(crm: Client) -> None:
    answer = crm.batch(create("D-1"), end="")
    assert (answer.status_code, statuses(answer)) == (400, [400])
    assert "0x80048d19" in answer.text
    assert "Stream was not readable" in answer.text
    assert names(crm) == []


def test_line_feeds_alone_are_tolerated(crm: Client) -> None:
    body = f"--b\n{create('D-1')}\n--b--\n\n".replace("\r\n", "\n").replace('{"cf_name": "D-1"}', '{"cf_name":\n"D-1"}')
    answer = crm.http.post(crm.url + "$batch", data=body.encode(), headers={"Content-Type": "multipart/mixed;boundary=b"}, timeout=10)
    assert (answer.status_code, statuses(answer)) == (200, [204])


@pytest.mark.row(19)
def test_a_thousand_operations_are_the_limit(crm: Client) -> None:
    parts = [request_part("GET", SERVICE + "WhoAmI") for _ in range(997)]
    sets = change_set(create("D-1", "1"), create("D-2", "2"), create("D-3", "3"))
    assert len(statuses(crm.batch(*parts, sets))) == 1000
    answer = crm.batch(*parts, sets, create("D-4"))
    assert answer.status_code == 400
    assert "The current batch message contains too many parts." in answer.json()["error"]["message"]
    assert "'1000'" in answer.json()["error"]["message"]
    assert names(crm) == ["D-1", "D-2", "D-3"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", "{}"),
        ("multipart/mixed", "--b--\r\n"),
        ("multipart/mixed; boundary=b", "nothing\r\n"),
        ("multipart/mixed; boundary=b", "--b\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b--\r\n"),
        ("multipart/mixed; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"),
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(crm: Client, content_type: str, body: str) -> None:
    answer = crm.http.post(crm.url + "$batch", data=body, headers={"Content-Type": content_type}, timeout=10)
    assert error_of(answer) == (400, "0x80048d19")


def test_headers_of_a_part_are_its_own(crm: Client) -> None:
    dossier = crm.dossier()
    stale = {"If-Match": 'W/"1"'}
    answer = crm.batch(request_part("PATCH", f"{SERVICE}cf_dossiers({dossier})", '{"cf_name":"D-2"}'), headers=stale)
    assert statuses(answer) == [204]
    answer = crm.batch(request_part("PATCH", f"{SERVICE}cf_dossiers({dossier})", '{"cf_name":"D-3"}', If_Match='W/"1"'))
    assert statuses(answer) == [412]
    assert "0x80060882" in answer.text


def test_stats_count_what_a_batch_does(crm: Client) -> None:
    crm.batch(create("D-1"), change_set(create("D-2", "1"), create("D-3", "2")), request_part("GET", SERVICE + "cf_dossiers"))
    stats = crm.emulator.stats()
    assert (stats["requests"], stats["batches"]) == (1, 1)
    assert stats["operations"] == {"read": 1, "create": 3, "update": 0, "delete": 0}


@pytest.mark.row(18)
def test_the_one_error_of_a_failed_change_set_may_be_a_plain_part(crm: Client) -> None:
    crm.switch(failed_change_set="plain")
    answer = crm.batch(create("D-1"), change_set(create("D-2", "1"), create("x" * 101, "2")), create("D-3"), headers=CONTINUE)
    assert (answer.status_code, statuses(answer)) == (200, [204, 400, 204])
    assert "changesetresponse_" not in answer.text
    assert re.findall(r"Content-ID: (\S+)", answer.text) == ["2"]
    assert names(crm) == ["D-1", "D-3"]


@pytest.mark.row(18)
def test_an_older_release_does_not_know_references_in_a_bind(crm: Client) -> None:
    crm.switch(bound_references=False)
    answer = crm.batch(change_set(create("D-1", "1"), create("F-1", "2", "cf_fiches", **{"cf_DossierId@odata.bind": "$1"})))
    assert (answer.status_code, statuses(answer)) == (400, [500])
    assert "Resource not found for the segment '$1'." in answer.text
    assert names(crm) == []


@pytest.mark.row(19)
def test_a_batch_inside_a_batch_may_be_carried_out(crm: Client) -> None:
    inner = f"--i\r\n{create('D-2')}\r\n--i--"
    part = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    part += f"POST {SERVICE}$batch HTTP/1.1\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n{inner}"
    assert statuses(crm.batch(create("D-1"), part)) == [204, 400]
    crm.switch(nested_batch_refused=False)
    answer = crm.batch(part, create("D-3"))
    assert (answer.status_code, statuses(answer)) == (200, [200, 204, 204])
    assert names(crm) == ["D-1", "D-2", "D-3"]
