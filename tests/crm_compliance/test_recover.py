"""A database that was lost in the middle of a run: what had been begun is finished by what is beside it
(ERA-13, RET-20)."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobs.runs.contacts_of_plan import ContactsOfPlan
from jobs.runs.journal import Journal
from tests.drivers.beginnings import copied
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist, people_and_cases


class Killed(BaseException):
    """The process died here."""


def data_of(typist: Typist) -> Path:
    return typist.folder / "data"


def killed_before_its_contacts(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has disposed of its units and dies before it comes to their people."""
    plan = typist.ask("plan")["plan"]
    typist.approve_first(plan)

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ContactsOfPlan, "dispose", die)
        with pytest.raises(Killed):
            typist.type("apply", plan)


def lose_the_database(typist: Typist, org: Night) -> None:
    org.store.close()
    for file in data_of(typist).glob("state.db*"):
        file.unlink()


def names(org: Night) -> list[str]:
    return sorted(row["contactid"] for row in org.rows("contacts?$select=contactid"))


def test_a_machine_that_was_put_back_whole_disposes_of_nothing_where_the_log_is_elsewhere(
    typist: Typist, org: Night, tmp_path: Path
) -> None:
    """A snapshot of the machine brings database, keys and register back together, and none of them knows of
    the hold that was placed since: the checkpoint log elsewhere does know of a later day (ACC-06, HLD-01)."""
    typist.set(ANCHOR_FILE=str(tmp_path / "elsewhere.jsonl"))
    typist.ask("run", "requests")
    typist.ask("evidence", "--output", tmp_path / "before.zip")
    org.store.close()
    shutil.copytree(data_of(typist), tmp_path / "snapshot")
    held = org.dossier("social_card", spoken=LONG_AGO)
    hold = ("holds", "place", "--table", "cf_dossier", "--id", held, "--type", "legal", "--reason", "LIT-1", "--basis", "fictief")
    typist.ask(*hold, "--review-on", "2027-02-01", "--as", "dora", "--role", "dpo")
    typist.ask("evidence", "--output", tmp_path / "after.zip")
    shutil.rmtree(data_of(typist))
    shutil.copytree(tmp_path / "snapshot", data_of(typist))
    for command in (("plan",), ("run", "retention")):
        refused = typist.refused(*command, code=7)
        assert (refused["code"], refused["where"]) == ("store_behind", str(tmp_path / "elsewhere.jsonl"))
    assert "ANCHOR_FILE" in refused["hint"]
    for _ in range(2):  # the ledger is longer again than the log elsewhere, and another one
        typist.ask(*hold, "--review-on", "2027-02-01", "--as", "dora", "--role", "dpo")
    typist.ask("evidence", "--output", tmp_path / "again.zip")
    assert typist.refused("plan", code=7)["code"] == "store_behind"
    typist.ask("recover")
    assert typist.refused("plan", code=7)["code"] == "store_behind"
    typist.set(ANCHOR_FILE=str(tmp_path / "new.jsonl"))
    assert "STORE_RECOVERED" in typist.ask("plan")["approvals"]["why"]
    assert org.get("cf_dossiers", held) is not None


