"""Documents outside the CRM that belong to the rows which were found. Each is taken in as a note with a file
is, so that it is filed, listed, read, redacted and disclosed as one (EXP-03, EXP-06, EXP-07).

A document belongs to the row whose location names the folder nearest around it. Where several rows name that
folder it is in the files of all of them, and what is closed of one of them is closed (SUS-05)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from connectors.interface.documents import Document, DocumentStore
from connectors.interface.remains import DocumentLocation
from connectors.interface.rows import Content
from jobs.ports.context import JobContext
from jobs.reading.row_kinds import RowKinds
from rules.dates.instants import read_instant
from rules.model.personal_records import FullNote

DOCUMENTS = "documents"  # where people are not searched for
OTHERS = "library_content"  # the same of documents that belong to nobody's rows but others': neither their names nor what is in them
TABLE = "table:sharepointdocumentlocation"
_PREFIX, _NO_FILE = "document:", ":no file"  # of what stands for the id of a note
Row = tuple[str, str]  # kind and id


class FullDocument(FullNote, gc=False, kw_only=True):
    """A document outside the CRM, as a note with a file. `shared_with` are further rows, as (kind, id), whose
    documents are in the same folder."""

    shared_with: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder, and the rows of the CRM that name it."""

    store: DocumentStore
    address: str = field(repr=False)
    owners: tuple[Row, ...]


def documents_not_searched(context: JobContext, tables: Collection[str]) -> tuple[str, ...]:
    """Return the codes of places that are not searched because documents are there; `tables` are those of
    tables that are not mapped and have rows. The codes are the same for everybody (SUS-04). Raises
    ConnectorError."""
    if not is_reached(context):
        return (TABLE, DOCUMENTS) if TABLE in tables else (DOCUMENTS,) if context.documents else ()
    held = [place for _, place in _held(context)]
    return (*((DOCUMENTS,) if None in held else ()), *((OTHERS,) if any(held) else ()))


def is_reached(context: JobContext) -> bool:
    """Return whether the document stores can be looked at now."""
    return bool(context.documents) and not any(finding.is_error for store in context.documents for finding in store.findings())


def documents_of(context: JobContext, rows: Mapping[str, Collection[str]]) -> list[FullDocument]:
    """Return the documents of these rows, by kind. Raises ObjectError: a folder cannot be read whole;
    ConnectorError."""
    folders = _folders(context)
    found: dict[str, FullDocument] = {}
    for canonical in sorted(folders, key=len, reverse=True):
        folder = folders[canonical]
        mine = [(kind, row) for kind, row in folder.owners if row in rows.get(kind, ())]
        if not mine or (place := folder.store.folder(folder.address)) is None:
            continue
        inner = {
            inside
            for other, each in folders.items()
            if other.startswith(f"{canonical}/") and (inside := each.store.folder(each.address)) is not None
        }
        for document in folder.store.documents(place):
            if inner.isdisjoint(document.folders):
                found.setdefault(document.id, _as_note(context, document, mine))
    return list(found.values())


def is_outside(row: str) -> bool:
    """Return whether what stands as a note in an answer is a document outside the CRM."""
    return row.startswith(_PREFIX)


def content_of(context: JobContext, kind: str, row: str, name: str) -> Content | None:
    """Return what a row of an answer holds as a file, from the CRM or from where documents are; None where it
    is gone. Raises ConnectorError, ObjectError: it cannot be fetched whole."""
    if not is_outside(row):
        return context.connector.content(context.connector.all_kinds[kind].full, row, name)
    if row.endswith(_NO_FILE):
        return None
    bodies = (store.fetch(row.removeprefix(_PREFIX)) for store in context.documents)
    return next((Content(body) for body in bodies if body is not None), None)


def _as_note(context: JobContext, document: Document, owners: list[Row]) -> FullDocument:
    (kind, row), *others = owners
    changed = read_instant(document.changed_at)
    return FullDocument(
        id=f"{_PREFIX}{document.id}{'' if document.is_plain else _NO_FILE}",
        etag=document.version,
        regarding=row,
        regarding_kind=kind,
        file_name=document.name,
        media_type=document.media_type or "application/octet-stream",
        is_document=True,
        created_at=changed,
        created_on=context.day(changed) if changed is not None else None,
        shared_with=tuple(others),
    )


def _held(context: JobContext) -> Iterator[tuple[DocumentLocation, tuple[DocumentStore, str] | None]]:
    """Yield the locations of rows, each with the store that holds its folder and the folder's one spelling
    there."""
    for location in context.connector.document_locations():
        if location.owner is not None:
            stores = ((store, store.canonical(location.address)) for store in context.documents if location.address)
            yield location, next(((store, found) for store, found in stores if found is not None), None)


def _folders(context: JobContext) -> dict[str, _Folder]:
    held = [(location.owner, location.address, place) for location, place in _held(context) if location.owner is not None]
    kinds = RowKinds(context.connector)
    kinds.load(owner for owner, _, _ in held)
    named: defaultdict[str, list[Row]] = defaultdict(list)
    places: dict[str, tuple[DocumentStore, str]] = {}
    for (table, row), address, place in held:
        if place is not None:
            store, canonical = place
            named[canonical].append((kinds.of(table, row) if table in kinds else "", row))
            places.setdefault(canonical, (store, address))
    return {canonical: _Folder(*places[canonical], tuple(sorted(owners))) for canonical, owners in named.items()}
