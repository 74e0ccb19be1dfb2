"""A night typed command by command, read by a script (--json) and by a person."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.configuration.organisation import organisation_text
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases, without_first_look

PLAN = {
    "plan",
    "digest",
    "kind",
    "as_of",
    "policy_version",
    "units",
    "dispose",
    "retain",
    "flags",
    "breaker",
    "approvals",
    "applicable",
    "valid_until",
    "files",
}
RUN = {"run", "plan", "state", "deleted", "anonymised", "skipped", "partial", "failed", "verified", "rows"}
HISTORY = {"run", "kind", "plan", "state", "as_of", "started_at", "ended_at", "counts"}
LINE = [
    "table",
    "id",
    "outcome",
    "disposition",
    "retention_end",
    "reason",
    "reasons",
    "flags",
    "categories",
    "rule",
    "policy_version",
    "etag",
]
ENTRY = {"seq", "at", "kind", "run", "data", "prev_hash", "hash"}


def test_a_script_reads_a_whole_night(typist: Typist, org: Night, tmp_path: Path) -> None:
    """Contract 3.3 and 3.5: every key, and numbers that agree with one another."""
    cases = people_and_cases(org)
    file = tmp_path / "plan.jsonl"
    before = org.writes()
    plan = typist.ask("plan", "--output", file)
    assert plan.keys() >= PLAN
    assert (plan["kind"], plan["as_of"], plan["files"]) == ("all", plan["as_of"], [str(file)])
    assert plan["as_of"].startswith("2026-11-25T11:00:")
    assert plan["dispose"] == {"delete": 4, "anonymise": 1}
    assert plan["breaker"] == {
        "tripped": False,
        "units": {"planned": 3, "limit": 200, "median": None},
        "recordings": {"planned": 1, "limit": 200, "median": None},
        "categories": {},
    }
    approvals = {"needed": ["crm_admin", "dpo"], "given": [], "why": ["FIRST_RUN"]}
    assert (plan["approvals"], plan["applicable"]) == (approvals, False)
    assert plan["units"] == sum(plan["dispose"].values()) + sum(plan["retain"].values())
    assert org.writes() == before
    lines = {line["id"]: line for line in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    assert len(lines) == plan["units"]
    assert all(list(line)[: len(LINE)] == LINE for line in lines.values())
    fates = {name: (lines[row]["outcome"], lines[row]["disposition"]) for name, row in cases.items()}
    assert fates == {
        "delete": ("dispose", "delete"),
        "anonymise": ("dispose", "anonymise"),
        "open": ("retain", None),
        "no_term": ("retain", None),
        "recording": ("dispose", "delete"),
        "fiche": ("dispose", "delete"),
    }

    listed = typist.ask("plans", "list")
    assert [(one["plan"], one["state"]) for one in listed] == [(plan["plan"], "waiting")]
    shown = typist.ask("plans", "show", plan["plan"])
    assert {key: shown[key] for key in PLAN - {"files"}} == {key: plan[key] for key in PLAN - {"files"}}
    assert shown["state"] == "waiting"
    approved = typist.ask("plans", "show", typist.approve_first(plan["plan"]))
    assert (approved["state"], approved["applicable"]) == ("ready", True)

    done = typist.ask("apply", plan["plan"])
    assert done.keys() >= RUN
    assert (done["plan"], done["state"], done["deleted"], done["anonymised"]) == (plan["plan"], "done", 4, 1)
    assert (done["skipped"], done["partial"], done["failed"], done["verified"]["still_there"]) == ({}, 0, 0, 0)
    assert done["verified"].keys() >= {"gone", "masked", "still_there"}
    assert sum(done["rows"].values()) == done["verified"]["gone"] + done["verified"]["masked"]
    assert org.get("cf_dossiers", cases["delete"]) is None
    assert org.get("cf_dossiers", cases["open"]) is not None
    writes = org.writes()
    assert typist.ask("apply", plan["plan"]) == done
    assert org.writes() == writes
    assert typist.ask("plans", "show", plan["plan"])["state"] == "applied"

    verified = typist.ask("verify", done["run"])
    assert (verified["run"], verified["still_there"]) == (done["run"], [])
    assert verified["checked"] == sum(done["rows"].values())
    assert isinstance(verified["not_checkable"], list)

    (line,) = typist.ask("history", "list")
    assert line.keys() >= HISTORY
    assert (line["run"], line["kind"], line["plan"], line["state"]) == (done["run"], "all", plan["plan"], "done")
    told = typist.ask("history", "show", done["run"])
    assert told.keys() >= HISTORY | {"outcomes", "approvals"}
    assert sum(n for outcome, n in told["outcomes"].items() if not outcome.startswith("trim")) == plan["units"]

    ledger = tmp_path / "ledger.jsonl"
    exported = typist.ask("history", "export", "--output", ledger)
    entries = [json.loads(entry) for entry in ledger.read_text(encoding="utf-8").splitlines()]
    assert exported["entries"] == len(entries)
    assert all(entry.keys() == ENTRY for entry in entries)
    assert entries[0]["prev_hash"] == "0" * 64
    stored, from_file = typist.ask("ledger", "verify"), typist.ask("ledger", "verify", ledger)
    expected = {"ok": True, "entries": len(entries), "head": entries[-1]["hash"], "first_broken": None}
    assert [{key: told[key] for key in expected} for told in (stored, from_file)] == [expected, expected]


def test_a_person_reads_a_whole_night(typist: Typist, org: Night, tmp_path: Path) -> None:
    """The last line is the id that a command made; nothing is cut at 80 columns; nobody is named."""
    people_and_cases(org)
    said = [typist.type("plan", "--output", tmp_path / "plan.html")]
    word, plan = said[0].last.split(" ")
    assert word == "plan"
    said.append(typist.type("plans", "list"))
    assert plan in said[-1].out
    said.append(typist.type("plans", "show", plan))
    assert said[-1].last == f"plan {plan}"
    typist.approve_first(plan)
    said.append(typist.type("apply", plan))
    word, run_id = said[-1].last.split(" ")
    assert word == "run"
    said.append(typist.type("apply", plan))
    assert said[-1].last == f"run {run_id}"
    assert "nothing was written" in said[-1].err
    said.append(typist.type("verify", run_id))
    assert said[-1].last == f"run {run_id}"
    said.append(typist.type("history", "list"))
    assert run_id in said[-1].out
    said.append(typist.type("history", "show", run_id))
    assert said[-1].last == f"run {run_id}"
    said.append(typist.type("history", "export", "--output", tmp_path / "ledger.jsonl"))
    said.append(typist.type("ledger", "verify"))
    assert len(said[-1].last) == 64
    said += [typist.type("doctor"), typist.type("policy", "show"), typist.type("policy", "check")]
    assert [each.code for each in said] == [0] * len(said)
    for each in said:
        assert "…" not in each.out
        assert "Peeters" not in each.out + each.err
        assert [line for line in each.out.splitlines() if len(line.rstrip()) > 80 and str(tmp_path) not in line] == []


def test_a_plan_of_one_kind_looks_at_that_kind_only(typist: Typist, org: Night) -> None:
    people_and_cases(org)
    recordings, retention = typist.ask("plan", "--kind", "recordings"), typist.ask("plan", "--kind", "retention")
    assert (recordings["units"], recordings["dispose"]) == (1, {"delete": 1, "anonymise": 0})
    assert retention["dispose"] == {"delete": 3, "anonymise": 1}
    assert typist.ask("plan", "--kind", "all")["units"] == recordings["units"] + retention["units"]


def test_every_format_holds_every_unit(typist: Typist, org: Night, tmp_path: Path) -> None:
    people_and_cases(org)
    names = ("plan.jsonl", "plan.csv", "plan.xlsx", "plan.json", "plan.html")
    files = [part for name in names for part in ("--output", tmp_path / name)]
    plan = typist.ask("plan", *files)
    assert plan["files"] == [str(tmp_path / name) for name in names]
    lines = [json.loads(line) for line in (tmp_path / "plan.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = list(csv.reader(io.StringIO((tmp_path / "plan.csv").read_text(encoding="utf-8"))))
    assert rows[0] == LINE
    assert [row[1] for row in rows[1:]] == [line["id"] for line in lines]
    document: dict[str, Any] = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert document["units"] == lines
    assert document.keys() >= PLAN
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx", read_only=True)
    found = [sheet for sheet in book.worksheets if [cell.value for cell in next(iter(sheet.iter_rows(max_row=1)))] == LINE]
    assert [row[1] for sheet in found for row in sheet.iter_rows(min_row=2, values_only=True)] == [line["id"] for line in lines]
    book.close()
    page = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert plan["plan"] in page
    assert "Peeters" not in page
    again = tmp_path / "again.csv"
    assert typist.type("plans", "show", plan["plan"], "--output", again).code == 0
    assert again.read_bytes() == (tmp_path / "plan.csv").read_bytes()


@pytest.mark.parametrize("given", ["2027-01-01", "2027-01-01T09:30:00+01:00", "2026-01-01"])
def test_a_plan_of_another_day_is_told_and_never_applied(typist: Typist, org: Night, given: str) -> None:
    """R-062, DAT-12; a bare day is 12:00 in Brussels."""
    people_and_cases(org)
    plan = typist.ask("plan", "--as-of", given)
    assert plan["as_of"] == {"2027-01-01": "2027-01-01T11:00:00Z", "2026-01-01": "2026-01-01T11:00:00Z"}.get(given, "2027-01-01T08:30:00Z")
    assert plan["applicable"] is False
    before = org.writes()
    assert typist.refused("apply", plan["plan"], code=5)["where"] == plan["plan"]
    assert org.writes() == before


def test_the_nightly_jobs_plan_and_apply_at_once(typist: Typist, org: Night) -> None:
    cases = people_and_cases(org)
    without_first_look(typist)
    recordings = typist.ask("run", "recordings")
    assert (recordings["deleted"], org.get("cf_recordings", cases["recording"])) == (1, None)
    retention = typist.type("run", "retention")
    assert retention.code == 0
    assert retention.last.startswith("run ")
    assert [(line["kind"], line["state"]) for line in typist.ask("history", "list")] == [("retention", "done"), ("recordings", "done")]


def test_why_gives_the_line_of_the_plan_and_its_steps(typist: Typist, org: Night, tmp_path: Path) -> None:
    """ACC-02: the same outcome as the plan, with every step; a fiche of a dossier answers for its dossier."""
    cases = people_and_cases(org)
    typist.ask("plan", "--output", tmp_path / "plan.jsonl")
    lines = {line["id"]: line for line in map(json.loads, (tmp_path / "plan.jsonl").read_text(encoding="utf-8").splitlines())}
    for name, row in cases.items():
        told = typist.ask("why", lines[row]["table"], row)
        trace = told.pop("trace")
        assert (name, told) == (name, lines[row])
        assert trace
        assert all(step.keys() == {"rule", "inputs", "result"} for step in trace)
    fiche = org.fiches_of(cases["delete"])[0]
    assert typist.ask("why", "cf_fiche", f"{{{fiche.upper()}}}")["id"] == cases["delete"]
    said = typist.type("why", "cf_dossier", cases["no_term"])
    assert said.code == 0
    assert "NO_TERM" in said.out


def test_an_empty_organisation_makes_an_empty_plan_and_an_empty_run(typist: Typist, org: Night) -> None:
    assert typist.type("plans", "list").out == "No plan yet.\n"
    assert typist.ask("history", "list") == []
    plan = typist.ask("plan")
    assert (plan["units"], plan["dispose"]) == (0, {"delete": 0, "anonymise": 0})
    assert typist.ask("apply", plan["plan"])["state"] == "done"
    assert org.writes() == 0


def test_global_options_are_taken_anywhere_on_the_line(typist: Typist, crm: RunningEmulator, tmp_path: Path) -> None:
    """A variable wins over the file; the file alone is enough."""
    config = tmp_path / "settings.toml"
    config.write_text(f'crm_url = "{crm.url}"\ncrm_token = "wrong"\ndata_dir = "{tmp_path / "other"}"\n', encoding="utf-8")
    assert typist.ask("--config", config, "plans", "list") == []
    typist.unset("CRM_TOKEN", "CRM_URL", "CLOCK", "DATA_DIR")
    for arguments in (["--config", str(config), "--json", "plan"], ["plan", f"--config={config}", "--json"]):
        said = typist.type(*arguments)
        assert (said.code, said.error["code"]) == (4, "crm_unauthorised")
    typist.set(CONFIG=str(config))
    assert typist.type("plans", "list").code == 0
    assert (tmp_path / "other" / "state.db").is_file()


def test_why_speaks_in_the_words_of_the_organisation(typist: Typist, org: Night, tmp_path: Path) -> None:
    path = tmp_path / "organisation.yaml"
    path.write_text(organisation_text(typist.settings)[0].replace('"Case file"', '"Support plan"'), encoding="utf-8")
    typist.set(ORGANISATION=str(path))
    said = typist.type("why", "cf_dossier", org.dossier("runaway", closed=False)).out
    assert "Support plan " in said
    assert "The support plan is still open." in said
    assert "The dossier" not in said
