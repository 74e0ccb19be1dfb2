"""Rows of the CRM, read to the end."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from rules.model.records import Record

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R", bound=Record)

NOBODY: Final = "00000000-0000-0000-0000-000000000000"  # no row has this id


@dataclass(frozen=True, slots=True)
class Among:
    """Restricts a read to rows whose `field` (id or a lookup of the record) is one of `ids`; empty ids read
    nothing, without a request. `in_any_scope`: also rows that no longer meet the conditions under which the
    mapping takes them for this kind; for looking whether a row is gone."""

    field: str
    ids: Sequence[str]
    in_any_scope: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What one column of one row holds as a file. `media_type` is what the CRM states or what its first bytes
    show, empty where neither does."""

    body: bytes = field(repr=False)
    media_type: str = ""


@dataclass(slots=True)
class ReadStats:
    """What reading and writing have cost so far; `remembered` are rows that did not have to be fetched again,
    `waited_s` is time spent on keeping to the CRM's limits, `peak_concurrency` how many batches ran at once
    at most. `missed` tells by table how many rows that were remembered, with all changes that the CRM had
    told, a full read found otherwise or not at all."""

    pages: int = 0
    rows: int = 0
    remembered: int = 0
    requests: int = 0
    retries: int = 0
    throttled: int = 0
    waited_s: float = 0.0
    peak_concurrency: int = 0
    missed: dict[str, int] = field(default_factory=dict)


class Rows(Protocol):
    """Reading. A read that fails raises, it never ends early."""

    stats: ReadStats

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once;
        order unspecified.

        A kind that is not mapped yields nothing. Fields that the organisation does not map stay None. With
        `among` every id is looked up, in as many requests as needed. Raises ReadIncomplete: a page is short,
        broken, doubled or not decodable, or the CRM's own count differs."""

    def columns(self, record: type[Record], fields: Sequence[str]) -> Iterator["pl.DataFrame"]:
        """Yield all rows of a kind, from every table that serves it, as frames of some rows each: what `read`
        gives, row for row and value for value, in the columns of `column_types`. Rows may come from an
        earlier read and what has changed since: for plans, never for what is about to be written.

        A kind that is not mapped yields nothing; a frame without rows is never yielded. For plans alone: they
        may come from a lake (`lake_instant`). Raises as `read`."""

    def lake_instant(self) -> datetime | None:
        """Return how new the lake is that `columns` has read, by the newest row that it took up; None where
        the CRM itself was read. Raises ReadIncomplete: that is longer ago than a plan may rely on, or not
        known."""

    def read_ahead(self, reads: Iterable[tuple[type[Record], Iterable[str]]]) -> AbstractContextManager[None]:
        """Begin reads of whole tables that `columns` is then called for in this order, while the block runs.
        What is read is the same; a read that fails raises where it is called for."""

    def content(self, record: type[Record], row: str, field: str) -> Content | None:
        """Fetch what a field of type `bytes` holds, whole. None: it holds nothing, or the row does not exist.
        Raises ReadIncomplete: something is there, and it did not come whole or was replaced meanwhile."""

    def merged_into(self, contacts: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Return those of these contacts that people have merged into another one, each with that one, and
        those into which that went in turn. What referred to them refers to these by now."""

    def totals(self, records: Iterable[type[Record]]) -> dict[type[Record], int]:
        """Return the CRM's own counts of all rows of these kinds, visible to this account or not. Kinds of
        which it keeps none, or counts others with them, are left out. They may be a day old."""
