"""evidence: a pack that an auditor can check with nothing but its files."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs.ledger.heads import STRANDS
from jobs.ledger.maintenance_runs import REQUESTS
from jobs.nightly.housekeeping import run_housekeeping
from jobs.ports.context import JobContext
from jobs.proof.job_record import recorded
from tests.crm_compliance.cli.commands.proven_night import CANARIES, LONG_AGO, a_night, offline
from tests.crm_compliance.openssl import OPENSSL
from tests.crm_compliance.verify_page import step
from tests.crm_compliance.worlds import Worlds
from tests.drivers.clock import NOW
from tests.drivers.night import Night, approve_where_needed
from tests.drivers.typist import Typist
from tests.jobs.consistency import is_consistent
from tests.meanwhile import between

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
PACK = {"VERIFY.md", "keys.pem", "ledger.jsonl", "checkpoints.jsonl", "anchor.jsonl", "consistency.json", "policies.json", "plans.json"}
PACK |= {"head.json", "rounds.json"}


@pytest.fixture
def night(worlds: Worlds, request: pytest.FixtureRequest) -> tuple[str, str]:
    """After a night: its run, and the dossier that went."""
    return worlds.begin(request, a_night)


@pytest.fixture(scope="module")
def kept_packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a pack is kept once it was made: two nights take long, and no test needs two of its own."""
    return tmp_path_factory.mktemp("packs")


@pytest.fixture
def pack(typist: Typist, org: Night, tmp_path: Path, kept_packs: Path) -> Path:
    """An unpacked archive after two nights, with a hold, a denied attempt, a job cut off and replaced keys;
    each test has a copy to spoil."""
    if not (kept_packs / "pack").exists():
        make_pack(typist, org, tmp_path)
        shutil.copytree(tmp_path / "pack", kept_packs / "pack")
    else:
        shutil.copytree(kept_packs / "pack", tmp_path / "pack")
    return tmp_path / "pack"


def make_pack(typist: Typist, org: Night, tmp_path: Path) -> None:
    a_night(typist, org)
    held = org.dossier("e_safety", spoken=LONG_AGO)
    hold = ("holds", "place", "--table", "cf_dossier", "--id", held, "--type", "judicial", "--reason", "REQ-1", "--basis", CANARIES[0])
    typist.ask(*hold, "--review-on", "2027-02-01", "--as", "dora.canary", "--role", "dpo")
    typist.ask("keys", "rotate")
    plan = typist.ask("plan", "--as", "eva.canary")["plan"]
    typist.refused("plans", "approve", plan, "--as", "eva.canary", "--role", "dpo", code=5)
    if not typist.ask("plans", "show", plan)["applicable"]:
        approve_where_needed(org.store, plan, NOW, org.key)
    typist.ask("apply", plan)
    with suppress(KeyboardInterrupt), recorded(org.context, REQUESTS):
        raise KeyboardInterrupt
    typist.ask("run", "requests")
    names = typist.ask("evidence", "--output", tmp_path / "evidence.zip")["files"]
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        assert sorted(archive.namelist()) == sorted(names)
        archive.extractall(tmp_path / "pack")


def loaded(pack: Path, name: str) -> Any:
    return json.loads((pack / name).read_text(encoding="utf-8"))


