"""Whether mapping and schedule fit this CRM, checked before any job. What is accepted only for a CRM on this
machine is defined in crm_compliance/configuration/settings.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rules.errors import MappingError
from rules.hints import Hint, hint_to

if TYPE_CHECKING:
    from connectors.dynamics.connector import DynamicsConnector
    from connectors.dynamics.mapping.mapping import Mapping
    from connectors.interface.errors import Finding
    from rules.organisation.organisation import Organisation
    from rules.policy.policy import Policy


NO_PROVINCES = "postcode_to_province knows the provinces of Belgium alone, and country of the schedule is {country}"

PROVINCES_HINT = "mask the column with null or constant"


def checked(connector: DynamicsConnector, policy: Policy, organisation: Organisation | None = None) -> tuple[str, ...]:
    """Compare the mapping with the CRM and with the schedule and return what is only a warning. Masks are
    checked if the schedule anonymises in place; options are held against what the `organisation` calls them.
    Raises MappingError: the mapping names something that the CRM lacks; all mismatches are reported."""
    from connectors.dynamics.mapping.schedule_check import misspelt
    from crm_compliance.wiring.mapping import SHIPPED
    from rules.organisation.category_names import category_names, own_names

    said = organisation.under(policy) if organisation is not None else None
    categories, own = (category_names(policy, said), own_names(said)) if said is not None else (None, None)
    findings = connector.check(in_place=policy.anonymise.is_in_place, categories=categories, own=own)
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        more = "".join(f"\n{finding.where}: {finding.message}" for finding in errors[1:])
        hint: Hint | str = hint_to("draft_mapping") if errors[0].where.startswith(SHIPPED) else "correct the mapping, or the CRM"
        if all(lacks_statistics(finding, connector.mapping) for finding in errors):
            hint = hint_to("make_statistics")
        raise MappingError(errors[0].message + more, hint=hint, where=errors[0].where)
    told = (f"{finding.where}: {finding.message}" if finding.where else finding.message for finding in findings)
    return (*told, *(f"{slip.where}: {slip.message}" for slip in misspelt(connector.mapping, policy, each_night=True)))


def lacks_statistics(finding: Finding, mapping: Mapping) -> bool:
    """Return whether the CRM lacks the table of statistics or a column of it, which a command makes."""
    places = {place for table in mapping.of("statistic") for place in (table.where, *(each.where for each in table.columns.values()))}
    return finding.code in ("no_table", "no_column") and finding.where in places


def lacking_for_notice(mapping: Mapping, policy: Policy) -> list[str]:
    """Return the fields of notes that a schedule needs, because its quarantine notifies owners by one, and
    that the mapping lacks."""

    if policy.quarantine is None or policy.quarantine.notice != "note":
        return []
    notes = mapping.of("note")[:1]  # where they come from several tables, ours go into the first
    return sorted({"subject", "text"} - {name for table in notes for name in table.columns})


def lacking_provinces(mapping: Mapping, policy: Policy) -> Iterator[str]:
    """Yield the places of the mapping that ask for a province where nobody knows those of the country."""
    from rules.anonymisation.provinces import has_provinces

    if policy.anonymise.is_in_place and not has_provinces(policy.home.country):
        for table in mapping.tables:
            for column in table.masks.columns.values() if table.masks is not None else ():
                if column.technique == "postcode_to_province":
                    yield column.where


def fitting(connector: DynamicsConnector, policy: Policy) -> None:
    """Refuse a schedule that asks for what the mapping lacks. A quarantine that notifies owners by a note
    needs the note's text. Raises MappingError: naming what the mapping lacks."""
    if lacking := lacking_for_notice(connector.mapping, policy):
        raise MappingError(
            f"the schedule tells owners by a note, and the mapping has no {' and no '.join(lacking)} of notes",
            hint="map note.subject and note.text, or set quarantine.notice to none",
            where="quarantine.notice",
        )
    if (where := next(lacking_provinces(connector.mapping, policy), None)) is not None:
        raise MappingError(NO_PROVINCES.format(country=policy.home.country), hint=PROVINCES_HINT, where=where)
