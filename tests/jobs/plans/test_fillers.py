"""Days that stand for an unknown one (RET-14), as people type them in an organisation of long-gone clocks."""

from datetime import date

import pytest

from tests.drivers.night import Night

LONG_AGO = date(2020, 1, 10)


@pytest.mark.parametrize(
    "typed",
    # In UTC; in the zone that Brussels has now; what a spreadsheet makes of an empty cell.
    ["1900-01-01T00:00:00Z", "1899-12-31T23:00:00Z", "9999-12-30T23:00:00Z", "1899-12-30T00:00:00Z", "1899-12-29T23:00:00Z"],
)
def test_a_filler_is_none_by_whatever_clock_its_midnight_was_typed(night: Night, typed: str) -> None:
    """In Brussels it was UTC until 1914, so that the midnight of a CRM which knows no clocks but those of
    today lies on the day before."""
    fiche = night.fiche("social_card", cf_communicatedon=typed)
    dossier = night.dossier("social_card", spoken=LONG_AGO, cf_reopenedon=typed)
    recording = night.recording(date(2026, 11, 1), cf_endedon=typed)
    found = {line.id: (line.outcome, line.retention_end) for line in night.lines(night.plan()).values()}
    assert found[fiche][0] == "retain", "it counts by the day of its record"
    assert found[dossier] == ("dispose", "2020-07-10")
    assert found[recording] == ("retain", "2027-05-01"), "it counts by its start"
