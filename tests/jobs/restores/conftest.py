from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drivers.night import Night
from tests.drivers.restoring import Backing, Backup


@pytest.fixture
def backup() -> Iterator[Backing]:
    made: list[Backup] = []

    def make(night: Night) -> Backup:
        made.append(Backup(night))
        return made[-1]

    yield make
    for each in made:
        each.close()
