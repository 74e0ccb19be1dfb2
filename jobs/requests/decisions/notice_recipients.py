"""Who has to be notified that data were corrected, erased or restricted: the recipients that the files
themselves name (art. 19, ERA-14). What is due to each, and was done, is in notices.py.

They are looked up when the decision is made, before anything is deleted, together with the person's names: an
erasure leaves nobody to look up. Only files that the answer may disclose are read, never one that is excluded
(SUS-05)."""

from collections.abc import Collection, Iterator, Mapping, Set
from typing import Final

import msgspec

from connectors.interface.rows import Among
from jobs.model.answer import Compilation
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from jobs.register.decision import Known, Notice, Task, What
from rules.model.file_roles import FileRole
from rules.model.personal_records import FullContact, FullFiche, FullParty

OF_FILES = frozenset({What.ERASE, What.DISOWN, What.NO_CALLER, What.ANNOTATE, What.RESTRICT})
_FIELDS = ("number", "dossier", "transmitted_to", "transmitted_on", "transmitted_country")
_PERSON: Final = ("first_name", "last_name", "birth_on", "no_contact")
# What does not lead to where a person is. Of somebody who must not be found nothing else is told to others
# (IDV-05).
_HARMLESS: Final = frozenset({"first_name", "last_name", "birth_on", "birth_place", "national_number"})


def recipients_told(
    context: JobContext, tasks: Collection[Task], compilation: Compilation, contacts: Collection[str]
) -> tuple[Notice, ...]:
    """Return the recipients of what these tasks affect, each once with its last transmission and all it is
    notified of. A task on a file concerns that file. A correction of the person, who is these contacts,
    concerns everybody who received something of the files that the answer is about."""
    corrections = [task for task in tasks if task.what is What.CORRECT]
    of_files = {each.source: list(corrections) for each in compilation.contexts}
    for task in tasks:
        if task.what in OF_FILES:
            of_files.setdefault((task.kind, task.id), []).append(task)
    found: dict[tuple[str, str], Notice] = {}
    for notice in sorted(_notices(context, of_files, _files_about(context, contacts)), key=lambda notice: notice.on):
        key = notice.recipient.casefold(), notice.country
        found[key] = _merged(found[key], notice) if key in found else notice
    return tuple(sorted(found.values(), key=lambda notice: (notice.recipient, notice.country)))


def told_of(context: JobContext, contacts: Collection[str], tasks: Collection[Task]) -> tuple[tuple[Known, ...], dict[str, str]]:
    """Return whose data the notices are about, as these contacts have it, and which fields get which value. A
    filler date is not a birth date (RET-09). A value is empty where it would show where to find somebody who
    must not be found (IDV-05)."""
    rows = sorted(rows_of(context.connector, FullContact, _PERSON, Among("id", sorted(contacts))), key=lambda row: row.id)
    known = [Known(" ".join(f"{row.first_name or ''} {row.last_name or ''}".split()), _born_on(context, row)) for row in rows]
    is_hidden = any(row.no_contact for row in rows)
    corrected = {name: value for task in tasks if task.what is What.CORRECT for name, value in task.values.items()}
    values = {name: "" if is_hidden and name not in _HARMLESS else value for name, value in corrected.items()}
    return tuple(dict.fromkeys(one for one in known if one.name)), values


def _born_on(context: JobContext, row: FullContact) -> str:
    is_known = row.birth_on is not None and row.birth_on not in context.policy.fillers
    return row.birth_on.isoformat() if row.birth_on is not None and is_known else ""


def _files_about(context: JobContext, contacts: Collection[str]) -> set[tuple[str, str]]:
    """Return the files in which one of these contacts is the child."""
    roles = rows_of(context.connector, FullParty, ("dossier", "fiche", "role"), Among("contact", sorted(contacts)))
    places = [
        (kind, row) for role in roles if role.role == FileRole.CHILD for kind, row in (("dossier", role.dossier), ("fiche", role.fiche))
    ]
    return {(kind, row) for kind, row in places if row is not None}


def _notices(context: JobContext, of_files: Mapping[tuple[str, str], Collection[Task]], about: Set[tuple[str, str]]) -> Iterator[Notice]:
    """Yield one notice for each fiche that was passed on and each task on it or on its dossier."""
    for fiche in _fiches(context, [file for file, tasks in of_files.items() if tasks]):
        name = (fiche.transmitted_to or "").strip()
        on = fiche.transmitted_on.isoformat() if fiche.transmitted_on is not None else ""
        country = (fiche.transmitted_country or "").strip().upper()
        places = (("fiche", fiche.id), ("dossier", fiche.dossier or ""))
        is_named = not about.isdisjoint(places)
        numbers = (fiche.number,) if fiche.number and not is_named else ()
        for task in (task for place in places for task in of_files.get(place, ()) if name):
            yield Notice(name, on, country, (task.what,), (task.item,), is_named, numbers)


def _merged(one: Notice, later: Notice) -> Notice:
    """Return two notices to the same recipient as one, as the later one names it."""
    return msgspec.structs.replace(
        later,
        is_named=one.is_named or later.is_named,
        numbers=tuple(sorted({*one.numbers, *later.numbers})),
        deeds=tuple(sorted({*one.deeds, *later.deeds})),
        items=tuple(sorted({*one.items, *later.items})),
    )


def _fiches(context: JobContext, files: Collection[tuple[str, str]]) -> list[FullFiche]:
    dossiers = sorted(row for kind, row in files if kind == "dossier")
    named = sorted(row for kind, row in files if kind == "fiche")
    rows = {row.id: row for row in rows_of(context.connector, FullFiche, _FIELDS, Among("dossier", dossiers))}
    rows |= {row.id: row for row in rows_of(context.connector, FullFiche, _FIELDS, Among("id", named))}
    return list(rows.values())
