"""Section 5: `$batch`, byte by byte."""

import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.web_api import WebApi, error_of, message_of, new_id, statuses

pytestmark = pytest.mark.row(17, 18, 19)
NL = "\r\n"
CONTINUE = {"Prefer": "odata.continue-on-error"}


def part(verb: str, path: str, body: Any = None, headers: str = "", number: int | None = None, boundary: str = "batch_k") -> str:
    kind = f"Content-Type: application/json; type=entry{NL}" if body is not None else ""
    mime = f"Content-Type: application/http{NL}Content-Transfer-Encoding: binary{NL}" + (f"Content-ID: {number}{NL}" if number else "")
    return f"--{boundary}{NL}{mime}{NL}{verb} {path} HTTP/1.1{NL}{kind}{headers}{NL}{'' if body is None else json.dumps(body)}{NL}"


def whole(*parts: str) -> bytes:
    return ("".join(parts) + f"--batch_k--{NL}").encode()


def change_set(*parts: str, name: str = "changeset_1") -> str:
    return f'--batch_k{NL}Content-Type: multipart/mixed; boundary="{name}"{NL}{NL}' + "".join(parts) + f"--{name}--{NL}{NL}"


def change(verb: str, path: str, body: Any = None, number: int = 1, headers: str = "") -> str:
    return part(verb, path, body, headers, number, "changeset_1")


def sent(crm: WebApi, body: bytes, headers: dict[str, str] | None = None) -> requests.Response:
    return crm.send("POST", "$batch", headers={"Content-Type": 'multipart/mixed; boundary="batch_k"', **(headers or {})}, data=body)


def test_parts_are_answered_in_order(crm: WebApi) -> None:
    """5.2: 'Responses come in request order', CRLF, application/http parts."""
    row = new_id()
    body = whole(
        part("POST", crm.path + "contacts", {"contactid": row, "lastname": "Een (fictief)"}),
        part("GET", crm.path + f"contacts({row})?$select=lastname"),
        part("DELETE", crm.path + f"contacts({row})", headers=f"If-Match: *{NL}"),
    )
    answer = sent(crm, body)
    assert answer.status_code == 200
    assert answer.headers["OData-Version"] == "4.0"
    assert statuses(answer) == [204, 200, 204]


def test_the_answer_has_the_documented_bytes(crm: WebApi) -> None:
    """5.2: response bytes; inside parts 'application/json; odata.metadata=minimal; odata.streaming=true';
    changesetresponse_… with Content-ID, Location and OData-EntityId."""
    row = new_id()
    made = change_set(change("POST", "cf_dossiers", {"cf_dossierid": row, "cf_name": "D"}))
    answer = sent(crm, whole(part("GET", crm.path + "cf_dossiers?$select=cf_name&$filter=cf_name%20eq%20'-'"), made))
    boundary = re.fullmatch(r"multipart/mixed; boundary=(batchresponse_[0-9a-f-]{36})", answer.headers["Content-Type"])
    inner = re.search(rf"boundary=(changesetresponse_[0-9a-f-]{{36}}){NL}", answer.text)
    assert boundary
    assert inner
    outer, nested, address = boundary[1], inner[1], f"{crm.url}cf_dossiers({row})"
    assert answer.text == (
        f"--{outer}{NL}Content-Type: application/http{NL}Content-Transfer-Encoding: binary{NL}{NL}"
        f"HTTP/1.1 200 OK{NL}Content-Type: application/json; odata.metadata=minimal; odata.streaming=true{NL}OData-Version: 4.0{NL}{NL}"
        f'{{"@odata.context":"{crm.url}$metadata#cf_dossiers(cf_name)","value":[]}}{NL}'
        f"--{outer}{NL}Content-Type: multipart/mixed; boundary={nested}{NL}{NL}"
        f"--{nested}{NL}Content-Type: application/http{NL}Content-Transfer-Encoding: binary{NL}Content-ID: 1{NL}{NL}"
        f"HTTP/1.1 204 No Content{NL}OData-Version: 4.0{NL}Location: {address}{NL}OData-EntityId: {address}{NL}{NL}{NL}"
        f"--{nested}--{NL}--{outer}--{NL}"
    )


@pytest.mark.parametrize("form", ["{path}contacts?$top=1", "{root}contacts?$top=1", "contacts?$top=1", "/contacts?$top=1"])
def test_a_part_s_address_has_three_forms(crm: WebApi, form: str) -> None:
    """5.1: 'server-relative, or absolute; service-relative. An emulator should accept all three'; the last
    with a slash too."""
    answer = sent(crm, whole(part("GET", form.format(path=crm.path, root=crm.url))))
    assert (answer.status_code, statuses(answer)) == (200, [200])


