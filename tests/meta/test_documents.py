"""Everything that the product has is in its documents, and what the documents show works."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from crm_compliance.cli.app import app
from crm_compliance.cli.docs_pages import pages
from crm_compliance.configuration.hours import crons_of
from crm_compliance.configuration.settings import Settings, setting_names
from crm_compliance.reports.evidence_pack import COUNTS
from crm_compliance.reports.parts.sentences import FLAGS, REASONS, SKIPS
from crm_compliance.reports.plan.formats import FORMATS
from jobs.holds import look_up
from jobs.model.run import CHANGED
from jobs.registry import JOBS
from jobs.runs import resume
from jobs.writing import contact_check, send
from rules.model.decisions import Flag, Reason
from tests.meta.pages import OPERATIONS, ROOT, page

COMMANDS, NIGHTS, SETTINGS = page("commands.md"), page("nights.md"), page("settings.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_WORDS = 900  # of the README: what a newcomer reads before the first night
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
TABLES = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
FENCED = re.compile(r"^```(yaml|toml|json)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands(command: Any = None, words: str = "") -> list[str]:
    found = getattr(command or typer.main.get_command(app), "commands", None)
    if found is None:
        return [words]
    return [each for name, below in found.items() if not below.hidden for each in commands(below, f"{words} {name}".strip())]


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len(README.split()) <= MOST_WORDS


def test_one_range_of_python_is_named_installed_and_checked() -> None:
    """Types are checked for the lowest: what the standard library has only later would fail there alone.
    Newer ones than are named are not refused, and not promised."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = re.fullmatch(r">=3\.(\d+)", project["project"]["requires-python"])
    assert named is not None
    lowest, tried = int(named[1]), set[int]()
    assert project["tool"]["mypy"]["python_version"] == f"3.{lowest}"
    assert project["tool"]["ruff"]["target-version"] == f"py3{lowest}"
    for text in (README, page("first-run.md"), (ROOT / "Makefile").read_text(encoding="utf-8")):
        minors = [int(minor) for minor in re.findall(r"\b3\.(\d{2})\b", text)]
        assert min(minors) == lowest
        tried.add(max(minors))
    assert len(tried) == 1


@pytest.mark.parametrize("command", commands())
def test_every_command_stands_in_the_documents(command: str) -> None:
    """As `plan`, or in a group's line as `plans list | show | …`."""
    group, _, name = command.partition(" ")
    assert re.search(rf"`{group}[^\n]*\b{name}\b" if name else rf"`{group}\b", COMMANDS)


def options(command: Any = None, words: str = "") -> dict[str, set[str]]:
    """Return the options of each command, by its words."""
    found = command or typer.main.get_command(app)
    if not hasattr(found, "commands"):
        return {words: {name for each in found.params for name in (*each.opts, *each.secondary_opts)}}
    return {name: its for word, below in found.commands.items() for name, its in options(below, f"{words} {word}".strip()).items()}


def test_the_options_that_the_documents_show_exist() -> None:
    """As `plans show PLAN --output plan.html`; a page about one group leaves its name out."""
    its = options()
    names = {short: [words for words in its if f" {words}".endswith(f" {short}")] for words in its for short in (words, words.split()[-1])}
    shown = [
        line
        for page in PAGES
        for line in re.findall(r"(?:`|^)(?:crm-compliance )?([a-z][^`\n]* --[^`\n]*)", page.read_text("utf-8"), re.MULTILINE)
    ]
    wrong = []
    for line in shown:
        command = max((name for name in names if f"{line} ".startswith(f"{name} ")), key=len, default=None)
        if command is not None:
            known = {"--json", "--help", "--config"}.union(*(its[words] for words in names[command]))
            wrong += [(line, option) for option in re.findall(r"(?<= )--[a-z][a-z-]*", line.split(" | ")[0]) if option not in known]
    assert len(shown) > 100
    assert wrong == []


def test_every_setting_stands_in_the_documents() -> None:
    of_jobs = {job.setting for job in JOBS.values()}
    missing = [name for name in setting_names() if f"`{name.upper()}`" not in (NIGHTS if name in of_jobs else SETTINGS)]
    assert missing == []


def test_every_setting_of_the_documents_exists() -> None:
    named = {name for line in SETTINGS.splitlines() if line.startswith("| `") for name in re.findall(r"`([A-Z_]+)`", line.split("|")[1])}
    assert named <= {name.upper() for name in setting_names()}


@pytest.mark.parametrize("code", range(8))
def test_every_exit_code_is_explained(code: int) -> None:
    assert re.search(rf"(^|· ){code} \w", COMMANDS.split("## Exit codes", 1)[1].strip())


def test_every_count_of_a_run_that_an_auditor_gets_is_explained() -> None:
    told = page("auditor.md").partition("### What a run counts")[2].partition("\n## ")[0]
    named = [name for line in told.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(named) == sorted(COUNTS)


def test_every_job_stands_in_the_documents_with_its_hour() -> None:
    for job in JOBS.values():
        minute, hour = job.cron.split()[:2]
        assert f"| `run {job.name}` | {int(hour):02}:{int(minute):02} | `{job.setting.upper()}` | {job.purpose} |" in NIGHTS
        assert crons_of(Settings())[job.name] == job.cron


def test_every_format_stands_in_the_documents() -> None:
    assert [suffix for suffix in FORMATS if suffix not in COMMANDS] == []


def test_every_reason_and_flag_has_a_sentence() -> None:
    assert [reason for reason in Reason if not REASONS.get(reason)] == []
    assert [flag for flag in Flag if not FLAGS.get(flag)] == []


def test_every_skip_code_has_a_sentence_and_stands_in_the_documents() -> None:
    codes = {
        send.TECHNICAL,
        CHANGED,
        contact_check.STILL_REFERRED,
        resume.PLAN_REJECTED,
        resume.POLICY_CHANGED,
        resume.PLAN_EXPIRED,
        look_up.HOLD_NOT_FOUND,
    }
    assert codes <= SKIPS.keys()
    assert [code for code in sorted(codes) if f"`{code}`" not in OPERATIONS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_can_be_read(page: Path) -> None:
    for language, text in FENCED.findall(page.read_text(encoding="utf-8")):
        if language == "toml":
            assert set(tomllib.loads(text)) <= set(setting_names())
        else:
            assert YAML(typ="safe").load(text) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_rows_of_a_table_have_as_many_cells_as_its_head(page: Path) -> None:
    for table in TABLES.findall(page.read_text(encoding="utf-8")):
        cells = [len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", line))) for line in table.splitlines()]
        assert [line for line, count in zip(table.splitlines(), cells, strict=True) if count != cells[0]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_files_that_the_documents_name_exist() -> None:
    named = {
        path
        for page in PAGES
        for path in re.findall(r"`((?:crm_compliance|jobs|connectors|rules|tests|docs)/[\w./-]+)`", page.read_text("utf-8"))
    }
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_what_follows_from_the_product_is_current() -> None:
    """Parts of pages, and schemas: `make docs` writes them."""
    assert [path.name for path, made in pages(ROOT) if path.read_text(encoding="utf-8") != made] == []
