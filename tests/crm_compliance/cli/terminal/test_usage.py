"""Help, usage errors, commands that are still to come, exit codes, files that are written whole."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import typer

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.cli.app import app
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import LONG_AGO, Typist, people_and_cases

TOLD = (Path(__file__).parents[4] / "docs" / "commands.md").read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, ...]]:
    """Every command that is there, as the words one types."""

    def below(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        found = getattr(command, "commands", None)
        if found is None:
            yield words
        else:
            for name, each in found.items():
                if not each.hidden:
                    yield from below(each, (*words, name))

    yield from below(typer.main.get_command(app), ())


COMMANDS = list(commands())


def test_the_version_is_that_of_the_project_without_store_or_settings(typist: Typist) -> None:
    project = (Path(__file__).parents[4] / "pyproject.toml").read_text(encoding="utf-8")
    version = next(line.split('"')[1] for line in project.splitlines() if line.startswith("version ="))
    assert typist.type("--version").out == f"crm-compliance {version}\n"
    assert json.loads(typist.type("--version", "--json").out) == {"version": version}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example(typist: Typist, words: tuple[str, ...]) -> None:
    said = typist.type(*words, "--help")
    assert said.code == 0
    assert f"Example: crm-compliance {' '.join(words)}" in said.out
    example = said.out.partition("Example: ")[2].partition("\n\n")[0]
    assert "  " not in example.replace("\n  ", " ").strip()  # what is copied has no gap in the middle of a text


def test_the_help_of_why_says_what_a_plan_alone_can_tell(typist: Typist) -> None:
    said = " ".join(typist.type("why", "--help").out.split())
    assert "Only a plan reads all contacts, so it alone tells POSSIBLE_DUPLICATE where two of them have one register number." in said
    assert "`POSSIBLE_DUPLICATE` is told by plans alone" in TOLD


def test_the_commands_are_those_of_the_contract() -> None:
    assert {" ".join(words) for words in COMMANDS} == {
        "emulator serve",
        "init",
        "datamap",
        "mapping draft",
        "mapping check",
        "mapping explain",
        "mapping statistics-table",
        "doctor",
        "organisation show",
        "organisation check",
        "policy show",
        "policy check",
        "policy diff",
        "policy simulate",
        "policy review",
        "stop",
        "resume",
        "quarantine list",
        "quarantine undo",
        "plan",
        "plans list",
        "plans show",
        "plans diff",
        "plans approve",
        "plans reject",
        "apply",
        "verify",
        "run",
        "why",
        "history list",
        "history show",
        "history export",
        "ledger verify",
        "certificate",
        "keys show",
        "keys rotate",
        "keys destroy",
        "evidence",
        "holds list",
        "holds place",
        "holds release",
        "replay",
        "requests open",
        "requests list",
        "requests show",
        "requests calendar",
        "requests identify",
        "requests match",
        "requests confirm",
        "requests compile",
        "requests review",
        "requests decide",
        "requests override",
        "requests approve",
        "requests release",
        "requests extend",
        "requests suspend",
        "requests resume",
        "requests close",
        "requests misdelivered",
        "recover",
        "signout",
        "requests renew",
        "requests notices",
        "erased check",
        "statistics export",
        "serve",
        "alerts list",
        "alerts test",
        "demo",
    }


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("", "one of: init, plan, apply"),
        ("plans", "one of: list, show, diff, approve, reject"),
        ("bogus", "bogus"),
        ("plans bogus", "bogus"),
        ("plan --bogus", "--bogus"),
        ("plan --kind", "--kind"),
        ("plan --kind everything", "everything"),
        ("plan surplus", "surplus"),
        ("plan --as-of 2026-02-30", "2026-02-30"),
        ("plan --as-of yesterday", "yesterday"),
        ("plan --as-of 9999-12-31", "9999-12-31"),
        ("plan --as-of 9999-12-31T23:59:59-14:00", "too late"),
        ("plan --as-of 2026-02-28T10:00:00", "2026-02-28T10:00:00"),
        ("plan --output plan.docx", ".docx"),
        ("plan --output plan", "suffix"),
        ("plan --output /nowhere/plan.csv", "folder"),
        (f"plan --output {'n' * 300}.csv", "too long"),
        (f"policy check {'n' * 300}.yaml", "too long"),
        ("plan --as Anna_Peeters?", "--as"),
        ("apply", "PLAN"),
        ("apply plan-none", "no such plan"),
        ("plans show plan-none", "no such plan"),
        ("plans approve plan-none --as anna --role dpo", "no such plan"),
        ("plans approve plan-none --as anna --role king", "--role"),
        ("plans approve plan-none --role dpo", "--as"),
        ("plans reject plan-none --as anna --role dpo", "--comment"),
        ("verify run-none", "no such run"),
        ("history show run-none", "no such run"),
        ("history export", "--output"),
        ("history export --output /nowhere/l.jsonl", "folder"),
        ("ledger verify nowhere.jsonl", "No such file"),
        ("policy check nowhere.yaml", "No such file"),
        ("policy show --output /nowhere/p.yaml", "folder"),
        ("run everything", "everything"),
        ("why cf_dossier", "ID"),
        ("why cf_dossier Lotte", "not a row id"),
        ("why cf_nothing 00000000-0000-0000-0000-000000000001", "cf_nothing"),
        ("why cf_dossier 00000000-0000-0000-0000-000000000001", "no such unit"),
        ("doctor --read cf_nothings", "cf_nothings"),
        ("doctor --read cf_dossiers --role role.md", "not both"),
        ("doctor --role /nowhere/role.md", "folder"),
        ("doctor --role role.pdf", "no format for .pdf"),
        ("doctor --role -", "standard output"),
        ("requests calendar --output due.pdf", "no format for .pdf"),
        ("serve --port 0 --host nowhere.invalid", "no such address"),
        (
            "holds place --id 00000000-0000-0000-0000-000000000001 --type legal --reason A-1 --basis claim --review-on 2026-11-26 --as dora"
            " --role dpo",
            "--table",
        ),
        ("emulator serve --limits maybe", "--limits"),
        ("emulator serve --profile cloud", "--profile"),
        ("emulator serve --port 70000", "65535"),
        ("emulator serve --as-of soon", "--as-of"),
        ("emulator serve --port 0 --empty --dossiers 5", "--dossiers"),
        ("emulator serve --port 0 --empty --seed 1", "--seed"),
        ("emulator serve --port 0 --empty --as-of 2026-11-25", "--as-of"),
        ("emulator serve --state /nowhere/s.db", "folder"),
        ("plans list --config", "--config"),
        ("plans --config --as-of list", "--config"),
        ("plans list --config=", "--config"),
        ("plans list --config nowhere.toml", "nowhere.toml"),
    ],
)
def test_what_is_mistyped_is_named_with_exit_code_2(typist: Typist, line: str, part: str) -> None:
    error = typist.refused(*line.split(), code=2)
    assert part in error["message"] + error["where"]
    said = typist.type(*line.split())
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (["plan", "--as", ""], "--as"),  # whoever proposes a plan is not to approve it
        (["plans", "list", "--config", ""], "--config"),
        (["plans", "list", "--since", ""], "--since"),
        (["history", "list", "--since", ""], "--since"),
        (["doctor", "--read", ""], "entity set"),
        (["serve", "--port", "0", "--host", ""], "--host"),  # it would listen at every address of the machine
        (["emulator", "serve", "--port", "0", "--host", ""], "--host"),
    ],
)
def test_a_variable_of_the_shell_that_is_not_set_is_no_option_left_out(typist: Typist, line: list[str], part: str) -> None:
    assert part in str(typist.refused(*line, code=2))


def test_the_hint_of_a_mistyped_line_names_help_that_exists(typist: Typist) -> None:
    for line, hint in (
        ("bogus", "crm-compliance --help"),
        ("plans bogus", "crm-compliance plans --help"),
        ("plans show", "crm-compliance plans show --help"),
        ("run", "crm-compliance run --help"),
    ):
        assert typist.refused(*line.split(), code=2)["hint"] == hint
        assert typist.type(*hint.split()[1:]).code == 0


def test_a_folder_is_no_file(typist: Typist, tmp_path: Path) -> None:
    folder = tmp_path / "plan.csv"
    folder.mkdir()
    assert "folder" in typist.refused("plan", "--output", folder, code=2)["message"]
    assert "folder" in typist.refused("history", "export", "--output", folder, code=2)["message"]


def test_whatever_is_wrong_with_a_file_to_write_comes_with_what_to_do(
    typist: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and real(path, mode))  # root would not be refused
    for path in ("-", tmp_path, tmp_path / "no" / "k.pem", tmp_path / "k.pem"):
        assert typist.refused("keys", "show", "--output", path, code=2)["hint"]
    assert typist.ask("plans", "list") == []


@pytest.mark.parametrize(
    ("line", "ending", "own"),
    [
        ("history export --output", ".xlsx", ".json .jsonl"),
        ("keys show --output", ".json", ".pem"),
        ("evidence --output", ".PDF", ".zip"),
        ("certificate run-0 --output", ".html", ".json"),
    ],
)
def test_a_file_of_one_format_has_not_the_ending_of_another(typist: Typist, tmp_path: Path, line: str, ending: str, own: str) -> None:
    file = tmp_path / f"file{ending}"
    assert typist.refused(*line.split(), file, code=2)["hint"] == f"use one of {own}"
    assert not file.exists()


def test_a_file_of_one_format_may_have_any_other_name(typist: Typist, tmp_path: Path) -> None:
    typist.type("plans", "list")
    for name in ("ledger", "ledger.jsonl", "ledger.2026", "ledger.bak"):
        assert typist.type("history", "export", "--output", tmp_path / name).code == 0


@pytest.mark.parametrize("line", ["plan --output {}", "plans show {plan} --output {}"])
def test_an_old_file_stays_whole_when_the_disk_is_full(
    typist: Typist, org: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    people_and_cases(org)
    file = tmp_path / "plan.jsonl"
    plan = typist.ask("plan", "--output", file)["plan"]
    old = file.read_bytes()
    assert len(old.splitlines()) == 7

    def half(suffix: str, source: object, out: BinaryIO) -> None:
        out.write(b'{"half":')
        raise OSError(errno.ENOSPC, "No space left on device", "a name of somebody")

    monkeypatch.setattr("crm_compliance.cli.terminal.report_files.write_report", half)
    error = typist.refused(*line.format(file, plan=plan).split(), code=2)
    assert error["code"] == "disk"
    assert "No space left" in error["message"]
    assert file.read_bytes() == old
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_full_screen_pipe_is_no_bug(typist: Typist, tmp_path: Path) -> None:
    """`> /dev/full` and `| head`: the disk is full, or the reader has seen enough."""
    environment = {**os.environ}
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w", encoding="utf-8") as full:
            command = [sys.executable, "-m", "crm_compliance", "policy", "show"]
            done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, "No space left" in done.stderr) == (2, True)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "crm_compliance", "policy", "show"],
            env=environment,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_settings_file_with_an_unknown_key_is_refused(typist: Typist, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('policy = "p.yaml"\nmax_unit = 3\n', encoding="utf-8")
    error = typist.refused("plans", "list", "--config", config, code=2)
    assert error["where"] == f"{config}:2"
    assert "max_unit" in error["message"]


def test_an_unknown_variable_is_refused(typist: Typist) -> None:
    typist.set(MAX_UNITS="3")
    assert "CRM_COMPLIANCE_MAX_UNITS" in typist.refused("plans", "list", code=2)["message"]


def test_clock_and_static_token_are_for_this_machine_only(typist: Typist) -> None:
    typist.set(CRM_URL="https://org.crm4.dynamics.com/api/data/v9.2/")
    assert "CLOCK" in typist.refused("plans", "list", code=2)["message"]
    typist.unset("CLOCK")
    assert "CRM_TOKEN" in typist.refused("plans", "list", code=2)["message"]


def test_a_command_that_needs_a_crm_says_which_setting_is_missing(typist: Typist) -> None:
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")
    for line in ("plan", "run retention", "why cf_dossier 00000000-0000-0000-0000-000000000001", "doctor --read cf_fiches"):
        assert "CRM_COMPLIANCE_CRM_URL" in typist.refused(*line.split(), code=2)["message"]
    for line in ("plans list", "history list", "ledger verify", "policy show"):
        assert typist.type(*line.split()).code == 0


def test_a_library_in_rust_that_breaks_down_is_a_bug_without_a_trace(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    def broken(*_: object) -> None:
        raise panic("Lotte Peeters")

    monkeypatch.setattr("crm_compliance.cli.app._commands", broken)
    told = typist.refused("plans", "list", code=1)["message"]
    assert (told.startswith("a bug: PanicException in broken"), "Lotte" in told) == (True, False)


def test_a_bug_says_where_and_never_what(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1; an exception may quote a row."""
    people_and_cases(org)

    def broken(*_: object, **__: object) -> None:
        raise ValueError("Lotte Peeters, 0499 12 34 56, lotte@example.org, 93.05.18-223.61")

    monkeypatch.setattr("jobs.plans.decide.gather", broken)
    for arguments in (["plan"], ["plan", "--json"]):
        said = typist.type(*arguments)
        assert (said.code, said.out) == (1, "")
        assert re.search(r"a bug: ValueError in broken \(test_usage\.py:\d+\)", said.err)
        for word in ("Lotte", "0499", "example.org", "93.05", "Traceback"):
            assert word not in said.err
    assert typist.refused("plan", code=1)["code"] == "bug"
    assert typist.ask("plans", "list") == []


