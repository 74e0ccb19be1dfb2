"""Definitions as clients post them: names, labels, managed properties, and what is refused about them.
Source: Microsoft Learn, "Create and update table definitions using the Web API" and "Web service error
codes"."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from connectors.emulator.errors import INVALID_ARGUMENT, NOT_FOUND, WebApiError
from connectors.emulator.request import paths
from connectors.emulator.schema.environment import Column, Described, Environment, Labels, Table, metadata_id

DUPLICATE_NAME = "0x80047010"
DUPLICATE_COLUMN = "0x80047013"
IN_USE = "0x8004f01f"
MANAGED = "0x8004f032"
PRIMARY_NAME = "0x80047002"
SECOND_PARENT = "0x80047007"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]{1,90}")  # a publisher's prefix, then the name
_LABELS = ("DisplayName", "DisplayCollectionName", "Description")

Document = dict[str, Any]
T = TypeVar("T")


def refused(message: str, code: str = INVALID_ARGUMENT) -> WebApiError:
    return WebApiError(400, code, message)


def type_of(document: Document) -> str:
    """Return the last part of `@odata.type`, without the `Complex` of the types that actions take."""
    return paths.type_of(document).removeprefix("Complex")


def schema_name(document: Document, what: str) -> str:
    """Return the name of something new. Raises WebApiError: 400 without one or without prefix."""
    name = document.get("SchemaName")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower().startswith("mscrm"):
        raise refused(
            f"The schema name '{str(name)[:60]}' of the {what} is invalid or missing. Custom schema names must start with a valid "
            "customization prefix and hold only letters, digits and underscores."
        )
    return name


def value_of(document: Document, name: str, default: Any = None) -> Any:
    """Return a property, also one that comes as a managed property or as `{"Value": …}`."""
    value = document.get(name)
    if isinstance(value, dict) and "Value" in value:
        value = value["Value"]
    return default if value is None else value


def number_of(document: Document, name: str) -> float | None:
    value = document.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise refused(f"The property '{name}' takes a number.")
    return value


def labels_of(environment: Environment, document: Document, name: str) -> Labels | None:
    """Return the texts of a Label by the key of their language; None where it was not given. Raises
    WebApiError: 400 for a language that the organisation does not have."""
    label = document.get(name)
    if label is None:
        return None
    entries = label.get("LocalizedLabels") if isinstance(label, dict) else None
    if not isinstance(entries, list):
        raise refused(f"The property '{name}' takes a Label with LocalizedLabels.")
    keys = {code: key for key, code in environment.languages.items()}
    found: Labels = {}
    for entry in entries:
        code, text = (entry.get("LanguageCode"), entry.get("Label")) if isinstance(entry, dict) else (None, None)
        if code not in keys:
            raise refused(f"The language code {code} is not a valid language for this organization.")
        if isinstance(text, str) and text:
            found[keys[code]] = text
    return found


def described_by(environment: Environment, document: Document, properties: Document, before: Described | None, *, merge: bool) -> Described:
    """Return what a document says of a part of the schema; `merge` keeps labels in other languages."""
    labels = dict(before.labels) if before else {}
    for name in _LABELS:
        given = labels_of(environment, document, name)
        if given is not None:
            labels[name] = {**labels.get(name, {}), **given} if merge else given
    return Described(labels, {**(before.properties if before else {}), **properties})


def table_of(environment: Environment, key: str | None) -> Table:
    """Return the table that the key of an `EntityDefinitions` segment means."""
    return _meant(key, "LogicalName", ((table, table.name, metadata_id(table.name)) for table in environment.tables.values()))


def column_of(table: Table, key: str | None) -> Column:
    return _meant(key, "LogicalName", ((each, each.name, metadata_id(table.name, "column", each.name)) for each in table.columns.values()))


def key_of(table: Table, key: str | None) -> str:
    names = (*table.alternate_keys, *table.failed_keys)
    return _meant(key, "LogicalName", ((name, name.lower(), metadata_id(table.name, "key", name)) for name in names))


def relationship_name(environment: Environment, key: str | None) -> str:
    names = [*(each.name for each in environment.relationships), *(each.name for each in environment.many_to_many)]
    return _meant(key, "SchemaName", ((name, name.lower(), metadata_id("relationship", name)) for name in names))


def _meant(key: str | None, property_name: str, known: Iterable[tuple[T, str, str]]) -> T:
    """Return the one of what is known, each with its name and its id, that a key means by either. Raises
    WebApiError: 404 for none."""
    text = (key or "").strip()
    name, _, value = text.partition("=")
    if name.strip() == property_name:
        text = value.strip().strip("'")
    wanted = text.strip("{}").lower()
    for each, *called in known:
        if wanted in called:
            return each
    raise WebApiError(404, NOT_FOUND, f"Could not find the metadata of '{wanted}' in the MetadataCache.")


def refuse_in_use(component: str, number: int) -> None:
    """Refuse to remove what others refer to. Raises WebApiError: 400 `0x8004f01f`."""
    if number:
        raise refused(
            f"The {component} component cannot be deleted because it is referenced by {number} other components. For a list of referenced "
            "components, use the RetrieveDependenciesForDeleteRequest.",
            IN_USE,
        )


def protect(what: str, name: str, *, custom: bool, action: str) -> None:
    """Refuse to change what the platform brought along. Raises WebApiError: 400 `0x8004f032`."""
    if not custom:
        message = f"The '{action}' operation on the current component(name='{name}', id='{what}') failed during managed property evaluation"
        raise refused(f"{message} of condition: 'Managed Property Name: iscustomizable; Attribute Name: iscustomizable'", MANAGED)
