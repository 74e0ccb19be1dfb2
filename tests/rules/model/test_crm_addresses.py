"""Which addresses are this machine's, and which are one CRM's."""

import pytest

from rules.model.crm_addresses import THIS_MACHINE, can_be_a_host, entra_of, on_this_machine, organisation_at, same_crm

REAL = "https://org.crm4.dynamics.com/api/data/v9.2/"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.200.0.9:81", "localhost", "LOCALHOST:8765", "[::1]", "localhost."])
def test_this_machine_is_one_crm_under_all_its_names_and_ports(host: str) -> None:
    url = f"http://{host}/api/data/v9.2/"
    assert on_this_machine(url)
    assert organisation_at(url) == THIS_MACHINE


@pytest.mark.parametrize(
    "host",
    [
        "localhost.example.com",
        "a.localhost",
        "128.0.0.1",
        "[::2]",
        "[::ffff:128.0.0.1]",
        "127.0.0.1.nip.io",
        "127.1",
        "2130706433",
        "0.0.0.0",
    ],
)
def test_what_only_looks_like_this_machine_is_another(host: str) -> None:
    assert not on_this_machine(f"https://{host}/api/data/v9.2/")


@pytest.mark.parametrize(
    "url",
    [
        "https://ORG.crm4.dynamics.com/api/data/v9.1",
        "https://org.api.crm4.dynamics.com/api/data/v9.2/",
        "https://org.crm4.dynamics.com:443/api/data/v9.2/",
        "https://org.crm4.dynamics.com./api/data/v9.2/",
    ],
)
def test_one_organisation_has_several_addresses(url: str) -> None:
    assert same_crm(REAL, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://ander.crm4.dynamics.com/api/data/v9.2/",
        "https://org.crm.dynamics.com/api/data/v9.2/",
        "https://org.crm4.dynamics.com:8443/api/data/v9.2/",
        "http://127.0.0.1/api/data/v9.2/",
    ],
)
def test_another_organisation_is_another_crm(url: str) -> None:
    assert not same_crm(REAL, url)


def test_organisations_of_one_server_differ_by_their_path() -> None:
    assert not same_crm("https://crm.example.org/one/api/data/v9.1/", "https://crm.example.org/two/api/data/v9.1/")


@pytest.mark.parametrize("host", ["org..crm4", f"{'a' * 64}.example", ".", ""])
def test_a_name_with_an_empty_part_or_a_long_one_is_no_host(host: str) -> None:
    assert not can_be_a_host(host)
    assert all(map(can_be_a_host, ("org.crm4.example", "localhost", "::1", "127.0.0.1", "café.example", "org.")))


@pytest.mark.parametrize(
    ("host", "entra"),
    [
        ("org.crm4.dynamics.com", "https://login.microsoftonline.com"),
        ("org.crm9.dynamics.com", "https://login.microsoftonline.com"),  # GCC is in the global cloud
        ("org.api.crm.microsoftdynamics.us", "https://login.microsoftonline.us"),
        ("org.crm.appsplatform.us", "https://login.microsoftonline.us"),
        ("ORG.crm.dynamics.cn", "https://login.partner.microsoftonline.cn"),
        ("notdynamics.cn.example.org", "https://login.microsoftonline.com"),
    ],
)
def test_who_signs_in_does_so_in_the_cloud_of_the_crm(host: str, entra: str) -> None:
    assert entra_of(f"https://{host}/api/data/v9.2/") == entra
