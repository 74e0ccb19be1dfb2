"""The forms that were sent in a session of late."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "sent_forms",
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("ref", sa.String(64), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=False),
        sa.Column("led_to", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("session", "ref", name="pk_sent_forms"),
    )
