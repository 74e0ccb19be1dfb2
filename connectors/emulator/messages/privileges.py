"""Roles, their privileges, and what a user may do. Source: Microsoft Learn, "RolePrivilege ComplexType",
"AddPrivilegesRole Action", "RetrievePrincipalAccess Function", "AttributePrivilege ComplexType"."""

from dataclasses import replace
from typing import Any

from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_query, no_such_row
from connectors.emulator.messages.call import Call
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import ROOT_UNIT, Table, metadata_id
from connectors.emulator.schema.privileges import DEPTHS, Privilege
from connectors.emulator.schema.values import guid
from connectors.emulator.security.roles import Fields, Roles
from connectors.emulator.security.secured_columns import allowed

_NAMES = {mask: name for name, mask in DEPTHS.items()}
_NUMBERS = {str(number): name for number, name in enumerate(DEPTHS)}  # PrivilegeDepth as a number
_NO_FILTER = "00000000-0000-0000-0000-000000000000"
_RIGHTS = ("Read", "Write", "Share", "Assign", "Append", "AppendTo", "Create", "Delete")


def retrieve_user_privileges(call: Call) -> Answer:
    """Answer `systemusers(id)/…RetrieveUserPrivileges()`: over all roles, those of teams too."""
    roles = _roles(call)
    rights = roles.rights(_bound(call, "systemuser"))
    if rights.user not in roles.told:
        depths = dict.fromkeys(roles.catalogue, DEPTHS["Global"]) if rights.administrator else rights.depths
        roles.told[rights.user] = _documents(call, depths, rights.unit)
    return call.answer({"RolePrivileges": roles.told[rights.user]})


def retrieve_role_privileges(call: Call) -> Answer:
    """Answer `RetrieveRolePrivilegesRole(RoleId=…)`."""
    table = call.environment.tables["role"]
    role = guid(str(call.required("RoleId")))
    if role is None or not call.tables.exists(table, role):
        raise no_such_row("role", str(call.parameters["RoleId"]))
    call.access.require(call.operation, "Read", table, role)
    return call.answer({"RolePrivileges": _documents(call, _roles(call).privileges_of(role), _unit_of(call, role))})


def retrieve_principal_access(call: Call) -> Answer:
    """Answer `systemusers(id)/…RetrievePrincipalAccess(Target=…)`: rights on a row, comma-separated."""
    user = _bound(call, "systemuser")
    table, row_id = _target(call)
    theirs = replace(call.operation, user=user, caller=None)
    held = [kind for kind in _RIGHTS if call.access.may(theirs, kind, table, row_id)]
    return call.answer({"AccessRights": ", ".join(f"{kind}Access" for kind in held) or "None"})


def retrieve_principal_attribute_privileges(call: Call) -> Answer:
    """Answer `systemusers(id)/…RetrievePrincipalAttributePrivileges()`: the secured columns of which
    anything is allowed."""
    rights = _roles(call).rights(_bound(call, "systemuser"))
    found = {
        metadata_id(table.name, "column", column.name): allowed(rights, table, column)
        for table in call.environment.tables.values()
        for column in table.columns.values()
        if column.secured
    }
    told = [
        {"AttributeId": column, "CanRead": 4 * each.read, "CanCreate": 4 * each.create, "CanUpdate": 4 * each.update}
        for column, each in found.items()
        if each != Fields()
    ]
    return call.answer({"AttributePrivileges": told})


def add_privileges(call: Call) -> Answer:
    """Answer `roles(id)/…AddPrivilegesRole {"Privileges": […]}`."""
    role = _writable_role(call)
    for privilege, depth in _given(call):
        _roles(call).grant(role, privilege, depth)
    return Answer(204)


def replace_privileges(call: Call) -> Answer:
    """Answer `roles(id)/…ReplacePrivilegesRole {"Privileges": […]}`: what is not given is withdrawn."""
    role = _writable_role(call)
    given = _given(call)
    _roles(call).withdraw_all(role)
    for privilege, depth in given:
        _roles(call).grant(role, privilege, depth)
    return Answer(204)


def remove_privilege(call: Call) -> Answer:
    """Answer `roles(id)/…RemovePrivilegeRole {"PrivilegeId"}`."""
    role = _writable_role(call)
    _roles(call).withdraw(role, _privilege(call, str(call.required("PrivilegeId"))))
    return Answer(204)


def _roles(call: Call) -> Roles:
    return call.access.roles


def _bound(call: Call, name: str) -> str:
    if call.table is None or call.table.name != name or call.row_id is None:
        raise bad_query(f"{call.name} is bound to the entity type 'Microsoft.Dynamics.CRM.{name}'.")
    return call.row_id


def _writable_role(call: Call) -> str:
    role = _bound(call, "role")
    call.access.require(call.operation, "Write", call.environment.tables["role"], role)
    return role


def _unit_of(call: Call, role: str) -> str:
    stored = call.tables.stored(call.environment.tables["role"], role, ["businessunitid"]) or {}
    return stored.get("businessunitid") or ROOT_UNIT


def _documents(call: Call, depths: dict[str, int], unit: str) -> list[dict[str, Any]]:
    catalogue = _roles(call).catalogue
    return [
        {
            "Depth": _NAMES[depth],
            "PrivilegeId": catalogue[name].id,
            "BusinessUnitId": unit,
            "PrivilegeName": name,
            "RecordFilterId": _NO_FILTER,
            "RecordFilterUniqueName": "",
        }
        for name, depth in sorted(depths.items())
    ]


def _given(call: Call) -> list[tuple[Privilege, int]]:
    """Return the privileges of a body, each with its depth mask."""
    entries = call.required("Privileges")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise WebApiError(400, INVALID_ARGUMENT, "Privileges takes an array of RolePrivilege.")
    found: list[tuple[Privilege, int]] = []
    for entry in entries:
        depth = str(entry.get("Depth", "Basic"))
        depth = _NUMBERS.get(depth, depth)
        if depth not in DEPTHS:
            raise WebApiError(400, INVALID_ARGUMENT, f"'{depth[:40]}' is no PrivilegeDepth.")
        found.append((_privilege(call, str(entry.get("PrivilegeId", ""))), DEPTHS[depth]))
    return found


def _privilege(call: Call, text: str) -> Privilege:
    privilege = _roles(call).by_id(guid(text) or "")
    if privilege is None:
        raise no_such_row("privilege", text[:60])
    return privilege


def _target(call: Call) -> tuple[Table, str]:
    """Return the row that a parameter refers to: by `@odata.id`, or by type and key."""
    target = call.required("Target")
    if not isinstance(target, dict):
        raise bad_query("The parameter 'Target' of the function 'RetrievePrincipalAccess' takes a reference to a row.")
    if address := target.get("@odata.id"):
        name, row_id = call.writer.payloads.resolve(call.operation, str(address), tuple(call.environment.tables))
        return call.environment.tables[name], row_id
    table = call.environment.tables.get(str(target.get("@odata.type", "")).rpartition(".")[2])
    row_id_or_none = guid(str(target.get(table.key))) if table else None
    if table is None or row_id_or_none is None:
        raise bad_query("The parameter 'Target' of the function 'RetrievePrincipalAccess' takes a reference to a row.")
    if not call.tables.exists(table, row_id_or_none):
        raise no_such_row(table.name, row_id_or_none)
    return table, row_id_or_none
