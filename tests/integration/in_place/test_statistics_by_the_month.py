"""Statistics that wait for the end of the month, so that small numbers are tested together (ERA-16,
R-084)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from rules.errors import ComplianceError
from tests.drivers.organisation import set_faults
from tests.integration.in_place.anonymised import MakeNight, a_runaway, actions


def test_by_the_month_rows_wait_without_identifiers_and_are_tested_together(make_night: MakeNight) -> None:
    """ERA-16 (`stats_batch: monthly`), R-084: five nights of one month make one batch, written by the first
    run of the next."""
    night = make_night(
        datetime(2026, 11, 20, 11, tzinfo=UTC), policy=lambda text: text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1)
    )
    for _ in range(5):
        dossier = a_runaway(night, cf_outcome=100000002)
        run = night.apply(night.plan())
        assert run.counts["statistics"] == 0
        waits = night.store.statistics.waiting(night.emulator.url)
        assert dossier not in str(waits)
        assert "2026-11-2" not in str(waits)
        assert actions(night, run.id)[dossier].statistic is None
        night.clock.now += timedelta(days=1)
    assert list(waits.values()) == [5]  # alike, so that nobody can tell them apart
    assert night.rows("cf_statistics") == []
    night.clock.now = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)  # still November in Brussels
    night.apply(night.plan())
    assert night.rows("cf_statistics") == []
    night.clock.now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    late = a_runaway(night, cf_outcome=100000002)
    run = night.apply(night.plan())
    assert run.counts["statistics"] == 5
    assert {row["cf_categorykey"] for row in night.rows("cf_statistics")} == {"missing_runaway"}
    (key,) = night.store.statistics.waiting(night.emulator.url)
    assert key[0] == "2026-12"  # what December counts waits for January
    assert night.get("cf_dossiers", late) is None
    night.clock.now += timedelta(days=1)
    night.apply(night.plan())
    assert len(night.rows("cf_statistics")) == 5


def test_back_to_a_batch_a_run_nothing_that_waits_is_lost(make_night: MakeNight, database_file: Callable[[], str]) -> None:
    url = database_file()
    monthly = make_night(url=url, policy=lambda text: text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1))
    a_runaway(monthly, cf_outcome=100000002)
    monthly.apply(monthly.plan())
    nightly = make_night(url=url)
    a_runaway(nightly, cf_outcome=100000001)
    nightly.apply(nightly.plan())
    assert [row["cf_count"] for row in nightly.rows("cf_statistics")] == [2]  # one total, both units
    assert nightly.store.statistics.waiting(nightly.emulator.url) == {}


def test_a_write_that_is_refused_loses_nothing_of_the_month(make_night: MakeNight) -> None:
    """What is to be written is fixed in the run before the first request, in the transaction that empties the
    buffer."""
    night = make_night(policy=lambda text: text.replace("statistics:\n", "statistics:\n  batch: monthly\n", 1))
    a_runaway(night)
    night.apply(night.plan())
    night.clock.now = datetime(2026, 12, 1, 11, tzinfo=UTC)
    plan = night.plan()
    fault = {"match": {"path": "cf_statistics", "method": "POST"}, "do": "status", "status": 403, "times": 1000}
    set_faults(night.emulator, fault)
    with pytest.raises(ComplianceError):
        night.apply(plan)
    set_faults(night.emulator)
    run = night.apply(plan)
    assert run.counts["statistics"] == 1
    assert [row["cf_count"] for row in night.rows("cf_statistics")] == [1]
