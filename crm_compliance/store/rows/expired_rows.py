"""Removes what has expired in the state store itself (ACC-04, ACC-07)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, func, or_, select

from crm_compliance.store.rows import certificates, journal, policies
from crm_compliance.store.rows import plans as plans_
from crm_compliance.store.rows import runs as runs_
from crm_compliance.store.rows.console import sessions as console_sessions
from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.signed_head import SignedHead
from crm_compliance.store.sql.tables import actions, colleagues, holds, plan_pages, sessions, works
from jobs.model.plan import LOOKING_AT_DOSSIERS, Plan
from jobs.model.run import ActionState
from jobs.ports.store.ledger import Entry
from jobs.ports.store.own_data import Expired, PastTerms

HEADS_AN_ENTRY = 500
CONSOLE_KEPT = timedelta(days=7)  # who used the console last, if nobody comes again: no session lasts as long
NAMES_KEPT = timedelta(days=365)  # of those who do not come any more


class OwnData(Rows):
    """What `jobs.ports.store.own_data.OwnData` asks."""

    def expire(self, past: PastTerms, now: datetime) -> Expired:
        told: list[Entry] = []
        with self._transactions.writing(told) as connection:
            for run in past.reckoned:
                runs_.replace_run(connection, run)
            old = _old_plans(connection, past, now)
            lines = _drop_lines(connection, old)
            cleared = _clear_heads(connection, old, past)
            units = _drop_journals(connection, past.journals, past.contacts, self._transactions.heads)
            connection.execute(delete(holds).where(holds.c.id.in_(past.holds)))
            gone = certificates.drop(connection, past.certificates)
            for id in gone.runs:
                runs_.replace_run(connection, msgspec.structs.replace(runs_.read_run(connection, id), are_certificates_gone=True))
            certified = {runs_.read_run(connection, run).policy_digest for run in certificates.runs_with_some(connection)}
            versions = policies.drop(connection, set(past.policies) - certified)
            done = Expired(lines, len(past.journals), units, len(past.holds), len(cleared), gone.number, len(versions))
            told += _entries(done, past, cleared, gone, versions)
            long_ago = (now - CONSOLE_KEPT).timestamp()
            console_sessions.drop(connection, sessions.c.began_at < long_ago)
            connection.execute(delete(works).where(works.c.began_at < long_ago))
            connection.execute(delete(colleagues).where(colleagues.c.signed_in_at < (now - NAMES_KEPT).timestamp()))
        return done


def _entries(
    done: Expired, past: PastTerms, cleared: Sequence[Mapping[str, object]], gone: certificates.Gone, versions: Sequence[str]
) -> Iterator[Entry]:
    if done != Expired():
        counts = {"plans": done.plans, "journals": done.journals, "units": done.units, "holds": list(past.holds)}
        yield "expired", counts | ({"policies": versions} if versions else {})
    for at in range(0, len(cleared), HEADS_AN_ENTRY):
        yield "plans_cleared", {"plans": cleared[at : at + HEADS_AN_ENTRY]}
    if gone.number:
        yield "certificates_expired", {"count": gone.number, "last": gone.last, "runs": gone.runs}


def _old_plans(connection: Connection, past: PastTerms, now: datetime) -> list[Plan]:
    """Return old plans that can no longer get a run, and those whose run is over and its counts noted, newest
    first."""
    unfinished = {run.plan for run in runs_.read_runs(connection) if not run.reckoned}
    return [
        plan
        for plan in plans_.read_plans(connection)
        if plan.id not in unfinished and plan.created_at < past.lines_before and (plan.applied or plan.valid_until <= now)
    ]


def _drop_lines(connection: Connection, old: Sequence[Plan]) -> int:
    """Remove the lines of these plans, which stay with their counts, approvals and digests."""
    having = set(connection.execute(select(plan_pages.c.plan).distinct()).scalars())
    going = [plan.id for plan in old if plan.id in having]
    for plan in going:
        connection.execute(delete(plan_pages).where(plan_pages.c.plan == plan))
    return len(going)


def _clear_heads(connection: Connection, old: Sequence[Plan], past: PastTerms) -> list[dict[str, object]]:
    """Remove the ids from those of these heads that still have the digest in `past`, and from the plans that
    are to be nameless who made them, and who said what. Return each plan with the digest of its document as
    it is now. Which units the last plan that looked at dossiers saw under a hold flag of the CRM is still
    needed (HLD-14), until there is a newer plan."""
    last = {plan.crm: plan.id for plan in reversed(plans_.read_plans(connection)) if plan.kind in LOOKING_AT_DOSSIERS}
    cleared: list[dict[str, object]] = []
    for plan in old:
        keeping = ("crm_holds",) if last.get(plan.crm) == plan.id else ()
        is_nameless = plan.id in past.nameless and plan.names_people
        if plan.id not in past.heads or (plan.without_ids(keeping=keeping) is plan and not is_nameless):
            continue
        digest, saved = plans_.read_saved(connection, plan.id)
        if digest == past.heads[plan.id]:
            kept = saved.without_ids(keeping=keeping)
            if is_nameless:
                kept = kept.without_people()
                plans_.replace_approvals(connection, plan.without_people())
            told: dict[str, object] = {"plan": plan.id, "document": plans_.replace_head(connection, kept)}
            cleared.append(told | ({"nameless": True} if is_nameless else {}))
    return cleared


def _drop_journals(connection: Connection, journals: Sequence[str], contacts: str, heads: SignedHead) -> int:
    """Remove the units of these runs from the journal, but for what still has to be done: the last action,
    skips left aside, of a unit that is half done, and the last of a contact that was not removed
    (`JournalStore.partials`, `undone`)."""
    last = select(func.max(actions.c.position)).group_by(actions.c.unit_table, actions.c.unit_id)
    half_done = (actions.c.state == ActionState.PARTIAL.value) & actions.c.position.in_(last.where(journal.WRITTEN))
    not_removed = (actions.c.unit_table == contacts) & (actions.c.state != ActionState.DONE.value) & actions.c.position.in_(last)
    still_due = select(actions.c.position).where(or_(half_done, not_removed))
    # Asked before anything goes: once the last action of a unit is gone, an earlier one would look like it.
    kept = set(connection.execute(still_due).scalars())
    units = 0
    for run in journals:
        found = connection.execute(select(actions.c.position).where(actions.c.run == run)).scalars()
        gone = [position for position in found if position not in kept]
        heads.note_journal(*journal.remove(connection, gone, heads.seals))
        units += len(gone)
        runs_.replace_run(connection, msgspec.structs.replace(runs_.read_run(connection, run), is_journal_gone=True))
    return units
