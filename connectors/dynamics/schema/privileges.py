"""What the application user may do, compared with what the jobs need (reference: section 13). A read that
reaches less than the whole organisation shows fewer rows and says nothing, so it counts as missing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.dynamics.http.query import guid
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping as TableMapping
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.schema.capabilities import is_online
from connectors.dynamics.schema.metadata import Metadata
from connectors.dynamics.schema.needed_privileges import (
    AUDIT,
    BULK_DELETE,
    BULK_DELETE_TABLES,
    Need,
    bypass_needs,
    for_answers,
    named_privileges,
    needs_of,
)
from connectors.dynamics.schema.unmapped_tables import WHOLE, Directory, NotOffered, Privilege
from connectors.interface.changes import OperationKind
from connectors.interface.errors import ConnectorError, Finding, ReadIncomplete
from rules.decoders import decoder_of
from rules.model.bypass import Bypass
from rules.model.records import Record

NO_FILTER = "00000000-0000-0000-0000-000000000000"
FILTERED = "rows of a record filter"  # in the place of a depth: whichever it is, a part is seen
MASKING = "attributemaskingrule"
DEPTHS = ("Basic", "Local", "Deep", WHOLE)  # Microsoft Learn, "PrivilegeDepth EnumType"
WRITES = ("Create", "Write", "Delete", "Assign", "Share")
# With these a write could pass by what keeps records from being written, or hide who wrote.
DANGEROUS = {
    "prvActOnBehalfOfAnotherUser": "it could write in the name of a person",
    "prvBypassCustomBusinessLogic": "it could pass by holds that are kept as business logic",
    "prvBypassCustomPlugins": "it could pass by holds that are kept as plug-ins",
    "prvWriteRole": "it could give itself more rights",
    "prvAssignRole": "it could give itself more rights",
}
_NOT_OFFERED = (400, 404, 405, 501)


@dataclass(slots=True)
class Rights:
    """What a user holds: depth by privilege id, and those names that the CRM included."""

    depths: dict[str, str]
    names: set[str] = field(default_factory=set)


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
        named = named_privileges(directory, [need.table for need in wanted])
        for number, (transport, user) in enumerate(users, 1):
            rights = _rights(transport, user)
            told: list[Finding] = []
            if number == 1:
                directory.depths = rights.depths
                metadata.look_again([table.name for table in mapping.tables])
                told += newly_secured(mapping, metadata)
                told += shown_otherwise(mapping, metadata, directory, each_night=True)
            of_user = f" (application user {number}, {user})" if number > 1 else ""
            by_name = bypass_needs(bypass)
            told += [*_missing(wanted, named, rights), *_missing_by_name(by_name, rights)]
            told += _excess(wanted, named, rights, for_answers(mapping), by_name)
            told += out_of_sight(transport, user, mapping, metadata, each_night=True)
            found += [replace(each, message=each.message + of_user) for each in told]
    except ConnectorError as failure:
        if failure.status in _NOT_OFFERED:
            what = f"this CRM does not tell what the application user may do (status {failure.status})"
            return [*found, Finding(False, what, "privileges")]
        raise
    return found


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
        named = named_privileges(directory, [*BULK_DELETE_TABLES, AUDIT])
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


def _stated(mapping: TableMapping, metadata: Metadata) -> dict[str, tuple[str, str]]:
    """Return the secured columns that the mapping states to be readable, each with its table, by id."""
    stated: dict[str, tuple[str, str]] = {}
    for table in mapping.tables:
        definition = metadata.table(table.name)
        for column in (*table.columns.values(), *table.personal.values()):
            if definition is None or not column.is_readable:
                continue
            found = [definition.attributes[name] for name in column.names if name in definition.attributes]
            stated |= {attribute.id: (table.name, attribute.name) for attribute in found if attribute.secured}
    return stated


def newly_secured(mapping: TableMapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield an error for each secured column that the mapping does not state to be readable. The mapping was
    held against the definitions before, so it was secured while the work was under way."""
    for table in mapping.tables:
        definition = metadata.table(table.name)
        columns = [column for column in (*table.columns.values(), *table.personal.values()) if not column.is_readable]
        names = dict.fromkeys([name for column in columns for name in column.names] + [condition.column for condition in table.only])
        for name in names:
            if definition is not None and name in definition.attributes and definition.attributes[name].secured:
                told = f"{name} has been secured while the work was under way: it looks empty to who may not read it"
                yield Finding(True, f"{told}. Check the mapping against the CRM, which says what the column needs", table.name)


