"""In which order units go that point to each other."""

from typing import Any

from jobs.runs.waves import waves_of
from rules.model.records import Fiche
from tests.jobs.proof.test_run_reckoning import line


class Pointing:
    """A CRM in which these units point to those."""

    def __init__(self, *pairs: str) -> None:
        self._pairs = {(pair[0], pair[1]) for pair in pairs}

    def pointing(self, *_: Any) -> set[tuple[str, str]]:
        return self._pairs


def waves(units: str, *pairs: str) -> list[str]:
    crm: Any = Pointing(*pairs)
    return ["".join(line.id for line in wave) for wave in waves_of(crm, Fiche, [line(each, "EXPIRED", None, "delete") for each in units])]


def test_what_points_to_another_goes_before_it() -> None:
    assert waves("abcd", "ba", "cb") == ["cd", "b", "a"]


def test_circles_go_together_and_what_they_point_to_goes_after_them() -> None:
    """However many there are: one after the other each would be a group of its own."""
    assert waves("abcdefgh", "ba", "bc", "cb", "de", "ed", "cd", "fb") == ["fgh", "bcde", "a"]
