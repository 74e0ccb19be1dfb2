"""Who may do what: one table, which is section 9.4's, and nothing beside it."""

import pytest

from rules.model.requests import Step
from rules.model.roles import HUMAN_ROLES, MAY, SERVICE, Act, Role, may, needed, refusal

SERVICE_, ADMIN, DPO, APPROVER, AUDITOR = Role

# Section 9.4, a row at a time: what is done there, and for each cell that is not empty the acts of ours that
# it allows. Whoever decides on something may also read it.
SECTION_9_4: dict[str, dict[Role, set[Act]]] = {
    "dry run": {SERVICE_: {Act.PLAN}, ADMIN: {Act.PLAN}, DPO: {Act.PLAN}},
    "a run that enforces": {SERVICE_: {Act.APPLY}},
    "a breaker that is overridden": {ADMIN: {Act.APPROVE_PLAN}, DPO: {Act.APPROVE_PLAN}},
    "another schedule": {
        ADMIN: {Act.PROPOSE_SCHEDULE, Act.SEE_SCHEDULE},
        DPO: {Act.ADVISE_ON_SCHEDULE, Act.SEE_SCHEDULE},
        APPROVER: {Act.APPROVE_SCHEDULE, Act.SEE_SCHEDULE},
        AUDITOR: {Act.SEE_SCHEDULE},
    },
    "a hold that is placed": {DPO: {Act.PLACE_HOLD, Act.SEE_HOLDS}, AUDITOR: {Act.SEE_HOLDS}},
    "a hold that is released": {
        DPO: {Act.RELEASE_HOLD, Act.SEE_HOLDS},
        APPROVER: {Act.RELEASE_HOLD, Act.SEE_HOLDS},
        AUDITOR: {Act.SEE_HOLDS},
    },
    "an export that is begun": {DPO: {Act.HANDLE_REQUEST}},
    "its content, and its release": {DPO: {Act.APPROVE_ANSWER}, APPROVER: {Act.RELEASE_ANSWER}},
    "what a package says": {DPO: {Act.SEE_ANSWER}, APPROVER: {Act.SEE_ANSWER}},
    "reports, history, certificates": {
        ADMIN: {Act.SEE_REPORTS},
        DPO: {Act.SEE_REPORTS, Act.SEE_HISTORY},
        AUDITOR: {Act.SEE_REPORTS, Act.SEE_HISTORY},
    },
    "personal data of the CRM": {SERVICE_: {Act.READ_CRM}, DPO: {Act.READ_CRM}, APPROVER: {Act.READ_CRM}},
}

# What section 9.4 has no row for, with the rule that decides it.
BESIDE: dict[str, dict[Act, set[Role]]] = {
    "a stop, by those who look at plans": {Act.STOP: {ADMIN, DPO}},
    "a unit in quarantine, by those who look at plans": {Act.KEEP_IN_QUARANTINE: {ADMIN, DPO}},
    "SUS-04: who is asked about is nobody's business but the DPO's": {Act.SEE_HOLDS_OF_REQUESTS: {DPO}},
    "IDV-05, SUS-11: the DPO and a second person": {Act.SET_RULE_ASIDE: {DPO, APPROVER}},
    "ACC-01: the register without a name, also for whoever audits or releases": {Act.SEE_REQUESTS: {DPO, APPROVER, AUDITOR}},
    "ACC-07: what leads back to a unit ends with its term": {Act.DESTROY_KEY: {DPO}},
}


@pytest.mark.parametrize("row", SECTION_9_4)
def test_a_row_of_section_9_4_is_what_the_table_says(row: str) -> None:
    """ACC-09: each act of the row is for the roles of its cells, and for no other but those that another row
    names."""
    cells = SECTION_9_4[row]
    for act in set().union(*cells.values()):
        allowed = {role for other in SECTION_9_4.values() for role, acts in other.items() if act in acts}
        assert {role for role, acts in cells.items() if act in acts} <= MAY[act] == allowed, act


def test_every_act_is_section_9_4s_or_has_its_own_rule() -> None:
    of_the_matrix = {act for row in SECTION_9_4.values() for acts in row.values() for act in acts}
    of_others = {act: roles for rows in BESIDE.values() for act, roles in rows.items()}
    assert of_the_matrix | of_others.keys() == MAY.keys() == set(Act)
    assert of_the_matrix.isdisjoint(of_others)
    assert {act: set(MAY[act]) for act in of_others} == of_others


def test_an_auditor_triggers_nothing() -> None:
    """ACC-09."""
    seen = {Act.SEE_SCHEDULE, Act.SEE_HOLDS, Act.SEE_REQUESTS, Act.SEE_REPORTS, Act.SEE_HISTORY}
    assert {act for act in Act if "auditor" in MAY[act]} == seen


def test_a_crm_admin_has_nothing_to_do_with_a_request() -> None:
    """ACC-09."""
    of_requests = {Act.HANDLE_REQUEST, Act.SET_RULE_ASIDE, Act.APPROVE_ANSWER, Act.RELEASE_ANSWER, Act.SEE_ANSWER, Act.SEE_REQUESTS}
    assert not any("crm_admin" in MAY[act] for act in of_requests)


@pytest.mark.parametrize("who", ["service", "Service", "ｓｅｒｖｉｃｅ"])
def test_the_services_account_takes_no_persons_act(who: str) -> None:
    """ACC-09."""
    assert not any(may(who, role, act) for role in HUMAN_ROLES for act in Act)
    assert {act for act in Act if may(who, SERVICE, act)} == {Act.PLAN, Act.APPLY, Act.READ_CRM}


def test_where_two_speak_the_roles_that_must_be_among_them_are_named() -> None:
    """RET-24, IDV-05."""
    assert needed(Act.APPROVE_PLAN) == ("crm_admin", "dpo")
    assert needed(Act.SET_RULE_ASIDE) == ("dpo",)
    assert all(set(needed(act)) <= MAY[act] for act in Act)


def test_a_refusal_says_who_may() -> None:
    error = refusal("cleo", "auditor", Act.RELEASE_HOLD, where="hold-1")
    assert (error.code, error.exit_code, error.where) == ("role", 5, "hold-1")
    assert (str(error), error.hint) == ("the role auditor never releases holds", "a dpo or an approver does")
    both = refusal("cleo", "auditor", Act.APPROVE_PLAN)
    assert (str(both), both.hint) == ("the role auditor neither approves nor rejects plans", "a crm_admin and a dpo do")
    step = refusal("Service", "dpo", Act.HANDLE_REQUEST, never=f"never takes the step {Step.COMPILE}")
    assert (str(step), step.hint) == ("the service never takes the step compile", "a dpo does")
