"""How the ledger was verified last; and which plans were not applied, found without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "verification",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("seal", sa.String()),
        sa.PrimaryKeyConstraint("only", name="pk_verification"),
    )
    op.create_index("ix_plans_applied", "plans", ["applied"])
