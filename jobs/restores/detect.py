"""Notices that the CRM was restored from a backup (ERA-13, R-091); replay.py makes good what that has brought
back. Whoever makes a plan asks, so nothing that erases is loaded here."""

from collections import defaultdict

import msgspec

from jobs.erasures.register import load_register
from jobs.model.run import RowWrite
from jobs.model.sentence import Sentence
from jobs.ports.context import JobContext
from jobs.restores.rows_back import returned_rows
from jobs.writing.read_back import still_there
from rules.model.records import KINDS

RESTORED = "RESTORED"
SAMPLE = 200  # rows, and as many of long-term retention: whatever backup was restored, the rows that were erased last are back


def rows_back(context: JobContext) -> int:
    """Return how many of the rows last erased by completed runs, a bounded sample, are in the CRM again. A
    half-done unit is not a sign: what remains of it was never deleted. A database that was lost and recovered
    has no such runs until the next night. In that case every row is searched for by the register."""
    if context.erased.last() is not None and not any(run.is_over for run in context.store.runs.newest()):
        return len(returned_rows(context, load_register(context)))
    crms: dict[str, bool] = {}
    writes = []
    for run, action in context.store.journal.last_done(SAMPLE):
        if run not in crms:
            crms[run] = context.store.plans.get(context.store.runs.get(run).plan).crm == context.crm
        if crms[run]:
            writes += [write for write in reversed(action.rows) if write.operation == "delete"]
    keeping = context.connector.retaining(tuple({KINDS[write.kind] for write in writes if write.retained}))
    groups: defaultdict[tuple[bool, bool], list[RowWrite]] = defaultdict(list)
    for write in writes:  # those of long-term retention apart: a backup that lacks them brings back what was live all the same
        is_there = write.retained and KINDS[write.kind] in keeping  # a table that keeps nothing there any more is not asked there
        groups[write.retained, is_there].append(msgspec.structs.replace(write, retained=is_there))
    return sum(len(still_there(context.connector, group[:SAMPLE])) for group in groups.values())


def warning_of_rows_back(context: JobContext) -> Sentence | None:
    """Record what a restore has brought back, and return the warning for a plan that is made meanwhile; None
    where there is nothing to warn of."""
    back = note_rows_back(context)
    return Sentence.of("rows_back", rows=back) if back else None


def note_rows_back(context: JobContext) -> int:
    """Return how many rows that had been erased are back in the CRM, because it was restored: a person who
    makes a plan is told, and the ledger keeps the alarm."""
    back = rows_back(context)
    if back:
        context.store.ledger.append([("alarm", {"code": RESTORED, "rows": back})])
    return back
