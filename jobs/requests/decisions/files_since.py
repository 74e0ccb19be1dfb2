"""The files of a granted erasure as they were when it was decided, and which of them have changed so since
that the DPO has decided about something else: opened again, or with a fiche that nobody had weighed. Source:
table 4.2, ranks 10 to 12, RET-17."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from connectors.interface.rows import Among
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_anywhere
from jobs.register.decision import Decision, FileOnce, Task, What
from rules.model.records import Dossier, Fiche


def files_of_tasks(context: JobContext, tasks: Iterable[Task]) -> tuple[FileOnce, ...]:
    """Return the dossiers that go whole by these tasks, as they are now. Raises ConnectorError: the CRM
    cannot be read."""
    ids = sorted({task.id for task in tasks if task.what is What.ERASE and task.kind == "dossier"})
    if not ids:
        return ()
    connector, fiches = context.connector, defaultdict[str | None, list[str]](list)
    retaining = connector.retaining((Dossier, Fiche))  # they go from there too
    for fiche in rows_anywhere(connector, Fiche, ("dossier",), Among("dossier", ids), retaining):
        if not fiche.also_in:  # what other dossiers share stays with them
            fiches[fiche.dossier].append(fiche.id)
    found = rows_anywhere(connector, Dossier, ("is_active",), Among("id", ids), retaining)
    return tuple(FileOnce(each.id, each.is_active is not False, tuple(sorted(fiches[each.id]))) for each in found)


def files_since(context: JobContext, decision: Decision, *, looked: bool) -> tuple[tuple[FileOnce, ...], frozenset[str]]:
    """Return the files to be noted, and the ids of those that have changed since they were noted, unless two
    people have `looked`: of a changed one the state before stays noted. Raises ConnectorError: the CRM cannot
    be read."""
    now = files_of_tasks(context, decision.tasks)
    once = {each.id: each for each in decision.files} if not looked else {}
    changed = frozenset(each.id for each in now if each.id in once and _is_changed(once[each.id], each.is_open, each.fiches))
    return tuple(once[each.id] if each.id in changed else each for each in now), changed


def _is_changed(once: FileOnce, is_open: bool, fiches: Collection[str]) -> bool:
    return (is_open and not once.is_open) or not set(fiches) <= set(once.fiches)
