"""A lake: where it is, and how old what it says may be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lake:
    """A folder of tables as Synapse Link or Fabric Link lays them down, here or mounted. A plan is refused
    once the newest row in it was taken up `longest` ago, by `clock`."""

    root: Path
    longest: timedelta
    clock: Callable[[], datetime]
