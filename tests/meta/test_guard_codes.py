"""Every code by which a plan waits, a run alarms or a unit is put off is explained to people."""

from crm_compliance.reports.parts.sentences import ALARMS, SKIPS, WHY
from jobs.holds import look_up
from jobs.model.work_queue import QUEUE_OLD
from jobs.plans import approval_reasons, earlier_plans, observations
from jobs.runs import alarms, quarantine
from tests.meta.pages import OPERATIONS


def test_every_reason_for_two_approvals_has_a_sentence_and_stands_in_the_documents() -> None:
    assert list(WHY) == list(approval_reasons.WHY)
    assert [code for code in WHY if f"`{code}`" not in OPERATIONS] == []


def test_every_alarm_has_a_sentence_and_stands_in_the_documents() -> None:
    codes = {
        earlier_plans.VIEW_SHRANK,
        earlier_plans.NOTHING_DUE,
        earlier_plans.NO_RUN,
        earlier_plans.BACKLOG,
        observations.CANARY,
        observations.MISSED_CHANGES,
        look_up.HOLD_NOT_FOUND,
        alarms.TECHNICAL_AGAIN,
        alarms.LEFT_OVER,
        alarms.RETAINED_REST,
        QUEUE_OLD,
    }
    assert codes <= ALARMS.keys()
    assert [code for code in sorted(codes) if f"| `{code}` |" not in OPERATIONS] == []


def test_every_code_of_a_unit_that_is_put_off_has_a_sentence_and_stands_in_the_documents() -> None:
    assert SKIPS.keys() >= quarantine.PUT_OFF
    assert [code for code in sorted(quarantine.PUT_OFF) if f"`{code}`" not in OPERATIONS] == []
