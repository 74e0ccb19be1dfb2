"""What the writes of a unit pass by: the careful reading of categories, versions and recordings."""

from typing import Any, cast

import msgspec
import pytest

from jobs.model.run import Action, ActionState, RowWrite
from jobs.ports.context import JobContext
from jobs.writing.bypass import Bypassing, bypass_planned, bypass_used
from rules.model.bypass import Bypass
from rules.policy.policy import People, Policy
from tests.rules.builders import POLICY

PLUGINS, FLOWS = Bypass.PLUGINS, Bypass.FLOWS
BOTH = (PLUGINS, FLOWS)


def schedule(contacts: tuple[Bypass, ...] = (), **rows: tuple[Bypass, ...]) -> Policy:
    categories = {key: row.model_copy(update={"bypass": rows.get(key, ())}) for key, row in POLICY.categories.items()}
    return POLICY.model_copy(update={"categories": categories, "contacts": People(bypass=contacts)})


class Tables:
    def table(self, record: Any) -> str:
        return "contact"


def bypassing(policy: Policy, in_force: Policy | None = None) -> Bypassing:
    context = cast(JobContext, type("Context", (), {"policy": policy, "connector": Tables()}))
    return Bypassing(context, in_force or policy)


def unit(*categories: str, rows: tuple[RowWrite, ...] = (RowWrite("dossier", "d", 'W/"1"'),), table: str = "cf_dossier") -> Action:
    return Action(table, "d", "delete", ActionState.INTENDED, rows=rows, categories=categories)


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        (("social_card",), BOTH),
        (("civil_party",), (FLOWS,)),
        (("social_card", "civil_party"), (FLOWS,)),
        (("social_card", "e_safety"), ()),
        (("social_card", "no_such_row"), ()),
        ((), ()),
    ],
)
def test_several_categories_pass_by_what_all_of_them_name(categories: tuple[str, ...], expected: tuple[Bypass, ...]) -> None:
    found = bypassing(schedule(social_card=BOTH, civil_party=(FLOWS,))).marked(unit(*categories))
    assert found.bypass == expected


def test_a_row_that_is_off_allows_nothing() -> None:
    policy = schedule(social_card=BOTH)
    off = {**policy.categories, "social_card": policy.categories["social_card"].model_copy(update={"enabled": False})}
    policy = policy.model_copy(update={"categories": off})
    assert (policy.bypass_of(["social_card"]), policy.bypasses) == (frozenset(), {})


def test_two_versions_of_the_schedule_pass_by_what_both_name() -> None:
    made_by, in_force = schedule(social_card=BOTH, contacts=BOTH), schedule(social_card=(FLOWS,), contacts=(PLUGINS,))
    judge = bypassing(made_by, in_force)
    assert judge.marked(unit("social_card")).bypass == (FLOWS,)
    assert judge.marked(unit(table="contact", rows=(RowWrite("contact", "c", 'W/"1"'),))).bypass == (PLUGINS,)


def test_what_was_announced_is_sent_with_no_more_than_is_allowed_by_now() -> None:
    announced = bypassing(schedule(social_card=BOTH)).marked(unit("social_card"))
    for allowed, expected in (((), ()), ((FLOWS,), (FLOWS,)), (BOTH, BOTH)):
        (write,) = bypassing(schedule(social_card=allowed)).still_allowed(announced, announced.rows)
        assert write.bypass == expected
    plain = unit("social_card")
    assert bypassing(schedule(social_card=BOTH)).still_allowed(plain, plain.rows) == [*plain.rows], "and never with more than was announced"


def test_recordings_and_what_counts_as_one_need_their_own_row_too() -> None:
    """RET-03, RET-05."""
    rows = tuple(RowWrite(kind, kind, 'W/"1"') for kind in ("note", "party", "recording", "dossier"))
    found = bypassing(schedule(social_card=BOTH, recording=(FLOWS,))).marked(unit("social_card", rows=rows), followers={"note"})
    assert [write.bypass for write in found.rows] == [(FLOWS,), BOTH, (FLOWS,), BOTH]


def test_plans_count_what_goes_and_runs_what_was_written() -> None:
    policy = schedule(social_card=BOTH, contacts=(FLOWS,))
    going = {("cf_dossier", ("social_card",)): 2, ("cf_dossier", ("e_safety",)): 4, ("contact", ()): 3}
    assert bypass_planned(policy, going, 1, "contact") == {"plugins": 2, "flows": 6}
    assert bypass_planned(schedule(), going, 1, "contact") == {}
    done = bypassing(policy).marked(unit("social_card"))
    skipped = msgspec.structs.replace(done, state=ActionState.SKIPPED)
    assert bypass_used([done, skipped, unit("e_safety")]) == {"plugins": 1, "flows": 1}
