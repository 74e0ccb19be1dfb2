"""Reads a whole run back, for the command `verify`: what is still there, in the CRM and beside it. How rows
are read back, at the end of each run too, is in jobs/writing/read_back.py. Source: ERA-12, ERA-15."""

from jobs.model.run import ActionState
from jobs.ports.context import JobContext
from jobs.residual.document_removal import documents_left
from jobs.residual.recording_content import objects_left
from jobs.writing.outside_objects import Outside
from jobs.writing.read_back import not_checkable, residual_rows, verify_actions
from rules.errors import UsageError
from rules.hints import hint_to


def verify_run(context: JobContext, run_id: str) -> dict[str, object]:
    """Read back every row that a run disposed of, and every place that can hold residual data of it.

    Return how many rows were checked, what is still there, what cannot be read back (places, and kinds of
    rows whose table the mapping has no more), and how many units a run that was interrupted, or is at work,
    has begun and not settled: of these nobody knows yet. What is kept of a row beside it is named by the
    table of the CRM that holds it, with the id of the row (ERA-12). A recording whose object outside the CRM
    is still there counts as still there itself, and so does the row that named a folder of documents. A
    maintenance job carries out no plan: it has written no row, and there is nothing to read back. Raises
    UsageError: the journal of the run has expired; ConnectorError."""
    context.store.journal.check()
    if any(made.id == run_id for made in context.store.runs.maintenance()):
        return {"run": run_id, "checked": 0, "still_there": [], "unsettled": 0, "not_checkable": []}
    if context.store.runs.get(run_id).is_journal_gone:
        raise UsageError(
            "the journal of this run has expired, so nobody knows its rows any more",
            hint=hint_to("certificates_of_run", run=run_id),
            where=run_id,
        )
    actions = context.store.journal.of_run(run_id, (ActionState.DONE, ActionState.PARTIAL))
    left = verify_actions(context.connector, actions)
    unread = [write for action in actions for write in action.unread(context.connector)]
    objects = objects_left(context, Outside(context), actions)
    documents = documents_left(context, actions)
    there = {row for found in (*left.values(), *objects.values(), *documents.values()) for row in found}
    rows = sorted(there | residual_rows(context.connector, actions, there))
    return {
        "run": run_id,
        "checked": sum(len(action.gone) + len(action.rows) for action in actions) - len(unread),
        "still_there": [{"table": table, "id": row} for table, row in rows],
        "unsettled": len(context.store.journal.of_run(run_id, (ActionState.INTENDED, ActionState.REMOVED))),
        "not_checkable": [*not_checkable(context.connector, actions), *sorted({write.table or write.kind for write in unread})],
    }
