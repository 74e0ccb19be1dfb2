"""Makes the plan of a granted request: which rows are deleted, are dissociated from the person, or wait
because something prevents it.

The schedule does not decide whether: the DPO has. It decides how a file is disposed of (deleted, or
anonymised with its row of statistics). Holds are checked twice, here and at each write; only what table 4.2
lets pass gives way (HLD-12, R-078, R-079). Source: section 6.2, RET-20, HLD-12, ERA-04; GDPR art. 17."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar, cast

from connectors.interface.connector import Connector
from connectors.interface.remains import ResidualKind
from connectors.interface.rows import Among
from jobs.holds.active import active_holds
from jobs.holds.granted_erasure import as_answered, erasure_of, given_up, giving_way, ways_of
from jobs.model.plan import CONSENT_WITHDRAWN, ERASURE_REQUEST, REQUEST_RULE, Approval, Kind, Plan, PlanLine
from jobs.model.request import SubjectRequest
from jobs.plans.unscheduled_plan import store_plan
from jobs.ports.context import JobContext
from jobs.reading.few_rows import PARTY_FIELDS, rows_anywhere
from jobs.reading.out_of_reach import IN_BIN, LONG_TERM, lie_elsewhere
from jobs.reading.owners import look_around
from jobs.reading.tops import tops_of
from jobs.reading.units import is_anonymised
from jobs.register.decision import DISPOSING, Decision, Task, What, answered
from jobs.requests.decisions.suspicions import fiches_of, kept_items
from jobs.writing.contact_check import Situation, check_contacts
from jobs.writing.send import TECHNICAL
from rules.holds.erasure_rulings import GrantedErasure, Ruling, rule_on
from rules.model.decisions import Decision as Disposal
from rules.model.file_roles import FileRole
from rules.model.kinds import FILES, OUTLIVING, RELATIONS
from rules.model.records import KINDS, Contact, Party, Record, Recording, Unit, UnitKind
from rules.model.requests import Right
from rules.retention.relations import relation_terms

_DELETED: Final = "delete"
_GONE: Final = (None, "", "")
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row of the plan while it is made, with its task; people deleted with a file have none."""

    kind: str
    id: str
    disposition: str
    task: Task | None = None


def plan_erasure(context: JobContext, request: SubjectRequest, decision: Decision) -> Plan | None:
    """Find what of a decision can be carried out now, and store the plan of it. Return None where nothing
    can. Nothing is written to the CRM. The approvals of the request, the DPO's of its content and the second
    person's of its release, count as the approvals of the plan. Only the circuit breaker asks for more.
    Raises ConnectorError: the CRM could not be read in full; nothing is stored."""
    now = context.clock()
    context = context.on(context.day(now))
    trims, lines = lines_of_decision(context, request, decision)
    if not trims and not any(line.is_disposal for line in lines):
        return None
    given = tuple(Approval(each.who, each.role, each.at, True) for each in request.approvals if each.step in ("content", "release"))
    uncounted = {table for kind in OUTLIVING for table in context.connector.tables(KINDS[kind])}
    return store_plan(context, Kind.REQUEST, now, lines, trims, uncounted=uncounted, given=given, request=request.id)


def held_items(context: JobContext, request: SubjectRequest, decision: Decision) -> dict[str, str]:
    """Return what prevents granted items now, by item, with the code, for the DPO (R-078, R-079). What is
    granted of a withdrawal is the end of a use, which nothing prevents; that the contact goes is not."""
    wanted = list(_wanted(context, decision, kept_items(context, decision).items))
    if decision.right is not Right.CONSENT_WITHDRAWAL:
        wanted += [Wanted("contact", task.id, _DELETED, task) for task in decision.of({What.PROFILE})]
    verdicts = _verdicts(context, wanted, erasure_of(request, decision))
    return {
        each.task.item: reason
        for each in wanted
        if each.task is not None and each.task.what in DISPOSING and (reason := verdicts.get((each.kind, each.id), _GONE)[1])
    }


