"""The recycle bin: deleted rows that can be restored for some days, with all that was deleted along with
them.

The copy of a row is in the `bin` source of its table, with its files; `_binned` records when it came there
and with which row. What is kept, for how long and what prevents a return: Microsoft Learn, "Restore deleted
records with code" and "Restore deleted Microsoft Dataverse table records"."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.schema.environment import Table
from connectors.emulator.storage import sql
from connectors.emulator.storage.sources import BIN, source_of
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Row

REFERENCE = "deleteditemreference"
CONFIG = "recyclebinconfig"
ORGANISATION_WIDE = "organization"  # the name of the configuration that counts where a table has no days of its own
MAX_COLUMNS = 600
MAX_DAYS = 3_650  # a configuration may say 2,147,483,647, which is before all calendars
NEVER_KEPT = {
    *(REFERENCE, CONFIG, "audit", "systemuser", "businessunit"),
    *("appointment", "recurringappointmentmaster"),
    *("asyncoperation", "bulkdeleteoperation", "bulkdeletefailure", "plugintracelog", "processsession", "syncerror"),
}

Configurations = dict[str, tuple[bool, int]]  # table name -> whether its rows are kept, days or -1


@dataclass(frozen=True)
class Binned:
    """One row in the bin."""

    table: Table
    values: Row

    @property
    def row_id(self) -> str:
        return str(self.values[self.table.key])


class RecycleBin:
    """Keeps what is deleted, as long as the organisation has a bin at all."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.environment = tables.environment
        self.connection = tables.connection
        self._empty: object = None  # the `changes` of the tables up to which nothing is in it
        self._purged: tuple[str, int, Configurations] | None = None  # when last, and how long things were kept then

    # -- what a `WriteListener` answers ----------------------------------------------------------------------

    def wants(self, table: Table) -> bool:
        """Return True for every table while the bin is on, also for those that it does not keep: the row that
        a delete began with may be one of them."""
        return self.tables.switches.recycle_bin_days > 0 or table.name == REFERENCE

    def created(self, table: Table, row_id: str, values: Row, user: str) -> None:
        """Do nothing: nothing is kept of it."""

    def updated(self, table: Table, row_id: str, before: Row, after: Row, user: str) -> None:
        """Do nothing: nothing is kept of it."""

    def deleted(self, rows: Sequence[tuple[Table, Row]], user: str, *, recoverable: bool) -> None:
        for table, row in rows:
            if table.name == REFERENCE and self.tables.switches.reference_delete_purges and row["deletedobject"]:
                self.discard(self.environment.tables[row["deletedobject__type"]], row["deletedobject"])
        if not recoverable or self.tables.switches.recycle_bin_days <= 0:
            return
        configurations = self._configurations()
        root_table, root = rows[-1]
        now = self.tables.clock.text()
        for table, row in rows:
            kept, _ = configurations.get(table.name, (True, -1))
            if kept and table.name not in NEVER_KEPT and len(table.columns) <= MAX_COLUMNS and not self.holds(table, row[table.key]):
                self._keep(table, row, (root_table, root[root_table.key]), now, user)

    def _keep(self, table: Table, row: Row, root: tuple[Table, str], now: str, user: str) -> None:
        row_id = row[table.key]
        source = source_of(table, BIN)
        self.connection.execute(sql.insert(source, list(row)), tuple(row.values()))
        self.connection.execute("INSERT INTO _binned VALUES (?, ?, ?, ?, ?)", (table.name, row_id, root[0].name, root[1], now))
        self._move_files(table.name, source, row_id)  # out of reach of the delete that goes on
        along = (root[0].name, root[1]) if root != (table, row_id) else (None, None)
        values = {
            "deleteditemreferenceid": str(uuid.uuid4()),
            "name": row[table.primary_name],
            "deletedobject": row_id,
            "deletedobject__type": table.name,
            "regardingobjectid": along[1],
            "regardingobjectid__type": along[0],
            "createdon": now,
            "createdby": user,
            "versionnumber": self.tables.next_version(),
        }
        self.tables.insert(self.environment.tables[REFERENCE], values, user)

    def _move_files(self, source: str, destination: str, row_id: str) -> None:
        where = [f"{sql.name('tab')} = ?", f"{sql.name('row_id')} = ?"]
        self.connection.execute(sql.update("_files", ["tab"], where), (destination, source, row_id))

    def _configurations(self) -> Configurations:
        found = self.connection.execute(sql.select(["name", "statecode", "cleanupintervalindays"], sql.name(CONFIG)))
        return {str(name).lower(): (state != 1, -1 if days is None else int(days)) for name, state, days in found}

    # -- what is in it ---------------------------------------------------------------------------------------

    def holds(self, table: Table, row_id: str) -> bool:
        return self.connection.execute("SELECT 1 FROM _binned WHERE tab = ? AND row_id = ?", (table.name, row_id)).fetchone() is not None

    def together(self, table: Table, row_id: str) -> list[Binned]:
        """Return a row in the bin and, if a delete began with it, all that was deleted along and is there:
        the row itself first."""
        if not self.holds(table, row_id):
            return []
        found = self.connection.execute("SELECT tab, row_id FROM _binned WHERE root_tab = ? AND root_id = ?", (table.name, row_id))
        along = [key for key in found if key != (table.name, row_id)]
        return [self._binned(self.environment.tables[name], each) for name, each in [(table.name, row_id), *along]]

    def _binned(self, table: Table, row_id: str) -> Binned:
        names = table.stored_columns
        where = [f"{sql.name(table.key)} = ?"]
        found = self.connection.execute(sql.select([sql.name(n) for n in names], sql.name(source_of(table, BIN)), where), (row_id,))
        return Binned(table, dict(zip(names, found.fetchone(), strict=True)))

    def take_back(self, binned: Binned, user: str) -> None:
        """Make a row live again, as it was but for its version; the caller has made sure that nothing is
        in its place."""
        table, row_id = binned.table, binned.row_id
        self._move_files(source_of(table, BIN), table.name, row_id)
        self.discard(table, row_id)
        self.tables.insert(table, {**binned.values, "versionnumber": self.tables.next_version()}, user)
        for relation in table.children:
            if relation.child == "activityparty" and relation.column == "partyid":
                where = [f"{sql.name('partyid')} = ?", f"{sql.name('partyid__type')} = ?"]
                self.connection.execute(sql.update("activityparty", ["ispartydeleted"], where), (0, row_id, table.name))

    def discard(self, table: Table, row_id: str) -> None:
        """Forget the copy of a row, its files and what refers to it."""
        source = source_of(table, BIN)
        self.connection.execute(sql.delete(source, [f"{sql.name(table.key)} = ?"]), (row_id,))
        self.connection.execute("DELETE FROM _binned WHERE tab = ? AND row_id = ?", (table.name, row_id))
        self.connection.execute("DELETE FROM _files WHERE tab = ? AND row_id = ?", (source, row_id))
        where = [f"{sql.name('deletedobject')} = ?", f"{sql.name('deletedobject__type')} = ?"]
        self.connection.execute(sql.delete(REFERENCE, where), (row_id, table.name))

    # -- expiry ----------------------------------------------------------------------------------------------

    def purge(self) -> None:
        """Remove what has been kept long enough. Every operation begins with it: cheap when just done, or
        when the bin is empty."""
        changes = self.tables.changes
        if changes == self._empty:
            return
        if self.connection.execute("SELECT 1 FROM _binned LIMIT 1").fetchone() is None:
            self._empty = changes
            return
        moment = (self.tables.clock.text(), self.tables.switches.recycle_bin_days, self._configurations())
        if moment == self._purged:
            return
        self._purged = moment
        for (name,) in self.connection.execute("SELECT DISTINCT tab FROM _binned").fetchall():
            table = self.environment.tables[name]
            until = instant_text(self.tables.clock.now() - timedelta(days=self._days(name, moment[2])))
            expired = self.connection.execute("SELECT row_id FROM _binned WHERE tab = ? AND deletedon <= ?", (name, until)).fetchall()
            if expired:
                with self.tables.transaction():
                    for (row_id,) in expired:
                        self.discard(table, row_id)

    def _days(self, table: str, configurations: Configurations) -> int:
        """Return how long rows of a table are kept: its days, else the organisation's; none: bin off."""
        organisation = self.tables.switches.recycle_bin_days
        if organisation <= 0:
            return 0
        own = [configurations[name][1] for name in (table, ORGANISATION_WIDE) if name in configurations]
        return min(next((days for days in own if days > 0), organisation), MAX_DAYS)
