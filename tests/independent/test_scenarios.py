"""All acceptance scenarios. `python -m tests.independent.scenarios` plays those that one chooses, each from
outside.

From outside, each command a process and each request over HTTP, are played here the first of most parts, and
some that type what those do not: what a process adds to a command, its streams, its folder, its exit code, is
alike in all of a kind. The others are played inside this process: the same stories, rows, commands and
questions. A command that one of them ends, or beside which something happens, is a process there too.
"""

from collections.abc import Iterator

import pytest

from tests.independent.inside import Inside
from tests.independent.scenarios import House, Scenario, load

ALL = load()
KINDS = ("holding", "erasing", "agreeing", "guarding", "proving", "restoring", "scheduling", "typing_errors", "asking", "other_rights")
FIRST = {one.act.__module__.rpartition("scenarios_")[2]: one for one in reversed(ALL)}
FURTHER = ("ERA-10 ", "R-157 IDV-05", "R-136 ", "DDL-14 ", "DDL-10:")  # statistics, overrides, suspensions, extensions, the calendar
OUTSIDE = [one for one in ALL if one in [FIRST[part] for part in KINDS] or one.name.startswith(FURTHER)]
INSIDE = [one for one in ALL if one not in OUTSIDE]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("scenarios"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("inside"), Inside())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.dynamics.pace.backoff.BACKOFF_CAP_S", 0.0)  # nobody is waited for
        yield made
    made.close()


@pytest.mark.parametrize("chosen", OUTSIDE, ids=lambda chosen: chosen.name)
def test_scenario_from_outside(house: House, chosen: Scenario) -> None:
    problems = house.play(chosen)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("chosen", INSIDE, ids=lambda chosen: chosen.name)
def test_scenario(inside: House, chosen: Scenario) -> None:
    problems = inside.play(chosen)
    assert not problems, "\n".join(problems)
