"""Change sets over `$batch`: the bytes that are sent, and what may be believed of the answer."""

import dataclasses
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests
import responses
import urllib3

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.writing.multipart import boundary_of, split
from connectors.interface.changes import ChangeResult, ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.errors import Forbidden, Unauthorised
from rules.model.bypass import Bypass
from rules.model.records import Contact, Donation, Dossier, Fiche, Note, Party, Record, Recording, Statistic
from tests.connectors.dynamics.batch_answers import MULTIPART, done, joined, nested, operation_part
from tests.connectors.dynamics.fake_crm import ROOT, FakeCrm, row_id

BATCH = f"{ROOT}$batch"


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as started:
        yield started


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def connector(mock: responses.RequestsMock, naps: list[float]) -> Iterator[DynamicsConnector]:
    with FakeCrm(mock).connector(sleep=naps.append) as started:
        yield started


def deletion(number: int, record: type[Record] = Note) -> Operation:
    return Operation(OperationKind.DELETE, record, row_id(number), f'W/"{number}"')


def sets(*sizes: int) -> list[ChangeSet]:
    return [ChangeSet(f"k{i}", tuple(deletion(10 * i + n) for n in range(size))) for i, size in enumerate(sizes)]


def reply(mock: responses.RequestsMock, *parts: bytes, status: int = 200) -> None:
    mock.post(BATCH, body=joined(list(parts)), status=status, content_type=MULTIPART)


def statuses(results: list[ChangeResult]) -> list[ChangeStatus]:
    return [result.status for result in results]


DONE, CHANGED, REFUSED, UNKNOWN = ChangeStatus.DONE, ChangeStatus.CHANGED, ChangeStatus.REFUSED, ChangeStatus.UNKNOWN


# -- what is sent --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bypass", "headers"),
    [
        ((), set()),
        ((Bypass.PLUGINS,), {b"MSCRM.BypassBusinessLogicExecution: CustomSync,CustomAsync"}),
        ((Bypass.FLOWS,), {b"MSCRM.SuppressCallbackRegistrationExpanderJob: true"}),
    ],
)
def test_only_the_operation_that_says_so_passes_by_custom_logic(
    mock: responses.RequestsMock, connector: DynamicsConnector, bypass: tuple[Bypass, ...], headers: set[bytes]
) -> None:
    """Section 1.8 of the wire reference."""
    reply(mock, done(1, 2))
    one = dataclasses.replace(deletion(1), bypass=frozenset(bypass))
    assert statuses(connector.change([ChangeSet("a", (one, deletion(2)))])) == [DONE]
    sent = mock.calls[-1].request
    assert isinstance(sent.body, bytes)
    assert not [name for name in sent.headers if name.lower().startswith("mscrm.")], "never for the batch as a whole"
    first, second = (re.findall(rb"(?i)mscrm\.[^\r\n]+", part) for part in sent.body.split(b"DELETE /")[1:])
    assert ({*first}, second) == (headers, [])


