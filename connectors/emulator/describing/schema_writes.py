"""The schema, written like data: tables, their columns and keys, relationships and choices.

What is refused changes nothing; what is done is there at once, without publishing. Source: Microsoft Learn,
"Create and update table definitions using the Web API"; the action `CreateEntities` as Microsoft's Python
client sends it."""

from collections.abc import Sequence
from dataclasses import replace

from connectors.emulator.conditions.stats import Stats
from connectors.emulator.describing import choice_writes, column_writes, relationship_writes
from connectors.emulator.describing.bodies import (
    DUPLICATE_COLUMN,
    DUPLICATE_NAME,
    Document,
    column_of,
    described_by,
    key_of,
    protect,
    refuse_in_use,
    refused,
    relationship_name,
    schema_name,
    table_of,
    value_of,
)
from connectors.emulator.errors import method_not_allowed, no_resource, no_segment
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.paths import NAMESPACE, Segment
from connectors.emulator.schema.alterations import AddTable, Alteration, Choice, Descriptions, DropKey, DropTable, SetTable
from connectors.emulator.schema.environment import POINTER, Column, Environment, Table, metadata_id, next_type_code
from connectors.emulator.schema.table_specs import plural, system_columns
from connectors.emulator.security.privileges_on_rows import Access
from connectors.emulator.storage import sql
from connectors.emulator.storage.database import Database
from connectors.emulator.storage.payload import read_json

CREATE_ENTITIES = "CreateEntities"
_OWNERSHIP = ("UserOwned", "OrganizationOwned")
_KEPT = ("HasNotes", "HasActivities", "HasFeedback", "IsDuplicateDetectionEnabled", "EntityColor")


