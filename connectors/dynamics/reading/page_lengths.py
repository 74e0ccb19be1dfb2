"""How many rows a page holds that has another behind it: the size that was asked for is a limit, and a
service may give fewer.

A page that is shorter than pages have been so far may also have lost rows on its way. So it is asked for once
more; where the same rows come again, that is how long pages are here, and pages of this length are in doubt
no more.
"""

from __future__ import annotations


class PageLengths:
    """What is known of one reading's pages; `due` is the size that was asked for, 0 where any length is as
    good."""

    def __init__(self, due: int) -> None:
        self._due = due
        self._usual: set[int] = set()

    def doubt(self, rows: int) -> bool:
        """Whether a page of so many rows, with a next one, should be asked for again."""
        return rows < self._due and rows not in self._usual

    def take(self, rows: int) -> None:
        """Note a length that came twice."""
        self._usual.add(rows)
