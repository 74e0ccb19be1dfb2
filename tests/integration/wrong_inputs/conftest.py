"""An organisation with people and cases, and who types commands in it."""

from collections.abc import Callable, Iterator

import pytest

from connectors.emulator.serving.server import RunningEmulator
from tests.drivers.night import Night
from tests.drivers.typist import Typist, organisation_of, people_and_cases


@pytest.fixture
def typist(emulator: RunningEmulator, typist_at: Callable[..., Typist]) -> Typist:
    return typist_at(emulator.url)


@pytest.fixture
def org(emulator: RunningEmulator, typist: Typist) -> Iterator[Night]:
    night = organisation_of(emulator, typist)
    people_and_cases(night)
    yield night
    night.close()
    night.store.close()
