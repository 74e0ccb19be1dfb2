"""Finishes what runs had begun whose database was lost: half-deleted units (half_deleted_units.py), rows
that are back or were still to go (replay_plan.py), and what is left in other places (lost_places.py). That
the CRM itself was restored is noticed in detect.py. Source: ERA-12, ERA-13."""

import msgspec

from connectors.interface.remains import RowKey
from jobs.erasures.register import load_register, reconcile
from jobs.model.run import Run
from jobs.ports.context import JobContext
from jobs.proof.checkpoint import make_checkpoint
from jobs.restores.half_deleted_units import half_done
from jobs.restores.lost_places import Held, LostPlaces, clean_lost_places
from jobs.restores.replay_plan import plan_replay
from jobs.runs.apply import apply_plan, unfinished


class Recovered(msgspec.Struct, frozen=True):
    """What was cleaned of rows that lost runs had written, and the run that let go what was left to do; None
    where nothing was. `left` are the rows of units that have lost a part and are not as they were judged, or
    are under a hold: the next plan judges what is left of them."""

    places: LostPlaces
    run: Run | None = None
    left: tuple[RowKey, ...] = ()


def recover(context: JobContext) -> Recovered:
    """Continue what a lost database had begun. Give database and file what only one of them has, finish
    interrupted runs, and clean what remains in other places of rows that the lost runs had written. Delete
    what the register knows and the CRM still, or again, has: rows that are back, contacts that were to be
    removed or trimmed, and half-deleted units.

    A database that was restored to an older day does not know which contacts lost their dossier to it: they
    would look like ones that were never linked to anything, and be kept for ever (RET-20).

    Raises:
        Refused: so much has to be deleted that the plan needs approval; `where` is its id.
        ConnectorError: the CRM could not be read in full."""
    with context.store.leases.exclusive():
        reconcile(context)
    # The log of the lost ledger is put aside: the checkpoints that the database has go into a new one.
    make_checkpoint(context.store, context.notary, context.clock)
    context.forget_memory()
    interrupted = unfinished(context)
    for run in interrupted:
        apply_plan(context, run.plan)
    places = clean_lost_places(context, [run.id for run in interrupted])
    half = half_done(context, load_register(context), Held(context).covers)
    plan = plan_replay(context, only_if_due=True, also_begun=True, half_done=half.units)
    return Recovered(places, apply_plan(context, plan.id) if plan is not None else None, half.left)