def lines_of_decision(context: JobContext, request: SubjectRequest, decision: Decision) -> tuple[tuple[str, ...], list[PlanLine]]:
    """Return the contacts to trim, and one line for each row that is disposed of, that a hold keeps, or that
    lies where nothing is written."""
    erasure = erasure_of(request, decision)
    kept = kept_items(context, decision).items
    wanted = list(_wanted(context, decision, kept))
    verdicts = _verdicts(context, wanted, erasure)
    reason = CONSENT_WITHDRAWN if decision.right is Right.CONSENT_WITHDRAWAL else ERASURE_REQUEST
    lines: list[PlanLine] = []
    going: list[Wanted] = []
    files = {key: unit for key, (unit, held, _) in verdicts.items() if unit and held not in (TECHNICAL, IN_BIN) and key[0] in FILES}
    ways = dict(zip(files, ways_of(context, files.values()), strict=True))
    for each in wanted:
        unit, held, table = verdicts.get((each.kind, each.id), _GONE)
        if unit is None or (each.kind in FILES and is_anonymised(unit)):
            continue  # gone already
        lines.append(_line(context, each, unit, table, held or reason, ways.get((each.kind, each.id))))
        if not held:
            going.append(each)
    left = set[str]() if kept else _left(context, request)  # nobody knows any more with which item they were to go
    removed, trims, staying = _people(giving_way(context, erasure), decision, going, kept, left)
    people = context.connector.table(Contact)
    for contact, code in (dict.fromkeys(removed, reason) | staying).items():
        unit = Unit(UnitKind.CONTACT, contact, removed.get(contact, ""))
        lines.append(_line(context, Wanted("contact", contact, _DELETED), unit, people, code, None))
    return trims, lines


def left_of_decision(context: JobContext, request: SubjectRequest, decision: Decision) -> tuple[list[Task], list[PlanLine]]:
    """Return the tasks of which something is still to be disposed of, with the lines of that. A profile waits
    for everything else, and what has gone for whoever was to go with it."""
    trims, lines = lines_of_decision(context, request, decision)
    if not trims and not lines:
        return [], []
    table, profiles = context.connector.table(Contact), decision.of({What.PROFILE})
    people = {*trims, *(line.id for line in lines if line.table == table)}
    if not people <= {task.id for task in profiles}:
        return decision.of(DISPOSING), lines
    rows = {line.id for line in lines}
    left = [*profiles, *(each.task for each in _wanted(context, decision, ()) if each.id in rows)]
    return [task for task in decision.of(DISPOSING) if task in left or task.id in rows], lines


def kept_rows(context: JobContext, request: SubjectRequest, decision: Decision) -> set[str]:
    """Return the ids of the rows that would go with the `kept_items`, and of whom earlier runs have left."""
    kept = kept_items(context, decision).items
    if not kept:
        return set()
    staying = {each.id for each in _wanted(context, decision, ())} - {each.id for each in _wanted(context, decision, kept)}
    return staying | {task.id for task in decision.of({What.PROFILE}) if task.item in kept} | _left(context, request)


def tasks_of_recordings(context: JobContext, decision: Decision) -> tuple[Task, ...]:
    """Return a separate task for each recording of a file that is deleted. One that has to wait loses its
    link, and would not be found again."""
    known = {(task.kind, task.id) for task in decision.of({What.ERASE})}
    found = [
        row
        for row in _wanted(context, decision, kept_items(context, decision).items)
        if row.kind == "recording" and (row.kind, row.id) not in known
    ]
    return tuple(Task(row.task.item, What.ERASE, row.kind, row.id) for row in found if row.task is not None)


def _wanted(context: JobContext, decision: Decision, kept: Collection[str]) -> Iterator[Wanted]:
    """Yield the rows of open tasks except contacts, once: a file with its fiches' recordings. Items that are
    `kept` have none."""
    connector, seen = context.connector, set[tuple[str, str]]()
    for task in decision.of({What.ERASE, What.DISOWN}):
        if task.item in kept:
            continue
        if task.what is What.DISOWN:
            rows = [Wanted("party", row, "anonymise", task) for row in _roles_in(context, decision.contacts, task)]
            rows += [Wanted(*row, "anonymise", task) for row in _naming_in(context, decision.contacts, task)]
        else:
            fiches = [task.id] if task.kind == "fiche" else fiches_of(context, task.id) if task.kind == "dossier" else []
            recordings = _rows(connector, Recording, FILES, Among("fiche", fiches)) if fiches else []
            if task.kind == "dossier":
                recordings += _rows(connector, Recording, FILES, Among("dossier", [task.id]))
            # One of a file outside it too stays with that.
            recordings = [row for row in recordings if row.fiche in (None, *fiches) and row.dossier in (None, task.id)]
            rows = [Wanted("recording", row.id, _DELETED, task) for row in recordings]
            rows += [Wanted(task.kind, task.id, _DELETED, task)] if _is_still_theirs(context, decision.contacts, task) else []
        for each in rows:
            if (each.kind, each.id) not in seen:
                seen.add((each.kind, each.id))
                yield each


