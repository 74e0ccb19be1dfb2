"""What a job may ask of a CRM. Jobs know connectors by this file only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from rules.errors import ComplianceError
from rules.records import Record

R = TypeVar("R", bound=Record)


class ConnectorError(ComplianceError):
    """The CRM cannot be reached, refuses, or answered in part. `service_code` is the CRM's own code, `request_id` its request's id."""

    exit_code = 4
    code = "crm"

    def __init__(
        self, message: str, *, hint: str = "", where: str = "", status: int | None = None, service_code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message, hint=hint, where=where)
        self.status = status
        self.service_code = service_code
        self.request_id = request_id


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
    """Service protection refused for longer than the run may wait; `retry_after_s` is what the CRM asked for last."""

    code = "crm_throttled"
    retry_after_s: float = 0.0


class ReadIncomplete(ConnectorError):
    """Rows are missing, doubled or not readable: the read is worth nothing, and never means "nothing there"."""

    code = "crm_read_incomplete"


class OperationKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Operation:
    """One write. `values` are record fields; None empties a column. `etag` is the version that must still be there (never empty for
    update and delete); a create names its own `id`, so that repeating it is safe."""

    kind: OperationKind
    record: type[Record]
    id: str
    etag: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


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
    """What became of one change set. `failed` is the index of the operation that was refused, where the CRM told."""

    key: str
    status: ChangeStatus
    http_status: int | None = None
    service_code: str = ""
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class Among:
    """Restricts a read to rows whose `field` (id or a lookup of the record) is one of `ids`; empty ids read nothing, without a request."""

    field: str
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of comparing the mapping with the CRM: an error stops every command (exit 3), a warning is shown."""

    is_error: bool
    message: str
    where: str = ""


@dataclass(slots=True)
class ReadStats:
    """What reading and writing have cost so far; `remembered` are rows that did not have to be fetched again, `waited_s` is time spent on
    keeping to the CRM's limits, `peak_concurrency` how many batches ran at once at most."""

    pages: int = 0
    rows: int = 0
    remembered: int = 0
    requests: int = 0
    retries: int = 0
    throttled: int = 0
    waited_s: float = 0.0
    peak_concurrency: int = 0


class Connector(Protocol):
    """One CRM, one account. Methods raise ConnectorError; a read that fails raises, it never ends early. `warnings` are what somebody has
    to look at although the work went on."""

    stats: ReadStats
    warnings: list[str]

    @property
    def recording_media_types(self) -> tuple[str, ...]:
        """Patterns of the media types by which an attachment of a fiche is a recording, e.g. `audio/*` (RET-05)."""
        ...

    def check(self) -> list[Finding]:
        """Compare the mapping with the CRM's metadata: tables, columns, types, date behaviour, options, relationships (DAT-09, R-161)."""
        ...

    def check_privileges(self, needs: Mapping[type[Record], Collection[OperationKind]]) -> list[Finding]:
        """Compare what each account of ours may do with what the jobs need: errors for what is missing or reaches a part of the rows only,
        warnings for what is not needed."""
        ...

    def has(self, record: type[Record]) -> bool:
        """Whether the organisation maps this kind of record at all."""
        ...

    def table(self, record: type[Record]) -> str:
        """The table's logical name in the CRM, as plans and reports show it."""
        ...

    def record(self, table: str) -> type[Record] | None:
        """The kind of record that is mapped to this table, or None."""
        ...

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None, remembered: bool = False) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once; order unspecified.

        A kind that is not mapped yields nothing. Fields that the organisation does not map stay None. With `among` every id is looked
        up, in as many requests as needed. With `remembered` rows may come from an earlier read and what has changed since: for plans, never
        for what is about to be written.

        Raises:
            ReadIncomplete: a page is short, broken, doubled or not decodable, or the CRM's own count differs.
        """
        ...

    def total(self, record: type[Record]) -> int | None:
        """The CRM's own count of all rows of the table, visible to this account or not; None where it keeps none. May be a day old."""
        ...

    def group_size(self, record: type[Record], waiting: int, usual: int) -> int:
        """How many of `waiting` deletes of this kind to judge and hand to `change` together: `usual`, or more where that is quicker."""
        ...

    def settle_earlier(self) -> None:
        """Wait until nothing is under way in the CRM that an earlier process of ours has begun, so that what is read next is how it ended.

        Raises:
            ConnectorError: it does not end, or that cannot be told.
        """
        ...

    def change(self, change_sets: Sequence[ChangeSet]) -> list[ChangeResult]:
        """Carry out each change set, all or nothing, and say what became of it: one result for each, in the order given.

        Nothing is tried twice here: a change set whose answer is lost is UNKNOWN, and the caller reads back.
        """
        ...

    def close(self) -> None:
        """Release connections and tokens."""
        ...