class SchemaWriter:
    """Answers every request other than a GET on the sets of definitions, and the action `CreateEntities`."""

    def __init__(self, tables: Database, stats: Stats, access: Access) -> None:
        self.tables, self.stats, self.access = tables, stats, access

    @property
    def _environment(self) -> Environment:
        return self.tables.environment

    def answer(self, operation: Operation) -> Answer:
        """Carry out one write of the schema, whole or not at all."""
        self.access.require_named(operation, _privilege(operation))
        with self.tables.transaction():
            first, rest = operation.address.segments[0], operation.address.segments[1:]
            if first.name == CREATE_ENTITIES:
                return self._create_entities(operation)
            if first.name == "EntityDefinitions":
                return self._parts(operation, first, rest) if rest else self._tables(operation, first)
            if first.name == "RelationshipDefinitions" and not [s for s in rest if not s.name.startswith(NAMESPACE)]:
                return self._relationships(operation, first)
            if first.name == "GlobalOptionSetDefinitions" and not rest:
                return self._choices(operation, first)
            raise method_not_allowed(operation.method, first.name)

    def _make(self, kind: str, alteration: Alteration) -> Answer:
        self.stats.count(kind)
        self.tables.altering.make(alteration)
        return Answer(204)

    @staticmethod
    def _made(operation: Operation, path: str, metadata: str) -> Answer:
        return Answer(204, b"", {"OData-EntityId": f"{operation.root}{path}({metadata})"})

    @staticmethod
    def _merges(operation: Operation) -> bool:
        return operation.headers.get("mscrm.mergelabels", "").lower() == "true"

    # -- tables ----------------------------------------------------------------------------------------------

    def _create_entities(self, operation: Operation) -> Answer:
        if operation.method != "POST":
            raise no_resource(operation.root + operation.raw)
        entities = read_json(operation, CREATE_ENTITIES).get("Entities")
        if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
            raise refused("CreateEntities takes the collection 'Entities'.")
        for entity in entities:
            self._make("create", new_table(self._environment, entity))
        return Answer(204)

    def _tables(self, operation: Operation, segment: Segment) -> Answer:
        if segment.key is None:
            if operation.method != "POST":
                raise method_not_allowed(operation.method, segment.name)
            added = new_table(self._environment, read_json(operation, "EntityMetadata"))
            self._make("create", added)
            return self._made(operation, "EntityDefinitions", metadata_id(added.name))
        table = table_of(self._environment, segment.key)
        if operation.method == "PUT":
            document = read_json(operation, "EntityMetadata")
            return self._make("update", set_table(self._environment, table, document, merge=self._merges(operation)))
        if operation.method == "DELETE":
            return self._make("delete", drop_table(self._environment, table))
        raise method_not_allowed(operation.method, segment.name)

    # -- columns and keys ------------------------------------------------------------------------------------

    def _parts(self, operation: Operation, first: Segment, rest: Sequence[Segment]) -> Answer:
        table = table_of(self._environment, first.key)
        part = rest[0]
        if table.view or table.intersect:
            protect(metadata_id(table.name), table.name, custom=False, action="Update")
        if any(not segment.name.startswith(NAMESPACE) for segment in rest[1:]):
            raise no_segment(rest[-1].name)
        if part.name == "Attributes":
            return self._columns(operation, table, part)
        if part.name == "Keys":
            return self._keys(operation, table, part)
        raise method_not_allowed(operation.method, part.name)

    def _columns(self, operation: Operation, table: Table, segment: Segment) -> Answer:
        if segment.key is None and operation.method == "POST":
            added = column_writes.add_column(self._environment, table, read_json(operation, "AttributeMetadata"))
            self._make("create", added)
            return self._made(operation, _below(operation, segment), metadata_id(table.name, "column", added.columns[0].name))
        if segment.key is None:
            raise method_not_allowed(operation.method, segment.name)
        column = column_of(table, segment.key)
        if operation.method == "PUT":
            document, merge = read_json(operation, "AttributeMetadata"), self._merges(operation)
            return self._make("update", column_writes.set_column(self._environment, table, column, document, merge=merge))
        if operation.method == "DELETE":
            return self._make("delete", column_writes.drop_column(table, column))
        raise method_not_allowed(operation.method, segment.name)

    def _keys(self, operation: Operation, table: Table, segment: Segment) -> Answer:
        if segment.key is None and operation.method == "POST":
            document = read_json(operation, "EntityKeyMetadata")
            columns = relationship_writes.key_columns(table, document)
            added = relationship_writes.new_key(self._environment, table, document, is_unique=self._are_unique(table, columns))
            self._make("create", added)
            return self._made(operation, _below(operation, segment), metadata_id(table.name, "key", added.name))
        if segment.key is None or operation.method != "DELETE":
            raise method_not_allowed(operation.method, segment.name)
        return self._make("delete", DropKey(table.name, key_of(table, segment.key)))

    def _are_unique(self, table: Table, columns: tuple[str, ...]) -> bool:
        names = [sql.name(column) for column in columns]
        filled = [f"{name} IS NOT NULL" for name in names]
        statement = f"{sql.select(names, sql.name(table.name), filled)} GROUP BY {', '.join(names)} HAVING count(*) > 1 LIMIT 1"
        return self.tables.connection.execute(statement).fetchone() is None

    # -- relationships ---------------------------------------------------------------------------------------

    def _relationships(self, operation: Operation, segment: Segment) -> Answer:
        if segment.key is None:
            if operation.method != "POST":
                raise method_not_allowed(operation.method, segment.name)
            name, added = relationship_writes.new_relationship(self._environment, read_json(operation, "RelationshipMetadata"))
            self._make("create", added)
            return self._made(operation, "RelationshipDefinitions", metadata_id("relationship", name))
        name = relationship_name(self._environment, segment.key)
        if operation.method == "PUT":
            document = read_json(operation, "RelationshipMetadata")
            return self._make("update", relationship_writes.set_relationship(self._environment, name, document))
        if operation.method == "DELETE":
            return self._make("delete", relationship_writes.drop_relationship(self._environment, name))
        raise method_not_allowed(operation.method, segment.name)

    # -- choices ---------------------------------------------------------------------------------------------

    def _choices(self, operation: Operation, segment: Segment) -> Answer:
        if segment.key is None:
            if operation.method != "POST":
                raise method_not_allowed(operation.method, segment.name)
            name, added = choice_writes.new_choice(self._environment, read_json(operation, "OptionSetMetadata"))
            self._make("create", added)
            return self._made(operation, segment.name, metadata_id("optionset", name))
        name = choice_writes.global_choice(self._environment, segment.key)
        if operation.method == "PUT":
            document, merge = read_json(operation, "OptionSetMetadata"), self._merges(operation)
            return self._make("update", choice_writes.set_choice(self._environment, name, document, merge=merge))
        if operation.method == "DELETE":
            return self._make("delete", choice_writes.drop_choice(self._environment, name))
        raise method_not_allowed(operation.method, segment.name)


def _privilege(operation: Operation) -> str:
    """Return what the caller must be allowed to do; a key is a part of its table."""
    segments = operation.address.segments
    verb = {"POST": "Create", "DELETE": "Delete"}.get(operation.method, "Write")
    if segments[0].name == "RelationshipDefinitions":
        return f"prv{verb}Relationship"
    if segments[0].name == "GlobalOptionSetDefinitions":
        return f"prv{verb}OptionSet"
    part = segments[1].name if len(segments) > 1 else ""
    return f"prv{verb}Attribute" if part == "Attributes" else "prvWriteEntity" if part else f"prv{verb}Entity"


def _below(operation: Operation, segment: Segment) -> str:
    """Return the address of a column or key, with its table as the caller wrote it."""
    return f"EntityDefinitions({operation.address.segments[0].key})/{segment.name}"


