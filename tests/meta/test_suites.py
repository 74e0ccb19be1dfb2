"""The two suites: each test module is in exactly one of them, and CI runs both whole."""

import re
import subprocess
import sys

import pytest

from tests.suites import DEEP, ROOT, SUITES, is_left_out

MODULES = sorted((ROOT / "tests").rglob("test_*.py"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_module_is_run_by_one_suite_and_by_no_other() -> None:
    runs = {module: [suite for suite in SUITES if not is_left_out(module, suite)] for module in MODULES}
    assert [module for module, suites in runs.items() if len(suites) != 1] == []
    assert {suite for (suite,) in runs.values()} == set(SUITES)
    assert not any(is_left_out(module, None) for module in MODULES)


def test_what_is_named_as_deep_is_there_and_named_once() -> None:
    for name in DEEP:
        assert [module for module in MODULES if module.is_relative_to(ROOT / name)], name
        assert not [other for other in DEEP if other != name and name.startswith(f"{other}/")], name
    assert len(DEEP) == len(set(DEEP))


FOLDER = ROOT / "tests" / "rules" / "redaction"  # which has modules of both
COLLECTING = """
import sys, pytest
for suite in sys.argv[2:]:
    print(f"--- {suite}")
    asked = [] if suite == "None" else ["--suite", suite]
    assert pytest.main(["--collect-only", "-q", "-n", "0", *asked, sys.argv[1]]) == 0
"""


@pytest.fixture(scope="module")
def collected() -> dict[str, set[str]]:
    """The modules of a folder that pytest collects for each suite, one after the other in a process of its
    own: most of what one costs is to load what the next has too."""
    command = [sys.executable, "-c", COLLECTING, str(FOLDER), "None", *SUITES]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    parts = re.findall(r"^--- (\w+)\n(.*?)(?=^--- |\Z)", said, re.MULTILINE | re.DOTALL)
    return {suite: set(re.findall(r"^(\S+/test_\w+\.py)", told, re.MULTILINE)) for suite, told in parts}


@pytest.mark.parametrize("suite", [None, *SUITES])
def test_what_pytest_collects_of_a_suite_are_its_modules(collected: dict[str, set[str]], suite: str | None) -> None:
    assert collected[str(suite)] == {
        module.relative_to(ROOT).as_posix() for module in MODULES if module.is_relative_to(FOLDER) and not is_left_out(module, suite)
    }


def test_make_and_ci_run_both_and_select_nothing_else() -> None:
    runs = dict(re.findall(r"^(test[a-z-]*): .*\n\t\$\(RUN\) (pytest .*)$", MAKEFILE, re.MULTILINE))
    run = "pytest{} -n 3 --dist worksteal -rs"
    assert runs == {"test": run.format(" --suite quick"), "test-deep": run.format(" --suite deep"), "test-all": run.format("")}
    (needs,) = re.findall(r"^check: (.*?) *##", MAKEFILE, re.MULTILINE)
    for words in (needs, (ROOT / ".ci" / "run").read_text(encoding="utf-8")):
        assert "test-all" in words.split()
