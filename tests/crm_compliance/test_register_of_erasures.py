"""The register of erasures, in the database and beside it, is held against the signed head of the ledger (ERA-13, ACC-06)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.crm_compliance.typist import LONG_AGO, Typist
from tests.integration.night import Night


def two_nights(typist: Typist, org: Night) -> bytes:
    """Two nights, with the file as it was after the first."""
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
def test_a_register_that_was_rolled_back_is_noticed(typist: Typist, org: Night, how: Callable[[Typist, bytes], None]) -> None:
    older = two_nights(typist, org)
    assert typist.ask("ledger", "verify")["ok"] is True
    how(typist, older)
    assert "register of erasures" in typist.refused("plan", code=7)["message"]
    verified = typist.type("ledger", "verify", "--json")
    assert verified.code == 7
    assert verified.document["ok"] is False
    checks = {check["name"]: check for check in typist.type("doctor", "--json").document["checks"]}
    assert not checks["store"]["ok"]


def test_a_row_that_was_exchanged_is_noticed_before_a_replay(typist: Typist, org: Night) -> None:
    """Whoever could slip a reference in could have a living row erased without anybody asking the schedule."""
    two_nights(typist, org)
    write(typist, "UPDATE erasures SET ref = 'f' || substr(ref, 2) WHERE position = 1")
    assert "register of erasures" in typist.refused("replay", "--dry-run", code=7)["message"]
    assert typist.type("ledger", "verify", "--json").document["ok"] is False
