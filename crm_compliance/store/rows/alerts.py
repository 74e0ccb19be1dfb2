"""What people were told of, by reference, and how each alert channel does: nothing in it says what waits, and
no ledger records it."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, func, select, update

from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.inserts import insert_into
from crm_compliance.store.sql.tables import alert_channels, told

FORGET: Final = timedelta(hours=1)  # what returns within it counts as never gone: a service that restarts, a store that was busy


class ToldOnce(NamedTuple):
    """When one thing was last told to one target, and how often."""

    last_at: datetime
    times: int


class ChannelState(NamedTuple):
    """How a channel does: messages it has taken and not taken, when it last took one, and since when it has
    taken none, with the code of why."""

    sent: int = 0
    failed: int = 0
    sent_at: datetime | None = None
    failing_since: datetime | None = None
    code: str = ""


class ToldAlerts(Rows):
    """What was told to each target."""

    def of(self, target: str, at: datetime) -> dict[str, ToldOnce]:
        """Return what was told to a target, by reference, as long as it is not forgotten; also where nobody
        has looked since it went, as while the service was off."""
        is_kept = told.c.gone_at.is_(None) | (func.abs(told.c.gone_at - at.timestamp()) < FORGET.total_seconds())
        with self._transactions.reading() as connection:
            rows = connection.execute(select(told).where(told.c.target == target, is_kept)).all()
        return {row.ref: ToldOnce(_instant(row.last_at), row.times) for row in rows}

    def tell(self, target: str, refs: Collection[str], at: datetime) -> None:
        """Note that these were told, the first time or once more."""
        moment = at.timestamp()
        with self._transactions.database.writing() as connection:
            for ref in refs:
                statement = insert_into(connection, told).values(target=target, ref=ref, first_at=moment, last_at=moment, times=1)
                again = {"last_at": moment, "times": told.c.times + 1, "gone_at": None}
                connection.execute(statement.on_conflict_do_update(index_elements=["target", "ref"], set_=again))

    def keep(self, target: str, refs: Collection[str], at: datetime) -> None:
        """Note which still wait; what has not for a while is forgotten, so that it is new when it comes
        again."""
        moment = at.timestamp()
        with self._transactions.database.writing() as connection:
            for row in connection.execute(select(told.c.ref, told.c.gone_at).where(told.c.target == target)).all():
                this = (told.c.target == target) & (told.c.ref == row.ref)
                if row.gone_at is not None and abs(row.gone_at - moment) >= FORGET.total_seconds():  # also where the clock was set back
                    connection.execute(delete(told).where(this))  # what is back by now too: nobody has been told again
                elif row.ref in refs:
                    if row.gone_at is not None:
                        connection.execute(update(told).where(this).values(gone_at=None))
                elif row.gone_at is None:
                    connection.execute(update(told).where(this).values(gone_at=moment))

    def channels(self) -> dict[str, ChannelState]:
        """Return the state of each channel that was ever used, by name."""
        with self._transactions.reading() as connection:
            rows = connection.execute(select(alert_channels).order_by(alert_channels.c.name)).all()
        return {
            row.name: ChannelState(
                row.sent,
                row.failed,
                _instant(row.sent_at) if row.sent_at is not None else None,
                _instant(row.failing_since) if row.failing_since is not None else None,
                row.code,
            )
            for row in rows
        }

    def took(self, channel: str, at: datetime) -> None:
        """Note that a channel has taken a message."""
        values = {"sent": 1, "failed": 0, "sent_at": at.timestamp(), "failing_since": None, "code": ""}
        self._note(channel, values, {**values, "sent": alert_channels.c.sent + 1, "failed": alert_channels.c.failed})

    def failed(self, channel: str, at: datetime, code: str) -> None:
        """Note that a channel has not taken a message; since when it takes none stays as it was."""
        values = {"sent": 0, "failed": 1, "failing_since": at.timestamp(), "code": code}
        since = func.coalesce(alert_channels.c.failing_since, at.timestamp())
        again = {"failed": alert_channels.c.failed + 1, "failing_since": since, "code": code}
        self._note(channel, values, again)

    def _note(self, channel: str, values: Mapping[str, object], again: Mapping[str, object]) -> None:
        with self._transactions.database.writing() as connection:
            statement = insert_into(connection, alert_channels).values(name=channel, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=again))


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
