"""Getting in: when a token ends, how one is refused, and where one is to be had."""

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.web_api import error_of

pytestmark = pytest.mark.usefixtures("real_http")

ROOT_UNIT = "1d2c0000-0000-4000-8000-0000000000b1"
TOKEN_FORM = {"grant_type": "client_credentials", "client_id": "app-1", "client_secret": "verzonnen", "scope": "http://localhost/.default"}


def a_token(crm: Client, **changes: str) -> str:
    answer = requests.post(f"{crm.root}/tenant/oauth2/v2.0/token", data=TOKEN_FORM | changes, timeout=10)
    assert answer.status_code == 200
    token: str = answer.json()["access_token"]
    return token


def test_a_token_expires_on_the_emulators_clock(crm: Client) -> None:
    token = {"Authorization": f"Bearer {a_token(crm)}"}
    crm.control("PUT", "clock", {"advance_s": 3598})
    assert requests.get(crm.url + "WhoAmI", headers=token, timeout=10).status_code == 200
    crm.control("PUT", "clock", {"advance_s": 2})
    assert error_of(requests.get(crm.url + "WhoAmI", headers=token, timeout=10)) == (401, "0x8005F101")


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


def test_an_unknown_version_is_not_found(crm: Client) -> None:
    assert crm.get(f"{crm.root}/api/data/v10.0/WhoAmI").status_code == 404


def test_a_fixed_token_and_its_own_until_they_end_get_in() -> None:
    with running(token="geheim") as emulator:
        stranger, friend = Client(emulator, "iets anders"), Client(emulator, "geheim")
        made = Client(emulator, a_token(friend))
        assert [client.get("WhoAmI").status_code for client in (friend, made, stranger)] == [200, 200, 401]
        stranger.control("PUT", "clock", {"advance_s": 3_700})
        assert [client.get("WhoAmI").status_code for client in (friend, made)] == [200, 401]


@pytest.mark.row(3)
def test_who_am_i_names_the_business_unit_of_the_user(crm: Client) -> None:
    branch = crm.create("businessunits", name="Antenne", **{"parentbusinessunitid@odata.bind": f"businessunits({ROOT_UNIT})"})
    other = crm.application("antenne")
    crm.send("PATCH", f"systemusers({other.row('WhoAmI')['UserId']})", {"businessunitid@odata.bind": f"businessunits({branch})"})
    assert other.row("WhoAmI")["BusinessUnitId"] == branch
    assert crm.row("WhoAmI")["BusinessUnitId"] == ROOT_UNIT
