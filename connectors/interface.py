"""What a job may ask of a CRM, and of storage outside it. Jobs know connectors by this file only."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from rules.anonymisation.anonymity import Remnant
from rules.errors import ComplianceError
from rules.hints import Hint
from rules.model.bypass import Bypass
from rules.model.data_map import DataMap
from rules.model.kinds import Kinds
from rules.model.records import Record

R = TypeVar("R", bound=Record)


class ConnectorError(ComplianceError):
    """The CRM cannot be reached, refuses, or answered in part. `service_code` is the CRM's own code,
    `request_id` its request's id."""

    exit_code = 4
    code = "crm"

    def __init__(
        self,
        message: str,
        *,
        hint: str | Hint = "",
        where: str = "",
        status: int | None = None,
        service_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint, where=where)
        self.status, self.service_code, self.request_id = status, service_code, request_id


class Unreachable(ConnectorError):
    """No answer: name, connection, TLS or time-out."""

    code = "crm_unreachable"


class Unauthorised(ConnectorError):
    """No token, or the CRM does not accept it."""

    code = "crm_unauthorised"


class Forbidden(ConnectorError):
    """The application user lacks a privilege."""

    code = "crm_forbidden"


class Throttled(ConnectorError):
    """Service protection refused for longer than a run may wait; `retry_after_s`: the CRM's last."""

    code = "crm_throttled"
    retry_after_s: float = 0.0


class ReadIncomplete(ConnectorError):
    """Rows are missing, doubled or unreadable: the read is void, and never means "nothing there"."""

    code = "crm_read_incomplete"


class OperationKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class Operation:
    """One write. `values` are record fields; None empties a column. `etag` is the version that must still be
    there (empty for a create only); a create names its own `id`, so that repeating it is safe.

    A mask anonymises a dossier or fiche in place, as the mapping says: `values` are `anonymised_on` (an aware
    datetime), `is_common` (whether what the mapping keeps may stay, ERA-08), and `year`, `age_band` and
    `province` of its unit in the statistics, which techniques may write. `bypass` is the custom logic of the
    CRM that this write passes by: nothing, unless the schedule says so."""

    kind: OperationKind
    record: type[Record]
    id: str
    etag: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    bypass: frozenset[Bypass] = frozenset()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Operations that happen together or not at all, at most 1,000. `key` is the caller's own name for it."""

    key: str
    operations: tuple[Operation, ...]


class ChangeStatus(StrEnum):
    DONE = "done"
    CHANGED = "changed"  # a row has another version, or is gone: nothing of the change set happened
    HELD = "held"  # a hold has come over a row since it was judged (HLD-07): nothing of the change set happened
    REFUSED = "refused"  # the CRM refused (privilege, restriction, validation): nothing of the change set happened
    UNKNOWN = "unknown"  # no answer that can be trusted: read back before trying again


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The outcome of one change set. `failed` is the index of the operation that was refused, where the CRM
    stated it. `is_outage`: the request as a whole had no answer, or the CRM does not work, and this change
    set is not the cause."""

    key: str
    status: ChangeStatus
    http_status: int | None = None
    service_code: str = ""
    failed: int | None = None
    is_outage: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Among:
    """Restricts a read to rows whose `field` (id or a lookup of the record) is one of `ids`; empty ids read
    nothing, without a request. `in_any_scope`: also rows that no longer meet the conditions under which the
    mapping takes them for this kind; for looking whether a row is gone."""

    field: str
    ids: Sequence[str]
    in_any_scope: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of comparing the mapping with the CRM: an error stops every command (exit 3), a warning is
    shown. `code` says of which sort it is, `suggestion` what was probably meant."""

    is_error: bool
    message: str
    where: str = ""
    code: str = ""
    suggestion: str = ""


RowKey = tuple[str, str]  # logical name of the table, and id


