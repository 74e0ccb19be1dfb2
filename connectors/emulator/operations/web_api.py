"""From an address to what answers it. Everything here is one operation, alone or inside a batch."""

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from connectors.emulator.background.bulk_delete_jobs import BulkDeleteJobs
from connectors.emulator.background.retention_policies import RetentionPolicies
from connectors.emulator.conditions.stats import Stats
from connectors.emulator.describing.csdl import csdl
from connectors.emulator.describing.metadata import METADATA_SETS, Metadata
from connectors.emulator.describing.schema_writes import CREATE_ENTITIES, SchemaWriter
from connectors.emulator.errors import WebApiError, bad_query, method_not_allowed, no_resource, no_segment
from connectors.emulator.messages.call import Call, function_parameters
from connectors.emulator.messages.registry import (
    ACTIONS,
    ACTIONS_ON_ROW,
    ACTIONS_ON_SET,
    FUNCTIONS,
    FUNCTIONS_ON_ROW,
    Message,
)
from connectors.emulator.operations.collection import Collections
from connectors.emulator.operations.lookup import Lookups
from connectors.emulator.operations.properties import Properties
from connectors.emulator.operations.rows import Rows
from connectors.emulator.querying.pages import Reader
from connectors.emulator.querying.query import refuse_options
from connectors.emulator.request.exchange import Answer, Operation, refused
from connectors.emulator.request.faults import Fault, alter_rows, status_answer
from connectors.emulator.request.paths import MAX_URL_IN_BATCH, NAMESPACE, Segment, parse_address, parse_key
from connectors.emulator.request.preferences import ERROR_DETAILS, parse_preferences
from connectors.emulator.schema.environment import Table
from connectors.emulator.security.admission import Gate
from connectors.emulator.storage.database import Database
from connectors.emulator.storage.payload import read_json, referenced
from connectors.emulator.storage.remains.recycle_bin import RecycleBin
from connectors.emulator.storage.writes import Writer

_UNSAFE = re.compile(r"[/<>*%&:\\?+]")  # the front end refuses these in a path, encoded or not; `$filter` is the way out

_MAY_BECOME_DUE = "SELECT EXISTS (SELECT 1 FROM _jobs) OR EXISTS (SELECT 1 FROM retentionconfig)"


