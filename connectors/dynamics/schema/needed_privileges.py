"""What the jobs need of an application user (reference: section 13), and the roles made of it, in a CRM's own
names."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.dynamics.mapping.mapping import Column
from connectors.dynamics.mapping.mapping import Mapping as TableMapping
from connectors.dynamics.mapping.mapping import Table as MappedTable
from connectors.dynamics.schema.metadata import NO_CASCADE, Metadata
from connectors.dynamics.schema.role_places import OTHER_HALF, RolePlace, place_of
from connectors.dynamics.schema.unmapped_tables import WHOLE, Directory, Privilege
from connectors.interface.changes import OperationKind
from rules.model.bypass import Bypass
from rules.model.kinds import WHOLE as ENDING
from rules.model.records import KINDS, Dependent, Record

ACCESS = {
    OperationKind.CREATE: ("Create",),
    OperationKind.UPDATE: ("Write",),
    OperationKind.DELETE: ("Delete",),
    OperationKind.MASK: ("Write", "Assign"),  # an anonymised row changes hands (ERA-06)
}
# What passing by custom logic asks for where the schedule wants it; the header that keeps cloud flows from
# starting asks for none.
BYPASS_NEEDS = {Bypass.PLUGINS: ("prvBypassCustomBusinessLogic", "the schedule lets disposals pass by plug-ins")}
# What everyone needs who connects at all, and to which depth.
COMMON = {
    "prvReadEntity": (WHOLE, "definitions of tables"),
    "prvReadAttribute": (WHOLE, "definitions of columns"),
    "prvReadRelationship": (WHOLE, "what a delete takes along"),
    "prvReadOptionSet": (WHOLE, "what the options of a choice mean"),
    "prvReadUser": ("Basic", "its own row, to ask what it may do"),
}


@dataclass(frozen=True, slots=True)
class Need:
    """One kind of access to one table, and why. `is_certain` is False for what a delete takes along outside
    the mapping: whether the service requires a right to it is not documented, and without it the delete is
    refused and reported."""

    table: str
    access: str
    reason: str
    is_certain: bool = True


def needs_of(mapping: TableMapping, metadata: Metadata, needs: Mapping[type[Record], Collection[OperationKind]]) -> list[Need]:
    """Return every access needed, in the order of the mapping; a delete also takes what it deletes along."""
    found: dict[tuple[str, str], Need] = {}
    for table in mapping.tables:
        operations = needs.get(Dependent if table.own is not None else KINDS[table.kind])
        if operations is None:
            continue
        place = place_of(table, mapping, metadata)
        operations = () if place.is_derived else operations if place is RolePlace.OWN else {OperationKind.DELETE} & set(operations)
        for need in _of_table(table, operations, mapping, metadata):
            found.setdefault((need.table, need.access), need)
    deleted = [need.table for need in found.values() if need.access == "Delete"]
    for name in deleted:
        for need in _of_delete(name, deleted, mapping, metadata):
            found.setdefault((need.table, need.access), need)
    return list(found.values())


def _of_table(table: MappedTable, operations: Collection[OperationKind], mapping: TableMapping, metadata: Metadata) -> Iterator[Need]:
    word = table.kind
    yield Need(table.name, "Read", f"{word}: decisions depend on every row")
    for operation, accesses in ACCESS.items():
        for access in accesses if operation in operations else ():
            yield Need(table.name, access, f"{word}: {operation.value}")
    for column in (*table.columns.values(), *table.personal.values()):
        if _is_looked_up(column):
            for target in _targets(table.name, column.name, metadata):
                yield Need(target, "Read", f"{word}: what {column.field} stands for")
    for column in table.pairs.values():
        definition = metadata.table(table.name) if _is_looked_up(column) else None
        if definition is not None and (link := definition.link(column.name)) is not None:
            yield Need(link.other(table.name), "Read", f"{word}: what {column.field} stands for")
    if word == "note" and OperationKind.CREATE in operations:  # a row that is made with a lookup
        yield Need(table.name, "Append", "note: it belongs to a row")
        targets = _targets(table.name, table.columns["regarding"].name, metadata)
        for unit in (each for kind in ENDING for each in mapping.of(kind) if each.name in targets):
            yield Need(unit.name, "AppendTo", f"{unit.kind}: a note belongs to it")
    if OperationKind.MASK in operations:
        yield Need("team", "Read", "the neutral team that owns anonymised rows")


def _is_looked_up(column: Column) -> bool:
    return column.reference is not None and bool(column.reference.by)


def _targets(table: str, column: str, metadata: Metadata) -> Collection[str]:
    """Return the tables to which a lookup leads; none where it is not known."""
    definition = metadata.table(table)
    return definition.attributes[column].targets if definition is not None and column in definition.attributes else ()


def _of_delete(name: str, deleted: Collection[str], mapping: TableMapping, metadata: Metadata) -> Iterator[Need]:
    """Yield what a delete in a table needs beside it; `deleted` are all the tables in which something is."""
    definition = metadata.table(name)
    if definition is None:
        return
    # The halves of a connection go together: of the lookup from one to the other nothing is emptied.
    pointing = [each for each in definition.parents if each.parent in deleted and each.column != OTHER_HALF]
    if any(each.column not in mapping.used(name) and each.on_delete != NO_CASCADE for each in pointing):
        yield Need(name, "Write", "a lookup to what goes with it is emptied first", is_certain=False)
    for child in definition.children:
        if child.on_delete == "Cascade":
            yield Need(child.child, "Delete", f"goes with {name}", is_certain=False)


@dataclass(frozen=True, slots=True)
class RoleLine:
    """One privilege of the role that is enough and no more."""

    name: str
    depth: str
    reason: str


def least_role(
    directory: Directory,
    mapping: TableMapping,
    metadata: Metadata,
    needs: Mapping[type[Record], Collection[OperationKind]],
    bypass: Collection[Bypass] = (),
) -> list[RoleLine]:
    """Return the least role for the jobs, in this CRM's own names; one line per privilege."""
    wanted = needs_of(mapping, metadata, needs)
    common = [RoleLine(name, depth, reason) for name, (depth, reason) in COMMON.items()]
    tables = _role_for(
        directory, [(need.table, need.access, need.reason) for need in wanted if need.is_certain or need.access == "Write"], {}
    )
    return [*common, *tables, *(RoleLine(name, WHOLE, reason) for name, reason in bypass_needs(bypass).items())]