def new_table(environment: Environment, document: Document) -> AddTable:
    """Return a posted table: its key, its primary name, its other columns and what every table has. Raises
    WebApiError: 400 when there is one of that name, or when it has no primary name."""
    schema = schema_name(document, "entity")
    name = schema.lower()
    set_name = str(document.get("EntitySetName") or plural(name))
    if name in environment.tables or set_name in environment.by_set:
        raise refused(f"An object with the specified name already exists: an entity with the name {name} already exists.", DUPLICATE_NAME)
    if document.get("IsActivity"):
        raise refused("The emulator makes no new activity tables.")
    ownership = document.get("OwnershipType") or "UserOwned"
    if ownership not in _OWNERSHIP:
        raise refused(f"The OwnershipType '{str(ownership)[:40]}' is not valid.")
    columns: dict[str, Column] = {f"{name}id": Column(f"{name}id", "guid", f"{schema}Id", key=True, system=True)}
    describe: Descriptions = {}
    choices: dict[str, Choice | None] = {}
    for attribute in document.get("Attributes") or []:
        if not isinstance(attribute, dict):
            raise refused("The property 'Attributes' takes a collection of AttributeMetadata.")
        added = column_writes.new_columns(environment, name, attribute)
        if added.columns[0].name in columns:
            raise refused(f"An attribute with the name {added.columns[0].name} already exists.", DUPLICATE_COLUMN)
        columns |= {column.name: column for column in added.columns}
        describe |= added.describe
        choices |= added.choices
    _mark_primary_name(columns, document)
    for column in system_columns():
        columns.setdefault(column.name, column)
    properties: Document = {key: document[key] for key in _KEPT if document.get(key) is not None}
    describe[name] = described_by(environment, document, properties, None, merge=False)
    return AddTable(
        name=name,
        schema_name=schema,
        set_name=set_name,
        columns=tuple(columns.values()),
        type_code=next_type_code(environment),
        ownership=ownership,
        audited=bool(value_of(document, "IsAuditEnabled", False)),
        change_tracking=bool(value_of(document, "ChangeTrackingEnabled", False)),
        looked_up_by=_lookups_to_anything(environment, document),
        describe=describe,
        choices=choices,
    )


def _mark_primary_name(columns: dict[str, Column], document: Document) -> None:
    named = str(document.get("PrimaryNameAttribute") or "").lower()
    primary = [c for c in columns.values() if c.primary_name or c.name == named]
    if len(primary) != 1 or primary[0].kind != "string":
        raise refused("A new entity needs exactly one primary name attribute, which is a string.")
    columns[primary[0].name] = replace(primary[0], primary_name=True)


def _lookups_to_anything(environment: Environment, document: Document) -> tuple[tuple[str, str], ...]:
    """Return the lookups that may point to this table. Notes and activities may be about its rows if it says
    so; some platform lookups lead to every table."""
    found: list[tuple[str, str]] = []
    for table in environment.tables.values():
        for column in table.columns.values():
            notes = table.name == "annotation" and column.name == "objectid" and document.get("HasNotes")
            activities = table.activity and column.name == "regardingobjectid" and document.get("HasActivities")
            if column.any_table or (column.polymorphic and (notes or activities)):
                found.append((table.name, column.name))
    return tuple(found)


def set_table(environment: Environment, table: Table, document: Document, *, merge: bool) -> SetTable:
    """Return a whole definition in place of a table's own: labels, audit and change tracking can change."""
    if "SchemaName" in document and str(document["SchemaName"]).lower() != table.schema_name.lower():
        raise refused("The name of an entity cannot be changed.")
    properties: Document = {key: document[key] for key in _KEPT if document.get(key) is not None}
    described = described_by(environment, document, properties, environment.described.get(table.name), merge=merge)
    audited = bool(value_of(document, "IsAuditEnabled", table.audited))
    tracked = bool(value_of(document, "ChangeTrackingEnabled", table.change_tracking))
    return SetTable(table.name, audited, tracked, describe={table.name: described})


def drop_table(environment: Environment, table: Table) -> DropTable:
    """Remove a table with its rows. Raises WebApiError: 400 for a table of the platform, or one that another
    table's lookup leads to."""
    where = metadata_id(table.name)
    removable = "_" in table.name and not (table.platform or table.intersect or table.activity or table.name == POINTER)
    protect(where, table.name, custom=removable, action="Delete")
    used = [r for r in table.children if r.child != table.name and len(environment.tables[r.child].columns[r.column].targets) == 1]
    refuse_in_use(f"Entity({where})", len(used))
    own: dict[str, Choice | None] = dict.fromkeys(
        name for name in environment.choices if name.partition(".")[0] == table.name and "." in name
    )
    return DropTable(table.name, choices=own)
