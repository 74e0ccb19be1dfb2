"""Keys are made for a new store and for no other; a lost database, and lost keys, are told by every command
(ACC-02, ERA-13)."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crm_compliance.keys import key_ring
from tests.crm_compliance.worlds import Worlds
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist, people_and_cases

DOSSIER = "00000000-0000-0000-0000-000000000001"


def a_night(typist: Typist, org: Night) -> tuple[str, str]:
    people_and_cases(org)
    plan = typist.ask("plan")["plan"]
    typist.approve_first(plan)
    return plan, typist.ask("apply", plan)["run"]


@pytest.fixture
def night(worlds: Worlds, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A night that was played: its plan and its run. It comes before whatever asks for `org`."""
    return worlds.begin(request, a_night)


def data_of(typist: Typist) -> Path:
    return typist.folder / "data"


def lose_keys(typist: Typist) -> None:
    shutil.rmtree(data_of(typist) / "keys")


def lose_the_register_key(typist: Typist) -> None:
    for file in (data_of(typist) / "keys").glob("r-*.key"):
        file.unlink()


def lose_the_signing_key(typist: Typist) -> None:
    for file in (data_of(typist) / "keys").glob("s-*.key"):
        file.unlink()


@pytest.mark.parametrize("lose", [lose_keys, lose_the_register_key, lose_the_signing_key])
def test_lost_keys_stop_every_command_that_needs_one_and_none_is_made(
    night: tuple[str, str], typist: Typist, org: Night, lose: object, tmp_path: Path
) -> None:
    plan, run = night
    org.store.close()
    lose(typist)  # type: ignore[operator]

    def files() -> list[str]:
        return sorted(file.name for file in (data_of(typist) / "keys").glob("*.key"))

    left = files()
    rows = tmp_path / "rows.csv"
    rows.write_text(f"table,id\ncf_dossier,{DOSSIER}\n", encoding="utf-8")
    hold = ("--table", "cf_dossier", "--id", DOSSIER, "--type", "judicial", "--reason", "X", "--basis", "b", "--review-on", "2026-12-01")
    for command in (
        ("plan",),
        ("apply", plan),
        ("plans", "approve", plan, "--as", "anna", "--role", "dpo"),
        ("run", "retention"),
        ("replay", "--dry-run"),
        ("replay",),
        ("erased", "check", rows),
        ("certificate", run, "--output", tmp_path / "c.json"),
        ("evidence", "--output", tmp_path / "e.zip"),
        ("holds", "place", *hold, "--as", "dora", "--role", "dpo"),
        ("keys", "show"),
        ("keys", "rotate"),
        ("stop",),
    ):
        error = typist.refused(*command, code=2)
        assert error["code"] == "keys_missing", (command, error)
        assert "restore" in error["hint"]
    assert files() == left
    checks = {check["name"]: check for check in typist.type("doctor", "--json").document["checks"]}
    assert not checks["keys"]["ok"]
    assert "missing" in checks["keys"]["message"]
    assert files() == left


def test_a_key_that_was_destroyed_is_not_missed(night: tuple[str, str], typist: Typist) -> None:
    """9.2: the term of the certificates that it protected is over."""
    old = next(key["key"] for key in typist.ask("keys", "show")["keys"] if key["kind"] == "register")
    typist.ask("keys", "rotate")
    typist.set(CLOCK="2037-01-10T11:00:00+00:00")
    typist.ask("keys", "destroy", old, "--as", "dora", "--role", "dpo")
    assert old not in [key["key"] for key in typist.ask("keys", "show")["keys"]]
    assert typist.ask("plan")["plan"]
    assert typist.ask("ledger", "verify")["ok"] is True


@pytest.mark.parametrize("following", ["plan", "keys destroy"])
def test_a_key_of_which_only_the_ledger_was_told_that_it_is_destroyed_goes_with_the_next_command(
    night: tuple[str, str], typist: Typist, monkeypatch: pytest.MonkeyPatch, following: str
) -> None:
    old = next(key["key"] for key in typist.ask("keys", "show")["keys"] if key["kind"] == "register")
    typist.ask("keys", "rotate")
    typist.set(CLOCK="2037-01-10T11:00:00+00:00")
    with monkeypatch.context() as patched:
        patched.setattr(key_ring, "overwrite", lambda _: None)
        typist.ask("keys", "destroy", old, "--as", "dora", "--role", "dpo")
    assert (data_of(typist) / "keys" / f"{old}.key").exists()
    who = (old, "--as", "dora", "--role", "dpo") if following == "keys destroy" else ()
    assert typist.ask(*following.split(), *who)
    assert not list((data_of(typist) / "keys").glob(f"*{old}*"))
    assert typist.ask("ledger", "verify")["ok"] is True


