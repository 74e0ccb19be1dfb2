"""Runs the steps on the connection, and in the transaction, that it is given: all of them happen, or
none. No step is undone: an older version would have to drop proof, would let two runs work at
once, or believe by name whoever says so."""

from alembic import context

from crm_compliance.store.sql.tables import VERSION_TABLE, metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
