"""`$batch` where releases and organisations differ: references in a bind, a batch within a batch."""

import json

import pytest

from tests.connectors.emulator.client import Client
from tests.web_api import change_set, request_part, statuses

SERVICE = "/api/data/v9.2/"


def create(name: str, content_id: str | None = None, table: str = "cf_dossiers", **more: object) -> str:
    return request_part("POST", SERVICE + table, json.dumps({"cf_name": name, **more}), content_id=content_id)


def names(crm: Client) -> list[str]:
    return sorted(row["cf_name"] for row in crm.rows("cf_dossiers?$select=cf_name"))


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
