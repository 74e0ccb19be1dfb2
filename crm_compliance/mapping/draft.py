"""A mapping to begin with, derived from the CRM of the settings; nothing of the CRM's rows is read but how
many there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.mapping.schedule_check import own_rows
from crm_compliance.settings import Settings
from crm_compliance.wiring import connector_of, policy_of
from rules.policy.categories import CRM_CATEGORIES
from rules.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class DraftedMapping:
    """The text of the file, the tables by kind, how many fields have a column, and what is open and
    needed."""

    text: str
    tables: dict[str, str]
    fields: int
    open: list[str]


def draft_mapping(settings: Settings) -> DraftedMapping:
    """Derive a mapping. Raises ConnectorError: the CRM cannot be asked; PolicyError: the schedule of the
    settings is refused."""
    policy = policy_of(settings)
    categories = _called(policy)
    with connector_of(settings, mapping=Mapping("draft")) as connector:
        found = connector.draft(categories)
        mapping, _ = examine_mapping(found.text(), "draft")
        assert mapping is not None
        with connector_of(settings, mapping=mapping) as second:
            places = second.data_map(whole=True).places
        text = found.text(places, own_rows(policy))
    tables = {kind: table.name for kind, table in found.kinds.found.items()}
    return DraftedMapping(text, tables, found.derived, [*found.open_tables, *found.open_fields])


def _called(policy: Policy) -> dict[str, tuple[str, ...]]:
    """Return what the schedule calls each category of the CRM: its row's labels, where no other category
    leads to that row."""
    rows = {key: {line.key for line in lines} for key, lines in policy.derive.items()}
    shared = Counter(row for found in rows.values() for row in found)
    known = {key for key in policy.categories if key in CRM_CATEGORIES} - rows.keys()
    rows |= {key: {key} for key in known}
    return {
        key: tuple(label for row in found if len(found) == 1 and shared[row] <= 1 for label in _labels(policy, row))
        for key, found in rows.items()
    }


def _labels(policy: Policy, row: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(policy.categories[row].labels.model_dump().values())) if row in policy.categories else ()
