"""Organisations of any rows, and their units put together one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl
from hypothesis import strategies as st

from jobs.reading.tables.names import Names
from jobs.reading.tables.whole_tables import WholeTables
from jobs.reading.units import Gathering
from rules.model.records import (
    ActivityParty,
    Call,
    Contact,
    Dossier,
    Email,
    Fiche,
    Note,
    Party,
    Recording,
    Unit,
)
from tests.rules.strategies import group

FEW = st.integers(0, 3)
DAYS = st.none() | st.dates(date(2000, 1, 1), date(2030, 1, 1))
TRUTHS = st.none() | st.booleans()
ROLES = st.sampled_from(["child", "reporter", "100000099", None])
Rows = dict[str, list[dict[str, Any]]]


def one_of(kind: str, number: int = 4) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{kind}-{each}" for each in range(number)])


def some(number: int, kind: str, **facts: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """As many rows of a kind, each with its id; a fact `of` holds several columns."""
    row = st.fixed_dictionaries(facts)
    return st.lists(row, min_size=number, max_size=number).map(
        lambda found: [{"id": f"{kind}-{each}", **values.pop("of", {}), **values} for each, values in enumerate(found)]
    )


A_FICHE = one_of("fiche", 5)
IN_DOSSIERS = st.lists(one_of("dossier"), unique=True, max_size=3).map(
    lambda found: {"dossier": found[0] if found else None, "also_in": tuple(found[1:])}
)
REGARDING = st.one_of(
    st.just({"regarding": None, "regarding_kind": None}),
    *(
        st.fixed_dictionaries({"regarding": A_FICHE if kind == "fiche" else one_of(kind), "regarding_kind": st.just(kind)})
        for kind in ("dossier", "fiche", "contact", "recording")
    ),
)
# Rows of each kind; every link leads to a row that there is.
ORGANISATIONS: st.SearchStrategy[Rows] = st.fixed_dictionaries(
    {
        "contacts": some(4, "contact", birth_on=DAYS, national_number=st.none() | st.just("1"), birth_year=st.none() | FEW),
        "dossiers": some(
            4,
            "dossier",
            etag=FEW.map(str),
            opened_on=DAYS,
            closed_on=DAYS,
            is_active=TRUTHS,
            public_alert=TRUTHS,
            legal_hold=TRUTHS,
            outcome=st.sampled_from([None, "located", "100000099"]),
            categories=st.sampled_from([("a",), ("a",), (), ("c", "b")]),
        ),
        "fiches": some(
            5,
            "fiche",
            etag=st.just("1"),
            of=IN_DOSSIERS,
            categories=st.sets(st.sampled_from("ab")).map(tuple),
            communicated_on=DAYS,
            created_on=DAYS,
            transmitted_on=DAYS,
        ),
        "parties": some(
            6, "party", contact=st.none() | one_of("contact"), dossier=st.none() | one_of("dossier"), fiche=st.none() | A_FICHE, role=ROLES
        ),
        "recordings": some(4, "recording", fiche=st.none() | A_FICHE, ended_on=DAYS, evidence=TRUTHS, taken_over=TRUTHS),
        "notes": some(
            4,
            "note",
            of=REGARDING,
            is_document=TRUTHS,
            media_type=st.sampled_from([None, "audio/WAV", "text/plain"]),
            evidence=TRUTHS,
        ),
        "calls": some(4, "call", of=REGARDING),
        "emails": some(4, "email", of=REGARDING, sent_on=DAYS),
        "activity_parties": some(
            5,
            "part",
            activity=st.sampled_from(["call-1", "email-2", "fiche-3", "gone"]),
            party=one_of("contact"),
            party_kind=st.sampled_from(["contact", "account"]),
        ),
    }
)


def side_by_side(organisations: list[Rows]) -> Rows:
    """The rows of several organisations that have nothing to do with each other, in one CRM."""
    found: Rows = {name: [] for name in organisations[0]}
    for number, each in enumerate(organisations):
        ids = {row["id"]: f"{row['id']} of {number}" for rows in each.values() for row in rows}

        def renamed(value: Any, ids: dict[str, str] = ids) -> Any:
            return tuple(map(renamed, value)) if isinstance(value, tuple) else ids.get(value, value)

        for name, rows in each.items():
            found[name] += [{column: renamed(value) for column, value in row.items()} for row in rows]
    return found


FIVE = group(5, ORGANISATIONS).map(side_by_side)


class OneByOne(Gathering):
    """Units put together one by one, with the activities that belong to them."""

    def __init__(self) -> None:
        super().__init__(("audio/*",))
        self.activities: dict[str, Unit | str | None] = {}
        self.in_nothing: set[str] = set()  # who has a role or a part there
        self._shared: set[str] = set()

    def add_parties(self, page: Iterable[Party]) -> list[Party]:
        page = list(page)
        self.in_nothing |= {row.contact for row in page if row.contact is not None and row.dossier is None and row.fiche is None}
        return super().add_parties(page)

    def add_calls(self, page: Iterable[Call | Email]) -> None:
        for row in page:
            self.activities[row.id] = self.hook_of(row.regarding_kind, row.regarding)
            if row.regarding_kind == "fiche" and self.is_shared(row.regarding):
                self._shared.add(row.id)

    def add_emails(self, page: Iterable[Email]) -> None:
        page = list(page)
        self.add_calls(page)
        super().add_emails(page)

    def add_activity_parties(self, page: list[ActivityParty]) -> None:
        for row in page:
            if row.party_kind == "contact" and row.party in self.contacts:
                hook = self.activities.get(row.activity or "")
                if hook is None and row.activity in self.fiches:  # a fiche may be one
                    hook = self.hook_of("fiche", row.activity)
                self.take_part(row.party or "", hook)
                if hook is None and row.activity not in self._shared and not self.is_shared(row.activity):
                    self.in_nothing.add(row.party or "")


CLASSES = {
    "contacts": Contact, "dossiers": Dossier, "fiches": Fiche, "parties": Party, "recordings": Recording, "notes": Note, "calls": Call,
    "emails": Email, "activity_parties": ActivityParty,
}  # fmt: skip


def filled(found: Any, rows: Rows) -> Any:
    for name, record in CLASSES.items():
        unresolved = getattr(found, f"add_{name}")([record(**values) for values in rows[name]])
        assert not unresolved
    return found


def named(whole: WholeTables, units: pl.DataFrame) -> pl.DataFrame:
    """Return facts of units with their ids and versions."""
    return units.hstack(Names(whole).of(units["number"]))
