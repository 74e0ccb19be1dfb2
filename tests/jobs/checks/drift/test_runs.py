"""Runs, their counts and their order are those of the ledger: the circuit breaker goes by them (RET-24,
ACC-03)."""

import msgspec
import pytest
from sqlalchemy import inspect

from jobs.checks.ledger_drift import refuse_altered
from jobs.ledger.entries import StoreAltered
from jobs.model.plan import Kind
from tests.drivers.attacking import attack, audited
from tests.drivers.night import Night


@pytest.mark.parametrize("other", [{"disposed": {"units": 9000, "recordings": 0}}, {"deleted": 9}, {"failed": 1}, {"rows": {}}])
def test_counts_of_runs_are_those_of_the_ledger(attacked: Night, other: dict[str, object]) -> None:
    """RET-24, ACC-03: who makes earlier runs larger lets a large plan through, and tells an auditor of what
    never was."""
    run = attacked.apply(attacked.plan())
    counts = run.counts | other
    attack(attacked, "UPDATE runs SET doc = :doc", doc=msgspec.json.encode(msgspec.structs.replace(run, counts=counts)).decode())
    with pytest.raises(StoreAltered, match=run.id):
        refuse_altered(attacked.context)


def test_a_run_that_failed_has_not_ended_well(attacked: Night) -> None:
    run = attacked.apply(attacked.plan())
    attack(attacked, """UPDATE runs SET doc = replace(doc, '"state":"done"', '"state":"done_with_failures"')""")
    with pytest.raises(StoreAltered, match=run.id):
        refuse_altered(attacked.context)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM runs WHERE id = :first",
        "UPDATE runs SET position = position + 100 WHERE id = :first",
        """UPDATE runs SET doc = replace(doc, '"kind":"all"', '"kind":"recordings"') WHERE id = :first""",
    ],
)
def test_the_runs_by_which_the_breaker_goes_are_those_of_the_ledger_in_its_order(night: Night, statement: str) -> None:
    """RET-24: the median is that of the last runs of a kind, so none may be missing, moved or of another
    kind."""
    first = night.apply(night.plan())
    night.apply(night.plan())
    assert audited(night) == []
    attack(night, "PRAGMA foreign_keys = OFF", statement, first=first.id)
    with pytest.raises(StoreAltered, match="run"):
        refuse_altered(night.context)


def test_what_a_run_is_stands_in_no_column_beside_its_document(night: Night) -> None:
    """RET-24: the documents are held against the ledger; a column that nothing signs could make an earlier
    run larger."""
    assert {column["name"] for column in inspect(night.store.database.engine).get_columns("runs")} == {"position", "id", "plan", "doc"}
    night.apply(night.plan())
    assert night.store.runs.disposals(Kind.ALL, "units", 10) == [0]
