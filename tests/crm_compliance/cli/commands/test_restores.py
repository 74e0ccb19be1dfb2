"""replay and erased check, as they are typed."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.emulator.serving.server import RunningEmulator
from jobs.model.run import Erasure
from jobs.restores.lost_places import LostPlaces
from jobs.restores.recover import Recovered
from tests.crm_compliance.worlds import Worlds
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.restoring import Backup
from tests.drivers.typist import LONG_AGO, Typist, limited, people_and_cases
from tests.jobs.residual.cleaning import kept


def a_night(typist: Typist, org: Night) -> None:
    plan = typist.ask("plan")
    org.approved(org.store.plans.get(plan["plan"]))
    typist.ask("apply", plan["plan"])


def a_night_over_cases(typist: Typist, org: Night) -> tuple[dict[str, str], bytes]:
    """The cases of an organisation, and all that its CRM held before anything was erased."""
    cases = people_and_cases(org)
    rows = rows_of(org)
    a_night(typist, org)
    return cases, rows


def rows_of(org: Night) -> bytes:
    tables = org.emulator.emulator.tables
    with tables.lock:
        return tables.connection.serialize()


@pytest.fixture
def erased(worlds: Worlds, request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, str], Backup]]:
    """A night was played: the cases, and a backup of the CRM from before. It comes before whatever asks for
    `org`."""
    cases, rows = worlds.begin(request, a_night_over_cases)
    made = Backup(request.getfixturevalue("org"), rows)
    yield cases, made
    made.close()


def test_after_a_restore_everything_goes_again(erased: tuple[dict[str, str], Backup], typist: Typist, org: Night) -> None:
    """ERA-13: the dry run is a stored plan, and the replay answers like apply."""
    cases, made = erased
    made.restore()
    writes = org.writes()
    plan = typist.ask("replay", "--dry-run")
    assert (plan["kind"], plan["dispose"], plan["retain"], plan["replayed"]) == ("replay", {"delete": 5, "anonymise": 0}, {}, 0)
    assert (plan["applicable"], plan["breaker"]["units"]["planned"], org.writes()) == (True, 4, writes)
    done = typist.ask("replay")
    assert (done["state"], done["replayed"], done["deleted"], done["verified"]["still_there"]) == ("done", 5, 5, 0)
    assert set(done) >= {"run", "plan", "state", "deleted", "anonymised", "skipped", "partial", "failed", "verified", "rows"}
    assert all(org.get("cf_dossiers", cases[name]) is None for name in ("delete", "anonymise"))
    assert org.get("cf_dossiers", cases["open"]) is not None
    assert typist.ask("replay")["replayed"] == 0
    assert typist.ask("ledger", "verify")["ok"] is True


def test_the_plan_of_a_dry_run_is_what_apply_carries_out(
    erased: tuple[dict[str, str], Backup], typist: Typist, org: Night, tmp_path: Path
) -> None:
    _, made = erased
    made.restore()
    plan = typist.ask("replay", "--dry-run")["plan"]
    files = [tmp_path / f"replay{suffix}" for suffix in (".jsonl", ".csv", ".html", ".xlsx", ".json")]
    typist.ask("plans", "show", plan, *(part for file in files for part in ("--output", file)))
    lines = [json.loads(line) for line in files[0].read_text(encoding="utf-8").splitlines()]
    assert {(line["table"], line["outcome"], line["rule"], line["reason"]) for line in lines} == {
        ("cf_dossier", "dispose", "ERA-13", "EXPIRED"),
        ("cf_fiche", "dispose", "ERA-13", "EXPIRED"),
        ("cf_recording", "dispose", "ERA-13", "EXPIRED"),
        ("contact", "dispose", "ERA-13", "EXPIRED"),
    }
    assert typist.ask("apply", plan)["deleted"] == 5


def test_people_are_told_in_words(erased: tuple[dict[str, str], Backup], typist: Typist, org: Night) -> None:
    cases, made = erased
    made.restore()
    org.patch("cf_dossiers", cases["delete"], cf_legalhold=True)
    said = typist.type("replay", "--dry-run")
    assert (said.code, said.last.split()[0]) == (0, "plan")
    assert "4 units and people that had been erased are back and would go again, 1 stay (HOLD_LEGAL)." in " ".join(said.out.split())
    said = typist.type("replay")
    assert (said.code, said.last.split()[0]) == (0, "run")
    assert "4 units and people that had been erased were back and are gone again." in " ".join(said.out.split())


def test_a_night_ends_with_failures_where_what_came_before_its_own_plan_does(
    erased: tuple[dict[str, str], Backup], typist: Typist, org: Night
) -> None:
    cases, made = erased
    made.restore()
    set_faults(org.emulator, kept("cf_dossiers", cases["delete"]))
    said = typist.type("run", "retention")
    assert (said.code, "(replay): done with failures" in said.err) == (6, True), said.err


@pytest.mark.parametrize(("is_own_refused", "code"), [(False, 0), (True, 5)])
def test_a_night_tells_what_it_has_erased_again_before_its_own_plan(
    erased: tuple[dict[str, str], Backup], typist: Typist, org: Night, *, is_own_refused: bool, code: int
) -> None:
    """Without a service nobody reads the front page or a mail; the night's own plan has none of it."""
    _, made = erased
    made.restore()
    if is_own_refused:
        org.fiche("e_safety", spoken=LONG_AGO)
    said = typist.type("run", "retention")
    assert said.code == code, said.err
    replayed = next(run for run in org.store.runs.all() if run.kind.value == "replay")
    assert f"warning: before that, {replayed.id} carried out {replayed.plan} (replay): done, 5 deleted, 0 anonymised" in said.err


