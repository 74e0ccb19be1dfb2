"""Further application users of the CRM: given as JSON or as tables of the file, each with its own tokens."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from crm_compliance.configuration.settings import PREFIX
from crm_compliance.connections.credentials import more_token_sources, token_source
from tests.crm_compliance.configuration.given import CANARY, REAL, config, refusal, settings

FIRST = {"CRM_URL": REAL, "CRM_TENANT_ID": "tenant", "CRM_CLIENT_ID": "one", "CRM_CLIENT_SECRET": CANARY}


def test_further_clients_are_given_as_json_or_as_tables_of_the_file(tmp_path: Path) -> None:
    found = settings(**FIRST, CRM_EXTRA_CLIENTS=f'[{{"client_id": "two", "client_secret": "{CANARY}"}}]')
    file = config(tmp_path, f"[[crm_extra_clients]]\nclient_id = 'two'\nclient_secret = '{CANARY}'\n")
    assert settings(**FIRST, CONFIG=str(file)).crm_extra_clients == found.crm_extra_clients
    assert [(client.client_id, client.client_secret) for client in found.crm_extra_clients] == [("two", SecretStr(CANARY))]
    assert CANARY not in f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"


@pytest.mark.parametrize(
    "told",
    [
        CANARY,
        f'{{"client_id": "{CANARY}"}}',
        f'["{CANARY}"]',
        f'[{{"client_secret": "{CANARY}"}}]',
        f'[{{"client_id": "two", "secret": "{CANARY}"}}]',
        f'[{{"client_id": "two", "client_secret": ["{CANARY}"]}}]',
        f'[{{"client_id": "ONE", "client_secret": "{CANARY}"}}]',
        f'[{{"client_id": "two", "client_secret": "{CANARY}"}}, {{"client_id": "two", "client_secret": "{CANARY}"}}]',
    ],
)
def test_further_clients_that_are_not_usable_are_refused_and_never_shown(told: str) -> None:
    assert refusal(**FIRST, CRM_EXTRA_CLIENTS=told).where == f"{PREFIX}CRM_EXTRA_CLIENTS"


def test_the_client_and_its_field_are_named(tmp_path: Path) -> None:
    two = '{"client_id": "two", "client_secret": "s"}'
    told = str(refusal(**FIRST, CRM_EXTRA_CLIENTS=f'[{two}, {{"client_secret": "{CANARY}"}}]'))
    assert "CRM_EXTRA_CLIENTS (entry 2, client_id): field required" in told
    told = str(refusal(**FIRST, CRM_EXTRA_CLIENTS=f'[{two}, {{"client_id": "three", "{CANARY}": "x", "client_secret": "s"}}]'))
    assert "CRM_EXTRA_CLIENTS (entry 2): " in told
    assert CANARY not in told
    file = config(tmp_path, "log_level = 'INFO'\n[[crm_extra_clients]]\nclient_id = 'two'\n")
    told = str(refusal(**FIRST, CONFIG=str(file)))
    assert f"crm_extra_clients ({file}:2): client 1 needs either a client_secret or a client_certificate" in told


def test_further_clients_need_a_first_one() -> None:
    assert "CRM_EXTRA_CLIENTS" in str(refusal(CRM_URL=REAL, CRM_EXTRA_CLIENTS='[{"client_id": "two", "client_secret": "s"}]'))


def test_each_client_has_tokens_of_its_own() -> None:
    found = settings(
        **FIRST, CRM_EXTRA_CLIENTS='[{"client_id": "two", "client_secret": "s"}, {"client_id": "three", "client_secret": "s"}]'
    )
    sources = [token_source(found), *more_token_sources(found)]
    assert [repr(source) for source in sources] == [
        f"EntraTokens(authority='https://login.microsoftonline.com/tenant', client_id='{name}')" for name in ("one", "two", "three")
    ]
    for source in sources:
        source.close()
