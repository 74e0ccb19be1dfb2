"""The server that gives the emulator's answers again, and rows so many times over."""

from datetime import date

from benchmarks.table import measured_copies
from connectors.emulator.serving.server import SeedSpec, running


def test_a_plan_of_an_organisation_twice_over_has_each_unit_twice() -> None:
    with running(seed=SeedSpec(dossiers=10, seed=1, as_of=date(2026, 11, 1))) as emulator:
        once, twice = measured_copies(emulator.url, 10, 1), measured_copies(emulator.url, 10, 2)
    assert once.units > 10
    assert (twice.units, twice.rows) == (2 * once.units, 2 * once.rows)
