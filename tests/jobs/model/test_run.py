"""The exact cause for which a unit stays, and what `apply` answers, of runs of today and of before."""

import pytest

from jobs.model.plan import Alarm
from jobs.model.run import RUN_KEYS, Action, ActionState, RowWrite, RunState, alarms_of, run_document
from rules.model.bypass import Bypass
from tests.crm_compliance.store.values import a_run


def an_action(**more: object) -> Action:
    return Action("cf_dossier", "d", "delete", ActionState.SKIPPED, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "flags", "cause"),
    [
        ("CHANGED", ("CRM_REFUSED",), "CHANGED"),
        ("SKIPPED_TECHNICAL", (), "SKIPPED_TECHNICAL"),
        ("SKIPPED_TECHNICAL", ("LATE",), "SKIPPED_TECHNICAL"),
        ("SKIPPED_TECHNICAL", ("CRM_REFUSED",), "CRM_REFUSED"),
        ("SKIPPED_TECHNICAL", ("CRM_REFUSED", "CONTENT_OUT_OF_REACH"), "CONTENT_OUT_OF_REACH"),
        ("SKIPPED_TECHNICAL", ("CRM_REFUSED", "UNACCOUNTED:new_visit"), "ROWS_UNACCOUNTED"),
    ],
)
def test_a_technical_reason_is_told_by_its_cause(code: str, flags: tuple[str, ...], cause: str) -> None:
    """HLD-13."""
    assert an_action(code=code, flags=flags).cause == cause


def test_what_any_write_of_a_unit_passes_by_is_told_once() -> None:
    """Of rows too that were gone before the action was announced."""
    plugins, flows = Bypass.PLUGINS, Bypass.FLOWS
    rows, gone = (
        (RowWrite("fiche", "f", "", bypass=(flows,)), RowWrite("dossier", "d", "")),
        (RowWrite("note", "n", "", bypass=(plugins, flows)),),
    )
    assert set(an_action(rows=rows, gone=gone).bypass) == {plugins, flows}
    assert len(an_action(rows=rows, gone=gone).bypass) == 2
    assert an_action(rows=rows[1:]).bypass == ()


def test_a_unit_of_which_one_row_is_in_long_term_retention_has_something_there() -> None:
    assert an_action(rows=(RowWrite("fiche", "f", ""), RowWrite("dossier", "d", "", retained=True))).has_retained
    assert not an_action(rows=(RowWrite("fiche", "f", ""),)).has_retained


def test_the_answer_has_the_keys_of_the_contract_first_whatever_was_counted() -> None:
    run = a_run(state=RunState.DONE, counts={"by_category": {"sexting": 1}, "deleted": 1})
    told = run_document(run)
    assert list(told) == ["run", "plan", "state", *RUN_KEYS, "by_category"]
    assert (told["run"], told["plan"], told["state"], told["deleted"], told["rows"]) == ("run-1", "plan-1", "done", 1, None)


def test_alarms_of_a_run_that_was_stored_before_there_were_sentences_are_read_too() -> None:
    old = {"code": "BACKLOG", "message": "3 units"}
    assert alarms_of(a_run(counts={"alarms": [old]})) == [Alarm("BACKLOG", "3 units")]
    new = Alarm.of("NOTHING_DUE", "nothing_due", median=4)
    assert alarms_of(a_run(counts={"alarms": [old]}, alarms=(new,))) == [new]
    assert alarms_of(a_run()) == []
