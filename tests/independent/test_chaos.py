"""A deletion run killed with faults on, from outside: a few fixed trials. `python -m tests.independent.chaos`
has many."""

from collections.abc import Iterator

import pytest

from tests.independent.chaos import Chaos, Story
from tests.independent.inside import CommandLine
from tests.independent.trouble import BATCH, Rule

GATEWAY: list[Rule] = [
    {"match": {"method": "GET", "every": 5}, "times": 3, "do": "status", "status": 503},
    {"match": {"path": BATCH, "nth": 2}, "do": "cut_after"},
    {"match": {"method": "DELETE", "nth": 4}, "do": "status", "status": 429, "retry_after": 0},
]
STORIES = {
    "a write lands after the kill": Story(1, GATEWAY, "write held"),
    "a hold comes between": Story(2, (), "request held", at_request=60, meddle="hold"),
}


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    made = Chaos(5, 10, tmp_path_factory.mktemp("chaos"), settings={"CRM_CONCURRENCY": "4"}, prompt=CommandLine())
    try:
        made.prepare()
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("name", STORIES)
def test_a_killed_run_ends_like_an_undisturbed_one(chaos: Chaos, name: str) -> None:
    chaos.act(STORIES[name])
    assert not chaos.findings.problems, "\n".join(chaos.findings.problems)
