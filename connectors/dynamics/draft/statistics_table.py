"""The table of statistics: what may outlive a dossier, and no identifier of it (5.2). Its specification, and
its creation in a CRM that has none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from connectors.dynamics.http import faults
from connectors.dynamics.http.query import literal
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping as CrmMapping
from connectors.dynamics.schema.metadata import Metadata
from connectors.interface.errors import ConnectorError
from rules.anonymisation.choice_keys import CHOICE_KEYS, STATISTIC_OUTCOMES
from rules.model.kinds import FILES

TABLE: Final = "statistic"
_ENGLISH: Final = 1033


@dataclass(frozen=True, slots=True)
class StatisticColumn:
    """One column: our field, its name (without the publisher's prefix in COLUMNS, with it in a
    specification), what people see, how long a text is (None: a whole number), the values that it takes
    (empty: any), and its options where it is a choice."""

    field: str
    name: str
    label: str
    length: int | None
    values: tuple[str, ...] = ()
    options: tuple[tuple[int, str], ...] = ()

    @property
    def type(self) -> str:
        """Dataverse's name of its type, without the suffix."""
        return "Picklist" if self.options else "Integer" if self.length is None else "String"


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


@dataclass(frozen=True, slots=True)
class StatisticsTable:
    """The table as a mapping needs it: by the names that the mapping gives, else by the publisher's
    prefix."""

    table: str
    columns: tuple[StatisticColumn, ...]

    def document(self) -> dict[str, Any]:
        columns = [
            {
                "field": column.field,
                "column": column.name,
                "type": column.type,
                "length": column.length,
                "primary_name": column.field == "name",
                "values": list(column.values),
                "options": {str(value): key for value, key in column.options},
            }
            for column in self.columns
        ]
        return {"table": self.table, "ownership": "OrganizationOwned", "columns": columns}


@dataclass(frozen=True, slots=True)
class Creation:
    """What was made and what was there, by logical name; `other` has another type than the one specified."""

    created: list[str]
    existing: list[str]
    other: list[str]


def statistics_table(mapping: CrmMapping) -> StatisticsTable | None:
    """Return the table that a mapping needs; None where no name in it has a publisher's prefix."""
    mapped = next(iter(mapping.of(TABLE)), None)
    named = [table.name for kind in (TABLE, *FILES, "party") for table in mapping.of(kind)]
    prefix = next((name.partition("_")[0] for name in named if "_" in name), None)
    if prefix is None:
        return None
    columns = []
    for each in COLUMNS:
        column = mapped.columns.get(each.field) if mapped is not None else None
        options = tuple(column.choice.keys.items()) if column is not None and column.choice is not None else ()
        name = column.name if column is not None else f"{prefix}_{each.name}"
        columns.append(StatisticColumn(each.field, name, each.label, each.length, each.values, options))
    return StatisticsTable(mapped.name if mapped is not None else f"{prefix}_{TABLE}", tuple(columns))


def create(transport: Transport, wanted: StatisticsTable) -> Creation:
    """Make what is not there yet. Raises ConnectorError: the CRM refuses, or cannot be asked; what was made
    before stays, and asking again goes on there."""
    definition = Metadata(transport, {}).table(wanted.table)
    language = _language(transport)
    made = Creation([], [], [])
    if definition is None:
        _post(transport, "EntityDefinitions", _table_body(wanted, language), wanted.table)
        made.created.append(wanted.table)
        there: Mapping[str, str] = {wanted.columns[0].name: "StringType"}
    else:
        made.existing.append(wanted.table)
        there = {name: attribute.kind for name, attribute in definition.attributes.items()}
    for column in wanted.columns:
        kind = there.get(column.name)
        if kind is None:
            address = f"EntityDefinitions(LogicalName={literal(wanted.table)})/Attributes"
            _post(transport, address, _column_body(column, language), f"{wanted.table}.{column.name}")
            made.created.append(f"{wanted.table}.{column.name}")
        elif definition is not None:
            (made.existing if kind == f"{column.type}Type" else made.other).append(f"{wanted.table}.{column.name}")
    return made


def _post(transport: Transport, address: str, body: Mapping[str, Any], where: str) -> None:
    answer = transport.send("POST", address, body, where=where)
    if answer.status not in (200, 201, 204):
        raise faults.error(faults.fault(answer.status, answer.body), request=answer.request_id, where=where)


def _language(transport: Transport) -> int:
    """Return the base language, in which labels have to be given; English where the CRM does not say."""
    try:
        rows = msgspec.json.decode(transport.get("organizations?$select=languagecode", where="organizations").body)["value"]
        return int(rows[0]["languagecode"])
    except (ConnectorError, msgspec.DecodeError, LookupError, TypeError, ValueError):
        return _ENGLISH


def _table_body(wanted: StatisticsTable, language: int) -> Mapping[str, Any]:
    """Return what creates the table with its primary column (Microsoft Learn, "Create table definitions using
    the Web API")."""
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": wanted.table,
        "DisplayName": _label("Statistic", language),
        "DisplayCollectionName": _label("Statistics", language),
        "Description": _label("What may outlive a case: no identifier of it", language),
        "OwnershipType": "OrganizationOwned",
        "HasActivities": False,
        "HasNotes": False,
        "IsActivity": False,
        "Attributes": [{**_column_body(wanted.columns[0], language), "IsPrimaryName": True}],
    }


def _column_body(column: StatisticColumn, language: int) -> Mapping[str, Any]:
    """Return what creates one column."""
    body = {
        "@odata.type": f"Microsoft.Dynamics.CRM.{column.type}AttributeMetadata",
        "SchemaName": column.name,
        "DisplayName": _label(column.label, language),
        "RequiredLevel": {"Value": "None", "CanBeChanged": True, "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings"},
    }
    return body | dict(_details(column, language))


def _details(column: StatisticColumn, language: int) -> Iterator[tuple[str, Any]]:
    if column.type == "Picklist":
        options = [{"Value": value, "Label": _label(key, language)} for value, key in column.options]
        kind = "Microsoft.Dynamics.CRM.OptionSetMetadata"
        yield "OptionSet", {"@odata.type": kind, "IsGlobal": False, "OptionSetType": "Picklist", "Options": options}
    elif column.type == "Integer":
        yield from {"MinValue": 0, "MaxValue": 2_147_483_647, "Format": "None"}.items()
    else:
        yield from {"MaxLength": column.length, "FormatName": {"Value": "Text"}}.items()


def _label(text: str, language: int) -> dict[str, Any]:
    """Return a label in the base language: its text is English, and anybody may change it."""
    one = {"@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": text, "LanguageCode": language}
    return {"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": [one]}
