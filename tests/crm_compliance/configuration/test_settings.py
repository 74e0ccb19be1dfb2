"""Settings come from a file and the environment, are checked as a whole, and never show a value in a
message."""

import re
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from crm_compliance.configuration.hours import crons_of
from crm_compliance.configuration.settings import PREFIX, SECRETS, load_settings, setting_names
from crm_compliance.store.sql.database import Database
from jobs.registry import JOBS
from rules.errors import UsageError
from tests.crm_compliance.configuration.given import CANARY, EMULATOR, REAL, config, refusal, settings
from tests.meta.pages import ROOT

PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_the_settings_are_those_of_the_documentation() -> None:
    there, named = {name.upper() for name in setting_names()}, re.findall(r"`([A-Z][A-Z_]+)`", PAGE)
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE)
    assert (there - {*named}, {*re.findall(r"`([A-Z][A-Z_]+)`", " ".join(rows))} - there) == (set(), set())


def test_what_is_a_secret_follows_from_its_type() -> None:
    one = {"alert_secrets", "azure_storage", "crm_client_certificate_password", "crm_client_secret", "crm_extra_clients", "crm_token"}
    assert one | {"database_url", "metrics_token"} == SECRETS


def test_without_anything_set_the_defaults_hold() -> None:
    found = load_settings(None, {"PATH": "/bin", "CRM_URL": "not ours"})
    assert (found.crm_url, found.is_loopback, found.log_level) == (None, False, "INFO")
    assert (crons_of(found)["retention"], crons_of(found)["recordings"]) == ("30 2 * * *", "0 2 * * *")
    assert found.data_dir.name == "crm-compliance"
    assert found.store_url == f"sqlite:///{found.data_dir}/state.db"
    with pytest.raises(UsageError, match="CRM_COMPLIANCE_CRM_URL"):
        _ = found.needed_crm_url


def test_the_process_environment_is_read_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}CRM_TENANT_ID", "tenant")
    assert load_settings().crm_tenant_id == "tenant"


def test_a_variable_wins_over_the_file_and_an_empty_one_counts_as_not_there(tmp_path: Path) -> None:
    file = config(tmp_path, f"crm_url = '{EMULATOR}'\nlog_level = 'DEBUG'\npolicy = 'from-file.yaml'\n")
    found = load_settings(file, {f"{PREFIX}LOG_LEVEL": "ERROR", f"{PREFIX}POLICY": ""})
    assert (found.crm_url, found.log_level, found.policy) == (EMULATOR, "ERROR", Path("from-file.yaml"))


def test_the_file_may_be_named_by_a_variable_and_the_option_wins(tmp_path: Path) -> None:
    named = config(tmp_path, "log_level = 'DEBUG'")
    assert settings(CONFIG=str(named)).log_level == "DEBUG"
    (tmp_path / "other.toml").write_text("log_level = 'ERROR'")
    assert load_settings(tmp_path / "other.toml", {f"{PREFIX}CONFIG": str(named)}).log_level == "ERROR"


def test_an_unknown_key_in_the_file_is_refused_with_file_key_and_line(tmp_path: Path) -> None:
    file = config(tmp_path, f"# ours\nlog_level = 'DEBUG'\ncrm_tokn = '{CANARY}'\n")
    error = refusal(CONFIG=str(file))
    assert f"crm_tokn ({file}:3)" in str(error)
    assert error.where == f"{file}:3"


def test_a_section_in_the_file_is_an_unknown_key_too(tmp_path: Path) -> None:
    assert "crm (" in str(refusal(CONFIG=str(config(tmp_path, f"[crm]\nurl = '{CANARY}'\n"))))


def test_each_job_has_the_setting_of_its_hour(tmp_path: Path) -> None:
    """By its name, in the file and as a variable; the others keep theirs."""
    file = config(tmp_path, "requests_cron = '5 4 * * *'\nretention_cron = '6 4 * * *'")
    found = crons_of(settings(CONFIG=str(file), RETENTION_CRON="7 4 * * *"))
    assert found == {name: job.cron for name, job in JOBS.items()} | {"requests": "5 4 * * *", "retention": "7 4 * * *"}


