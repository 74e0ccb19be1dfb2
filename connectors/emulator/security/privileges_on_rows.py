"""May this caller do this, on this row? Which rows does a list show? A missing privilege is refused by its
name, with 403; one that does not reach a row is refused for that row; a list silently leaves such rows out.
Who the caller is by their token is decided in the room `signin`. Source: sections 8.3 and 13 of the wire
reference; Microsoft Learn, "Security roles and privileges"."""

from connectors.emulator.errors import WebApiError
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import POINTER, Table
from connectors.emulator.schema.many_to_many import Peers
from connectors.emulator.schema.privileges import DEPTHS, privilege_name
from connectors.emulator.security.roles import GLOBAL, Rights, Roles
from connectors.emulator.storage import sql
from connectors.emulator.storage.cascades import Fall
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.write_hooks import Guard, Row

PRIVILEGE_DENIED = "0x80040220"
ACCESS_DENIED = "0x80048306"
NOT_A_MEMBER = "0x80072560"
_BASIC, _LOCAL = DEPTHS["Basic"], DEPTHS["Local"]
_NO_PRIVILEGES = {"activityparty"}  # a party is written with its activity


class Access(Guard):
    """Answers by the roles of who asks. Under impersonation only what both may do is done."""

    def __init__(self, tables: Tables, roles: Roles) -> None:
        self.tables, self.roles = tables, roles

    def principals(self, operation: Operation) -> list[Rights]:
        users = [operation.user] if operation.caller is None else [operation.user, operation.caller]
        return [self.roles.rights(user) for user in users]

    # -- asked by operations and messages --------------------------------------------------------------------

    def admit(self, operation: Operation) -> None:
        """Authorise a member of the organisation who has any role. Raises WebApiError: 403."""
        for rights in self.principals(operation):
            if not rights.member:
                raise not_a_member()
            if not rights.roles:
                message = f"Principal user (Id={rights.user}, type=8, roleCount=0, privilegeCount=0) has no security role."
                raise WebApiError(403, PRIVILEGE_DENIED, message)

    def require_named(self, operation: Operation, privilege: str) -> None:
        """Refuse who lacks a privilege, at any depth."""
        for rights in self.principals(operation):
            if not rights.depth(privilege):
                raise self._denied(operation, privilege)

    def require(self, operation: Operation, kind: str, table: Table, row_id: str | None = None) -> None:
        """Refuse who may not do a thing (a key of `KINDS`) to the table at all, or not to this row. Raises
        WebApiError: 403 naming the privilege, or 403 for the row."""
        for rights in self.principals(operation):
            if rights.administrator:
                continue
            depth = self._depth(operation, rights, kind, table)
            if row_id is None or depth == GLOBAL:
                continue
            scope = _scope(rights, depth, table, "t")
            if scope is not None and not self._within(table, row_id, scope):
                raise _no_access(rights.user, kind, table, row_id)

    def may(self, operation: Operation, kind: str, table: Table, row_id: str) -> bool:
        try:
            self.require(operation, kind, table, row_id)
        except WebApiError:
            return False
        return True

    def visible(self, operation: Operation, table: Table, alias: str) -> str | None:
        """Return SQL that holds for the rows which the caller may read; None where that is all of them.
        Raises WebApiError: 403 without the privilege to read the table."""
        conditions: list[str] = []
        for rights in self.principals(operation):
            if rights.administrator:
                continue
            depth = self._depth(operation, rights, "Read", table)
            if depth != GLOBAL and (scope := _scope(rights, depth, table, alias)):
                conditions.append(scope)
        return " AND ".join(conditions) or None

    # -- asked before writes ---------------------------------------------------------------------------------

    def creating(self, operation: Operation, table: Table, values: Row, asked: Row) -> None:
        if table.name in _NO_PRIVILEGES:
            return
        for rights in self.principals(operation):
            if rights.administrator:
                continue
            depth = self._depth(operation, rights, "Create", table)
            if depth != GLOBAL and table.ownership == "UserOwned" and not _reaches(rights, depth, values):
                raise _no_access(rights.user, "Create", table, values[table.key])
            self._require_links(operation, table, None, asked)

    def updating(self, operation: Operation, table: Table, row_id: str, values: Row) -> None:
        if table.name in _NO_PRIVILEGES:
            return
        self.require(operation, "Write", table, row_id)
        if values.get("ownerid"):
            self.require(operation, "Assign", table, row_id)
        if not all(rights.administrator for rights in self.principals(operation)):
            self._require_links(operation, table, row_id, values)

    def _require_links(self, operation: Operation, table: Table, row_id: str | None, values: Row) -> None:
        """Require the rights to append the row to its lookups' targets."""
        for column in table.columns.values():
            if not column.is_lookup or column.system or not values.get(column.name):
                continue
            target = values[column.type_column] if column.polymorphic else column.targets[0]
            self.require(operation, "Append", table, row_id)
            self.require(operation, "AppendTo", self.tables.environment.tables[target], values[column.name])

    def deleting(self, operation: Operation, table: Table, row_id: str, fall: Fall) -> None:
        self.require(operation, "Delete", table, row_id)
        if not self.tables.switches.cascade_needs_child_delete or all(r.administrator for r in self.principals(operation)):
            return
        for name, deleted_id in fall.deleted:
            if name not in _NO_PRIVILEGES and (name, deleted_id) != (table.name, row_id):
                self.require(operation, "Delete", self.tables.environment.tables[name], deleted_id)

    def pairing(self, operation: Operation, peers: Peers, near_id: str, far_id: str) -> None:
        one, two = (near_id, far_id) if peers.near is peers.relation.one else (far_id, near_id)
        near, far = self.tables.environment.tables[peers.relation.one.table], self.tables.environment.tables[peers.relation.two.table]
        if far.name == "role":
            self.require(operation, "Assign", far, two)
        else:
            self.require(operation, "Append", near, one)
            self.require(operation, "AppendTo", far, two)

    # -- depths ----------------------------------------------------------------------------------------------

    def _depth(self, operation: Operation, rights: Rights, kind: str, table: Table) -> int:
        """Return how far the privilege reaches; the pairs of an N:N relationship are visible to anybody who
        may read both sides."""
        if table.intersect:
            relation = next(r for r in self.tables.environment.many_to_many if r.intersect == table.name)
            for side in (relation.one, relation.two):
                self._depth(operation, rights, kind, self.tables.environment.tables[side.table])
            return GLOBAL
        name = privilege_name(table, kind)
        depth = rights.depth(name)
        if not depth:
            raise self._denied(operation, name, table)
        return depth

    def _within(self, table: Table, row_id: str, scope: str) -> bool:
        statement = sql.select(["1"], f"{sql.name(table.name)} t", [f"t.{sql.name(table.key)} = ?", scope])
        return self.tables.connection.execute(statement, (row_id,)).fetchone() is not None

    def _denied(self, operation: Operation, privilege: str, table: Table | None = None) -> WebApiError:
        """Return the error. Under impersonation its message names the impersonated user, whichever of the two
        lacks the privilege."""
        rights = self.roles.rights(operation.user)
        mode = 4 if rights.application else 0
        known = self.roles.catalogue.get(privilege)
        where = f" on OTC={table.type_code} for entity '{table.name}'" if table else ""
        return WebApiError(
            403,
            PRIVILEGE_DENIED,
            f"Principal user (Id={rights.user}, type=8, roleCount={len(rights.roles)}, privilegeCount={len(rights.depths)}, "
            f"accessMode={mode}), is missing {privilege} privilege (Id={known.id if known else ''}){where}. "
            f"context.Caller={operation.caller or operation.user}",
        )


