"""Columns that can hold nothing about anybody."""

from connectors.dynamics.mapping.mapping import CONNECTION
from connectors.dynamics.schema.checks.masks import PLATFORM as PLATFORM_COLUMNS
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from connectors.dynamics.schema.role_places import OTHER_HALF

# What a column of these types holds are not data of anybody: keys, kinds of rows, states, and what the CRM
# adds up.
_TYPES = frozenset({"EntityNameType", "StateType", "StatusType", "ManagedPropertyType", "VirtualType", "CalendarRulesType"})
_OF_PLATFORM = PLATFORM_COLUMNS | {"objecttypecode", "filesize", "ispartydeleted", "isworkflowcreated", "activitytypecode", "documentsize"}
# What either half of a connection says of the other.
_OF_BOTH_HALVES = frozenset(
    {*(f"record{at}{what}" for at in (1, 2) for what in ("id", "roleid", "objecttypecode")), OTHER_HALF, "ismaster"}
)


def is_about_nobody(attribute: Attribute, definition: TableDefinition) -> bool:
    """Return whether a column can hold nothing about anybody: keys, versions, states, times and people of the
    CRM's own making, and companions of other columns."""
    if definition.name == CONNECTION and attribute.name in _OF_BOTH_HALVES:
        return True
    is_base = attribute.kind == "MoneyType" and attribute.name.endswith("_base")  # an amount in the organisation's own currency
    own = attribute.name in _OF_PLATFORM or attribute.name == definition.primary_id or is_base
    return own or bool(attribute.part_of) or attribute.kind in _TYPES or attribute.kind == "UniqueidentifierType"
