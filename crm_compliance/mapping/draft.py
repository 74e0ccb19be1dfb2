"""A mapping to begin with, derived from the CRM of the settings; nothing of the CRM's rows is read but how
many there are."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import Mapping
from crm_compliance.settings import Settings
from crm_compliance.wiring import connector_of


@dataclass(frozen=True, slots=True)
class DraftedMapping:
    """The text of the file, the tables by kind, how many fields have a column, and what is open and
    needed."""

    text: str
    tables: dict[str, str]
    fields: int
    open: list[str]


def draft_mapping(settings: Settings) -> DraftedMapping:
    """Derive a mapping. Raises ConnectorError: the CRM cannot be asked."""
    with connector_of(settings, mapping=Mapping("draft")) as connector:
        found = connector.draft()
        mapping, _ = examine_mapping(found.text(), "draft")
        assert mapping is not None
        with connector_of(settings, mapping=mapping) as second:
            places = second.data_map(whole=True).places
        text = found.text(places)
    tables = {kind: table.name for kind, table in found.kinds.found.items()}
    return DraftedMapping(text, tables, found.derived, [*found.open_tables, *found.open_fields])
