"""certificate, keys, ledger verify: proof that somebody else can check with nothing but the files."""

import json
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.configuration.settings import load_settings
from crm_compliance.store.store import SqlStore
from tests.crm_compliance.cli.commands.proven_night import a_night, offline
from tests.crm_compliance.openssl import OPENSSL
from tests.crm_compliance.verify_page import certificate_step
from tests.crm_compliance.worlds import Worlds
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases


@pytest.fixture
def night(worlds: Worlds, request: pytest.FixtureRequest) -> tuple[str, str]:
    """After a night: its run, and the dossier that went."""
    return worlds.begin(request, a_night)


# -- certificate ---------------------------------------------------------------------------------------------


def test_certificates_are_written_and_verify_on_another_machine(night: tuple[str, str], typist: Typist, tmp_path: Path) -> None:
    run, _ = night
    file, keys = tmp_path / "certificates.json", tmp_path / "keys.pem"
    told = typist.ask("certificate", run, "--output", file)
    assert (told["run"], told["certificates"]) == (run, 2)
    assert typist.type("certificate", run, "--output", file).last == f"run {run}"
    typist.ask("keys", "show", "--output", keys)
    assert typist.ask("certificate", "verify", file)["ok"] is True
    offline(typist, tmp_path)
    answer = typist.ask("certificate", "verify", file, "--keys", keys)
    assert (answer["ok"], answer["certificates"], answer["problems"]) == (True, 2, [])
    assert not (tmp_path / "elsewhere").exists()
    typist.set(CRM_URL="not a url", SURPRISE="x")  # no setting is even looked at
    assert typist.type("certificate", "verify", file, "--keys", keys).code == 0


def test_an_altered_certificate_is_named_and_exit_7(night: tuple[str, str], typist: Typist, tmp_path: Path) -> None:
    run, _ = night
    file, keys = tmp_path / "certificates.json", tmp_path / "keys.pem"
    typist.ask("certificate", run, "--output", file)
    typist.ask("keys", "show", "--output", keys)
    text = file.read_text(encoding="utf-8")
    first = json.loads(text)["certificates"][0]["certificate_id"]
    file.write_text(text.replace('"DELETED"', '"ANONYMISED"', 1), encoding="utf-8")
    said = typist.type("certificate", "verify", file, "--keys", keys, "--json")
    assert (said.code, said.document["ok"], said.error["code"]) == (7, False, "certificate_broken")
    assert said.document["problems"][0]["where"] == f"certificate 1, {first}"
    assert first in typist.type("certificate", "verify", file, "--keys", keys).out


def test_the_certificate_of_one_unit_is_found_by_its_id_however_it_is_spelled(
    night: tuple[str, str], typist: Typist, tmp_path: Path
) -> None:
    run, dossier = night
    file = tmp_path / "one.json"
    assert typist.ask("certificate", run, "--unit", "cf_dossier", f"{{{dossier.upper()}}}", "--output", file)["certificates"] == 1
    assert typist.ask("certificate", "verify", file)["ok"] is True
    assert json.loads(file.read_text())["certificates"][0]["unit_type"] == "dossier"
    typist.ask("keys", "rotate")
    assert typist.ask("certificate", run, "--unit", "cf_dossier", dossier, "--output", file)["certificates"] == 1
    other = "00000000-0000-4000-8000-000000000001"
    assert "no certificate" in typist.refused("certificate", run, "--unit", "cf_dossier", other, "--output", file, code=2)["message"]


def test_whoever_verifies_has_to_say_whom_he_trusts(night: tuple[str, str], typist: Typist, tmp_path: Path) -> None:
    run, _ = night
    file = tmp_path / "certificates.json"
    typist.ask("certificate", run, "--output", file)
    offline(typist, tmp_path)
    assert "--keys" in typist.refused("certificate", "verify", file, code=2)["hint"]
    assert not (tmp_path / "elsewhere").exists()
    strangers = Typist(typist.monkeypatch, tmp_path / "strangers", "http://127.0.0.1:9/")
    strangers.ask("keys", "show", "--output", tmp_path / "strangers.pem")
    said = strangers.type("certificate", "verify", file, "--keys", tmp_path / "strangers.pem", "--json")
    assert (said.code, {problem["where"] for problem in said.document["problems"]}) == (7, {"checkpoint", "signature"})


