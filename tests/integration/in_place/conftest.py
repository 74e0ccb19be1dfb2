"""A night whose schedule anonymises in place."""

import pytest

from tests.drivers.night import Night
from tests.integration.in_place.anonymised import MakeNight, in_place


@pytest.fixture
def night(make_night: MakeNight) -> Night:
    night = make_night(policy=in_place())
    night.create("teams", "teamid", name="Geanonimiseerd")
    return night
