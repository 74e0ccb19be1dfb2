"""Writes: what happens together or not at all, and how it ended."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rules.anonymisation.anonymity import Remnant
from rules.model.bypass import Bypass
from rules.model.records import Record


class OperationKind(StrEnum):
    """What one write does to its row."""

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
    """How a change set ended. After all but DONE and UNKNOWN nothing of it has happened."""

    DONE = "done"
    CHANGED = "changed"  # a row has another version, or is gone
    HELD = "held"  # a hold has come over a row since it was judged (HLD-07)
    REFUSED = "refused"  # the CRM refused (privilege, restriction, validation)
    UNKNOWN = "unknown"  # no answer that can be trusted: read back before trying again


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The outcome of one change set. `is_outage`: the request as a whole had no answer, or the CRM does not
    work, and this change set is not the cause."""

    key: str
    status: ChangeStatus
    service_code: str = ""
    is_outage: bool = field(default=False, compare=False)


# Keys of change sets -> those of them that a hold covers at this moment (HLD-07).
Held = Callable[[Collection[str]], Collection[str]]

IsDue = Callable[[], bool]  # whether something shall still be sent that had to wait


def always_due() -> bool:
    """What goes whatever happens while it waits."""
    return True


class Changes(Protocol):
    """Writing."""

    def group_size(self, record: type[Record], waiting: int, usual: int) -> int:
        """Return how many of `waiting` deletes of this kind to judge and pass to `change` together: `usual`,
        or more where that is quicker."""

    def reconcile_earlier(self) -> None:
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
        `held` is called right before each request that writes: what it names is HELD."""

    def unmasked(self, masks: Sequence[Operation]) -> set[str]:
        """Return the ids of rows that do not show what these masks write, read back column by column (R-081);
        deleted rows are left out."""

    def remnants(self, record: type[Record]) -> frozenset[Remnant]:
        """Return what masking leaves on rows of this kind because the mapping keeps a column (ERA-02)."""
