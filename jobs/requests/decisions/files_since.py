"""The files of a granted erasure as they were when it was decided, and which of them have changed so since
that the DPO has decided about something else: opened again, with a fiche that nobody had weighed, or about
another child too. Source: table 4.2, ranks 10 to 12, RET-17; 6.2."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from connectors.interface.rows import Among
from jobs.ports.context import JobContext
from jobs.reading.few_rows import PARTY_FIELDS, rows_anywhere
from jobs.register.decision import Decision, FileOnce, Task, What
from rules.model.file_roles import FileRole
from rules.model.kinds import FILES
from rules.model.records import Dossier, Fiche, Party


def files_of_tasks(context: JobContext, tasks: Iterable[Task], contacts: Collection[str]) -> tuple[FileOnce, ...]:
    """Return the dossiers and lone fiches that go whole by these tasks, as they are now, with the children in
    them beside the person, who is these contacts. Raises ConnectorError: the CRM cannot be read."""
    erased = [task for task in tasks if task.what is What.ERASE]
    ids, lone = {task.id for task in erased if task.kind == "dossier"}, {task.id for task in erased if task.kind == "fiche"}
    if not ids and not lone:
        return ()
    connector, fiches = context.connector, defaultdict[str | None, list[str]](list)
    retaining = connector.retaining((Dossier, Fiche, Party))  # they go from there too
    for fiche in rows_anywhere(connector, Fiche, ("dossier",), Among("dossier", sorted(ids)), retaining):
        if not fiche.also_in:  # what other dossiers share stays with them
            fiches[fiche.dossier].append(fiche.id)
    places = {each: {each, *fiches[each]} for each in ids}
    alone = rows_anywhere(connector, Fiche, ("dossier",), Among("id", sorted(lone)), retaining)
    places |= {fiche.id: {fiche.id, *fiche.dossiers} for fiche in alone}
    inside = sorted(set[str]().union(*places.values()))
    roles = [row for name in FILES for row in rows_anywhere(connector, Party, PARTY_FIELDS, Among(name, inside), retaining)]
    others = [row for row in roles if row.role == FileRole.CHILD and row.contact not in contacts]
    children = {
        each: tuple(sorted({row.contact or row.id for row in others if not where.isdisjoint((row.dossier, row.fiche))}))
        for each, where in places.items()
    }
    found = rows_anywhere(connector, Dossier, ("is_active",), Among("id", sorted(ids)), retaining)
    dossiers = [FileOnce(each.id, each.is_active is not False, tuple(sorted(fiches[each.id])), children[each.id]) for each in found]
    return (*dossiers, *(FileOnce(fiche.id, True, (), children[fiche.id]) for fiche in alone))


def files_since(context: JobContext, decision: Decision, *, looked: bool) -> tuple[tuple[FileOnce, ...], frozenset[str]]:
    """Return the files to be noted, and the ids of those that have changed since they were noted, unless two
    people have `looked`: of a changed one the state before stays noted. Raises ConnectorError: the CRM cannot
    be read."""
    now = files_of_tasks(context, decision.tasks, decision.contacts)
    once = {each.id: each for each in decision.files} if not looked else {}
    changed = frozenset(each.id for each in now if each.id in once and _is_changed(once[each.id], each))
    return tuple(once[each.id] if each.id in changed else each for each in now), changed


def _is_changed(once: FileOnce, now: FileOnce) -> bool:
    is_more = not set(now.fiches) <= set(once.fiches) or not set(now.children) <= set(once.children)
    return is_more or (now.is_open and not once.is_open)
