"""The table of statistics that a CRM needs where it has none: what may outlive a dossier, and no identifier
of it (5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rules.anonymisation.choice_keys import CHOICE_KEYS, STATISTIC_OUTCOMES

TABLE: Final = "statistic"


@dataclass(frozen=True, slots=True)
class StatisticColumn:
    """One column: our field, its name without the publisher's prefix, what people see, how long a text is
    (None: a whole number), and the values that it takes (empty: any)."""

    field: str
    name: str
    label: str
    length: int | None
    values: tuple[str, ...] = ()


COLUMNS: Final = (
    StatisticColumn("name", "name", "Name", 100),
    StatisticColumn("year", "year", "Year", None),
    StatisticColumn("category", "categorykey", "Category", 60),
    StatisticColumn("province", "province", "Province", 40),
    StatisticColumn("age_band", "ageband", "Age band", 10, CHOICE_KEYS["age_band"]),
    StatisticColumn("sex", "sex", "Sex", 10, CHOICE_KEYS["sex"]),
    StatisticColumn("outcome", "outcomekey", "Outcome", 30, STATISTIC_OUTCOMES),
    StatisticColumn("channel", "channel", "Channel", 20, CHOICE_KEYS["channel"]),
    StatisticColumn("reporter_kind", "reporterkind", "Kind of reporter", 20, CHOICE_KEYS["reporter_kind"]),
    StatisticColumn("duration_band", "durationband", "Duration band", 20, CHOICE_KEYS["duration_band"]),
    StatisticColumn("fiches_band", "fichesband", "Fiches band", 10, CHOICE_KEYS["fiches_band"]),
    StatisticColumn("count", "count", "Count", None),
)


def specification(prefix: str) -> dict[str, Any]:
    """Return the table as a document: logical names with the publisher's prefix, types, lengths, values."""
    return {
        "table": f"{prefix}_{TABLE}",
        "ownership": "organisation",
        "columns": [
            {
                "field": column.field,
                "column": f"{prefix}_{column.name}",
                "label": column.label,
                "type": "whole number" if column.length is None else "text",
                "length": column.length,
                "primary_name": column.field == "name",
                "values": list(column.values),
            }
            for column in COLUMNS
        ],
    }


def table_body(prefix: str, language: int) -> Mapping[str, Any]:
    """Return what creates the table with its primary column (Microsoft Learn, "Create table definitions using
    the Web API")."""
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": f"{prefix}_{TABLE}",
        "DisplayName": _label("Statistic", language),
        "DisplayCollectionName": _label("Statistics", language),
        "Description": _label("What may outlive a case: no identifier of it", language),
        "OwnershipType": "OrganizationOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "Attributes": [{**column_body(COLUMNS[0], prefix, language), "IsPrimaryName": True}],
    }


def column_body(column: StatisticColumn, prefix: str, language: int) -> Mapping[str, Any]:
    """Return what creates one column."""
    body = {
        "SchemaName": f"{prefix}_{column.name}",
        "DisplayName": _label(column.label, language),
        "RequiredLevel": {"Value": "None", "CanBeChanged": True, "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings"},
    }
    if column.length is None:
        return {
            "@odata.type": "Microsoft.Dynamics.CRM.IntegerAttributeMetadata",
            **body,
            "MinValue": 0,
            "MaxValue": 2_147_483_647,
            "Format": "None",
        }
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        **body,
        "MaxLength": column.length,
        "FormatName": {"Value": "Text"},
    }


def _label(text: str, language: int) -> dict[str, Any]:
    """Return a label in the base language: its display name is English, and anybody may change it."""
    one = {"@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": text, "LanguageCode": language}
    return {"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": [one]}
