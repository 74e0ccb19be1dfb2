"""Removes what has had its day in the state store itself (ACC-04, ACC-07)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from crm_compliance.store.plans import read_plans
from crm_compliance.store.tables import plan_pages, runs


def drop_lines(connection: Connection, made_before: datetime, now: datetime) -> int:
    """Remove the lines of plans that have no run and cannot get one any more; gives of how many plans.

    The plan itself stays, with its counts, words and digest. The lines of a plan with a run are part of the proof of that run.
    """
    having = set(connection.execute(select(plan_pages.c.plan).distinct()).scalars())
    having -= set(connection.execute(select(runs.c.plan)).scalars())
    past = [plan.id for plan in read_plans(connection) if plan.id in having and plan.created_at < made_before and plan.valid_until <= now]
    for plan in past:
        connection.execute(delete(plan_pages).where(plan_pages.c.plan == plan))
    return len(past)
