"""Checks the tables of the store against the ledger (ACC-06).

A difference matters where it could cause the deletion of what people kept or never approved. The ledger is
believed, the tables are not: anybody who can write the database can write a hold, an approval or a run, but
not an entry of them. A row that the ledger knows and that expired at the end of its term protects nothing any
more, and is not missed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

from jobs.checks.drift.holds import about_holds
from jobs.checks.drift.plans import about_plan
from jobs.checks.drift.quarantine import about_marks
from jobs.checks.drift.references import Believed, Difference, References, sha256
from jobs.checks.drift.requests import about_requests
from jobs.checks.drift.runs import about_run_of, about_runs
from jobs.erasures.register import refuse_if_behind
from jobs.ledger.entries import StoreAltered
from jobs.ledger.heads import CRMS, SWITCH
from jobs.ledger.plan_lines import is_unaltered
from jobs.model.plan import LinesRemoved, Plan
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from rules.dates.calendar import Calendar
from rules.hints import hint_to

_EVER: Final = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def refuse_altered(context: JobContext) -> None:
    """Refuse to plan, or to write, by tables that would let something go which by the ledger may not. Raises
    StoreAltered: naming the hold, request, run or unit."""
    store = context.store
    with store.ledger.one_state():
        believed = Believed(store, context.references)
        refuse(about_holds(store, believed, context.today))
        refuse(about_switch(store))
        refuse(about_marks(store, believed))
        refuse(about_requests(store, context.policy.calendar))
        refuse(about_runs(store))
        store.erasures.check()
        store.journal.check()
        store.statistics.check()
    refuse_if_behind(context)
    if context.notary is not None:
        context.notary.refuse_behind(store.checkpoints.all)


def unaltered_head(store: Store, references: References, plan_id: str) -> Plan:
    """Return a plan once its head, approvals and rejection are those of the ledger, before any of them is
    believed. Both are read in one state: what somebody says on it meanwhile is no alteration. Raises
    StoreAltered: saying what differs."""
    with store.ledger.one_state():
        plan = store.plans.get(plan_id)
        refuse(about_plan(store, Believed(store, references), plan))
    return plan


def unaltered_plan(store: Store, references: References, plan_id: str) -> Plan:
    """Return a plan once its head, lines, approvals, rejection and run are those of the ledger. Raises
    StoreAltered: saying what differs."""
    with store.ledger.one_state():
        plan = unaltered_head(store, references, plan_id)
        refuse(about_run_of(store, plan))
    try:
        is_whole = is_unaltered(plan, store.plans.pages(plan.id))
    except LinesRemoved:
        is_whole = False  # a plan that may still be applied has its lines
    refuse([] if is_whole else [Difference(f"plan {plan.id}", "the stored lines are not those of its digest")])
    return plan


def refuse(differences: Iterable[Difference]) -> None:
    """Raise StoreAltered for the first grave difference."""
    for found in differences:
        if found.is_grave:
            raise StoreAltered(f"{found.where}: {found.what}", hint=hint_to("restore_altered"), where=found.where)


def differences(store: Store, references: References, day: date, calendar: Calendar) -> Iterator[Difference]:
    """Yield everything in which the tables differ from the ledger, except the lines of plans."""
    believed = Believed(store, references)
    yield from about_holds(store, believed, day)
    yield from about_switch(store)
    yield from about_marks(store, believed)
    yield from about_requests(store, calendar)
    yield from about_runs(store)
    yield from about_crms(store)
    yield from about_schedules(store)
    for plan in store.plans.all():
        yield from about_plan(store, believed, plan)


def about_crms(store: Store) -> Iterator[Difference]:
    """Yield the CRMs that the ledger knows as served, and the table does not. Which people the store believes
    does not depend on it: there the ledger counts too."""
    told = {str(entry.data.get("crm")) for entry in store.ledger.strand(CRMS) if entry.kind == "crm_seen"}
    for crm in sorted(told - store.crms.served()):
        yield Difference(crm, "the ledger knows that this CRM was served, the table does not", is_grave=False)


def about_schedules(store: Store) -> Iterator[Difference]:
    """Yield the schedules, kept to show what decided (ACC-01), whose text is not the one that plans and
    certificates name, or is gone before its time: without it nothing that is packed would prove by what
    something went."""
    kept = store.policies.all()
    for version in kept:
        if sha256(version.text) != version.digest:
            yield Difference(f"schedule {version.version[:60]}", "its text is not the one of its digest")
    known: dict[str, str] = {}
    for entry in store.ledger.between(("policy", "expired"), *_EVER):
        if entry.kind == "policy":
            known[str(entry.data.get("digest"))] = str(entry.data.get("version"))
        else:  # what housekeeping removed, its years being over (ACC-07)
            gone = entry.data.get("policies")
            known = {digest: name for digest, name in known.items() if not (isinstance(gone, list) and digest in gone)}
    missing = known.keys() - {version.digest for version in kept}
    if missing:  # unless it was kept after the first look, together with its entry
        missing -= {version.digest for version in store.policies.all()}
    for digest in sorted(missing):
        yield Difference(f"schedule {known[digest][:60]}", "the ledger knows that it decided, and its text is gone")


def about_switch(store: Store) -> Iterator[Difference]:
    """Yield a kill switch that is set by the ledger and not by the table, or the other way round."""
    entries = store.ledger.strand(SWITCH)
    is_set = bool(entries) and entries[-1].kind == "stopped"
    if is_set != (store.kill_switch.stopped_since() is not None):
        what = "is set by the ledger, and not by the table" if is_set else "is set by the table, and not by the ledger"
        yield Difference("the kill switch", what, is_grave=is_set)
