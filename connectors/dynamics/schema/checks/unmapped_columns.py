"""What a plan would overlook in silence: unmapped columns that may hold personal data."""

from collections.abc import Iterator
from typing import Final

from connectors.dynamics.mapping.mapping import Mapping, Table
from connectors.dynamics.schema.checks.findings import error
from connectors.dynamics.schema.metadata import LOOKUP_TYPES, Attribute, Metadata
from connectors.interface.errors import Finding

_MAY_HOLD_ANYTHING: Final = frozenset({"StringType", "MemoType", "FileType", "ImageType"})


def unaccounted_columns(mapping: Mapping, metadata: Metadata) -> tuple[str, ...]:
    """Return the organisation's own columns of mapped tables that may hold personal data and are in no
    mapping, as `table.column`: texts, files, images, and lookups to people. Columns that came with another
    one count with that one."""
    return tuple(sorted(f"{table.name}.{name}" for table in mapping.own for name in _unaccounted(table, mapping, metadata)))


def check_emptied(table: Table, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield an error for each such column of a dependent table whose rows outlive what they belong to:
    nothing would empty it, and the rows would count as emptied (ERA-02)."""
    for name in _unaccounted(table, mapping, metadata) if table.own is not None and table.own.emptied else ():
        if f"{table.name}.{name}" not in mapping.goes_along:
            told = (
                f"{table.name}.{name} could hold personal data, and stays as it is where a row of {table.name} is emptied and not deleted"
            )
            yield error(f"{told}: name it in a section, or under goes_along where it says nothing.", table.where, "masking")


def _unaccounted(table: Table, mapping: Mapping, metadata: Metadata) -> Iterator[str]:
    definition = metadata.table(table.name)
    known = mapping.used(table.name) | mapping.leading(table.name).keys()
    for attribute in definition.attributes.values() if definition is not None else ():
        if "_" in attribute.name and attribute.name not in known and not attribute.part_of and _may_be_personal(attribute):
            yield attribute.name


def _may_be_personal(attribute: Attribute) -> bool:
    return attribute.kind in _MAY_HOLD_ANYTHING or (attribute.kind in LOOKUP_TYPES and "contact" in attribute.targets)
