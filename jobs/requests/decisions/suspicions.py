"""What of a granted request stays because of a suspicion since its release, as at the release it would have
been told to nobody: a file closed to who asked (SUS-06, SUS-10), and everything that was asked in the name of
a child by somebody suspected in a file of it (SUS-11).

While that lasts no plan and no inbox tells of it (SUS-07). Once it has ended, or a role is not there any
more as it was, two people look first, the DPO among them (SUS-08); as they do, too, where a role has come
that cannot be read (SUS-05), or a suspicion in a file that shares another child with a granted one
(SUS-06); and, which is no suspicion, where a file was opened again or got a fiche, where there is a new
file about the child, where a course or an agreement is somebody else's by now, or the report of a fiche,
where a contact of who asked was merged into another one, and where the authority of who asked in its name
has ended (RGT-07): what was weighed was another thing. What roles there were is noted alike for everybody
of whom something waits, so that what is noted tells of no suspicion. Source: SUS-05 to SUS-11."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import chain
from typing import Final, NamedTuple, TypeVar, cast

import msgspec

from connectors.interface.remains import ResidualKind
from connectors.interface.rows import Among
from jobs.erasures.register import load_register
from jobs.ports.context import JobContext
from jobs.reading.few_rows import PARTY_FIELDS, rows_anywhere, rows_of
from jobs.reading.long_term import without_live
from jobs.reading.owners import look_around
from jobs.register.decision import ERASING, Decision, FileOnce, RoleOnce, What
from jobs.register.overrides import acts_though_suspected, looked_at, looks_given
from jobs.requests.decisions.files_since import files_since
from rules.model.file_roles import FILE_ROLES, PARENTS, FileRole
from rules.model.kinds import FILES, RELATIONS
from rules.model.personal_records import FullParty
from rules.model.records import KINDS, Fiche, Party, Record, Recording
from rules.retention.clocks import without_sentinel
from rules.rights.facts import RoleInFile
from rules.rights.suspicion import has_ended, is_active

R = TypeVar("R", bound=Record)
# What is not done in the file of a suspicion at the word of whoever is suspected in it.
CLOSED_TO_SUSPECTS: Final = ERASING | {What.RESTRICT, What.ANNOTATE}
_FIELDS: Final = (*PARTY_FIELDS, "suspect_until", "authority_evidence", "authority_valid_until")


class KeptItems(NamedTuple):
    """Granted items that stay: for a suspicion that lasts, or, until two people have looked, for one that has
    ended, or may have, or for what else has come since. `roles` and `files` are those to be noted, with the
    ones that are to be looked at."""

    closed: frozenset[str] = frozenset()
    to_look_at: frozenset[str] = frozenset()
    roles: tuple[RoleOnce, ...] = ()
    files: tuple[FileOnce, ...] = ()

    @property
    def items(self) -> frozenset[str]:
        return self.closed | self.to_look_at


def kept_items(context: JobContext, decision: Decision) -> KeptItems:
    """Return the granted items that stay for a suspicion of somebody who asked, or to be looked at. Raises
    ConnectorError: the CRM cannot be read."""
    merged = merged_into(context, decision)
    people = sorted({*decision.contacts, *decision.asking, *merged})
    if not people:
        return KeptItems()
    rows = _roles(context, people)
    active = _suspicions(context, rows)
    ended = [row for row in rows if has_ended(_role(row), context.today) and not _was_looked_at(context, decision, row.suspect_until)]
    fresh, left = _changed(context, decision, rows)
    unreadable = [row for row in fresh if row.role not in FILE_ROLES]
    closed = _items_kept_by(context, decision, active, CLOSED_TO_SUSPECTS)
    linked = _linked(context, decision, [row for row in fresh if row in active], closed)
    of_child = [row for row in fresh if row.role == FileRole.CHILD and row.contact in decision.contacts]
    files, changed = files_since(context, decision, looked=is_looked_at(decision))
    unseen = {row.id for row in (*unreadable, *of_child)} | linked.keys()
    to_look_at = _items_kept_by(context, decision, [*ended, *left, *unreadable]).union(*linked.values())
    changed |= frozenset() if is_looked_at(decision) else linked_to_others(context, decision)
    to_look_at |= {task.item for task in decision.tasks if task.id in changed or (of_child and task.what is What.ERASE)}
    to_look_at |= _called_by_others(context, decision, people)
    if _authority_has_ended(context, decision, rows) or merged:
        to_look_at |= {task.item for task in decision.tasks}
    return KeptItems(closed, to_look_at - closed, (*(_noted(context, row, row.id in unseen) for row in rows), *left), files)


def is_suspected(context: JobContext, contact: str) -> bool:
    """Return whether a contact is suspected in some file today. Raises ConnectorError: the CRM cannot be
    read."""
    return bool(_suspicions(context, _roles(context, [contact])))


def is_in_closed_files_alone(context: JobContext, contacts: Collection[str], rows: Collection[tuple[str, str]]) -> bool:
    """Return whether one person is in files, and in no other ones than those in which the person is suspected
    today: by roles of these contacts, and by `rows` without a contact that are confirmed to be theirs. Raises
    ConnectorError: the CRM cannot be read."""
    own = sorted(row for kind, row in rows if kind == "party")
    roles = [*_roles(context, sorted(contacts)), *(_roles(context, own, "id") if own else ())]
    closed = _files_of(context, _suspicions(context, roles))
    files = [{row.dossier, row.fiche} - {None} for row in roles]
    others = look_around(context.connector, [row for row in rows if row[0] != "party"]).units.values()
    files += [{each.id for each in unit.above()} or {fiche.id for fiche in unit.fiches} or {unit.id} for unit in others]
    return bool(files) and all(each <= closed for each in files)


def _suspicions(context: JobContext, rows: Iterable[FullParty]) -> list[FullParty]:
    return [row for row in rows if is_active(_role(row), context.today)]


def _role(row: FullParty) -> RoleInFile:
    return RoleInFile(("party", row.id), row.contact or "", row.role or "", row.suspect_until)


def _roles(context: JobContext, ids: Sequence[str], by: str = "contact") -> list[FullParty]:
    """Return the roles of these people, or the roles with these ids. A suspicion counts that lies in the
    recycle bin or in long-term retention, as it does for an answer: nothing is done because somebody has
    deleted it (SUS-05). A filler ends none."""
    connector = context.connector
    full = cast("type[FullParty]", connector.all_kinds["party"].full)
    rows = rows_of(connector, full, _FIELDS, Among(by, ids))
    for residual in (ResidualKind.BIN, ResidualKind.RETAINED):
        found = connector.binned_or_retained(residual, full, _FIELDS, Among(by, ids)).rows
        rows += [row for row in cast("Sequence[FullParty]", found) if row.role == FileRole.SUSPECT]
    fillers = context.policy.fillers
    known = {row.id: msgspec.structs.replace(row, suspect_until=without_sentinel(row.suspect_until, fillers)) for row in reversed(rows)}
    return sorted(known.values(), key=lambda row: row.id)


def _noted(context: JobContext, row: FullParty, is_unseen: bool) -> RoleOnce:
    return RoleOnce(row.id, context.reference("role", f"{row.id} {row.role}"), row.contact or "", row.dossier, row.fiche, is_unseen)


def _changed(context: JobContext, decision: Decision, rows: Sequence[FullParty]) -> tuple[list[FullParty], list[RoleOnce]]:
    """Return the roles that are new since something waits, and those that were there and are not as they
    were, as far as nobody has looked at them. What was erased here is no sign of anything."""
    if not decision.roles or is_looked_at(decision):
        return [], []
    now = {row.id: set(context.references("role", f"{row.id} {row.role}")) for row in rows}
    seen = {role.ref for role in decision.roles if not role.is_unseen}
    fresh = [row for row in rows if seen.isdisjoint(now[row.id])]
    left = [role for role in decision.roles if role.ref not in now.get(role.id, ())]
    if left:
        register, tables = load_register(context), context.connector.tables(Party)
        left = [role for role in left if all(register.find(context.references(table, role.id)) is None for table in tables)]
    return fresh, left


def _linked(context: JobContext, decision: Decision, suspicions: Iterable[Party], closed: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the granted items about a file that shares another child with that of a suspicion (SUS-06), by
    the role; without those that are `closed`."""
    linked = {}
    for suspicion in suspicions:
        files = sorted(_files_of(context, [suspicion]))
        inside = [row for name in FILES for row in _wherever(context, Party, PARTY_FIELDS, Among(name, files))]
        children = {row.contact for row in inside if row.role == FileRole.CHILD and row.contact is not None}
        children -= {*decision.contacts, *decision.asking}
        theirs = _wherever(context, Party, PARTY_FIELDS, Among("contact", sorted(children)))
        shared = _within(context, _files_of(context, [row for row in theirs if row.role == FileRole.CHILD]))
        if items := frozenset(task.item for task in decision.of(ERASING) if task.id in shared) - closed:
            linked[suspicion.id] = items
    return linked


