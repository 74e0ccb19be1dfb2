"""The register of erasures, in the database and beside it, is held against the signed head of the ledger
(ERA-13, ACC-06)."""

import hashlib
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from itertools import count
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from crm_compliance.store.files.erasure_file import ErasureFile, Line
from jobs.model.run import Erasure
from rules.decoders import decoder_of
from tests.crm_compliance.worlds import Worlds
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO, Typist


def two_nights(typist: Typist, org: Night) -> bytes:
    """Two nights; gives the file as it was after the first."""
    file = typist.folder / "data" / "erasures.jsonl"
    contents = []
    for _ in range(2):
        org.dossier("social_card", spoken=LONG_AGO)
        plan = typist.ask("plan")["plan"]
        typist.approve_first(plan)
        typist.ask("apply", plan)
        contents.append(file.read_bytes())
    assert contents[1].startswith(contents[0])
    return contents[0]


@pytest.fixture
def older(worlds: Worlds, request: pytest.FixtureRequest) -> bytes:
    """After two nights: the file as it was after the first."""
    return worlds.begin(request, two_nights)


def write(typist: Typist, statement: str) -> None:
    engine = create_engine(typist.settings.store_url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def file_of(typist: Typist) -> Path:
    return typist.folder / "data" / "erasures.jsonl"


def roll_back_the_table(typist: Typist, older: bytes) -> None:
    write(typist, "DELETE FROM erasures WHERE run = (SELECT run FROM erasures ORDER BY position DESC LIMIT 1)")


def roll_back_the_file(typist: Typist, older: bytes) -> None:
    file_of(typist).write_bytes(older)


def roll_back_both(typist: Typist, older: bytes) -> None:
    roll_back_the_table(typist, older)
    roll_back_the_file(typist, older)


def lose_the_file(typist: Typist, older: bytes) -> None:
    file_of(typist).unlink()


@pytest.mark.parametrize("how", [roll_back_the_table, roll_back_the_file, roll_back_both, lose_the_file])
def test_a_register_that_was_rolled_back_is_noticed(older: bytes, typist: Typist, org: Night, how: Callable[[Typist, bytes], None]) -> None:
    assert typist.ask("ledger", "verify")["ok"] is True
    how(typist, older)
    assert "register of erasures" in typist.refused("plan", code=7)["message"]
    verified = typist.type("ledger", "verify", "--json")
    assert verified.code == 7
    assert verified.document["ok"] is False
    checks = {check["name"]: check for check in typist.type("doctor", "--json").document["checks"]}
    assert not checks["store"]["ok"]


@pytest.mark.parametrize("at", [2, 4])  # what is about to go, and the end of the run
@pytest.mark.usefixtures("older")
def test_a_file_that_goes_while_a_run_is_at_work_is_told_and_not_begun_anew(
    typist: Typist, org: Night, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ERA-13: its disk may only be away, and a second file would have what the first lacks. Once it is back
    the run goes on, also where the rows had gone before."""
    org.dossier("social_card", spoken=LONG_AGO)
    plan = typist.ask("plan")["plan"]
    typist.approve_first(plan)
    file, away, append, calls = file_of(typist), file_of(typist).with_name("away"), ErasureFile.append, count(1)

    def unmounting(self: ErasureFile, entries: Sequence[Erasure]) -> None:
        if next(calls) == at:
            file.rename(away)
        append(self, entries)

    with monkeypatch.context() as patched:
        patched.setattr(ErasureFile, "append", unmounting)
        error = typist.refused("apply", plan, code=7)
    assert (error["message"], error["where"]) == ("the register of erasures beside the database is not there", str(file))
    assert "crm-compliance replay" in error["hint"]
    assert not file.exists()
    away.rename(file)
    assert typist.ask("apply", plan)["state"] == "done"
    assert typist.ask("ledger", "verify")["ok"] is True


@pytest.mark.usefixtures("older")
def test_a_file_that_is_lost_for_good_is_written_again_from_the_database(typist: Typist, org: Night) -> None:
    before = {line.ref for line in ErasureFile(file_of(typist), org.key).read()}
    file_of(typist).unlink()
    assert typist.refused("plan", code=7)["message"].endswith("is not there")
    typist.ask("replay")
    assert {line.ref for line in ErasureFile(file_of(typist), org.key).read()} >= before
    assert typist.ask("ledger", "verify")["ok"] is True
    typist.ask("keys", "rotate")  # what is written again is sealed by the new key: not the file that the head knows
    file_of(typist).unlink()
    assert "crm-compliance recover where that is refused" in typist.refused("replay", code=7)["hint"]
    typist.ask("recover")
    assert typist.ask("ledger", "verify")["ok"] is True


@pytest.mark.usefixtures("older")
def test_a_backup_by_the_page_has_what_was_written_last_while_the_store_is_open(typist: Typist, org: Night) -> None:
    """The commands of the page, word for word, and put back with them. What was written last stands in the
    journal of SQLite: a copy of the file alone would be an older day."""
    block = commands_of_the_page()
    before, count_entries = typist.ask("ledger", "verify")["entries"], "SELECT count(*) FROM ledger"
    with closing(sqlite3.connect(typist.folder / "data" / "state.db")) as held:
        assert held.execute(count_entries).fetchone() == (before,)
        typist.ask("stop")
        shutil.copy(typist.folder / "data" / "state.db", typist.folder / "copy.db")
        subprocess.run(["bash", "-euc", block], cwd=typist.folder, check=True)
    with closing(sqlite3.connect(typist.folder / "copy.db")) as copied:
        assert copied.execute(count_entries).fetchone() == (before,)
    typist.ask("resume")
    shutil.move(typist.folder / "backup-of-keys", typist.folder / "backup" / "keys")
    typist.set(DATA_DIR=str(typist.folder / "backup"))
    restored = typist.ask("ledger", "verify")
    assert (restored["ok"], restored["entries"]) == (True, before + 1)


def commands_of_the_page() -> str:
    page = (Path(__file__).parents[3] / "docs" / "stops-and-restores.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return str(block)


def test_a_backup_by_the_page_that_was_cut_off_has_not_the_name_of_one(tmp_path: Path) -> None:
    given = ["bash", "-euc", commands_of_the_page()]
    (tmp_path / "data" / "keys").mkdir(parents=True)
    assert subprocess.run(given, cwd=tmp_path, check=False, capture_output=True).returncode != 0, "there is no database yet"
    assert {each.name for each in tmp_path.iterdir()} == {"data", "backup.part", "backup-of-keys.part"}
    sqlite3.connect(tmp_path / "data" / "state.db").close()
    subprocess.run(given, cwd=tmp_path, check=True)
    assert {each.name for each in tmp_path.iterdir()} == {"data", "backup", "backup-of-keys"}
    again = subprocess.run(given, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (again.returncode, "there is a backup already" in again.stderr) == (1, True)


@pytest.mark.usefixtures("older")
def test_a_row_that_was_exchanged_is_noticed_before_a_replay(typist: Typist, org: Night) -> None:
    """Whoever could slip a reference in could have a living row erased without anybody asking the
    schedule."""
    write(typist, "UPDATE erasures SET ref = iif(ref LIKE 'f%', 'e', 'f') || substr(ref, 2) WHERE position = 1")
    assert "register of erasures" in typist.refused("replay", "--dry-run", code=7)["message"]
    assert typist.type("ledger", "verify", "--json").document["ok"] is False


def forged(org: Night, kept: str) -> Erasure:
    """A line that would let a living dossier go: what somebody may have seen once is its reference, and not
    the key."""
    return Erasure(org.key.reference("cf_dossier", kept), "delete", "cf_dossier", "run-forged", "2026-11-25T11:00:00Z", "EXPIRED")


def slip_into_the_file(typist: Typist, line: Erasure) -> None:
    ErasureFile(file_of(typist)).append([line])


def slip_into_the_file_with_the_seal_of_another(typist: Typist, line: Erasure) -> None:
    last = decoder_of(Line).decode(file_of(typist).read_bytes().splitlines()[-1])
    digest = hashlib.sha256(f"{last.hash}{last.key}{last.seal}".encode() + msgspec.json.encode(line)).hexdigest()
    copied = Line(**msgspec.structs.asdict(line), prev=last.hash, hash=digest, key=last.key, seal=last.seal)
    with file_of(typist).open("ab") as file:
        file.write(msgspec.json.encode(copied) + b"\n")


def slip_into_the_table(typist: Typist, line: Erasure) -> None:
    fields = msgspec.structs.asdict(line)
    write(typist, f"INSERT INTO erasures ({', '.join(fields)}) VALUES ({', '.join(repr(value) for value in fields.values())})")


def exchange_a_reference(typist: Typist, line: Erasure) -> None:
    write(typist, f"UPDATE erasures SET ref = '{line.ref}' WHERE position = 1")


@pytest.mark.parametrize(
    "how", [slip_into_the_file, slip_into_the_file_with_the_seal_of_another, slip_into_the_table, exchange_a_reference]
)
@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.usefixtures("older")
def test_an_erasure_that_somebody_made_up_lets_nothing_go(
    typist: Typist, org: Night, how: Callable[[Typist, Erasure], None], is_lost: bool
) -> None:
    """ERA-13: what the register names goes without being judged, so only lines that are sealed by our keys
    are believed."""
    kept = org.dossier("sexting", spoken=date(2026, 10, 1))
    if is_lost:
        write(typist, "DELETE FROM ledger_head")
    how(typist, forged(org, kept))
    for command in (("replay",), ("recover",)):
        typist.type(*command, "--json")
        assert org.get("cf_dossiers", kept) is not None


@pytest.mark.usefixtures("older")
def test_a_line_that_is_not_sealed_by_us_is_told(typist: Typist, org: Night) -> None:
    slip_into_the_file_with_the_seal_of_another(typist, forged(org, org.dossier("sexting", spoken=date(2026, 10, 1))))
    file = ErasureFile(file_of(typist), org.key)
    assert any("is not as it was written" in str(told) for told in file.damage())
    assert file.last() is not None
    assert file.last() == list(file.read())[-1]


@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.usefixtures("older")
def test_keys_that_the_register_names_are_missed(typist: Typist, org: Night, is_lost: bool) -> None:
    """ACC-02: the database may be lost with them; the lines beside it still name the key that they need."""
    keys = typist.folder / "data" / "keys"
    named = org.key.register_key
    (keys / f"{named}.key").unlink()
    if is_lost:
        for file in (typist.folder / "data").glob("state.db*"):
            file.unlink()
    refused = typist.refused("recover", code=2)
    assert (refused["code"], named in refused["message"]) == ("keys_missing", True)