@pytest.mark.parametrize("name", ["CRM_TOKN", "URL", "crm_url", "DATA_DIR_", "CRONS", "CRON", "_CRON", "RECORDING_CRON"])
def test_an_unknown_variable_is_refused_by_name(name: str) -> None:
    assert f"{PREFIX}{name}" in str(refusal(**{name: CANARY}))


def test_a_misspelt_variable_is_refused_even_when_it_is_empty() -> None:
    assert "CRM_TOKN" in str(refusal(CRM_TOKN=""))


def test_a_setting_that_is_neither_true_nor_false_says_so() -> None:
    assert str(refusal(INCREMENTAL_READS="maybe")) == f"{PREFIX}INCREMENTAL_READS: should be true or false"


def test_variables_of_the_tests_are_not_settings() -> None:
    assert settings(TEST_URL="https://test.example").crm_url is None


@pytest.mark.parametrize("text", [f"crm_token = {CANARY}", f"crm_token = '{CANARY}"])
def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    file = config(tmp_path, f"log_level = 'DEBUG'\n{text}")
    assert "not TOML" in str(refusal(CONFIG=str(file)))


@pytest.mark.parametrize(
    ("line", "told"),
    [("policy = 'b.yaml'", ":2: this name stands in the file twice"), ("mapping = 5", ":2): this has to be a path, in quotes")],
)
def test_a_second_line_of_a_name_and_a_number_for_a_path_are_said_to_be_that(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"policy = 'a.yaml'\n{line}\n", encoding="utf-8")
    assert told in str(refusal(CONFIG=str(file)))


@pytest.mark.parametrize("name", ["crm_concurrency", "full_read_days", "retry_hours", "crm_reserved_share"])
def test_a_truth_is_no_number(tmp_path: Path, name: str) -> None:
    file = config(tmp_path, f"\n{name} = true\n")
    assert f"{name} ({file}:2): should be a number" in str(refusal(CONFIG=str(file)))
    assert settings(CONFIG=str(config(tmp_path, "incremental_reads = false"))).incremental_reads is False


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """As some editors write it; the other files that people write are read with one too."""
    assert settings(CONFIG=str(config(tmp_path, "\ufefflog_level = 'DEBUG'\r\n"))).log_level == "DEBUG"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in str(refusal(CONFIG=str(tmp_path / "missing.toml")))
    assert "cannot be read" in str(refusal(CONFIG=str(tmp_path)))
    (tmp_path / "latin.toml").write_bytes(b"# settings\npolicy = '\xe9'")
    assert "line 2 is not UTF-8" in str(refusal(CONFIG=str(tmp_path / "latin.toml")))


def test_secrets_never_show_in_a_printed_form() -> None:
    secret = dict.fromkeys(("CRM_TOKEN", "CRM_CLIENT_SECRET", "CRM_CLIENT_CERTIFICATE_PASSWORD"), CANARY)
    found = settings(CRM_URL=EMULATOR, DATABASE_URL=f"postgresql://clerk:{CANARY}@host/state", **secret)
    assert found.crm_token == SecretStr(CANARY)
    assert CANARY in found.store_url
    assert CANARY not in f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", CANARY),
        ("RETENTION_CRON", CANARY),
        ("RECORDINGS_CRON", "* * * *"),
        ("CLOCK", CANARY),
        ("CRM_AUTHORITY", f"http://{CANARY}.example/"),
        ("CRM_URL", CANARY),
        ("CRM_URL", f"ftp://127.0.0.1/{CANARY}"),
        ("CRM_URL", f"https://clerk:{CANARY}"),
        ("CRM_URL", f"https://clerk:{CANARY}@org.crm4.dynamics.com/"),
        ("CRM_URL", f"https://org.crm4.dynamics.com/?key={CANARY}"),
        ("CRM_URL", f"https://org.crm4.dynamics.com/#{CANARY}"),
        ("CRM_URL", f"https://[{CANARY}]/"),
        ("CRM_URL", f"https://{CANARY}\\@127.0.0.1/"),
        ("CRM_URL", f"https://127.0.0.1 .{CANARY}/"),
        ("CRM_URL", f"http://{CANARY}.example/api/data/v9.2/"),
        ("CRM_URL", "http://org.crm4.dynamics.com/api/data/v9.2/"),
        ("DATA_DIR", f"~{CANARY}/data"),
        ("DATA_DIR", f"/srv/{CANARY}{'a' * 256}/data"),
        ("DATA_DIR", f'"/srv/{CANARY}/data"'),
        ("ANCHOR_FILE", f"/{CANARY}/{'anchors/' * 200}"),
        ("POLICY", f"{CANARY}\0.yaml"),
    ],
)
def test_a_value_that_is_not_usable_is_refused_by_name_and_never_shown(name: str, value: str) -> None:
    error = refusal(**{name: value})
    assert f"{PREFIX}{name}: should" in f"{error}".replace("input should", "should")
    assert error.where == f"{PREFIX}{name}"


