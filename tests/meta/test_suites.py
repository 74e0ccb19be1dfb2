"""The two suites: each test module is in exactly one of them, and CI runs both whole."""

from __future__ import annotations

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


@pytest.mark.parametrize("suite", [None, *SUITES])
def test_what_pytest_collects_of_a_suite_are_its_modules(suite: str | None) -> None:
    folder = ROOT / "tests" / "rules" / "redaction"  # which has modules of both
    asked = ["--suite", suite] if suite else []
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", *asked, str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert set(re.findall(r"^(\S+/test_\w+\.py)", said, re.MULTILINE)) == {
        module.relative_to(ROOT).as_posix() for module in MODULES if module.is_relative_to(folder) and not is_left_out(module, suite)
    }


def test_make_and_ci_run_both_and_select_nothing_else() -> None:
    runs = dict(re.findall(r"^(test[a-z-]*): .*\n\t\$\(RUN\) (pytest .*)$", MAKEFILE, re.MULTILINE))
    run = "pytest{} -n 4 --dist worksteal -rs"
    assert runs == {"test": run.format(" --suite quick"), "test-deep": run.format(" --suite deep"), "test-all": run.format("")}
    (needs,) = re.findall(r"^check: (.*?) *##", MAKEFILE, re.MULTILINE)
    for words in (needs, (ROOT / ".ci" / "run").read_text(encoding="utf-8")):
        assert "test-all" in words.split()
