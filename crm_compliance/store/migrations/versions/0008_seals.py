"""Seals on the journal of the runs and on the register of erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("actions", sa.Column("seal", sa.String()))
    op.add_column("erasures", sa.Column("key", sa.String()))
    op.add_column("erasures", sa.Column("seal", sa.String(64)))
    op.create_index("ix_erasures_key", "erasures", ["key"])
