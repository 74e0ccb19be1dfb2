"""Columns made, changed and removed: `EntityDefinitions(…)/Attributes`. Source: Microsoft Learn, "Create and
update column definitions using the Web API"."""

from dataclasses import replace

from connectors.emulator.describing.bodies import (
    DUPLICATE_COLUMN,
    PRIMARY_NAME,
    Document,
    described_by,
    labels_of,
    number_of,
    protect,
    refuse_in_use,
    refused,
    schema_name,
    type_of,
    value_of,
)
from connectors.emulator.describing.choice_writes import global_choice, options_of
from connectors.emulator.describing.definitions import BEHAVIOURS, TYPES, managed
from connectors.emulator.schema.alterations import AddColumns, Choice, DropColumns, SetColumn
from connectors.emulator.schema.environment import Column, Environment, Table, metadata_id
from connectors.emulator.schema.table_specs import companions

_MADE = ("string", "memo", "int", "bigint", "decimal", "double", "money", "bool", "datetime", "choice", "choices", "file", "image")
KINDS = {TYPES[kind][2]: kind for kind in _MADE}
_BEHAVIOURS = {name: kind for kind, name in BEHAVIOURS.items()}
_LEVELS = ("None", "Recommended", "ApplicationRequired", "SystemRequired")
_DEFAULT_LENGTHS = {"string": 100, "memo": 2000}
_LONGEST = {"string": 4000, "memo": 1_048_576}
_PRECISION = {"decimal": 10, "double": 5, "money": 4}
_KEPT = ("Format", "FormatName", "ImeMode", "DefaultValue", "DefaultFormValue", "MaxSizeInKB", "IsPrimaryImage", "CanStoreFullImage")


def new_columns(environment: Environment, table: str, document: Document) -> AddColumns:
    """Return a posted attribute as the columns that it makes, with its options and its description of itself.
    Raises WebApiError: 400 for a type that cannot be posted or a value that does not fit it."""
    name = schema_name(document, "column")
    kind = KINDS.get(type_of(document))
    if kind is None:
        if type_of(document) == "LookupAttributeMetadata":
            raise refused("Attribute of type Lookup cannot be created with CreateAttribute: create a one-to-many relationship.")
        raise refused(f"Attribute of type {type_of(document)[:60] or 'unknown'} cannot be created.")
    if kind == "datetime":
        kind = _behaviour(document)
    column = _limited(Column(name.lower(), kind, name, primary_name=bool(document.get("IsPrimaryName"))), document)
    choice, options = _options(environment, table, column, document)
    column = replace(column, choice=choice)
    described = described_by(environment, document, _properties(document, column), None, merge=False)
    choices: dict[str, Choice | None] = {choice: options} if options is not None else {}
    return AddColumns(table, (column, *companions(column)), describe={f"{table}.{column.name}": described}, choices=choices)


def add_column(environment: Environment, table: Table, document: Document) -> AddColumns:
    added = new_columns(environment, table.name, document)
    column = added.columns[0]
    if column.primary_name:
        raise refused(
            f"The {table.name} entity already has the {table.primary_name} attribute set as the primary name attribute.", "0x8004701e"
        )
    check_new(table, column.name)
    if column.kind == "image" and any(other.kind == "image" for other in table.columns.values()):
        added.describe[f"{table.name}.{column.name}"].properties["IsPrimaryImage"] = False  # type: ignore[union-attr]  # just described
    if column.kind == "money" and "transactioncurrencyid" not in table.columns:
        currency = Column("transactioncurrencyid", "lookup", "transactioncurrencyid", targets=("transactioncurrency",), system=True)
        rate = Column("exchangerate", "decimal", "exchangerate", system=True, writable=False)
        added = AddColumns(table.name, (*added.columns, currency, rate), describe=added.describe, choices=added.choices)
    return added


def check_new(table: Table, name: str) -> None:
    if name in table.columns:
        raise refused(
            f"Attribute with Name = {name}, AttributeId = {metadata_id(table.name, 'column', name)} already exists: an attribute with the "
            f"specified name already exists for the entity {table.name}.",
            DUPLICATE_COLUMN,
        )


def set_column(environment: Environment, table: Table, column: Column, document: Document, *, merge: bool) -> SetColumn:
    """Return a whole definition in place of a column's own. Its type and name stay as they are."""
    given = KINDS.get(type_of(document))
    same = column.kind == given or (given == "datetime" and column.kind in _BEHAVIOURS.values())
    if given is not None and not same:
        raise refused(f"Attribute {column.name}: the type of an attribute cannot be changed.")
    if "SchemaName" in document and str(document["SchemaName"]).lower() != column.schema_name.lower():
        raise refused(f"Attribute {column.name}: the name of an attribute cannot be changed.")
    changed = _limited(column, document)
    choices: dict[str, Choice | None] = {}
    if column.choice and isinstance(document.get("OptionSet"), dict) and "." in column.choice:
        _, options = _options(environment, table.name, column, document)
        choices = {column.choice: options}
    place = f"{table.name}.{column.name}"
    described = described_by(environment, document, _properties(document, changed), environment.described.get(place), merge=merge)
    return SetColumn(table.name, changed, describe={place: described}, choices=choices)