def test_the_pack_has_what_an_auditor_must_see(pack: Path) -> None:
    """ACC-01, ACC-02, ACC-03, R-143."""
    names = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
    assert names >= PACK | {"runs.json", "exceptions.json", "holds.json", "manifest.json"}
    runs = loaded(pack, "runs.json")
    assert len(runs) == 2
    for run in runs:
        assert sum(run["completeness"]["outcomes"].values()) == run["completeness"]["units"]
        assert f"certificates/{run['run']}.json" in names
    (version,) = loaded(pack, "policies.json")
    assert {run["schedule_digest"] for run in runs} == {version["digest"]}
    assert version["own_data"]["certificate_years"] == 10
    assert hashlib.sha256((pack / version["file"]).read_bytes()).hexdigest() == version["digest"]
    (hold,) = loaded(pack, "holds.json")
    assert (hold["type"], hold["reason_code"], hold["released_at"]) == ("judicial", "REQ-1", None)
    assert {word["role"] for word in runs[0]["approvals"]} == {"crm_admin", "dpo"}
    assert len(list((pack / "keys").iterdir())) == 2
    cut_off, made = loaded(pack, "rounds.json")
    assert (cut_off["state"], cut_off["ended_at"]) == ("interrupted", None)
    assert (made["kind"], made["state"], made["counts"]["pending"]) == ("requests", "done", 0)
    assert loaded(pack, "head.json")["entries"] == len((pack / "ledger.jsonl").read_bytes().splitlines())


def test_the_pack_names_nobody_and_no_row(pack: Path) -> None:
    """R-142, ACC-05: canaries of the rows, of the people who acted (with a dot: a signature may hold any four
    letters), of what they wrote, and every GUID."""
    for path in pack.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert [canary for canary in (*CANARIES, "eva.canary", "dora.canary", "fictief-") if canary in text] == [], path
            assert GUID.findall(text) == [], path
            assert GUID.findall(path.name) == []


@OPENSSL
def test_the_instructions_work_with_the_files_alone(pack: Path, tmp_path: Path) -> None:
    """Every block of VERIFY.md, in a shell without our software in its path."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (pack / "VERIFY.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 10
    for block in blocks:
        done = subprocess.run(["bash", "-euc", block], cwd=pack, capture_output=True, text=True, env=_bare(), check=False)
        assert done.returncode == 0, (block, done.stderr)


def test_the_instructions_know_every_strand() -> None:
    page = (files("crm_compliance.reports") / "templates" / "VERIFY.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^strands = (\{.*?^\})", page, re.DOTALL | re.MULTILINE)
    assert {name: tuple(kinds) for name, kinds in ast.literal_eval(found).items()} == dict(STRANDS)


@OPENSSL
@pytest.mark.parametrize(
    ("name", "old", "new", "step"),
    [
        ("runs.json", '"skipped": 0', '"skipped": 1', 0),
        ("ledger.jsonl", '"kind":"plan"', '"kind":"plam"', 1),
        ("anchor.jsonl", '"root":"', '"root":"0', 2),
        ("checkpoints.jsonl", '"at":"2026', '"at":"2025', 3),
        ("head.json", '"entries":', '"entries":1', 3),
        ("manifest.json", '"software_version": "', '"software_version": "9', 3),
        ("ledger.jsonl", '"kind":"plan"', '"kind":"outcome"', 4),
        ("head.json", '"hash":"', '"hash":"0', 4),
        ("policies.json", "", "", None),
    ],
)
def test_the_instructions_notice_what_was_changed(pack: Path, name: str, old: str, new: str, step: int | None) -> None:
    if step is None:
        next((pack / "policies").glob("*.yaml")).write_text("other")
        step = 0
    else:
        text = (pack / name).read_text(encoding="utf-8")
        assert old in text
        (pack / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    block = re.findall(r"^```sh\n(.*?)^```", (pack / "VERIFY.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[step]
    assert subprocess.run(["bash", "-euc", block], cwd=pack, capture_output=True, env=_bare(), check=False).returncode != 0


CHANGES: tuple[tuple[str, Callable[[Any], object]], ...] = (
    ("plans.json", lambda plans: plans[0]["words"].pop()),
    ("plans.json", lambda plans: plans[0]["words"].append(plans[0]["words"][0] | {"role": "approver"})),
    ("plans.json", lambda plans: plans[0]["words"][0].update(role="approver")),
    ("plans.json", lambda plans: plans[0]["words"][0].update(approves=False)),
    ("plans.json", lambda plans: plans[0].update(breaker_tripped=not plans[0]["breaker_tripped"])),
    ("plans.json", lambda plans: plans[0]["retain"].update(EXPIRED=1)),
    ("plans.json", lambda plans: plans[0].update(needed=[])),
    ("plans.json", lambda plans: plans.pop()),
    ("runs.json", lambda runs: runs[0]["counts"].update(failed=1)),
    ("runs.json", lambda runs: runs[0].update(alarms=["BACKLOG"])),
    ("runs.json", lambda runs: runs[0].update(state="done_with_failures")),
    ("runs.json", lambda runs: runs[0].update(certificates="removed")),
    ("runs.json", lambda runs: runs.pop()),
    ("rounds.json", lambda rounds: rounds[1]["counts"].update(overdue=1)),
    ("holds.json", lambda holds: holds[0].update(type="legal")),
    ("holds.json", lambda holds: holds[0].update(review_on="2030-01-01")),
    ("holds.json", lambda holds: holds[0].update(released_at="2026-12-01T10:00:00Z")),
    ("holds.json", lambda holds: holds.clear()),
    ("certificates", lambda document: document["certificates"].pop()),
    ("certificates", lambda document: document["certificates"].reverse()),
    ("certificates", lambda document: document["certificates"][0].update(disposed_at="2026-01-01T00:00:00Z")),
)


def test_what_is_read_is_held_against_the_ledger(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ACC-06: whoever changes a plan, a run or a hold in the archive can write its digest into the manifest
    too, and who holds the keys can sign that again: the ledger tells."""
    assert step(pack, 8, monkeypatch).startswith("2 plans, 2 runs and 1 holds")
    with_some = f"certificates/{loaded(pack, 'runs.json')[0]['run']}.json"
    for number, (name, change) in enumerate(CHANGES):
        file = pack / (with_some if name == "certificates" else name)
        before = file.read_text(encoding="utf-8")
        content = json.loads(before)
        change(content)
        file.write_text(json.dumps(content), encoding="utf-8")
        assert step(pack, 8, monkeypatch).startswith("wrong: "), (number, name)
        file.write_text(before, encoding="utf-8")
    assert step(pack, 8, monkeypatch).startswith("2 plans, 2 runs and 1 holds")


