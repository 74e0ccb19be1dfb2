"""The signed head of the ledger, and entries found by their kind."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "ledger_head",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_ledger_head"),
    )
    op.create_index("ix_ledger_kind", "ledger", ["kind"])