class Trace(StrEnum):
    """What a CRM keeps of a row beside the row itself (ERA-12)."""

    __hash__ = str.__hash__

    TIMELINE = "timeline"  # posts, connections, queue items
    JOBS = "jobs"  # system jobs, processes, synchronisation, import and duplicate detection
    RETAINED = "retained"  # the store of long-term retention
    BIN = "bin"  # the recycle bin
    HISTORY = "history"  # audit rows with old values


class Reach(StrEnum):
    """Whether traces of one kind can be looked at."""

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
class Traces:
    """What was found of some rows, by row; one that is not named has left nothing. `kept_of` are the tables
    of which the CRM keeps such traces now, as far as it reports."""

    reach: Reach
    left: Mapping[RowKey, Left] = field(default_factory=dict)
    kept_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hanging:
    """A row of an unmapped table, and the row that it depends on. `goes`: the CRM deletes it along; else it
    would stay behind."""

    row: RowKey
    on: RowKey
    goes: bool


@dataclass(frozen=True, slots=True)
class DocumentLocation:
    """A row of the CRM that says in which folder the documents of another row, its `owner`, lie. `address` is
    empty where it leads to no site; it can hold a name."""

    row: RowKey
    owner: RowKey | None
    address: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Lying:
    """Rows that are stored elsewhere than among the live ones, as records of the requested kind; none unless
    `reach` is READ."""

    reach: Reach
    rows: tuple[Record, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Content:
    """What one column of one row holds as a file. `media_type` is what the CRM states or what its first bytes
    show, empty where neither does."""

    body: bytes = field(repr=False)
    media_type: str = ""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.body)


@dataclass(frozen=True, slots=True)
class Labels:
    """What a CRM calls a table, the fields of its record, and the options of those that are choices, in one
    language; where it has no word in it, in its own."""

    table: str
    fields: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


@dataclass(slots=True)
class ReadStats:
    """What reading and writing have cost so far; `remembered` are rows that did not have to be fetched again,
    `waited_s` is time spent on keeping to the CRM's limits, `peak_concurrency` how many batches ran at once
    at most."""

    pages: int = 0
    rows: int = 0
    remembered: int = 0
    requests: int = 0
    retries: int = 0
    throttled: int = 0
    waited_s: float = 0.0
    peak_concurrency: int = 0


# Keys of change sets -> those of them that a hold covers at this moment (HLD-07).
Held = Callable[[Collection[str]], Collection[str]]