def shown_otherwise(mapping: TableMapping, metadata: Metadata, directory: Directory, *, each_night: bool = False) -> Iterator[Finding]:
    """Yield an error for each secured column, stated to be readable, that has a masking rule: whoever may
    read it gets signs in the place of what stands there (Microsoft Learn, "Create and manage masking rules").
    That this account may not read the rules is a warning that nobody is given `each_night`."""
    stated = set(_stated(mapping, metadata).values())
    table = directory.table(MASKING) if stated else None
    if table is None:
        return
    columns = ("entityname", "attributelogicalname")
    try:
        ruled = {tuple(row.get(name) for name in columns) for row in directory.all(table, ",".join(columns))}
    except NotOffered as refusal:
        if not each_night:
            told = f"whether secured columns are shown otherwise than they are cannot be told ({refusal.reason})"
            yield Finding(False, told, "privileges")
        return
    for table_name, name in sorted(stated & ruled):
        yield Finding(True, f"{name} has a masking rule: what is read is not what stands there. Take the rule from the column", table_name)


def readable_columns(transport: Transport, user: str, right: str = "CanRead") -> set[str] | None:
    """Return the secured columns that this user may read, or has another `right` to, by id; None where the
    CRM does not tell. Raises ConnectorError."""
    try:
        content = _content(transport, f"systemusers({guid(user)})/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()")
        return {str(each["AttributeId"]).lower() for each in content["AttributePrivileges"] if each[right]}
    except (LookupError, TypeError):
        raise ReadIncomplete("The CRM's list of secured columns is not readable.", where="privileges") from None
    except ConnectorError as failure:
        if failure.status in _NOT_OFFERED:
            return None
        raise


def out_of_sight(
    transport: Transport, user: str, mapping: TableMapping, metadata: Metadata, *, each_night: bool = False
) -> Iterator[Finding]:
    """Yield an error for each secured column that the mapping states to be readable and that this user may
    not read: in every row it looks empty, so that no hold would be seen in it. One that has to be emptied and
    may not be written is a warning. That a CRM on-premises does not tell, which is so for ever, is a warning
    that nobody is given `each_night`."""
    stated = _stated(mapping, metadata)
    if not stated:
        return
    read = readable_columns(transport, user)
    if read is None:
        if not each_night or is_online(transport):
            yield Finding(False, "which secured columns the application user may read this CRM does not tell", "privileges")
        return
    for table_name, name in (place for column, place in stated.items() if column not in read):
        told = (
            f"{name} is secured, and the application user may not read it: it looks empty. Give it a column security profile that reads it"
        )
        yield Finding(True, told, table_name)
    emptied = {(table.name, name) for table in mapping.tables if table.own for each in table.own.emptied for name in _columns(table, each)}
    written = readable_columns(transport, user, "CanUpdate") if emptied.intersection(stated.values()) else None
    for table_name, name in (
        place for column, place in stated.items() if written is not None and place in emptied and column not in written
    ):
        told = f"{name} is secured, and the application user may not write it: units wait that have rows of {table_name} to empty"
        yield Finding(False, f"{told}. Give it a column security profile that writes it", table_name)


def _columns(table: Table, field: str) -> tuple[str, ...]:
    return tuple(name for column in (table.columns.get(field), table.personal.get(field)) if column is not None for name in column.names)


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


def _content(transport: Transport, address: str) -> dict[str, Any]:
    answer = transport.get(address, where="privileges")
    with answer.readable("The CRM's answer about privileges is not readable.", where="privileges"):
        return decoder_of(dict[str, Any]).decode(answer.body)
