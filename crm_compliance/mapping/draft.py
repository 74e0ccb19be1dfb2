"""A mapping to begin with, derived from the CRM of the settings; nothing of the CRM's rows is read but how
many there are."""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.mapping.schedule_check import own_rows
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.crm import connector_of
from crm_compliance.wiring.schedule import policy_of
from rules.organisation.category_names import category_names


@dataclass(frozen=True, slots=True)
class DraftedMapping:
    """The text of the file, the tables by kind, how many fields have a column, and what is open and
    needed."""

    text: str
    tables: dict[str, str]
    fields: int
    open: list[str]


def draft_mapping(settings: Settings, on_wait: Callable[[str], None] | None) -> DraftedMapping:
    """Derive a mapping; `on_wait` is told of long waits for the CRM as they begin. Raises ConnectorError: the
    CRM cannot be asked; PolicyError, OrganisationError: the schedule or the organisation file of the settings
    is refused."""
    policy = policy_of(settings)
    categories = category_names(policy, organisation_of(settings).under(policy))
    with connector_of(settings, mapping=Mapping(), warn=on_wait) as connector:
        found = connector.draft(categories)
        mapping, _ = examine_mapping(found.text(), "draft")
        assert mapping is not None
        with connector_of(settings, mapping=mapping, warn=on_wait) as second:
            places, needed = second.data_map(whole=True).places, second.second_lookups()
        text = found.text(places, own_rows(policy), needed)
    tables = {kind: table.name for kind, table in found.kinds.found.items()}
    return DraftedMapping(text, tables, found.derived, [*found.open_tables, *found.open_fields, *sorted(needed)])
