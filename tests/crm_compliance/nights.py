"""The nights with which tests of many modules begin: one unit of each fate, planned, or carried out."""

from dataclasses import dataclass

from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases


@dataclass(frozen=True)
class Planned:
    """A plan of an organisation with one unit of each fate."""

    units: dict[str, str]  # the ids, by fate
    plan: str


@dataclass(frozen=True)
class Applied(Planned):
    """The same, carried out."""

    run: str
    deleted: int
    anonymised: int


def planned(typist: Typist, org: Night) -> Planned:
    return Planned(people_and_cases(org), typist.ask("plan")["plan"])


def applied(typist: Typist, org: Night) -> Applied:
    night = planned(typist, org)
    run = typist.ask("apply", night.plan)
    return Applied(night.units, night.plan, run["run"], run["deleted"], run["anonymised"])
