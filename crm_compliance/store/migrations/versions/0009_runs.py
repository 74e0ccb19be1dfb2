"""What a run is stands in its document, which is held against the ledger, and in no column beside it."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.drop_index("ix_runs_kind", "runs")
    for column in ("kind", "state", "units", "recordings"):
        op.drop_column("runs", column)
