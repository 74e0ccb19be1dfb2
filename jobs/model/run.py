"""A run: one plan carried out, its journal and its counts."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.interface.remains import RowKey
from jobs.model.plan import Alarm, Key, Kind
from rules.decoders import converted
from rules.model.bypass import Bypass
from rules.model.records import KINDS, Record

if TYPE_CHECKING:
    from connectors.interface.connector import Connector

INTERRUPTED = "interrupted"  # how people are told of a run that has not ended and that nobody is working on
CHANGED = "CHANGED"  # the code of a unit that is not what was planned any more (RET-17)
AWAITS_TURN = "AWAITS_TURN"  # the code of a unit that goes after another with which it has a row in common; a flag where that may take long
RECORDING_DUE = "RECORDING_DUE"  # the code of a unit that waits for a recording of it which the plan kept and which is due by now
TRIM = "trim"  # the emptying of a contact
WRITTEN_OFF = ("delete", "mask")  # operations after which nothing personal of the row is left
# Marks a contact to which nothing led any more when the run began, as one that was never linked; its code,
# but for a hold. Also one to whom a role in a unit that stays leads: no later run has to make good for it.
UNLINKED = "UNLINKED"
EMPTIED_BEFORE = "EMPTIED_BEFORE"  # the code of a contact that had been trimmed and is back after a restore in another version
REQUEST_UNDONE = "REQUEST_UNDONE"  # the code of a row that a restore has brought back without what was written in it for a request
NEW_FICHE = "NEW_FICHE"  # the code of a dossier that is back after a restore with a fiche that was never erased
CONTINUED = "CONTINUED"  # marks a unit of an earlier plan that this run finished
RUN_KEYS = ("deleted", "anonymised", "skipped", "partial", "failed", "verified", "rows")  # always in the answer of `apply`
CONTENT_BEGUN = "CONTENT_BEGUN"  # marks a unit of which something outside the CRM may have gone and no row
UNANSWERED = "UNANSWERED"  # marks a unit that a run left alone although what it had sent before it was cut off may still take effect
LOOSE = "LOOSE"  # marks a row that a replay removed by itself: no unit of the schedule, so nothing is certified


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    DONE_WITH_FAILURES = "done_with_failures"


class ActionState(StrEnum):
    """A planned unit in the journal. INTENDED stands there before the first write; a run that finds it later
    reads back first."""

    INTENDED = "intended"
    REMOVED = "removed"  # its rows are written; other places are still to be cleaned (ERA-12)
    DONE = "done"
    SKIPPED = "skipped"
    PARTIAL = "partial"
    FAILED = "failed"


class Mask(msgspec.Struct, frozen=True):
    """What an anonymised row shows afterwards: since when (RFC 3339, UTC), and what the mapping has room for
    of its place in the statistics. `is_common`: enough rows of the statistics share that place, so what the
    mapping keeps may stay (ERA-08). `keeps_key`: the key of its pseudonyms outlives the run (ERA-02)."""

    at: str
    is_common: bool = False
    keeps_key: bool = False
    year: int | None = None
    age_band: str | None = None
    province: str | None = None


class RowWrite(msgspec.Struct, frozen=True):
    """One write to one row, in the product's term for its kind. `operation` is delete, mask (in-place
    anonymisation), trim, disown (a role stays and does not say whose it is), drop_caller, unlink_contact,
    unlink_fiche or unlink_dossier; the last three empty the link to `target`, a row that is deleted.

    `object` is the keyed reference of a recording's content outside the CRM, which is deleted before the row
    (ERA-12); its address can hold a name and is in no journal. `bypass` is the custom logic of the CRM that
    the write bypasses. A `retained` row is in long-term retention, where no write reaches it: a job of the
    CRM removes it there once the live rows of its unit are deleted. `table` is said in a journal (but for
    earlier ones), and else where rows of the kind come from several."""

    kind: str
    id: str
    etag: str
    operation: str = "delete"
    target: str = ""
    object: str = ""
    mask: Mask | None = None
    bypass: tuple[Bypass, ...] = ()
    retained: bool = False
    table: str = ""

    def key(self, crm: "Connector") -> RowKey:
        """Return the table of the row in this CRM, and its id."""
        return self.table or crm.tables(KINDS[self.kind])[0], self.id

    def is_mapped(self, crm: "Connector") -> bool:
        """Return whether rows of its table can be read: the mapping may have changed since it was written."""
        kind = KINDS[self.kind]
        return crm.has(kind) and (not self.table or self.table in crm.tables(kind))

    def placed(self, crm: "Connector") -> "RowWrite":
        """Return the same with its table said."""
        return self if self.table else msgspec.structs.replace(self, table=self.key(crm)[0])

    def record(self, crm: "Connector") -> type[Record]:
        """Return the class of the records that rows of its table are."""
        return crm.record(self.kind, self.table)


class DocumentFolder(msgspec.Struct, frozen=True):
    """A folder outside the CRM that is removed before the row of the CRM that names it, `location`, as
    (table, id). `folder` is its id in the document store, which tells nothing of anybody; `files` is how many
    documents lay in it."""

    location: tuple[str, str]
    folder: str
    files: int


TECHNICAL = "SKIPPED_TECHNICAL"  # HLD-13; which of these causes it has is a flag of the unit
CRM_REFUSED, CONTENT_OUT_OF_REACH, ROWS_UNACCOUNTED = "CRM_REFUSED", "CONTENT_OUT_OF_REACH", "ROWS_UNACCOUNTED"
UNACCOUNTED = "UNACCOUNTED:"  # a flag: what stands behind it is the table whose rows keep a unit, which nothing accounts for


class Action(msgspec.Struct, frozen=True):
    """One unit of a plan in the journal of a run.

    `disposition` is delete, anonymise or trim. `rows` are all writes in the order in which they happen, the
    unit's own row last. `code` says why it was skipped or failed. `still_there` are rows that verification
    found again, as (table, id). `categories`, `rule`, `reason` and `end_month` (2026-02) are what the
    certificate says of the decision; `places` is the state of each place of ERA-12, and `audit_entries` how
    many rows of history were deleted; `removed_at` and `verified_at` are RFC 3339 instants in UTC. `along`
    are rows of tables that are not mapped and that the CRM deletes with these, as (table, id). `gone` are
    rows of the unit that were deleted before this action was announced: they are cleaned, read back and
    certified with it. `counted` are those of `rows`, as (table, id), that an earlier run deleted and has in
    its counts, so that this one does not count them. `documents` are folders outside the CRM that are removed
    before the rows. `tried` is when the run started that last tried a unit which stays, an RFC 3339 instant
    in UTC; of one that awaits its turn it is an earlier run, or none. `named` are the contacts whom the unit
    named and of whom its plan said nothing."""

    table: str
    id: str
    disposition: str
    state: ActionState
    code: str = ""
    rows: tuple[RowWrite, ...] = ()
    statistic: dict[str, object] | None = None
    flags: tuple[str, ...] = ()
    still_there: tuple[tuple[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    rule: str = ""
    reason: str = ""
    end_month: str = ""
    places: dict[str, str] = {}
    audit_entries: int = 0
    removed_at: str = ""
    verified_at: str = ""
    along: tuple[tuple[str, str], ...] = ()
    gone: tuple[RowWrite, ...] = ()
    counted: tuple[RowKey, ...] = ()
    documents: tuple[DocumentFolder, ...] = ()
    tried: str = ""
    named: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return (self.table, self.id)

    @property
    def cause(self) -> str:
        """The exact cause where the code is SKIPPED_TECHNICAL; the code itself where nothing says it, as in
        earlier journals."""
        if self.code != TECHNICAL:
            return self.code
        if any(flag.startswith(UNACCOUNTED) for flag in self.flags):
            return ROWS_UNACCOUNTED
        return next((cause for cause in (CONTENT_OUT_OF_REACH, CRM_REFUSED) if cause in self.flags), self.code)

    @property
    def has_retained(self) -> bool:
        """Whether a row of the unit is in long-term retention."""
        return any(write.retained for write in self.rows)

    def unread(self, crm: "Connector") -> list[RowWrite]:
        """Return the writes to rows that cannot be read: the mapping may have lost their table since, or have
        another one for the kind of the unit, in which its row is not."""
        own = [write for write in self.rows[-1:] if not write.is_mapped(crm) or write.key(crm)[0] != self.table]
        return [*own, *(write for write in (*self.gone, *self.rows[:-1]) if not write.is_mapped(crm))]

    @property
    def bypass(self) -> tuple[Bypass, ...]:
        """What of the CRM's custom logic any write of the unit passes by."""
        named = {each for write in (*self.gone, *self.rows) for each in write.bypass}
        return tuple(each for each in Bypass if each in named)


