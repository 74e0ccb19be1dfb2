"""What those are called who have signed in at the console."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "colleagues",
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("signed_in_at", sa.Double(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("who", name="pk_colleagues"),
    )
