"""`EntityDefinitions`, `RelationshipDefinitions` and `GlobalOptionSetDefinitions`: the schema, read like
data. There is no paging, `MetadataId` is always included, and columns of a derived type are reached by a cast
segment."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
from odata_query import ast

from connectors.emulator.describing.definitions import CLASSES, TYPES, WITH_OPTIONS, Definitions, Document
from connectors.emulator.errors import NOT_FOUND, WebApiError, bad_query, bad_top, no_property, no_segment
from connectors.emulator.querying.filter_parser import parse_filter, plain
from connectors.emulator.querying.query import refuse_options
from connectors.emulator.request.exchange import Answer, Operation
from connectors.emulator.request.paths import NAMESPACE, Segment, split_outside
from connectors.emulator.schema.environment import Environment, Table
from connectors.emulator.schema.values import guid

METADATA_SETS = {  # and the privilege that reading each takes
    "EntityDefinitions": "prvReadEntity",
    "RelationshipDefinitions": "prvReadRelationship",
    "GlobalOptionSetDefinitions": "prvReadOptionSet",
}
_NESTED = {
    "Attributes": "AttributeMetadata",
    "Keys": "EntityKeyMetadata",
    "OneToManyRelationships": "OneToManyRelationshipMetadata",
    "ManyToOneRelationships": "OneToManyRelationshipMetadata",
    "ManyToManyRelationships": "ManyToManyRelationshipMetadata",
}
_RELATIONSHIPS = ("OneToManyRelationshipMetadata", "ManyToManyRelationshipMetadata")
_HIDDEN = {"OptionSet", "GlobalOptionSet", *_NESTED}  # given only when expanded

MOST_KEPT, LONGEST_KEPT = 1_000, 65_536  # answers, bytes
_ROOT = b"\0"  # in place of the service root in a kept answer: no JSON has this byte
_ANSWERS: dict[tuple[str, frozenset[str], str], bytes] = {}
_PROPERTIES: dict[tuple[str, str], set[str]] = {}  # of a metadata type, in an unaltered schema of that origin


class Metadata:
    """Answers GET on the schema of one environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.definitions = Definitions(environment)
        self._columns: dict[str, list[Document]] = {}
        self._properties: dict[str, set[str]] = {}
        self._generation = self._now

    def service_document(self, root: str) -> Answer:
        value = [
            {"name": t.set_name, "kind": "EntitySet", "url": t.set_name}
            for t in sorted(self.environment.tables.values(), key=lambda t: t.set_name)
        ]
        return Answer(200, msgspec.json.encode({"@odata.context": f"{root}$metadata", "value": value}))

    @cached_property
    def _tables(self) -> dict[str, Document]:
        return {table.name: self.definitions.table(table) for table in self.environment.tables.values()}

    @cached_property
    def _relationships(self) -> dict[str, Document]:
        many = {relation.name: self.definitions.many_to_many(relation) for relation in self.environment.many_to_many}
        return {relation.name: self.definitions.relationship(relation) for relation in self.environment.relationships} | many

    @cached_property
    def _global_choices(self) -> dict[str, Document]:
        return {
            name: {"@odata.type": f"#{NAMESPACE}OptionSetMetadata", **self.definitions.choice(name, name, shared=True)}
            for name in self.environment.choices
            if self.definitions.is_global(name)
        }

    def columns_of(self, table: Table) -> list[Document]:
        if table.name not in self._columns:
            columns = enumerate(table.columns.values(), start=1)
            self._columns[table.name] = [self.definitions.column(table, column, number) for number, column in columns]
        return self._columns[table.name]

    # -- dispatch --------------------------------------------------------------------------------------------

    @property
    def _now(self) -> tuple[int, int]:
        return self.environment.generation, len(self.environment.retaining)

    def _keep_up(self) -> None:
        """Forget documents of a schema that has been altered since."""
        if self._generation != self._now:
            for name in ("_tables", "_relationships", "_global_choices"):
                self.__dict__.pop(name, None)
            self._columns.clear()
            self._properties.clear()
            self._generation = self._now

    def answer(self, operation: Operation) -> Answer:
        """Return the answer. Organisations with the unaltered schema of the same file that retain the same
        tables share their answers."""
        if not self._is_shared:
            return self._answer(operation)
        environment = self.environment
        key, root = (environment.origin, frozenset(environment.retaining), operation.raw), operation.root.encode()
        known = _ANSWERS.get(key)
        if known is None:
            answer = self._answer(operation)
            if len(answer.body) <= LONGEST_KEPT:
                _keep(_ANSWERS, key, answer.body.replace(root, _ROOT))
            return answer
        return Answer(200, known.replace(_ROOT, root))

    @property
    def _is_shared(self) -> bool:
        """Whether others may have the same schema: it is as its file says."""
        return not self.environment.generation and bool(self.environment.origin)

    def _answer(self, operation: Operation) -> Answer:
        self._keep_up()
        segments, options = operation.address.segments, dict(operation.address.options)
        refuse_options(operation.address.options, {"$select", "$filter", "$expand", "$top", "$count", "LabelLanguages"})
        first = segments[0]
        if first.name == "EntityDefinitions":
            return self._entity_definitions(operation, segments, options)
        documents = self._relationships if first.name == "RelationshipDefinitions" else self._global_choices
        name_property = "SchemaName" if first.name == "RelationshipDefinitions" else "Name"
        rest = [s for s in segments[1:] if not s.name.startswith(NAMESPACE)]
        if rest:
            raise no_segment(rest[0].name)
        type_name = "RelationshipMetadataBase" if first.name == "RelationshipDefinitions" else "OptionSetMetadataBase"
        if first.key is None:
            wanted = list(documents.values())
            if segments[1:]:
                type_name = segments[-1].name.removeprefix(NAMESPACE)
                wanted = [document for document in wanted if document["@odata.type"] == f"#{NAMESPACE}{type_name}"]
            return self._many(operation, wanted, options, first.name, type_name)
        found = _keyed(first, list(documents.values()), name_property, first.name)
        return self._one(operation, found, options, first.name, type_name)

    def _entity_definitions(self, operation: Operation, segments: Sequence[Segment], options: dict[str, str]) -> Answer:
        first, rest = segments[0], segments[1:]
        if first.key is None:
            if rest:
                raise no_segment(rest[0].name)
            return self._many(operation, list(self._tables.values()), options, "EntityDefinitions", "EntityMetadata")
        found = _keyed(first, list(self._tables.values()), "LogicalName", "EntityMetadata")
        table = self.environment.tables[found["LogicalName"]]
        if not rest:
            return self._one(operation, found, options, "EntityDefinitions", "EntityMetadata")
        nested = rest[0]
        if nested.name not in _NESTED:
            raise no_segment(nested.name)
        context = f"EntityDefinitions('{table.name}')/{nested.name}"
        type_name = _NESTED[nested.name]
        documents = self._nested(table, nested.name)
        cast = next((s.name.removeprefix(NAMESPACE) for s in rest[1:] if s.name.startswith(NAMESPACE)), None)
        if cast is not None and cast not in CLASSES:
            raise no_segment(NAMESPACE + cast)
        if len(rest) > 1 + (cast is not None):
            raise no_segment(rest[-1].name)
        if cast is not None:
            documents = [document for document in documents if document["@odata.type"].endswith("." + cast)]
            type_name, context = cast, f"{context}/{NAMESPACE}{cast}"
        if nested.key is None:
            return self._many(operation, documents, options, context, type_name, table)
        name_property = "LogicalName" if nested.name in ("Attributes", "Keys") else "SchemaName"
        return self._one(operation, _keyed(nested, documents, name_property, type_name), options, context, type_name, table)

    def _nested(self, table: Table, name: str) -> list[Document]:
        if name == "Attributes":
            return self.columns_of(table)
        if name == "Keys":
            return self.definitions.keys(table)
        if name == "ManyToManyRelationships":
            return [self._relationships[relation.name] for relation in self.environment.many_to_many if relation.joins(table.name)]
        relations = table.children if name == "OneToManyRelationships" else table.parents
        return [self._relationships[relation.name] for relation in relations]

    # -- shaping ---------------------------------------------------------------------------------------------

    def _many(
        self,
        operation: Operation,
        documents: list[Document],
        options: dict[str, str],
        context: str,
        type_name: str,
        table: Table | None = None,
    ) -> Answer:
        value = self._shaped_list(documents, options, type_name, table)
        return self._document(operation, options, context, {"value": value})

    def _one(
        self, operation: Operation, document: Document, options: dict[str, str], context: str, type_name: str, table: Table | None = None
    ) -> Answer:
        refuse_options(options.items(), {"$select", "$expand", "LabelLanguages"})
        shaped = self._shaped(document, self._selected(options, type_name), options, type_name, table)
        return self._document(operation, options, context, shaped, "/$entity")

    @staticmethod
    def _document(operation: Operation, options: dict[str, str], context: str, content: Document, end: str = "") -> Answer:
        select = f"({options['$select']})" if "$select" in options else ""
        return Answer(200, msgspec.json.encode({"@odata.context": f"{operation.root}$metadata#{context}{select}{end}", **content}))

    def _shaped_list(self, documents: list[Document], options: dict[str, str], type_name: str, table: Table | None) -> list[Document]:
        if text := options.get("$filter"):
            tree = parse_filter(text, {})
            documents = [document for document in documents if _holds(tree, document, type_name)]
        if "$top" in options:
            if not re.fullmatch(r"[0-9]{1,9}", options["$top"]):
                raise bad_top(options["$top"])
            documents = documents[: int(options["$top"])]
        names = self._selected(options, type_name)
        return [self._shaped(document, names, options, type_name, table) for document in documents]

    def _shaped(
        self, document: Document, names: list[str] | None, options: dict[str, str], type_name: str, table: Table | None
    ) -> Document:
        """Return only what was selected (None: all), with what was expanded."""
        if names is not None:
            kept = ["@odata.type"] if type_name not in CLASSES else []
            shaped = {name: document[name] for name in [*kept, *names, "MetadataId"] if name in document and name not in _HIDDEN}
        else:
            shaped = {key: value for key, value in document.items() if key not in _HIDDEN}
            if type_name in _RELATIONSHIPS or type_name in CLASSES:
                shaped.pop("@odata.type", None)
        for item in split_outside(options.get("$expand", ""), ",") if options.get("$expand") else []:
            name, bracket, inside = item.strip().partition("(")
            nested = _options(inside.removesuffix(")")) if bracket else {}
            shaped[name] = self._expanded(document, name, nested, type_name, table)
        return shaped

    def _expanded(self, document: Document, name: str, options: dict[str, str], type_name: str, table: Table | None) -> Any:
        if type_name == "EntityMetadata" and name in _NESTED:
            owner = self.environment.tables[document["LogicalName"]]
            return self._shaped_list(self._nested(owner, name), options, _NESTED[name], owner)
        if name in ("OptionSet", "GlobalOptionSet") and type_name in CLASSES and table is not None:
            column = table.columns[document["LogicalName"]]
            if column.kind in WITH_OPTIONS:
                if name == "GlobalOptionSet" and not self.definitions.is_global(column.choice):
                    return None
                full = self.definitions.option_set(table, column)
                return (
                    {key: full[key] for key in ["MetadataId", *options["$select"].split(",")] if key in full}
                    if "$select" in options
                    else full
                )
        raise no_property(name, type_name)

    def _selected(self, options: dict[str, str], type_name: str) -> list[str] | None:
        """Return the properties that are selected; None where nothing is said of it."""
        if "$select" not in options:
            return None
        names = [name.strip() for name in options["$select"].split(",") if name.strip()]
        known = self._properties_of(type_name)
        for name in names:
            if name not in known:
                raise no_property(name, type_name)
        return names

    def _properties_of(self, type_name: str) -> set[str]:
        """Return the properties of a metadata type. It takes the documents of every column to know them,
        which organisations with the unaltered schema of the same file need not make each."""
        if not self._is_shared:
            if type_name not in self._properties:
                self._properties[type_name] = self._known_properties(type_name)
            return self._properties[type_name]
        key = (self.environment.origin, type_name)
        known = _PROPERTIES.get(key)
        if known is None:
            known = self._known_properties(type_name)
            _keep(_PROPERTIES, key, known)
        return known

    def _known_properties(self, type_name: str) -> set[str]:
        """Return the properties of a metadata type; a derived one has its own besides those of its base."""
        if type_name == "EntityMetadata":
            return set(next(iter(self._tables.values()))) | _HIDDEN
        if type_name in (*_RELATIONSHIPS, "RelationshipMetadataBase"):
            wanted = _RELATIONSHIPS if type_name == "RelationshipMetadataBase" else (type_name,)
            return {name for d in self._relationships.values() if d["@odata.type"].removeprefix(f"#{NAMESPACE}") in wanted for name in d}
        if type_name == "EntityKeyMetadata":
            return {
                "MetadataId",
                "LogicalName",
                "SchemaName",
                "EntityLogicalName",
                "KeyAttributes",
                "EntityKeyIndexStatus",
                "IsManaged",
                "DisplayName",
            }
        if type_name in ("OptionSetMetadataBase", "OptionSetMetadata"):
            return set(next(iter(self._global_choices.values()), {"MetadataId": 0, "Name": 0, "Options": 0}))
        kinds = {kind for kind, (_, _, metadata_class) in TYPES.items() if metadata_class == type_name}
        columns = [(d, c) for t in self.environment.tables.values() for d, c in zip(self.columns_of(t), t.columns.values(), strict=True)]
        base = set.intersection(*(set(document) for document, _ in columns))
        return base.union(*(set(document) for document, column in columns if column.kind in kinds))


