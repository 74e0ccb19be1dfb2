"""A run: one plan carried out, its journal and its counts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from jobs.plan import Kind


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    DONE_WITH_FAILURES = "done_with_failures"


class ActionState(StrEnum):
    """A planned unit in the journal. INTENDED stands there before the first write; a run that finds it later reads back first."""

    INTENDED = "intended"
    DONE = "done"
    SKIPPED = "skipped"
    PARTIAL = "partial"
    FAILED = "failed"


class RowWrite(msgspec.Struct, frozen=True):
    """One write to one row, in the product's word for its kind. `operation` is delete, trim, unlink_fiche or unlink_dossier; the last two
    empty the link to `target`, a row that goes."""

    kind: str
    id: str
    etag: str
    operation: str = "delete"
    target: str = ""


class Action(msgspec.Struct, frozen=True):
    """One unit of a plan in the journal of a run.

    `disposition` is delete, anonymise or trim. `rows` are all writes in the order in which they happen, the unit's own row last.
    `code` says why it was skipped or failed. `still_there` are rows that verification found again, as (table, id).
    """

    table: str
    id: str
    disposition: str
    state: ActionState
    code: str = ""
    rows: tuple[RowWrite, ...] = ()
    statistic: dict[str, object] | None = None
    flags: tuple[str, ...] = ()
    still_there: tuple[tuple[str, str], ...] = ()


class StatisticWrite(msgspec.Struct, frozen=True):
    """One write to the statistics: a new row (`etag` is empty), or a total that grows by `adds` from the version that was read."""

    id: str
    values: dict[str, object]
    etag: str = ""
    adds: int = 0


class StatisticWrites(msgspec.Struct, frozen=True):
    """The statistics of a run, fixed before they are written, in shuffled order (ERA-16)."""

    rows: tuple[StatisticWrite, ...]
    done: bool = False
    written: int = 0  # how many rows there were, once they are forgotten


class Run(msgspec.Struct, frozen=True):
    """One execution of one plan. `counts` is the answer of `apply` without its head."""

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

    @property
    def is_over(self) -> bool:
        return self.state is not RunState.RUNNING
