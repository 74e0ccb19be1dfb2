"""Rows that carry a number, an address or a name of somebody who is not a contact there. Everybody is
fictitious."""

from datetime import date

import pytest

from jobs.requests.search.callers import CallerRows, caller_matches
from rules.model.personal_records import FullFiche, FullParty
from rules.people.birthdates import Sentinels
from rules.people.candidates import Wanted, wanted_of


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
    told = [(one.kind, one.strength.value, one.flags, one.evidence) for one in caller_matches(rows, lotte("+32 2 475 44 99"), ())]
    assert told == [("fiche", "medium", flags, ("name", "phone")), ("party", "medium", flags, ("name", "phone"))]
