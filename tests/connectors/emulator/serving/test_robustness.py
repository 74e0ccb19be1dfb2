"""Whatever is sent, the answer is the Web API's: never a bug's 500, never a dropped connection."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connectors.emulator.client import Client
from tests.web_api import request_part

pytestmark = pytest.mark.usefixtures("real_http")

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
GUID = "5b1f0c7e-3d0a-ef11-9f8a-000d3ab1c001"
TEXT = st.text(max_size=12)
PIECES = st.sampled_from(
    [
        "cf_fiches", "cf_dossiers", "contacts", "annotations", "emails", "activityparties", "activitypointers", "EntityDefinitions",
        "WhoAmI", "$metadata", f"({GUID})", "(", ")", "()", "(LogicalName='cf_fiche')", "(cf_nationalnumber='1')",
        "(cf_nationalnumber=)", "/", "/cf_name", "/cf_DossierId", "/$ref", "/$value", "/$count", "/Attributes", "/cf_dossier_fiches",
        "/email_activity_parties", "/cf_media", "/entityimage", "?", "&", "$select=cf_name", "$filter=", "cf_name eq 'x'", "cf_nam",
        " eq ", " and ", "not ", "null", "'", '"', "[", "]", "contains(cf_name,'[')", "cf_openedon gt ", "2020-01-01",
        "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "99999999999999999999", "-1", "1e999", "$orderby=cf_name desc",
        "$top=1", "$top=²", "$expand=", "cf_DossierId($select=cf_name)", "cf_fiche_parties/any(p:p/cf_role eq 1)",
        "Microsoft.Dynamics.CRM.", "On(PropertyName='cf_openedon',PropertyValue='9999-12-31')",
        "In(PropertyName='cf_name',PropertyValues=['a','b'])", "OlderThanXYears(PropertyName='modifiedon',PropertyValue=9999)", "@p",
        "=", ",", ";", "%", "%00", "%FF", "$skiptoken=x", "$count=true", "$1", "é", "RetrieveTotalRecordCount(EntityNames=",
        "['contact']", "$levels", "#",
    ]
)  # fmt: skip


def is_deliberate(status: int) -> bool:
    return status < 500 or status == 501


@QUICK
@given(pieces=st.lists(PIECES | TEXT, max_size=9), method=st.sampled_from(["GET", "DELETE", "PATCH", "PUT", "POST"]))
def test_no_address_surprises_the_emulator(crm: Client, pieces: list[str], method: str) -> None:
    path = quote("".join(pieces), safe="/?&=$()',;:@%[]\"*+!#")
    answer = crm.send(method, path, {"cf_name": "x"} if method != "GET" else None)
    assert is_deliberate(answer.status_code), answer.text
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"code", "message"}


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.just(f"/contacts({GUID})")
    | st.just("$1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
COLUMNS = st.sampled_from(
    [
        "cf_name", "cf_dossierid", "cf_openedon", "cf_outcomeon", "cf_categories", "cf_outcome", "cf_legalhold", "statecode",
        "statuscode", "versionnumber", "createdon", "overriddencreatedon", "ownerid", "ownerid@odata.bind", "cf_dossier_fiches",
        "cf_dossier_fiches@odata.bind", "cf_dossier_parties", "createdby@odata.bind", "@odata.type", "_ownerid_value", "cf_name@x",
    ]
)  # fmt: skip


@QUICK
@given(body=st.dictionaries(COLUMNS | TEXT, VALUES, max_size=5), upsert=st.booleans())
def test_no_body_surprises_the_emulator(crm: Client, body: dict[str, object], upsert: bool) -> None:
    method, path = ("PATCH", f"cf_dossiers({GUID})") if upsert else ("POST", "cf_dossiers")
    answer = crm.send(method, path, {"cf_name": "D", **body})
    assert is_deliberate(answer.status_code), answer.text


@QUICK
@given(junk=st.binary(max_size=60), place=st.integers(0, 400), body=st.dictionaries(COLUMNS, VALUES, max_size=2))
def test_no_batch_surprises_the_emulator(crm: Client, junk: bytes, place: int, body: dict[str, object]) -> None:
    part = request_part("POST", "/api/data/v9.2/cf_dossiers", json.dumps(body), content_id="1")
    whole = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n{part}\r\n--c--\r\n--b\r\n{part}\r\n--b--\r\n".encode()
    whole = whole[:place] + junk + whole[place:]
    answer = crm.http.post(crm.url + "$batch", data=whole, headers={"Content-Type": "multipart/mixed; boundary=b"}, timeout=10)
    assert answer.status_code in (200, 400), answer.text


@QUICK
@given(
    names=st.lists(st.sampled_from(["Prefer", "If-Match", "If-None-Match", "Range", "Cookie", "Authorization"]), max_size=3),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)
def test_no_header_surprises_the_emulator(crm: Client, names: list[str], value: str) -> None:
    for path in ("cf_dossiers", f"cf_dossiers({GUID})"):
        answer = crm.get(path, dict.fromkeys(names, value.strip()))
        assert is_deliberate(answer.status_code), answer.text