def bypass_needs(bypass: Collection[Bypass]) -> dict[str, str]:
    """Return the privileges that this bypass requires, each with its reason."""
    return dict(need for each, need in BYPASS_NEEDS.items() if each in bypass)


# What a bulk delete asks for beside the rights to the rows themselves, by table; without it rows go in
# batches (decision 0008).
BULK_DELETE = "prvBulkDelete"
BULK_DELETE_TABLES = {
    "asyncoperation": ("Read", "Write", "Delete"),
    "bulkdeleteoperation": ("Read", "Delete"),
    "bulkdeletefailure": ("Read",),
}


# What cleaning asks for, by table; where it lacks, the place is recorded as not reachable and the night goes
# on. A table that the CRM does not have needs nothing. Audit rows are deleted by a job, or row by row with
# the last of the privileges that go by a name.
AUDIT = "audit"
CLEANING: Mapping[tuple[str, str], str] = {
    (AUDIT, "Read"): "audit history: find it",
    (AUDIT, "Delete"): "audit history: have a job delete it",
    ("organization", "Read"): "audit history: whether the organisation audits",
    ("deleteditemreference", "Read"): "recycle bin: find what refers to it",
    ("deleteditemreference", "Delete"): "recycle bin: delete what refers to it",
    ("asyncoperation", "Read"): "jobs: follow our own, find those about rows that are gone",
    ("asyncoperation", "Write"): "jobs: cancel our own where they do not end",
    ("asyncoperation", "Delete"): "jobs: remove our own, and those about rows that are gone",
    ("bulkdeleteoperation", "Read"): "jobs: what ours did",
    ("bulkdeleteoperation", "Delete"): "jobs: remove what tells of ours",
    ("bulkdeletefailure", "Read"): "jobs: what ours could not delete",
    ("duplicaterecord", "Read"): "jobs: find residual rows of duplicate detection",
    ("duplicaterecord", "Delete"): "jobs: remove residual rows of duplicate detection",
}
CLEANING_NAMED = {
    BULK_DELETE: "audit history, recycle bin, long-term retention: delete by a job",
    "prvReadAuditSummary": "audit history: find it",
    "prvDeleteRecordChangeHistory": "audit history: purge it row by row, where no job may",
}


