"""The register of subject requests, the sealed parts of their working areas, and the yearly totals that are
left of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "subject_requests",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_subject_requests"),
        sa.UniqueConstraint("id", name="uq_subject_requests_id"),
    )
    op.create_table(
        "request_parts",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["subject_requests.id"], name="fk_request_parts_request_subject_requests"),
        sa.PrimaryKeyConstraint("request", "name", name="pk_request_parts"),
    )
    op.create_table(
        "request_totals",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("subject_right", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", "subject_right", "outcome", name="pk_request_totals"),
    )
