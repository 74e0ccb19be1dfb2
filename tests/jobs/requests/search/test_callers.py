"""Rows that carry a number, an address or a name of somebody who is not a contact there. Everybody is
fictitious."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, TypeVar

import pytest

from jobs.requests.search.callers import CallerRows, Callers, caller_matches
from rules.model.personal_records import FullActivityParty, FullFiche, FullParty
from rules.people.birthdates import Sentinels
from rules.people.wanted import Wanted, wanted_of

T = TypeVar("T")


class Counted(list[T]):
    """Rows that count how often all of them were looked at."""

    looks: ClassVar[int] = 0

    def __iter__(self) -> Iterator[T]:
        Counted.looks += 1
        return super().__iter__()


def lotte(phone: str) -> Wanted:
    return wanted_of(
        first_name="Lotte",
        last_name="Peeters",
        birthdate="",
        national_numbers=(),
        phones=(phone,),
        emails=(),
        today=date(2026, 11, 25),
        sentinels=Sentinels(frozenset(), frozenset()),
    )


@pytest.mark.parametrize(("kept", "flags"), [("02/475.44.99", ()), ("24754499", ("PHONE_GUESSED",))])
def test_a_role_and_its_fiche_tell_of_one_person_and_of_a_guess_only_where_there_was_one(kept: str, flags: tuple[str, ...]) -> None:
    """IDN-10, IDN-17: name and number together are medium, on either row."""
    rows = CallerRows(fiches=[FullFiche(id="f", caller_number=kept)], names=[FullParty(id="p", name="Peeters, Lotte", fiche="f")])
    told = [(one.kind, one.strength.value, one.flags, one.evidence) for one in caller_matches(Callers(rows), lotte("+32 2 475 44 99"), ())]
    assert told == [("fiche", "medium", flags, ("name", "phone")), ("party", "medium", flags, ("name", "phone"))]


def test_a_further_person_costs_no_look_at_every_row() -> None:
    """A plan looks up whom each pending request keeps, and there may be hundreds of those."""
    rows = CallerRows(
        fiches=Counted([FullFiche(id="f", caller_number="02/475.44.99")]),
        names=Counted([FullParty(id="p", name="Peeters, Lotte")]),
        participants=Counted([FullActivityParty(id="x", activity="a", address="02/475.44.99")]),
    )
    callers = Callers(rows)
    before = Counted.looks
    for _ in range(3):
        assert [one.id for one in caller_matches(callers, lotte("+32 2 475 44 99"), ())] == ["f", "p", "x"]
    assert Counted.looks == before > 0