@pytest.mark.parametrize("code", range(8))
def test_the_exit_codes_are_those_of_the_documents(typist: Typist, crm: RunningEmulator, org: Night, tmp_path: Path, code: int) -> None:
    sentence = TOLD.split("## Exit codes", 1)[1]
    assert re.search(rf"(^|· ){code} [a-zA-Z]", sentence.strip())
    dossier = org.dossier("social_card", spoken=LONG_AGO)
    plan = typist.ask("plan")["plan"]
    match code:
        case 0:
            assert typist.type("apply", typist.approve_first(plan)).code == 0
        case 1:
            typist.monkeypatch.setattr("jobs.requests.decisions.carry_out.apply_plan", lambda *_: 1 / 0)
            assert typist.type("apply", plan).code == 1
        case 2:
            assert typist.type("apply", "plan-none").code == 2
        case 3:
            policy = tmp_path / "policy.yaml"
            policy.write_text("schema: retention-schedule/1\nname: 7\n", encoding="utf-8")
            error = typist.refused("policy", "check", policy, code=3)
            assert re.match(rf"{re.escape(str(policy))}:\d+", error["where"])
        case 4:
            set_faults(crm, {"match": {"method": "GET"}, "do": "status", "status": 403})
            assert typist.type("plan").code == 4
        case 5:
            typist.ask("plans", "reject", plan, "--as", "ben", "--role", "dpo", "--comment", "no")
            assert typist.type("apply", plan).code == 5
        case 6:
            set_faults(crm, {"match": {"method": "DELETE", "path": f"cf_dossiers({dossier})", "nth": 1}, "do": "keep_row"})
            done = typist.ask("apply", plan, code=6)
            assert done["state"] == "done_with_failures"
            assert done["verified"]["still_there"] == 1
            assert typist.ask("verify", done["run"], code=6)["still_there"][-1] == {"table": "cf_dossier", "id": dossier}
            assert typist.ask("apply", plan) == done  # a plan that is finished: the same run, exit 0 (contract 3.3)
        case 7:
            ledger = tmp_path / "ledger.jsonl"
            typist.ask("history", "export", "--output", ledger)
            ledger.write_text(ledger.read_text(encoding="utf-8").replace('"delete":1', '"delete":2'), encoding="utf-8")
            said = typist.type("ledger", "verify", ledger, "--json")
            assert said.code == 7
            changed = next(n for n, line in enumerate(ledger.read_text(encoding="utf-8").splitlines(), 1) if '"delete":2' in line)
            assert (said.document["ok"], said.document["first_broken"]) == (False, changed)
            assert said.error["message"]