def linked_to_others(context: JobContext, decision: Decision) -> frozenset[str]:
    """Return the granted courses and agreements that are somebody else's by now: a mistake that was put
    right, or the same person under another contact, as after a merge."""
    found = set[str]()
    for kind in RELATIONS:
        ids = sorted(task.id for task in decision.of(ERASING) if task.kind == kind)
        rows = _wherever(context, KINDS[kind], ("contact",), Among("id", ids))
        found |= {row.id for row in rows if getattr(row, "contact", None) not in (None, *decision.contacts)}
    return frozenset(found)


def _called_by_others(context: JobContext, decision: Decision, people: Collection[str]) -> frozenset[str]:
    """Return the granted items of numbers of callers on fiches that somebody else reported, as is noted by
    now, and none of these people: the number may be that one's. Nothing once two people have looked."""
    fiches = sorted(task.id for task in decision.tasks if task.what is What.NO_CALLER)
    if not fiches or is_looked_at(decision):
        return frozenset()
    roles = rows_of(context.connector, Party, PARTY_FIELDS, Among("fiche", fiches))
    named = [row for row in roles if row.role == FileRole.REPORTER and row.contact is not None]
    others = {row.fiche for row in named} - {row.fiche for row in named if row.contact in people}
    return frozenset(task.item for task in decision.tasks if task.what is What.NO_CALLER and task.id in others)


