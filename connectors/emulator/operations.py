"""What each method does at each kind of address. Everything here is one operation, alone or inside a batch."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from connectors.emulator.describing.csdl import csdl
from connectors.emulator.describing.metadata import METADATA_SETS, Metadata
from connectors.emulator.errors import (
    DUPLICATE_RECORD,
    WebApiError,
    bad_payload,
    bad_query,
    may_not_impersonate,
    method_not_allowed,
    no_resource,
    no_segment,
    no_such_key,
    no_such_row,
)
from connectors.emulator.exchange import Answer, Operation
from connectors.emulator.faults import Fault, alter_rows, status_answer
from connectors.emulator.messages.call import Call, function_parameters
from connectors.emulator.messages.registry import ACTIONS, ACTIONS_ON_ROW, ACTIONS_ON_SET, FUNCTIONS, FUNCTIONS_ON_ROW, Message
from connectors.emulator.paths import MAX_URL_IN_BATCH, Key, Segment, parse_address, parse_key
from connectors.emulator.preferences import parse_preferences
from connectors.emulator.querying.pages import Reader, Within
from connectors.emulator.querying.query import refuse_options
from connectors.emulator.querying.special import special_read
from connectors.emulator.schema.environment import Column, Navigation, Relationship, Table
from connectors.emulator.schema.values import to_stored
from connectors.emulator.stats import Stats
from connectors.emulator.storage.files import Files
from connectors.emulator.storage.payload import read_json, referenced
from connectors.emulator.storage.tables import Tables
from connectors.emulator.storage.writes import Writer, back_reference, etag

NAMESPACE = "Microsoft.Dynamics.CRM."
ANNOTATED_ERRORS = "Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"
_UNSAFE = re.compile(r"[/<>*%&:\\?+]")  # the front end refuses these in a path, encoded or not; `$filter` is the way out


class WebApi:
    """One organisation's Web API, without the HTTP around it. The caller holds the lock of the tables."""

    def __init__(self, tables: Tables, stats: Stats) -> None:
        self.tables = tables
        self.environment = tables.environment
        self.stats = stats
        self.metadata = Metadata(self.environment)
        self.reader = Reader(tables)
        self.writer = Writer(tables)
        self.files = Files(tables)

    def run(self, operation: Operation, faults: list[Fault] | None = None) -> Answer:
        """Do one operation; a refusal is an answer too."""
        try:
            answer = self._run(operation, faults or [])
        except WebApiError as error:
            return refused(operation, error)
        except (sqlite3.Error, OverflowError, RecursionError, UnicodeError) as problem:
            return refused(operation, WebApiError(500, "0x80044150", f"Generic SQL error: {type(problem).__name__}."))
        if operation.preferences.applied and answer.status < 300:
            answer.headers["Preference-Applied"] = ", ".join(operation.preferences.applied)
        return answer

    def _run(self, operation: Operation, faults: list[Fault]) -> Answer:
        operation.preferences = parse_preferences(operation.headers.get("prefer"))
        for fault in faults:
            if fault.kind == "status":
                return status_answer(fault)
        if "callerobjectid" in operation.headers or "mscrmcallerid" in operation.headers:
            raise may_not_impersonate(operation.user)
        if operation.in_batch and len(operation.raw) > MAX_URL_IN_BATCH:
            raise WebApiError(414, "", "The request URI is too long.")
        if operation.raw.startswith("$") and operation.raw[1:2].isalnum() and not operation.raw.startswith(("$metadata", "$batch")):
            operation.raw = referenced(operation, operation.raw).removeprefix(operation.root)
        try:
            operation.address = parse_address(operation.raw)
        except UnicodeDecodeError as problem:
            raise bad_query("The request URI is not valid UTF-8.") from problem
        segments = operation.address.segments
        if not segments:
            self._only(operation, "GET", "the service document")
            return self._counted(operation, "read", self.metadata.service_document(operation.root))
        first = segments[0]
        if first.name == "$metadata":
            self._only(operation, "GET", "$metadata")
            return self._counted(operation, "read", Answer(200, csdl(self.environment), content_type="application/xml"))
        if first.name in METADATA_SETS:
            self._only(operation, "GET", first.name)
            return self._counted(operation, "read", self.metadata.answer(operation))
        if first.name in FUNCTIONS:
            return self._function(operation, first, FUNCTIONS[first.name])
        if first.name in ACTIONS:
            return self._action(operation, first, ACTIONS[first.name])
        table = self.environment.by_set.get(first.name)
        if table is None:
            raise no_segment(first.name)
        if first.key is None:
            return self._set(operation, table, segments[1:], faults)
        return self._row(operation, table, first.key, segments[1:], faults)

    def _counted(self, operation: Operation, kind: str, answer: Answer) -> Answer:
        self.stats.count(kind)
        return answer

    @staticmethod
    def _only(operation: Operation, method: str, what: str) -> None:
        if operation.method != method:
            raise method_not_allowed(operation.method, what)

    # -- messages ------------------------------------------------------------------------------------------------------

    def _call(
        self, operation: Operation, name: str, parameters: dict[str, Any], table: Table | None = None, row: str | None = None
    ) -> Call:
        return Call(name, operation, self.tables, self.reader, self.writer, self.stats, parameters, table, row)

    def _function(
        self, operation: Operation, segment: Segment, message: Message, table: Table | None = None, row_id: str | None = None
    ) -> Answer:
        if operation.method != "GET" or operation.address.segments[-1] is not segment:
            raise no_resource(operation.root + operation.raw)
        refuse_options(operation.address.options, set())
        self.stats.count("read")
        name = segment.name.removeprefix(NAMESPACE)
        return message(self._call(operation, name, function_parameters(operation, segment), table, row_id))

    def _action(
        self, operation: Operation, segment: Segment, message: Message, table: Table | None = None, row_id: str | None = None
    ) -> Answer:
        if operation.method != "POST" or operation.address.segments[-1] is not segment:
            raise no_resource(operation.root + operation.raw)
        name = segment.name.removeprefix(NAMESPACE)
        with self.tables.transaction():
            return message(self._call(operation, name, read_json(operation, name), table, row_id))

    # -- a set ---------------------------------------------------------------------------------------------------------

    def _set(self, operation: Operation, table: Table, rest: list[Segment], faults: list[Fault]) -> Answer:
        method = operation.method
        if rest:
            if rest[0].name == "$count" and len(rest) == 1 and method == "GET":
                return self._counted(operation, "read", self.reader.count(operation, table))
            if message := ACTIONS_ON_SET.get(rest[0].name.removeprefix(NAMESPACE)):
                return self._action(operation, rest[0], message, table)
            raise no_segment(rest[0].name)
        if method == "GET":
            self.stats.count("read")
            if special := special_read(operation):
                return special(self.reader, operation, table)
            return self.reader.page(operation, table, alter=alter_rows(faults))
        if method == "POST":
            self.stats.count("create")
            refuse_options(operation.address.options, {"$select", "$expand"})
            row_id = self.writer.create(operation, table, read_json(operation, table.set_name))
            return self._written(operation, table, row_id, created=True)
        raise self._not_on_a_set(method, table)

    def _not_on_a_set(self, method: str, table: Table) -> WebApiError:
        refusal = method_not_allowed(method, table.set_name)
        if method in ("DELETE", "PATCH"):
            refusal.status = self.tables.switches.delete_on_set_status
        return refusal

    def _written(self, operation: Operation, table: Table, row_id: str, *, created: bool) -> Answer:
        """204 with the row's address, or the row itself for who prefers a representation."""
        if operation.preferences.representation:
            body = self.reader.row(operation, table, row_id) or b""
            version = self.tables.version(table, row_id) or 0
            return Answer(201 if created else 200, body, {"ETag": etag(version)})
        address = f"{operation.root}{table.set_name}({row_id})"
        headers = {"OData-EntityId": address}
        if operation.in_batch and created:
            headers = {"Location": address, **headers}
        return Answer(204, b"", headers)

    # -- a row ---------------------------------------------------------------------------------------------------------

    def _row(self, operation: Operation, table: Table, key_text: str, rest: list[Segment], faults: list[Fault]) -> Answer:
        if not operation.in_batch and _UNSAFE.search(key_text):
            raise bad_query("A potentially dangerous Request.Path value was detected from the client.")
        key = parse_key(table, key_text)
        row_id = key.row_id or self.tables.find(table, key.values)
        version = self.tables.version(table, row_id) if row_id else None
        if version is not None and row_id is not None and any(fault.kind == "change_row" for fault in faults):
            self.tables.touch(table, row_id)
            version = self.tables.version(table, row_id)
        if rest:
            if row_id is None or version is None:
                raise self._missing(table, key)
            return self._below(operation, table, row_id, version, rest, faults)
        if operation.method == "GET":
            return self._retrieve(operation, table, key, row_id, version)
        if operation.method == "PATCH":
            return self._patch(operation, table, key, row_id, version)
        if operation.method == "DELETE":
            self.stats.count("delete")
            refuse_options(operation.address.options, set())
            self.writer.refuse_read_only(table, "Delete")
            if row_id is None or version is None:
                raise self._missing(table, key)
            self.writer.check_version(operation, version)
            if not any(fault.kind == "keep_row" for fault in faults):
                self.writer.delete(operation, table, row_id)
            return Answer(204)
        raise method_not_allowed(operation.method, table.name)

    @staticmethod
    def _missing(table: Table, key: Key) -> WebApiError:
        return no_such_row(table.name, key.row_id) if key.row_id else no_such_key(table.name)

    def _retrieve(self, operation: Operation, table: Table, key: Key, row_id: str | None, version: int | None) -> Answer:
        self.stats.count("read")
        refuse_options(operation.address.options, {"$select", "$expand"})
        if table.name == "activityparty":
            raise WebApiError(405, "0x80040800", "The 'Retrieve' method does not support entities of type 'activityparty'.")
        if row_id is None or version is None:
            raise self._missing(table, key)
        plain = not operation.preferences.annotations and operation.address.option("$expand") is None
        if plain and operation.if_none_match == etag(version):
            return Answer(304, b"", {"ETag": etag(version)})
        self.writer.check_version(operation, version)
        body = self.reader.row(operation, table, row_id)
        return Answer(200, body or b"", {"ETag": etag(version)})

    def _patch(self, operation: Operation, table: Table, key: Key, row_id: str | None, version: int | None) -> Answer:
        """Update, or the upsert that a missing row silently becomes without `If-Match`."""
        self.stats.count("update" if version is not None else "create")
        refuse_options(operation.address.options, {"$select", "$expand"})
        self.writer.refuse_read_only(table, "Update")
        document = read_json(operation, table.set_name)
        if version is not None and row_id is not None:
            if operation.if_none_match == "*":
                raise WebApiError(412, DUPLICATE_RECORD, "A record with matching key values already exists.")
            self.writer.check_version(operation, version)
            self.writer.update(operation, table, row_id, document)
            return self._written(operation, table, row_id, created=False)
        if operation.if_match is not None:
            raise self._missing(table, key)
        given: dict[str, Any] = dict(key.values)
        if key.row_id:
            if str(document.get(table.key, key.row_id)).lower() != key.row_id:
                raise bad_payload(table.set_name, "The primary key in the body differs from the one in the address.")
            given[table.key] = key.row_id
        created = self.writer.create(operation, table, document, given)
        return self._written(operation, table, created, created=True)

    # -- below a row ---------------------------------------------------------------------------------------------------

    def _below(self, operation: Operation, table: Table, row_id: str, version: int, rest: list[Segment], faults: list[Fault]) -> Answer:
        first, tail = rest[0], [segment.name for segment in rest[1:]]
        if column := table.by_wire.get(first.name):
            if first.key is None and tail in ([], ["$value"]):
                return self._property(operation, table, row_id, version, column, value=bool(tail))
        elif navigation := table.navigations.get(first.name):
            if first.key is None and tail in ([], ["$ref"]):
                return self._lookup(operation, table, row_id, version, navigation, reference=bool(tail))
        elif relation := table.collections.get(first.name):
            if tail in ([], ["$ref"], ["$count"]):
                return self._collection(operation, table, row_id, relation, first.key, tail, faults)
        elif function := FUNCTIONS_ON_ROW.get(first.name.removeprefix(NAMESPACE)):
            return self._function(operation, first, function, table, row_id)
        elif action := ACTIONS_ON_ROW.get(first.name.removeprefix(NAMESPACE)):
            return self._action(operation, first, action, table, row_id)
        else:
            raise no_segment(first.name)
        raise no_segment(rest[-1].name)

    def _property(self, operation: Operation, table: Table, row_id: str, version: int, column: Column, *, value: bool) -> Answer:
        method = operation.method
        binary = column.kind in ("file", "image")
        if method == "GET":
            self.stats.count("read")
            if not value:
                return self.reader.property(operation, table, row_id, column)
            if binary:
                return self.files.download(operation, table, row_id, column)
            answer = self.reader.property(operation, table, row_id, column)
            if answer.status == 200:
                content = msgspec.json.decode(answer.body)["value"]
                text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
                answer = Answer(200, text.encode(), content_type="text/plain")
            return answer
        self.stats.count("update")
        self.writer.refuse_read_only(table, "Update")
        self.writer.check_version(operation, version)
        if method == "PATCH" and binary:
            self._change(operation, table, row_id, lambda: self.files.upload(operation, table, row_id, column))
        elif method == "DELETE" and binary:
            self._change(operation, table, row_id, lambda: self.files.remove(table, row_id, column))
        elif method == "DELETE" and not column.is_lookup:
            self._check_writable(table, column)
            self._change(operation, table, row_id, lambda: {column.name: None})
        elif method == "PUT" and not column.is_lookup:
            self._check_writable(table, column)
            document = read_json(operation, table.set_name)
            if "value" not in document:
                raise bad_payload(table.set_name, "The body of a single property is an object with the property 'value'.")
            stored = to_stored(self.environment, table, column, document["value"])
            self._change(operation, table, row_id, lambda: {column.name: stored})
        else:
            raise method_not_allowed(method, column.wire)
        return Answer(204)

    def _change(self, operation: Operation, table: Table, row_id: str, columns: Callable[[], dict[str, Any]]) -> None:
        with self.tables.transaction():
            self.writer.write(operation, table, row_id, columns())

    @staticmethod
    def _check_writable(table: Table, column: Column) -> None:
        if column.key or not column.writable:
            raise bad_payload(table.set_name, f"The property '{column.wire}' is read-only.")

    def _lookup(self, operation: Operation, table: Table, row_id: str, version: int, navigation: Navigation, *, reference: bool) -> Answer:
        method = operation.method
        if method == "GET":
            self.stats.count("read")
            if reference:
                return self.reader.reference(operation, table, row_id, navigation)
            target_id = self.reader.looked_up(table, row_id, navigation)
            target = self.environment.tables[navigation.target]
            found = self.tables.version(target, target_id) if target_id else None
            if target_id is None or found is None:
                return Answer(204)
            return Answer(200, self.reader.row(operation, target, target_id) or b"", {"ETag": etag(found)})
        if not reference or method not in ("PUT", "DELETE"):
            raise method_not_allowed(method, navigation.name)
        self.stats.count("update")
        self.writer.check_version(operation, version)
        if not navigation.column.writable:
            raise bad_payload(table.set_name, f"The property '{navigation.name}' is read-only.")
        bound = self._referenced_address(operation, table) if method == "PUT" else None
        self.writer.update(operation, table, row_id, {f"{navigation.name}@odata.bind": bound})
        return Answer(204)

    @staticmethod
    def _referenced_address(operation: Operation, table: Table) -> str:
        address = read_json(operation, table.set_name).get("@odata.id")
        if not isinstance(address, str):
            raise bad_payload(table.set_name, "The body of a reference is an object with '@odata.id'.")
        return address

    def _collection(
        self, operation: Operation, table: Table, row_id: str, relation: Relationship, key: str | None, tail: list[str], faults: list[Fault]
    ) -> Answer:
        child = self.environment.tables[relation.child]
        within = Within(relation, row_id)
        method = operation.method
        if method == "GET" and key is None:
            self.stats.count("read")
            if tail == ["$count"]:
                return self.reader.count(operation, child, within)
            return (
                self.reader.references(operation, child, within) if tail else self.reader.page(operation, child, within, alter_rows(faults))
            )
        if method == "PUT" and not tail and key is None and child.name == "activityparty" and relation.column == "activityid":
            self.stats.count("update")
            rows = read_json(operation, table.set_name).get("value")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise bad_payload(table.set_name, "The property 'value' takes an array of objects.")
            self.writer.replace_parties(operation, table, row_id, relation, rows)
            return Answer(204)
        if method == "POST" and not tail and key is None:
            self.stats.count("create")
            return self._create_in(operation, child, relation, row_id)
        if tail != ["$ref"] or method not in ("POST", "DELETE"):
            raise method_not_allowed(method, relation.name)
        self.stats.count("update")
        with self.tables.transaction():
            if method == "POST":
                _, child_id = self.writer.payloads.resolve(operation, self._referenced_address(operation, table), (child.name,))
                self.writer.link(operation, relation, row_id, child_id)
            else:
                self.writer.unlink(operation, relation, row_id, self._child_id(operation, child, key))
        return Answer(204)

    def _create_in(self, operation: Operation, child: Table, relation: Relationship, parent_id: str) -> Answer:
        """POST to a collection creates a row that belongs to it."""
        document = read_json(operation, child.set_name)
        row_id = self.writer.create(operation, child, document, back_reference(child, relation, parent_id))
        return self._written(operation, child, row_id, created=True)

    def _child_id(self, operation: Operation, child: Table, key: str | None) -> str:
        if key is not None:
            row_id = parse_key(child, key).row_id
            if row_id is None:
                raise bad_query("A reference is removed by the id of its row.")
            return row_id
        address = operation.address.option("$id")
        if address is None:
            raise bad_query("The query option $id is missing: which reference should be removed?")
        return self.writer.payloads.resolve(operation, address, (child.name,))[1]


def refused(operation: Operation, error: WebApiError) -> Answer:
    annotated = operation.preferences.wants(ANNOTATED_ERRORS)
    return Answer(error.status, error.body(annotated=annotated), dict(error.headers))
