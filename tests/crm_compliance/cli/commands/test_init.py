"""init, as it is typed: a settings file that loads, with every setting, and no secret."""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from crm_compliance.configuration.first_settings import SECTIONS
from crm_compliance.configuration.settings import SECRETS, load_settings, setting_names
from tests.drivers.typist import Typist

URL = "https://org.crm4.dynamics.com/api/data/v9.2/"
IDS = ("--tenant", "t-1", "--client", "c-1")


@pytest.fixture
def typist(typist_at: Callable[..., Typist]) -> Typist:
    made = typist_at("http://127.0.0.1:9/")
    made.unset("CRM_URL", "CRM_TOKEN", "CLOCK", "DATA_DIR", "CRM_PATIENCE_S")
    return made


def test_every_setting_is_described_once() -> None:
    assert sorted(name for section in SECTIONS.values() for name in section) == setting_names()


def test_the_file_loads_and_says_what_was_given(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    said = typist.type("init", "--output", path, "--crm-url", "https://org.crm4.dynamics.com", *IDS, "--data-dir", tmp_path / "d", "--json")
    assert said.code == 0
    assert said.document == {
        "file": str(path),
        "settings": {"crm_url": URL, "crm_tenant_id": "t-1", "crm_client_id": "c-1", "data_dir": str(tmp_path / "d")},
        "variables": ["CRM_COMPLIANCE_CRM_CLIENT_SECRET"],
        "missing": [],
    }
    assert path.stat().st_mode & 0o777 == 0o600
    settings = load_settings(path, {})
    assert (settings.crm_url, settings.crm_tenant_id, settings.data_dir) == (URL, "t-1", tmp_path / "d")


def test_what_stands_as_a_comment_is_a_setting_that_could_be_put_in_force(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    assert typist.type("init", "--output", path).code == 0
    text = path.read_text("utf-8")
    assert tomllib.loads(text) == {}
    for name in setting_names():
        if name in SECRETS:
            assert f"the variable CRM_COMPLIANCE_{name.upper()} takes it" in text
            assert not re.search(rf"^#? ?{name} =", text, re.MULTILINE)
    for line in re.findall(r"^# (\w+ = .*)$", text, re.MULTILINE):
        one = tmp_path / "one.toml"
        extra = 'crm_url = "http://127.0.0.1:8765/"\n' if line.startswith("clock") else ""
        one.write_text(f"{extra}{line}\n", "utf-8")
        if not line.startswith("azure_container"):  # only together with a secret
            load_settings(one, {})


@pytest.mark.parametrize("words", ["init", "mapping draft", "policy show", "organisation show"])
def test_a_file_that_is_there_is_not_replaced(typist: Typist, tmp_path: Path, words: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text("mine", "utf-8")
    assert "is not replaced" in typist.refused(*words.split(), "--output", path, code=2)["message"]
    assert path.read_text("utf-8") == "mine"


def test_the_command_to_go_on_with_is_one_for_a_shell(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "my settings.toml"
    assert f"--config '{path}' doctor" in typist.type("init", "--output", path).out


def test_a_value_that_is_not_usable_leaves_no_file(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    error = typist.refused("init", "--output", path, "--crm-url", "org.crm4.dynamics.com", code=2)
    assert "http(s) address" in error["message"]
    assert not path.exists()


def test_doctor_says_what_is_missing(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    assert typist.type("init", "--output", path, "--crm-url", URL, "--data-dir", tmp_path / "d").code == 0
    said = typist.type("doctor", "--config", path, "--json")
    (crm,) = [check for check in said.document["checks"] if check["name"] == "crm"]
    assert said.code == 2
    assert "CRM_TENANT_ID" in crm["message"] + crm["hint"]


def test_a_terminal_is_asked_and_a_wrong_answer_is_asked_again(typist: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("no address\nhttps://org.crm4.dynamics.com\nt-1\n\n\nmine.yaml\n\n"))
    path = tmp_path / "s.toml"
    said = typist.type("init", "--output", path)
    assert said.code == 0
    settings = load_settings(path, {})
    assert (settings.crm_url, settings.crm_tenant_id, settings.crm_client_id) == (URL, "t-1", None)
    assert settings.mapping == Path("mine.yaml").absolute()
    assert "still to be filled in: crm_client_id" in said.out