def cleaning_role(directory: Directory) -> list[RoleLine]:
    """Return the privileges that cleaning requires beside the least role, in this CRM's own names; without
    one the place is not reachable."""
    by_name = {name: [reason] for name, reason in CLEANING_NAMED.items()}
    return _role_for(directory, [(table, access, reason) for (table, access), reason in CLEANING.items()], by_name)


# What answers to the people concerned ask for, by kind of record or by table. Without it a night goes on, and
# so does an answer: a place is told as not searched, a name stays empty, or what was granted waits.
ANSWERING: Mapping[tuple[str, str], str] = {
    ("account", "Read"): "access: the organisations that people belong to",
    ("systemuser", "Read"): "access: names of staff are taken out of texts",
    (AUDIT, "Read"): "delivery: whether an address was changed lately",
    ("deleteditemreference", "Read"): "access: find what is in the recycle bin",
    ("retentionconfig", "Read"): "access: whether rows are in long-term retention",
    ("contact", "Write"): "rectification, objection, withdrawal of consent",
    ("note", "Create"): "rectification: a dated note beside what is contested",
    ("note", "Append"): "rectification: a dated note beside what is contested",
    ("contact", "AppendTo"): "rectification: a note belongs to it",
    ("dossier", "AppendTo"): "rectification: a note belongs to it",
    ("fiche", "AppendTo"): "rectification: a note belongs to it",
    ("party", "Write"): "erasure: a role stays and does not say whose it is",
    ("fiche", "Write"): "erasure: the number and address of a caller",
    ("donation", "Write"): "erasure: a gift loses its link to the donor",
    ("enrolment", "Delete"): "erasure: courses followed",
    ("engagement", "Delete"): "erasure: agreements that have ended",
}


def answering_role(directory: Directory, mapping: TableMapping) -> list[RoleLine]:
    """Return the privileges that answers require beside the least role, in this CRM's own names."""
    tables = {word: [table.name for table in mapping.of(word)] if word in KINDS else [word] for word, _ in ANSWERING}
    return _role_for(directory, [(table, access, reason) for (word, access), reason in ANSWERING.items() for table in tables[word]], {})


def _role_for(directory: Directory, wanted: Sequence[tuple[str, str, str]], reasons: dict[str, list[str]]) -> list[RoleLine]:
    """Return a line for each privilege that is wanted by name (`reasons`), or as an access to a table."""
    named = named_privileges(directory, [table for table, _, _ in wanted])
    for table, access, reason in wanted:
        if privilege := named.get(table, {}).get(access):
            reasons.setdefault(privilege.name, []).append(reason)
    return [RoleLine(name, WHOLE, "; ".join(dict.fromkeys(told))) for name, told in reasons.items()]


def for_answers(mapping: TableMapping) -> set[tuple[str, str]]:
    """Return what answers require, by table: it may be held, and need not be."""
    return {(table.name, access) for word, access in ANSWERING for table in mapping.of(word)}


def named_privileges(directory: Directory, tables: Iterable[str]) -> dict[str, Mapping[str, Privilege]]:
    """Return the privileges by table and kind of access."""
    return {name: table.privileges for name, table in directory.known(tables).items()}
