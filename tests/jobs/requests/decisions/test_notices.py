"""Who is told of a decision, and from when on (GDPR art. 19, ERA-14). Everybody is fictitious."""

from datetime import UTC, date, datetime

from jobs.register.decision import Decision, Known, Notice, NoticeState, NotTold, Task, What, told_already
from rules.model.requests import Right

DAY, LATER = date(2026, 5, 4), date(2026, 5, 6)
ERASE, HELD = Task("item-1", What.ERASE, "dossier", "a"), Task("item-2", What.ERASE, "dossier", "b")
POLICE = Notice("Politiezone Voorbeeld (fictief)", "2026-03-02", "BE", (What.ERASE,), ("item-1",))
ABROAD = Notice("Missing Example (fictief)", "2026-03-04", "GB", (What.ERASE,), ("item-1", "item-2"))


def decided(*notices: Notice) -> Decision:
    return Decision(
        right=Right.ERASURE,
        who="dora",
        at=datetime(2026, 5, 4, 9, tzinfo=UTC),
        contacts=("c",),
        asking=("c",),
        tasks=(ERASE, HELD),
        notices=notices,
        known=(Known("Lotte Peeters (fictief)"),),
    )


def states(decision: Decision) -> list[NoticeState]:
    return [notice.state for notice in decision.notices]


def test_a_notice_is_due_from_the_day_on_which_all_that_it_tells_of_was_done() -> None:
    decision = decided(POLICE, ABROAD)
    assert states(decision) == ["waiting", "waiting"]
    decision = decision.without([ERASE], DAY)
    assert (states(decision), decision.notices[0].due_on) == (["due", "waiting"], DAY)
    decision = decision.without([HELD], LATER)
    assert [notice.due_on for notice in decision.notices] == [DAY, LATER]


def test_a_decision_is_finished_once_all_is_done_and_every_recipient_has_an_outcome() -> None:
    """DDL-12, ERA-14; the contacts go before, as soon as nothing is left to be carried out (ACC-08)."""
    decision = decided(POLICE).without([ERASE], DAY)
    assert decision.contacts == ("c",)
    decision = decision.without([HELD], DAY)
    assert (decision.contacts, decision.asking, decision.is_unfinished) == ((), (), True)
    told = Notice(POLICE.recipient, due_on=DAY, told_on=LATER)
    refused = Notice(POLICE.recipient, due_on=DAY, not_told=NotTold.IMPOSSIBLE)
    assert [one.state for one in (told, refused)] == ["told", "not_told"]
    assert not decided(told, refused).without([ERASE, HELD], DAY).is_unfinished


def test_who_was_told_the_same_is_not_told_again() -> None:
    told = Notice(POLICE.recipient, POLICE.on, POLICE.country, (What.RESTRICT,), ("item-1",), due_on=DAY, told_on=LATER)
    again = Notice(POLICE.recipient, POLICE.on, POLICE.country, (What.RESTRICT,), ("item-3",))
    other = Notice(POLICE.recipient, POLICE.on, POLICE.country, (What.ERASE,), ("item-3",))
    assert told_already((again, other), decided(told)) == (told, other)
    assert told_already((again,), decided(again)) == (again,)
    assert told_already((again,), None) == (again,)
