"""What this CRM keeps of rows beside the rows themselves, by place: found and purged (ERA-12)."""

from collections.abc import Callable, Collection, Iterator

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.residual.audit_history import AUDIT, History
from connectors.dynamics.residual.bin_and_retention import BIN, RETAINED, BinOrRetention
from connectors.dynamics.residual.platform_rows import JOBS, TIMELINE, ResidualRows
from connectors.dynamics.residual.purge_job import Purging
from connectors.dynamics.schema.capabilities import Capability, is_online
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.dynamics.writing.remove_platform_rows import Removing
from connectors.interface.changes import IsDue
from connectors.interface.errors import ConnectorError, ReadIncomplete
from connectors.interface.remains import ResidualData, ResidualKind, RowKey


class ResidualPlaces:
    """The places of one CRM, looked at and cleaned by one account."""

    def __init__(
        self, transport: Transport, directory: Directory, removing: Removing, user: Callable[[], str], warnings: list[str]
    ) -> None:
        self._transport, self._directory = transport, directory
        purging = Purging(transport, directory, user, warnings)
        self.history = History(transport, directory, purging, warnings)
        self._purging = purging
        self._others: dict[ResidualKind, ResidualRows | BinOrRetention] = {
            ResidualKind.TIMELINE: ResidualRows("what stands in timelines", TIMELINE, directory, removing, warnings),
            ResidualKind.JOBS: ResidualRows("what jobs leave", JOBS, directory, removing, warnings),
            ResidualKind.RETAINED: BinOrRetention(RETAINED, directory, purging, removing, warnings),
            ResidualKind.BIN: BinOrRetention(BIN, directory, purging, removing, warnings),
        }

    def find(self, residual: ResidualKind, rows: Collection[RowKey]) -> ResidualData:
        """Return what remains of these rows in one place. Raises as `Connector.residual_data`."""
        return self.history.find(rows) if residual is ResidualKind.HISTORY else self._others[residual].find(rows)

    def kept(self, residual: ResidualKind, tables: Collection[str]) -> Iterator[RowKey]:
        """Yield the rows of which one place keeps something. Raises as `Connector.kept`."""
        if residual is ResidualKind.HISTORY:
            return self.history.kept(tables)
        other = self._others[residual]
        return other.kept() if isinstance(other, ResidualRows) else other.kept(tables)

    def purge(self, residual: ResidualKind, rows: Collection[RowKey], alive: Collection[RowKey], is_due: IsDue) -> frozenset[RowKey]:
        """Remove it; gives the rows of which that is not allowed. Raises as `Connector.purge`."""
        if residual is ResidualKind.HISTORY:
            return self.history.purge(rows, alive, is_due)
        other = self._others[residual]
        return other.purge(rows) if isinstance(other, ResidualRows) else other.purge(rows, is_due)

    def existing(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return which of these rows exist. Raises as `Connector.existing`."""
        found: set[RowKey] = set()
        for name, table in self._directory.known(name for name, _ in rows).items():
            try:
                found |= {(name, row) for row in self._directory.existing(table, {row for of, row in rows if of == name})}
            except NotOffered as refusal:
                raise ReadIncomplete(f"Whether rows are there cannot be told: {refusal.reason}", where=name) from None
        return found

    def may_run_jobs(self) -> bool:
        """Return whether this account may start and follow the jobs that clean. Raises as `residual_data`."""
        return not self._purging.lacking.bulk_delete

    def capabilities(self) -> list[Capability]:
        """Return whether history and bin can be cleaned, and why not."""
        return [self._history_capability(), self._jobs_capability()]

    def _history_capability(self) -> Capability:
        name = "audit history"
        table = self._directory.table(AUDIT)
        if table is None:
            return Capability(name, False, "this CRM keeps none")
        try:
            self._directory.is_empty(table)
            reason = self.history.why_no_jobs()
        except (NotOffered, ConnectorError) as refusal:
            return Capability(name, False, f"cannot be read, so it is recorded as not reachable: {refusal}")
        if reason:
            return Capability(name, False, f"{reason}: what a deletion itself writes stays, and is recorded as not reachable")
        return Capability(name, True, "a job removes what is kept of rows that are gone")

    def _jobs_capability(self) -> Capability:
        name = "emptying the recycle bin"
        try:
            if not is_online(self._transport):
                return Capability(name, False, "online only")
            lacking = self._purging.lacking.bulk_delete
        except ConnectorError as failure:
            return Capability(name, False, f"could not be asked: {failure}")
        if lacking:
            reason = (
                f"the application user lacks {lacking}: what lies in the bin stays until it expires, and its unit is not done until then"
            )
            return Capability(name, False, reason)
        return Capability(name, True, "a job removes our rows from it, and from long-term retention")
