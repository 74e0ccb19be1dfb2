"""The version at which each table's definition last changed, for any client that keeps a copy of the schema.
Nobody announces an alteration: the current definitions are compared with those of the last query."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.emulator.errors import WebApiError
from connectors.emulator.querying import cookies
from connectors.emulator.storage.tables import Tables

EXPIRED = "0x80044352"
LIFETIME_DAYS = 90
_TIME = "%m/%d/%Y %H:%M:%S"
Document = dict[str, Any]


class DefinitionVersions:
    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.connection = tables.connection

    def refresh(self, documents: dict[str, Document]) -> None:
        """Assign the next version to every table whose definition is new, changed or removed."""
        found = {name: hashlib.sha256(msgspec.json.encode(document)).hexdigest() for name, document in documents.items()}
        known = dict(self.connection.execute("SELECT name, digest FROM _definitions WHERE gone = 0").fetchall())
        if found == known:
            return
        with self.tables.transaction():
            for name in known.keys() - found.keys():
                self.connection.execute("UPDATE _definitions SET gone = 1, version = ? WHERE name = ?", (self.tables.next_version(), name))
            for name, digest in found.items():
                if known.get(name) != digest:
                    row = (name, documents[name]["MetadataId"], digest, self.tables.next_version())
                    self.connection.execute("INSERT OR REPLACE INTO _definitions VALUES (?, ?, ?, ?, 0)", row)

    def stamp(self) -> str:
        """Return the stamp for this moment; only a stamp that was issued is accepted back."""
        text = f"{self.tables.committed_version}!{self.tables.clock.now().strftime(_TIME)}"
        self.tables.cookies.remember(_digest(text))
        return text

    def version_of(self, stamp: object) -> int:
        """Return the version that a stamp stands for. Raises WebApiError: 400 `0x80044352` for one that has
        expired or was never issued: the client starts again, without one."""
        if isinstance(stamp, str) and self.tables.cookies.knows(_digest(stamp)):
            version, _, time = stamp.partition("!")
            given = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
            if self.tables.clock.now() - given <= timedelta(days=LIFETIME_DAYS):
                return int(version)
        raise WebApiError(400, EXPIRED, "Version stamp associated with the client has expired. Please perform a full sync.")

    def changed_since(self, version: int) -> set[str]:
        """Return changed tables by name."""
        return {row[0] for row in self.connection.execute("SELECT name FROM _definitions WHERE gone = 0 AND version > ?", (version,))}

    def gone_since(self, version: int) -> list[str]:
        """Return removed tables by their MetadataId."""
        statement = "SELECT id FROM _definitions WHERE gone = 1 AND version > ? ORDER BY version"
        return [row[0] for row in self.connection.execute(statement, (version,))]


def _digest(stamp: str) -> int:
    return cookies.digest(f"schema {stamp}")
