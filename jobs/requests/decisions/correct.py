"""Writes what was granted field by field: corrections, dated notes, and the end of a use that rests on
consent or may be objected to.

The ledger says which fields of which row in which version were written, with keyed references of their
values: proof without values. Each write carries the version that was read just before it, and is read back.
Source: GDPR art. 16, 21(3), 7(3); DDL-13, R-101 to R-103, R-115."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final, TypeVar, cast

from connectors.interface.changes import Operation, OperationKind
from connectors.interface.rows import Among
from jobs.checks.kill_switch import refuse_if_stopped
from jobs.erasures.register import number_of_version, version_of
from jobs.holds.active import active_holds
from jobs.ledger.entries import LedgerEntry
from jobs.ports.context import JobContext
from jobs.reading.few_rows import PARTY_FIELDS, rows_of
from jobs.reading.out_of_reach import lie_elsewhere
from jobs.reading.owners import look_around
from jobs.reading.row_kinds import table_of
from jobs.register.decision import Task, What
from jobs.requests.decisions.suspicions import is_in_closed_files_alone, is_suspected
from jobs.writing.row_writes import EMPTIED
from jobs.writing.send import TECHNICAL, send_operations
from rules.holds.holds import Hold
from rules.holds.precedence import ranked
from rules.model.decisions import Reason
from rules.model.kinds import RELATIONS
from rules.model.personal_records import FULL, FullNote
from rules.model.records import KINDS, Contact, Note, Party
from rules.rights.fields import needed_by

# What ends a use: the consent goes, and the mark against bulk e-mail stays behind as the suppression entry
#
ENDED: Final[Mapping[What, Mapping[str, object]]] = MappingProxyType(
    {
        What.UNSUBSCRIBE: MappingProxyType({"newsletter": False, "newsletter_consent_on": None, "no_bulk_email": True}),
        What.NO_IMAGE: MappingProxyType({"image": None}),
        What.NO_CALLER: MappingProxyType(dict.fromkeys(EMPTIED["drop_caller"])),
    }
)
WRITING: Final = frozenset({What.CORRECT, What.ANNOTATE, *ENDED})
T = TypeVar("T")
_BEGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_HELD: Final = frozenset({What.CORRECT, What.NO_CALLER})  # writes that lose what a hold is there to keep
DATES: Final = frozenset({"birth_on"})  # fields of a correction that are none of text
SUBJECT: Final = "Rectificatie / Rectification"
TEXT: Final = (
    "{day} – De betrokkene betwist wat hier staat of vult het aan. De oorspronkelijke tekst blijft ongewijzigd.\n"
    "{day} – La personne concernée conteste ce qui figure ici ou le complète. Le texte d'origine reste inchangé.\n"
    "{day} – The person contests what stands here, or adds to it. The original text is unchanged."
)


def write(
    context: JobContext, tasks: Sequence[Task], people: Collection[str] = (), rows: Collection[tuple[str, str]] = ()
) -> list[tuple[Task, str]]:
    """Carry out tasks that write fields or notes, and return those that are not done, each with the code of
    what keeps it. `people` are all contacts of the person whose data they are, `rows` what is theirs without
    a contact.

    What is already written is not written again, nor where the row is gone for good. A correction waits for
    what keeps data as they are, evidence or a restriction, and not for what only keeps them from disposal.
    The end of a use and a note wait for nothing: they destroy nothing.

    Raises:
        Refused: the kill switch is set, and there is something to write.
        ConnectorError: the CRM cannot be read or reached; writing again continues from there."""
    if tasks:
        refuse_if_stopped(context.store)
    left: list[tuple[Task, str]] = []
    for task in tasks:
        code = _annotate(context, task) if task.what is What.ANNOTATE else _write_fields(context, task, people, rows)
        if code:
            left.append((task, code))
    return left


def kept_back(context: JobContext, tasks: Collection[Task]) -> dict[str, str]:
    """Return which of these tasks would have to wait now, by item, with the code of what keeps them: what
    `write` would find. Raises ConnectorError: the CRM cannot be read."""
    codes: dict[tuple[What, str, str], str] = {}
    for task in tasks:
        key = task.what, task.kind, task.id
        if key not in codes:
            codes[key] = _held(context, task)
    return {task.item: code for task in tasks if (code := codes[task.what, task.kind, task.id])}


def _write_fields(context: JobContext, task: Task, people: Collection[str], rows: Collection[tuple[str, str]]) -> str:
    wanted = _wanted(task)
    known = context.connector.fields(FULL[task.kind])
    if known.isdisjoint(wanted):  # the mapping has lost them since it was granted, and what they say is not known to have ended
        return TECHNICAL
    if task.what is What.UNSUBSCRIBE:  # where one column says it, it is the mark that stays
        wanted = {name: value for name, value in wanted.items() if name in known}
    if task.what is What.CORRECT:
        wanted = _without_those_of_a_closed_file(context, wanted, people, rows)
    record = FULL[task.kind]
    written = context.connector.record(task.kind, table_of(context.connector, task.kind, task.id))

    def lacking() -> tuple[str, dict[str, object]] | None:
        """Return the version of the row and the values it does not have yet; None where the row is gone."""
        for row in rows_of(context.connector, record, tuple(wanted), Among("id", [task.id])):
            return row.etag, {name: value for name, value in wanted.items() if not says(row, name, value)}
        return None

    found = lacking()
    if found is None:
        return _code_of_missing(context, task)
    etag, values = found
    if not values:
        _note_what_was_cut_off(context, task, wanted, etag)
        return ""
    if _is_held_on_another_basis(context, task):
        return ""
    if code := _held(context, task):
        return code
    entry = _entry(context, task, wanted)
    entry["before"] = context.reference(str(entry["table"]), version_of(task.id, etag))
    context.store.ledger.append([("request_write", entry | {"state": "intended"})])
    send_operations(context.connector, [Operation(OperationKind.UPDATE, written, task.id, etag, values)])
    after = lacking()
    for name, value in (after[1] if after is not None else {}).items():  # one field that is refused takes the others along
        if (again := lacking()) is not None:
            send_operations(context.connector, [Operation(OperationKind.UPDATE, written, task.id, again[0], {name: value})])
    after = lacking()
    code = _code_of_missing(context, task) if after is None else TECHNICAL if after[1] else ""
    _note_end(context, entry, code, after[0] if after is not None else "")
    return code


def _annotate(context: JobContext, task: Task) -> str:
    """Add a note under its own id, so that doing it again adds none."""
    connector = context.connector
    notes = connector.record("note", connector.tables(Note)[0])

    def is_there() -> bool:
        return bool(rows_of(connector, Note, (), Among("id", [task.note])))

    if is_there():
        for there in rows_of(connector, FullNote, ("text",), Among("id", [task.note])):  # of the day on which it was written
            _note_what_was_cut_off(context, task, {"note": plain_text(there)})
        return ""
    if not rows_of(connector, FULL[task.kind], (), Among("id", [task.id])):
        return _code_of_missing(context, task)
    text = "\n\n".join(filter(None, (TEXT.format(day=context.today.isoformat()), task.text)))
    table = table_of(connector, task.kind, task.id)
    values = {"regarding": task.id, "regarding_kind": task.kind, "regarding_table": table, "subject": SUBJECT, "text": text}
    entry = _entry(context, task, {"note": text})
    context.store.ledger.append([("request_write", entry | {"state": "intended"})])
    send_operations(connector, [Operation(OperationKind.CREATE, notes, task.note, "", values)])
    code = "" if is_there() else TECHNICAL
    _note_end(context, entry, code)
    return code


def writes_noted(context: JobContext) -> list[LedgerEntry]:
    """Return what the ledger tells of writes for requests, oldest first."""
    return context.store.ledger.between({"request_write"}, _BEGIN, context.clock() + timedelta(days=1))


def _note_end(context: JobContext, entry: Mapping[str, object], code: str, etag: str = "") -> None:
    """Note how a write ended; where it is done, with the number of the version that the row has since."""
    version = number_of_version(etag) if etag and not code else None
    told = {} if version is None else {"version": version}
    context.store.ledger.append([("request_write", {**entry, "state": "failed" if code else "done", "code": code, **told})])


def _note_what_was_cut_off(context: JobContext, task: Task, values: Mapping[str, object], etag: str = "") -> None:
    """Note that a write is done of which the round that sent it did not hear or did not live to tell: what a
    restore of the CRM has undone is found by what is noted as done (ERA-13)."""
    table = table_of(context.connector, task.kind, task.id)
    refs, names = context.references(table, task.id), sorted(values)
    digests = [digest_of(context.references, table, task.id, name, values[name]) for name in names]

    def is_of_this(data: Mapping[str, object]) -> bool:
        noted = cast("Sequence[str]", data["digests"])
        is_of_row = (data["what"], data["table"], data["fields"]) == (task.what.value, table, names) and data["ref"] in refs
        return is_of_row and all(one in of_keys for one, of_keys in zip(noted, digests, strict=True))

    last = next((entry.data for entry in reversed(writes_noted(context)) if is_of_this(entry.data)), None)
    if last is not None and last["state"] == "intended":
        _note_end(context, last, "", etag)


def plain_text(note: FullNote) -> str:
    """Return the text of a note, as we write line ends."""
    return (note.text or "").replace("\r\n", "\n")


def _code_of_missing(context: JobContext, task: Task) -> str:
    """Return where the row of a task lies that is not live; empty where it is gone, with what was to be
    written in it."""
    return lie_elsewhere(context.connector, KINDS[task.kind], [task.id]).get(task.id, "")


def _wanted(task: Task) -> dict[str, object]:
    if task.what is What.CORRECT:
        return {name: value_of(name, text) for name, text in task.values.items()}
    return dict(ENDED[task.what])


def says(row: object, name: str, value: object) -> bool:
    """Return whether a field of a row has a value; a mark that was never set says no as well."""
    now = getattr(row, name)
    return now == value or (value is False and now is None)


def _held(context: JobContext, task: Task) -> str:
    """Return why a write has to wait; empty where it does not. A caller's number is erased, so every hold on
    its fiche keeps it. A correction disposes of nothing: a pending request, of any person, does not prevent
    it (HLD-08; EXP-02). A hold of another kind does, on the contact or on a file in which it has a role. A
    hold on somebody else reaches no further than that file (HLD-04)."""
    if task.what not in _HELD:
        return ""
    day = context.today
    if task.what is not What.CORRECT:
        holds = active_holds(context, day)
        seen = look_around(context.connector, [(task.kind, task.id)])
        reasons = holds.on_rows([(task.kind, task.id)])
        for unit in seen.units.values():
            reasons = reasons or holds.covering(unit)
        return reasons[0].value if reasons else ""
    holds = active_holds(replace(context, gives_way=lambda hold: _keeps_only_from_disposal(hold) or context.gives_way(hold)), day)
    if reasons := holds.on_rows([(task.kind, task.id)]):
        return reasons[0].value
    files: set[tuple[str, str]] = set()
    for role in rows_of(context.connector, Party, PARTY_FIELDS, Among("contact", [task.id])):
        files |= {(name, file) for name, file in (("dossier", role.dossier), ("fiche", role.fiche)) if file is not None}
    seen = look_around(context.connector, sorted(files))
    found = [hold for unit in seen.units.values() for hold in holds.on(unit) if hold.kind != "contact"]
    of_files = [hold.reason for hold in found if hold.hold_id not in holds.of_people]
    return ranked(of_files)[0].value if of_files else ""


def _is_held_on_another_basis(context: JobContext, task: Task) -> bool:
    """Return whether a picture is held on another basis than the consent that was withdrawn too: that of a
    suspect belongs to the file (RGT-12, SUS-10). It stays as if there were none, and nothing tells of it."""
    return task.what is What.NO_IMAGE and is_suspected(context, task.id)


def _without_those_of_a_closed_file(
    context: JobContext, wanted: dict[str, object], people: Collection[str], rows: Collection[tuple[str, str]]
) -> dict[str, object]:
    """Return the values but for those of fields that the person is told nothing of, where no file but those
    of a suspicion knows them: to these such a field belongs (SUS-10). It stays as it is, and nothing tells
    of it. What a relation needs, as the name, is the person's to correct all the same: they would see
    that it is not."""
    if not is_in_closed_files_alone(context, people, rows):
        return wanted
    told = _told_for_relations(context, people)
    return {name: value for name, value in wanted.items() if name in told}


def _told_for_relations(context: JobContext, people: Collection[str]) -> frozenset[str]:
    """Return the fields that the relations of these contacts need; none where they have none."""
    connector, among = context.connector, Among("contact", sorted(people))
    kinds = {kind for kind in RELATIONS if connector.has(KINDS[kind]) and rows_of(connector, KINDS[kind], (), among)}
    contacts = rows_of(connector, Contact, ("newsletter", "parent_kind"), Among("id", sorted(people)))
    if not kinds and not any(contact.newsletter or contact.parent_kind == "account" for contact in contacts):
        return frozenset()
    return needed_by(kinds)


def _keeps_only_from_disposal(hold: Hold) -> bool:
    return hold.reason is Reason.HOLD_REQUEST


def _entry(context: JobContext, task: Task, values: Mapping[str, object]) -> dict[str, object]:
    """Return what the ledger keeps of a write: the row and each value as keyed references. The request is not
    named: nothing may lead from a request to a file once it is closed (ACC-08)."""
    table = table_of(context.connector, task.kind, task.id)
    return {
        "what": task.what.value,
        "table": table,
        "ref": context.reference(table, task.id),
        "fields": sorted(values),
        "digests": [digest_of(context.reference, table, task.id, name, values[name]) for name in sorted(values)],
    }


def value_of(field: str, text: str) -> object:
    """Return a correction as the CRM's field holds it."""
    return date.fromisoformat(text) if field in DATES else text


def digest_of(reference: Callable[[str, str], T], table: str, row: str, name: str, value: object) -> T:
    """Return what the ledger has of a value that a field of a row got: its keyed reference, or all."""
    return reference(f"{table}.{name}", f"{row} {value.isoformat() if isinstance(value, date) else value}")