def test_the_bytes_of_a_batch(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    reply(mock, done(1, 2), done(3))
    update = Operation(OperationKind.UPDATE, Recording, row_id(2), 'W/"7"', {"fiche": None})
    create = Operation(OperationKind.CREATE, Statistic, row_id(3), values={"year": 2026, "channel": "chat"})
    assert statuses(connector.change([ChangeSet("a", (deletion(1), update)), ChangeSet("b", (create,))])) == [DONE, DONE]
    sent = mock.calls[-1].request
    assert sent.headers["Prefer"] == "odata.continue-on-error"
    boundary = boundary_of(str(sent.headers["Content-Type"]))
    assert isinstance(sent.body, bytes)
    assert sent.body.endswith(b"--\r\n")
    assert not re.search(rb"(?<!\r)\n", sent.body), "each line ends with CRLF"
    first, second = split(sent.body, boundary)
    parts = [
        *split(first.body, boundary_of(first.headers["content-type"])),
        *split(second.body, boundary_of(second.headers["content-type"])),
    ]
    assert [part.content_id for part in parts] == ["1", "2", "3"]
    head = parts[0].body.split(b"\r\n")
    assert head[0] == f"DELETE /api/data/v9.2/annotations({row_id(1)}) HTTP/1.1".encode()
    assert b'If-Match: W/"1"' in head
    assert f"PATCH /api/data/v9.2/cf_recordings({row_id(2)}) HTTP/1.1".encode() in parts[1].body
    assert b'If-Match: W/"7"' in parts[1].body
    assert parts[1].body.endswith(b'{"cf_FicheId@odata.bind":null}')
    assert parts[2].body.startswith(b"POST /api/data/v9.2/cf_statistics HTTP/1.1\r\n")
    body = json.loads(parts[2].body.rpartition(b"\r\n")[2])
    assert body == {"cf_statisticid": row_id(3), "cf_year": 2026, "cf_channel": 100000001}


def values_sent(mock: responses.RequestsMock, connector: DynamicsConnector, record: type[Record], values: dict[str, object]) -> Any:
    reply(mock, done(1))
    connector.change([ChangeSet("a", (Operation(OperationKind.UPDATE, record, row_id(1), 'W/"1"', values),))])
    body = mock.calls[-1].request.body
    assert isinstance(body, bytes)
    return json.loads(re.findall(rb"\r\n\r\n(\{.*\})\r\n", body)[0])


def test_values_are_written_in_the_columns_own_kind(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    assert values_sent(mock, connector, Contact, {"birth_on": date(2010, 1, 2), "gender": "x", "newsletter": True}) == {
        "birthdate": "2010-01-02",
        "gendercode": 3,
        "cf_newsletter": True,
    }
    assert values_sent(mock, connector, Contact, {"anonymised_on": date(2026, 7, 1)}) == {"cf_anonymisedon": "2026-07-01T10:00:00Z"}
    moment = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert values_sent(mock, connector, Contact, {"anonymised_on": moment, "birth_on": moment}) == {
        "cf_anonymisedon": "2026-07-01T23:30:00Z",
        "birthdate": "2026-07-02",
    }
    assert values_sent(mock, connector, Dossier, {"categories": ("runaway", "sexting"), "is_active": False}) == {
        "cf_categories": "100000030,100000022",
        "statecode": 1,
    }
    assert values_sent(mock, connector, Dossier, {"categories": ()}) == {"cf_categories": None}
    assert values_sent(mock, connector, Contact, {"parent": row_id(5)}) == {
        "parentcustomerid_contact@odata.bind": f"/contacts({row_id(5)})"
    }
    assert values_sent(mock, connector, Fiche, {"dossier": row_id(5)}) == {"cf_DossierId@odata.bind": f"/cf_dossiers({row_id(5)})"}


def test_every_column_of_a_trimmed_contact_is_emptied(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    fields = ("national_number", "birth_on", "birth_year", "birth_month", "stated_age", "stated_on", "birth_place", "image", "description")
    sent = values_sent(mock, connector, Contact, dict.fromkeys(fields))
    assert set(sent.values()) == {None}
    assert len(sent) == len(fields)


@pytest.mark.parametrize(
    ("record", "values"),
    [
        (Contact, {"gender": "unknown"}),
        (Contact, {"gender": ("m", "f")}),
        (Contact, {"birth_year": "2010"}),
        (Note, {"evidence": True}),
        (Note, {"regarding": row_id(1)}),
    ],
)
def test_what_has_no_place_in_the_table_is_refused_unsent(
    mock: responses.RequestsMock, connector: DynamicsConnector, record: type[Record], values: dict[str, object]
) -> None:
    change = ChangeSet("a", (deletion(1), Operation(OperationKind.UPDATE, record, row_id(1), 'W/"1"', values)))
    (result,) = connector.change([change])
    assert (result.status, result.service_code) == (REFUSED, "not_mapped")
    assert not any(call.request.method == "POST" for call in mock.calls)


@pytest.mark.parametrize("etag", ["", "*"])
def test_a_write_without_a_version_is_a_mistake_of_ours_and_sends_nothing(
    mock: responses.RequestsMock, connector: DynamicsConnector, etag: str
) -> None:
    for kind in (OperationKind.UPDATE, OperationKind.DELETE):
        with pytest.raises(ValueError, match="version"):
            connector.change([ChangeSet("a", (deletion(1),)), ChangeSet("b", (Operation(kind, Note, row_id(1), etag),))])
    assert not any(call.request.method == "POST" for call in mock.calls)


def test_a_version_cannot_smuggle_a_header(connector: DynamicsConnector) -> None:
    with pytest.raises(ValueError, match="version"):
        connector.change([ChangeSet("a", (Operation(OperationKind.DELETE, Note, row_id(1), 'W/"1"\r\nX: y'),))])


def test_a_change_set_that_is_too_large_is_refused_unsent(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    (result,) = connector.change([ChangeSet("a", tuple(deletion(n) for n in range(1001)))])
    assert (result.status, result.service_code) == (REFUSED, "too_many_operations")


def test_batches_stay_small_but_hold_a_large_change_set_whole(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    reply(mock, done(*range(1, 61)))
    reply(mock, done(*range(1, 51)), done(*range(51, 101)))
    reply(mock, done(*range(1, 301)))
    changes = [ChangeSet(f"k{i}", tuple(deletion(1000 * i + n) for n in range(size))) for i, size in enumerate((60, 50, 50, 300))]
    assert statuses(connector.change(changes)) == [DONE] * 4


# -- what is answered ----------------------------------------------------------------------------------------


def test_each_failure_has_its_meaning(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    failures = [
        (412, "0x80060882", CHANGED),
        (404, "0x80040217", CHANGED),
        (404, "", CHANGED),
        (404, "0x8006088A", REFUSED),
        (412, "0x80040237", CHANGED),
        (412, "0x80060892", REFUSED),
        (405, "0x80040227", REFUSED),
        (403, "0x80040220", REFUSED),
        (400, "0x80048d19", REFUSED),
        (500, "0x80044151", UNKNOWN),
        (503, "", UNKNOWN),
        (408, "", UNKNOWN),
    ]
    reply(mock, *(nested(operation_part(status, 2 * n + 2, code)) for n, (status, code, _) in enumerate(failures)))
    results = connector.change(sets(*(2 for _ in failures)))
    assert statuses(results) == [meaning for _, _, meaning in failures]
    assert [result.service_code for result in results] == [code.lower() for _, code, _ in failures]
    assert "Peeters" not in repr(results)
    told = " ".join(connector.warnings)
    assert [part in told for part in ("A relationship of the CRM restricts", "(0x80048d19)", "(0x80060882)")] == [True, True, False]
    assert "Peeters" not in told


@pytest.mark.parametrize(
    ("status", "code", "message", "told"),
    [
        (400, "0x80040265", "Peeters mag niet weg", "A plug-in or workflow of the CRM refuses it (0x80040265). Ask who administers it why"),
        (403, "0x80040220", "Peeters is missing prvDeletecf_fiche privilege", "Give its security role prvDeletecf_fiche"),
        (403, "0x8004f507", "Peeters", "Give it a column security profile that reads and updates the column"),
        (500, "0x80040265", "Peeters mag niet weg", "what became of a write is not known: A plug-in or workflow of the CRM refuses it"),
    ],
)
def test_why_a_write_is_refused_is_told_once_with_what_to_do(
    mock: responses.RequestsMock, connector: DynamicsConnector, status: int, code: str, message: str, told: str
) -> None:
    reply(mock, *(nested(operation_part(status, number, code, message=message)) for number in (1, 2)))
    assert statuses(connector.change(sets(1, 1))) == [UNKNOWN if status >= 500 else REFUSED] * 2
    (warning,) = connector.warnings
    assert told in warning
    assert "Peeters" not in warning


def test_a_batch_that_something_between_refuses_is_told(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    """Whether the CRM saw it is not known: it is read back."""
    mock.post(BATCH, status=413, body="<html>too large</html>")
    mock.post(BATCH, body="<html>Aanmelden</html>", content_type="text/html")
    mock.post(BATCH, status=403, body="<html>Blocked</html>", content_type="text/html")
    assert [statuses(connector.change(sets(1))) for _ in range(3)] == [[UNKNOWN]] * 3
    told = [warning.partition(": ")[::2] for warning in connector.warnings]
    assert [what for what, _ in told] == ["what became of a write is not known"] * 3
    assert ["HTTP 413" in told[0][1], "a web page answers" in told[1][1], "HTTP 403" in told[2][1]] == [True] * 3


@pytest.mark.parametrize("content_id", [2, None])
def test_a_failure_may_be_a_plain_part(mock: responses.RequestsMock, connector: DynamicsConnector, content_id: int | None) -> None:
    reply(mock, operation_part(412, content_id, "0x80060882"), done(3))
    first, second = connector.change(sets(2, 1))
    assert (first.status, second.status) == (CHANGED, DONE)


def test_a_service_that_stops_at_the_first_failure_leaves_the_rest_unknown(
    mock: responses.RequestsMock, connector: DynamicsConnector
) -> None:
    reply(mock, done(1), operation_part(412, 2, "0x80060882"), status=400)
    assert statuses(connector.change(sets(1, 1, 1, 1))) == [DONE, CHANGED, UNKNOWN, UNKNOWN]


def test_a_failure_without_a_name_in_an_answer_with_fewer_parts_is_nobodys(
    mock: responses.RequestsMock, connector: DynamicsConnector
) -> None:
    reply(mock, done(1), operation_part(412, None, "0x80060882"), status=400)
    assert statuses(connector.change(sets(1, 1, 1, 1))) == [DONE, UNKNOWN, UNKNOWN, UNKNOWN]


def test_a_part_too_few_is_never_given_to_a_neighbour(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    reply(mock, operation_part(412, None, "0x80060882"), done(3))
    assert statuses(connector.change(sets(1, 1, 1))) == [UNKNOWN, UNKNOWN, DONE]


def test_two_answers_for_one_change_set_count_as_none(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    reply(mock, done(1), done(1))
    assert statuses(connector.change(sets(1, 1))) == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    "part",
    [
        done(1),
        done(1, 2, 3),
        done(1, 1),
        nested(operation_part(204, 1), operation_part(204, None)),
        nested(),
        operation_part(204, 1),
        nested(operation_part(204, 1), b"Content-Type: application/http\r\nContent-ID: 2\r\n\r\nnonsense"),
        nested(operation_part(204, 1), operation_part(302, 2)),
    ],
)
def test_a_success_that_is_not_whole_is_unknown(mock: responses.RequestsMock, connector: DynamicsConnector, part: bytes) -> None:
    reply(mock, part)
    assert statuses(connector.change(sets(2))) == [UNKNOWN]


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (200, MULTIPART, b""),
        (200, "multipart/mixed", joined([done(1)])),
        (200, "text/html", b"<html>"),
        (500, "text/html", b"<html>"),
        (503, MULTIPART, joined([done(1)])),
        (413, "application/json", b"{}"),
    ],
)
def test_an_answer_that_cannot_be_read_is_unknown(
    mock: responses.RequestsMock, connector: DynamicsConnector, status: int, content_type: str, body: bytes
) -> None:
    mock.post(BATCH, status=status, body=body, content_type=content_type)
    (result,) = connector.change(sets(1))
    assert result.status == UNKNOWN
    assert len([call for call in mock.calls if call.request.method == "POST"]) == 1, "nothing is tried twice"


@pytest.mark.parametrize("failure", [requests.ReadTimeout(), requests.ConnectionError(urllib3.exceptions.ProtocolError("x"))])
def test_a_lost_answer_is_unknown_and_the_next_batch_goes_on(
    mock: responses.RequestsMock, connector: DynamicsConnector, failure: Exception
) -> None:
    mock.post(BATCH, body=failure)
    mock.post(BATCH, body=joined([done(*range(1, 61))]), content_type=MULTIPART)
    changes = [ChangeSet(f"k{i}", tuple(deletion(1000 * i + n) for n in range(60))) for i in range(2)]
    assert statuses(connector.change(changes)) == [UNKNOWN, DONE]


def test_a_connection_that_never_came_about_is_tried_again(
    mock: responses.RequestsMock, connector: DynamicsConnector, naps: list[float]
) -> None:
    mock.post(BATCH, body=requests.ConnectTimeout())
    reply(mock, done(1))
    assert statuses(connector.change(sets(1))) == [DONE]
    assert len(naps) == 1


def test_a_crm_that_cannot_be_reached_at_all_leaves_all_unknown(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    mock.post(BATCH, body=requests.ConnectTimeout())
    assert statuses(connector.change(sets(1, 1))) == [UNKNOWN, UNKNOWN]


def test_a_throttled_batch_waits_and_is_sent_again(mock: responses.RequestsMock, connector: DynamicsConnector, naps: list[float]) -> None:
    mock.post(BATCH, status=429, headers={"Retry-After": "11"}, json={"error": {"code": "0x80072322", "message": ""}})
    reply(mock, done(1))
    assert statuses(connector.change(sets(1))) == [DONE]
    assert naps == [11.0]


def test_one_throttled_change_set_is_sent_again_alone(
    mock: responses.RequestsMock, connector: DynamicsConnector, naps: list[float]
) -> None:
    reply(mock, done(1), nested(operation_part(429, 2, "0x80072321", "Retry-After: 5\r\n")), nested(operation_part(412, 3, "0x80060882")))
    reply(mock, done(1))
    assert statuses(connector.change(sets(1, 1, 1))) == [DONE, DONE, CHANGED]
    assert naps == [5.0]


def test_waiting_ends_some_time(mock: responses.RequestsMock, connector: DynamicsConnector, naps: list[float]) -> None:
    mock.post(BATCH, status=429, headers={"Retry-After": "1000"}, json={"error": {"code": "0x80072322", "message": ""}})
    (result,) = connector.change(sets(1))
    assert (result.status, result.service_code) == (UNKNOWN, "0x80072322")
    assert naps == [1000.0]


@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorised), (403, Forbidden)])
def test_a_batch_that_is_refused_before_anything_was_done_raises(
    mock: responses.RequestsMock, connector: DynamicsConnector, status: int, kind: type[Exception]
) -> None:
    mock.post(BATCH, status=status, json={"error": {"code": "0x80040220", "message": "Lotte is missing prvDeletecf_fiche"}})
    with pytest.raises(kind) as caught:
        connector.change(sets(1))
    assert "Lotte" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_results_are_not_lost_when_access_is_lost_half_way(mock: responses.RequestsMock, connector: DynamicsConnector, status: int) -> None:
    reply(mock, done(*range(1, 61)))
    mock.post(BATCH, status=status, json={"error": {"code": "0x80040220", "message": ""}})
    changes = [ChangeSet(f"k{i}", tuple(deletion(1000 * i + n) for n in range(60))) for i in range(2)]
    results = connector.change(changes)
    assert statuses(results) == [DONE, REFUSED]


def test_unused_kinds_are_writable_too(mock: responses.RequestsMock, connector: DynamicsConnector) -> None:
    reply(mock, done(1, 2))
    (result,) = connector.change([ChangeSet("a", (deletion(1, Party), deletion(2, Donation)))])
    assert result.status is DONE
