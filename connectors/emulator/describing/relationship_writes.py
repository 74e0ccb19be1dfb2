"""Relationships and alternate keys made, changed and removed: `RelationshipDefinitions` and
`EntityDefinitions(…)/Keys`. Source: Microsoft Learn, "Create and update table relationships using the Web
API" and "Define alternate keys for a table"; section 10.2 of the wire reference."""

from dataclasses import replace

from connectors.emulator.describing.bodies import (
    DUPLICATE_NAME,
    SECOND_PARENT,
    Document,
    described_by,
    labels_of,
    protect,
    refused,
    schema_name,
    type_of,
    value_of,
)
from connectors.emulator.describing.column_writes import check_new, is_custom
from connectors.emulator.schema.alterations import (
    AddColumns,
    AddKey,
    AddManyToMany,
    Alteration,
    DropColumns,
    DropManyToMany,
    SetRelationship,
)
from connectors.emulator.schema.environment import Column, Described, Environment, Relationship, Table, metadata_id, next_type_code
from connectors.emulator.schema.many_to_many import read_relation

_ON_DELETE = {"Cascade": "cascade", "RemoveLink": "remove_link", "Restrict": "restrict"}
_CASCADES = ("Assign", "Archive", "Merge", "Reparent", "Share", "Unshare", "RollupView")
_CASCADE_TYPES = ("NoCascade", "Cascade", "Active", "UserOwned", "RemoveLink", "Restrict")
_KEY_KINDS = ("string", "int", "decimal", "date", "datetime", "datetime_tzi", "lookup", "choice")
MAX_KEYS = 10
MAX_KEY_COLUMNS = 16


def new_relationship(environment: Environment, document: Document) -> tuple[str, Alteration]:
    """Return a posted relationship: its schema name, and the change that makes it."""
    name = schema_name(document, "relationship")
    taken = [*(r.name for r in environment.relationships), *(r.name for r in environment.many_to_many)]
    if any(name.lower() == other.lower() for other in taken):
        raise refused(f"An object with the specified name already exists: a relationship named {name}.", DUPLICATE_NAME)
    if type_of(document) == "ManyToManyRelationshipMetadata":
        return name, _many_to_many(environment, name, document)
    if type_of(document) == "OneToManyRelationshipMetadata":
        return name, _one_to_many(environment, name, document)
    raise refused(f"A relationship of type {type_of(document)[:60] or 'unknown'} cannot be created.")


def _one_to_many(environment: Environment, name: str, document: Document) -> AddColumns:
    parent, child = _table(environment, document, "ReferencedEntity"), _table(environment, document, "ReferencingEntity")
    lookup = document.get("Lookup")
    if not isinstance(lookup, dict):
        raise refused(f"The relationship {name} needs a Lookup: the attribute that is made for it.")
    column_name = schema_name(lookup, "column")
    check_new(child, column_name.lower())
    required = value_of(lookup, "RequiredLevel") in ("ApplicationRequired", "SystemRequired")
    column = Column(column_name.lower(), "lookup", column_name, targets=(parent.name,), required=required)
    on_delete, cascades = _cascades(document.get("CascadeConfiguration"), "remove_link", {})
    if _parental(on_delete, cascades):
        _check_only_parent(environment, child, parent)
    relation = Relationship(name, parent.name, child.name, column.name, on_delete)
    describe: dict[str, Described | None] = {
        f"{child.name}.{column.name}": described_by(environment, lookup, {}, None, merge=False),
        name: Described({}, {"CascadeConfiguration": cascades}),
    }
    return AddColumns(child.name, (column,), relation, describe=describe)


def _many_to_many(environment: Environment, name: str, document: Document) -> AddManyToMany:
    one, two = _table(environment, document, "Entity1LogicalName"), _table(environment, document, "Entity2LogicalName")
    intersect_name = str(document.get("IntersectEntityName") or name)
    if intersect_name.lower() in environment.tables:
        raise refused(f"An object with the specified name already exists: an entity named {intersect_name}.", DUPLICATE_NAME)
    spec = {
        "name": name,
        "one": one.name,
        "two": two.name,
        "intersect": intersect_name.lower(),
        "one_navigation": document.get("Entity1NavigationPropertyName") or name,
        "two_navigation": document.get("Entity2NavigationPropertyName") or name,
    }
    try:
        relation = read_relation(spec, lambda table: environment.tables[table].key)
    except ValueError as problem:
        raise refused(str(problem)) from problem
    return AddManyToMany(relation, f"{relation.intersect}set", intersect_name, next_type_code(environment))


