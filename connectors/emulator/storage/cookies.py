"""Which paging cookies, delta tokens and version stamps were given out. To a client they are opaque: only one
that was given out is taken back, also after a restart."""

import sqlite3


class GivenCookies:
    """Remembers each by its digest."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def remember(self, digest: int) -> None:
        self.connection.execute("INSERT OR IGNORE INTO _cookies VALUES (?)", (digest,))

    def knows(self, digest: int) -> bool:
        return self.connection.execute("SELECT 1 FROM _cookies WHERE digest = ?", (digest,)).fetchone() is not None
