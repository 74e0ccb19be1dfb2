"""Creating, changing and deleting rows, with the rules that the platform keeps on every one of them."""

import base64
import uuid
from typing import Any

from connectors.emulator.errors import (
    DUPLICATE_KEY_VALUES,
    DUPLICATE_RECORD,
    INVALID_ARGUMENT,
    WebApiError,
    bad_payload,
    message_not_supported,
    no_such_row,
)
from connectors.emulator.request.exchange import Operation
from connectors.emulator.schema.environment import CURRENCY, ROOT_UNIT, Column, Relationship, Table
from connectors.emulator.schema.many_to_many import Peers
from connectors.emulator.schema.table_specs import BODIES, size_of_body
from connectors.emulator.storage.associations import Associations
from connectors.emulator.storage.connections import MASTER, PARTNER, has_two_halves, other_half
from connectors.emulator.storage.files.contents import KeptFiles
from connectors.emulator.storage.files.file_columns import refuse_too_large
from connectors.emulator.storage.files.thumbnails import thumbnail
from connectors.emulator.storage.new_rows import Values, join_parts, system_defaults
from connectors.emulator.storage.payload import Payload, PayloadReader, new_id, set_lookup
from connectors.emulator.storage.tables import Tables

INCIDENT, RESOLVED = "incident", 1
# Parties are written through their activity, audit rows and failures by the platform alone.
READ_ONLY = {"activityparty", "audit", "privilege", "bulkdeletefailure", "sdkmessage", "sdkmessagefilter"}
ONLY_DELETED = {"deleteditemreference", "bulkdeleteoperation"}