@OPENSSL
def test_certificates_verify_with_public_tools_alone(
    night: tuple[str, str], typist: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the block of the auditor's page, of a run and of a single unit; what was changed is told."""
    run, dossier = night
    typist.ask("keys", "show", "--output", tmp_path / "keys.pem")
    file = tmp_path / "certificates.json"
    typist.ask("certificate", run, "--output", file, "--unit", "cf_dossier", dossier)
    assert certificate_step(tmp_path, monkeypatch).startswith(f"1 of 2 certificates of {run} verify")
    single = json.loads(file.read_bytes())
    typist.ask("certificate", run, "--output", file)
    assert certificate_step(tmp_path, monkeypatch).startswith(f"2 of 2 certificates of {run} verify")
    whole = json.loads(file.read_bytes())
    assert "was not signed" in told_of(single | {"root": "0" * 64}, tmp_path, monkeypatch)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))  # as if whoever changed it had the key
    (first, second), (entry, *others) = whole["certificates"], whole["inclusion"]
    for changed in (
        single | {"membership": single["membership"] | {"index": 1 - single["membership"]["index"]}},
        whole | {"certificates": [second, first]},
        whole | {"certificates": [first]},
        whole | {"certificates": [first | {"disposition": "ANONYMISED"}, second]},
        whole | {"inclusion": [entry | {"path": entry["path"][1:]}, *others]},
        whole | {"inclusion": [entry | {"entry": entry["entry"] | {"run": "run-other"}}, *others]},
        whole | {"run": whole["run"] | {"plan": "plan-other"}},
        whole | {"run": whole["run"] | {"certificates": {"DELETED": 3}}},
    ):
        assert told_of(changed, tmp_path, monkeypatch).startswith("wrong: "), changed


def told_of(document: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / "certificates.json").write_text(json.dumps(document), encoding="utf-8")
    return certificate_step(folder, monkeypatch)


