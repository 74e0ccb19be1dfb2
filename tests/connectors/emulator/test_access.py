"""Getting in: tokens, the 401 that tells where to get one, the headers on every answer."""

from __future__ import annotations

import uuid

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client, error_of

pytestmark = pytest.mark.usefixtures("real_http")

ROOT_UNIT = "1d2c0000-0000-4000-8000-0000000000b1"
TOKEN_FORM = {"grant_type": "client_credentials", "client_id": "app-1", "client_secret": "verzonnen", "scope": "http://localhost/.default"}


def a_token(crm: Client, **changes: str) -> str:
    answer = requests.post(f"{crm.root}/tenant/oauth2/v2.0/token", data=TOKEN_FORM | changes, timeout=10)
    assert answer.status_code == 200
    token: str = answer.json()["access_token"]
    return token


@pytest.mark.row(1)
def test_the_token_endpoint_gives_a_bearer_token_of_an_hour(crm: Client) -> None:
    answer = requests.post(f"{crm.root}/tenant/oauth2/v2.0/token", data=TOKEN_FORM, timeout=10)
    document = answer.json()
    assert (answer.status_code, document["token_type"], document["expires_in"]) == (200, "Bearer", 3599)
    assert requests.get(crm.url + "WhoAmI", headers={"Authorization": f"Bearer {document['access_token']}"}, timeout=10).status_code == 200


@pytest.mark.row(1)
@pytest.mark.parametrize("path", ["", "WhoAmI", "cf_fiches", "$batch"])
def test_a_call_without_a_bearer_is_told_where_to_get_one(crm: Client, path: str) -> None:
    answer = requests.get(crm.url + path, timeout=10)
    challenge = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert challenge.startswith("Bearer authorization_uri=")
    assert f"resource_id={crm.root}/" in challenge
    assert "error" in answer.json()


def test_the_bare_api_address_answers_401_for_discovery(crm: Client) -> None:
    assert requests.get(crm.root + "/api/data/", timeout=10).status_code == 401


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer  ", "Basic YTpi"])
def test_only_a_bearer_token_gets_in(crm: Client, value: str) -> None:
    assert requests.get(crm.url + "WhoAmI", headers={"Authorization": value}, timeout=10).status_code == 401


def test_a_token_expires_on_the_emulators_clock(crm: Client) -> None:
    token = {"Authorization": f"Bearer {a_token(crm)}"}
    crm.control("PUT", "clock", {"advance_s": 3598})
    assert requests.get(crm.url + "WhoAmI", headers=token, timeout=10).status_code == 200
    crm.control("PUT", "clock", {"advance_s": 2})
    assert error_of(requests.get(crm.url + "WhoAmI", headers=token, timeout=10)) == (401, "0x8005F101")


