"""The CRMs that the store has served, and where people signed in for each."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "served_crms",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.String(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("authority", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("organisation", name="pk_served_crms"),
    )
    bind = op.get_bind()
    # A store with a history and without a plan does not say which CRM it has served: it counts as one that is
    # not on this machine.
    if bind.execute(sa.text("SELECT 1 FROM ledger LIMIT 1")).first() and not bind.execute(sa.text("SELECT 1 FROM plans LIMIT 1")).first():
        row = {"organisation": "unknown", "at": "", "told": False}
        bind.execute(sa.text("INSERT INTO served_crms (organisation, first_seen_at, told) VALUES (:organisation, :at, :told)"), row)
