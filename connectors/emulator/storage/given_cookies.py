"""What the organisation has given out, and alone takes back: paging cookies, delta tokens, version stamps.
One that it has not given, or that was changed since, is refused by who asks: a paging cookie in
querying/pages.py. How a cookie is written and read is in querying/cookies.py."""

import sqlite3


class GivenCookies:
    """Paging cookies, delta tokens and version stamps given out, by digest: only those are taken back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def remember(self, digest: int) -> None:
        self.connection.execute("INSERT OR IGNORE INTO _cookies VALUES (?)", (digest,))

    def knows(self, digest: int) -> bool:
        return self.connection.execute("SELECT 1 FROM _cookies WHERE digest = ?", (digest,)).fetchone() is not None