def set_relationship(environment: Environment, name: str, document: Document) -> SetRelationship:
    """Return another cascade for a 1:N relationship."""
    relation = next((r for r in environment.relationships if r.name == name), None)
    if relation is None:
        raise refused(f"The relationship {name} has nothing that can be changed.")
    described = environment.described.get(name) or Described()
    before = described.properties.get("CascadeConfiguration") or {}
    on_delete, cascades = _cascades(document.get("CascadeConfiguration"), relation.on_delete, before)
    described = Described(described.labels, {**described.properties, "CascadeConfiguration": cascades})
    return SetRelationship(replace(relation, on_delete=on_delete, implied=False), describe={name: described})


def drop_relationship(environment: Environment, name: str) -> Alteration:
    """Return the removal of a relationship: of its lookup if it is 1:N, of its pairs if it is N:N."""
    where = metadata_id("relationship", name)
    if any(relation.name == name for relation in environment.many_to_many):
        intersect = next(relation.intersect for relation in environment.many_to_many if relation.name == name)
        protect(where, name, custom="_" in intersect, action="Delete")
        return DropManyToMany(name)
    relation = next(relation for relation in environment.relationships if relation.name == name)
    column = environment.tables[relation.child].columns[relation.column]
    protect(where, name, custom=is_custom(column) and not column.polymorphic, action="Delete")
    return DropColumns(relation.child, (column.name,), describe={name: None})


def new_key(environment: Environment, table: Table, document: Document, *, is_unique: bool) -> AddKey:
    """Return a posted alternate key. `is_unique`: no two existing rows have the same values; otherwise its
    index fails."""
    name = schema_name(document, "key")
    if any(name.lower() == known.lower() for known in (*table.alternate_keys, *table.failed_keys)):
        raise refused(f"An object with the specified name already exists: an entity key named {name}.", DUPLICATE_NAME)
    if len(table.alternate_keys) >= MAX_KEYS:
        raise refused(f"The entity {table.name} cannot have more than {MAX_KEYS} entity keys.")
    labels = labels_of(environment, document, "DisplayName")
    described: dict[str, Described | None] = {f"{table.name}.{name.lower()}": Described({"DisplayName": labels}, {})} if labels else {}
    return AddKey(table.name, name, key_columns(table, document), is_unique, describe=described)


def key_columns(table: Table, document: Document) -> tuple[str, ...]:
    """Return the columns of a posted key. Raises WebApiError: 400 for none, too many, or one that a key
    cannot be made of."""
    names = document.get("KeyAttributes")
    if not isinstance(names, list) or not names or len(names) > MAX_KEY_COLUMNS:
        raise refused(f"An entity key has between 1 and {MAX_KEY_COLUMNS} attributes.")
    for each in names:
        column = table.columns.get(str(each))
        if column is None or column.kind not in _KEY_KINDS:
            raise refused(f"The attribute '{str(each)[:60]}' cannot be part of a key of the entity {table.name}.")
    return tuple(map(str, names))


def _table(environment: Environment, document: Document, name: str) -> Table:
    table = environment.tables.get(str(document.get(name)))
    if table is None or table.view or table.intersect:
        raise refused(f"The property '{name}' names no table that can be related: '{str(document.get(name))[:60]}'.")
    return table


def _cascades(given: object, on_delete: str, before: Document) -> tuple[str, Document]:
    configuration = given if isinstance(given, dict) else {}
    shown = {kind: configuration.get(kind) or before.get(kind) or "NoCascade" for kind in _CASCADES}
    names = {value: key for key, value in _ON_DELETE.items()}
    delete = configuration.get("Delete") or names.get(on_delete, "NoCascade")
    if delete not in _ON_DELETE and delete != names.get(on_delete, "NoCascade"):
        raise refused("The cascade of Delete must be Cascade, RemoveLink or Restrict.")
    if not all(value in _CASCADE_TYPES for value in shown.values()):
        raise refused("A cascade is one of " + ", ".join(_CASCADE_TYPES) + ".")
    return _ON_DELETE.get(delete, on_delete), {**shown, "Delete": delete}


def _parental(on_delete: str, cascades: Document) -> bool:
    return on_delete == "cascade" or any(
        cascades.get(kind) not in (None, "NoCascade") for kind in ("Assign", "Share", "Unshare", "Reparent")
    )


def _check_only_parent(environment: Environment, child: Table, parent: Table) -> None:
    for relation in child.parents:
        described = environment.described.get(relation.name) or Described()
        if not relation.implied and _parental(relation.on_delete, described.properties.get("CascadeConfiguration", {})):
            raise refused(
                f"Entity: {child.name} is parented to Entity with name {relation.parent}. Cannot create another parental relation with "
                f"Entity: {parent.name}",
                SECOND_PARENT,
            )