class Erasure(msgspec.Struct, frozen=True):
    """One row that was irreversibly written, as the register of erasures keeps it (ERA-13).

    `ref` is the keyed reference of its table and id; of a trimmed contact that of the version which was
    emptied, since its row lives on and may be filled in again for a reason of its own. `operation` is delete,
    mask or trim; `at` an RFC 3339 instant in UTC."""

    ref: str
    operation: str
    row_table: str
    run: str
    at: str
    reason: str


class StatisticWrite(msgspec.Struct, frozen=True):
    """One write to the statistics: a new row (`etag` is empty), or a total that grows by `adds` from the
    version that was read."""

    id: str
    values: dict[str, object]
    etag: str = ""
    adds: int = 0


class StatisticWrites(msgspec.Struct, frozen=True):
    """The statistics of a run, fixed before they are written, in shuffled order (ERA-16)."""

    rows: tuple[StatisticWrite, ...]
    done: bool = False
    written: int = 0  # how many rows there were, once they are forgotten


COUNTED = ("disposed", "deleted", "anonymised", "trimmed", "skipped", "partial", "failed", "rows")  # what the ledger tells of a run's end

# Counts of a run that also hold contacts which were to be trimmed: `not_trimmed` tells how many, by code.
OF_UNITS = ("skipped", "technical", "partial", "failed")