def test_each_application_is_a_user_of_its_own(crm: Client) -> None:
    users = []
    for client_id in ("app-1", "app-2", "app-1"):
        bearer = {"Authorization": f"Bearer {a_token(crm, client_id=client_id)}"}
        users.append(requests.get(crm.url + "WhoAmI", headers=bearer, timeout=10).json()["UserId"])
    assert users[0] == users[2] != users[1]
    assert crm.exists("systemusers", users[1])


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"scope": ""}, 400, "invalid_request"),
    ],
)
def test_a_poor_token_request_is_refused_as_oauth_says(crm: Client, changes: dict[str, str], status: int, error: str) -> None:
    answer = requests.post(f"{crm.root}/tenant/oauth2/v2.0/token", data=TOKEN_FORM | changes, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(("tenant", "path"), [("contoso", "/contoso/v2.0/"), ("adfs", "/adfs/")])
def test_the_openid_configuration_names_a_token_endpoint_that_works(crm: Client, tenant: str, path: str) -> None:
    document = requests.get(f"{crm.root}{path}.well-known/openid-configuration", timeout=10).json()
    assert document["issuer"].startswith(f"{crm.root}/{tenant}")
    assert requests.post(document["token_endpoint"], data=TOKEN_FORM, timeout=10).json()["token_type"] == "Bearer"


def test_with_a_fixed_token_only_that_one_and_its_own_get_in() -> None:
    with running(token="geheim") as emulator:
        stranger, friend = Client(emulator, "iets anders"), Client(emulator, "geheim")
        assert stranger.get("WhoAmI").status_code == 401
        assert friend.get("WhoAmI").status_code == 200
        assert Client(emulator, a_token(friend)).get("WhoAmI").status_code == 200


@pytest.mark.row(2)
def test_every_answer_has_the_standard_headers(crm: Client) -> None:
    for answer in (crm.get("WhoAmI"), crm.get("cf_fiches"), crm.get("cf_nothing"), requests.get(crm.url, timeout=10)):
        assert answer.headers["OData-Version"] == "4.0"
        assert answer.headers["Content-Type"] == "application/json; odata.metadata=minimal"
        assert uuid.UUID(answer.headers["REQ_ID"].split(",")[0])
        assert uuid.UUID(answer.headers["x-ms-service-request-id"].split(",")[0])
        assert answer.headers["x-ms-dop-hint"].isdigit()
        assert answer.headers["x-ms-ratelimit-time-remaining-xrm-requests"].startswith("1,")
        assert answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"].isdigit()


def test_the_affinity_cookie_is_set_once(crm: Client) -> None:
    first, second = crm.get("WhoAmI"), crm.get("WhoAmI")
    assert "ARRAffinity" in first.cookies
    assert "ARRAffinity" not in second.cookies


@pytest.mark.row(2)
def test_if_none_match_null_is_no_header(crm: Client) -> None:
    dossier = crm.dossier()
    assert crm.get(f"cf_dossiers({dossier})", {"If-None-Match": "null"}).status_code == 200
    answer = crm.send("PATCH", f"cf_dossiers({dossier})", {"cf_name": "D-2"}, {"If-None-Match": "null"})
    assert answer.status_code == 204


@pytest.mark.row(3)
def test_who_am_i_gives_three_guids(crm: Client) -> None:
    answer = crm.get("WhoAmI")
    assert all(uuid.UUID(answer.json()[name]) for name in ("BusinessUnitId", "UserId", "OrganizationId"))
    assert answer.json()["@odata.context"].endswith("#Microsoft.Dynamics.CRM.WhoAmIResponse")
    assert crm.exists("businessunits", answer.json()["BusinessUnitId"])


@pytest.mark.row(3)
def test_post_to_a_function_finds_no_resource(crm: Client) -> None:
    assert error_of(crm.send("POST", "WhoAmI", {})) == (404, "")


@pytest.mark.parametrize("version", ["v9.0", "v9.1", "v9.2"])
def test_each_version_answers_with_links_of_its_own(crm: Client, version: str) -> None:
    url = f"{crm.root}/api/data/{version}/"
    assert crm.get(url + "WhoAmI").json()["@odata.context"].startswith(url)


def test_an_unknown_version_is_not_found(crm: Client) -> None:
    assert crm.get(f"{crm.root}/api/data/v10.0/WhoAmI").status_code == 404


def test_big_answers_are_compressed_for_who_accepts_it(crm: Client) -> None:
    crm.emulator.load(("cf_dossier", {"cf_name": f"D-{n}"}) for n in range(100))
    packed, plain = crm.get("cf_dossiers"), crm.get("cf_dossiers", {"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


@pytest.mark.row(50)
def test_an_overlong_address_is_refused(crm: Client) -> None:
    """Outside a batch 32,768 characters, inside twice as many."""
    start = len("/api/data/v9.2/cf_dossiers?$filter=")
    fits = "cf_name eq '" + "x" * (32_768 - start - len("cf_name%20eq%20''")) + "'"
    assert crm.get("cf_dossiers?$filter=" + fits.replace(" ", "%20")).status_code == 200
    assert crm.get("cf_dossiers?$filter=" + fits.replace("x'", "xx'").replace(" ", "%20")).status_code == 414


@pytest.mark.row(3)
def test_who_am_i_names_the_business_unit_of_the_user(crm: Client) -> None:
    branch = crm.create("businessunits", name="Antenne", **{"parentbusinessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    other = crm.application("antenne")
    crm.send("PATCH", f"systemusers({other.row('WhoAmI')['UserId']})", {"businessunitid@odata.bind": f"businessunits({branch})"})
    assert other.row("WhoAmI")["BusinessUnitId"] == branch
    assert crm.row("WhoAmI")["BusinessUnitId"] == ROOT_UNIT
