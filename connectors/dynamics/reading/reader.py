"""Reading a table to its end, page after page by the next links, each row once, or saying that it did not
work: a short answer must never look like "nothing there". How a page is decoded is in decoder.py."""

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from connectors.dynamics.http.page_lengths import EMPTY_PAGES, PageLengths
from connectors.dynamics.http.query import query_string, select
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.reading.any_odata import is_offset
from connectors.dynamics.reading.decoder import PageBroken, PageDecoder
from connectors.dynamics.reading.page_types import LOOKUP_TABLE
from connectors.dynamics.reading.page_values import Page, are_repeated
from connectors.dynamics.schema.counts import COUNT_LIMIT
from connectors.interface.errors import ReadIncomplete
from rules.model.records import Record

R = TypeVar("R", bound=Record)
# Of many threads: what decoding one page takes has room near the processor, of several it has not. A step may
# read other rows while it decodes.
_one_at_a_time = threading.RLock()


class _Doubtful(Exception):
    """The answer cannot be right; it explains why, in our own words."""


class _Short(_Doubtful, Generic[R]):
    """A page that has fewer rows than requested, and another behind it."""

    def __init__(self, page: Page[R]) -> None:
        super().__init__(f"it has {len(page)} rows one time and others the next")
        self.page = page


class Reader(Generic[R]):
    """Reads one kind of record with one set of fields; the preference `tracking` asks for a delta link."""

    def __init__(self, transport: Transport, decoder: PageDecoder[R], set_name: str, table: str, tracking: str = "") -> None:
        self._transport, self._decoder, self._set_name, self._table = transport, decoder, set_name, table
        self._page_size = transport.environment.page_size
        self._lengths = PageLengths(self._page_size)
        self.counts_rows = False  # whether a link has counted rows instead of naming the last
        prefer = f"odata.maxpagesize={self._page_size}"
        if decoder.prefer_kinds:
            prefer += f',odata.include-annotations="{LOOKUP_TABLE}"'
        self.prefer = prefer  # also what a delta link is followed with
        self._prefer = f"{prefer},{tracking}" if tracking else prefer

    def read(self, condition: str = "") -> Iterator[list[R]]:
        """Yield the rows of all pages, or of those that a `$filter` names, as `pages` does."""
        yield from (page.rows for page in self.pages(condition) if len(page))

    def pages(self, condition: str = "") -> Iterator[Page[R]]:
        """Yield the pages of all rows, or of those that a `$filter` names. Up to the count that the CRM can
        report (5,000), nothing is yielded before the number of rows agrees with it, so a read which failed,
        or which people wrote into, is done again, once. Raises ReadIncomplete: the second read fails too."""
        query = query_string({"$select": select(self._decoder.select), "$filter": condition, "$count": "true"})
        first = f"{self._set_name}?{query}"
        try:
            yield from self._pages(first)
        except _Doubtful:
            self._transport.count(retries=1)
            try:
                yield from self._pages(first)
            except _Doubtful as doubt:
                raise ReadIncomplete(
                    f"Reading {self._table} twice gave no whole answer: {doubt}.", hint="Try again later.", where=self._table
                ) from None

    def _pages(self, first: str) -> Iterator[Page[R]]:
        """Yield the pages behind one first request.

        Raises:
            _Doubtful: the count differs; nothing was yielded yet.
            ReadIncomplete: a page is wrong, twice."""
        page = self._page(first, None)
        if page.count is None:
            raise ReadIncomplete("The CRM tells no count of the rows.", where=self._table)
        if page.count < COUNT_LIMIT:
            pages, found = [], 0
            for each in self._from(page, first, ask_last_again=False):
                pages.append(each)
                found += len(each)
                if found > page.count:  # now, for there may be no end of them
                    break
            if found != page.count:
                raise _Doubtful(f"the CRM counts {page.count} rows and gave {found if found < page.count else 'more'}")
            if are_repeated(*pages):  # the count would agree, and another row be missing
                raise _Doubtful("a row came on two pages")
            yield from pages
            return
        found = 0
        for each in self._from(page, first, ask_last_again=True):
            found += len(each)
            yield each
        if found < COUNT_LIMIT:
            raise ReadIncomplete(f"The CRM counts at least {COUNT_LIMIT} rows and gave {found}.", where=self._table)

    def _from(self, page: Page[R], link: str, *, ask_last_again: bool) -> Iterator[Page[R]]:
        """Yield this page and those behind it. Where the CRM cannot count that far, the last page is the only
        one whose length proves nothing, so it is requested once more and what it lacked is added."""
        links = {link}
        before: Page[R] | None = None
        rows = empty = 0
        while True:
            rows += len(page)
            empty = 0 if len(page) else empty + 1
            self._transport.count(pages=1, rows=len(page))
            yield page
            if page.next_link is None:
                again = self._page(link, before, known=page) if ask_last_again else page
                if again is not page and (lacked := again.without(page.ids)):
                    self._transport.count(rows=len(lacked))
                    yield lacked
                if again.next_link is None:
                    return
                page = again
            before = page
            link = self._transport.absolute(str(page.next_link))
            if link in links or empty > EMPTY_PAGES:
                raise ReadIncomplete("The CRM's pages lead in a circle, or on and on without a row.", where=self._table)
            self.counts_rows = self.counts_rows or is_offset(link, rows, len(links))
            links.add(link)
            page = self._page(link, before)

    def _page(self, link: str, before: Page[R] | None, known: Page[R] | None = None) -> Page[R]:
        """Return one page; a wrong or short one is requested once more from the same link, since a GET is
        safe. If a short one comes again, pages are of that length here."""
        short: set[str] | None = None
        wrong = 0
        while True:
            try:
                return self._page_once(link, before, known)
            except _Short as doubt:
                if short == doubt.page.ids:
                    self._lengths.take(len(doubt.page))
                    return doubt.page
                wrong += short is not None
                short, last = doubt.page.ids, str(doubt)
            except _Doubtful as doubt:
                wrong, last = wrong + 1, str(doubt)
            if wrong > 1:
                raise ReadIncomplete(
                    f"A page of {self._table} is wrong, also at the second try: {last}.",
                    hint="Publish the table's customisations, and have what stands before the CRM pass on its answers as they are.",
                    where=self._table,
                )
            self._transport.count(retries=1)

    def _page_once(self, link: str, before: Page[R] | None, known: Page[R] | None) -> Page[R]:
        answer = self._transport.get(link, prefer=self._prefer, where=self._table, as_it_came=True)
        if known is not None and answer.body == known.body:
            return known
        try:
            with _one_at_a_time:
                page = self._decoder.decode(answer.body)
        except PageBroken as broken:
            wrong = f"{broken.column} lacks, or is" if broken.column else "it breaks off, or a row lacks a column or has one"
            raise _Doubtful(f"{wrong} of another type than the CRM's metadata says") from None
        if are_repeated(*([before] if before is not None else []), page):  # as they came: what is in order is compared sooner
            raise _Doubtful("it holds a row twice" if are_repeated(page) else "it repeats rows of the page before")
        if page.next_link is not None and self._lengths.doubt(len(page)):
            raise _Short(page)
        return page
