"""One page of a long list: which rows are on it, and where the pages before and after are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Pages(NamedTuple):
    """What stands below a list: which rows are on the page, counted from 1, of how many, and the addresses of
    the pages before and after; empty where there is none."""

    first: int
    last: int
    total: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """The page of a list of `total`, `rows` to a page, that is asked for; its `number` counts from 1."""

    number: int
    rows: int
    total: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.rows

    def of(self, every: Sequence[T]) -> Sequence[T]:
        return every[self.offset : self.offset + self.rows]

    def pages(self, address: Callable[[int], str]) -> Pages:
        """Return what stands below the list; `address` gives that of another page by its number."""
        last = min(self.offset + self.rows, self.total)
        before = address(self.number - 1) if self.number > 1 else ""
        return Pages(self.offset + 1, last, self.total, before, address(self.number + 1) if last < self.total else "")
