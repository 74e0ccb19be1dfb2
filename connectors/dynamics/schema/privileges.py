"""What the application user may do, compared with what the jobs need (reference: section 13). A read that
reaches less than the whole organisation shows fewer rows and says nothing, so it counts as missing."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from connectors.dynamics.http.query import guid
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping as TableMapping
from connectors.dynamics.schema.capabilities import is_online
from connectors.dynamics.schema.metadata import Metadata
from connectors.dynamics.schema.role_places import OTHER_HALF, RolePlace, place_of
from connectors.dynamics.schema.unmapped_tables import WHOLE, Directory, Privilege
from connectors.interface.changes import OperationKind
from connectors.interface.errors import ConnectorError, Finding, ReadIncomplete
from rules.model.bypass import Bypass
from rules.model.kinds import WHOLE as ENDING
from rules.model.records import KINDS, Dependent, Record

NO_FILTER = "00000000-0000-0000-0000-000000000000"
FILTERED = "rows of a record filter"  # in the place of a depth: whichever it is, a part is seen
DEPTHS = ("Basic", "Local", "Deep", WHOLE)  # Microsoft Learn, "PrivilegeDepth EnumType"
ACCESS = {
    OperationKind.CREATE: ("Create",),
    OperationKind.UPDATE: ("Write",),
    OperationKind.DELETE: ("Delete",),
    OperationKind.MASK: ("Write", "Assign"),  # an anonymised row changes hands (ERA-06)
}
WRITES = ("Create", "Write", "Delete", "Assign", "Share")
# With these a write could pass by what keeps records from being written, or hide who wrote.
DANGEROUS = {
    "prvActOnBehalfOfAnotherUser": "it could write in the name of a person",
    "prvBypassCustomBusinessLogic": "it could pass by holds that are kept as business logic",
    "prvBypassCustomPlugins": "it could pass by holds that are kept as plug-ins",
    "prvWriteRole": "it could give itself more rights",
    "prvAssignRole": "it could give itself more rights",
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
_NOT_OFFERED = (400, 404, 405, 501)


@dataclass(frozen=True, slots=True)
class Need:
    """One kind of access to one table, and why. `is_certain` is False for what a delete takes along outside
    the mapping: whether the service requires a right to it is not documented, and without it the delete is
    refused and reported."""

    table: str
    access: str
    reason: str
    is_certain: bool = True


@dataclass(slots=True)
class Rights:
    """What a user holds: depth by privilege id, and those names that the CRM included."""

    depths: dict[str, str]
    names: set[str] = field(default_factory=set)


def needs_of(mapping: TableMapping, metadata: Metadata, needs: Mapping[type[Record], Collection[OperationKind]]) -> list[Need]:
    """Return every access needed, in the order of the mapping; a delete also takes what it deletes along."""
    found: dict[tuple[str, str], Need] = {}

    def add(table: str, access: str, reason: str, *, is_certain: bool = True) -> None:
        found.setdefault((table, access), Need(table, access, reason, is_certain))

    for table in mapping.tables:
        word = table.kind
        operations = needs.get(Dependent if table.own is not None else KINDS[word])
        if operations is None:
            continue
        place = place_of(table, mapping, metadata)
        operations = () if place.is_derived else operations if place is RolePlace.OWN else {OperationKind.DELETE} & set(operations)
        add(table.name, "Read", f"{word}: decisions depend on every row")
        for operation, accesses in ACCESS.items():
            for access in accesses if operation in operations else ():
                add(table.name, access, f"{word}: {operation.value}")
        for column in (*table.columns.values(), *table.personal.values()):
            definition = metadata.table(table.name) if column.reference is not None and column.reference.by else None
            for target in definition.attributes[column.name].targets if definition and column.name in definition.attributes else ():
                add(target, "Read", f"{word}: what {column.field} stands for")
        for column in table.pairs.values():
            definition = metadata.table(table.name) if column.reference is not None and column.reference.by else None
            if definition is not None and (link := definition.link(column.name)) is not None:
                add(link.other(table.name), "Read", f"{word}: what {column.field} stands for")
        if word == "note" and OperationKind.CREATE in operations:  # a row that is made with a lookup
            add(table.name, "Append", "note: it hangs on a row")
            notes, regarding = metadata.table(table.name), table.columns["regarding"].name
            targets = notes.attributes[regarding].targets if notes is not None and regarding in notes.attributes else ()
            for unit in (each for kind in ENDING for each in mapping.of(kind) if each.name in targets):
                add(unit.name, "AppendTo", f"{unit.kind}: a note hangs on it")
        if OperationKind.MASK in operations:
            add("team", "Read", "the neutral team that owns anonymised rows")
    mapped = {need.table for need in found.values() if need.access == "Delete"}
    for need in list(found.values()):
        definition = metadata.table(need.table) if need.access == "Delete" else None
        # The halves of a connection go together: of the lookup from one to the other nothing is emptied.
        pointing = [each for each in definition.parents if each.parent in mapped and each.column != OTHER_HALF] if definition else []
        if any(each.column not in mapping.used(need.table) and each.on_delete != "NoCascade" for each in pointing):
            add(need.table, "Write", "a lookup to what goes with it is emptied first", is_certain=False)
        for child in definition.children if definition else ():
            if child.on_delete == "Cascade":
                add(child.child, "Delete", f"goes with {need.table}", is_certain=False)
    return list(found.values())


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
    return [*common, *tables, *(RoleLine(name, WHOLE, reason) for name, reason in _bypass_needs(bypass).items())]


def _bypass_needs(bypass: Collection[Bypass]) -> dict[str, str]:
    """Return the privileges that this bypass requires, each with its reason."""
    return dict(need for each, need in BYPASS_NEEDS.items() if each in bypass)


def check_privileges(
    users: Sequence[tuple[Transport, str]],
    mapping: TableMapping,
    metadata: Metadata,
    needs: Mapping[type[Record], Collection[OperationKind]],
    bypass: Collection[Bypass] = (),
    *,
    directory: Directory,
) -> list[Finding]:
    """Return errors for missing privileges, warnings for excessive ones, for each application user: its
    transport and its id. The `directory` is told how far the first one sees, the one that reads. Where the
    CRM offers no way to check (on-premises before version 9), one warning states this."""
    wanted = needs_of(mapping, metadata, needs)
    found: list[Finding] = []
    try:
        named = _named(directory, [need.table for need in wanted])
        for number, (transport, user) in enumerate(users, 1):
            rights = _rights(transport, user)
            if number == 1:
                directory.depths = rights.depths
            of_user = f" (application user {number}, {user})" if number > 1 else ""
            by_name = _bypass_needs(bypass)
            told = [*_missing(wanted, named, rights), *_missing_by_name(by_name, rights)]
            told += _excess(wanted, named, rights, _of_answers(mapping), by_name)
            told += out_of_sight(transport, user, mapping, metadata, each_night=True)
            found += [replace(each, message=each.message + of_user) for each in told]
    except ConnectorError as failure:
        if failure.status in _NOT_OFFERED:
            what = f"this CRM does not tell what the application user may do (status {failure.status})"
            return [*found, Finding(False, what, "privileges")]
        raise
    return found


# What a bulk delete asks for beside the rights to the rows themselves, by table; without it rows go in
# batches (decision 0008).
BULK_DELETE = "prvBulkDelete"
BULK_DELETE_TABLES = {
    "asyncoperation": ("Read", "Write", "Delete"),
    "bulkdeleteoperation": ("Read", "Delete"),
    "bulkdeletefailure": ("Read",),
}


@dataclass(frozen=True, slots=True)
class LackingForJobs:
    """The privileges that a user lacks, as names; empty where there is none or the CRM does not say.
    `bulk_delete`: to start and follow any bulk delete; `audit`: to have one delete audit rows."""

    bulk_delete: str = ""
    audit: str = ""


def lacking_for_jobs(transport: Transport, directory: Directory, user: str) -> LackingForJobs:
    """Return what a user lacks for the jobs that delete. Raises ConnectorError: it cannot be determined."""
    try:
        rights = _rights(transport, user)
        named = _named(directory, [*BULK_DELETE_TABLES, AUDIT])
    except ConnectorError as failure:
        if failure.status in _NOT_OFFERED:
            return LackingForJobs()
        raise
    wanted = [
        kinds[access] for table, accesses in BULK_DELETE_TABLES.items() for access in accesses if access in (kinds := named.get(table, {}))
    ]
    lacking = [privilege.name for privilege in wanted if privilege.id not in rights.depths]
    if rights.names and BULK_DELETE not in rights.names:
        lacking.insert(0, BULK_DELETE)
    audit = named.get(AUDIT, {}).get("Delete")
    return LackingForJobs(", ".join(dict.fromkeys(lacking)), audit.name if audit is not None and audit.id not in rights.depths else "")


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
    ("contact", "AppendTo"): "rectification: a note hangs on it",
    ("dossier", "AppendTo"): "rectification: a note hangs on it",
    ("fiche", "AppendTo"): "rectification: a note hangs on it",
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
    named = _named(directory, [table for table, _, _ in wanted])
    for table, access, reason in wanted:
        if privilege := named.get(table, {}).get(access):
            reasons.setdefault(privilege.name, []).append(reason)
    return [RoleLine(name, WHOLE, "; ".join(dict.fromkeys(told))) for name, told in reasons.items()]


def _missing(wanted: list[Need], named: Mapping[str, Mapping[str, Privilege]], rights: Rights) -> Iterator[Finding]:
    for need in wanted:
        privilege = named.get(need.table, {}).get(need.access)
        if privilege is None:
            continue  # the table has no such privilege: activity parties, for one, go by their activities
        depth = rights.depths.get(privilege.id)
        if depth is None:
            only = "" if need.is_certain or need.access != "Delete" else ": give it only where the CRM refuses a delete for want of it"
            yield Finding(need.is_certain, f"{privilege.name} is missing ({need.reason}){only}", need.table)
        elif depth != WHOLE:
            message = f"{privilege.name} reaches {depth} only, not the whole organisation ({need.reason})"
            yield Finding(need.is_certain, message, need.table)


def _missing_by_name(wanted: Mapping[str, str], rights: Rights) -> Iterator[Finding]:
    """Yield findings for missing privileges that belong to no table, as far as the CRM names those held."""
    for name, reason in wanted.items():
        if not rights.names:
            yield Finding(False, f"whether {name} is held this CRM does not tell ({reason})", "privileges")
        elif name not in rights.names:
            yield Finding(True, f"{name} is missing ({reason})", "privileges")


def out_of_sight(
    transport: Transport, user: str, mapping: TableMapping, metadata: Metadata, *, each_night: bool = False
) -> Iterator[Finding]:
    """Yield an error for each secured column that the mapping states to be readable and that this user may
    not read: in every row it looks empty, so that no hold would be seen in it. That a CRM on-premises does
    not tell, which is so for ever, is a warning that nobody is given `each_night`."""
    stated: dict[str, tuple[str, str]] = {}
    for table in mapping.tables:
        definition = metadata.table(table.name)
        for column in (*table.columns.values(), *table.personal.values()):
            if definition is None or not column.is_readable:
                continue
            found = [definition.attributes[name] for name in column.names if name in definition.attributes]
            stated |= {attribute.id: (table.name, attribute.name) for attribute in found if attribute.secured}
    if not stated:
        return
    try:
        content = _content(transport, f"systemusers({guid(user)})/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()")
        read = {str(each["AttributeId"]).lower() for each in content["AttributePrivileges"] if each["CanRead"]}
    except (LookupError, TypeError):
        raise ReadIncomplete("The CRM's list of secured columns is not readable.", where="privileges") from None
    except ConnectorError as failure:
        if failure.status not in _NOT_OFFERED:
            raise
        if not each_night or is_online(transport):
            yield Finding(False, "which secured columns the application user may read this CRM does not tell", "privileges")
        return
    for table_name, name in (place for column, place in stated.items() if column not in read):
        told = (
            f"{name} is secured, and the application user may not read it: it looks empty. Give it a column security profile that reads it"
        )
        yield Finding(True, told, table_name)


def _of_answers(mapping: TableMapping) -> set[tuple[str, str]]:
    """Return what answers require, by table: it may be held, and need not be."""
    return {(table.name, access) for word, access in ANSWERING for table in mapping.of(word)}


def _excess(
    wanted: list[Need],
    named: Mapping[str, Mapping[str, Privilege]],
    rights: Rights,
    permitted: set[tuple[str, str]],
    by_name: Collection[str],
) -> Iterator[Finding]:
    for name, danger in DANGEROUS.items():
        if name in rights.names and name not in by_name:
            yield Finding(False, f"{name} is held: {danger}", "privileges")
    needed = {(need.table, need.access) for need in wanted}
    needed_ids = {privilege.id for table, kinds in named.items() for access, privilege in kinds.items() if (table, access) in needed}
    told = {privilege.id for table, kinds in named.items() for access, privilege in kinds.items() if (table, access) in needed | permitted}
    for table in {need.table: None for need in wanted if need.is_certain}:
        surplus = {kind.id: kind.name for access, kind in named.get(table, {}).items() if access in WRITES and kind.id in rights.depths}
        if names := [name for privilege, name in surplus.items() if privilege not in told]:
            yield Finding(False, f"not needed: {', '.join(names)}", table)
        told |= surplus.keys()
    others = len(rights.depths.keys() - {privilege.id for kinds in named.values() for privilege in kinds.values()})
    if others > len(needed_ids):
        yield Finding(False, f"{others} privileges on other things are held where the work needs {len(needed_ids)} in all", "privileges")


def _rights(transport: Transport, user: str) -> Rights:
    content = _content(transport, f"systemusers({guid(user)})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()")
    held = content.get("RolePrivileges")
    rights = Rights({})
    try:
        for each in held if isinstance(held, list) else []:
            privilege, depth = guid(each["PrivilegeId"]), str(each["Depth"])
            if str(each.get("RecordFilterId") or NO_FILTER) != NO_FILTER:
                depth = FILTERED
            # Several roles and teams may give the same privilege: the deepest counts.
            if privilege not in rights.depths or _rank(depth) > _rank(rights.depths[privilege]):
                rights.depths[privilege] = depth
            if isinstance(each.get("PrivilegeName"), str):
                rights.names.add(each["PrivilegeName"])
    except (LookupError, TypeError, ValueError, AttributeError):
        raise ReadIncomplete("The CRM's list of privileges is not readable.", where="privileges") from None
    return rights


def _rank(depth: str) -> int:
    return DEPTHS.index(depth) if depth in DEPTHS else -1


def _named(directory: Directory, tables: Iterable[str]) -> dict[str, Mapping[str, Privilege]]:
    """Return the privileges by table and kind of access."""
    return {name: table.privileges for name, table in directory.known(tables).items()}


def _content(transport: Transport, address: str) -> dict[str, Any]:
    answer = transport.get(address, where="privileges")
    try:
        content = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict):
        raise ReadIncomplete("The CRM's answer about privileges is not readable.", where="privileges", request_id=answer.request_id)
    return content
