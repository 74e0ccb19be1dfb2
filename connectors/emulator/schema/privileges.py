"""The catalogue of privileges: one for each table and kind of access, and some that go by a name of their
own.

Names follow the table's schema name. Where the platform names them otherwise it does so here: all activities
share `prv…Activity`, notes are `prv…Note`, users `prv…User`. Source: section 13 of the wire reference;
Microsoft Learn, "Security privileges by entity"."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from connectors.emulator.schema.environment import DEFAULT_USER, ROOT_UNIT, Environment, Table, metadata_id

# kind -> AccessRights, the mask that a privilege's row and RetrievePrincipalAccess mention
KINDS = {"Create": 32, "Read": 1, "Write": 2, "Delete": 65536, "Assign": 524288, "Share": 262144, "Append": 4, "AppendTo": 16}
DEPTHS = {"Basic": 1, "Local": 2, "Deep": 4, "Global": 8}  # as `privilegedepthmask`

ACT_ON_BEHALF = "prvActOnBehalfOfAnotherUser"
BYPASS_LOGIC = "prvBypassCustomBusinessLogic"
BYPASS_PLUGINS = "prvBypassCustomPlugins"
_METADATA = ("prvReadEntity", "prvReadAttribute", "prvReadRelationship", "prvReadOptionSet")
_CUSTOMISE = tuple(
    f"prv{verb}{part}" for part in ("Entity", "Attribute", "Relationship", "OptionSet") for verb in ("Create", "Write", "Delete")
)
NAMED = (
    *_METADATA,
    *_CUSTOMISE,
    ACT_ON_BEHALF,
    BYPASS_LOGIC,
    BYPASS_PLUGINS,
    "prvBulkDelete",
    "prvMerge",
    "prvDeleteRecordChangeHistory",
    "prvDeleteAuditPartitions",
    "prvReadAuditSummary",
    "prvReadRecordAuditHistory",
    "prvPublishDuplicateRule",
)
_IDS = {ACT_ON_BEHALF: "26fbb6dc-c8ea-44a7-8f2d-ff6fed1b2ae4"}  # those that are the same in every organisation and known
_SUBJECTS = {"annotation": "Note", "activityparty": "Activity", "systemuser": "User", "savedquery": "Query", "privilege": "Role"}
_EXCEPTIONS = {("audit", "Read"): "prvReadAuditSummary", ("audit", "Delete"): "prvDeleteAuditPartitions"}

SYSTEM_ADMINISTRATOR = metadata_id("role", "System Administrator")
BASIC_USER = metadata_id("role", "Basic User")
_TEMPLATES = {SYSTEM_ADMINISTRATOR: "627090ff-40a3-4053-8790-584edc5be201"}
# What Basic User may do: own rows of the standard tables, and look at what the organisation is made of.
_OWN = ("account", "contact", "annotation", "activitypointer", "duplicaterule", "asyncoperation", "bulkdeleteoperation")
_COMMON = ("systemuser", "team", "businessunit", "organization", "transactioncurrency", "role")


@dataclass(frozen=True)
class Privilege:
    """`kind` is a key of `KINDS`, or None for one that belongs to no table; `owned`: its depth may be less
    than Global."""

    name: str
    kind: str | None
    owned: bool

    @property
    def id(self) -> str:
        return _id(self.name)


_privilege = cache(Privilege)  # thousands of times the same few hundred


@cache
def _id(privilege: str) -> str:
    return _IDS.get(privilege) or metadata_id("privilege", privilege)


def privilege_name(table: Table, kind: str) -> str:
    """Return the privilege that one kind of access to a table requires."""
    return _privilege_name(table.name, table.schema_name, table.activity, kind)


@cache
def _privilege_name(table: str, schema_name: str, activity: bool, kind: str) -> str:
    if exception := _EXCEPTIONS.get((table, kind)):
        return exception
    subject = "Activity" if activity else _SUBJECTS.get(table, schema_name)
    return f"prv{kind}{subject}"


def kinds_of(table: Table) -> tuple[str, ...]:
    """Return the kinds of access to a table. Only what has an owner can be assigned and shared; pairs of an
    N:N relationship have no privileges of their own."""
    if table.intersect:
        return ()
    return tuple(kind for kind in KINDS if _is_owned(table) or kind not in ("Assign", "Share"))


def _is_owned(table: Table) -> bool:
    return table.ownership in ("UserOwned", "BusinessOwned")


def privileges_of(table: Table) -> list[tuple[str, Privilege]]:
    """Return each kind of access to a table with its privilege."""
    return [(kind, _privilege(privilege_name(table, kind), kind, _is_owned(table))) for kind in kinds_of(table)]


def catalogue(environment: Environment) -> dict[str, Privilege]:
    """Return every privilege of an organisation by its name."""
    found = {name: Privilege(name, None, owned=False) for name in NAMED}
    for table in environment.tables.values():
        for _, privilege in privileges_of(table):
            found.setdefault(privilege.name, privilege)
    return found


def rows_of(table: Table) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows that a table adds to the catalogue, and System Administrator's right to all."""
    privileges = [privilege for _, privilege in privileges_of(table)]
    held = {"roleid": SYSTEM_ADMINISTRATOR, "privilegedepthmask": DEPTHS["Global"]}
    rows = [("privilege", _row(privilege)) for privilege in privileges]
    return rows + [("roleprivileges", {**held, "privilegeid": privilege.id}) for privilege in privileges]


def security_rows(environment: Environment) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the catalogue, the two standard roles, and who has them before anyone changes it."""
    privileges = catalogue(environment)
    grants = [(SYSTEM_ADMINISTRATOR, name, "Global") for name in privileges]
    basic: dict[str, str] = dict.fromkeys(_METADATA, "Global")
    for name in _OWN:
        if name in environment.tables:
            basic |= {privilege.name: "Basic" for _, privilege in privileges_of(environment.tables[name])}
    for name in _COMMON:
        table = environment.tables[name]
        basic |= {privilege_name(table, "Read"): "Global", privilege_name(table, "AppendTo"): "Global"}
    grants += [(BASIC_USER, name, depth) for name, depth in basic.items()]
    users = [row["systemuserid"] for row in environment.rows.get("systemuser", [])]
    roles = {user: SYSTEM_ADMINISTRATOR if user == DEFAULT_USER else BASIC_USER for user in users}
    names = {SYSTEM_ADMINISTRATOR: "System Administrator", BASIC_USER: "Basic User"}
    return {
        "privilege": [_row(privilege) for privilege in privileges.values()],
        "role": [
            {"roleid": role, "name": name, "businessunitid": ROOT_UNIT, "roletemplateid": _TEMPLATES.get(role), "isinherited": 1}
            for role, name in names.items()
        ],
        "roleprivileges": [
            {"roleid": role, "privilegeid": privileges[name].id, "privilegedepthmask": DEPTHS[depth]} for role, name, depth in grants
        ],
        "systemuserroles": [{"systemuserid": user, "roleid": role} for user, role in roles.items()],
    }


def _row(privilege: Privilege) -> dict[str, Any]:
    return {
        "privilegeid": privilege.id,
        "name": privilege.name,
        "accessright": KINDS.get(privilege.kind or "", 0),
        "canbebasic": privilege.owned,
        "canbelocal": privilege.owned,
        "canbedeep": privilege.owned,
        "canbeglobal": True,
    }