def test_a_wrong_value_in_the_file_is_refused_with_its_line_and_all_of_them_at_once(tmp_path: Path) -> None:
    file = config(tmp_path, "\ncrm_token = 5\nlog_level = 'LOUD'")
    error = refusal(CONFIG=str(file), CLOCK=CANARY)
    assert f"crm_token ({file}:2): " in str(error)
    assert f"log_level ({file}:3): " in str(error)
    assert "CRM_COMPLIANCE_CLOCK: " in str(error)


@pytest.mark.parametrize("shared", ["common", "organizations", "Consumers"])
def test_what_is_everybodys_is_no_tenant_and_no_authority(shared: str) -> None:
    """An application gets no token there, and whoever has an account anywhere could sign in."""
    for given in (
        {"CRM_TENANT_ID": shared},
        {"CRM_AUTHORITY": f"https://login.microsoftonline.com/{shared}"},
        {"CRM_AUTHORITY": f"https://login.microsoftonline.com/{shared}/"},
        {"CRM_AUTHORITY": f"https://login.microsoftonline.com/{shared}/v2.0"},
    ):
        error = refusal(CRM_URL=REAL, CRM_CLIENT_ID="client", **given)
        assert "your own tenant's id" in str(error)
        assert error.where == f"{PREFIX}{next(iter(given))}"
    settings(CRM_URL=REAL, CRM_CLIENT_ID="client", CRM_AUTHORITY=f"https://{shared}.example.org/adfs")


def test_an_address_has_a_host_that_can_be_looked_up() -> None:
    """Else a point too many would be a bug at the first request."""
    for wrong in ("https://org..crm4.dynamics.com/api/data/v9.2/", f"https://{'o' * 64}.crm4.dynamics.com/api/data/v9.2/"):
        assert "should be an http(s) address" in str(refusal(CRM_URL=wrong))


def test_the_web_api_root_ends_in_one_slash() -> None:
    assert settings(CRM_URL=REAL.rstrip("/")).crm_url == settings(CRM_URL=f"{REAL}/").crm_url == REAL


def test_a_time_stamp_authority_may_speak_plain_http() -> None:
    """What comes back is signed, and what goes out is a digest."""
    assert settings(TIMESTAMP_URL="http://tsa.example.org/tsr").timestamp_url == "http://tsa.example.org/tsr"
    assert settings(TIMESTAMP_URL="https://tsa.example.org/").timestamp_url == "https://tsa.example.org/"
    for wrong in ("ftp://tsa.example.org/", "http://user:secret@tsa.example.org/", "http:// /", "http://tsa.example.org/?q=1"):
        assert "timestamp_url" in str(refusal(TIMESTAMP_URL=wrong)).lower()


def test_the_anchor_lies_in_the_data_folder_unless_a_setting_names_it(tmp_path: Path) -> None:
    assert settings(DATA_DIR=str(tmp_path)).checkpoint_log_path == tmp_path / "anchor.jsonl"
    assert settings(ANCHOR_FILE=str(tmp_path / "worm")).checkpoint_log_path == tmp_path / "worm"


def test_the_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    found = settings(DATA_DIR=str(tmp_path / "deep" / "data"))
    assert found.make_data_dir() == found.make_data_dir() == tmp_path / "deep" / "data"
    assert stat.S_IMODE(found.data_dir.stat().st_mode) == 0o700


def test_the_store_lies_in_the_data_folder_whatever_that_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "what? 100%41 é #1"
    folder.mkdir()
    Database.open(settings(DATA_DIR=str(folder)).store_url).close()
    assert (folder / "state.db").stat().st_size
    assert list(tmp_path.iterdir()) == [folder]


def test_a_data_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(UsageError, match="cannot be a folder"):
            settings(DATA_DIR=str(folder)).make_data_dir()


