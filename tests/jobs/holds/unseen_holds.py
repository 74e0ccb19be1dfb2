"""Holds on rows that nobody has seen."""

import pytest

from rules.holds.placements import PlacedHold
from tests.drivers.holding import place
from tests.drivers.night import Night
from tests.drivers.requesting import unreachable

NOBODY = "00000000-0000-0000-0000-00000000ffff"


def unseen(night: Night, monkeypatch: pytest.MonkeyPatch, row: str) -> PlacedHold:
    """A hold that was placed while the CRM did not answer."""
    with monkeypatch.context() as away:
        away.setattr("jobs.holds.look_up.rows_anywhere", unreachable)
        return place(night, "cf_dossier", row, even_unseen=True)
