"""Which of several units goes in a night that have a row in common (ERA-15, RET-18)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface.remains import BinnedOrRetained, Reach
from connectors.interface.rows import Among
from jobs.model.run import AWAITS_TURN, TECHNICAL, Action, ActionState
from jobs.ports.store.runs import JournalStore
from jobs.writing.dependent_rows import below
from jobs.writing.turns import Turns, Waits
from rules.model.records import Dossier, Fiche, Party, Record

FIRST_NIGHT = datetime(2026, 11, 1, 3, tzinfo=UTC)


class Left:
    """What runs have left, as the journal tells it: the last action of each unit, and the last that wrote."""

    def __init__(self) -> None:
        self.last: dict[str, Action] = {}
        self.written: dict[str, Action] = {}

    def record(self, actions: Sequence[Action]) -> None:
        self.last |= {action.id: action for action in actions}
        self.written |= {action.id: action for action in actions if action.state is not ActionState.SKIPPED}

    def last_skips(self) -> list[tuple[str, Action]]:
        return _in(self.last, ActionState.SKIPPED)

    def failures(self) -> list[tuple[str, Action]]:
        return _in(self.last, ActionState.FAILED)

    def partials(self) -> list[tuple[str, Action]]:
        return _in(self.written, ActionState.PARTIAL)


def _in(actions: dict[str, Action], state: ActionState) -> list[tuple[str, Action]]:
    return [("run", action) for action in actions.values() if action.state is state]


def turns_of(left: Left) -> Turns:
    return Turns(cast("JournalStore", left))


def left_as(unit: str, code: str) -> Action:
    return Action("cf_dossier", unit, "delete", ActionState.SKIPPED, code)


def nights(left: Left, units: str, refused: str) -> Iterator[str]:
    """The unit that is tried, night after night, of some that share one row; some are refused each time."""
    there = [*units]
    for number in range(20):
        turns = turns_of(left)
        first, *others = turns.first_to_last(there)
        yield first
        outcomes = [left_as(unit, AWAITS_TURN) for unit in others]
        if first in refused:
            outcomes.append(left_as(first, TECHNICAL))
        else:
            there.remove(first)
            outcomes.append(Action("cf_dossier", first, "delete", ActionState.DONE))
        left.record(turns.noted(outcomes, FIRST_NIGHT + timedelta(days=number)))


def test_what_is_refused_every_night_keeps_no_other_however_many_they_are() -> None:
    tried = nights(Left(), units="abcd", refused="ab")
    assert [next(tried) for _ in range(7)] == ["a", "b", "c", "d", "a", "b", "a"]


def test_what_a_journal_of_before_says_it_left_goes_behind_what_was_never_tried() -> None:
    left = Left()
    old = msgspec.to_builtins(left_as("a", TECHNICAL))
    del old["tried"]
    left.record([msgspec.convert(old, Action), left_as("b", AWAITS_TURN)])
    assert turns_of(left).first_to_last("abc") == ["b", "c", "a"]
    left.record(turns_of(left).noted([left_as("b", TECHNICAL)], FIRST_NIGHT))
    assert turns_of(left).first_to_last("abc") == ["c", "a", "b"]


def test_what_is_half_done_and_was_refused_since_was_tried_then() -> None:
    left = Left()
    half = Action("cf_dossier", "a", "delete", ActionState.PARTIAL, "CHANGED")
    for number, outcome in enumerate((half, left_as("b", TECHNICAL), left_as("a", TECHNICAL))):
        left.record(turns_of(left).noted([outcome], FIRST_NIGHT + timedelta(days=number)))
    assert turns_of(left).first_to_last("ab") == ["b", "a"]


class Crm:
    """Rows that each belong to a dossier and a fiche, which are units; some are in long-term retention."""

    def __init__(self, *rows: Party, there: Collection[str]) -> None:
        self._rows, self._there = rows, there
        kind = SimpleNamespace(
            record=Party,
            own=Party,
            word="party",
            above=("dossier", "fiche"),
            term="",
            emptied=(),
            owner_fields=("dossier", "fiche"),
            links=("dossier", "fiche"),
            owners=lambda row: [("dossier", row.dossier), ("fiche", row.fiche)],
        )
        known = {"dossier": SimpleNamespace(record=Dossier), "fiche": SimpleNamespace(record=Fiche)}
        self.all_kinds: Any = _Kinds(known)
        self.all_kinds.own = self.all_kinds.depending = (kind,)

    def read(self, record: type[Record], fields: object, *, among: Among) -> list[list[Party]]:
        return [[row for row in self._of(among) if row.id not in self._there]]

    def binned_or_retained(self, trace: object, record: type[Record], fields: object, among: Among) -> BinnedOrRetained:
        if record is Party:
            return BinnedOrRetained(Reach.READ, tuple(row for row in self._of(among) if row.id in self._there))
        return BinnedOrRetained(Reach.READ, tuple(record(id=each, etag="1") for each in among.ids if each in self._there))

    def tables(self, record: type[Record]) -> tuple[str, ...]:
        return (record.__name__,)

    def _of(self, among: Among) -> list[Party]:
        return [row for row in self._rows if getattr(row, among.field) in among.ids]


class _Kinds(dict[str, Any]):
    own: Any
    depending: Any


def shared(name: str, dossier: str, fiche: str) -> Party:
    return Party(id=name, etag="1", dossier=dossier, fiche=fiche)


def one_night(crm: Crm, *owners: str, left: Left | None = None) -> tuple[set[str], dict[str, str]]:
    """The units that wait, and the unit with which each row is deleted. A unit has the letter of its rows."""
    waits = Waits(turns_of(left or Left()))
    rows = below(cast("Any", crm), {owner: owner[0] for owner in owners}, {Party}, waits)
    return {*waits}, {write.id: unit for unit, write in rows if write.operation == "delete"}


def test_who_goes_last_for_a_row_in_long_term_retention_is_behind_for_others_too() -> None:
    """Else each would wait for the other, night after night."""
    crm = Crm(shared("r", "a1", "b1"), shared("s", "a2", "b2"), there={"r", "a1"})
    assert one_night(crm, "a1", "a2", "b1", "b2") == ({"a"}, {})


def test_of_two_that_must_each_go_after_the_other_the_first_in_turn_goes() -> None:
    crm = Crm(shared("r", "a1", "b2"), shared("q", "b1", "a2"), there={"r", "q", "a1", "b1"})
    assert one_night(crm, "a1", "a2", "b1", "b2") == ({"b"}, {"r": "a"})
    refused = Left()
    refused.record(turns_of(refused).noted([left_as("a", TECHNICAL)], FIRST_NIGHT))
    assert one_night(crm, "a1", "a2", "b1", "b2", left=refused) == ({"a"}, {"q": "b"})


def test_who_must_go_after_another_waits_for_that_also_where_it_waits_itself() -> None:
    """No row goes before the last of what it belongs to where that one goes in a later night by itself."""
    crm = Crm(shared("r", "a1", "b2"), shared("q", "b1", "c2"), there={"r", "q", "a1", "b1"})
    assert one_night(crm, "a1", "b1", "b2", "c2") == ({"a", "b"}, {})


def refused_before(*units: str) -> Left:
    """An earlier night, which the CRM refused these units."""
    left = Left()
    left.record(turns_of(left).noted([left_as(unit, TECHNICAL) for unit in units], FIRST_NIGHT))
    return left


A_AND_B = (shared("q", "a3", "b1"), shared("r", "b2", "a2"))  # each must go after the other
THERE = {"q", "r", "s", "a3", "b2"}


def test_a_circle_is_not_behind_what_the_crm_refuses_for_being_one() -> None:
    """Its members count each other as before them."""
    crm = Crm(*A_AND_B, shared("s", "c2", "a1"), there=THERE)
    owners = ("a1", "a2", "a3", "b1", "b2", "c2")
    assert one_night(crm, *owners)[0] == {"b", "c"}
    assert one_night(crm, *owners, left=refused_before("a"))[0] == {"a"}
    assert one_night(crm, *owners, left=refused_before("c"))[0] == {"b", "c"}


def test_who_waits_for_another_by_itself_does_not_make_its_circle_wait() -> None:
    """a must go after c, which the CRM refuses; b must not, and the circle of both is broken by whoever goes
    first."""
    crm = Crm(*A_AND_B, shared("s", "a1", "c3"), shared("t", "c3", "b3"), there={*THERE, "t", "a1"})
    owners = ("a1", "a2", "a3", "b1", "b2", "b3", "c3")
    assert one_night(crm, *owners, left=refused_before("c"))[0] == {"a", "c"}


def before(unit: str, after: Collection[tuple[str, str]]) -> set[str]:
    found, fresh = set[str](), {unit}
    while fresh:
        fresh = {other for one, other in after if one in fresh} - found
        found |= fresh
    return found


@given(st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")).filter(lambda pair: pair[0] != pair[1])))
def test_units_go_in_the_order_of_how_many_go_before_each_circles_aside(after: set[tuple[str, str]]) -> None:
    waits = Waits(turns_of(Left()))
    for pairs in (set[tuple[str, str]](), after):
        waits.after |= pairs
        one_way = {(unit, other) for unit, other in waits.after if unit not in before(other, waits.after)}
        assert waits.in_turn("fedcba") == sorted("abcdef", key=lambda unit: len(before(unit, one_way)))


def test_an_order_of_many_units_takes_no_minutes() -> None:
    """A row of three hundred units, of which half are in long-term retention: to look through all pairs at
    each step took longer than a suite may."""
    units = [f"{number:03}" for number in range(300)]
    waits = Waits(turns_of(Left()))
    waits.after.update((there, live) for there in units[:150] for live in units[150:])
    assert waits.in_turn(units) == units[150:] + units[:150]
