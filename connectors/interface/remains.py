"""What a CRM keeps of a row beside the row itself, and after it (ERA-12)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from connectors.interface.changes import IsDue, always_due
from connectors.interface.rows import Among
from rules.model.records import Record

RowKey = tuple[str, str]  # logical name of the table, and id


class ResidualKind(StrEnum):
    """What a CRM keeps of a row beside the row itself (ERA-12)."""

    __hash__ = str.__hash__

    TIMELINE = "timeline"  # posts, connections, queue items
    JOBS = "jobs"  # system jobs, processes, synchronisation, import and duplicate detection
    RETAINED = "retained"  # the store of long-term retention
    BIN = "bin"  # the recycle bin
    HISTORY = "history"  # audit rows with old values


class Reach(StrEnum):
    """Whether residual data of one kind can be looked at."""

    READ = "read"
    NOT_KEPT = "not_kept"  # the CRM has no such place
    NOT_REACHABLE = "not_reachable"  # it may have one, and does not let us look


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one row in one place: the table of the CRM that it is in, how many rows, and which,
    where they have ids of their own by which they can be looked for elsewhere."""

    place: str
    count: int
    rows: tuple[RowKey, ...] = ()


@dataclass(frozen=True, slots=True)
class ResidualData:
    """What was found of some rows, by row; one that is not named has left nothing. `kept_of` are the tables
    of which the CRM keeps such data now, as far as it reports."""

    reach: Reach
    left: Mapping[RowKey, Left] = field(default_factory=dict)
    kept_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DependentRow:
    """A row of an unmapped table, and the row that it depends on. `cascades`: the CRM deletes it with that
    row; else it would stay behind."""

    row: RowKey
    on: RowKey
    cascades: bool


@dataclass(frozen=True, slots=True)
class DocumentLocation:
    """A row of the CRM that says in which folder the documents of another row, its `owner`, lie. `address` is
    empty where it leads to no site; it can hold a name."""

    row: RowKey
    owner: RowKey | None
    address: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BinnedOrRetained:
    """Rows that are stored elsewhere than among the live ones, as records of the requested kind; none unless
    `reach` is READ, also where no column could lead to any."""

    reach: Reach
    rows: tuple[Record, ...] = field(default=(), repr=False)


class Remains(Protocol):
    """What outlives a row: found, and purged."""

    def look_into(self, residual: ResidualKind, record: type[Record]) -> Reach | None:
        """Return whether rows of a kind can be read in the recycle bin or in long-term retention (BIN,
        RETAINED), whichever they are; None: no row of the kind is there. Raises as `binned_or_retained`."""

    def binned_or_retained(
        self, residual: ResidualKind, record: type[Record], fields: Iterable[str], among: Among | None
    ) -> BinnedOrRetained:
        """Return rows in the recycle bin or in long-term retention (BIN, RETAINED) whose `among.field`, an id
        or a lookup, is one of its ids; without `among` all of them. Raises ConnectorError: it cannot be
        determined. Only a clear "not allowed" or "not offered" is NOT_REACHABLE, with a warning."""

    def changed_lately(self, record: type[Record], row: str, fields: Collection[str], since: datetime) -> frozenset[str] | None:
        """Return which of these fields of a row were changed at or after an instant, by its audit history;
        creating the row is not a change (IDV-05).

        None: it cannot be determined, because there is no history of the row or of these columns, or it may
            not be read, or was purged since."""

    def retaining(self, records: Collection[type[Record]]) -> frozenset[type[Record]]:
        """Return which of these kinds have rows in long-term retention, or may get some at any moment; cheap,
        and queried again each time. Raises ConnectorError: it cannot be determined, which is never an empty
        answer."""

    def retained_rows(self) -> dict[str, int]:
        """Return how many rows of each mapped table are in long-term retention, out of reach of every read;
        tables without are left out. Raises as `retaining`."""

    def may_purge_retained(self) -> bool:
        """Return whether this account may start and follow the job that deletes rows in long-term retention,
        the only way to delete them."""

    def document_locations(self, rows: Collection[RowKey] | None = None) -> list[DocumentLocation]:
        """Return the rows of the CRM that say in which folder of a document store the documents of a row are;
        of `rows` those that are such, without it all. Raises ConnectorError: it cannot be determined."""

    @property
    def copies(self) -> tuple[str, ...] | None:
        """Copies of rows outside the CRM's tables, as the mapping names them (search index, lake, offline);
        None: nobody has said."""

    @property
    def beyond_reach(self) -> frozenset[str]:
        """Places of ERA-12 that this account may not clean, which the mapping accepts."""

    def residual_data(self, residual: ResidualKind, rows: Collection[RowKey]) -> ResidualData:
        """Return what the CRM keeps of these rows beside them, read to the end; the rows may exist or not.
        Raises ConnectorError: it cannot be determined. Only a clear "not allowed" or "not offered" is
        NOT_REACHABLE, with a warning."""

    def kept(self, residual: ResidualKind, tables: Collection[str]) -> Iterator[RowKey]:
        """Yield every row of these tables, existing or deleted, of which one place keeps something, one row
        perhaps several times: for a caller who has lost the ids that `residual_data` needs. The table is
        empty where the CRM does not name it; rows of other tables may be among them. What this account may
        not look at is left out with a warning, as `residual_data` reports by NOT_REACHABLE.

        Raises ConnectorError: it cannot be determined."""

    def purge(
        self, residual: ResidualKind, rows: Collection[RowKey], *, alive: Collection[RowKey] = (), is_due: IsDue = always_due
    ) -> frozenset[RowKey]:
        """Remove what `residual_data` finds of these rows, of which `alive` still exist. Return the rows for
        which the CRM does not permit it. The outcome for the others has to be checked again: a job of the CRM
        that ended is not proof. What has to wait before it begins, in history, bin
        or long-term retention, does so only where `is_due` still says so."""

    def needs_row_for_history(self) -> bool:
        """Return whether the history of a row can be purged only as long as the row exists: no job of ours
        may delete audit rows."""

    def dependent_rows(self, rows: Collection[RowKey], *, restricting: bool = False) -> list[DependentRow]:
        """Return the rows of unmapped tables that depend on these at any depth, by the CRM's relationships. A
        row that would stay behind although nobody may read its table is reported as `DependentRow` with an
        empty id."""

    def tied_to_people(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return those of these rows, which remain without what was masked, that the row of a contact leads
        to by a lookup that nobody mapped, or by pairs."""

    def depended_on(self, tables: Collection[str]) -> set[str]:
        """Return those of these tables on whose rows any row may depend that `dependent_rows` would report:
        of the others nobody has to know the ids."""

    def taken_along(self) -> frozenset[str]:
        """Return the lookups, as table.column, by which rows would be deleted along with one of a mapped
        table."""

    def pointing(self, record: type[Record], rows: Iterable[str]) -> set[tuple[str, str]]:
        """Return which of these rows of a kind point to which others of them, as pairs of ids, by lookups
        that fill no field. The ids are looked at only where the kind has any."""

    def retained_dependent_rows(self, rows: Collection[RowKey]) -> list[DependentRow]:
        """Return the rows of mapped tables in long-term retention that would be removed along with these,
        which are there too, and are not among them; as `dependent_rows`."""

    def existing(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return which of these rows, of mapped tables or others, exist."""
