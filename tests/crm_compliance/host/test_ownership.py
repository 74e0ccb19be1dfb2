"""No command runs where another program owns `rules`, `jobs` or `connectors`; PyPI has packages of these
names."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crm_compliance.host.ownership import CODE, strangers

ROOT = Path(__file__).parents[3]


def started(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of its own process, with a folder before everything else on the path."""
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "CRM_COMPLIANCE_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "crm_compliance", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["rules", "jobs", "connectors"])
def test_a_package_that_lies_earlier_on_the_path_is_never_run(tmp_path: Path, name: str) -> None:
    strange = tmp_path / name
    strange.mkdir()
    (strange / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n", encoding="utf-8")
    for words in (("plans", "list"), ("--help",), ("policy", "show")):
        done = started(tmp_path, *words, "--json")
        assert (done.returncode, done.stdout) == (2, "")
        error = json.loads(done.stderr)["error"]
        assert (error["code"], name in error["message"], bool(error["hint"])) == (CODE, True, True)
    person = started(tmp_path, "plans", "list")
    assert person.stderr.startswith("error: ")
    assert "hint: " in person.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("top_level.txt", "rules\n"),
        ("RECORD", "helper.py,,\njobs/__init__.py,sha256=x,1\n"),
        ("RECORD", "connectors/base.py,sha256=x,1\n"),
    ],
)
def test_another_distribution_with_one_of_our_packages_is_refused(tmp_path: Path, file: str, content: str) -> None:
    metadata = tmp_path / "strange_rules-3.5.dist-info"
    metadata.mkdir()
    (metadata / file).write_text(content, encoding="utf-8")
    assert strangers([str(tmp_path)]) == ["the distribution strange_rules-3.5 has a package of this name"]
    done = started(tmp_path, "plans", "list", "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (2, CODE)


def test_what_only_sounds_like_ours_is_let_be(tmp_path: Path) -> None:
    for name, listed in (("business_rules-1.0", "business_rules/__init__.py,,\n"), ("crm_compliance-0.1.0", "rules/__init__.py,,\n")):
        metadata = tmp_path / f"{name}.dist-info"
        metadata.mkdir()
        (metadata / "RECORD").write_text(listed, encoding="utf-8")
    assert strangers([str(tmp_path), str(tmp_path / "none.zip")]) == []
    assert started(tmp_path, "--help").returncode == 0


def test_in_this_environment_all_four_are_ours() -> None:
    assert strangers() == []