def drop_column(table: Table, column: Column) -> DropColumns:
    """Remove a column and those that came with it. Raises WebApiError: 400 for a column of the platform, the
    primary name, or one that an alternate key is made of."""
    if column.primary_name or column.key:
        raise refused("The Primary UI Attribute is not valid for deletion", PRIMARY_NAME)
    where = metadata_id(table.name, "column", column.name)
    protect(where, column.name, custom=is_custom(column), action="Delete")
    refuse_in_use(f"Attribute({where})", sum(column in columns for columns in table.alternate_keys.values()))
    names = (column.name, *(companion.name for companion in companions(column)))
    return DropColumns(table.name, names, choices=dict.fromkeys([column.choice] if "." in column.choice else []))


def is_custom(column: Column) -> bool:
    return "_" in column.name and not column.system


def _behaviour(document: Document) -> str:
    behaviour = value_of(document, "DateTimeBehavior", "UserLocal")
    if behaviour not in _BEHAVIOURS:
        raise refused(f"The DateTimeBehavior '{str(behaviour)[:40]}' is not valid.")
    return _BEHAVIOURS[behaviour]


def _limited(column: Column, document: Document) -> Column:
    """Return the column with the lengths, limits, requirement and security that the document gives it."""
    level = value_of(document, "RequiredLevel", "None")
    if level not in _LEVELS:
        raise refused(f"The RequiredLevel '{str(level)[:40]}' is not valid.")
    column = replace(column, required=level in ("ApplicationRequired", "SystemRequired") and not column.key)
    secured = document.get("IsSecured")
    column = replace(column, secured=secured if isinstance(secured, bool) else column.secured)
    if column.kind in _LONGEST:
        length = number_of(document, "MaxLength")
        length = (column.length or _DEFAULT_LENGTHS[column.kind]) if length is None else length
        if not 1 <= length <= _LONGEST[column.kind]:
            raise refused(f"The MaxLength of the attribute {column.name} must be between 1 and {_LONGEST[column.kind]}.")
        return replace(column, length=int(length), text_format=str(value_of(document, "FormatName", column.text_format)))
    if column.kind in ("int", *_PRECISION):
        low, high = number_of(document, "MinValue"), number_of(document, "MaxValue")
        low, high = column.minimum if low is None else low, column.maximum if high is None else high
        if low is not None and high is not None and low > high:
            raise refused(f"The MinValue of the attribute {column.name} is greater than its MaxValue.")
        column = replace(column, minimum=low, maximum=high)
    if column.kind in _PRECISION:
        precision = number_of(document, "Precision")
        if precision is not None and not 0 <= precision <= _PRECISION[column.kind]:
            raise refused(f"The Precision of the attribute {column.name} must be between 0 and {_PRECISION[column.kind]}.")
        column = replace(column, precision=column.precision if precision is None else int(precision))
    return column


def _properties(document: Document, column: Column) -> Document:
    """Return the properties that the definition shows again although no row depends on them."""
    kept: Document = {name: document[name] for name in _KEPT if document.get(name) is not None}
    if column.kind not in ("string", "memo"):
        kept.pop("FormatName", None)
    if (level := value_of(document, "RequiredLevel")) is not None:
        kept["RequiredLevel"] = managed(level, "canmodifyrequirementlevelsettings")
    audited = value_of(document, "IsAuditEnabled")
    if isinstance(audited, bool):
        kept["IsAuditEnabled"] = managed(audited, "canmodifyauditsettings")
    return kept


def _options(environment: Environment, table: str, column: Column, document: Document) -> tuple[str, Choice | None]:
    """Return the choice of a column's values: one of its own, with its options, or an existing one."""
    if column.kind not in ("choice", "choices", "bool"):
        return "", None
    bound = next((str(document[name]) for name in document if name.lower() == "globaloptionset@odata.bind"), None)
    if bound is not None:
        return global_choice(environment, bound), None
    given = document.get("OptionSet")
    own = f"{table}.{column.name}"
    if column.kind == "bool":
        return (own, _boolean(environment, given)) if isinstance(given, dict) else ("", None)
    if not isinstance(given, dict):
        raise refused(f"The attribute {column.name} needs an OptionSet.")
    if given.get("IsGlobal") and given.get("Name") in environment.choices:
        return str(given["Name"]), None
    return own, options_of(environment, given)


def _boolean(environment: Environment, given: Document) -> Choice:
    def label(name: str, default: str) -> dict[str, str]:
        option = given.get(name)
        return (labels_of(environment, option, "Label") if isinstance(option, dict) else None) or {environment.language: default}

    return {1: label("TrueOption", "Yes"), 0: label("FalseOption", "No")}
