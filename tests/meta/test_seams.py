"""What `CONTRIBUTING.md` says is enough for a masking technique, a job, a report format or a table of the CRM
is carried out in a copy of the product, which then has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).with_name("seams_inside.py")
COPIED = ("crm_compliance", "jobs", "connectors", "rules", "docs")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MADE = {
    "docs/commands.md",
    "docs/mapping-fields.md",
    "docs/nights.md",
    "docs/organisation.md",
    "docs/policy.md",
    "connectors/dynamics/mapping/schema.json",
}  # by `make docs`

Edit = Callable[[str], str]

JOB = '''"""Greets: an example of a job."""

from jobs.model.outcome import Outcome
from jobs.ports.context import JobContext
from jobs.proof.job_record import recorded


def greet(context: JobContext) -> Outcome:
    """Count whom there is to greet."""
    with recorded(context, "greeting") as run:
        run.counts = {"greeted": 0}
    return Outcome(run.id, run.state, {"run": run.id, "state": run.state.value, **run.counts})
'''
FORMAT = '''def write_txt(source: Source, out: BinaryIO) -> None:
    """Say in a line how many units there are."""
    out.write(f"{source.plan.units} units\\n".encode())


'''
VISIT = '''class Visit(Record, gc=False, kw_only=True):
    """A visit to somebody, on a dossier."""

    dossier: str | None = None


'''
FULL_VISIT = '''class FullVisit(Visit, gc=False, kw_only=True):
    """A visit with what was said and when."""

    visited_on: date | None = None
    summary: str | None = None


'''
TABLE = """
  visit:
    table: cf_visit
    columns:
      dossier: cf_dossierid
    personal:
      visited_on: cf_visitedon
      summary: cf_summary
"""
VISIT_TEXTS = """        "visit": {
            "dossier": FieldText("the case"),
            "visited_on": FieldText("the day"),
            "summary": FieldText("what was said"),
        },
"""
# What the CRM has: none of it is the product's.
CRM_TABLE = """
  cf_visit:
    set: cf_visits
    columns:
      cf_visitid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true}
      cf_dossierid: {type: lookup cf_dossier, schema_name: cf_DossierId}
      cf_visitedon: {type: date}
      cf_summary: {type: memo(2000), pii: true}

"""


def before(mark: str, more: str) -> Edit:
    """Put something before a mark that stands once in the text."""

    def edit(text: str) -> str:
        assert text.count(mark) == 1, mark
        return text.replace(mark, more + mark)

    return edit


def both(*edits: Edit) -> Edit:
    def edit(text: str) -> str:
        for one in edits:
            text = one(text)
        return text

    return edit


def added(content: str) -> Edit:
    return lambda text: text + content


# Every file that a person edits, by what is added; what `make docs` writes is not among them.
EDITS: Mapping[str, Mapping[str, Edit]] = {
    "masking technique": {
        "rules/anonymisation/techniques.py": before(
            '    Technique("delete_child_rows"',
            '    Technique("decade", "the decade alone", _STRING, lambda facts: facts.year and f"{facts.year // 10}0s", length=5),\n',
        ),
    },
    "job": {
        "jobs/nightly/greeting.py": added(JOB),
        "jobs/registry.py": both(
            before("from jobs.nightly.housekeeping", "from jobs.nightly.greeting import greet\n"),
            before('    Job(\n        "housekeeping"', '    Job("greeting", "0 4 * * *", greet, "greets"),\n'),
        ),
    },
    "report format": {
        "crm_compliance/reports/plan/formats.py": both(
            before("@dataclass(frozen=True, slots=True)\nclass Format:", FORMAT),
            before('        Format(".jsonl"', '        Format(".txt", "one line", write_txt),\n'),
        ),
    },
    "table of the CRM": {
        "rules/model/records.py": both(
            before("class ActivityParty(Record", VISIT),
            before('    "activity_party": ActivityParty,\n', '    "visit": Visit,\n'),
        ),
        "rules/model/personal_records.py": both(
            before("    Record,\n    Recording,\n)", "    Visit,\n"),
            before("class FullActivityParty(", FULL_VISIT),
            before('        "activity_party": FullActivityParty,\n', '        "visit": FullVisit,\n'),
        ),
        "rules/model/kinds.py": before(
            '    Kind("activity_party"', '    Kind("visit", 12, depends=True, texts=("summary",), dates=("visited_on",)),\n'
        ),
        "rules/rights/fields.py": before(
            '        "activity_party": _ROW\n',
            '        "visit": _ROW | {"dossier": _NEVER, "visited_on": _FILE_DATE, "summary": _FILE_TEXT},\n',
        ),
        "connectors/dynamics/mapping/reference.yaml": before("  activity_party:\n", TABLE.lstrip("\n") + "\n"),
        "connectors/dynamics/mapping/field_texts.py": before('        "activity_party": {\n', VISIT_TEXTS),
    },
}
MOST = {"masking technique": 2, "job": 2, "report format": 2, "table of the CRM": 6}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product with all four."""
    home = tmp_path_factory.mktemp("seams") / "product"
    for name in COPIED:
        shutil.copytree(ROOT / name, home / name)  # with what is compiled already
    for edits in EDITS.values():
        for name, edit in edits.items():
            file = home / name
            file.write_text(edit(file.read_text(encoding="utf-8") if file.exists() else ""), encoding="utf-8")
    return home


def changed(home: Path) -> set[str]:
    """The files of a copy that are not as they were."""
    found = {
        path.relative_to(home).as_posix(): path.read_bytes()
        for name in COPIED
        for path in (home / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    return {name for name, content in found.items() if not (ROOT / name).exists() or (ROOT / name).read_bytes() != content}


@pytest.mark.parametrize("row", EDITS)
def test_the_page_names_every_file_to_edit_and_they_are_few(row: str) -> None:
    (told,) = [line for line in CONTRIBUTING.splitlines() if line.startswith(f"| a {row} |")]
    named = [f"`{name}`" in told or f"`{Path(name).parent}/`" in told for name in EDITS[row]]
    assert all(named), told
    assert len(EDITS[row]) <= MOST[row]


def test_a_copy_with_these_edits_has_them_all(copy: Path) -> None:
    """Seen by the copy's own commands, jobs and connector, against a CRM that has the table."""
    environment = (ROOT / "connectors/emulator/schema/environment.yaml").read_text(encoding="utf-8")
    environment = before("  cf_donation:\n", CRM_TABLE.lstrip("\n"))(environment)
    mark = "      cf_legalholdreason: {type: string(200), pii: true}\n"
    environment = before(mark, "      cf_decade: {type: string(20)}\n")(environment)
    relation = "  - {name: cf_dossier_visits, parent: cf_dossier, child: cf_visit, column: cf_dossierid, on_delete: restrict}\n"
    environment = before("  - {name: cf_fiche_parties,", relation)(environment)
    work = copy.parent
    (work / "environment.yaml").write_text(environment, encoding="utf-8")
    shutil.copy(INSIDE, work / "test_inside.py")
    path = os.pathsep.join((str(copy), str(ROOT)))
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(work), "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-p", "tests.conftest"]  # stores and emulators as all tests have them
    done = subprocess.run(
        [*command, "--import-mode=importlib", str(work / "test_inside.py")],
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    by_hand = {name for edits in EDITS.values() for name in edits}
    assert by_hand <= changed(copy) <= by_hand | MADE
    pages = "\n".join((copy / name).read_text(encoding="utf-8") for name in sorted(MADE) if name.endswith(".md"))
    assert all(told in pages for told in ("`decade`", "`run greeting`", "`GREETING_CRON`", "`.txt`"))
