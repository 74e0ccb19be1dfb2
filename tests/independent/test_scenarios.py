"""Acceptance scenarios from outside, one in six so that tests take minutes. `python -m
tests.independent.scenarios` plays all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.independent.scenarios import House, Scenario, load


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("scenarios"))
    yield made
    made.close()


@pytest.mark.parametrize("chosen", load()[::6], ids=lambda chosen: chosen.name)
def test_scenario(house: House, chosen: Scenario) -> None:
    problems = house.play(chosen)
    assert not problems, "\n".join(problems)
