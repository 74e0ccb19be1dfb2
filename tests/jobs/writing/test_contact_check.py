"""Who may be removed once some rows have left (RET-20)."""

from collections.abc import Collection
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.interface.rows import Among
from jobs.writing.contact_check import STILL_REFERRED, ContactCheck, Situation, check_contacts
from rules.model.records import Contact, Party, Record
from rules.retention.relations import NOTHING_IN_FORCE


class Crm:
    """A contact with one role."""

    def __init__(self, role: Party) -> None:
        self._rows: dict[type[Record], list[Record]] = {Contact: [Contact(id="c", etag="1")], Party: [role]}
        self.all_kinds: Any = _Kinds({"contact": SimpleNamespace(further=(), full=Contact)})

    def read(self, record: type[Record], fields: object, *, among: Among) -> list[list[Record]]:
        return [[row for row in self._rows.get(record, []) if getattr(row, among.field) in among.ids]]

    def retaining(self, records: object) -> frozenset[type[Record]]:
        return frozenset()

    def is_activity(self, record: object) -> bool:
        return False


class _Kinds(dict[str, Any]):
    own = ()


def role(**places: str) -> Party:
    return Party(id="p", etag="1", contact="c", **places)


@pytest.mark.parametrize(
    ("of", "leaving", "stays"),
    [
        (role(dossier="d"), (), True),
        (role(dossier="d"), ("d",), False),
        (role(fiche="f"), ("f",), False),
        (role(dossier="d", fiche="f"), ("d", "f"), False),
        (role(dossier="d", fiche="f"), ("d",), True),  # the fiche is in another dossier too: the role loses one link
        (role(dossier="d", fiche="f"), ("f",), True),
        (role(dossier="d", fiche="f"), ("p",), False),
        (role(), ("d",), True),
    ],
)
def test_a_role_stays_as_long_as_anything_that_it_is_in_does(of: Party, leaving: Collection[str], stays: bool) -> None:
    check = check_contacts(cast(Any, Crm(of)), ["c"], (), Situation(leaving=leaving), day=date(2026, 11, 29), terms=NOTHING_IN_FORCE)
    assert check.keeps("c") == (STILL_REFERRED if stays else "")


@pytest.mark.parametrize(
    ("parents", "named", "order"),
    [
        ({}, {}, "abcd"),
        ({"c": "a", "d": "c"}, {}, "bdca"),
        ({}, {"a": "c", "c": "d"}, "bdca"),  # a row of c names a, and one of d names c
        ({"d": "a"}, {"a": "bd", "b": "c"}, "cbda"),
        ({"a": "a"}, {"b": "b"}, "abcd"),  # who leads to themselves leads nowhere
        ({"a": "b", "b": "a"}, {"d": "b"}, "cabd"),  # in a circle whoever comes first breaks it
    ],
)
def test_who_leads_to_somebody_goes_before_them(parents: dict[str, str], named: dict[str, str], order: str) -> None:
    """RET-20: nobody is removed before a row that names them."""
    contacts = {one: Contact(id=one, etag="1", parent=parents.get(one)) for one in "abcd"}
    taking: Any = {one: [("contact", by) for by in those] for one, those in named.items()}
    check = ContactCheck(contacts, "abcd", Situation(), with_party=(), taking_part=taking, children={}, related=(), retained=(), bound=())
    assert "".join(check.pointing_first("dbca")) == order
