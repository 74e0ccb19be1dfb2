"""Finds what was written for requests and is not in the CRM any more, since it was restored from a backup:
ended uses and corrections. The ledger alone is asked, which has the row, its version before and each value as
keyed references (ERA-13; GDPR art. 16, 21(3), 7(3)).

What ended a use is written again where the row has the very version that was written then: the backup is from
before. A corrected value is known nowhere any more, so a person looks; in an older version than the one that
was written the row was restored for certain, in any other it may be somebody's work since."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, cast

import msgspec

from connectors.interface.rows import Among
from jobs.erasures.register import number_of_version, version_of
from jobs.ports.context import JobContext
from jobs.reading.few_rows import rows_of
from jobs.register.decision import Task, What
from jobs.requests.decisions.correct import ENDED, WRITING, digest_of, plain_text, says, write, writes_noted
from rules.model.personal_records import FULL, FullNote
from rules.model.records import KINDS, Record


class LostWrite(msgspec.Struct, frozen=True):
    """A row that does not say any more what was written for a request. `is_as_before`: it has the version
    that it had before the write; `is_restored`: that or an older one than it had after the write."""

    kind: str
    table: str
    id: str
    etag: str
    what: What
    is_as_before: bool
    is_restored: bool = False


class _Written(NamedTuple):
    what: What
    digest: str
    before: str
    at: datetime
    version: int = 0


def repeat_lost(context: JobContext, lost: Iterable[LostWrite] | None = None) -> None:
    """Write again what ended a use and is undone for certain, of all that is lost or of these. What keeps a
    write keeps this one too.

    Raises:
        Refused: the kill switch is set.
        ConnectorError: the CRM cannot be read or reached; repeating continues from there."""
    certain = [each for each in (lost_writes(context) if lost is None else lost) if each.is_as_before and each.what in ENDED]
    if certain:
        write(context, [Task("", each.what, each.kind, each.id) for each in certain])


def undone_for_certain(context: JobContext) -> list[LostWrite]:
    """Return what a restore has undone for certain: such a row has a version from before it was written.
    Where nothing was ever written for requests the CRM is asked nothing. Raises ConnectorError: the CRM
    cannot be read."""
    return [each for each in lost_writes(context) if each.is_restored]


def lost_writes(context: JobContext, *, with_notes: bool = False) -> list[LostWrite]:
    """Return what the CRM does not say any more, a row and a deed once, by kind and id. Of a field that was
    written more than once the last time counts. Dated notes are looked for where that is asked: that one is
    not there tells of no restore. Raises ConnectorError: the CRM cannot be read."""
    written, connector = _written(context, with_notes=with_notes), context.connector
    found: list[LostWrite] = []
    for kind, full in FULL.items():
        tables = connector.tables(KINDS[kind]) if connector.has(KINDS[kind]) else ()
        if written.keys().isdisjoint(tables):
            continue
        of_rows = dict(_matches(context, KINDS[kind], written))
        fields = sorted({name for fields in of_rows.values() for name, one in fields.items() if one.what is not What.ANNOTATE})
        rows = rows_of(connector, full, tuple(fields), Among("id", sorted(of_rows))) if of_rows else []
        noted = [row for row, fields in of_rows.items() if any(one.what is What.ANNOTATE for one in fields.values())]
        texts = _texts_of_notes(context, sorted(noted))
        for row in sorted(rows, key=lambda each: each.id):
            found += _lost(context, kind, row, of_rows[row.id], texts.get(row.id, ()))
    return found


def _texts_of_notes(context: JobContext, rows: Sequence[str]) -> dict[str, list[str]]:
    """Return the texts of the notes on these rows, as we write line ends."""
    found = defaultdict[str, list[str]](list)
    full = cast("type[FullNote]", FULL["note"])
    for note in rows_of(context.connector, full, ("regarding", "text"), Among("regarding", rows)) if rows else ():
        found[note.regarding or ""].append(plain_text(note))
    return found


def _written(context: JobContext, *, with_notes: bool) -> dict[str, dict[str, dict[str, _Written]]]:
    """Return what was written last, by table of the CRM, reference of the row, and field."""
    found: defaultdict[str, defaultdict[str, dict[str, _Written]]] = defaultdict(lambda: defaultdict(dict))
    for entry in writes_noted(context):
        data, what = entry.data, What(str(entry.data["what"]))
        if data["state"] != "done" or what not in WRITING or (what is What.ANNOTATE and not with_notes):
            continue
        at = datetime.fromisoformat(entry.at)
        names, digests = cast("list[str]", data["fields"]), cast("list[str]", data["digests"])
        version = data.get("version", 0)
        number = version if isinstance(version, int) else 0
        for name, digest in zip(names, digests, strict=True):
            name = f"{name} {digest}" if what is What.ANNOTATE else name  # each note is one of its own
            found[str(data["table"])][str(data["ref"])][name] = _Written(what, digest, str(data.get("before", "")), at, number)
    return {table: dict(rows) for table, rows in found.items()}


def _matches(
    context: JobContext, record: type[Record], written: dict[str, dict[str, dict[str, _Written]]]
) -> Iterator[tuple[str, dict[str, _Written]]]:
    """Yield the ids of the rows that were written, each with what was. Every row is read, in the smallest
    projection: only its id leads to a reference."""
    for page in context.connector.read(record, ()):
        table = context.connector.table(type(page[0])) if page else ""
        if (refs := written.get(table)) is None:
            continue
        for row in page:
            fields = next((refs[ref] for ref in context.references(table, row.id) if ref in refs), None)
            if fields is not None:
                yield row.id, fields


def _lost(context: JobContext, kind: str, row: Record, fields: dict[str, _Written], notes: Sequence[str]) -> Iterable[LostWrite]:
    table = context.connector.table(type(row))
    versions = context.references(table, version_of(row.id, row.etag))
    now = number_of_version(row.etag)
    lost: dict[What, list[tuple[bool, bool]]] = {}
    for name, written in fields.items():
        if not _says(context, table, row, name, written, notes) and not _has_agreed_since(context, row, written):
            is_as_before = written.before in versions
            is_older = now is not None and now < written.version
            lost.setdefault(written.what, []).append((is_as_before, is_as_before or is_older))
    return [
        LostWrite(kind, table, row.id, row.etag, what, all(as_before for as_before, _ in each), all(restored for _, restored in each))
        for what, each in sorted(lost.items())
    ]


def _says(context: JobContext, table: str, row: Record, name: str, written: _Written, notes: Sequence[str]) -> bool:
    if written.what is What.ANNOTATE:
        return any(written.digest in digest_of(context.references, table, row.id, "note", text) for text in notes)
    if written.what in ENDED:
        return says(row, name, ENDED[written.what][name])
    return written.digest in digest_of(context.references, table, row.id, name, getattr(row, name))


def _has_agreed_since(context: JobContext, row: Record, written: _Written) -> bool:
    """Return whether somebody who had objected to a newsletter has agreed to it afterwards."""
    agreed_on = getattr(row, "newsletter_consent_on", None) if written.what is What.UNSUBSCRIBE else None
    return agreed_on is not None and agreed_on > context.day(written.at)
