"""Rows that carry a number, an address or a name of somebody who is not a contact there. Everybody is
fictitious."""

import tracemalloc
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import cast

import pytest

from connectors.interface.connector import Connector
from jobs.requests.search import batches
from jobs.requests.search.callers import CallerMatch, find_callers
from rules.model.personal_records import FullActivityParty, FullCall, FullFiche, FullParty, FullRecording
from rules.model.records import Record
from rules.people.birthdates import Sentinels
from rules.people.wanted import Wanted, wanted_of

SIZE = 2  # rows of a page


class Shelf:
    """A CRM of a few rows, page by page. It counts what is read."""

    def __init__(self, *rows: Record) -> None:
        self.rows = rows
        self.reads: list[type[Record]] = []

    def read(self, record: type[Record], fields: object) -> Iterator[list[Record]]:
        self.reads.append(record)
        some = [row for row in self.rows if type(row) is record]
        for at in range(0, len(some), SIZE):
            yield some[at : at + SIZE]


def found(shelf: Shelf, *people: tuple[Wanted, Collection[str]]) -> list[list[CallerMatch]]:
    return find_callers(cast(Connector, shelf), people)


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
    shelf = Shelf(FullFiche(id="f", caller_number=kept), FullParty(id="p", name="Peeters, Lotte", fiche="f"))
    told = [(one.kind, one.strength.value, one.flags, one.evidence) for one in found(shelf, (lotte("+32 2 475 44 99"), ()))[0]]
    assert told == [("fiche", "medium", flags, ("name", "phone")), ("party", "medium", flags, ("name", "phone"))]


def test_a_further_person_costs_no_further_reading() -> None:
    """A plan looks up whom each pending request keeps, and there may be hundreds of those."""
    shelf = Shelf(
        FullFiche(id="f", caller_number="02/475.44.99"),
        FullParty(id="p", name="Peeters, Lotte"),
        FullActivityParty(id="x", activity="a", address="02/475.44.99"),
    )
    told = found(shelf, *[(lotte("+32 2 475 44 99"), ())] * 3)
    assert [[one.id for one in rows] for rows in told] == [["f", "p", "x"]] * 3
    assert len(shelf.reads) == len(set(shelf.reads))


def test_rows_that_belong_together_find_each_other_over_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A participant stands for the call, a role of an anonymised fiche for nobody, and what has to do with a
    contact who is a candidate is found through them, wherever it stands in its table."""
    monkeypatch.setattr(batches, "SIZE", 1)
    number = "02/475.44.99"
    shelf = Shelf(
        *(FullFiche(id=f"other{n}", caller_number="03 123 45 67") for n in range(5)),
        FullFiche(id="hers", dossier="d", caller_number=number),
        FullFiche(id="gone", anonymised_on=datetime(2026, 1, 1, tzinfo=UTC), caller_number=number),
        FullParty(id="of gone", name="Lotte Peeters", fiche="gone"),
        FullParty(id="r1", contact="somebody", dossier="e"),
        FullParty(id="r2", contact="candidate", dossier="d"),
        FullParty(id="named", name="Lotte Peeters", fiche="other4"),
        FullRecording(id="of hers", fiche="hers", caller_number=number),
        FullRecording(id="alone", caller_number=number),
        FullActivityParty(id="x1", activity="hers too", party="candidate", party_kind="contact"),
        FullActivityParty(id="x2", activity="a call", address=number),
        FullActivityParty(id="x3", activity="no kind", name="Lotte Peeters"),
        FullActivityParty(id="x4", activity="a call", name="Peeters Lotte"),
        FullActivityParty(id="x5", activity="hers too", address=number),
        FullCall(id="another"),
        FullCall(id="hers too"),
        FullCall(id="a call"),
    )
    ours, without = found(shelf, (lotte(number), ("candidate",)), (lotte(number), ()))
    told = [("recording", "alone"), ("party", "named"), ("call", "a call"), ("activity_party", "x3")]
    assert [(one.kind, one.id) for one in ours] == told
    assert {one.id: one.strength.value for one in ours} == {"alone": "weak", "named": "weak", "a call": "medium", "x3": "weak"}
    assert {one.id for one in without} - {one.id for one in ours} == {"hers", "of hers", "hers too"}


class Endless(Shelf):
    """Many fiches and roles of others, each made when it is read."""

    def __init__(self, pages: int) -> None:
        super().__init__()
        self.pages = pages

    def read(self, record: type[Record], fields: object) -> Iterator[list[Record]]:
        for page in range(self.pages):
            if record is FullFiche:
                yield [FullFiche(id=f"f{page}-{n}", dossier="d", caller_number=f"03 {page:03} {n:04}") for n in range(100)]
            if record is FullParty:
                yield [FullParty(id=f"p{page}-{n}", contact=f"c{page}-{n}", fiche=f"f{page}-{n}") for n in range(100)]


def test_rows_that_are_nobodys_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the rows take no more memory."""
    monkeypatch.setattr(batches, "SIZE", 100)
    found(Endless(2), (lotte("02/475.44.99"), ()))
    assert peak_of(100) < 1.5 * peak_of(10)


def peak_of(pages: int) -> int:
    tracemalloc.start()
    try:
        assert found(Endless(pages), (lotte("02/475.44.99"), ())) == [[]]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
