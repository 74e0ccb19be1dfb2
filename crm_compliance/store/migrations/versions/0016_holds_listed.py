"""What lists of holds are asked for by, beside each document: a list is read as far as it is shown."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

AT_ONCE = 1_000


def upgrade() -> None:
    for name in ("type", "held", "row", "review_on"):
        op.add_column("holds", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("holds", sa.Column("ends_on", sa.String(), nullable=True))
    _fill(op.get_bind())
    op.create_index("ix_holds_listed", "holds", ["released", "ends_on", "review_on"])


def _fill(connection: sa.Connection) -> None:
    """Take from each document what is asked for; one that says nothing of it was
    never written by this program, and whoever reads it is told so."""
    holds = sa.table("holds", *(sa.column(name) for name in ("position", "doc", "type", "held", "row", "ends_on", "review_on")))
    after = -1
    while found := connection.execute(
        sa.select(holds.c.position, holds.c.doc).where(holds.c.position > after).order_by(holds.c.position).limit(AT_ONCE)
    ).all():
        rows = [(position, _said(doc)) for position, doc in found]
        connection.execute(
            sa.update(holds)
            .where(holds.c.position == sa.bindparam("at"))
            .values({name: sa.bindparam(f"its_{name}") for name in ("type", "held", "row", "ends_on", "review_on")}),
            [
                {
                    "at": position,
                    "its_type": hold.get("type", ""),
                    "its_held": hold.get("table", ""),
                    "its_row": hold.get("row", ""),
                    "its_ends_on": hold.get("ends_on"),
                    "its_review_on": hold.get("review_on", ""),
                }
                for position, hold in rows
            ],
        )
        after = rows[-1][0]


def _said(doc: str) -> dict[str, str | None]:
    try:
        hold = json.loads(doc)
    except ValueError:
        return {}
    return hold if isinstance(hold, dict) else {}
