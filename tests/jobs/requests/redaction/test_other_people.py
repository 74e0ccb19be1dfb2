"""By what others are known: a name in one column, with what stands beside it (EXP-06). All people are
fictitious."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from jobs.requests.redaction.other_people import nicknames, other_people, split_name
from jobs.requests.search.material import Material, RowElsewhere
from rules.model.home import IN_BELGIUM
from rules.model.personal_records import FullContact, FullParty

if TYPE_CHECKING:
    from jobs.requests.search.assess import Assessment


@pytest.mark.parametrize(
    ("written", "name", "called"),
    [
        ("Jan Peeters", ("Jan", "Peeters"), ()),
        ("Jan Peeters (buur)", ("Jan", "Peeters"), ()),
        ("Jan Peeters alias De Sjarel", ("Jan", "Peeters"), ("De Sjarel",)),
        ("Jan Peeters, a.k.a. 'Sjarel'", ("Jan", "Peeters"), ("Sjarel",)),
        ('Peeters "De Sjarel"', ("", "Peeters"), ("De Sjarel",)),
        ("Jan ‘Sjarel’ Peeters", ("Jan", "Peeters"), ("Sjarel",)),
        ("Gerard 't Hooft-D'Hondt", ("Gerard", "'t Hooft-D'Hondt"), ()),
        (None, ("", ""), ()),
    ],
)
def test_a_nickname_is_a_name_and_not_a_part_of_one(written: str | None, name: tuple[str, str], called: tuple[str, ...]) -> None:
    assert (split_name(written), nicknames(written)) == (name, called)


def test_who_reported_in_a_retained_file_is_a_reporter_and_nicknames_are_names() -> None:
    """R-119: a label of its own would tell who reported."""
    gone: dict[str, object] = {"contact": "c", "role": "reporter", "name": "Jan alias De Sjarel"}
    material = Material(
        contacts={"c": FullContact(id="c", first_name="Jan", last_name="Peeters")},
        parties={"p": FullParty(id="p", contact="c", role="parent")},
        elsewhere=[RowElsewhere("retained", "party", "q", gone)],
    )
    found = SimpleNamespace(
        material=material,
        people=SimpleNamespace(contacts=frozenset(), rows=frozenset()),
        subject=frozenset(),
        subject_rows=frozenset(),
        said_of_subject=[],
        is_on_behalf=False,
        home=IN_BELGIUM,
        filing=SimpleNamespace(units=lambda kind, row: frozenset()),
    )
    (person,) = other_people(cast("Assessment", found), ())
    assert (person.role, person.names) == ("reporter", (("Jan", "Peeters"), ("", "De Sjarel")))
