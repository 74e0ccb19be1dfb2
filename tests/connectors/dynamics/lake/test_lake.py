"""What a lake says of whole tables is what the CRM says of them, in each form and for each organisation."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.lake.lake import Lake
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import SeedSpec, running
from connectors.interface.errors import ReadIncomplete
from tests.connectors.dynamics.columns_as_read import every_read
from tests.connectors.dynamics.reading.forms import FORMS, NOW, connected, told
from tests.known_definitions import KNOWN
from tests.lakes import LATER, WRITERS, Lain, gone, tables_of, younger

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is read, not how it comes

CASES = 15
SUNK = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=[None, "renamed", "connected", "scattered", "deep"], ids=lambda name: name or "reference")
def organisation(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Path, dict[str, Lain], list[Any]]]:
    folder = FORMS / request.param if request.param else None
    environment, mapping = (folder / "environment.yaml", folder / "mapping.yaml") if folder else (None, REFERENCE)
    with running(environment=environment, seed=SeedSpec(CASES, 3, NOW.date())) as emulator, KNOWN.of(emulator, "any"):
        with connected(emulator, mapping) as connector:
            names = {table.name for table in connector.mapping.tables}
            tables = tables_of(emulator.url, names, SUNK)
            expected = [told(connector, *each) for each in every_read(connector)]
        yield emulator, mapping, tables, expected


def lake_at(root: Path) -> Lake:
    return Lake(root, longest=timedelta(hours=24), clock=lambda: NOW)


@pytest.mark.parametrize("form", WRITERS)
def test_a_lake_says_of_every_row_what_the_crm_says(organisation: Any, form: str, tmp_path: Path) -> None:
    emulator, mapping, tables, expected = organisation
    laid = [with_history(each) for each in tables.values()]
    WRITERS[form](tmp_path, laid)
    with connected(emulator, mapping, lake=lake_at(tmp_path)) as connector:
        assert [told(connector, *each) for each in every_read(connector)] == expected
        assert connector.lake_instant() == SUNK + LATER


def test_rows_that_do_not_say_to_which_table_they_point_are_never_left_out(organisation: Any, tmp_path: Path) -> None:
    emulator, mapping, tables, expected = organisation
    untold = {f"{name}_entitytype": None for lain in tables.values() for name in lain.types}
    WRITERS["parquet"](tmp_path, [lain.saying(**untold) for lain in tables.values()])
    with connected(emulator, mapping, lake=lake_at(tmp_path)) as connector:
        for read, rows in zip(every_read(connector), expected, strict=True):
            with suppress(ReadIncomplete):
                assert told(connector, *read) == rows


def test_the_tables_of_lookups_are_told_in_capitals_or_not(organisation: Any, tmp_path: Path) -> None:
    emulator, mapping, tables, expected = organisation

    def shouted(lain: Lain) -> Lain:
        told = [name for name in (lain.rows or [{}])[0] if name.endswith("_entitytype")]
        return lain.but([row | {name: row[name] and row[name].upper() for name in told} for row in lain.rows])

    WRITERS["parquet"](tmp_path, map(shouted, tables.values()))
    with connected(emulator, mapping, lake=lake_at(tmp_path)) as connector:
        assert [told(connector, *each) for each in every_read(connector)] == expected


def test_pairs_of_which_the_lake_has_none_are_not_taken_for_none(organisation: Any, tmp_path: Path) -> None:
    emulator, mapping, tables, expected = organisation
    emptied = [name for name, lain in tables.items() if "createdon" not in lain.types and lain.rows]
    WRITERS["parquet"](tmp_path, [lain.but(() if name in emptied else lain.rows) for name, lain in tables.items()])
    with connected(emulator, mapping, lake=lake_at(tmp_path)) as connector:
        found = [told(connector, *each) for each in every_read(connector)]
        if found == expected:  # nothing is read of pairs
            assert connector.lake_instant() == SUNK
        else:
            with pytest.raises(ReadIncomplete, match=r"The lake has no row of .*, and the CRM counts [1-9]") as refused:
                connector.lake_instant()
            assert refused.value.where in emptied


def with_history(lain: Lain) -> Lain:
    """A table with rows in an older version before the newest, and with one that is deleted."""
    if not lain.rows or lain.rows[0]["versionnumber"] is None:
        return lain
    ids = [row["Id"] for row in lain.rows[:3]]
    extra = lain.rows[0] | {"Id": "00000000-dead-4000-8000-000000000001"}
    extra |= {name: extra["Id"] for name in extra if extra[name] == lain.rows[0]["Id"]}
    emptied = {name: None for name in lain.types if name not in ("createdon", "versionnumber") and lain.rows[0].get(name) != ids[0]}
    return gone(younger(lain, ids, **{name: None for name in emptied if not name.endswith("id")}), extra, LATER)
