"""Sections 1, 2.1, 2.2 and 8.1: addresses, sign-in, headers, keys and the shape of errors."""

import re

import pytest
import requests

from tests.web_api import ANNOTATED, Row, WebApi, error_of, message_of, new_id, request_part

pytestmark = pytest.mark.row(1, 2, 3, 4, 5, 6, 20)
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def contact(crm: WebApi) -> str:
    return crm.create("contacts", firstname="Lien", lastname="Een (fictief)", cf_nationalnumber="85.07.30-033.61")


def test_without_bearer_a_challenge_names_authority_and_resource(crm: WebApi) -> None:
    """1.3: 'answers 401 with WWW-Authenticate: Bearer authorization_uri=…/oauth2/authorize,
    resource_id=…'."""
    for path in ("/api/data/", crm.path, f"{crm.path}WhoAmI", f"{crm.path}cf_fiches", f"{crm.path}$batch"):
        answer = requests.get(crm.root + path, timeout=10)
        challenge = answer.headers["WWW-Authenticate"]
        assert answer.status_code == 401, path
        assert re.search(rf"^Bearer authorization_uri=\S+/oauth2/authorize, resource_id={re.escape(crm.root)}/", challenge), challenge
        assert "error" in answer.json()


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer  ", "Basic YTpi"])
def test_only_a_bearer_token_gets_in(crm: WebApi, value: str) -> None:
    """1.4: 'without [a fixed token], any non-empty bearer'."""
    assert requests.get(crm.url + "WhoAmI", headers={"Authorization": value}, timeout=10).status_code == 401


def test_the_token_endpoint_gives_a_token_that_works(crm: WebApi) -> None:
    """1.4: '{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ…"}'."""
    form = {"grant_type": "client_credentials", "client_id": new_id(), "client_secret": "s", "scope": crm.root + "/.default"}
    answer = requests.post(f"{crm.root}/{new_id()}/oauth2/v2.0/token", data=form, timeout=10)
    token = answer.json()
    assert (answer.status_code, token["token_type"], token["expires_in"]) == (200, "Bearer", 3599)
    assert WebApi(crm.url, token["access_token"]).row("WhoAmI")["UserId"]


def test_each_client_id_is_a_user_of_its_own(crm: WebApi) -> None:
    """1.4: 'Each client_id is a user of its own.'"""
    users = []
    for client in ("10000000-0000-4000-8000-000000000001", "10000000-0000-4000-8000-000000000002", "10000000-0000-4000-8000-000000000001"):
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": "s", "scope": crm.root + "/.default"}
        token = requests.post(f"{crm.root}/t/oauth2/v2.0/token", data=form, timeout=10).json()["access_token"]
        users.append(WebApi(crm.url, token).row("WhoAmI")["UserId"])
    assert users[0] == users[2] != users[1]
    assert crm.exists(f"systemusers({users[1]})")


@pytest.mark.parametrize("token", ["t", ""])
@pytest.mark.parametrize("path", ["WhoAmI", "contacts", "nothings", "contacts(00000000-0000-0000-0000-0000000000ff)"])
def test_every_answer_has_the_standard_headers(crm: WebApi, path: str, token: str) -> None:
    """15 row 2: 'OData-Version: 4.0, JSON Content-Type: application/json; odata.metadata=minimal, REQ_ID,
    x-ms-service-request-id'; with a token and without."""
    headers = crm.get(path, {"Authorization": f"Bearer {token}"}).headers
    assert headers["OData-Version"] == "4.0"
    assert headers["Content-Type"] == "application/json; odata.metadata=minimal"
    assert GUID.match(headers["REQ_ID"])
    assert GUID.match(headers["x-ms-service-request-id"])
    assert headers["x-ms-dop-hint"].isdigit()
    assert headers["x-ms-ratelimit-burst-remaining-xrm-requests"].isdigit()


