"""Every code for a place that is not searched stands in its page, and no other does."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

from connectors.dynamics.mapping.mapping_file import Copies
from connectors.interface.remains import DocumentLocation, Reach, ResidualData
from jobs.requests.search.gaps import places_not_searched
from rules.model.data_map import DataMap, Fate, MapPlace
from rules.model.kinds import Kinds

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")


class Organisation:
    """A CRM of which a test says what is mapped and what can be reached."""

    all_kinds = Kinds()

    def __init__(self, *, maps: bool, copies: tuple[str, ...] | None, fields: Collection[str] = ()) -> None:
        self.maps, self.copies, self._fields = maps, copies, frozenset(fields)

    def has(self, record: object) -> bool:
        return self.maps

    def fields(self, record: object) -> frozenset[str]:
        return self._fields

    def look_into(self, *asked: object) -> Reach:
        return Reach.NOT_REACHABLE

    def data_map(self) -> DataMap:
        unmapped = ("cf_visit", "sharepointdocumentlocation")
        return DataMap(() if self.maps else tuple(MapPlace(name, None, "", 1, Fate.UNACCOUNTED, "") for name in unmapped))

    def document_locations(self) -> Iterator[DocumentLocation]:
        yield DocumentLocation(("sharepointdocumentlocation", "1"), ("cf_dossier", "2"), "https://fictief.sharepoint.com/sites/A/D-1")

    def unsearched_columns(self) -> tuple[str, ...]:
        return ()

    def has_other_activities(self) -> bool:
        return True

    def has_email_files(self) -> bool:
        return True

    def residual_data(self, *asked: object) -> ResidualData:
        return ResidualData(Reach.READ)


class Library:
    """Where documents are, all of it in reach."""

    def findings(self) -> tuple[()]:
        return ()

    def canonical(self, address: str) -> str:
        return address


def codes(organisation: Organisation, *documents: Library) -> set[str]:
    context: Any = SimpleNamespace(connector=organisation, objects=(), documents=documents)
    return {re.sub(r":.*", ":", place) for place in places_not_searched(context)}


def test_the_page_explains_every_code_and_no_other() -> None:
    possible = codes(Organisation(maps=False, copies=None))
    possible |= codes(Organisation(maps=True, copies=get_args(Copies), fields=["storage_uri"]))
    possible |= codes(Organisation(maps=True, copies=()), Library())
    table = PAGE.split("| code |", 1)[1].split("\n\n", 1)[0]
    told = {re.sub(r":.*", ":", code) for line in table.splitlines() for code in re.findall(r"`([^`]+)`", line.split("|")[1])}
    assert told == possible
