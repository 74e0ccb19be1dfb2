"""What a command loads: heavy libraries only where they are needed. Time is measured by `python -m
benchmarks.startup`, not here."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import requests

from connectors.emulator.serving.server import SeedSpec, running
from crm_compliance.cli import app
from crm_compliance.configuration.settings import environment_of

ROOT = Path(__file__).parents[2]
NEVER = {  # by a command that only looks into the store
    "alembic", "apscheduler", "azure", "holidays", "jinja2", "msal", "odata_query", "phonenumbers", "psycopg", "polars", "pypdfium2",
    "pyzipper", "requests", "starlette", "structlog", "typst", "uvicorn", "xlsxwriter", "ahocorasick", "tenacity", "isal",
    "platformdirs", "tomllib",
}  # fmt: skip
BELOW_THE_STORE = {"connectors.interface.connector", "jobs.ports.context", "rules.policy.policy", "rich._emoji_codes"}  # by the same
UNASKED = {
    "msal",
    "tenacity",
    "structlog",
    "phonenumbers",
    "jinja2",
    "xlsxwriter",
    "multiprocessing",
    "connectors.dynamics.schema.csdl",  # of services that are not Dataverse
    "jobs.runs.apply",
}  # by a look at one unit in a CRM with a static token, and by a plan
AT_FIRST = NEVER | {"pydantic", "sqlalchemy", "cryptography", "rich", "ruamel", "stdnum", "rapidfuzz", "babel"}
CODE = (
    "import json, sys; from crm_compliance.cli.app import run; code = run(sys.argv[1:]); sys.stderr.write(json.dumps(sorted(sys.modules)))"
)


# Commands one after the other in one process: what is not there after the last was loaded by none of them.
LOOKS = ("plans list", "history list", "holds list", "quarantine list")
AFTER_EACH = (
    "import json, sys; from crm_compliance.cli.app import run\n"
    "for words in sys.argv[1:]: run(words.split()); sys.stderr.write(json.dumps(sorted(sys.modules)) + chr(10))"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose store has its tables, which it takes alembic to make."""
    folder = tmp_path_factory.mktemp("startup") / "data"
    loaded(folder, "plans", "list")
    return folder


def loaded(data: Path, *words: str, **settings: str) -> set[str]:
    """The packages and modules that are there once a command has ended."""
    return told_by(CODE, data, *words, **settings)[-1]


def told_by(code: str, data: Path, *words: str, **settings: str) -> list[set[str]]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment_of({"DATA_DIR": str(data), **settings})
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=True, cwd=data.parent
    )
    said: list[list[str]] = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    return [{*names, *(name.partition(".")[0] for name in names)} for names in said]


@pytest.fixture(scope="module")
def after_a_look(data: Path) -> dict[str, set[str]]:
    """What is there after each of the looks into the store."""
    return dict(zip(LOOKS, told_by(AFTER_EACH, data, *(f"{words} --json" for words in LOOKS)), strict=True))


def test_a_process_that_ends_does_not_look_through_what_it_has_loaded(tmp_path: Path) -> None:
    code = (
        "import atexit, gc, sys; from crm_compliance.__main__ import main; sys.argv[1:] = ['--help'];"
        "atexit.register(lambda: print(len(gc.get_objects()))); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.splitlines()[-1]) < 1_000


def test_the_help_needs_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path / "data", "--help") & AT_FIRST == set()


@pytest.mark.parametrize("words", LOOKS)
def test_a_look_into_the_store_loads_no_more_than_the_store(after_a_look: dict[str, set[str]], words: str) -> None:
    assert after_a_look[words] & (NEVER | BELOW_THE_STORE | {"rich", "ruamel", "filelock"}) == set()
    assert "sqlalchemy" in after_a_look[words]


def test_what_is_shown_in_a_terminal_knows_no_pictures(data: Path) -> None:
    """What somebody wrote between colons is not a picture, and their names take long to load."""
    assert "rich._emoji_codes" not in loaded(data, "history", "list")


@pytest.mark.parametrize("words", ["plans list", "history list"])
def test_what_needs_no_key_loads_nothing_to_use_one(after_a_look: dict[str, set[str]], words: str) -> None:
    assert "cryptography" not in after_a_look[words]


def test_the_schedule_is_shown_without_a_store(tmp_path: Path) -> None:
    assert loaded(tmp_path / "data", "policy", "show", "--json") & (NEVER | {"sqlalchemy", "rich"}) == set()


def test_a_plan_and_a_look_at_one_unit_load_nothing_for_requests_logs_tokens_and_pages(data: Path) -> None:
    with running(seed=SeedSpec(dossiers=1, seed=1, as_of=date(2026, 3, 15))) as emulator:
        [dossier] = requests.get(f"{emulator.url}cf_dossiers", headers={"Authorization": "Bearer startup"}, timeout=10).json()["value"]
        asked = (f"why cf_dossier {dossier['cf_dossierid']}", "plan")
        there, planned = told_by(AFTER_EACH, data, *asked, CRM_URL=emulator.url, CRM_TOKEN="startup")
    assert there & UNASKED == planned & UNASKED == set()
    assert {"polars", "sqlalchemy", "requests"} <= there
    assert "jobs.plans.make" in planned


def test_what_opens_for_every_job_loads_no_redactor() -> None:
    """Its patterns take longer to load than many a command."""
    code = "import sys, jobs.restores.detect, jobs.plans.make, jobs.model.answer; print('rules.redaction.redactor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout == "False\n"


def test_a_line_that_begins_with_a_command_builds_no_other() -> None:
    """Reading the parameters of all of them takes a fifth of the shortest command."""
    assert list(app._commands(["plans", "list"]).commands) == ["plans"]
    assert list(app._commands(["why"]).commands) == ["why"]
    everything = list(app._commands([]).commands)
    assert {"plans", "why", "serve"} < set(everything)
    assert list(app._commands(["plants"]).commands) == list(app._commands(["--help"]).commands) == everything
    assert all(list(app._commands([name]).commands) == [name] for name in everything)
    assert list(app._commands(["requests", "show", "x"]).commands["requests"].commands) == ["show"]
    of_group = list(app._commands(["requests"]).commands["requests"].commands)
    assert {"open", "show"} < set(of_group)
    for second in ("shwo", "--help", "x"):
        assert list(app._commands(["requests", second]).commands["requests"].commands) == of_group


def test_a_short_command_ends_before_anybody_looks_for_garbage_and_a_long_one_looks_as_often_as_before() -> None:
    code = (
        "import gc; import crm_compliance.cli.app as app; from crm_compliance.__main__ import AT_FIRST, GARBAGE_AFTER, main;"
        "told = lambda: print(gc.get_threshold()[0] == AT_FIRST, gc.get_threshold()[0] == GARBAGE_AFTER);"
        "app.main = lambda: (told(), [[] for _ in range(2 * AT_FIRST)], told()); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["True False", "False True"]
