"""Units that wait for a person's decision, by keyed reference, each since a day."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "undecided",
        sa.Column("crm", sa.String(), nullable=False),
        sa.Column("ref", sa.String(64), nullable=False),
        sa.Column("unit_table", sa.String(), nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("crm", "ref", name="pk_undecided"),
    )