def test_what_a_lost_run_had_begun_is_finished(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = people_and_cases(org)
    before = names(org)
    killed_before_its_contacts(typist, monkeypatch)
    assert org.get("cf_dossiers", cases["anonymise"]) is None or names(org) == before
    lose_the_database(typist, org)
    for command in (("plan",), ("run", "retention"), ("replay", "--dry-run")):
        assert typist.refused(*command, code=7)["code"] == "store_lost"
    done = typist.ask("recover")
    assert done["recovered"] is True
    assert done["run"]["deleted"] == 1
    assert len(names(org)) == len(before) - 1
    assert typist.ask("plan")["flags"].get("ORPHAN_CONTACT", 0) == 0
    assert typist.ask("ledger", "verify")["ok"] is True
    kinds = [entry.kind for entry in org.store.ledger.entries()]
    assert "recovered" in kinds
    # It does not know the holds of since either, so two people look once before anything goes.
    waiting = typist.refused("run", "recordings", code=5)
    assert (waiting["code"], waiting["message"].split(":")[0]) == ("approval", "STORE_RECOVERED")
    for role in ("crm_admin", "dpo"):
        typist.ask("plans", "approve", waiting["where"], "--as", f"fictief-{role}", "--role", role)
    for _ in range(2):
        assert typist.ask("run", "recordings")["state"] == "done"
    assert typist.ask("plan")["approvals"]["why"] == []


def test_a_database_of_the_moment_before_a_run_wrote_is_recovered(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows the run and nothing that it did: who was to go with their dossier goes all the same (RET-20),
    and of what had gone it is told that there is no certificate."""
    people_and_cases(org)
    before = names(org)
    writing = Journal.carry_out

    def first(*given: Any) -> None:
        copied(data_of(typist) / "state.db", typist.folder / "old.db")
        monkeypatch.setattr(Journal, "carry_out", writing)
        writing(*given)

    monkeypatch.setattr(Journal, "carry_out", first)
    killed_before_its_contacts(typist, monkeypatch)
    lose_the_database(typist, org)
    shutil.copy(typist.folder / "old.db", data_of(typist) / "state.db")
    with closing(sqlite3.connect(data_of(typist) / "state.db")) as old, old:
        old.execute("update leases set renewed_at = 0")  # nobody lives who renews it
    assert typist.ask("recover")["places"]["uncertified"] == 9
    assert len(names(org)) == len(before) - 1
    (run,) = typist.ask("history", "list")
    assert (run["counts"]["deleted"], run["counts"]["skipped"]) == (1, {"CHANGED": 4})
    assert typist.ask("plan")["flags"].get("ORPHAN_CONTACT", 0) == 0


def test_a_database_of_an_older_day_is_recovered(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    people_and_cases(org)
    typist.ask("plan")
    org.store.close()
    shutil.copy(data_of(typist) / "state.db", typist.folder / "old.db")
    before = names(org)
    killed_before_its_contacts(typist, monkeypatch)
    lose_the_database(typist, org)
    shutil.copy(typist.folder / "old.db", data_of(typist) / "state.db")
    assert typist.refused("plan", code=7)["code"] == "store_altered"
    assert typist.ask("recover")["run"]["deleted"] == 1
    assert len(names(org)) == len(before) - 1
    assert typist.ask("plan")["plan"]
    assert typist.ask("ledger", "verify")["ok"] is True


def test_the_ledger_of_an_older_day_holds_though_nothing_was_left_to_do(typist: Typist, org: Night) -> None:
    """The checkpoints that it had stand in the external log again."""
    typist.ask("run", "housekeeping")
    org.store.close()
    shutil.copy(data_of(typist) / "state.db", typist.folder / "old.db")
    typist.ask("run", "requests")
    lose_the_database(typist, org)
    shutil.copy(typist.folder / "old.db", data_of(typist) / "state.db")
    assert typist.type("ledger", "verify").code == 7
    assert typist.ask("recover")["run"] is None
    assert typist.ask("ledger", "verify")["ok"] is True


def test_a_run_that_was_killed_needs_no_recovery(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    people_and_cases(org)
    killed_before_its_contacts(typist, monkeypatch)
    (run,) = [run for run in org.store.runs.all() if not run.is_over]
    assert typist.ask("apply", run.plan)["state"] == "done"


LISTS = ("holds list", "plans list", "requests list", "history list", "quarantine list")


def put_back(typist: Typist, org: Night, tmp_path: Path, *, whole: bool = False) -> None:
    """The database, or with `whole` the data folder, of before a hold is back beside what is newer."""
    org.store.close()
    shutil.copytree(data_of(typist), tmp_path / "before")
    held = org.dossier("social_card", spoken=LONG_AGO)
    hold = ("holds", "place", "--table", "cf_dossier", "--id", held, "--type", "legal", "--reason", "LIT-1", "--basis", "fictief")
    typist.ask(*hold, "--review-on", "2027-02-01", "--as", "dora", "--role", "dpo")
    if whole:
        typist.ask("evidence", "--output", tmp_path / "after.zip")  # writes to the log elsewhere
    assert len(typist.ask("holds", "list")) == 1
    if whole:
        shutil.rmtree(data_of(typist))
        shutil.copytree(tmp_path / "before", data_of(typist))
        return
    for file in data_of(typist).glob("state.db*"):
        file.unlink()
    for file in (tmp_path / "before").glob("state.db*"):
        shutil.copy2(file, data_of(typist))


@pytest.mark.parametrize("whole", [False, True], ids=["database alone", "data folder"])
def test_an_older_database_is_not_listed_as_if_nothing_had_come_since(typist: Typist, org: Night, tmp_path: Path, *, whole: bool) -> None:
    """HLD-01, ACC-06: a list that lacks the hold of yesterday would say that there is none."""
    typist.set(ANCHOR_FILE=str(tmp_path / "elsewhere.jsonl"))
    typist.ask("run", "requests")
    put_back(typist, org, tmp_path, whole=whole)
    code = "store_behind" if whole else "store_altered"
    for command in (*LISTS, f"requests calendar --output {tmp_path / 'due.ics'}"):
        assert typist.refused(*command.split(), code=7)["code"] == code, command
    assert not (tmp_path / "due.ics").exists()
    assert typist.ask("recover")["recovered"]
    if whole:
        typist.set(ANCHOR_FILE=str(tmp_path / "new.jsonl"))
    assert typist.ask("holds", "list") == []


def test_lists_still_answer_where_keys_are_lost(typist: Typist, org: Night, tmp_path: Path) -> None:
    """Nothing can be proved any more by then, and people have to know what to hold again."""
    typist.ask("run", "requests")
    put_back(typist, org, tmp_path)
    shutil.rmtree(data_of(typist) / "keys")
    assert typist.refused("plan", code=2)["code"] == "keys_missing"
    for command in LISTS:
        assert isinstance(typist.ask(*command.split()), list), command
