"""`RetrieveMetadataChanges`: the schema, or what of it changed since a stamp. A table changes with its
columns, keys and relationships, and is then given as a whole. `LabelQuery` is accepted; labels come in all
languages. Source: section 10.3 of the wire reference; Microsoft Learn, "Query schema definitions"."""

from collections.abc import Callable
from typing import Any

from connectors.emulator.describing.definition_versions import DefinitionVersions
from connectors.emulator.describing.definitions import WITH_OPTIONS, Definitions
from connectors.emulator.errors import bad_query, no_property
from connectors.emulator.messages.call import Call, literal
from connectors.emulator.request.exchange import Answer
from connectors.emulator.schema.environment import Table

Document = dict[str, Any]
ALWAYS = ("MetadataId", "LogicalName", "SchemaName", "HasChanged")
# property -> the part of the query that says which of them, and what about each
NESTED = {
    "Attributes": "AttributeQuery",
    "Keys": "KeyQuery",
    "OneToManyRelationships": "RelationshipQuery",
    "ManyToOneRelationships": "RelationshipQuery",
    "ManyToManyRelationships": "RelationshipQuery",
}
_OF_SOME_COLUMNS = (  # those of other kinds are asked for them in vain
    *("MaxLength", "Format", "FormatName", "ImeMode", "MinValue", "MaxValue", "Precision", "DateTimeBehavior", "OptionSet", "Targets"),
    *("DefaultValue", "DefaultFormValue", "MaxSizeInKB", "IsPrimaryImage", "CanStoreFullImage", "MaxHeight", "MaxWidth"),
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "NotEquals": lambda value, wanted: value != wanted,
    "In": lambda value, wanted: value in wanted,
    "NotIn": lambda value, wanted: value not in wanted,
}


def retrieve_metadata_changes(call: Call) -> Answer:
    call.access.require_named(call.operation, "prvReadEntity")
    query = _part(call.parameters, "Query")
    documents = _documents(call)
    versions = DefinitionVersions(call.tables)
    versions.refresh(documents)
    stamp = call.parameters.get("ClientVersionStamp")
    gone: list[str] = []
    if stamp is not None:
        since = versions.version_of(stamp)
        changed, gone = versions.changed_since(since), versions.gone_since(since)
        documents = {name: document for name, document in documents.items() if name in changed}
    deleted = {"Entity": {"Count": len(gone), "IsReadOnly": False, "Items": gone}} if gone else {}
    return call.answer(
        {
            "ServerVersionStamp": versions.stamp(),
            "EntityMetadata": _queried(list(documents.values()), query, query),
            "DeletedMetadata": {"Count": len(deleted), "IsReadOnly": False, "Keys": list(deleted), "Values": list(deleted.values())},
        }
    )


# -- the schema ----------------------------------------------------------------------------------------------


def _documents(call: Call) -> dict[str, Document]:
    definitions = Definitions(call.environment)
    return {table.name: _table(call, definitions, table) for table in call.environment.tables.values()}


def _table(call: Call, definitions: Definitions, table: Table) -> Document:
    columns = []
    for number, column in enumerate(table.columns.values(), start=1):
        document = {**definitions.column(table, column, number), "HasChanged": None}
        if column.kind in WITH_OPTIONS:
            document["OptionSet"] = definitions.option_set(table, column)
        columns.append(document)
    return {
        **definitions.table(table),
        "HasChanged": None,
        "Attributes": columns,
        "Keys": [{**key, "HasChanged": None} for key in definitions.keys(table)],
        "OneToManyRelationships": [definitions.relationship(relation) for relation in table.children],
        "ManyToOneRelationships": [definitions.relationship(relation) for relation in table.parents],
        "ManyToManyRelationships": [
            definitions.many_to_many(relation) for relation in call.environment.many_to_many if relation.joins(table.name)
        ],
    }


# -- the query -----------------------------------------------------------------------------------------------


def _queried(documents: list[Document], part: Document, query: Document) -> list[Document]:
    """Return the documents that a part of the query requests, each with the properties that it names."""
    criteria, wanted = _part(part, "Criteria"), _part(part, "Properties")
    found = [document for document in documents if _holds(criteria, document)]
    names = _list(wanted, "PropertyNames", str)
    return [_shaped(document, None if wanted.get("AllProperties") else names, query) for document in found]


def _shaped(document: Document, names: list[str] | None, query: Document) -> Document:
    """Return the document; `names` None means all properties."""
    shaped = {name: document[name] for name in document if name == "@odata.type" or name in ALWAYS or names is None or name in names}
    for name in names or ():
        if name not in document and name not in _OF_SOME_COLUMNS:
            raise no_property(name[:100], "EntityMetadata")
    for name, part in NESTED.items():
        if name in shaped:
            shaped[name] = _queried(shaped[name], _part(query, part) or {"Properties": {"AllProperties": True}}, {})
    return shaped


def _part(document: Document, name: str) -> Document:
    """Return an object inside the query; one that is absent or null is empty."""
    value = document.get(name)
    if value is not None and not isinstance(value, dict):
        raise bad_query(f"'{name}' takes an object.")
    return value or {}


def _list(document: Document, name: str, kind: type) -> list[Any]:
    value = document.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise bad_query(f"'{name}' takes an array.")
    return value


def _holds(criteria: Document, document: Document) -> bool:
    """Return whether a document meets a MetadataFilterExpression: conditions and filters with And or Or."""
    conditions, filters = _list(criteria, "Conditions", dict), _list(criteria, "Filters", dict)
    results = [_condition(each, document) for each in conditions] + [_holds(each, document) for each in filters]
    return any(results) if criteria.get("FilterOperator") == "Or" and results else all(results)


def _condition(condition: Document, document: Document) -> bool:
    name, operator = str(condition.get("PropertyName")), str(condition.get("ConditionOperator"))
    if name not in document:
        raise no_property(name[:100], "EntityMetadata")
    if operator not in _OPERATORS:
        raise bad_query(f"The ConditionOperator '{operator[:60]}' is none of {', '.join(_OPERATORS)}.")
    wanted = condition.get("Value")
    wanted = wanted.get("Value") if isinstance(wanted, dict) else wanted
    if operator in ("In", "NotIn"):
        wanted = literal(wanted) if isinstance(wanted, str) else wanted  # a list, or one written as text
        if not isinstance(wanted, list):
            raise bad_query(f"The ConditionOperator '{operator}' takes a list.")
    value = document[name]
    return _OPERATORS[operator](value["Value"] if isinstance(value, dict) and "Value" in value else value, wanted)
