"""Who works on the parts of a plan: this process, or workers of a pool (`concurrent.futures`)."""

from collections.abc import Callable, Iterable, Iterator
from itertools import starmap
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Workers(Protocol):
    """Work is a plain function of one part that may be sent elsewhere and done twice: it asks nobody anything
    and changes nothing."""

    def ready(self) -> None:
        """Look whether the workers can be had, before what they are for is read. Raises a ComplianceError of
        code `workers_lost`: nobody answers where they should be."""

    def each(self, work: Callable[..., T], parts: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        """Yield what `work` makes of each part, in the order of the parts, each exactly once. Raises what the
        work raises; a ComplianceError of code `workers_lost`: who worked on a part is gone, again and
        again."""


class Here:
    """This process: a part after the other."""

    def ready(self) -> None:
        """Do nothing: this process is here already."""

    def each(self, work: Callable[..., T], parts: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        """Yield what `work` makes of each part."""
        return starmap(work, parts)


HERE = Here()