def test_a_plan_in_a_restored_crm_is_made_with_a_warning(erased: tuple[dict[str, str], Backup], typist: Typist, org: Night) -> None:
    """R-091: a plan writes nothing; who makes it is told, and the ledger keeps the alarm."""
    _, made = erased
    assert "RESTORED" not in typist.type("plan").err
    made.restore()
    said = typist.type("plan", "--json")
    assert said.code == 0
    assert "warning: RESTORED" in said.err
    assert [entry.data["code"] for entry in org.store.ledger.entries() if entry.kind == "alarm"] == ["RESTORED"]


def test_doctor_and_plan_tell_of_a_restore_also_where_the_database_was_lost(
    erased: tuple[dict[str, str], Backup], typist: Typist, org: Night
) -> None:
    _, made = erased
    told = {check["name"]: check["message"] for check in typist.ask("doctor")["checks"]}
    assert told["restored"] == "no row that had been erased is back"
    org.store.close()
    for file in (typist.folder / "data").glob("state.db*"):
        file.unlink()
    typist.ask("recover")
    made.restore()
    told = {check["name"]: check["message"] for check in typist.ask("doctor")["checks"]}
    back = "warning: RESTORED: 5 rows that had been erased are back in the CRM: crm-compliance replay"
    assert told["restored"] == back
    assert "warning: RESTORED" in typist.type("plan", "--json").err


def test_run_replays_first(erased: tuple[dict[str, str], Backup], typist: Typist, org: Night) -> None:
    cases, made = erased
    made.restore()
    assert typist.ask("run", "recordings")["deleted"] == 0
    assert org.get("cf_recordings", cases["recording"]) is None
    assert [run["kind"] for run in typist.ask("history", "list")] == ["recordings", "replay", "all"]


def test_a_large_replay_needs_two_people(typist: Typist, org: Night) -> None:
    """RET-24."""
    limited(typist, max=1)
    for _ in range(2):
        org.dossier("social_card", spoken=LONG_AGO)
    made = Backup(org)
    a_night(typist, org)
    made.restore()
    made.close()
    error = typist.refused("replay", code=5)
    assert error["code"] == "breaker"
    assert "approval" in typist.type("replay", "--dry-run").out
    org.approved(org.store.plans.get(error["where"]))
    assert typist.ask("apply", error["where"])["deleted"] == 2


def test_a_row_that_the_crm_keeps_ends_the_replay_with_failures(typist: Typist, org: Night, crm: RunningEmulator) -> None:
    row = org.dossier("social_card", spoken=LONG_AGO)
    made = Backup(org)
    a_night(typist, org)
    made.restore()
    made.close()
    set_faults(crm, {"match": {"method": "DELETE", "path": f"cf_dossiers({row})"}, "times": 1, "do": "keep_row"})
    assert typist.ask("replay", code=6)["partial"] == 1


def test_a_crm_that_does_not_answer_stores_nothing(typist: Typist, org: Night) -> None:
    typist.set(CRM_TOKEN="wrong")
    assert typist.refused("replay", code=4)["code"] == "crm_unauthorised"
    assert org.store.plans.all() == []


