"""A policy or a mapping that is wrong ends in words, in the documented exit code, and without a write:
nothing deleted, nothing stored."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from tests.drivers.night import Night
from tests.drivers.typist import Typist
from tests.integration.wrong_inputs.refusing import nothing_happens

pytestmark = pytest.mark.usefixtures("naps", "real_definitions")  # each of them may be refused


# -- policy and mapping --------------------------------------------------------------------------------------


def policy_file(typist: Typist, change: Callable[[str], str]) -> Path:
    return _changed(typist, "POLICY", (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8"), change)


def mapping_file(typist: Typist, change: Callable[[str], str]) -> Path:
    text = (files("connectors.dynamics") / "mapping" / "reference.yaml").read_text(encoding="utf-8")
    return _changed(typist, "MAPPING", text, change)


def _changed(typist: Typist, setting: str, text: str, change: Callable[[str], str]) -> Path:
    path = typist.folder / f"{setting.lower()}.yaml"
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    typist.set(**{setting: str(path)})
    return path


def line_of(path: Path, part: str) -> int:
    return next(number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if part in line)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "- a list\n", "categories: {}\n", "a: [\n", "\x00"])
def test_an_empty_or_broken_policy(typist: Typist, org: Night, text: str) -> None:
    path = policy_file(typist, lambda _: text)
    for command in ("plan", "policy check", "run retention"):
        error = nothing_happens(org, typist, 3, *command.split())
        assert (error["code"], error["where"].startswith(str(path))) == ("policy", True)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("months: 6", "months: six", "months: six"),
        ("max: 200", "max: -1", "max: -1"),
        ("name: childfocus", "nam: childfocus", "nam: childfocus"),
        ("timezone: Europe/Brussels", "timezone: Europe/Brusel", "timezone: Europe/Brusel"),
    ],
)
def test_a_policy_with_an_error_names_its_line(typist: Typist, org: Night, old: str, new: str, part: str) -> None:
    path = policy_file(typist, lambda text: text.replace(old, new, 1))
    error = nothing_happens(org, typist, 3, "plan")
    assert f"{path}:{line_of(path, part)}" in error["where"] + error["message"]
    assert typist.refused("policy", "check", path, code=3) == error
    said = typist.type("policy", "check", path)
    assert f"{path}:{line_of(path, part)}" in said.err


def test_a_policy_that_is_not_in_force_yet(typist: Typist, org: Night) -> None:
    policy_file(typist, lambda text: text.replace("valid_from: 2018-05-25", "valid_from: 2030-01-01"))
    assert "2030-01-01" in nothing_happens(org, typist, 3, "plan")["message"]


def test_a_mapping_with_a_wrong_column_names_file_and_line(typist: Typist, org: Night) -> None:
    path = mapping_file(typist, lambda text: text.replace("cf_communicatedon", "cf_communicatedat"))
    error = nothing_happens(org, typist, 3, "plan")
    assert (error["code"], error["where"]) == ("mapping", f"{path}:{line_of(path, 'cf_communicatedat')}")
    assert "cf_communicatedat" in error["message"]
    assert typist.type("doctor").code == 3


def test_a_mapping_with_a_mistake_names_file_and_line(typist: Typist, org: Night) -> None:
    path = mapping_file(typist, lambda text: text.replace("communicated_on:", "communicated_at:"))
    error = nothing_happens(org, typist, 3, "plan")
    assert f"{path}:{line_of(path, 'communicated_at')}" in error["message"]


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_mapping_that_cannot_be_read(typist: Typist, org: Night, content: bytes | None) -> None:
    path = typist.folder / "mapping.yaml"
    if content is not None:
        path.write_bytes(content)
    typist.set(MAPPING=str(path))
    error = nothing_happens(org, typist, 2, "plan")
    assert ("mapping file cannot be read" in error["message"], error["where"]) == (True, str(path))


def test_a_date_column_whose_behaviour_nobody_knows(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-056, DAT-09: without it a birthday may end a day early, so the service refuses."""
    monkeypatch.setattr("connectors.dynamics.schema.metadata.DATE_BEHAVIOURS", {})
    error = nothing_happens(org, typist, 3, "plan")
    assert "behaviour" in error["message"]
    assert "DAT-09" in error["message"]


def test_files_that_are_not_there_or_not_text(typist: Typist, org: Night, tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for setting in ("POLICY", "MAPPING"):
        for path in (tmp_path / "none.yaml", tmp_path, binary):
            typist.set(**{setting: str(path)})
            error = nothing_happens(org, typist, 2, "plan")
            assert error["where"] == str(binary if setting == "POLICY" and path == tmp_path else path)  # a folder has versions
        typist.unset(setting)
