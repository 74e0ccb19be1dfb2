"""Error bodies of any form: only a code, the name of a privilege and a status get out of them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.http.faults import Fault, error, fault, is_transient, request_id
from connectors.interface.errors import ConnectorError
from tests.connectors.dynamics.fuzz.corpus import Entry, entries
from tests.connectors.dynamics.fuzz.damage import mutated

CORPUS = entries("errors")
BODIES = [entry.body for entry in CORPUS] + [entry.body for entry in entries("batch")]
STATUSES = st.sampled_from([300, 302, 400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 429, 500, 501, 502, 503, 504, 599])
# Letters that none of our own words are written with, so that any of them in a message has come from the
# body.
SECRETS = st.text("ßþðøæłŋħŧ0123456789", min_size=5, max_size=20).map(lambda text: f"ø{text}")


def told(failure: ConnectorError) -> str:
    """All that logs and mails may show of an error, less what is meant to be shown."""
    shown = " ".join(map(str, (failure, failure.hint, failure.where, failure.request_id, repr(failure), failure.args)))
    return shown.replace(failure.service_code, "") if failure.service_code else shown


def errors_of(status: int, body: bytes) -> tuple[Fault, ConnectorError]:
    found = fault(status, body)
    is_transient(found)
    return found, error(found, request="r-1", where="cf_fiches")


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_each_form_of_error_tells_its_code_and_no_payload(entry: Entry) -> None:
    found, failure = errors_of(entry.status, entry.body)
    assert (found.code, found.privilege) == (" ".join(entry.words("X-Code")), " ".join(entry.words("X-Privilege")))
    assert failure.status == entry.status
    assert "Peeters" not in told(failure)
    assert "fictief" not in told(failure)


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_an_error_cut_at_any_byte_tells_its_code_or_none(entry: Entry) -> None:
    codes = {"", *entry.words("X-Code")}
    for end in range(len(entry.body)):
        assert fault(entry.status, entry.body[:end]).code in codes


@given(STATUSES, mutated(BODIES))
def test_damaged_errors_never_make_the_reader_fail_or_tell_more(status: int, body: bytes) -> None:
    found, failure = errors_of(status, body)
    assert re.fullmatch(r"(0x[0-9a-f]{1,8})?", found.code)
    assert re.fullmatch(r"(prv\w{1,100})?", found.privilege)
    assert "Peeters" not in told(failure).replace(found.privilege or "-", "")
    assert len(str(failure)) < 250


@st.composite
def error_bodies(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """JSON with secrets at every place where a service may put a text, and those secrets."""
    secrets: list[str] = []

    def secret() -> str:
        secrets.append(draw(SECRETS))
        return secrets[-1]

    values: list[Any] = [secret(), [secret()], {"message": secret(), "stacktrace": secret()}, None, 5, {secret(): secret()}]
    inner = {
        name: draw(st.sampled_from(values))
        for name in draw(
            st.sets(st.sampled_from(["code", "message", "innererror", "@Microsoft.PowerApps.CDS.TraceText", "target", "details"]))
        )
    }
    code = draw(st.sampled_from(["0x80040217", "", secret(), f"0x80040217{secret()}", f"0x{secret()}"]))
    message = f"Principal user {secret()} (Id={secret()}), is missing prvReadcf_fiche privilege (Id={secret()})"
    if draw(st.booleans()):
        inner |= {"code": code, "message": message}
    content = draw(
        st.sampled_from([{"error": inner}, {"error": secret()}, {"Message": secret()}, [inner], {"odata.error": inner}, secret()])
    )
    return json.dumps(content, ensure_ascii=draw(st.booleans())).encode(), secrets


@given(STATUSES, error_bodies())
def test_nothing_of_a_body_but_code_and_privilege_gets_into_a_message(status: int, made: tuple[bytes, list[str]]) -> None:
    body, secrets = made
    found, failure = errors_of(status, body)
    assert found.code in ("", "0x80040217")
    assert found.privilege in ("", "prvReadcf_fiche")
    shown = told(failure)
    assert not set("ßþðøæłŋħŧ") & set(shown)
    for secret in secrets:
        assert not any(secret[at : at + 5] in shown for at in range(len(secret) - 4))


@given(st.dictionaries(st.sampled_from(["x-ms-service-request-id", "req_id", "x-ms-request-id"]), st.text(max_size=90)))
def test_a_request_id_is_an_id_or_ours(headers: dict[str, str]) -> None:
    found = request_id(headers, "ours")
    assert found == "ours" or (found in headers.values() and re.fullmatch(r"[0-9A-Za-z,\-]{1,80}", found))
