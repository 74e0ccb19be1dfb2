"""What each job has cost the CRM."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "crm_use",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("retries", sa.BigInteger(), nullable=False),
        sa.Column("throttled", sa.BigInteger(), nullable=False),
        sa.Column("waited_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_crm_use"),
    )
