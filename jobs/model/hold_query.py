"""Which holds of the register somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rules.holds.placements import PlacedHold


class HoldList(StrEnum):
    """The lists of holds: in force, those of them whose review was not done in time (HLD-03), those of which
    nobody has seen the row, released or past their last day, all."""

    IN_FORCE = "in_force"
    REVIEW = "review"
    UNSEEN = "unseen"
    OVER = "over"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class HoldQuery:
    """What holds are asked for, as they are on a civil `day`; empty asks for any. `text` is a part of the id
    of a hold, or of the row that it is on."""

    day: date
    list: HoldList = HoldList.ALL
    type: str = ""
    table: str = ""
    text: str = ""


class HoldPage(NamedTuple):
    """Some of the holds that were asked for, and how many there are in all."""

    total: int
    holds: list[PlacedHold]
