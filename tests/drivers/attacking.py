"""Writing to a store past everything that guards it, as somebody would who has the database and not the keys.

An attack does what it can to look right: it drops triggers, and computes digests and chains again.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from crm_compliance.configuration.settings import Settings
from crm_compliance.keys.checkpoint_signer import audit_store
from tests.drivers.night import Night

LONG_AGO = date(2020, 1, 10)
TRIGGERS = ("ledger_no_update", "ledger_no_delete", "ledger_no_replace")


@pytest.fixture(params=["sqlite", "postgresql"])
def attacked(request: pytest.FixtureRequest, make_night: Callable[..., Night]) -> Night:
    """A night over each database, with a dossier that is due."""
    night = make_night(
        url=str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else None,
        first_look=True,
        register="erasures.jsonl",
    )
    night.dossier("social_card", spoken=LONG_AGO)
    return night


def attack(night: Night, *statements: str, with_connection: Callable[[Connection], None] | None = None, **values: Any) -> None:
    """Write to the database, past everything that guards it."""
    engine = create_engine(night.store.database.engine.url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for trigger in TRIGGERS:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        else:
            connection.execute(text("ALTER TABLE ledger DISABLE TRIGGER ALL"))
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement), values)
        if with_connection is not None:
            with_connection(connection)
    engine.dispose()


def audited(night: Night) -> list[Any]:
    return audit_store(Settings(data_dir=night.key.folder.parent), night.store, night.policy.calendar).problems
