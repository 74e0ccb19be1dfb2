"""A connector at which something may happen each time that it is asked for rows or to write."""

from collections.abc import Callable, Iterator
from typing import Any


class Moments:
    """Calls `act` with the number of the moment before each reading; whoever writes says when the next one
    has come."""

    def __init__(self, inner: Any, act: Callable[[int], object]) -> None:
        self._inner, self._act = inner, act
        self.moment = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _pass(self) -> None:
        self.moment += 1
        self._act(self.moment)

    def read(self, record: type[Any], fields: Any, **options: Any) -> Iterator[list[Any]]:
        self._pass()
        return iter(list(self._inner.read(record, fields, **options)))