class Connector(Protocol):
    """One CRM, one account. Methods raise ConnectorError; a read that fails raises, it never ends early.
    `warnings` are what somebody has to look at although the work went on."""

    stats: ReadStats
    warnings: list[str]

    @property
    def recording_media_types(self) -> tuple[str, ...]:
        """Patterns of the media types by which an attachment of a fiche is a recording, e.g. `audio/*`
        (RET-05)."""

    @property
    def all_kinds(self) -> Kinds:
        """The kinds of row of this organisation: those that every one has, and its dependent tables."""

    def check(self, *, in_place: bool = False) -> list[Finding]:
        """Compare the mapping with the CRM's metadata: tables, columns, types, date behaviour, options,
        relationships (DAT-09, R-161). With `in_place` also what masks rows: the policy anonymises in
        place."""

    def check_privileges(self, needs: Mapping[type[Record], Collection[OperationKind]], bypass: Collection[Bypass] = ()) -> list[Finding]:
        """Compare what each account of ours may do with what the jobs need, custom logic that they pass by
        included: errors for what is missing or reaches a part of the rows only, warnings for what is not
        needed."""

    def has(self, record: type[Record]) -> bool:
        """Return whether the organisation maps this kind of record at all."""

    def table(self, record: type[Record]) -> str:
        """Return the table's logical name in the CRM, as plans and reports show it. Where rows of a kind come
        from several tables, each has a class of its own: that of a row that was read (`type(row)`), or of
        `record`. Raises ValueError: the class is that of the kind, and there are several tables."""

    def tables(self, record: type[Record]) -> tuple[str, ...]:
        """Return the logical names of all tables from which records of this class come."""

    def records(self, table: str) -> tuple[type[Record], ...]:
        """Return the classes of the records that come from a table, one for each kind that it holds."""

    def record(self, kind: str, table: str = "") -> type[Record]:
        """Return the class of the records of a kind, by its word, that come from a table; without one, that
        of all of the kind. Raises ValueError: rows of this kind do not come from this table."""

    def kinds(self, table: str, ids: Collection[str]) -> Mapping[str, str | None]:
        """Return the word for the kind of each of these rows of a table, by id: None for one that is out of
        scope; rows that are not there are left out, unless all rows of the table are of one kind. Raises
        ConnectorError: it cannot be determined."""

    def out_of_scope(self, record: type[Record], ids: Collection[str]) -> frozenset[str]:
        """Return which of these ids are those of rows that are there, and that the mapping takes for no kind:
        it says of their table that only some rows are meant. Raises ConnectorError: it cannot be
        determined."""

    def is_derived(self, record: type[Record]) -> bool:
        """Return whether records of this class are no rows of their own: they go with their dossier or fiche,
        and are never written."""

    def is_activity(self, record: type[Record]) -> bool:
        """Return whether people may take part in rows of this class as participants."""

    def names_a_person(self, record: type[Record]) -> bool:
        """Return whether a row of this class is nothing without the person that it names, whose link cannot
        be emptied."""

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None, remembered: bool = False) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once;
        order unspecified.

        A kind that is not mapped yields nothing. Fields that the organisation does not map stay None. With
        `among` every id is looked up, in as many requests as needed. With `remembered` rows may come from an
        earlier read and what has changed since: for plans, never for what is about to be written. Raises
        ReadIncomplete: a page is short, broken, doubled or not decodable, or the CRM's own count differs."""

    def fields(self, record: type[Record]) -> frozenset[str]:
        """Return the fields of this kind that the organisation maps; for a full record also those that only a
        subject request reads."""

    def has_value(self, record: type[Record], field: str, value: object) -> bool:
        """Return whether a field of rows of this kind can say this value: not where it is a choice without an
        option for it."""

    def content(self, record: type[Record], row: str, field: str) -> Content | None:
        """Fetch what a field of type `bytes` holds, whole. None: it holds nothing, or the row does not exist.
        Raises ReadIncomplete: something is there, and it did not come whole or was replaced meanwhile."""

    def lying(self, trace: Trace, record: type[Record], fields: Iterable[str], among: Among | None) -> Lying:
        """Return rows in the recycle bin or in long-term retention (BIN, RETAINED) whose `among.field`, an id
        or a lookup, is one of its ids; without `among` all of them. Raises ConnectorError: it cannot be
        determined. Only a clear "not allowed" or "not offered" is NOT_REACHABLE, with a warning."""

    def changed_lately(self, record: type[Record], row: str, fields: Collection[str], since: datetime) -> frozenset[str] | None:
        """Return which of these fields of a row were changed at or after an instant, by its audit history;
        creating the row is not a change (IDV-05).

        None: it cannot be determined, because there is no history of the row or of these columns, or it may
            not be read, or was purged since."""

    def names(self, table: str, ids: Collection[str] | None = None) -> dict[str, str]:
        """Return the names of rows of any table, mapped or not, by id, as the CRM shows them; none where this
        account may not read the table. Without ids, of all its rows."""

    def labels(self, record: type[Record], language: str) -> Labels:
        """Return what the CRM calls the table of this kind and its columns, in a language (`nl`). Raises
        ConnectorError."""

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

    def unaccounted_columns(self) -> tuple[str, ...]:
        """Return the columns of mapped tables that may hold personal data and that the mapping does not name,
        as `table.column`."""

    def server_time(self) -> datetime | None:
        """Return the time by the CRM's clock, the median of several answers; None where it states none."""

    def total(self, record: type[Record]) -> int | None:
        """Return the CRM's own count of all rows of the table, visible to this account or not; None where it
        keeps none, or counts others with them. It may be a day old."""

    def group_size(self, record: type[Record], waiting: int, usual: int) -> int:
        """Return how many of `waiting` deletes of this kind to judge and pass to `change` together: `usual`,
        or more where that is quicker."""

    def settle_earlier(self) -> None:
        """Wait until nothing that an earlier process of ours began is running in the CRM, so that the next
        read shows how it ended. Raises ConnectorError: it does not end, or that cannot be determined."""

    def tries(self) -> Iterator[None]:
        """Yield once, and again after a while each time, until patience ends: for writes without an answer,
        which are read back before they are sent again."""

    def guarded(self, guard: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `guard` right before each request while the block runs; what it raises ends the work, and
        nothing more is sent."""

    def watched(self, watch: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `watch` before each wait for the CRM and every few seconds of it, while the block runs; what
        it raises ends the work."""

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        """Carry out each change set, all or nothing, and return one result for each, in the order given.
        Nothing is tried twice here: a change set whose answer is lost is UNKNOWN, and the caller reads back.
        `held` is called right before each further request that writes, the first one being the caller's own
        responsibility: what it names is HELD."""

    def document_locations(self, rows: Collection[RowKey] | None = None) -> list[DocumentLocation]:
        """Return the rows of the CRM that say in which folder of a document store the documents of a row lie;
        of `rows` those that are such, without it all. Raises ConnectorError: it cannot be determined."""

    @property
    def copies(self) -> tuple[str, ...] | None:
        """Copies of rows outside the CRM's tables, as the mapping names them (search index, lake, offline);
        None: nobody has said."""

    @property
    def beyond_reach(self) -> frozenset[str]:
        """Places of ERA-12 that this account may not clean, which the mapping accepts."""

    def traces(self, trace: Trace, rows: Collection[RowKey]) -> Traces:
        """Return what the CRM keeps of these rows beside them, read to the end; the rows may exist or not.
        Raises ConnectorError: it cannot be determined. Only a clear "not allowed" or "not offered" is
        NOT_REACHABLE, with a warning."""

    def kept(self, trace: Trace, tables: Collection[str]) -> Iterator[RowKey]:
        """Yield every row of these tables, existing or deleted, of which one place keeps something, one row
        perhaps several times: for a caller who has lost the ids that `traces` needs. The table is empty where
        the CRM does not name it; rows of other tables may be among them. What this account may not look at is
        left out with a warning, as `traces` reports by NOT_REACHABLE.

        Raises ConnectorError: it cannot be determined."""

    def purge(self, trace: Trace, rows: Collection[RowKey], *, alive: Collection[RowKey] = ()) -> frozenset[RowKey]:
        """Remove what `traces` finds of these rows, of which `alive` still exist. Return the rows for which
        the CRM does not permit it. The outcome for the others has to be checked again: a job of the CRM that
        ended is not proof."""

    def needs_row_for_history(self) -> bool:
        """Return whether the history of a row can be purged only as long as the row exists: no job of ours
        may delete audit rows."""

    def hanging(self, rows: Collection[RowKey], *, restricting: bool = False) -> list[Hanging]:
        """Return the rows of unmapped tables that depend on these at any depth, by the CRM's relationships. A
        row that would stay behind although nobody may read its table is reported as `Hanging` with an empty
        id."""

    def data_map(self, *, whole: bool = False) -> DataMap:
        """Return the tables to which relationships lead from a unit or a person, and what becomes of each;
        with `whole` also their columns, all counted. Without it, what was seen minutes ago may be returned
        again. Raises ConnectorError: it cannot be determined."""

    def unsearched_columns(self) -> tuple[str, ...]:
        """Return the columns of mapped tables that have values and from which no field is filled, as
        `kind.column`. Raises as `data_map`."""

    def existing(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return which of these rows, of mapped tables or others, exist."""

    def unmasked(self, masks: Sequence[Operation]) -> set[str]:
        """Return the ids of rows that do not show what these masks write, read back column by column (R-081);
        deleted rows are left out."""

    def remnants(self, record: type[Record]) -> frozenset[Remnant]:
        """Return what masking leaves on rows of this kind because the mapping keeps a column (ERA-02)."""

    def close(self) -> None:
        """Release connections and tokens."""


class ObjectError(ComplianceError):
    """Storage outside the CRM cannot be reached or refuses. No address, which may hold a name, is told."""

    exit_code = 4
    code = "storage"


@dataclass(frozen=True, slots=True)
class Stored:
    """One object that a storage lists: its canonical address, and those of the objects of which its name says
    that it was made of them (a transcript, an index, a thumbnail)."""

    address: str
    made_of: tuple[str, ...] = ()


class ObjectStore(Protocol):
    """One place outside the CRM where the content of recordings is stored. Addresses can hold names: they are
    written to no log and no message. Methods may be called from several threads at once. They raise
    ObjectError; "missing" is an answer, "cannot be determined" is an error."""

    @property
    def described(self) -> str:
        """What kind of place it is, for people, without an address."""

    def canonical(self, address: str) -> str | None:
        """Return the one spelling of an address in this storage; None where it is elsewhere or is not the
        address of one object."""

    def remove(self, address: str) -> None:
        """Remove an object, if there, with its versions and snapshots and what was made of it."""

    def is_there(self, address: str) -> bool:
        """Return whether anything of the object exists: itself, a version, a snapshot, a derivative."""

    def fetch(self, address: str) -> bytes | None:
        """Return the object itself, whole; None where it is missing."""

    def listing(self) -> Iterator[Stored]:
        """Yield everything in this storage, each object once, what was made of others included."""

    def findings(self) -> list[Finding]:
        """Return what somebody has to know about the storage: an error prevents its use, a warning names what
        outlives a removal in it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file below a folder of a document store. `id` is its name for the store alone and tells nothing of
    anybody; `version` is another one after each change. What is no plain file (a notebook, a link to
    something elsewhere) has no content that could be fetched. `folders` are the ids of the folders around it,
    but for the one that was asked for."""

    id: str
    name: str = field(repr=False)
    media_type: str = ""
    version: str = ""
    changed_at: str = ""
    is_plain: bool = True
    folders: tuple[str, ...] = ()


class DocumentStore(Protocol):
    """A place outside the CRM where people keep the documents of its rows, folder by folder. Folders and
    documents are known by ids that tell nothing of anybody; addresses and names are written to no log and no
    message. Methods may be called from several threads at once. They raise ObjectError; "missing" is an
    answer, "cannot be determined" is an error."""

    @property
    def described(self) -> str:
        """What kind of place it is, for people, without an address."""

    def canonical(self, address: str) -> str | None:
        """Return the one spelling of a folder's address; None where it lies outside what the settings name. A
        folder inside another one has that one's spelling and a slash at its beginning."""

    def folder(self, address: str) -> str | None:
        """Return the id of the folder at an address; None where there is none."""

    def documents(self, folder: str) -> Iterator[Document]:
        """Yield all that lies in a folder at any depth, but for folders; nothing where it is missing."""

    def fetch(self, document: str) -> bytes | None:
        """Return a document whole; None where it is missing."""

    def remove(self, folder: str) -> None:
        """Remove a folder, if there, with all that is in it and all versions of that, past any recycle
        bin."""

    def is_there(self, folder: str) -> bool:
        """Return whether a folder exists."""

    def binned(self, addresses: Collection[str]) -> set[str]:
        """Return those of the addresses of folders of which something lies in a recycle bin, whoever put it
        there."""

    def findings(self) -> list[Finding]:
        """Return what somebody has to know about the store: an error prevents its use."""
