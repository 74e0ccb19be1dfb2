"""Many people looked for among the same contacts, one after another. Everybody is fictitious."""

from collections.abc import Iterator
from datetime import date

from rules.model.personal_records import FullContact
from rules.people.birthdates import Sentinels
from rules.people.everybody import Everybody
from rules.people.wanted import Wanted, wanted_of

NAMES = ("Lotte", "Bram", "Marieke", "Tuur")


class Counted(list[FullContact]):
    """Contacts that count how often all of them were looked at."""

    looks = 0

    def __iter__(self) -> Iterator[FullContact]:
        self.looks += 1
        return super().__iter__()


def asked(name: str) -> Wanted:
    return wanted_of(
        first_name=name,
        last_name="Voorbeeld",
        birthdate="1980-02-03",
        national_numbers=("80.02.03-001.90",),
        phones=("+32 475 12 34 56",),
        emails=(f"{name}@example.org",),
        today=date(2026, 11, 25),
        sentinels=Sentinels(frozenset(), frozenset()),
    )


def test_a_further_person_costs_no_look_at_every_contact() -> None:
    """A plan looks up whom each pending request keeps, and there may be hundreds of those."""
    contacts = Counted(FullContact(id=name, first_name=name, last_name="Voorbeeld") for name in NAMES)
    everybody = Everybody(contacts)
    before = contacts.looks
    assert [[one.id for one in everybody.near(asked(name))] for name in NAMES] == [[name] for name in NAMES]
    assert contacts.looks == before