class Writer:
    """Writes rows inside the caller's transaction."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.kept_files = KeptFiles(tables)
        self.environment = tables.environment
        self.payloads = PayloadReader(tables)
        self.associations = Associations(tables)

    # -- create ----------------------------------------------------------------------------------------------

    def create(self, operation: Operation, table: Table, document: dict[str, Any], given: Values | None = None) -> str:
        """Insert a row with all that is nested in it, or nothing; gives its id."""
        self.refuse_read_only(table, "Create")
        with self.tables.transaction():
            return self._create(operation, table, document, given or {})

    def _create(self, operation: Operation, table: Table, document: dict[str, Any], given: Values) -> str:
        payload = self.payloads.read(operation, table, document, creating=True)
        for navigation, nested in payload.parents:
            parent = self.environment.tables[navigation.target]
            self.refuse_read_only(parent, "Create")
            set_lookup(payload.values, navigation.column, parent.name, self._create(operation, parent, nested, {}))
        payload.values.update(given)
        row_id = self._insert(operation, table, payload)
        for relation, rows in payload.children:
            child = self.environment.tables[relation.child]
            if child.view:
                raise message_not_supported("Create", child.name)
            for row in rows:
                self._create(operation, child, row, back_reference(child, relation, row_id))
        for peers, rows in payload.peers:
            for row in rows:
                self.associate(operation, peers, row_id, self.create(operation, self.environment.tables[peers.far.table], row))
        self._join(operation, row_id, payload)
        return row_id

    def _join(self, operation: Operation, row_id: str, payload: Payload) -> None:
        """Make existing rows children and peers of this one."""
        for relation, ids in payload.linked:
            for child_id in ids:
                self.link(operation, relation, row_id, child_id)
        for peers, ids in payload.associated:
            for far_id in ids:
                self.associate(operation, peers, row_id, far_id)

    def _insert(self, operation: Operation, table: Table, payload: Payload) -> str:
        asked = payload.values
        now = self.tables.clock.text()
        row_id = new_id(asked, table)
        values = {**system_defaults(table, now, operation.user), **asked}
        if asked.get("overriddencreatedon"):
            values["createdon"] = asked["overriddencreatedon"]
        values["createdonbehalfby"] = values["modifiedonbehalfby"] = operation.caller
        values["owningbusinessunit"] = self._unit_of(values)
        self._complete(table, values, values)
        for guard in self.tables.guards:
            guard.creating(operation, table, values, asked)
        for column in table.columns.values():
            if column.required and values.get(column.name) is None:
                raise WebApiError(400, INVALID_ARGUMENT, f"Required field '{column.name}' is missing for entity '{table.name}'.")
        if self.tables.exists(table, row_id):
            raise WebApiError(412, DUPLICATE_RECORD, "Cannot insert duplicate key.")
        self._check_new_state(table, row_id, asked)
        self._check_alternate_keys(table, row_id, values, values)
        values["versionnumber"] = self.tables.next_version()
        self.tables.insert(table, values, operation.user)
        self._insert_other_half(operation, table, values)
        return row_id

    def _insert_other_half(self, operation: Operation, table: Table, values: Values) -> None:
        """Make the half of a connection that the other record sees."""
        if not has_two_halves(table) or not self.tables.switches.connection_halves or values.get(PARTNER):
            return
        partner = str(uuid.uuid4())
        half = {**other_half(table, values), table.key: partner, PARTNER: values[table.key], "versionnumber": self.tables.next_version()}
        half |= {"createdon": values["createdon"], "modifiedon": values["modifiedon"]}
        own: Values = {PARTNER: partner}
        if MASTER in table.columns:
            half[MASTER], own[MASTER] = 0, 1
        self.tables.insert(table, half, operation.user)
        self.tables.rewrite(table, values[table.key], own)

    def _unit_of(self, values: Values) -> str | None:
        """Return the business unit of the owner, to which the row belongs."""
        owner = self.environment.tables[values.get("ownerid__type") or "systemuser"]
        stored = self.tables.stored(owner, values["ownerid"], ["businessunitid"]) if values.get("ownerid") else None
        return (stored or {}).get("businessunitid") or ROOT_UNIT

    def _check_new_state(self, table: Table, row_id: str, asked: Values) -> None:
        """Check that a new row is active; it is closed by an update."""
        state = asked.get("statecode", 0)
        if state != 0:
            raise WebApiError(
                400,
                INVALID_ARGUMENT,
                f"The property 'statecode' of a new {table.name} cannot be {state}: a record is created active and changed afterwards.",
            )
        if "statuscode" in asked and asked["statuscode"] not in table.states[0][1]:
            raise _invalid_status(table, row_id, 0, asked["statuscode"])

    # -- update ----------------------------------------------------------------------------------------------

    def update(self, operation: Operation, table: Table, row_id: str, document: dict[str, Any]) -> None:
        """Change columns of a row that exists."""
        self.refuse_read_only(table, "Update")
        with self.tables.transaction():
            payload = self.payloads.read(operation, table, document, creating=False)
            self.write(operation, table, row_id, payload.values)
            self._join(operation, row_id, payload)

    def write(self, operation: Operation, table: Table, row_id: str, values: Values, *, by_action: bool = False) -> None:
        if values.get(table.key, row_id) != row_id:
            raise bad_payload(table.set_name, "The primary key of a record cannot be changed.")
        values = {name: value for name, value in values.items() if name not in (table.key, "overriddencreatedon")}
        stored = self.tables.stored(table, row_id, self._needed(table, values))
        if stored is None:
            raise no_such_row(table.name, row_id)
        for guard in self.tables.guards:
            guard.updating(operation, table, row_id, values)
        if values.get("ownerid"):
            values["owningbusinessunit"] = self._unit_of(values)
        if not by_action and table.name == INCIDENT and self.tables.switches.incident_by_action:
            _refuse_resolving(values, stored)
        self._change_state(table, row_id, values, stored)
        merged = {**stored, **values}
        self._complete(table, values, merged)
        self._check_alternate_keys(table, row_id, values, merged)
        values["modifiedon"] = self.tables.clock.text()
        values["modifiedby"] = operation.user
        values["modifiedonbehalfby"] = operation.caller
        self.tables.update(table, row_id, values, operation.user)
        if has_two_halves(table):
            partner = (self.tables.stored(table, row_id, [PARTNER]) or {}).get(PARTNER)
            if partner and self.tables.exists(table, partner):
                self.tables.update(table, partner, other_half(table, values), operation.user)

    def _needed(self, table: Table, values: Values) -> list[str]:
        """Return the stored columns needed to judge a change."""
        needed = {table.key, "statecode", "statuscode"}
        for column in table.columns.values():
            if column.computed and values.keys() & set(column.computed):
                needed.update(column.computed)
        for columns in table.alternate_keys.values():
            names = [column.name for column in columns]
            if values.keys() & set(names):
                needed.update(names)
        return sorted(needed)

    def _change_state(self, table: Table, row_id: str, values: Values, stored: Values) -> None:
        if "statecode" not in values and "statuscode" not in values:
            return
        state = values.get("statecode", stored["statecode"])
        if state not in table.states:
            raise WebApiError(400, "0x80048408", f"{state} is not a valid state code on {table.name} with Id {row_id}.")
        status = values.get("statuscode")
        if "statuscode" not in values:
            kept = stored["statuscode"] if state == stored["statecode"] else None
            status = values["statuscode"] = table.default_status(state) if kept is None else kept
        if status not in table.states[state][1]:
            raise _invalid_status(table, row_id, state, status)

    def _complete(self, table: Table, values: Values, merged: Values) -> None:
        """Fill in the columns that follow from others: composed names, amounts in base currency, what a note
        is."""
        for column in table.columns.values():
            if column.computed and (values is merged or values.keys() & set(column.computed)):
                values[column.name] = join_parts(merged.get(part) for part in column.computed)
                if values[column.name] and column.length:
                    values[column.name] = values[column.name][: column.length]
            elif column.kind == "money" and column.writable and column.name in values:
                values[column.name + "_base"] = values[column.name]
                values.setdefault("transactioncurrencyid", CURRENCY)
                values["exchangerate"] = 1.0
            elif column.kind == "image" and column.name in values:
                self._complete_image(table, column, values, merged)
        if table.name == "annotation":
            if "objectid__type" in values and "objecttypecode" in table.columns:
                values["objecttypecode"] = values["objectid__type"]
            if "documentbody" in values:
                if size_of_body(values["documentbody"]) > self.max_attachment_bytes():
                    raise WebApiError(400, "0x80044a02", "Attachment file size is too big.")
                values["isdocument"] = int(values["documentbody"] is not None)
        if (body := BODIES.get(table.name)) in values and "filesize" in table.columns:
            values["filesize"] = size_of_body(values[body])
        if table.name == "activityparty":
            self._complete_party(values)

    def max_attachment_bytes(self) -> int:
        """Return `organization.maxuploadfilesize`, 5 MB in a new organisation."""
        found = self.tables.connection.execute("SELECT maxuploadfilesize FROM organization").fetchone()
        return int(found[0]) if found and found[0] is not None else 0

    def _complete_image(self, table: Table, column: Column, values: Values, merged: Values) -> None:
        """Put a thumbnail into the column; the image itself is kept beside the row where it differs."""
        row_id = str(merged[table.key])
        there = values[column.name] is not None
        self.kept_files.remove(table, row_id, column)
        if there:
            if values is merged and column != next(c for c in table.columns.values() if c.kind == "image"):
                raise WebApiError(400, "0x80090487", "Only the primary image column can be set in a create.")
            image = base64.b64decode(values[column.name])
            refuse_too_large(self.environment, table, column, len(image))
            small = thumbnail(image)
            if small != image:
                self.kept_files.put(table, row_id, column, "", "", image)
                values[column.name] = base64.b64encode(small).decode()
        stamp = self.tables.next_version() if there else None
        values[column.name + "id"] = row_id if there else None
        values[column.name + "_timestamp"] = stamp
        address = f"/Image/download.aspx?Entity={table.name}&Attribute={column.name}&Id={row_id}&Timestamp={stamp}"
        values[column.name + "_url"] = address if there else None

    def _complete_party(self, values: Values) -> None:
        """Copy the name and address to a party; the copies outlive the person's own row."""
        target = self.environment.tables.get(values.get("partyid__type") or "")
        if target is None or not values.get("partyid"):
            return
        address = "emailaddress1" if "emailaddress1" in target.columns else None
        stored = self.tables.stored(target, values["partyid"], [target.primary_name, *([address] if address else [])]) or {}
        if values.get("partyidname") is None:
            values["partyidname"] = stored.get(target.primary_name)
        if values.get("addressused") is None and address and values.get("activityid__type") == "email":
            values["addressused"] = stored.get(address)

    def _check_alternate_keys(self, table: Table, row_id: str, values: Values, merged: Values) -> None:
        for key, columns in table.alternate_keys.items():
            names = [column.name for column in columns]
            if not values.keys() & set(names) or any(merged.get(name) is None for name in names):
                continue  # rows without a full key do not compete for it
            other = self.tables.find(table, {name: merged[name] for name in names})
            if other is not None and other != row_id:
                raise WebApiError(
                    412,
                    DUPLICATE_KEY_VALUES,
                    f"A record that has the attribute values {', '.join(names)} already exists. The entity key {key} requires that this "
                    "set of attributes contains unique values. Select unique values and try again.",
                )

    # -- delete, links, parties ------------------------------------------------------------------------------

    def delete(self, operation: Operation, table: Table, row_id: str) -> None:
        """Delete a row with all that is deleted with it."""
        self.refuse_read_only(table, "Delete")
        self.tables.delete(table, row_id, operation.user, asked=operation)

    def link(self, operation: Operation, relation: Relationship, parent_id: str, child_id: str) -> None:
        """Put a child into a collection of its parent."""
        child = self.environment.tables[relation.child]
        self.refuse_read_only(child, "Associate")
        self.write(operation, child, child_id, back_reference(child, relation, parent_id))

    def unlink(self, operation: Operation, relation: Relationship, parent_id: str, child_id: str) -> None:
        child = self.environment.tables[relation.child]
        self.refuse_read_only(child, "Disassociate")
        column = child.columns[relation.column]
        held: Values = {column.name: parent_id} | ({column.type_column: relation.parent} if column.polymorphic else {})
        stored = self.tables.stored(child, child_id, list(held))
        if stored is None:
            raise no_such_row(child.name, child_id)
        if stored == held:
            values: Values = {}
            set_lookup(values, column, None, None)
            self.write(operation, child, child_id, values)

    def associate(self, operation: Operation, peers: Peers, near_id: str, far_id: str) -> None:
        """Pair two rows of an N:N relationship."""
        for guard in self.tables.guards:
            guard.pairing(operation, peers, near_id, far_id)
        self.associations.add(peers, near_id, far_id)

    def disassociate(self, operation: Operation, peers: Peers, near_id: str, far_id: str) -> None:
        for guard in self.tables.guards:
            guard.pairing(operation, peers, near_id, far_id)
        self.associations.remove(peers, near_id, far_id)

    def replace_parties(self, operation: Operation, table: Table, row_id: str, relation: Relationship, rows: list[dict[str, Any]]) -> None:
        """Replace the parties of an activity, the only way to change who took part."""
        child = self.environment.tables[relation.child]
        with self.tables.transaction():
            self.tables.delete_where(child, {child.columns[relation.column].name: row_id})
            for row in rows:
                self._create(operation, child, row, back_reference(child, relation, row_id))
            self.write(operation, table, row_id, {})

    def refuse_read_only(self, table: Table, message: str) -> None:
        if table.view or table.intersect or table.name in READ_ONLY or (table.name in ONLY_DELETED and message != "Delete"):
            raise message_not_supported(message, table.name)


def back_reference(child: Table, relation: Relationship, parent_id: str) -> Values:
    values: Values = {}
    set_lookup(values, child.columns[relation.column], relation.parent, parent_id)
    return values


def _refuse_resolving(values: Values, stored: Values) -> None:
    if values.get("statecode", stored["statecode"]) == RESOLVED != stored["statecode"]:
        raise WebApiError(
            400, INVALID_ARGUMENT, "An incident cannot be set to Resolved by an update. Use the CloseIncident message instead."
        )


def _invalid_status(table: Table, row_id: str, state: int, status: Any) -> WebApiError:
    name = table.states[state][0].get("en", str(state))
    return WebApiError(
        400,
        "0x80048408",
        f"{status} is not a valid status code for state code {table.schema_name}State.{name} on {table.name} with Id {row_id}.",
    )
