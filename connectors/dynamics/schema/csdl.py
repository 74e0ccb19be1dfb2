"""The key of an entity set, from a service's own description (OData CSDL XML 4.0, sections 8.2 and 13.2)."""

from xml.etree import ElementTree

MAX_BYTES = 100_000_000  # Dataverse's own is a tenth of that


class SchemaBroken(Exception):
    """The description is not XML, or is XML that is not accepted from strangers."""


def key_of(schema: bytes, set_name: str) -> list[str]:
    """Return the names of the columns that together are the key of the set's type; none where the description
    does not name them. Document types are refused, since their entities can grow without bound. Raises
    SchemaBroken: it cannot be read."""
    if b"\0" in schema or b"<!" in schema.replace(b"<!--", b"") or len(schema) > MAX_BYTES:
        raise SchemaBroken
    try:
        root = ElementTree.fromstring(schema)
    except (ElementTree.ParseError, ValueError, LookupError):  # the last two: an encoding that nobody knows
        raise SchemaBroken from None
    types = _types(root)
    set_type = next((each.get("EntityType", "") for each in root.iter() if _is(each, "EntitySet") and each.get("Name") == set_name), "")
    seen: set[str] = set()
    while set_type in types and set_type not in seen:
        seen.add(set_type)
        found = types[set_type]
        if keys := [each.get("Name", "") for key in found if _is(key, "Key") for each in key if _is(each, "PropertyRef")]:
            return keys
        set_type = found.get("BaseType", "")
    return []


def _types(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Return the entity types by their full name, and by that with the alias of their schema."""
    found: dict[str, ElementTree.Element] = {}
    for schema in root.iter():
        if _is(schema, "Schema"):
            for each in schema:
                if _is(each, "EntityType"):
                    for space in filter(None, (schema.get("Namespace"), schema.get("Alias"))):
                        found[f"{space}.{each.get('Name', '')}"] = each
    return found


def _is(element: ElementTree.Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name
