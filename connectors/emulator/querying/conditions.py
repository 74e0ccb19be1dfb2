"""What filters and Dataverse's functions have in common: conditions, and columns as reached from a row."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from connectors.emulator.schema.environment import Column, Table

TIME_KINDS = ("date", "datetime", "datetime_tzi")
Condition = tuple[str, tuple[Any, ...]]  # SQL, and the values to bind


@dataclass(frozen=True)
class Operand:
    """A column as reached from the row: its SQL, and how many lookups lead there."""

    column: Column
    expression: str
    links: int = 0


class Conditions(Protocol):
    """What a function needs of the filter it stands in."""

    now: Callable[[], datetime]
    user: str

    def column(self, table: Table, alias: str, names: list[str]) -> Operand: ...

    def compared(self, operand: Operand, operator: str, value: str) -> Condition: ...

    def constant(self, column: Column, value: str) -> Any: ...