@OPENSSL
def test_a_key_under_the_name_of_another_is_noticed(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An auditor compares ids, by telephone: the file that bears the id has to be that key."""
    first, second = sorted((pack / "keys").iterdir(), key=lambda file: file.read_text() in (pack / "keys.pem").read_text().split("key ")[2])
    told = step(pack, 4, monkeypatch)
    assert f"{second.stem} is vouched for by {first.stem}" in told
    assert f"{first.stem} is vouched for by nothing here" in told
    first.write_text(second.read_text())
    assert step(pack, 4, monkeypatch) == f"wrong: keys/{first.name} is another key than its name says"


def test_a_pack_is_of_one_moment(
    night: tuple[str, str], typist: Typist, org: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends while the pack begins, before its own checkpoint, is in it with its certificates; what
    expires while it is written is still there."""
    org.fiche("social_card", spoken=LONG_AGO)
    plan = org.plan()

    def a_run_ends() -> None:
        with monkeypatch.context() as patched:
            patched.setattr("jobs.runs.run.make_checkpoint", lambda *_: None)
            org.apply(plan)

    between(monkeypatch, "jobs.proof.checkpoint.make_checkpoint", a_run_ends)
    typist.ask("evidence", "--output", tmp_path / "evidence.zip")
    run = org.store.runs.of_plan(plan.id)
    assert run is not None
    typist.set(CLOCK="2037-01-10T11:00:00+00:00")
    between(monkeypatch, "crm_compliance.reports.evidence_pack.differences", lambda: run_housekeeping(later(org)))
    typist.ask("evidence", "--output", tmp_path / "later.zip")
    assert all(each.are_certificates_gone for each in org.store.runs.all() if each.id == night[0])
    for name in ("evidence.zip", "later.zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            archive.extractall(tmp_path / name[:-4])
        assert {each["run"] for each in loaded(tmp_path / name[:-4], "runs.json")} == {night[0], run.id}
        assert len(loaded(tmp_path / name[:-4], f"certificates/{run.id}.json")["certificates"]) == 1
        assert step(tmp_path / name[:-4], 8, monkeypatch).startswith("2 plans, 2 runs")


def later(org: Night) -> JobContext:
    """The context of a night after ten years."""
    org.clock.now = datetime(2037, 1, 10, 11, tzinfo=UTC)
    return org.context


@OPENSSL
def test_a_key_is_vouched_for_also_in_a_database_from_before_it_was_made(
    night: tuple[str, str], typist: Typist, org: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rotations after the backup: the keys that signed the newer ones can sign no more."""
    (first,) = (key["key"] for key in typist.ask("keys", "show")["keys"] if key["kind"] == "signing")
    org.store.close()
    data = typist.folder / "data"
    shutil.copy(data / "state.db", tmp_path / "state.db")
    signing = [first]
    for clock in ("2026-11-26T12:00:00+00:00", "2027-06-26T12:00:00+00:00"):
        typist.set(CLOCK=clock)
        signing += [key["to"] for key in typist.ask("keys", "rotate")["keys"] if key["kind"] == "signing"]
    for file in data.glob("state.db*"):
        file.unlink()
    shutil.copy(tmp_path / "state.db", data / "state.db")
    assert typist.ask("recover")["recovered"] is True
    typist.ask("evidence", "--output", tmp_path / "evidence.zip")
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        archive.extractall(tmp_path / "pack")
    told = step(tmp_path / "pack", 4, monkeypatch)
    for before, after in pairwise(signing):
        assert f"{after} is vouched for by {before}" in told


def test_a_checkpoint_that_was_kept_tells_a_rewritten_ledger(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of last year's archive one line is enough."""
    assert step(pack, 9, monkeypatch) == "0 were kept: there is nothing to compare with\n"
    lines = (pack / "checkpoints.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (pack.parent / "kept.jsonl").write_text(lines[1], encoding="utf-8")
    assert step(pack, 9, monkeypatch) == "1 checkpoints that were kept are still there\n"
    (pack / "checkpoints.jsonl").write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")
    assert step(pack, 9, monkeypatch).startswith("wrong: the ledger was rewritten, or cut off")


def test_the_journal_and_the_register_can_be_checked_on_the_machine_with_public_tools(typist: Typist, org: Night, tmp_path: Path) -> None:
    """ACC-06: the blocks of the auditor's page, word for word; each notices what was changed."""
    page = (Path(__file__).parents[4] / "docs" / "auditor.md").read_text(encoding="utf-8").split("\n## On the machine itself\n")[1]
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    make_pack(typist, org, tmp_path)

    def codes() -> list[int]:
        return [
            subprocess.run(["bash", "-euc", block], cwd=tmp_path, capture_output=True, env=_bare(), check=False).returncode
            for block in blocks
        ]

    assert codes() == [0, 0, 0]
    with org.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE erasures SET reason = 'OTHER' WHERE position = 1")
        connection.exec_driver_sql("DELETE FROM actions WHERE position = 1")
    assert codes() == [0, 1, 1]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM actions WHERE position = 1", "journal"),
        ("UPDATE actions SET doc = replace(doc, 'EXPIRED', 'REQUEST') WHERE position = 1", "journal"),
        ("UPDATE erasures SET reason = 'OTHER' WHERE position = 1", "register of erasures"),
        ("DELETE FROM holds", "hold"),
        ("DELETE FROM policies", "schedule"),
        ("UPDATE plans SET doc = replace(doc, 'service', 'servant')", "head"),
        ("DELETE FROM certificates", "certificates"),
        ("DELETE FROM certificates WHERE position = 2", "certificates"),
        ("UPDATE certificates SET doc = replace(doc, '\"DELETED\"', '\"ANONYMISED\"') WHERE position = 1", "certificates"),
    ],
)
@pytest.mark.usefixtures("night")
def test_what_was_altered_is_never_packed(typist: Typist, org: Night, tmp_path: Path, statement: str, told: str) -> None:
    """ACC-06: an archive of it would look like proof."""
    dossier = org.dossier("e_safety", spoken=LONG_AGO)
    hold = ("holds", "place", "--table", "cf_dossier", "--id", dossier, "--type", "judicial", "--reason", "REQ-1", "--basis", "fictief")
    typist.ask(*hold, "--review-on", "2027-02-01", "--as", "dora.canary", "--role", "dpo")
    with org.store.database.writing() as connection:
        assert connection.exec_driver_sql(statement).rowcount
    error = typist.refused("evidence", "--output", tmp_path / "evidence.zip", code=7)
    assert told in error["message"]
    assert not (tmp_path / "evidence.zip").exists()


def test_a_round_is_a_run_like_any_other(typist: Typist, org: Night, tmp_path: Path) -> None:
    """In history, for `verify`, which has nothing to read back, and in the evidence."""
    for job in ("requests", "housekeeping"):
        run = typist.ask("run", job)["run"]
        assert typist.ask("history", "show", run)["run"] == run
        assert typist.ask("verify", run) == {"run": run, "checked": 0, "still_there": [], "unsettled": 0, "not_checkable": []}
    with recorded(org.context, REQUESTS):
        typist.ask("evidence", "--output", tmp_path / "evidence.zip")
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        rounds = json.loads(archive.read("rounds.json"))
    assert [(made["kind"], made["state"]) for made in rounds] == [("requests", "done"), ("housekeeping", "done"), ("requests", "running")]
    typist.refused("verify", "run-none", code=2)


def test_a_round_that_ends_while_a_pack_is_made_was_at_work(
    typist: Typist, org: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is packed all of the store is looked at, which takes a while."""
    with ExitStack() as round_:
        round_.enter_context(recorded(org.context, REQUESTS))
        between(monkeypatch, "crm_compliance.reports.evidence_pack.refuse", round_.close)
        typist.ask("evidence", "--output", tmp_path / "evidence.zip")
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        (made,) = json.loads(archive.read("rounds.json"))
    assert (made["state"], made["ended_at"]) == ("running", None)
    assert org.store.runs.maintenance()[0].ended_at is not None


def test_the_files_of_the_pack_verify_with_the_software_too(pack: Path, typist: Typist, tmp_path: Path) -> None:
    offline(typist, tmp_path)
    keys = ("--keys", pack / "keys.pem")
    answer = typist.ask("ledger", "verify", pack / "ledger.jsonl", "--anchor", pack / "anchor.jsonl", *keys)
    assert (answer["ok"], answer["signatures"]) == (True, "checked")
    assert answer["checkpoints"] == len((pack / "checkpoints.jsonl").read_bytes().splitlines())
    for document in (pack / "certificates").iterdir():
        assert typist.ask("certificate", "verify", document, *keys)["ok"] is True


def test_the_consistency_proofs_hold(pack: Path) -> None:
    proofs = loaded(pack, "consistency.json")
    points = [json.loads(line) for line in (pack / "checkpoints.jsonl").read_text().splitlines()]
    assert [str(point["entries"]) for point in points] == list(proofs["proofs"])
    for point in points:
        path = [bytes.fromhex(step) for step in proofs["proofs"][str(point["entries"])]]
        last = bytes.fromhex(proofs["root"])
        assert is_consistent(point["entries"], proofs["entries"], path, bytes.fromhex(point["root"]), last)


def test_a_pack_of_an_installation_that_has_done_nothing_is_whole_too(typist: Typist, tmp_path: Path) -> None:
    names = typist.ask("evidence", "--output", tmp_path / "evidence.zip")["files"]
    assert set(names) >= PACK
    typist.refused("evidence", "--output", tmp_path / "missing" / "evidence.zip", code=2)


def _bare() -> dict[str, str]:
    folder = str(Path(sys.executable).parent)
    path = os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if each != folder)
    return {"PATH": path, "LC_ALL": "C.UTF-8"}
