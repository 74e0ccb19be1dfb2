"""Who has to be told that data were corrected, erased or restricted: the recipients that the files themselves name (art. 19, ERA-14).

They are looked up when the decision is taken, before anything goes. Only granted files are read, never one that is excluded (SUS-05).
"""

from __future__ import annotations

from collections.abc import Collection

from connectors.interface import Among
from jobs.disclosure import Compilation
from jobs.gather import rows_of
from jobs.granted import Notice, Task, What
from jobs.ports import JobContext
from rules.full_records import FullFiche

OF_FILES = frozenset({What.ERASE, What.DISOWN, What.ANNOTATE, What.RESTRICT})
_FIELDS = ("transmitted_to", "transmitted_on", "transmitted_country")


def recipients_told(context: JobContext, tasks: Collection[Task], compilation: Compilation) -> tuple[Notice, ...]:
    """The recipients of what these tasks touch, each once with its last transmission.

    A file is asked itself; a correction of the person concerns whoever got something of the files that the answer is about.
    """
    found: list[Notice] = []
    if any(task.what is What.CORRECT for task in tasks):
        told = [recipient for each in compilation.contexts for recipient in each.recipients if not recipient.is_category]
        found += [Notice(one.name, one.on, one.country) for one in told]
    files = {(task.kind, task.id) for task in tasks if task.what in OF_FILES}
    for fiche in _fiches(context, files):
        if name := (fiche.transmitted_to or "").strip():
            on = fiche.transmitted_on.isoformat() if fiche.transmitted_on is not None else ""
            found.append(Notice(name, on, (fiche.transmitted_country or "").strip()))
    last = {(one.recipient.casefold(), one.country): one for one in sorted(found, key=lambda one: one.on)}
    return tuple(sorted(last.values(), key=lambda one: (one.recipient, one.country)))


def _fiches(context: JobContext, files: Collection[tuple[str, str]]) -> list[FullFiche]:
    dossiers = sorted(row for kind, row in files if kind == "dossier")
    named = sorted(row for kind, row in files if kind == "fiche")
    rows = {row.id: row for row in rows_of(context.connector, FullFiche, _FIELDS, Among("dossier", dossiers))}
    rows |= {row.id: row for row in rows_of(context.connector, FullFiche, _FIELDS, Among("id", named))}
    return list(rows.values())