def _is_still_theirs(context: JobContext, contacts: Collection[str], task: Task) -> bool:
    """Return whether a row is no course or agreement that was linked to somebody else meanwhile."""
    if task.kind not in RELATIONS:
        return True
    rows = _rows(context.connector, KINDS[task.kind], ("contact",), Among("id", [task.id]))
    return not rows or any(getattr(row, "contact", None) in contacts for row in rows)


def _roles_in(context: JobContext, contacts: Sequence[str], task: Task) -> list[str]:
    """Return the person's roles in one file, one in the recycle bin included. A suspect's is not theirs to
    have removed (SUS-10)."""
    connector, among = context.connector, Among("contact", sorted(contacts))
    binned = cast("Sequence[Party]", connector.binned_or_retained(ResidualKind.BIN, Party, PARTY_FIELDS, among).rows)
    fiches = {task.id} if task.kind == "fiche" else set(fiches_of(context, task.id, shared=True))
    return sorted(
        row.id
        for row in (*_rows(connector, Party, PARTY_FIELDS, among), *binned)
        if row.role != FileRole.SUSPECT and (row.fiche in fiches or (task.kind == "dossier" and row.dossier == task.id))
    )


def _naming_in(context: JobContext, contacts: Sequence[str], task: Task) -> list[tuple[str, str]]:
    """Return the rows of dependent tables in one file that name the person by a lookup."""
    connector = context.connector
    if not connector.all_kinds.own:
        return []
    inside = {(task.kind, task.id)}
    inside |= {("fiche", fiche) for fiche in fiches_of(context, task.id, shared=True)} if task.kind == "dossier" else set()
    naming = {
        (own.word, row.id): row
        for own in connector.all_kinds.own
        for name in own.naming
        for row in _rows(connector, own.full, own.links, Among(name, sorted(contacts)))
    }
    tops = tops_of(connector, [(word, row) for (word, _), row in naming.items()])
    return sorted(row for row in naming if not inside.isdisjoint(tops[row]))


def _verdicts(
    context: JobContext, wanted: Collection[Wanted], erasure: GrantedErasure
) -> dict[tuple[str, str], tuple[Unit | None, str, str]]:
    """Return each row that exists as a unit, with the code of what keeps it, empty where nothing does, and
    its table; one that only lies in the recycle bin exists."""
    if not wanted:
        return {}
    holds, over = active_holds(context, context.today), answered(context.store)
    seen = look_around(context.connector, [(each.kind, each.id) for each in wanted])
    found: dict[tuple[str, str], tuple[Unit | None, str, str]] = {}
    roles = _parties(context, "id", (each.id for each in wanted if each.kind == "party"))
    can_purge = not seen.found.retained or context.connector.may_purge_retained()
    unreached = {(each.kind, each.id) for each in wanted if each.disposition != _DELETED or not can_purge}
    derived = {("party", row.id) for row in roles if context.connector.is_derived(type(row))}
    for key, unit in seen.units.items():
        if key in derived:  # no row of its own says whose it is: somebody has to change the file itself
            found[key] = (unit, TECHNICAL, seen.tables[key])
            continue
        verdict = rule_on((), [as_answered(hold, over) for hold in holds.on(unit)], erasure)
        held = "" if verdict.ruling is Ruling.ALLOWED else verdict.because[0].value
        if key in unreached and unit.id in seen.found.retained:
            held = held or LONG_TERM
        found[key] = (unit, held, seen.tables[key])
    missing = [each for each in wanted if (each.kind, each.id) not in found]
    for kind in {each.kind for each in missing}:
        lying = lie_elsewhere(context.connector, KINDS[kind], (each.id for each in missing if each.kind == kind))
        found |= {
            (kind, row): (Unit(UnitKind.CONTACT, row, ""), code, context.connector.tables(KINDS[kind])[0]) for row, code in lying.items()
        }
    return found


