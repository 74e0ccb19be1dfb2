"""The audit history of rows: how it is found and purged, and how it is purged where no job may delete it.

A job deletes the audit rows of any row, existing or deleted, and with them the entries of the deletion
itself, which hold the last values. Where this account may start none, each row's history is removed by
`DeleteRecordChangeHistory`. Whether that works for a deleted row differs between CRMs, so in that case it has
to happen before the row is deleted, and the entry of the deletion stays. Source: the reference, section 11.3;
ERA-12, ERA-15."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

import msgspec

from connectors.dynamics.http import faults
from connectors.dynamics.http.answers import UNREADABLE, NotDue
from connectors.dynamics.http.query import guid, literal, query_string
from connectors.dynamics.http.retry import REPEATABLE
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.residual.purge_job import Ended, Purging, queries_for
from connectors.dynamics.schema.unmapped_tables import REFUSED, Directory, KnownTable, NotOffered
from connectors.interface.changes import IsDue
from connectors.interface.errors import ConnectorError, Forbidden, warn_once
from connectors.interface.remains import Left, Reach, ResidualData, RowKey
from rules.decoders import decoder_of

AUDIT = "audit"
MESSAGE = "DeleteRecordChangeHistory"
LOG_DELETION = 111  # an action: that audit rows were removed, with an id perhaps, without any value
ORGANISATION = "organization"
UPDATE = 2  # an operation


class _Change(msgspec.Struct):
    column: str = msgspec.field(name="logicalName")


class _Changes(msgspec.Struct):
    changed: list[_Change] = msgspec.field(name="changedAttributes")


class History:
    """Audit rows of one CRM, by one account."""

    def __init__(self, transport: Transport, directory: Directory, purging: Purging, warnings: list[str]) -> None:
        self._transport, self._directory, self._purging, self._warnings = transport, directory, purging, warnings
        self._no_jobs: str | None = None  # why no job may delete audit rows; empty: one may; None: not looked at yet
        self._no_messages = False  # nor may the history of one row be removed
        self._gone_refused = False  # nor that of a row that is gone
        self._is_on: bool | None = None
        self._was_read = False

    def find(self, rows: Collection[RowKey]) -> ResidualData:
        """Return how many audit rows there are of each row. Raises as `Connector.residual_data`; so where the
        history was read before: a right that is lost meanwhile may come back, and what is not reachable would
        never be looked at again."""
        table = self._directory.table(AUDIT)
        if table is None:
            return ResidualData(Reach.NOT_KEPT)
        by_id = {key[1]: key for key in rows}
        try:
            found = self._directory.rows(table, "_objectid_value", list(by_id), "action,_objectid_value", f"action ne {LOG_DELETION}")
            counts = Counter(str(row["_objectid_value"]).lower() for row in found)
        except NotOffered as refusal:
            if self._was_read:
                raise Forbidden(f"the audit history could be read before, and cannot now: {refusal.reason}") from None
            warn_once(self._warnings, f"the audit history cannot be read: {refusal.reason}")
            return ResidualData(Reach.NOT_REACHABLE)
        self._was_read = self._was_read or bool(by_id)
        left = {by_id[one]: Left(AUDIT, number) for one, number in counts.items() if one in by_id}
        return ResidualData(Reach.READ, left, self._audited({name for name, _ in rows}))

    def kept(self, tables: Collection[str]) -> Iterator[RowKey]:
        """Yield the rows of these tables, existing or deleted, of which audit rows are kept, those of one row
        perhaps several times. Raises as `Connector.kept`."""
        table = self._directory.table(AUDIT)
        if table is None:
            return
        try:
            for name in sorted(tables):
                about = f"objecttypecode eq {literal(name)} and action ne {LOG_DELETION}"
                for row in self._directory.where(table, about, "_objectid_value"):
                    if row.get("_objectid_value"):
                        yield name, str(row["_objectid_value"]).lower()
        except NotOffered as refusal:
            warn_once(self._warnings, f"the audit history cannot be read: {refusal.reason}")

    def changed(self, row: RowKey, columns: Collection[str], since: datetime) -> frozenset[str] | None:
        """Return which of these columns of a row were changed at or after an instant; None where the history
        does not show it. Raises ConnectorError: it cannot be read now, and perhaps later."""
        table = self._directory.table(AUDIT)
        if table is None or row[0] not in self._audited({row[0]}):
            return None
        instant = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        also = f"createdon ge {instant} and (action eq {LOG_DELETION} or operation eq {UPDATE})"
        try:
            rows = list(self._directory.rows(table, "_objectid_value", [row[1]], "action,changedata", also))
        except NotOffered as refusal:
            warn_once(self._warnings, f"the audit history cannot be read: {refusal.reason}")
            return None
        if any(each.get("action") == LOG_DELETION for each in rows):
            return None  # what was removed may have told of a change
        found: set[str] = set()
        for each in rows:
            try:
                changes = decoder_of(_Changes).decode(each["changedata"] or "")
            except UNREADABLE:
                return None
            found |= {change.column for change in changes.changed}
        found &= set(columns)
        return frozenset(found) if found or self._all_audited(row[0], columns) else None

    def _all_audited(self, name: str, columns: Collection[str]) -> bool:
        """Return whether the changes of each of these columns are logged, so no entry means no change."""
        condition = " or ".join(f"LogicalName eq {literal(column)}" for column in sorted(columns))
        query = query_string({"$select": "LogicalName,IsAuditEnabled", "$filter": condition})
        answer = self._transport.get(f"EntityDefinitions(LogicalName={literal(name)})/Attributes?{query}", where=name)
        try:
            told = {item["LogicalName"]: item.get("IsAuditEnabled") for item in msgspec.json.decode(answer.body)["value"]}
        except UNREADABLE:
            return False
        return all(isinstance(each := told.get(column), dict) and each.get("Value") is True for column in columns)

    def purge(self, rows: Collection[RowKey], alive: Collection[RowKey], is_due: IsDue) -> frozenset[RowKey]:
        """Remove all audit rows of these rows; gives those of which this account may not. Raises as
        `Connector.purge`."""
        table = self._directory.table(AUDIT)
        if table is None or not rows:
            return frozenset()
        if not self.why_no_jobs():
            queries = queries_for(AUDIT, table.primary_id, "objectid", {row for _, row in rows})
            ended = self._purging.run("the audit history", queries, is_due)
            if ended is not Ended.NOT_ALLOWED:
                return frozenset()
            self._no_jobs = "the CRM refuses a job that deletes audit rows"
        return self._one_by_one(rows, alive, is_due)

    def why_no_jobs(self) -> str:
        """Return why no job may delete audit rows, empty where one may."""
        if self._no_jobs is None:
            lacking = self._purging.lacking.bulk_delete or self._purging.lacking.audit
            self._no_jobs = f"the application user lacks {lacking}" if lacking else ""
        return self._no_jobs

    def _one_by_one(self, rows: Collection[RowKey], alive: Collection[RowKey], is_due: IsDue) -> frozenset[RowKey]:
        """Remove the history of each row by itself, those of existing rows first, until one that had to
        wait is not due any more."""
        refused: set[RowKey] = set()
        living = set(alive)
        for key in sorted(rows, key=lambda each: (each not in living, each)):
            table = self._directory.table(key[0])
            if table is None or self._no_messages or (self._gone_refused and key not in living):
                refused.add(key)
                continue
            try:
                status = self._delete(table, key[1], is_due)
            except NotDue:
                break
            if status == 404 and key not in living:
                self._gone_refused = True
                warn_once(self._warnings, f"what a deletion itself writes into the audit history stays: {self._no_jobs}")
            elif status:
                self._no_messages = True
                warn_once(
                    self._warnings, f"the audit history cannot be purged: {self._no_jobs}, and row by row the CRM refuses too ({status})"
                )
            if status:
                refused.add(key)
        return frozenset(refused)

    def _delete(self, table: KnownTable, row: str, is_due: IsDue) -> int:
        """Purge one row's history and return the status of a clear refusal, else 0. Raises NotDue: it had to
        wait, and shall not be purged any more; ConnectorError: the outcome cannot be determined."""
        target = {"@odata.type": f"Microsoft.Dynamics.CRM.{table.name}", table.primary_id: guid(row)}
        answer = self._transport.send("POST", MESSAGE, {"Target": target}, where=MESSAGE, again=REPEATABLE, is_due=is_due)
        if answer.status < 300:
            return 0
        if answer.status in REFUSED:
            return answer.status
        raise faults.error(faults.fault(answer.status, answer.body), request=answer.request_id, where=MESSAGE)

    def _audited(self, names: Collection[str]) -> frozenset[str]:
        if self._is_on is None:
            self._is_on = self._organisation_audits()
        known = self._directory.known(names)
        return frozenset(name for name, table in known.items() if table.audited) if self._is_on else frozenset()

    def _organisation_audits(self) -> bool:
        """Return whether the organisation audits at all; assumed where it does not say."""
        try:
            answer = self._transport.get("organizations?$select=isauditenabled", where=ORGANISATION)
            return bool(msgspec.json.decode(answer.body)["value"][0]["isauditenabled"] is not False)
        except ConnectorError as failure:
            if failure.status in (400, *REFUSED):
                return True
            raise
        except UNREADABLE:
            return True
