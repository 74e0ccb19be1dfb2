"""A word of its own in every text column of every table that leads to a child: the child's request finds it
or names the place as not searched, and nothing of it is left once the dossier has gone (EXP-03, ERA-12,
R-158)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs.requests.search.search import search_everywhere
from rules.model.kinds import ROW_KINDS
from tests.connectors.dynamics.datamap.own_tables import environment
from tests.drivers.night import Night, night_in

LONG_AGO = date(2020, 1, 10)
UNMAPPED = {"cf_visit", "cf_photo"}  # they go along with the dossier


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with night_in(environment(tmp_path), tmp_path, kind=Night) as made:
        yield made


class Planter:
    """Fills every text column that a caller may write with a word of its own."""

    def __init__(self, night: Night, first: str = "woord") -> None:
        self._night, self._first = night, first  # five letters, of which no other planter of a night has the same
        self._tables = night.emulator.emulator.tables.environment.tables
        self.words: dict[str, tuple[str, str]] = {}  # word -> table, column

    def texts(self, table: str, *but: str) -> dict[str, Any]:
        found = {}
        for column in self._tables[table].columns.values():
            is_text = column.kind in ("string", "memo") and column.writable and not column.system and column.length >= 8
            if is_text and column.name not in (*but, "documentbody", "objecttypecode", "cf_storageuri"):
                found[column.name] = word = f"{self._first}{len(self.words):03}"
                self.words[word] = (table, column.name)
        return found

    def file(self, table_set: str, row: str, column: str) -> None:
        """Fill a file column with a text."""
        word = f"{self._first}{len(self.words):03}"
        answer = self._night.http.patch(
            f"{self._night.emulator.url}{table_set}({row})/{column}",
            data=f"In dit bestand staat {word}.".encode(),
            headers={"x-ms-file-name": "scan.txt", "Content-Type": "application/octet-stream"},
        )
        assert answer.status_code == 204, answer.text
        self.words[word] = (table_set, column)

    def plant(self) -> tuple[str, str]:
        """A dossier with everything that can depend on it, and its child; gives their ids."""
        night = self._night
        child = night.contact(**self.texts("contact", "cf_nationalnumber", "address1_country"), birthdate="2000-02-01")
        dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0, **self.texts("cf_dossier"))
        fiche = night.fiche("social_card", spoken=LONG_AGO, dossier=dossier, **self.texts("cf_fiche"))
        bound = {"cf_ContactId@odata.bind": f"/contacts({child})", "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
        night.create("cf_parties", "cf_partyid", cf_role=100000000, **self.texts("cf_party"), **bound)
        night.recording(LONG_AGO, fiche=fiche, **self.texts("cf_recording"))
        night.note("cf_dossier", dossier, **self.texts("annotation", "mimetype"))
        for table, table_set in (("phonecall", "phonecalls"), ("email", "emails")):
            parties = [{"partyid_contact@odata.bind": f"/contacts({child})", "participationtypemask": 2} | self.texts("activityparty")]
            night.create(
                table_set,
                "activityid",
                **self.texts(table),
                **{f"{table}_activity_parties": parties, f"regardingobjectid_cf_dossier_{table}@odata.bind": f"/cf_dossiers({dossier})"},
            )
        visit = night.create("cf_visits", "cf_visitid", **self.texts("cf_visit"), **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
        night.create("cf_photos", "cf_photoid", **self.texts("cf_photo"), **{"cf_VisitId@odata.bind": f"/cf_visits({visit})"})
        return dossier, child

    def left(self) -> set[str]:
        """The words that anything in the CRM still holds."""
        database = self._night.emulator.emulator.tables.connection
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]  # history and bin among them
        text = [str(database.execute(f"SELECT * FROM {name}").fetchall()) for name in names]
        return {word for word in self.words if any(word in each for each in text)}


def test_every_word_is_found_or_its_place_is_named_as_not_searched(night: Night) -> None:
    planter = Planter(night)
    _, child = planter.plant()
    found = search_everywhere(night.context, {child})
    rows = [row for kind in ROW_KINDS for row in found.rows(kind).values()]
    told = "\n".join(str(getattr(row, name, "")) for row in rows for name in type(row).__struct_fields__)
    missing = {place for word, place in planter.words.items() if word not in told}
    named = set(found.not_searched)
    kinds = {table.name: table.kind for table in night.connector.mapping.tables}
    assert {
        place for place in missing if f"table:{place[0]}" not in named and f"column:{kinds.get(place[0])}.{place[1]}" not in named
    } == set()
    assert {table for table, _ in missing} == UNMAPPED | {"cf_dossier"}
    assert {column for table, column in missing if table == "cf_dossier"} == {"cf_hobby"}


def test_no_word_is_left_once_the_dossier_has_gone(night: Night) -> None:
    planter = Planter(night)
    dossier, child = planter.plant()
    assert planter.left() == set(planter.words)
    done = night.apply(night.plan())
    assert (done.counts["skipped"], night.get("cf_dossiers", dossier), night.get("contacts", child)) == ({}, None, None)
    assert planter.left() == set()
