"""The tables, once, for both databases. `migrations/` builds them; a test holds the two against each other.

A structure of the jobs is kept as one JSON document beside the columns that a query needs. `position` keeps
the order in which rows were first written, which no clock does: the clock may be set, and two rows may share
an instant."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

HEAD = "0019"  # the version of these tables: the last step in migrations/versions
VERSION_TABLE = "crm_compliance_version"  # not alembic's own name: another program may live in the same PostgreSQL database

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)
# SQLite numbers rows by itself only where the column is spelled INTEGER.
Position = BigInteger().with_variant(Integer(), "sqlite")

plans = Table(
    "plans",
    metadata,
    Column("position", Position, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("applied", Boolean, nullable=False, index=True),
    Column("pages", Integer, nullable=False),
    Column("doc", Text, nullable=False),
)

plan_pages = Table(
    "plan_pages",
    metadata,
    Column("plan", String, ForeignKey("plans.id"), primary_key=True),
    Column("page", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("position", Position, primary_key=True),
    Column("plan", String, ForeignKey("plans.id"), nullable=False, index=True),
    Column("who", String, nullable=False),
    Column("role", String, nullable=False),
    Column("approves", Boolean, nullable=False),
    Column("doc", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("position", Position, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("plan", String, ForeignKey("plans.id"), nullable=False, unique=True),
    Column("doc", Text, nullable=False),
)

actions = Table(
    "actions",
    metadata,
    Column("position", Position, primary_key=True),
    Column("run", String, ForeignKey("runs.id"), nullable=False),
    Column("unit_table", String, nullable=False),
    Column("unit_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("doc", Text, nullable=False),
    Column("seal", String),
    UniqueConstraint("run", "unit_table", "unit_id"),
)

# Named, with these columns, in the outside contract: an auditor may read it with any SQL client.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", Position, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("kind", String, nullable=False, index=True),
    Column("run", String),
    Column("data", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# One row: what the ledger ends with, signed (ACC-06).
ledger_head = Table(
    "ledger_head", metadata, Column("only", Integer, primary_key=True, autoincrement=False), Column("doc", Text, nullable=False)
)

# One row: how the ledger was verified last, sealed.
verification = Table(
    "verification",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),
    Column("doc", Text, nullable=False),
    Column("seal", String),
)

# What lists are asked for by stands beside the document, which alone says what a hold keeps; days are in the
# form of ISO 8601.
holds = Table(
    "holds",
    metadata,
    Column("position", Position, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("released", Boolean, nullable=False),
    Column("doc", Text, nullable=False),
    Column("type", String, nullable=False, server_default=""),
    Column("held", String, nullable=False, server_default=""),
    Column("row", String, nullable=False, server_default=""),
    Column("ends_on", String),
    Column("review_on", String, nullable=False, server_default=""),
    Column("unseen", Boolean, nullable=False, server_default=false()),
    Index("ix_holds_listed", "released", "ends_on", "review_on"),
)

switches = Table("switches", metadata, Column("name", String, primary_key=True), Column("doc", Text, nullable=False))

quarantine = Table(
    "quarantine",
    metadata,
    Column("position", Position, primary_key=True),
    Column("unit_table", String, nullable=False),
    Column("unit_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("doc", Text, nullable=False),
    UniqueConstraint("unit_table", "unit_id"),
)

# Units that wait for a person's decision, each since a day; keyed references only.
undecided = Table(
    "undecided",
    metadata,
    Column("crm", String, primary_key=True),
    Column("ref", String(64), primary_key=True),
    Column("unit_table", String, nullable=False),
    Column("since", String(10), nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("position", Position, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("run", String, ForeignKey("runs.id"), nullable=False),
    Column("unit_ref", String(64), nullable=False, index=True),
    Column("doc", Text, nullable=False),
    UniqueConstraint("run", "unit_ref"),
)

# Keyed references only: whoever has this table and not the key has nothing (ERA-13).
erasures = Table(
    "erasures",
    metadata,
    Column("position", Position, primary_key=True),
    Column("ref", String(64), nullable=False),
    Column("operation", String, nullable=False),
    Column("row_table", String, nullable=False),
    Column("run", String, nullable=False),
    Column("at", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("key", String, index=True),  # the register key of reference and seal
    Column("seal", String(64)),
    UniqueConstraint("ref", "operation", "run"),
)

checkpoints = Table(
    "checkpoints", metadata, Column("entries", Position, primary_key=True, autoincrement=False), Column("doc", Text, nullable=False)
)

policies = Table(
    "policies",
    metadata,
    Column("position", Position, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("version", String, nullable=False),
    Column("first_used_at", String, nullable=False),
    Column("text", Text, nullable=False),
)

# Who may run. `fence` only ever grows; `renewed_at` is in seconds since 1970 by the database's own clock.
leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("fence", Position, nullable=False),
    Column("owner", String, nullable=False),
    Column("host_lock", String, nullable=False),
    Column("run", String),
    Column("renewed_at", Double, nullable=False),
)

# Without an order: on SQLite even the hidden number of a row would tell which was counted first (ERA-16).
waiting_statistics = Table(
    "waiting_statistics",
    metadata,
    Column("crm", String, primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("facts", Text, primary_key=True),
    Column("units", Integer, nullable=False),
    sqlite_with_rowid=False,
)

subject_requests = Table(
    "subject_requests",
    metadata,
    Column("position", Position, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("doc", Text, nullable=False),
)

# Sealed: who has the database and not the key of the request has nothing.
request_parts = Table(
    "request_parts",
    metadata,
    Column("request", String, ForeignKey("subject_requests.id"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# What is left of requests that were closed long ago (ACC-07); the year is that of the receipt.
request_totals = Table(
    "request_totals",
    metadata,
    Column("year", Integer, primary_key=True),
    Column("subject_right", String, primary_key=True),
    Column("outcome", String, primary_key=True),
    Column("requests", Integer, nullable=False),
)

# `told`: the ledger has an entry about this row. `authority` is where people sign in for this CRM.
served_crms = Table(
    "served_crms",
    metadata,
    Column("organisation", String, primary_key=True),
    Column("first_seen_at", String, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("authority", String),
)

# What each job has cost the CRM in all its nights.
crm_use = Table(
    "crm_use",
    metadata,
    Column("job", String, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("retries", BigInteger, nullable=False),
    Column("throttled", BigInteger, nullable=False),
    Column("waited_s", Double, nullable=False),
)

# What was told to whom: `ref` is a digest of what waits, `target` a channel, and a role where it has several.
# Instants are seconds since 1970; `gone_at`: since then it waits no more.
told = Table(
    "told",
    metadata,
    Column("target", String, primary_key=True),
    Column("ref", String(32), primary_key=True),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    Column("times", Integer, nullable=False),
    Column("gone_at", Double),
)

# How each alert channel does; `failing_since` is empty while its last message was taken.
alert_channels = Table(
    "alert_channels",
    metadata,
    Column("name", String, primary_key=True),
    Column("sent", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("sent_at", Double),
    Column("failing_since", Double),
    Column("code", String, nullable=False),
)

# Who is signed in at a browser: `digest` is the SHA-256 of the token that the browser holds; the instants are
# seconds since 1970.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("began_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("doc", Text, nullable=False),
)

# What was on the screen of a session: `ref` is a digest of which version of which item. It goes with the
# session.
seen = Table(
    "seen",
    metadata,
    Column("session", String, primary_key=True),
    Column("ref", String(32), primary_key=True),
)

# The forms that were sent in a session of late: `ref` is a keyed digest of what was sent, `sent_at` is in
# seconds since 1970, `led_to` the address that its answer has led to, sealed with the session's token; null
# before there is one. It goes with the session, or after an hour.
sent_forms = Table(
    "sent_forms",
    metadata,
    Column("session", String, primary_key=True),
    Column("ref", String(64), primary_key=True),
    Column("sent_at", Double, nullable=False),
    Column("led_to", LargeBinary),
)

# What those are called who have signed in at the console: `who` is the id of their account, `signed_in_at` is
# in seconds since 1970, `name` is sealed by a key that is no part of the database. It goes a year after they
# have come last.
colleagues = Table(
    "colleagues",
    metadata,
    Column("who", String, primary_key=True),
    Column("signed_in_at", Double, nullable=False),
    Column("name", LargeBinary, nullable=False),
)

# What people have had begun in the console: `subject` is a request, a plan, the data map; `began_at` is in
# seconds since 1970. It goes once its end was told.
works = Table(
    "works",
    metadata,
    Column("subject", String, primary_key=True),
    Column("began_at", Double, nullable=False),
    Column("doc", Text, nullable=False),
)
