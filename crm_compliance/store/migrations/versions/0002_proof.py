"""Holds, the kill switch, quarantine, certificates, the register of erasures, checkpoints of the ledger,
versions of the policy."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "holds",
        sa.Column("position", position, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_holds"),
        sa.UniqueConstraint("id", name="uq_holds_id"),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_switches"),
    )
    op.create_table(
        "quarantine",
        sa.Column("position", position, nullable=False),
        sa.Column("unit_table", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_quarantine"),
        sa.UniqueConstraint("unit_table", "unit_id", name="uq_quarantine_unit_table_unit_id"),
    )
    op.create_table(
        "certificates",
        sa.Column("position", position, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("unit_ref", sa.String(64), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_certificates_run"),
        sa.PrimaryKeyConstraint("position", name="pk_certificates"),
        sa.UniqueConstraint("id", name="uq_certificates_id"),
        sa.UniqueConstraint("run", "unit_ref", name="uq_certificates_run_unit_ref"),
    )
    op.create_index("ix_certificates_unit_ref", "certificates", ["unit_ref"])
    op.create_table(
        "erasures",
        sa.Column("position", position, nullable=False),
        sa.Column("ref", sa.String(64), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("row_table", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_erasures"),
        sa.UniqueConstraint("ref", "operation", "run", name="uq_erasures_ref_operation_run"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("entries", position, autoincrement=False, nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entries", name="pk_checkpoints"),
    )
    op.create_table(
        "policies",
        sa.Column("position", position, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("first_used_at", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_policies"),
        sa.UniqueConstraint("digest", name="uq_policies_digest"),
    )
    op.create_table(
        "waiting_statistics",
        sa.Column("crm", sa.String(), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("crm", "month", "facts", name="pk_waiting_statistics"),
        sqlite_with_rowid=False,
    )
