"""The lines of a plan as the store keeps them: pages of columns, each with the shapes of its own lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from jobs.ledger.plan_lines import LinesDigest
from jobs.model.plan import PlanLine
from jobs.plans.lines.columns import LineColumns

LINES_A_PAGE: Final = 50_000


class Pages:
    """Lines as the store keeps them, and the digest over `head` and pages."""

    def __init__(self, head: Mapping[str, object]) -> None:
        self._digest = LinesDigest(head)
        self._pages: list[bytes] = []
        self._open: list[LineColumns] = []  # parts of the page that is not full yet
        self._room = LINES_A_PAGE  # how many lines that still takes

    def add(self, lines: LineColumns) -> None:
        """Add lines behind the others. Raises ValueError: one lacks its id or its version."""
        at = 0
        while at < len(lines):
            some = lines.slice(at, self._room)
            self._open.append(some)
            self._room -= len(some)
            at += len(some)
            if not self._room:
                self._turn()

    def _turn(self) -> None:
        page = LineColumns.joined(self._open).written()
        self._digest.add(page)
        self._pages.append(page)
        self._open, self._room = [], LINES_A_PAGE

    def finish(self, trims: Iterable[str]) -> tuple[list[bytes], str]:
        """Return the pages, and the digest, contacts to trim included. Raises as `add`."""
        if self._open:
            self._turn()
        return self._pages, self._digest.finish(trims)


def paged(lines: Iterable[PlanLine], trims: Iterable[str], head: Mapping[str, object]) -> tuple[list[bytes], str]:
    """Return lines as the store keeps them, and their digest."""
    pages, rest = Pages(head), iter(lines)
    while some := list(islice(rest, LINES_A_PAGE)):
        pages.add(LineColumns.of(some))
    return pages.finish(trims)


def lines_of(pages: Iterable[bytes], wanted: Callable[[PlanLine], bool] | None = None) -> Iterator[PlanLine]:
    """Yield the lines of stored pages; `wanted` is asked of what lines have in common, without id, version
    and days. Raises StoreAltered: a page is none."""
    for columns in parts_of(pages):
        yield from (columns if wanted is None else columns.only(wanted)).lines()


def parts_of(pages: Iterable[bytes]) -> Iterator[LineColumns]:
    """Yield the lines of stored pages in columns. Raises StoreAltered: a page is none."""
    return map(LineColumns.read, pages)


def is_disposal(line: PlanLine) -> bool:
    """Return whether lines of a shape dispose of their units."""
    return line.is_disposal
