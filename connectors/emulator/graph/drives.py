"""Sites, their document libraries and what is in these, in the same database as the rows. A name is unique
in its folder, upper or lower case. What is deleted is in the recycle bin of its site for 93 days, in its
first or second stage; what is deleted permanently does not."""

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from connectors.emulator.conditions.clock import Clock, instant_text
from connectors.emulator.storage.tables import Tables

BIN_DAYS = 93  # Microsoft Learn, "Manage the Recycle Bin of a SharePoint site"
KINDS = ("file", "folder", "package", "shortcut")
LOCKS = ("", "checked_out", "label", "hold")
_SPACE = uuid.UUID("5b8c1d1e-6f3c-4a0e-9d0b-3a53de1f0a01")
_TABLES = (
    "CREATE TABLE IF NOT EXISTS _graph_sites (id TEXT PRIMARY KEY, host TEXT, path TEXT)",
    "CREATE TABLE IF NOT EXISTS _graph_drives (id TEXT PRIMARY KEY, site TEXT, name TEXT, root TEXT)",
    """CREATE TABLE IF NOT EXISTS _graph_items (
        id TEXT PRIMARY KEY, drive TEXT, parent TEXT, name TEXT COLLATE NOCASE, kind TEXT, content BLOB, media_type TEXT, lock TEXT,
        version INTEGER, changed TEXT, UNIQUE (parent, name))""",
    "CREATE TABLE IF NOT EXISTS _graph_versions (item TEXT, version INTEGER, content BLOB, PRIMARY KEY (item, version))",
    "CREATE TABLE IF NOT EXISTS _graph_bin (id TEXT PRIMARY KEY, site TEXT, name TEXT, place TEXT, size INTEGER, at TEXT, stage INTEGER)",
)


@dataclass(frozen=True)
class Site:
    id: str
    host: str
    path: str  # without a slash at either end; empty for the root site

    @property
    def url(self) -> str:
        return f"https://{self.host}/{self.path}".rstrip("/")


@dataclass(frozen=True)
class Drive:
    id: str
    site: str
    name: str
    root: str


@dataclass(frozen=True)
class DriveItem:
    """A file, a folder, a package (a notebook of OneNote), or a shortcut to something elsewhere. `lock` is
    why it cannot be deleted, empty where it can."""

    id: str
    drive: str
    parent: str | None
    name: str
    kind: str
    media_type: str
    lock: str
    version: int
    changed: str
    size: int


@dataclass(frozen=True)
class Binned:
    id: str
    name: str
    place: str
    size: int
    at: str


class Locked(Exception):
    """An item, or one inside it, is kept from deletion; says by what."""


