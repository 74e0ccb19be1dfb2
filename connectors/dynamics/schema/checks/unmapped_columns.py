"""What a plan would overlook in silence: unmapped columns that may hold personal data."""

from collections.abc import Iterator
from typing import Final

from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute, Metadata

_MAY_HOLD_ANYTHING: Final = frozenset({"StringType", "MemoType", "FileType", "ImageType"})


def unaccounted_columns(mapping: Mapping, metadata: Metadata) -> tuple[str, ...]:
    """Return the organisation's own columns of mapped tables that may hold personal data and are in no
    mapping, as `table.column`: texts, files, images, and lookups to people. Columns that came with another
    one count with that one."""
    return tuple(sorted(f"{table.name}.{name}" for table in mapping.own for name in _unaccounted(table, mapping, metadata)))


def _unaccounted(table: Table, mapping: Mapping, metadata: Metadata) -> Iterator[str]:
    definition = metadata.table(table.name)
    known = mapping.used(table.name) | mapping.leading(table.name).keys()
    for attribute in definition.attributes.values() if definition is not None else ():
        if "_" in attribute.name and attribute.name not in known and not attribute.part_of and _may_be_personal(attribute):
            yield attribute.name


def _may_be_personal(attribute: Attribute) -> bool:
    return attribute.kind in _MAY_HOLD_ANYTHING or (attribute.kind in LOOKUP_TYPES and "contact" in attribute.targets)
