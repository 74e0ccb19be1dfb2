"""What belongs to another CRM is not changed here, and who tried is written down (section 9.4, ACC-10)."""

import pytest

from jobs.checks.same_crm import is_of_other_crm, refuse_other_crm
from rules.errors import Refused
from tests.drivers.night import Night

HERE = "https://here.crm4.dynamics.com/api/data/v9.2/"
ELSEWHERE = "https://elsewhere.crm4.dynamics.com/api/data/v9.2/"
TOLD = {"plan": "plan-1", "role": "dpo", "by": "keyed"}


def denials(night: Night) -> list[dict[str, object]]:
    return [dict(entry.data) for entry in night.store.ledger.entries() if entry.kind == "denied"]


def test_what_another_crm_has_is_refused_and_the_attempt_is_in_the_ledger(night: Night) -> None:
    night.store.crms.serve(HERE)
    with pytest.raises(Refused, match="another CRM") as caught:
        refuse_other_crm(night.store, ELSEWHERE, "approve", TOLD, "plan-1")
    assert (caught.value.code, caught.value.where) == ("other_crm", "plan-1")
    assert denials(night) == [{"action": "approve", **TOLD, "code": "other_crm"}]


def test_what_is_of_this_crm_or_older_than_that_was_told_apart_is_let_through(night: Night) -> None:
    night.store.crms.serve(HERE)
    for crm in (HERE, HERE.rstrip("/"), ""):
        refuse_other_crm(night.store, crm, "approve", TOLD, "plan-1")
    assert denials(night) == []


def test_a_store_that_is_open_for_no_crm_takes_none_for_another(night: Night) -> None:
    assert night.store.crms.current == ""
    assert not is_of_other_crm(night.store, ELSEWHERE)