def merged_into(context: JobContext, decision: Decision) -> set[str]:
    """Return the contacts into which whoever asked, or for whom, was merged, and of which nothing was
    decided: what was that person's stands there by now."""
    people = {*decision.contacts, *decision.asking}
    return {into[-1] for into in context.connector.merged_into(people).values()} - people


def _child(context: JobContext, decision: Decision) -> list[str]:
    """Return the contacts of the child in whose name it was decided, with those into which they were
    merged."""
    merged = context.connector.merged_into(decision.contacts)
    return sorted({*decision.contacts, *chain.from_iterable(merged.values())})


def is_looked_at(decision: Decision) -> bool:
    """Return whether two people have looked since something waits for it."""
    return decision.looked_for_at is not None and looked_at(looks_given(decision))


def _authority_has_ended(context: JobContext, decision: Decision, rows: Sequence[FullParty]) -> bool:
    """Return whether who asked for a child could not do so any more: the last day of the authority has passed
    in a file of the child, and no other one shows it (RGT-08, `rules/rights/authority.py`)."""
    if not decision.on_behalf:
        return False
    held = [row for row in rows if row.contact not in decision.contacts and row.role in PARENTS]
    days = {row.id: row.authority_valid_until for row in held}
    if not any(day is not None and day < context.today for day in days.values()):
        return False
    roles = _wherever(context, Party, PARTY_FIELDS, Among("contact", _child(context, decision)))
    of_child = _files_of(context, [row for row in roles if row.role == FileRole.CHILD])
    held = [row for row in held if not of_child.isdisjoint(_files_of(context, [row]))]
    over = [day for row in held if (day := days[row.id]) is not None and day < context.today]
    is_shown = any(row.authority_evidence and ((day := days[row.id]) is None or day >= context.today) for row in held)
    return bool(over) and not is_shown and not _was_looked_at(context, decision, max(over))


def _was_looked_at(context: JobContext, decision: Decision, until: date | None) -> bool:
    """Return whether two people have looked since the last day of a suspicion or an authority, before the
    release or after it."""
    return looked_at(given for given in decision.looks if until is None or context.day(given.at) > until)


def _items_kept_by(
    context: JobContext, decision: Decision, suspicions: Sequence[Party | RoleOnce], kinds: Collection[What] = ERASING
) -> frozenset[str]:
    """Return the granted items of these kinds about a file in which any of these roles is, by a fiche of it
    too; a restriction of everything about the person takes that file in. All items are returned where it is
    the role of somebody who acts for a child, in a file of that child."""
    if not suspicions:
        return frozenset()
    closed = _within(context, _files_of(context, suspicions))
    if decision.on_behalf and not acts_though_suspected(decision.looks):
        child = _child(context, decision)
        acting = _files_of(context, [row for row in suspicions if row.contact not in child])
        of_child = _wherever(context, Party, PARTY_FIELDS, Among("contact", child)) if acting else []
        if not acting.isdisjoint(_files_of(context, of_child)):
            return frozenset(task.item for task in decision.tasks)
    people = {row.contact for row in suspicions}
    return frozenset(task.item for task in decision.of(kinds) if task.id in closed or (task.what is What.RESTRICT and task.id in people))


def _within(context: JobContext, files: frozenset[str]) -> frozenset[str]:
    """Return the ids of these files, and of the recordings in them: the own voice is asked for by itself."""
    recordings = (row for name in FILES for row in _wherever(context, Recording, (), Among(name, sorted(files))))
    return files | {row.id for row in recordings}


def _files_of(context: JobContext, roles: Collection[Party | RoleOnce]) -> frozenset[str]:
    """Return the dossiers and fiches in which these roles are, with all fiches of those dossiers."""
    fiches = {row.fiche for row in roles if row.fiche is not None}
    dossiers = {row.dossier for row in roles if row.dossier is not None}
    dossiers |= {each for row in _wherever(context, Fiche, ("dossier",), Among("id", sorted(fiches))) for each in row.dossiers}
    return frozenset(dossiers | fiches | {fiche for dossier in dossiers for fiche in fiches_of(context, dossier, shared=True)})


def fiches_of(context: JobContext, dossier: str, *, shared: bool = False) -> list[str]:
    """Return the fiches of a dossier, wherever they lie: those that go with it, or also those that other
    dossiers share."""
    rows = _wherever(context, Fiche, ("dossier",), Among("dossier", [dossier]))
    return sorted(row.id for row in rows if shared or not row.also_in)


def _wherever(context: JobContext, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """Return rows with those in long-term retention and in the recycle bin: a suspicion in a file counts
    though a part of the file was moved there, or deleted by somebody (SUS-05)."""
    if not among.ids:
        return []
    connector = context.connector
    rows = rows_anywhere(connector, record, fields, among, connector.retaining((record,)))
    binned = cast("Sequence[R]", connector.binned_or_retained(ResidualKind.BIN, record, fields, among).rows)
    return [*rows, *without_live(binned, {row.id for row in rows})]