def _keep(kept: dict[Any, Any], key: Any, value: Any) -> None:
    while len(kept) >= MOST_KEPT:
        kept.pop(next(iter(kept)), None)
    kept[key] = value


def _keyed(segment: Segment, documents: list[Document], name_property: str, type_name: str) -> Document:
    key = (segment.key or "").strip()
    if row_id := guid(key):
        found = next((d for d in documents if d["MetadataId"] == row_id), None)
    else:
        name, _, value = key.partition("=")
        if name.strip() != name_property or not (value.startswith("'") and value.endswith("'")):
            raise bad_query(f"The key in the request URI is not valid for resource '{NAMESPACE}{type_name}'.")
        found = next((d for d in documents if d[name_property] == value[1:-1]), None)
    if found is None:
        raise WebApiError(404, NOT_FOUND, f"Could not find the metadata of '{key}' in the MetadataCache.")
    return found


def _options(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for option in split_outside(text, ";"):
        key, _, value = option.strip().partition("=")
        if key not in ("$select", "$filter", "$expand", "$top"):
            raise bad_query(f"The query option '{key}' is not allowed in $expand.")
        found[key] = value
    return found


def _holds(node: Any, document: Document, type_name: str) -> bool:
    """Return whether a document meets a `$filter` on metadata: comparison and logic, no text functions."""
    if isinstance(node, ast.BoolOp):
        left, right = _holds(node.left, document, type_name), _holds(node.right, document, type_name)
        return (left and right) if isinstance(node.op, ast.And) else (left or right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _holds(node.operand, document, type_name)
    if isinstance(node, ast.Compare) and isinstance(node.comparator, ast.Eq | ast.NotEq):
        same = _operand(node.left, document, type_name) == _operand(node.right, document, type_name)
        return same if isinstance(node.comparator, ast.Eq) else not same
    raise bad_query("The query node is not supported on metadata: use eq and ne.")


def _operand(node: Any, document: Document, type_name: str) -> Any:
    if isinstance(node, ast.Null):
        return None
    if isinstance(node, ast.Boolean):
        return node.val.lower() == "true"
    if isinstance(node, ast.Integer):
        return int(node.val)
    if isinstance(node, ast.GUID):
        return node.val.lower()
    if isinstance(node, ast._Literal):
        return getattr(node, "val", None)
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, plain(node.attr))
        node = node.owner
    if not isinstance(node, ast.Identifier):
        raise bad_query("The query node is not supported on metadata: use eq and ne.")
    value: Any = document
    for name in [plain(node.name), *names]:
        if not isinstance(value, dict) or name not in value:
            raise no_property(name, type_name)
        value = value[name]
    return value