def test_trace_headers_of_a_real_answer_are_there(crm: WebApi) -> None:
    """1.10: AuthActivityId, CRM.ServiceId, dop hint, rate limits with a thousands separator, no cache."""
    headers = crm.get("WhoAmI").headers
    assert headers["AuthActivityId"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert headers["CRM.ServiceId"] == "CRMAppPool"
    assert int(headers["x-ms-dop-hint"]) > 0
    assert int(headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) <= 6000
    assert re.fullmatch(r"(1,)?\d{1,3}\.\d\d|1,200\.00", headers["x-ms-ratelimit-time-remaining-xrm-requests"])
    assert (headers["Cache-Control"], headers["Expires"]) == ("no-cache", "-1")


def test_an_affinity_cookie_is_set(crm: WebApi) -> None:
    """1.10: 'Set-Cookie: ARRAffinity=<hex>' and 'ReqClientId=<guid>'."""
    with requests.Session() as session:
        first, second = (session.get(crm.url + "WhoAmI", headers={"Authorization": "Bearer t"}, timeout=10) for _ in range(2))
    assert re.fullmatch("[0-9a-f]+", first.cookies["ARRAffinity"])
    assert GUID.fullmatch(first.cookies["ReqClientId"])
    assert "ARRAffinity" not in second.cookies


def test_who_am_i_gives_three_ids(crm: WebApi) -> None:
    """1.7: 'Response properties BusinessUnitId, UserId, OrganizationId'."""
    body = crm.row("WhoAmI")
    assert body.pop("@odata.context") == crm.url + "$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    assert set(body) == {"BusinessUnitId", "UserId", "OrganizationId"}
    assert all(GUID.fullmatch(text) for text in body.values())
    assert crm.exists(f"businessunits({body['BusinessUnitId']})")


def test_posting_a_function_is_404_with_an_empty_code(crm: WebApi) -> None:
    """1.7: 'POST WhoAmI → 404, code is the empty string: No HTTP resource was found that matches the request
    URI'."""
    answer = crm.post("WhoAmI", {})
    assert error_of(answer) == (404, "")
    assert message_of(answer) == f"No HTTP resource was found that matches the request URI '{crm.url}WhoAmI'."


def test_the_service_document_lists_sets(crm: WebApi) -> None:
    """1.1: '{"@odata.context": ".../$metadata",
    "value":[{"name":"cf_fiches","kind":"EntitySet","url":"cf_fiches"},…]}'."""
    body = crm.row("")
    assert body["@odata.context"] == crm.url + "$metadata"
    assert {"name": "cf_fiches", "kind": "EntitySet", "url": "cf_fiches"} in body["value"]
    names = {entry["name"] for entry in body["value"]}
    assert {"cf_parties", "activityparties", "transactioncurrencies", "savedqueries", "audits"} <= names


def test_the_client_library_s_name_resolution_works(crm: WebApi) -> None:
    """2.1: resolution query; the answer selects three properties and adds MetadataId."""
    body = crm.row("EntityDefinitions", select="LogicalName,EntitySetName,PrimaryIdAttribute", filter="LogicalName eq 'cf_party'")
    assert body["@odata.context"] == crm.url + "$metadata#EntityDefinitions(LogicalName,EntitySetName,PrimaryIdAttribute)"
    [row] = body["value"]
    assert GUID.fullmatch(row.pop("MetadataId"))
    assert row == {"LogicalName": "cf_party", "EntitySetName": "cf_parties", "PrimaryIdAttribute": "cf_partyid"}


@pytest.mark.parametrize("name", ["Cf_fiches", "cf_fiche", "Account", "cf_partys"])
def test_a_wrong_set_name_is_404(crm: WebApi, name: str) -> None:
    """2.1: '404 {"error":{"code":"0x8006088a","message":"Resource not found for the segment 'Account'."}} (a
    capital letter is enough)'."""
    answer = crm.get(name)
    assert error_of(answer) == (404, "0x8006088a")
    assert message_of(answer) == f"Resource not found for the segment '{name}'."


def test_an_unknown_column_is_400_with_code_0x0(crm: WebApi) -> None:
    """3.1: 'code is literally "0x0": Could not find a property named 'cf_nam' on type
    'Microsoft.Dynamics.CRM.cf_fiche'.'"""
    asked: list[tuple[str, Row]] = [
        ("cf_nam", {"select": "cf_nam"}),
        ("cf_nam", {"filter": "cf_nam eq 'x'"}),
        ("cf_nam", {"orderby": "cf_nam"}),
        ("CF_Name", {"select": "CF_Name"}),
        ("cf_dossierid", {"expand": "cf_dossierid"}),
        ("cf_Nam", {"filter": "cf_Nam/cf_name eq 'x'"}),
    ]
    for name, option in asked:
        answer = crm.get("cf_fiches", **option)
        assert error_of(answer) == (400, "0x0")
        assert message_of(answer) == f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.cf_fiche'."


@pytest.mark.parametrize(
    "option",
    ["$skip=1", "$search=x", "$format=json", "$compute=x", "$levels=1", "$Select=cf_name", "foo=1", "$top=-1", "$top=x", "$count=yes",
     "$top=1&$top=2"],
)  # fmt: skip
def test_unsupported_options_are_refused(crm: WebApi, option: str) -> None:
    """3.1: 'Not supported: $skip $search $format'; 1.1: 'no 4.01 features'; 'Option names are
    case-sensitive'; `$top` takes a number, `$count` true or false, and each comes once."""
    assert error_of(crm.get("cf_fiches?" + option)) == (400, "0x80060888")


@pytest.mark.parametrize("version", ["v9.0", "v9.1", "v9.2"])
def test_older_versions_keep_working(crm: WebApi, version: str) -> None:
    """1.1: 'Current version v9.2; v9.0/v9.1 URLs keep working'."""
    assert crm.get(f"{crm.root}/api/data/{version}/WhoAmI").json()["@odata.context"].startswith(f"{crm.root}/api/data/{version}/")


def test_links_repeat_the_caller_s_host(crm: WebApi) -> None:
    """1.1: 'Context URLs and links in responses repeat the host the caller used'."""
    body = crm.row("contacts", {"Host": "cfbe.api.crm4.dynamics.com"}, top="1")
    assert "//cfbe.api.crm4.dynamics.com/api/data/v9.2/$metadata#contacts" in body["@odata.context"]


def test_if_none_match_null_counts_as_absent(crm: WebApi, contact: str) -> None:
    """1.8: 'An emulator must treat the token null as "header absent"'."""
    assert crm.get(f"contacts({contact})", {"If-None-Match": "null"}).status_code == 200
    assert crm.patch(f"contacts({contact})", {"firstname": "Lien"}, {"If-None-Match": "null"}).status_code == 204
    assert crm.post("contacts", {"lastname": "Twee (fictief)"}, {"If-None-Match": "null"}).status_code == 204


def test_json_may_carry_a_charset(crm: WebApi) -> None:
    """1.8: 'Content-Type application/json (; charset=utf-8 allowed)'."""
    body = '{"lastname": "Zoë (fictief)"}'.encode()
    assert crm.send("POST", "contacts", headers={"Content-Type": "application/json; charset=utf-8"}, data=body).status_code == 204


def test_two_prefer_headers_are_both_honoured_and_echoed(crm: WebApi) -> None:
    """1.9: 'The applied preference is echoed'; comma-joined and repeated headers are both used."""
    answer = crm.get("contacts?$select=fullname", {"Prefer": 'odata.maxpagesize=1,odata.include-annotations="*"'})
    assert len(answer.json()["value"]) == 1
    assert {part.strip() for part in answer.headers["Preference-Applied"].split(",")} == {
        "odata.maxpagesize=1",
        'odata.include-annotations="*"',
    }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("OData.Community.Display.V1.FormattedValue", {"FormattedValue"}),
        ("OData.Community.*", {"FormattedValue"}),
        ("Microsoft.Dynamics.CRM.*", {"lookuplogicalname", "associatednavigationproperty"}),
        ("Microsoft.Dynamics.CRM.lookuplogicalname,OData.*", {"lookuplogicalname", "FormattedValue"}),
        ("Nothing.At.All", set()),
        ("*", {"FormattedValue", "lookuplogicalname", "associatednavigationproperty"}),
    ],
)
def test_annotations_can_be_chosen(crm: WebApi, wanted: str, found: set[str]) -> None:
    """1.9: 'comma list and trailing-* wildcards allowed'."""
    dossier = crm.create("cf_dossiers", cf_name="D")
    fiche = crm.create("cf_fiches", cf_name="F", **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
    row = crm.row(f"cf_fiches({fiche})?$select=_cf_dossierid_value", {"Prefer": f'odata.include-annotations="{wanted}"'})
    assert {name.rpartition(".")[2] for name in row if name.startswith("_cf_dossierid_value@")} == found


def test_an_error_has_code_and_message_only(crm: WebApi) -> None:
    """8.1 and row 20: 'always {"error":{"code","message"}}; ErrorDetails annotations only with
    include-annotations'."""
    assert set(crm.get(f"contacts({new_id()})").json()) == {"error"}
    assert set(crm.get(f"contacts({new_id()})").json()["error"]) == {"code", "message"}


def test_an_error_has_details_for_who_asks(crm: WebApi) -> None:
    """8.1: 'With Prefer: odata.include-annotations="*" the error object additionally has
    …ErrorDetails.OperationStatus …'."""
    told = crm.get(f"contacts({new_id()})", ANNOTATED).json()["error"]
    prefix = "@Microsoft.PowerApps.CDS."
    assert {
        f"{prefix}ErrorDetails.OperationStatus",
        f"{prefix}ErrorDetails.SubErrorCode",
        f"{prefix}HelpLink",
        f"{prefix}TraceText",
    } <= set(told)
    assert f"{prefix}InnerError.Message" in told


def test_an_unknown_id_is_404_object_does_not_exist(crm: WebApi) -> None:
    """8.1: 'Entity 'cf_fiche' With Id = … Does Not Exist', 0x80040217."""
    row = new_id()
    answer = crm.get(f"cf_fiches({row})")
    assert error_of(answer) == (404, "0x80040217")
    assert message_of(answer) == f"Entity 'cf_fiche' With Id = {row} Does Not Exist"


def test_a_malformed_id_is_400(crm: WebApi) -> None:
    """2.2: 'Malformed GUID → 400 (not 404)'."""
    for key in ("5b1f0c7e", "not-a-guid", f"'{new_id()}'"):
        assert error_of(crm.get(f"cf_fiches({key})"))[0] == 400


def test_keys_have_their_forms(crm: WebApi, contact: str) -> None:
    """2.2: PK, named PK, alternate key."""
    for key in (contact, contact.upper(), f"contactid={contact}", "cf_nationalnumber='85.07.30-033.61'"):
        assert crm.row(f"contacts({key})?$select=firstname")["contactid"] == contact


def test_a_quote_in_a_key_is_doubled(crm: WebApi) -> None:
    """2.2: 'Strings are single-quoted, ' doubled, then percent-encoded'."""
    row = crm.create("contacts", lastname="Drie (fictief)", cf_nationalnumber="O'B 1")
    assert crm.row("contacts(cf_nationalnumber='O''B%201')?$select=lastname")["contactid"] == row


@pytest.mark.parametrize(
    "key",
    ["firstname='Lien'", "cf_nationalnumber=1", "cf_nationalnumber='1',firstname='x'", "cf_nationalnumber='x", "", "_cf_contactid_value=1"],
)
def test_an_undeclared_key_is_400(crm: WebApi, key: str) -> None:
    """2.2: 'message starts The key in the request URI is not valid for resource
    'Microsoft.Dynamics.CRM.cf_fiche'.'"""
    answer = crm.get(f"contacts({key})")
    assert error_of(answer)[0] == 400
    assert message_of(answer).startswith(
        "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.contact'. "
        "Ensure that the names and number of key properties match the declared or alternate key properties"
    )


def test_control_needs_no_token(crm: WebApi) -> None:
    """contract 3.1: '/_emulator/ needs no token'; stats count operations."""
    told = requests.get(crm.root + "/_emulator/stats", timeout=10).json()
    assert {"requests", "operations", "batches", "throttled"} <= set(told)
    assert {"read", "create", "update", "delete"} <= set(told["operations"])


def test_stats_count_each_operation(crm: WebApi) -> None:
    """contract 3.1: stats, 'operations inside a batch counted'."""
    before = crm.control("GET", "stats")
    row = crm.create("contacts", lastname="Teller (fictief)")
    crm.patch(f"contacts({row})", {"firstname": "x"})
    crm.get(f"contacts({row})")
    crm.batch(request_part("DELETE", f"{crm.path}contacts({row})"))
    after = crm.control("GET", "stats")
    grown = {kind: after["operations"][kind] - before["operations"][kind] for kind in ("read", "create", "update", "delete")}
    assert grown == {"read": 1, "create": 1, "update": 1, "delete": 1}
    assert (after["requests"] - before["requests"], after["batches"] - before["batches"]) == (4, 1)


@pytest.mark.parametrize("option", ["tag=onderhoud", "partitionId=p1"])
def test_parameters_of_the_header_family_are_accepted(crm: WebApi, option: str) -> None:
    """1.8: '?tag=text (plug-in shared variable), ?partitionId=… (elastic tables)'."""
    assert crm.get("contacts?$select=fullname&" + option).status_code == 200


def test_strong_consistency_and_tracing_headers_are_accepted(crm: WebApi) -> None:
    """1.8: 'Consistency: Strong', 'x-ms-client-request-id', 'x-ms-correlation-id', 'User-Agent'."""
    headers = {"Consistency": "Strong", "x-ms-client-request-id": new_id(), "x-ms-correlation-id": new_id(), "User-Agent": "kit"}
    assert crm.get("contacts", headers).status_code == 200