def _scope(rights: Rights, depth: int, table: Table, alias: str) -> str | None:
    """Return SQL for the rows that a depth reaches; None where depths do not apply, as on what the
    organisation owns."""
    if table.name == "activityparty":
        inner = "activity"
        reached = [_owned(rights, depth, inner)]
        return f"{alias}.activityid IN ({sql.select(['activityid'], f'{sql.name(POINTER)} {inner}', reached)})"
    if table.ownership == "UserOwned":
        return _owned(rights, depth, alias)
    if table.ownership != "BusinessOwned":
        return None
    if depth == _BASIC and table.name in ("systemuser", "team"):
        own = (rights.user,) if table.name == "systemuser" else rights.teams
        return f"{alias}.{sql.name(table.key)} IN ({_listed(own)})"
    column = "businessunitid"
    return f"{alias}.{column} IN ({_listed(rights.units if depth > _LOCAL else (rights.unit,))})"


def _owned(rights: Rights, depth: int, alias: str) -> str:
    """Return SQL for what the user or a team of theirs owns; at greater depths also their business units."""
    own = f"{alias}.ownerid IN ({_listed((rights.user, *rights.teams))})"
    if depth == _BASIC:
        return own
    return f"({own} OR {alias}.owningbusinessunit IN ({_listed(rights.units if depth > _LOCAL else (rights.unit,))}))"


def _reaches(rights: Rights, depth: int, values: Row) -> bool:
    if values.get("ownerid") in (rights.user, *rights.teams):
        return True
    return depth != _BASIC and values.get("owningbusinessunit") in (rights.units if depth > _LOCAL else (rights.unit,))


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(sql.text(each) for each in ids)


def not_a_member() -> WebApiError:
    return WebApiError(403, NOT_A_MEMBER, "The user is not a member of the organization.")


def _no_access(user: str, kind: str, table: Table, row_id: str) -> WebApiError:
    return WebApiError(
        403,
        ACCESS_DENIED,
        f"SecLib::AccessCheckEx failed. Returned hr = -2147187962, ObjectID: {row_id}, OwnerId: , OwnerIdType: 8 and CallingUser: {user}. "
        f"ObjectTypeCode: {table.type_code}, objectBusinessUnitId: , AccessRights: {kind}Access",
    )