def test_a_failure_stops_the_batch(crm: WebApi) -> None:
    """5.3: '400, still multipart/mixed; all parts before, then the failing one; the rest are not executed;
    earlier effects stay'."""
    first, last = new_id(), new_id()
    body = whole(
        part("PATCH", f"contacts({first})", {"lastname": "x"}),
        part("DELETE", f"contacts({new_id()})"),
        part("PATCH", f"contacts({last})", {"lastname": "x"}),
    )
    answer = sent(crm, body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=batchresponse_")
    assert statuses(answer) == [204, 404]
    assert '"code":"0x80040217"' in answer.text
    assert (crm.exists(f"contacts({first})"), crm.exists(f"contacts({last})")) == (True, False)


def test_continue_on_error_answers_every_part(crm: WebApi) -> None:
    """5.3: 'Prefer: odata.continue-on-error → 200, every part, in order'."""
    last = new_id()
    body = whole(part("DELETE", f"contacts({new_id()})"), part("PATCH", f"contacts({last})", {"lastname": "x"}), part("GET", "nothings"))
    answer = sent(crm, body, headers=CONTINUE)
    assert (answer.status_code, statuses(answer)) == (200, [404, 204, 404])
    assert crm.exists(f"contacts({last})")


def test_error_parts_carry_a_request_id(crm: WebApi) -> None:
    """5.2: 'Error parts also carry REQ_ID: <guid>'."""
    assert re.search(r"REQ_ID: [0-9a-f-]{36}", sent(crm, whole(part("GET", "nothings"))).text, re.I)


def test_a_change_set_echoes_content_ids_and_addresses(crm: WebApi) -> None:
    """5.2: changesetresponse_… with Content-ID, Location and OData-EntityId."""
    one, two = new_id(), new_id()
    body = whole(
        change_set(
            change("POST", "cf_dossiers", {"cf_dossierid": one, "cf_name": "D"}, 1),
            change("POST", "cf_fiches", {"cf_ficheid": two, "cf_name": "F", "cf_DossierId@odata.bind": "$1"}, 2),
        )
    )
    answer = sent(crm, body)
    assert (answer.status_code, statuses(answer)) == (200, [204, 204])
    assert re.findall(r"^Content-ID: (\d+)\r", answer.text, re.M) == ["1", "2"]
    assert re.findall(r"^Location: (\S+)\r", answer.text, re.M) == [f"{crm.url}cf_dossiers({one})", f"{crm.url}cf_fiches({two})"]
    assert crm.row(f"cf_fiches({two})")["_cf_dossierid_value"] == one


def test_a_reference_stands_in_the_address(crm: WebApi) -> None:
    """5.1: '$n references: in a URL (PATCH $1, POST $1/nav/$ref) and in bind values'."""
    one, fiche, other = new_id(), crm.create("cf_fiches", cf_name="F"), new_id()
    body = whole(
        change_set(
            change("POST", "cf_dossiers", {"cf_dossierid": one, "cf_name": "D"}, 1),
            change("PATCH", "$1", {"cf_summary": "s"}, 2),
            change("POST", "$1/cf_dossier_fiches/$ref", {"@odata.id": f"{crm.url}cf_fiches({fiche})"}, 3),
            change("POST", "cf_fiches", {"cf_ficheid": other, "cf_name": "F"}, 4),
            change("POST", "$1/cf_dossier_fiches/$ref", {"@odata.id": "$4"}, 5),
        )
    )
    answer = sent(crm, body)
    assert statuses(answer) == [204] * 5, answer.text
    assert crm.row(f"cf_dossiers({one})")["cf_summary"] == "s"
    assert [crm.row(f"cf_fiches({row})")["_cf_dossierid_value"] for row in (fiche, other)] == [one, one]


@pytest.mark.parametrize("forward", ["forward", "other change set"])
def test_a_reference_only_looks_back_in_its_change_set(crm: WebApi, forward: str) -> None:
    """5.1: 'only backward, only within the same change set. Forward reference → 400 Content-ID Reference:
    '$1' does not exist …'."""
    one = new_id()
    user = change("POST", "cf_fiches", {"cf_name": "F", "cf_DossierId@odata.bind": "$1"}, 2)
    maker = change("POST", "cf_dossiers", {"cf_dossierid": one, "cf_name": "D"}, 1)
    body = whole(change_set(user, maker)) if forward == "forward" else whole(change_set(maker), change_set(user))
    answer = sent(crm, body)
    assert (answer.status_code, statuses(answer)) == (400, [400] if forward == "forward" else [204, 400])
    assert "Content-ID Reference: '$1' does not exist in the batch context." in answer.text
    assert crm.exists(f"cf_dossiers({one})") is (forward != "forward")


def test_a_failing_change_set_is_rolled_back_with_one_answer(crm: WebApi) -> None:
    """5.3: 'the whole change set is rolled back; one error response stands for it'."""
    one, after, kept = new_id(), new_id(), crm.create("contacts", lastname="Blijft (fictief)")
    body = whole(
        change_set(
            change("POST", "cf_dossiers", {"cf_dossierid": one, "cf_name": "D"}, 1),
            change("DELETE", f"contacts({kept})", None, 2),
            change("DELETE", f"contacts({new_id()})", None, 3),
            change("POST", "cf_dossiers", {"cf_dossierid": new_id(), "cf_name": "never"}, 4),
        ),
        part("PATCH", f"contacts({after})", {"lastname": "x"}),
    )
    answer = sent(crm, body)
    assert (answer.status_code, statuses(answer)) == (400, [404])
    assert not crm.exists(f"contacts({after})")
    again = sent(crm, body, headers=CONTINUE)
    assert (again.status_code, statuses(again)) == (200, [404, 204])
    assert not crm.exists(f"cf_dossiers({one})")
    assert crm.exists(f"contacts({kept})")
    assert crm.rows("cf_dossiers", filter="cf_name eq 'never'") == []


def test_a_failed_change_set_names_the_failing_content_id(crm: WebApi) -> None:
    """5.3: 'Shape: seen as a changesetresponse_… multipart with the failing Content-ID'."""
    body = whole(change_set(change("POST", "cf_dossiers", {"cf_name": "D"}, 7), change("DELETE", f"contacts({new_id()})", None, 9)))
    text = sent(crm, body).text
    assert "changesetresponse_" in text
    assert re.findall(r"^Content-ID: (\d+)\r", text, re.M) == ["9"]


def test_a_failed_change_set_may_be_a_plain_part(crm: WebApi, switches: Any) -> None:
    """5.3: 'OData allows a plain application/http part → parse both'."""
    switches({"failed_change_set": "plain"})
    made, last = new_id(), new_id()
    creation = change("POST", "cf_dossiers", {"cf_dossierid": made, "cf_name": "D"}, 1)
    failing = change_set(creation, change("DELETE", f"contacts({new_id()})", None, 2))
    answer = sent(crm, whole(failing, part("PATCH", f"contacts({last})", {"lastname": "x"})), headers=CONTINUE)
    assert "changesetresponse_" not in answer.text
    assert (answer.status_code, statuses(answer)) == (200, [404, 204])
    assert re.findall(r"^Content-ID: (\d+)\r", answer.text, re.M) == ["2"]
    assert not crm.exists(f"cf_dossiers({made})")


@pytest.mark.parametrize(
    "operation",
    [
        change_set(change("GET", "contacts?$top=1")),
        change_set(part("POST", "contacts", {"lastname": "geweigerd"}, boundary="changeset_1")),
        change_set(change("POST", "contacts", {"lastname": "geweigerd"}), change("POST", "contacts", {"lastname": "geweigerd"})),
        part("POST", "$batch", {}),
        part("GET", "contacts?$skip=1"),
    ],
    ids=["GET in a change set", "no Content-ID", "one Content-ID twice", "a batch", "an option unknown"],
)
def test_what_may_not_stand_in_a_batch_is_refused(crm: WebApi, operation: str) -> None:
    """5.1: 'A GET inside a change set is not allowed (400)'; each part of a change set has a Content-ID of
    its own; 'batches cannot be nested'."""
    answer = sent(crm, whole(operation))
    assert (answer.status_code, statuses(answer)) == (400, [400])
    assert crm.rows("contacts", filter="lastname eq 'geweigerd'") == []


def test_headers_of_a_part_are_its_own(crm: WebApi) -> None:
    """5.1: 'Per-part headers are independent (If-Match, Prefer); outer headers are not inherited'."""
    row = crm.create("contacts", lastname="Kop (fictief)")
    stale = f'If-Match: W/"1"{NL}'
    body = whole(
        part("PATCH", f"contacts({row})", {"firstname": "a"}, stale),
        part("PATCH", f"contacts({row})", {"firstname": "b"}, f"Prefer: return=representation{NL}"),
        part("POST", "contacts", {"lastname": "x"}),
    )
    answer = sent(crm, body, headers={"Prefer": "odata.continue-on-error", "If-Match": 'W/"1"'})
    assert (answer.status_code, statuses(answer)) == (200, [412, 200, 204])
    assert "0x80060882" in answer.text
    assert crm.row(f"contacts({row})")["firstname"] == "b"


def test_representation_breaks_references(crm: WebApi) -> None:
    """5.1: 'Prefer: return=representation on the create that is referenced breaks $n (no Location)'."""
    body = whole(
        change_set(
            change("POST", "cf_dossiers", {"cf_name": "D"}, 1, f"Prefer: return=representation{NL}"),
            change("POST", "cf_fiches", {"cf_name": "niet opgeslagen", "cf_DossierId@odata.bind": "$1"}, 2),
        )
    )
    answer = sent(crm, body)
    assert (answer.status_code, statuses(answer)) == (400, [400])
    assert crm.rows("cf_fiches", filter="cf_name eq 'niet opgeslagen'") == []


def test_a_missing_last_line_end_is_400(crm: WebApi) -> None:
    """5.1: 'The final line must also end with CRLF; otherwise 400 … 0x80048d19 … System.ArgumentException:
    Stream was not readable'."""
    row = new_id()
    answer = sent(crm, whole(part("PATCH", f"contacts({row})", {"lastname": "x"}))[:-2])
    assert (answer.status_code, statuses(answer)) == (400, [400])
    assert answer.headers["Content-Type"].startswith("multipart/mixed")
    assert "0x80048d19" in answer.text
    assert "InnerException : System.ArgumentException: Stream was not readable" in answer.text
    assert not crm.exists(f"contacts({row})")


def test_two_bare_line_feeds_at_the_end_happen_to_work(crm: WebApi) -> None:
    """5.1: 'Two trailing bare line feeds happen to work as well'."""
    answer = sent(crm, whole(part("GET", "contacts?$top=1"))[:-2] + b"\n\n")
    assert (answer.status_code, statuses(answer)) == (200, [200])


def test_bare_line_feeds_are_tolerated(crm: WebApi) -> None:
    """5.1: 'LF-only bodies: tolerated mid-body. Emit CRLF, accept both'."""
    row = new_id()
    body = whole(part("POST", "contacts", {"contactid": row, "lastname": "x"}), part("GET", f"contacts({row})"))
    body = body.replace(b"\r\n", b"\n").replace(b'"lastname": ', b'"lastname":\n')
    answer = sent(crm, body + b"\n")
    assert (answer.status_code, statuses(answer)) == (200, [204, 200])


def test_the_boundary_may_go_without_quotes(crm: WebApi) -> None:
    """5.1: 'quotes optional'."""
    answer = crm.send(
        "POST", "$batch", headers={"Content-Type": "multipart/mixed;boundary=batch_k"}, data=whole(part("GET", "contacts?$top=1"))
    )
    assert (answer.status_code, statuses(answer)) == (200, [200])


def test_a_thousand_operations_pass_and_one_more_does_not(crm: WebApi) -> None:
    """5.1: 'Max 1,000 operations including those in change sets'; text 'too many parts … '1000' query
    operations'."""
    row = crm.create("contacts", lastname="Veel (fictief)")
    ask = part("GET", f"contacts({row})?$select=lastname")
    deed = change_set(change("PATCH", f"contacts({row})", {"firstname": "stil"}))
    assert statuses(sent(crm, whole(ask * 999, deed))) == [200] * 999 + [204]
    answer = sent(crm, whole(deed.replace("stil", "luid"), ask * 1000))
    assert answer.status_code == 400
    assert (
        "The current batch message contains too many parts. Only batch messages with a maximum number of '1000' query operations, "
        "including changeset operations, are allowed." in message_of(answer)
    )
    assert crm.row(f"contacts({row})")["firstname"] == "stil"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/mixed", whole(part("GET", "contacts"))),
        ("multipart/mixed; boundary=b", b"nothing\r\n"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b--\r\n"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"),
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(crm: WebApi, kind: str, body: bytes) -> None:
    """5.3: 'body malformed → plain JSON or a multipart with one error part'."""
    assert error_of(crm.send("POST", "$batch", headers={"Content-Type": kind}, data=body)) == (400, "0x80048d19")


def test_a_batch_without_token_is_401_as_a_whole(crm: WebApi) -> None:
    """5.3: 'bad auth 401, plain JSON'."""
    answer = sent(crm, whole(part("GET", "contacts")), headers={"Authorization": ""})
    assert answer.status_code == 401


def test_a_batch_counts_as_one_request(crm: WebApi) -> None:
    """5.4: 'a batch is one HTTP request'; contract: 'operations inside a batch counted'."""
    before = crm.control("GET", "stats")
    two = change_set(change("POST", "contacts", {"lastname": "x"}, 1), change("POST", "contacts", {"lastname": "x"}, 2))
    sent(crm, whole(part("GET", "contacts?$top=1"), part("GET", "contacts?$top=1"), part("POST", "contacts", {"lastname": "x"}), two))
    after = crm.control("GET", "stats")
    assert (after["requests"] - before["requests"], after["batches"] - before["batches"]) == (1, 1)
    grown = {kind: after["operations"][kind] - before["operations"][kind] for kind in ("read", "create", "update", "delete")}
    assert grown == {"read": 2, "create": 3, "update": 0, "delete": 0}


def test_a_batch_in_small_pieces_over_a_raw_socket(crm: WebApi) -> None:
    """5.1: the request bytes as a slow client sends them; 5.2: the answer is whole."""
    body = whole(part("GET", "contacts?$top=1"))
    place = urlsplit(crm.url)
    head = (
        f"POST {crm.path}$batch HTTP/1.1{NL}Host: {place.netloc}{NL}Authorization: Bearer t{NL}Connection: close{NL}"
        f"Content-Type: multipart/mixed; boundary=batch_k{NL}Content-Length: {len(body)}{NL}{NL}"
    ).encode()
    with socket.create_connection((str(place.hostname), place.port or 80), 10) as line:
        for start in range(0, len(head + body), 37):
            line.sendall((head + body)[start : start + 37])
        told = b""
        while chunk := line.recv(65536):
            told += chunk
    assert told.startswith(b"HTTP/1.1 200 ")
    assert b"\r\n\r\n--batchresponse_" in told


def test_a_message_works_inside_a_change_set(crm: WebApi) -> None:
    """5.1: actions are operations; 6.1: UpdateMultiple answers 204."""
    row = crm.create("contacts", lastname="Bericht (fictief)")
    target = {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": row, "firstname": "in set"}
    answer = sent(crm, whole(change_set(change("POST", "contacts/Microsoft.Dynamics.CRM.UpdateMultiple", {"Targets": [target]}))))
    assert statuses(answer) == [204]
    assert crm.row(f"contacts({row})")["firstname"] == "in set"


def test_a_refused_part_is_json_with_code(crm: WebApi) -> None:
    """8.1: the same error body inside a part."""
    answer = sent(crm, whole(part("GET", "Contacts")))
    text = answer.text.split(NL + NL)[2]
    assert json.loads(text[: text.rindex("}") + 1])["error"]["code"] == "0x8006088a"
    assert error_of(crm.get("Contacts")) == (404, "0x8006088a")


def test_a_page_inside_a_batch_has_its_own_preference(crm: WebApi) -> None:
    """5.1: 'Per-part headers are independent'; 3.6: the link of a page leads on outside the batch too."""
    for number in range(3):
        crm.create("cf_engagements", cf_name=f"E{number}")
    answer = sent(crm, whole(part("GET", "cf_engagements?$select=cf_name", headers=f"Prefer: odata.maxpagesize=2{NL}")))
    found = re.search(r'"@odata\.nextLink":"([^"]+)"', answer.text)
    assert found
    assert len(crm.rows(found[1])) == 1


def test_a_throttle_may_stand_inside(crm: WebApi, switches: Any) -> None:
    """5.4: 'An inner part with 429 must be handled by the client anyway'."""
    before = crm.control("GET", "limits")
    crm.control("POST", "reset", {"empty": True})
    switches({"throttle_inside_batch": True})
    crm.control("PUT", "limits", {"requests": 2})
    try:
        answer = sent(crm, whole(part("GET", "contacts?$top=1") * 4), headers=CONTINUE)
    finally:
        crm.control("PUT", "limits", before)
    assert answer.status_code == 200
    assert statuses(answer) == [200, 200, 429, 429]
