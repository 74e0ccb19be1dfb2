"""Which holds are on a row that nobody has seen, beside each document: a night looks those up."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("holds", sa.Column("unseen", sa.Boolean(), nullable=False, server_default=sa.false()))
    holds = sa.table("holds", sa.column("doc", sa.Text()), sa.column("unseen", sa.Boolean()))
    # A quotation mark within a text of the document is escaped, so no text can look like this.
    op.execute(sa.update(holds).where(holds.c.doc.contains('"is_unseen":true')).values(unseen=sa.true()))