class WebApi:
    """One organisation's Web API, without the HTTP around it. The caller holds the lock of the tables."""

    def __init__(self, tables: Database, stats: Stats) -> None:
        self.tables = tables
        self.environment = tables.environment
        self.stats = stats
        self.gate = Gate(tables)
        self.access = self.gate.access
        self.metadata = Metadata(self.environment)
        self.schema = SchemaWriter(tables, stats, self.access)
        self.reader = Reader(tables, self.gate)
        self.writer = Writer(tables)
        self.rows = Rows(self.reader, self.writer, stats)
        self.properties = Properties(self.reader, self.writer, stats)
        self.lookups = Lookups(self.reader, self.writer, stats)
        self.collections = Collections(self.reader, self.writer, stats, self.rows)
        self.recycle_bin = RecycleBin(tables)
        self.jobs = BulkDeleteJobs(tables, stats, self.gate)
        self.retention = RetentionPolicies(tables, self.gate)
        self._idle: object = None  # the `changes` of the tables up to which there was nothing to become due

    def run_due(self) -> None:
        """Bring what the organisation does by itself to where its clock says it is."""
        changes = self.tables.changes
        if changes == self._idle:
            return
        if not self.tables.connection.execute(_MAY_BECOME_DUE).fetchone()[0]:
            self._idle = changes
            return
        self.jobs.run_due()
        self.retention.run_due()

    def run(self, operation: Operation, faults: list[Fault] | None = None) -> Answer:
        """Do one operation; a refusal is an answer too."""
        try:
            answer = self._run(operation, faults or [])
        except WebApiError as error:
            return self._refused(operation, error)
        except (sqlite3.Error, OverflowError, RecursionError, UnicodeError) as problem:
            return self._refused(operation, WebApiError(500, "0x80044150", f"Generic SQL error: {type(problem).__name__}."))
        if operation.preferences.applied and answer.status < 300:
            answer.headers["Preference-Applied"] = ", ".join(operation.preferences.applied)
        return answer

    def _refused(self, operation: Operation, error: WebApiError) -> Answer:
        annotated = operation.preferences.wants(ERROR_DETAILS)
        return refused(error, annotated=annotated, inner=self.tables.switches.inner_errors)

    def _run(self, operation: Operation, faults: list[Fault]) -> Answer:
        operation.preferences = parse_preferences(operation.headers.get("prefer"))
        operation.alter = alter_rows(faults)
        self.recycle_bin.purge()
        for fault in faults:
            if fault.kind == "status":
                return status_answer(fault)
        self.gate.enter(operation)
        if operation.in_batch and len(operation.raw) > MAX_URL_IN_BATCH:
            raise WebApiError(414, "", "The request URI is too long.")
        if operation.raw.startswith("$") and operation.raw[1:2].isalnum() and not operation.raw.startswith(("$metadata", "$batch")):
            operation.raw = referenced(operation, operation.raw).removeprefix(operation.root)
        try:
            operation.address = parse_address(operation.raw)
        except UnicodeDecodeError as problem:
            raise bad_query("The request URI is not valid UTF-8.") from problem
        return self._addressed(operation, operation.address.segments, faults)

    def _addressed(self, operation: Operation, segments: Sequence[Segment], faults: list[Fault]) -> Answer:
        if not segments:
            self._only_read(operation, "the service document")
            return self._counted(self.metadata.service_document(operation.root))
        first = segments[0]
        if first.name == "$metadata":
            self._only_read(operation, "$metadata")
            document = csdl(self.environment, annotations=operation.address.option("annotations") == "true")
            return self._counted(Answer(200, document, content_type="application/xml"))
        if first.name == CREATE_ENTITIES or (first.name in METADATA_SETS and operation.method != "GET"):
            return self.schema.answer(operation)
        if first.name in METADATA_SETS:
            self.access.require_named(operation, METADATA_SETS[first.name])
            return self._counted(self.metadata.answer(operation))
        if first.name in FUNCTIONS:
            return self._function(operation, first, FUNCTIONS[first.name])
        if first.name in ACTIONS:
            return self._action(operation, first, ACTIONS[first.name])
        table = self.environment.by_set.get(first.name)
        if table is None:
            raise no_segment(first.name)
        if first.key is None:
            return self._set(operation, table, segments[1:])
        return self._row(operation, table, first.key, segments[1:], faults)

    def _counted(self, answer: Answer) -> Answer:
        self.stats.count("read")
        return answer

    @staticmethod
    def _only_read(operation: Operation, what: str) -> None:
        if operation.method != "GET":
            raise method_not_allowed(operation.method, what)

    # -- messages --------------------------------------------------------------------------------------------

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

    def _action_on_set(self, name: str) -> Message | None:
        return ACTIONS_ON_SET.get(name.removeprefix(NAMESPACE)) if self.tables.switches.bulk_messages else None

    # -- sets, rows, and what is below a row ---------------------------------------------------------------

    def _set(self, operation: Operation, table: Table, rest: Sequence[Segment]) -> Answer:
        if rest:
            if rest[0].name == "$count" and len(rest) == 1 and operation.method == "GET":
                return self.rows.count(operation, table)
            if message := self._action_on_set(rest[0].name):
                return self._action(operation, rest[0], message, table)
            raise no_segment(rest[0].name)
        if operation.method == "GET":
            return self.rows.page(operation, table)
        if operation.method == "POST":
            return self.rows.create(operation, table)
        raise self._not_on_a_set(operation.method, table)

    def _not_on_a_set(self, method: str, table: Table) -> WebApiError:
        refusal = method_not_allowed(method, table.set_name)
        if method in ("DELETE", "PATCH"):
            refusal.status = self.tables.switches.delete_on_set_status
        return refusal

    def _row(self, operation: Operation, table: Table, key_text: str, rest: Sequence[Segment], faults: list[Fault]) -> Answer:
        if not operation.in_batch and _UNSAFE.search(key_text):
            raise bad_query("A potentially dangerous Request.Path value was detected from the client.")
        addressed = self.rows.find(table, parse_key(table, key_text))
        if addressed.exists and any(fault.kind == "change_row" for fault in faults):
            self.tables.touch(table, addressed.row_id)
            addressed = self.rows.find(table, addressed.key)
        if rest:
            addressed.check_exists()
            if operation.method == "GET":
                self.access.require(operation, "Read", table, addressed.row_id)
            return self._below(operation, table, addressed.row_id, addressed.version, rest)
        if operation.method == "GET":
            return self.rows.retrieve(operation, addressed)
        if operation.method == "PATCH":
            return self.rows.patch(operation, addressed)
        if operation.method == "DELETE":
            return self.rows.delete(operation, addressed, pretend=any(fault.kind == "keep_row" for fault in faults))
        raise method_not_allowed(operation.method, table.name)

    def _below(self, operation: Operation, table: Table, row_id: str, version: int, rest: Sequence[Segment]) -> Answer:
        first, tail = rest[0], [segment.name for segment in rest[1:]]
        if column := table.by_wire.get(first.name):
            if first.key is None and tail in ([], ["$value"]):
                return self.properties.answer(operation, table, row_id, version, column, value=bool(tail))
        elif navigation := table.navigations.get(first.name):
            if first.key is None and tail in ([], ["$ref"]):
                return self.lookups.answer(operation, table, row_id, version, navigation, reference=bool(tail))
        elif collection := table.collections.get(first.name) or table.peers.get(first.name):
            if tail in ([], ["$ref"], ["$count"]):
                return self.collections.answer(operation, table, row_id, collection, first.key, tail)
        elif function := FUNCTIONS_ON_ROW.get(first.name.removeprefix(NAMESPACE)):
            return self._function(operation, first, function, table, row_id)
        elif action := ACTIONS_ON_ROW.get(first.name.removeprefix(NAMESPACE)):
            return self._action(operation, first, action, table, row_id)
        else:
            raise no_segment(first.name)
        raise no_segment(rest[-1].name)