def test_certificates_that_were_altered_are_not_signed(night: tuple[str, str], typist: Typist, org: Night, tmp_path: Path) -> None:
    """ACC-06: what is signed proves, and anybody who writes the database could take one out before."""
    with org.store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM certificates WHERE position = 2")
    error = typist.refused("certificate", night[0], "--output", tmp_path / "c.json", code=7)
    assert (error["code"], error["where"]) == ("store_altered", night[0])
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("verify",),
        ("run-1",),
        ("run-1", "run-2", "--output", "x.json"),
        ("verify", "nowhere.json"),
        ("verify", "x", "--output", "y"),
        ("run-1", "--output", "x.json", "--keys", "k.pem"),
        ("run-1", "--output", "x.json"),
        ("run-1", "--output", "no/folder/x.json"),
        ("run-1", "--unit", "cf_dossier", "no id", "--output", "x.json"),
    ],
)
def test_certificate_says_what_is_wrong_with_its_arguments(typist: Typist, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(typist.folder)
    typist.refused("certificate", *words, code=2)


def test_another_file_is_no_broken_certificate(typist: Typist, tmp_path: Path) -> None:
    (tmp_path / "letter.json").write_text('{"beste": "lezer"}')
    typist.ask("keys", "show", "--output", tmp_path / "keys.pem")
    assert "not a file of certificates" in typist.refused("certificate", "verify", tmp_path / "letter.json", code=2)["message"]


# -- keys ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("night")
def test_keys_are_told_to_the_ledger_when_they_are_made_and_replaced(typist: Typist, org: Night) -> None:
    made = typist.ask("keys", "rotate")["keys"]
    about = [(entry.kind, entry.data) for entry in org.store.ledger.entries() if entry.kind.startswith("key_")]
    assert [kind for kind, _ in about] == ["key_made", "key_made", "key_rotated", "key_rotated"]
    assert {(data["kind"], data["from"], data["to"]) for _, data in about[2:]} == {
        (each["kind"], each["from"], each["to"]) for each in made
    }
    shown = typist.ask("keys", "show")["keys"]
    assert [(key["kind"], key["state"]) for key in shown] == [
        ("register", "replaced"),
        ("register", "in use"),
        ("signing", "replaced"),
        ("signing", "in use"),
    ]
    assert shown[0]["until"] == "2036-11-25"
    assert typist.ask("ledger", "verify")["ok"] is True


@pytest.mark.usefixtures("night")
def test_keys_that_are_a_year_old_are_replaced_by_the_next_command(typist: Typist, org: Night) -> None:
    typist.set(CLOCK="2027-11-24T11:00:00Z")
    typist.ask("plan")
    assert len(typist.ask("keys", "show")["keys"]) == 2
    typist.set(CLOCK="2027-11-26T11:00:00Z")
    typist.ask("plan")
    assert len(typist.ask("keys", "show")["keys"]) == 4
    assert sum(entry.kind == "key_rotated" for entry in org.store.ledger.entries()) == 2


def test_a_register_key_is_destroyed_by_the_dpo_after_its_term_alone(
    night: tuple[str, str], typist: Typist, org: Night, tmp_path: Path
) -> None:
    run, dossier = night
    current = typist.ask("keys", "show")["keys"][0]["key"]
    dpo = ("--as", "dora.canary", "--role", "dpo")
    assert "in use" in typist.refused("keys", "destroy", current, *dpo, code=5)["message"]
    typist.ask("keys", "rotate")
    assert "2036-11-25" in typist.refused("keys", "destroy", current, *dpo, code=5)["message"]
    typist.set(CLOCK="2036-11-25T12:00:00Z")
    assert typist.refused("keys", "destroy", current, "--as", "anna", "--role", "crm_admin", code=5)["code"] == "role"
    assert typist.refused("keys", "destroy", "r-2020-01-00000000", *dpo, code=2)["where"] == "r-2020-01-00000000"
    assert typist.ask("keys", "destroy", current, *dpo) == {"key": current, "state": "destroyed"}
    assert typist.ask("keys", "destroy", current, *dpo) == {"key": current, "state": "destroyed"}, "it is: typed again, it says so"
    assert [entry.data["code"] for entry in org.store.ledger.entries() if entry.kind == "denied"] == ["refused", "refused", "role"]
    assert sum(entry.kind == "key_destroyed" for entry in org.store.ledger.entries()) == 1
    assert "dora.canary" not in "".join(str(entry.data) for entry in org.store.ledger.entries())
    file = tmp_path / "certificates.json"
    typist.refused("certificate", run, "--unit", "cf_dossier", dossier, "--output", file, code=2)  # its reference leads nowhere
    typist.ask("certificate", run, "--output", file)
    assert typist.ask("certificate", "verify", file)["ok"] is True
    assert typist.ask("ledger", "verify")["ok"] is True


@pytest.mark.usefixtures("night")
def test_the_schedule_sets_the_term(typist: Typist, tmp_path: Path) -> None:
    """ACC-07: the same term for certificates and for the keys behind their references."""
    typist.ask("keys", "rotate")
    text = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
    assert "certificate_years: 10 " in text
    (tmp_path / "policy.yaml").write_text(text.replace("certificate_years: 10 ", "certificate_years: 30 "), encoding="utf-8")
    typist.set(POLICY=str(tmp_path / "policy.yaml"))
    assert typist.ask("keys", "show")["keys"][0]["until"] == "2056-11-25"


# -- the ledger ----------------------------------------------------------------------------------------------


def exported(typist: Typist, tmp_path: Path) -> tuple[Path, Path, Path]:
    ledger, keys = tmp_path / "ledger.jsonl", tmp_path / "keys.pem"
    typist.ask("history", "export", "--output", ledger)
    typist.ask("keys", "show", "--output", keys)
    return ledger, tmp_path / "data" / "anchor.jsonl", keys


@pytest.mark.usefixtures("night")
def test_an_export_verifies_offline_against_the_anchor(typist: Typist, tmp_path: Path) -> None:
    ledger, anchor, keys = exported(typist, tmp_path)
    offline(typist, tmp_path)
    answer = typist.ask("ledger", "verify", ledger, "--anchor", anchor, "--keys", keys)
    assert (answer["ok"], answer["checkpoints"], answer["signatures"], answer["first_broken"]) == (True, 1, "checked", None)
    said = typist.type("ledger", "verify", ledger, "--anchor", anchor, "--json")
    assert (said.code, said.document["signatures"], "not" in said.err) == (0, "not checked", True)
    assert typist.ask("ledger", "verify", ledger)["signatures"] == "none to check"


@pytest.mark.usefixtures("night")
def test_entries_cut_off_at_the_end_are_noticed_with_the_anchor(typist: Typist, tmp_path: Path) -> None:
    ledger, anchor, keys = exported(typist, tmp_path)
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-3]))
    assert typist.ask("ledger", "verify", ledger)["ok"] is True  # the chain alone cannot know
    said = typist.type("ledger", "verify", ledger, "--anchor", anchor, "--keys", keys, "--json")
    assert (said.code, said.document["first_broken"]) == (7, len(lines) - 2)
    assert "cut off" in said.error["message"]


@pytest.mark.usefixtures("night")
def test_an_anchor_that_was_emptied_vouches_for_no_export(typist: Typist, tmp_path: Path) -> None:
    ledger, anchor, keys = exported(typist, tmp_path)
    anchor.write_bytes(b"")
    said = typist.type("ledger", "verify", ledger, "--anchor", anchor, "--keys", keys, "--json")
    assert (said.code, "no checkpoint" in said.error["message"]) == (2, True)