def test_replay_is_no_kind_to_plan(typist: Typist, org: Night) -> None:
    assert "--kind is" in typist.refused("plan", "--kind", "replay", code=2)["message"]


# -- erased check --------------------------------------------------------------------------------------------


def remember(org: Night, table: str, row: str, operation: str = "delete") -> None:
    org.store.erasures.add([Erasure(org.key.reference(table, row), operation, table, "run-1", "2026-11-25T11:00:00Z", "EXPIRED")])


ROW, OTHER = "0f0e0d0c-0b0a-4908-8706-050403020100", "11111111-2222-4333-8444-555555555555"


def test_a_file_with_an_erased_row_is_refused(typist: Typist, org: Night, tmp_path: Path) -> None:
    """Exit 5: a guard refuses. Neither a CRM nor its address is needed."""
    remember(org, "contact", ROW)
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")
    file = tmp_path / "people.csv"
    file.write_text(f"table,id,lastname\ncontact,{OTHER},Peeters\ncontact,{ROW.upper()},Kanarie\n", encoding="utf-8")
    found = typist.ask("erased", "check", file, code=5)
    assert found == {"ok": False, "rows": 2, "erased": [{"line": 3, "table": "contact"}], "other_tables": {}}
    said = typist.type("erased", "check", file)
    assert (said.code, "line 3: contact" in said.out) == (5, True)
    assert "Kanarie" not in said.out + said.err
    assert ROW not in said.out.lower()


def test_a_file_without_one_is_let_through(typist: Typist, org: Night, tmp_path: Path) -> None:
    remember(org, "contact", ROW)
    file = tmp_path / "people.jsonl"
    file.write_text(f'{{"table": "contact", "id": "{OTHER}"}}\n{{"table": "contacts", "id": "{ROW}"}}\n', encoding="utf-8")
    assert typist.ask("erased", "check", file) == {"ok": True, "rows": 2, "erased": [], "other_tables": {"contacts": 1}}
    said = typist.type("erased", "check", file)
    assert "None of 2 rows had been erased." in said.out
    assert "nothing of this table was ever erased" in said.out


def test_standard_input_is_read(typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(org, "contact", ROW)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"contact,{ROW}\n".encode())))
    assert typist.ask("erased", "check", "-", code=5)["erased"] == [{"line": 1, "table": "contact"}]


def test_many_lines_are_listed_in_full_by_json_alone(typist: Typist, org: Night, tmp_path: Path) -> None:
    remember(org, "contact", ROW)
    file = tmp_path / "people.csv"
    file.write_text(f"contact,{ROW}\n" * 30, encoding="utf-8")
    assert len(typist.ask("erased", "check", file, code=5)["erased"]) == 30
    assert "and 10 more" in typist.type("erased", "check", file).out


def test_a_bad_file_is_refused_with_its_line(typist: Typist, org: Night, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"contact,{ROW}\ncontact,Kanarie\n", encoding="utf-8")
    error = typist.refused("erased", "check", file, code=2)
    assert (error["where"], "Kanarie" in str(error)) == ("people.csv:2", False)
    assert typist.refused("erased", "check", tmp_path / "none.csv", code=2)["message"].startswith("the file cannot be read")


def test_the_journal_alone_is_enough(typist: Typist, org: Night, tmp_path: Path) -> None:
    """A database that was lost: what is in the file beside it is still known. ERASURES_FILE says where that
    is."""
    cases = people_and_cases(org)
    typist.set(ERASURES_FILE=str(tmp_path / "elsewhere" / "register.jsonl"))
    a_night(typist, org)
    typist.set(DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    file = tmp_path / "dossiers.csv"
    file.write_text(f"cf_dossier,{cases['open']}\ncf_dossier,{cases['delete']}\n", encoding="utf-8")
    assert typist.ask("erased", "check", file, code=5)["erased"] == [{"line": 2, "table": "cf_dossier"}]


def test_recover_names_the_units_that_it_leaves_to_people(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    left = (("cf_dossier", "0000000a-0000-4000-8000-000000000000"),)
    monkeypatch.setattr("jobs.restores.recover.recover", lambda context: Recovered(LostPlaces(), None, left))
    said = typist.type("recover", "--json")
    assert said.code == 6
    assert said.document["unfinished_units"] == [{"table": "cf_dossier", "id": left[0][1]}]
    assert f"  cf_dossier {left[0][1]}\n" in typist.type("recover").out