def _left(context: JobContext, request: SubjectRequest) -> set[str]:
    """Return whom earlier runs of the request were to remove or trim with a file, and have not."""
    store, table = context.store, context.connector.table(Contact)
    runs = [store.runs.of_plan(plan.id) for plan in store.plans.newest([Kind.REQUEST]) if plan.request == request.id]
    tried = {action.id for run in runs if run is not None for action in store.journal.of_run(run.id) if action.table == table}
    return set(store.journal.undone(table, tried)) if tried else set()


def _people(
    context: JobContext, decision: Decision, going: Collection[Wanted], kept: Collection[str], left: set[str]
) -> tuple[dict[str, str], tuple[str, ...], dict[str, str]]:
    """Return the contacts to be deleted (id -> version), those that lose their fields of operations, by
    RET-20, and those that stay although nothing needs them, each with the code. `left` are those whose files
    have gone already. A contact to whom anything else still refers has no line: a plan of one person must not
    show why somebody stays (SUS-05)."""
    profiles = {task.id for task in decision.of({What.PROFILE}) if task.item not in kept}
    leaving = {each.id for each in going}
    fiches = [row for each in going if each.kind == "dossier" for row in fiches_of(context, each.id)]
    leaving |= set(fiches)
    units = [each.id for each in going if each.kind == "dossier"]
    lone = [*fiches, *(each.id for each in going if each.kind == "fiche")]
    roles = [*_parties(context, "dossier", units), *_parties(context, "fiche", lone)]
    disowned = [each.id for each in going if each.kind == "party"]
    roles += _parties(context, "id", disowned)
    people = sorted(profiles.union(left, (row.contact for row in roles if row.contact is not None)))
    if not people:
        return {}, (), {}
    day = context.today
    held = active_holds(context, day).on_contacts()
    situation = Situation(held=held, given_up=profiles & given_up(context, decision), leaving=leaving)
    look = partial(check_contacts, context.connector, day=day, terms=relation_terms(context.policy))
    check = look(people, (), situation)
    removed = {one: check.etags[one] for one in people if one in check.etags and not check.keeps(one)}
    if decision.right is Right.CONSENT_WITHDRAWAL:
        # Whoever stays is held on another basis, with all that is known of them (RGT-12); whom a hold alone
        # keeps goes once that has ended.
        waiting = sorted(profiles & held.keys() & check.etags.keys())
        bare = look(waiting, (), replace(situation, held={})) if waiting else check
        return removed, (), {one: held[one].value for one in waiting if not bare.keeps(one)}
    others = [one for one in people if one not in removed and (one not in left or one in check.etags)]
    trimming = look((), others, situation)
    staying = {one: LONG_TERM for one in others if LONG_TERM in (check.keeps(one), trimming.keeps(one))}
    staying |= {one: held[one].value for one in profiles.union(left & check.etags.keys()) & held.keys()}
    staying |= lie_elsewhere(context.connector, Contact, profiles - check.etags.keys())
    return removed, tuple(one for one in others if not trimming.keeps(one) and one not in trimming.already_empty), staying


def _parties(context: JobContext, field: str, ids: Iterable[str]) -> list[Party]:
    return _rows(context.connector, Party, PARTY_FIELDS, Among(field, sorted(set(ids))))


def _rows(connector: Connector, record: type[R], fields: tuple[str, ...], among: Among) -> list[R]:
    """Return rows wherever they lie: one in long-term retention is not gone."""
    return rows_anywhere(connector, record, fields, among, connector.retaining((record,))) if among.ids else []


def _line(context: JobContext, each: Wanted, unit: Unit, table: str, reason: str, way: Disposal | None) -> PlanLine:
    end = way.retention_end if way is not None else None
    disposes = reason in (ERASURE_REQUEST, CONSENT_WITHDRAWN)
    return PlanLine(
        table=table,
        id=unit.id,
        outcome="dispose" if disposes else "retain",
        disposition=None if not disposes else way.disposition.value if way is not None else each.disposition,
        retention_end=end.isoformat() if end is not None else None,
        reason=reason,
        reasons=(reason,),
        flags=(),
        categories=way.categories if way is not None else (),
        rule=REQUEST_RULE,
        policy_version=context.policy.version,
        etag=unit.etag,
    )
