"""How many rows a page holds that has another behind it: the requested size is a limit, and a service may
give fewer.

A page that is shorter than pages have been so far may also have lost rows on its way. So it is requested once
more. Where the same rows come again, that is how long pages are here, and pages of this length are no longer
in doubt."""

EMPTY_PAGES = 100  # in a row; a service whose links lead on for ever is left some time


class PageLengths:
    """What is known of one reading's pages; `due` is the requested size, 0 where any length is acceptable."""

    def __init__(self, due: int) -> None:
        self._due = due
        self._usual: set[int] = set()

    def doubt(self, rows: int) -> bool:
        """Return whether a page of so many rows, with a next one, should be requested again."""
        return rows < self._due and rows not in self._usual

    def take(self, rows: int) -> None:
        """Note a length that came twice."""
        self._usual.add(rows)
