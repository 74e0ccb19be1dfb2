"""The table of statistics that the mapping of the settings needs, and its specification as a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from connectors.dynamics.draft.statistics_table import Creation, StatisticsTable, statistics_table
from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import Mapping as CrmMapping
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import SHIPPED, mapping_text
from rules.errors import MappingError, UsageError
from rules.hints import hint_to

if TYPE_CHECKING:
    from connectors.dynamics.connector import DynamicsConnector


def wanted_table(settings: Settings) -> tuple[CrmMapping, StatisticsTable]:
    """Return the mapping of the settings, as far as it is in order, and the table that it needs. Raises
    UsageError: no name in the mapping tells the publisher's prefix."""
    text, source = mapping_text(settings)
    mapping, _ = examine_mapping(text, source)
    wanted = statistics_table(mapping) if mapping is not None else None
    if mapping is None or wanted is None:
        raise UsageError("the mapping names no table with the prefix of a publisher", hint=hint_to("check_mapping"), where=source)
    return mapping, wanted


def create_in(connector: DynamicsConnector, mapping: CrmMapping, wanted: StatisticsTable) -> Creation:
    """Make the table, or what it lacks. Raises MappingError: the CRM lacks a table of dossiers that the
    mapping names, so this would be another organisation's table; ConnectorError: the CRM refuses."""
    dossiers = {table.where for table in mapping.of("dossier")}
    for finding in connector.check():
        if finding.code == "no_table" and finding.where in dossiers:
            hint = hint_to("draft_mapping" if finding.where.startswith(SHIPPED) else "check_mapping")
            raise MappingError(f"{finding.message} Nothing was made: the mapping is not that of this CRM.", hint=hint, where=finding.where)
    return connector.create_statistics(wanted)


def mapped_columns(mapping: CrmMapping) -> frozenset[str]:
    """Return the columns of the table of statistics that a mapping names."""
    return frozenset(column.name for table in mapping.of("statistic") for column in table.columns.values())


def as_markdown(wanted: StatisticsTable) -> str:
    """Return the specification for whoever makes the table by hand."""
    rows = [
        "# The table of statistics",
        "",
        f"`{wanted.table}`, owned by the organisation, without notes and activities: what may outlive a case, no identifier of it.",
        "",
        "| column | type | required | values |",
        "|---|---|---|---|",
    ]
    for column in wanted.columns:
        kind = {"Picklist": "choice", "Integer": "whole number", "String": f"text, {column.length} characters"}[column.type]
        values = ", ".join(f"{value} = {key}" for value, key in column.options) or ", ".join(column.values)
        primary = ", the primary name" if column.field == "name" else ""
        rows.append(f"| `{column.name}` | {kind}{primary} | no | {values} |")
    return "\n".join(rows) + "\n"


def as_json(wanted: StatisticsTable) -> str:
    """Return the specification for a program."""
    return json.dumps(wanted.document(), ensure_ascii=False, indent=2) + "\n"


WRITERS: Final[Mapping[str, Callable[[StatisticsTable], str]]] = {".md": as_markdown, ".json": as_json}