def test_an_empty_database_beside_what_a_lost_one_left_is_not_new(night: tuple[str, str], typist: Typist, org: Night) -> None:
    plan, _ = night
    org.store.close()
    for file in data_of(typist).glob("state.db*"):
        file.unlink()
    for command in (("plan",), ("run", "retention"), ("history", "list"), ("plans", "approve", plan, "--as", "a", "--role", "dpo")):
        error = typist.refused(*command, code=7)
        assert error["code"] == "store_lost", command
        assert "restore" in error["hint"]
        assert "recover" in error["hint"]
    checks = {check["name"]: check for check in typist.type("doctor", "--json").document["checks"]}
    assert not checks["store"]["ok"]


def test_a_new_installation_makes_its_keys(typist: Typist, org: Night) -> None:
    org.fiche("social_card", spoken=LONG_AGO)
    assert typist.ask("plan")["plan"]
    assert {key["kind"] for key in typist.ask("keys", "show")["keys"]} == {"register", "signing"}


def test_a_damaged_database_is_named_and_never_a_bug(night: tuple[str, str], typist: Typist, org: Night) -> None:
    """Forty bytes of noise anywhere in the file: told with what to do, or not noticed by a command that does
    not read there."""
    org.store.close()
    file = data_of(typist) / "state.db"
    whole, noise = file.read_bytes(), random.Random(7)
    places = [0, 24, 96, *(noise.randrange(100, len(whole) - 40) for _ in range(25))]
    for at in places:
        for left in data_of(typist).glob("state.db-*"):
            left.unlink()
        file.write_bytes(whole[:at] + noise.randbytes(40) + whole[at + 40 :])
        for command in (("plans", "list"), ("history", "list"), ("ledger", "verify")):
            said = typist.type(*command, "--json")
            assert said.code in (0, 2, 7), (at, command, said.err)
            assert said.code == 0 or said.error["hint"]


@pytest.mark.parametrize("also", [(), ("DELETE FROM ledger_head",)])
def test_a_removed_record_of_the_last_head_is_told_until_a_person_takes_the_database_as_it_is(
    night: tuple[str, str], typist: Typist, org: Night, also: tuple[str, ...]
) -> None:
    """ACC-06: what told an older copy of the database from the newest is gone, and somebody has removed
    it."""
    org.store.close()
    (data_of(typist) / "keys" / "ledger.head").unlink()
    with closing(sqlite3.connect(data_of(typist) / "state.db")) as connection, connection:
        for statement in also:
            connection.execute(statement)
    said = typist.type("ledger", "verify", "--json")
    assert (said.code, said.error["code"], said.document["ok"]) == (7, "head_missing", False)
    assert "recover" in said.error["hint"]
    found = {check["name"]: check for check in typist.type("doctor", "--json").document["checks"]}["store"]
    assert (found["ok"], "head_missing" in found["message"], "recover" in found["hint"]) == (False, True, True)
    for command in (("plan",), ("keys", "rotate"), ("run", "retention")):
        assert typist.refused(*command, code=7)["code"] == "head_missing"
    assert typist.ask("recover")["recovered"] is True
    assert typist.ask("ledger", "verify")["ok"] is True
    assert typist.ask("plan")["plan"]


def test_the_anchor_at_its_default_place_earns_a_warning(night: tuple[str, str], typist: Typist, tmp_path: Path) -> None:
    found = {check["name"]: check for check in typist.type("doctor", "--json").document["checks"]}["anchor"]
    assert (found["ok"], "ANCHOR_FILE" in found["message"]) == (True, True)
    typist.set(ANCHOR_FILE=str(tmp_path / "elsewhere.jsonl"))
    found = {check["name"]: check for check in typist.type("doctor", "--json").document["checks"]}["anchor"]
    assert "ANCHOR_FILE" not in found["message"]
