"""Units that are not disposed of although they are due: canaries never, those in quarantine only when their
days have passed. The run that would dispose of a unit for the first time marks it instead and notifies its
owner. From then on the days count. Of a plan of an earlier version of the schedule the one in force by now
counts too: what either of them keeps waiting waits."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias
from uuid import uuid4

import msgspec

from connectors.interface.changes import Operation, OperationKind
from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.checks.denials import denied, refuse_role
from jobs.checks.same_crm import is_of_other_crm, refuse_other_crm
from jobs.model.plan import PlanLine
from jobs.model.run import AWAITS_TURN, CRM_REFUSED, WRITTEN_OFF, RowWrite
from jobs.plans.alarms.observations import CANARY
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from jobs.reading.few_rows import rows_of
from jobs.reading.out_of_reach import LONG_TERM
from jobs.reading.row_kinds import RowKinds
from jobs.writing.send import send_operations
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.model.accounts import account
from rules.model.kinds import WHOLE
from rules.model.records import Note
from rules.model.roles import Act
from rules.policy.limits import Quarantine as QuarantinePolicy
from rules.policy.policy import Policy
from rules.retention.quarantine import QUARANTINED, UNDONE, Mark, covers, last_day, waits

Reference: TypeAlias = Callable[[str, str], str]
PUT_OFF = frozenset({AWAITS_TURN, CANARY, QUARANTINED, UNDONE, LONG_TERM})  # codes of units that are skipped by design
NOTED = WHOLE  # a note can be attached to these
SUBJECT = "Bewaartermijn / Durée de conservation / Retention period"
TEXT = (
    "De bewaartermijn van dit item is voorbij. Het wordt vernietigd of geanonimiseerd na {day}, tenzij er een reden is om het te bewaren: "
    "meld die voor die dag aan de CRM-beheerder of de DPO.\n\n"
    "La durée de conservation de cet élément est écoulée. Il sera détruit ou anonymisé après le {day}, sauf s'il y a une raison de le "
    "conserver : signalez-la avant cette date à l'administrateur du CRM ou au DPO.\n\n"
    "The retention period of this item has ended. It will be deleted or anonymised after {day} unless there is a reason to keep it: tell "
    "the CRM administrator or the DPO before that day."
)


def waiting(context: JobContext, lines: Sequence[PlanLine], day: date, unwritable: Collection[str] = ()) -> dict[str, str]:
    """Return the units that may not be deleted yet, by id, with the code that says why. Those that are new
    here are marked and their owners notified.

    `lines` are units that are due now. A unit whose owner could not be notified stays, with the code of what
    the CRM refuses. No note can be added to those of the ids `unwritable`: they are marked alone, and the
    list of what is in quarantine shows them. Raises ConnectorError: the CRM cannot be queried for an existing
    notice."""
    marks = _marks(context, day)
    codes = _codes(context, lines, marks, day)
    fresh: list[Mark] = []
    for line in lines:
        if codes.get(line.id, CANARY) != CANARY and (policy := _covering(context, line, day)) is not None:
            mark = marks.get(line.key)
            if mark is None or not mark.told or mark.until < day:
                fresh.append(_marked(context, policy, line, mark, day, noted=line.id not in unwritable))
    return codes | dict.fromkeys(_mark(context, fresh), CRM_REFUSED)


def put_off(context: JobContext, lines: Sequence[PlanLine], day: date) -> set[str]:
    """Return those of some units, by id, that `waiting` would leave: canaries, and what is in quarantine or
    would be marked for it. Nothing is marked here."""
    return set(_codes(context, lines, _marks(context, day), day))


def kept_with(context: JobContext, rows: Mapping[str, Sequence[RowWrite]], day: date) -> dict[str, str]:
    """Return the units, by id, that would take a canary or a unit in quarantine along, with the code. They
    stay until that one may be deleted."""
    connector = context.connector
    kept = dict.fromkeys(_canaries(context, day), CANARY)
    kept |= {key: code for key, mark in _marks(context, day).items() if (code := waits(mark, day))}
    if not kept:
        return {}
    return {
        unit: kept[row]
        for unit, writes in rows.items()
        for write in writes
        if (row := write.key(connector)) in kept and write.operation in WRITTEN_OFF
    }


def marks_of(store: Store, policy: Policy) -> list[Mark]:
    """Return the marks that keep a unit of this CRM from the next run: none where the schedule has no
    quarantine, or has none any more."""
    if policy.quarantine is None:
        return []
    return [mark for mark in store.quarantine.marks() if not is_of_other_crm(store, mark.crm)]


def undo(store: Store, policy: Policy, table: str, row: str, who: str, role: str, *, now: datetime, reference: Reference) -> Mark:
    """Keep a unit that is in quarantine: it stays as many days again, and is then marked afresh if it is
    still due.

    What has to stay for good is put under a hold. The ledger keeps the role and keyed references of the
    person and the unit.

    Raises:
        UsageError: the unit is not in quarantine.
        Refused: another role; or the days have passed, so that the next run disposes of the unit."""
    who, day = account(who), policy.calendar.day(now)
    data: dict[str, object] = {"unit": reference(table, row), "table": table, "role": role, "by": reference("person", who)}
    refuse_role(store, who, role, Act.KEEP_IN_QUARANTINE, data)
    mark = next((mark for mark in store.quarantine.marks() if (mark.table, mark.id) == (table, row)), None)
    if mark is None or policy.quarantine is None:
        raise UsageError("this unit is not in quarantine", hint=hint_to("list_quarantine"), where=f"{table} {row}"[:128], code="not_found")
    refuse_other_crm(store, mark.crm, Act.KEEP_IN_QUARANTINE, data, f"{table} {row}")
    if not mark.undone and mark.until < day:
        hint = hint_to("hold_unit", table=table, row=row)
        over = Refused(f"its days ended on {mark.until.isoformat()}", hint=hint, code="quarantine_over")
        raise denied(store, Act.KEEP_IN_QUARANTINE, data, over)
    kept = msgspec.structs.replace(mark, undone=True, until=last_day(policy.quarantine, day))
    store.quarantine.put([kept], [("quarantine_undone", data | {"until": kept.until.isoformat()})])
    return kept


def _policies(context: JobContext, day: date) -> tuple[Policy, Policy]:
    return context.by_now(day).policy, context.policy


def _covering(context: JobContext, line: PlanLine, day: date) -> QuarantinePolicy | None:
    """Return the quarantine in which a unit waits; None where it waits in none."""
    found = (policy.quarantine for policy in _policies(context, day))
    return next((each for each in found if covers(each, line.categories)), None)


def _canaries(context: JobContext, day: date) -> set[tuple[str, str]]:
    return {(canary.table, canary.id) for policy in _policies(context, day) for canary in policy.canaries if canary.due}


def _marks(context: JobContext, day: date) -> dict[tuple[str, str], Mark]:
    """Return the marks that count; none where the schedule has no quarantine."""
    if all(policy.quarantine is None for policy in _policies(context, day)):
        return {}
    return {(mark.table, mark.id): mark for mark in context.store.quarantine.marks()}


def _codes(context: JobContext, lines: Sequence[PlanLine], marks: Mapping[tuple[str, str], Mark], day: date) -> dict[str, str]:
    """Return why some units are not disposed of on `day`, by id, as canaries or by quarantine; others are
    left out."""
    canaries = _canaries(context, day)
    codes = {line.id: CANARY for line in lines if line.key in canaries}
    for line in lines:
        if line.id not in codes and _covering(context, line, day) is not None and (code := waits(marks.get(line.key), day)):
            codes[line.id] = code
    return codes


def _marked(context: JobContext, policy: QuarantinePolicy, line: PlanLine, before: Mark | None, day: date, *, noted: bool) -> Mark:
    """Return the mark of a unit whose days begin on `day`. A notice that was tried before keeps its id, so
    that there is one at most."""
    has_notice = noted and policy.notice == "note" and _noted(context.connector, line.table, line.id) is not None
    notice = (before.notice if before is not None and not before.told else "") or str(uuid4())
    return Mark(line.table, line.id, day, last_day(policy, day), notice if has_notice else "", told=not has_notice, crm=context.crm)


def _mark(context: JobContext, fresh: Sequence[Mark]) -> set[str]:
    """Store marks and write their notices; give the ids of units whose notice does not stand in the CRM
    afterwards."""
    if not fresh:
        return set()
    units = [{"ref": context.reference(mark.table, mark.id), "table": mark.table, "until": mark.until.isoformat()} for mark in fresh]
    context.store.quarantine.put(fresh, [("quarantined", {"units": units})])
    to_tell = {mark.notice: mark for mark in fresh if not mark.told}
    notices = [_notice(context, mark) for mark in to_tell.values()]
    send_operations(context.connector, _lacking(context, notices))
    for notice in _lacking(context, notices):  # one that is refused takes the others of its change set along
        send_operations(context.connector, [notice])
    lacking = {notice.id for notice in _lacking(context, notices)}
    context.store.quarantine.tell([(mark.table, mark.id) for notice, mark in to_tell.items() if notice not in lacking])
    return {to_tell[notice].id for notice in lacking}


def _lacking(context: JobContext, notices: Sequence[Operation]) -> list[Operation]:
    """Return those notices that are not in the CRM."""
    there = {row.id for row in rows_of(context.connector, Note, (), Among("id", [notice.id for notice in notices]))}
    return [notice for notice in notices if notice.id not in there]


def _notice(context: JobContext, mark: Mark) -> Operation:
    """Return a neutral note on the unit. It names a day and nothing of its content."""
    connector = context.connector
    notes = connector.record("note", connector.tables(Note)[0])
    values = {
        "regarding": mark.id,
        "regarding_kind": _noted(connector, mark.table, mark.id),
        "regarding_table": mark.table,
        "subject": SUBJECT,
        "text": TEXT.format(day=mark.until.isoformat()),
    }
    return Operation(OperationKind.CREATE, notes, mark.notice, "", values)


def _noted(connector: Connector, table: str, row: str) -> str | None:
    """Return the word for a row to which a note can be attached; None for another one."""
    kinds = RowKinds(connector, NOTED)
    return kinds.of(table, row) if table in kinds else None