@pytest.mark.usefixtures("night")
def test_a_checkpoint_dropped_from_the_database_or_the_anchor_is_noticed(typist: Typist, org: Night, tmp_path: Path) -> None:
    anchor = tmp_path / "data" / "anchor.jsonl"
    content = anchor.read_bytes()
    anchor.unlink()
    assert "the external log lacks it" in typist.type("ledger", "verify").out
    assert typist.type("ledger", "verify").code == 7
    assert not next(check["ok"] for check in typist.ask("doctor", code=7)["checks"] if check["name"] == "store")
    anchor.write_bytes(content)
    with org.store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM checkpoints")
    said = typist.type("ledger", "verify")
    assert (said.code, "the database has lost it" in said.out) == (7, True)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE certificates SET doc = '{}' WHERE position = 1", "certificate 1"),
        ("UPDATE certificates SET doc = replace(doc, 'DELETED', 'ANONYMISED') WHERE position = 1", "certificate 1"),
        ("DELETE FROM certificates", "certificates of run-"),
        ("UPDATE checkpoints SET doc = '{}'", "the checkpoint over"),
        ("UPDATE plans SET doc = 'x'", "a plan"),
        ("UPDATE actions SET doc = '[]'", "a unit in the journal"),
    ],
)
def test_a_document_of_the_database_that_was_changed_is_named_with_exit_7(
    night: tuple[str, str], typist: Typist, org: Night, tmp_path: Path, statement: str, told: str
) -> None:
    """R-141, ACC-06: neither a bug's message nor silence."""
    run, _ = night
    with org.store.database.writing() as connection:
        connection.exec_driver_sql(statement)
    asked = ("ledger", "verify") if "certificates" in statement or "checkpoints" in statement else ("history", "show", run)
    said = typist.type(*asked)
    assert (said.code, told in said.out + said.err) == (7, True), (said.out, said.err)


@pytest.mark.parametrize("content", ["Geachte heer\n", "1,2,3\n" * 20, '{"name": "x"}\n'])
def test_what_is_no_ledger_is_told_apart_from_a_broken_one(typist: Typist, tmp_path: Path, content: str) -> None:
    (tmp_path / "other.txt").write_text(content)
    assert "not a ledger" in typist.refused("ledger", "verify", tmp_path / "other.txt", code=2)["message"]


@pytest.mark.parametrize("damage", ["flip", "delete", "swap", "truncate", "null"])
@pytest.mark.usefixtures("night")
def test_what_was_done_to_an_export_is_named_by_its_entry(typist: Typist, tmp_path: Path, damage: str) -> None:
    """R-141."""
    ledger, _, _ = exported(typist, tmp_path)
    lines = ledger.read_bytes().splitlines(keepends=True)
    first = 1
    if damage == "flip":
        lines[0] = lines[0].replace(b'"kind":"', b'"kind":"x', 1)
    elif damage == "delete":
        del lines[first - 1]
    elif damage == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    elif damage == "truncate":
        lines[-1], first = lines[-1][:-9], len(lines)
    else:
        lines[0] = b"null\n"
    ledger.write_bytes(b"".join(lines))
    said = typist.type("ledger", "verify", ledger, "--json")
    assert (said.code, said.document["first_broken"]) == (7, first)


def test_the_anchor_can_lie_elsewhere(typist: Typist, org: Night, tmp_path: Path) -> None:
    typist.set(ANCHOR_FILE=str(tmp_path / "worm.jsonl"))
    a_night(typist, org)
    assert (tmp_path / "worm.jsonl").read_bytes()
    assert not (tmp_path / "data" / "anchor.jsonl").exists()
    assert typist.ask("ledger", "verify")["checkpoints"] == 1


def test_nothing_is_needed_of_the_crm_to_prove_what_was_done(night: tuple[str, str], typist: Typist, tmp_path: Path) -> None:
    run, _ = night
    typist.set(CRM_URL="http://127.0.0.1:9/")
    typist.ask("certificate", run, "--output", tmp_path / "c.json")
    typist.ask("evidence", "--output", tmp_path / "e.zip")
    with SqlStore.open(load_settings().store_url, clock=lambda: NOW) as store:
        assert store.runs.get(run).is_over


def test_of_a_first_run_that_was_killed_before_its_checkpoint_nobody_hears_only_that_one_was_removed(
    typist: Typist, org: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Stands for SIGKILL."""

    def killed(*_: Any) -> None:
        raise Killed

    people_and_cases(org)
    plan = typist.approve_first(typist.ask("plan")["plan"])
    with monkeypatch.context() as patched:
        patched.setattr("jobs.runs.run.make_checkpoint", killed)
        with pytest.raises(Killed):
            typist.type("apply", plan)
    (problem,) = typist.type("ledger", "verify", "--json").document["problems"]
    assert problem["what"].endswith("they were removed, or the first run was killed before its own")
    typist.ask("apply", plan)
    assert typist.ask("ledger", "verify")["checkpoints"] == 1