def of_units_alone(counts: Mapping[str, object]) -> dict[str, Any]:
    """Return the counts of a run without the contacts that it left untrimmed, which have no line in its plan:
    what was disposed of, skipped, failed or went in part adds up to what was planned. What an earlier
    version of the product counted comes back as it is."""
    left: Mapping[str, Mapping[str, int]] = counts.get("not_trimmed") or {}  # type: ignore[assignment]
    found: dict[str, Any] = dict(counts)
    for name, codes in left.items():
        whole = counts.get(name)
        if isinstance(whole, dict):
            found[name] = {code: less for code, number in whole.items() if (less := number - codes.get(code, 0))}
        elif isinstance(whole, int):
            found[name] = whole - sum(codes.values())
    return found


def contacts_not_trimmed(counts: Mapping[str, object]) -> dict[str, int]:
    """Return the contacts that a run was to trim and left, by code, or by `partial` or `failed`."""
    left: Mapping[str, Mapping[str, int]] = counts.get("not_trimmed") or {}  # type: ignore[assignment]
    others = {name: sum(left[name].values()) for name in ("partial", "failed") if name in left}
    return {**left.get("skipped", {}), **others}


class Run(msgspec.Struct, frozen=True):
    """One execution of one plan. `counts` is the answer of `apply` without its head; `alarms`
    are those in it, as people are told them. `reckoned` is what the
    lines of its plan and its journal came to (ACC-03), noted before either has expired;
    `is_journal_gone`: the journal has (ACC-07), and with `are_certificates_gone` its certificates have."""

    id: str
    kind: Kind
    plan: str
    state: RunState
    as_of: datetime
    started_at: datetime
    ended_at: datetime | None = None
    software_version: str = ""
    policy_version: str = ""
    policy_digest: str = ""
    statistics: StatisticWrites | None = None
    counts: dict[str, object] = {}
    alarms: tuple[Alarm, ...] = ()
    reckoned: dict[str, object] = {}
    is_journal_gone: bool = False
    are_certificates_gone: bool = False

    @property
    def is_over(self) -> bool:
        return self.state is not RunState.RUNNING


class RunLine(msgspec.Struct, frozen=True):
    """What a list says of one run, or of a job without a plan, whose `plan` is empty. `deleted`, `anonymised`
    and `skipped` count units, `failed` those that failed or were disposed of in part; `alarms` are codes.
    Both instants are in UTC."""

    id: str
    kind: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None = None
    plan: str = ""
    deleted: int = 0
    anonymised: int = 0
    skipped: int = 0
    failed: int = 0
    alarms: tuple[str, ...] = ()


def alarms_of(run: Run) -> list[Alarm]:
    """Return the alarms with which a run ended, as they were stored with it."""
    return list(run.alarms) or converted(run.counts.get("alarms") or [], list[Alarm])


def run_document(run: Run) -> dict[str, object]:
    """Return what `apply` answers."""
    counts = run.counts
    return {"run": run.id, "plan": run.plan, "state": run.state.value, **{key: counts.get(key) for key in RUN_KEYS}} | {
        key: value for key, value in counts.items() if key not in RUN_KEYS
    }