# -- further application users -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRM_CONCURRENCY", "0"),
        ("CRM_CONCURRENCY", "53"),
        ("CRM_READS", "0"),
        ("CRM_READS", "53"),
        ("CRM_RESERVED_SHARE", "0.95"),
        ("RETRY_HOURS", "13"),
    ],
)
def test_a_pace_beyond_the_documented_limits_is_refused(name: str, value: str) -> None:
    assert refusal(**{name: value}).where == f"{PREFIX}{name}"


def test_proxies_are_addresses_or_networks() -> None:
    assert settings(TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/24,::1").trusted_proxies == ("127.0.0.1/32", "10.0.0.0/24", "::1/128")
    assert settings().trusted_proxies == ()
    assert "networks" in str(refusal(TRUSTED_PROXIES=f"10.0.0.0/24,{CANARY}"))


@pytest.mark.parametrize(("name", "meant"), [("CRM_ULR", "CRM_COMPLIANCE_CRM_URL"), ("DATADIR", "CRM_COMPLIANCE_DATA_DIR")])
def test_a_misspelt_variable_is_refused_with_what_was_meant(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean {meant}"):
        settings(**{name: "x"})


def test_a_misspelt_key_of_the_file_is_refused_with_line_and_what_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("\ncrm_ulr = 'x'\n", encoding="utf-8")
    with pytest.raises(UsageError, match="did you mean crm_url") as refused:
        load_settings(file, {})
    assert refused.value.where == f"{file}:2"


def test_sites_of_sharepoint_are_https_addresses_and_nothing_more() -> None:
    named = settings(SHAREPOINT_SITES="https://org.sharepoint.com/sites/CRM/, https://org.sharepoint.com/sites/Andere").sharepoint_sites
    assert named == ("https://org.sharepoint.com/sites/CRM", "https://org.sharepoint.com/sites/Andere")
    assert settings().sharepoint_sites == ()
    for wrong in (f"http://127.0.0.1/{CANARY}", f"https://org.sharepoint.com/{CANARY}?a=b", CANARY):
        assert "https" in str(refusal(SHAREPOINT_SITES=wrong)) or "query" in str(refusal(SHAREPOINT_SITES=wrong))
    assert settings(GRAPH_URL="https://graph.microsoft.us/v1.0").graph_url == "https://graph.microsoft.us/v1.0/"


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("PUBLIC_URL", "https://compliance.example.org"),
        ("CRM_AUTHORITY", "https://adfs.example.org/adfs"),
        ("TIMESTAMP_URL", "https://tsa.example.org/"),
        ("GRAPH_URL", "https://graph.microsoft.com/v1.0/"),
        ("CRM_URL", "https://org.crm4.dynamics.com/api/data/v9.2/"),
        ("SHAREPOINT_SITES", "https://org.sharepoint.com/sites/CRM"),
    ],
)
def test_an_address_that_is_none_is_refused_with_an_example_of_that_setting(name: str, example: str) -> None:
    assert str(refusal(**{name: "ftp://x"})).endswith(f"for example {example}")
    settings(**{name: example})


@pytest.mark.parametrize("name", ["PUBLIC_URL", "CRM_AUTHORITY", "CRM_URL"])
def test_the_scheme_of_an_address_counts_in_capitals_too(name: str) -> None:
    """The cookies of an HTTPS:// address were those of plain http."""
    assert str(getattr(settings(**{name: "HTTPS://Org.example.org/"}), name.lower())).startswith("https://Org.example.org")


@pytest.mark.parametrize("around", ["\n", "\r\n", " ", "\u00a0", "\t"])
def test_space_and_line_breaks_around_a_variable_do_not_count(around: str) -> None:
    """As a mounted secret, or a file of variables from Windows, has them."""
    found = settings(CRM_URL=f"{around}{EMULATOR}{around}", CRM_TOKEN=f"{CANARY}{around}", LOG_LEVEL=f"DEBUG{around}", POLICY=around)
    assert (found.crm_url, found.crm_token, found.log_level, found.policy) == (EMULATOR, SecretStr(CANARY), "DEBUG", None)


def test_an_entry_of_a_list_is_named_by_its_place() -> None:
    assert "TRUSTED_PROXIES (entry 2): " in str(refusal(TRUSTED_PROXIES="10.0.0.1, localhost"))
