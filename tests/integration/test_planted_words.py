"""A word of its own in every text column of every table that leads to a child: the child's request finds it
or names the place as not searched, and nothing of it is left once the dossier has gone (EXP-03, ERA-12,
R-158)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.requests.search.search import search_everywhere
from rules.model.kinds import ROW_KINDS
from tests.connectors.dynamics.datamap.own_tables import environment
from tests.drivers.night import Night, night_in
from tests.integration.planter import Planter

UNMAPPED = {"cf_visit", "cf_photo"}  # they go along with the dossier


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with night_in(environment(tmp_path), tmp_path, kind=Night) as made:
        yield made


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