class Drives:
    """What all sites hold. Callers hold the lock of the tables."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables, self._clock = tables, clock
        for statement in _TABLES:
            self._sql.execute(statement)

    @property
    def _sql(self) -> sqlite3.Connection:
        return self._tables.connection

    def clear(self) -> None:
        for table in ("sites", "drives", "items", "versions", "bin"):
            self._sql.execute(f"DELETE FROM _graph_{table}")  # noqa: S608 - a name of our own

    # -- sites and libraries ---------------------------------------------------------------------------------

    def add_site(self, address: str) -> Site:
        """Return the site at an address, made if it is new."""
        parts = urlsplit(address)
        host, path = (parts.hostname or "").lower(), unquote(parts.path).strip("/")
        found = self.site_at(host, path)
        if found is None:
            ids = [str(uuid.uuid5(_SPACE, f"{kind} {host}/{path.lower()}")) for kind in ("collection", "site")]
            found = Site(",".join([host, *ids]), host, path)
            self._sql.execute("INSERT INTO _graph_sites VALUES (?, ?, ?)", (found.id, host, path))
        return found

    def site_at(self, host: str, path: str) -> Site | None:
        found = self._sql.execute(
            "SELECT id, host, path FROM _graph_sites WHERE host = ? AND path = ? COLLATE NOCASE", (host.lower(), path.strip("/"))
        ).fetchone()
        return Site(*found) if found else None

    def site(self, site: str) -> Site | None:
        found = self._sql.execute("SELECT id, host, path FROM _graph_sites WHERE id = ?", (site,)).fetchone()
        return Site(*found) if found else None

    def add_library(self, site: Site, name: str) -> Drive:
        """Return the library of this name, made if it is new."""
        for drive in self.libraries(site):
            if drive.name.lower() == name.lower():
                return drive
        drive = Drive(f"b!{uuid.uuid5(_SPACE, f'{site.id} {name.lower()}').hex}", site.id, name, self._new_id())
        self._sql.execute("INSERT INTO _graph_drives VALUES (?, ?, ?, ?)", (drive.id, drive.site, drive.name, drive.root))
        self._insert(drive.root, drive.id, None, "root", "folder", None, "")
        return drive

    def libraries(self, site: Site) -> list[Drive]:
        rows = self._sql.execute("SELECT id, site, name, root FROM _graph_drives WHERE site = ? ORDER BY name", (site.id,))
        return [Drive(*row) for row in rows.fetchall()]

    def drive(self, drive: str) -> Drive | None:
        found = self._sql.execute("SELECT id, site, name, root FROM _graph_drives WHERE id = ?", (drive,)).fetchone()
        return Drive(*found) if found else None

    # -- items -----------------------------------------------------------------------------------------------

    def put(self, drive: Drive, path: str, content: bytes | None, *, kind: str = "file", media_type: str = "", lock: str = "") -> DriveItem:
        """Write a file, or make a folder, a package or a shortcut, with the folders above it. A file that is
        there gets a new version, and keeps the one before."""
        *above, name = path.strip("/").split("/")
        parent = drive.root
        for folder in above:
            parent = self._folder(drive, parent, folder)
        known = self.child(parent, name)
        if known is None:
            item = self._new_id()
            self._insert(item, drive.id, parent, name, kind, content, media_type, lock)
        else:
            item = known.id
            self._sql.execute("INSERT INTO _graph_versions SELECT id, version, content FROM _graph_items WHERE id = ?", (item,))
            self._sql.execute(
                "UPDATE _graph_items SET content = ?, media_type = ?, lock = ?, version = version + 1, changed = ? WHERE id = ?",
                (content, media_type, lock, self._clock.text(), item),
            )
        found = self.item(drive, item)
        assert found is not None
        return found

    def item(self, drive: Drive, item: str) -> DriveItem | None:
        return next(self._items("id = ? AND drive = ?", (item, drive.id)), None)

    def at(self, drive: Drive, start: str, path: Sequence[str]) -> DriveItem | None:
        """Return the item at a path below another one."""
        found = self.item(drive, start)
        for name in path:
            found = self.child(found.id, name) if found is not None else None
        return found

    def child(self, parent: str, name: str) -> DriveItem | None:
        return next(self._items("parent = ? AND name = ?", (parent, name)), None)

    def children(self, parent: str) -> list[DriveItem]:
        return list(self._items("parent = ?", (parent,)))

    def content(self, item: DriveItem) -> bytes:
        return bytes(self._sql.execute("SELECT content FROM _graph_items WHERE id = ?", (item.id,)).fetchone()[0] or b"")

    def versions(self, item: DriveItem) -> list[int]:
        rows = self._sql.execute("SELECT version FROM _graph_versions WHERE item = ?", (item.id,)).fetchall()
        return sorted([item.version, *(int(row[0]) for row in rows)], reverse=True)

    def path_of(self, item: DriveItem) -> list[str]:
        """Return the names from the library's root down to the item; none for the root itself."""
        names: list[str] = []
        while item.parent is not None:
            names.insert(0, item.name)
            item = next(self._items("id = ?", (item.parent,)))
        return names

    def lock(self, item: DriveItem, lock: str) -> None:
        self._sql.execute("UPDATE _graph_items SET lock = ? WHERE id = ?", (lock, item.id))

    def delete(self, item: DriveItem, *, permanently: bool) -> None:
        """Delete an item with all that is in it, and its versions. Raises Locked: something of it has to
        stay, so all of it does."""
        inside = list(self._below(item))
        for each in inside:
            if each.lock:
                raise Locked(each.lock)
        if not permanently:
            drive = self.drive(item.drive)
            assert drive is not None
            place = "/".join([drive.name, *self.path_of(item)[:-1]])
            self._sql.execute(
                "INSERT INTO _graph_bin VALUES (?, ?, ?, ?, ?, ?, 1)",
                (str(uuid.uuid4()), drive.site, item.name, place, sum(each.size for each in inside), self._clock.text()),
            )
        for each in inside:
            self._sql.execute("DELETE FROM _graph_items WHERE id = ?", (each.id,))
            self._sql.execute("DELETE FROM _graph_versions WHERE item = ?", (each.id,))

    # -- the recycle bin -------------------------------------------------------------------------------------

    def binned(self, site: Site, stages: Sequence[int] = (1, 2)) -> list[Binned]:
        """Return what is in the bin of a site, latest first; what has lain there for 93 days is gone."""
        before = instant_text(self._clock.now() - timedelta(days=BIN_DAYS))
        self._sql.execute("DELETE FROM _graph_bin WHERE at <= ?", (before,))
        marks = ", ".join("?" for _ in stages)
        rows = self._sql.execute(
            f"SELECT id, name, place, size, at FROM _graph_bin WHERE site = ? AND stage IN ({marks}) ORDER BY at DESC, id",  # noqa: S608
            (site.id, *stages),
        )
        return [Binned(*row) for row in rows.fetchall()]

    def empty_bin(self, site: Site, stage: int) -> None:
        """Empty a stage of the bin: what lay in the first is in the second then."""
        if stage == 1:
            self._sql.execute("UPDATE _graph_bin SET stage = 2 WHERE site = ? AND stage = 1", (site.id,))
        else:
            self._sql.execute("DELETE FROM _graph_bin WHERE site = ? AND stage = 2", (site.id,))

    # -- inside ----------------------------------------------------------------------------------------------

    def _folder(self, drive: Drive, parent: str, name: str) -> str:
        known = self.child(parent, name)
        if known is not None:
            return known.id
        made = self._new_id()
        self._insert(made, drive.id, parent, name, "folder", None, "")
        return made

    def _insert(
        self, item: str, drive: str, parent: str | None, name: str, kind: str, content: bytes | None, media_type: str, lock: str = ""
    ) -> None:
        values = (item, drive, parent, name, kind, content, media_type, lock, 1, self._clock.text())
        self._sql.execute("INSERT INTO _graph_items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def _items(self, condition: str, values: tuple[str, ...]) -> Iterator[DriveItem]:
        columns = "id, drive, parent, name, kind, media_type, lock, version, changed, coalesce(length(content), 0)"
        rows = self._sql.execute(f"SELECT {columns} FROM _graph_items WHERE {condition} ORDER BY name", values)  # noqa: S608
        yield from (DriveItem(*row) for row in rows.fetchall())

    def _below(self, item: DriveItem) -> Iterator[DriveItem]:
        yield item
        for child in self.children(item.id):
            yield from self._below(child)

    @staticmethod
    def _new_id() -> str:
        return f"01{uuid.uuid4().hex.upper()}"
