"""What a CRM calls a table, its columns and their options in one language: its own display names."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from connectors.dynamics.http.query import literal
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Table
from connectors.dynamics.schema.metadata import OPTION_CASTS, is_option, objects
from connectors.dynamics.schema.unmapped_tables import NAMES_AT_ONCE
from connectors.interface.organisation import Labels
from rules.decoders import decoder_of

# The lower ten bits of a locale id of Windows say its language, whatever the country.
_LANGUAGES: Final = {"nl": 0x13, "fr": 0x0C, "en": 0x09, "de": 0x07}
_LANGUAGE: Final = 0x3FF


def labels(transport: Transport, table: Table, language: str) -> Labels:
    """Return the display names of a table and of the columns that the mapping names. Raises
    ConnectorError."""
    root = f"EntityDefinitions(LogicalName={literal(table.name)})"
    of_column = {column.name: name for name, column in (*table.columns.items(), *table.personal.items())}
    found = _get(transport, f"{root}?$select=LogicalName,DisplayName&$expand=Attributes($select=LogicalName,DisplayName)", table.name)
    named = {str(each.get("LogicalName")): _said(each.get("DisplayName"), language) for each in objects(found.get("Attributes"))}
    options: dict[str, Mapping[int, str]] = {}
    for cast in OPTION_CASTS.values() if any(column.holds == "choices" for column in table.personal.values()) else ():
        expand = "OptionSet($select=Options)" + ("" if cast.startswith("Stat") else ",GlobalOptionSet($select=Options)")
        address = f"{root}/Attributes/Microsoft.Dynamics.CRM.{cast}?$select=LogicalName&$expand={expand}"
        for each in objects(_get(transport, address, table.name).get("value")):
            if (name := of_column.get(str(each.get("LogicalName")))) is not None:
                options[name] = _options(each, language)
    return Labels(
        _said(found.get("DisplayName"), language) or table.name,
        {name: named.get(column) or column for column, name in of_column.items()},
        options,
    )


def table_names(transport: Transport, tables: Collection[str], language: str) -> dict[str, str]:
    """Return what people see of tables in lists. Raises ConnectorError."""
    wanted, found = sorted(tables), dict[str, str]()
    for at in range(0, len(wanted), NAMES_AT_ONCE):
        condition = " or ".join(f"LogicalName eq {literal(name)}" for name in wanted[at : at + NAMES_AT_ONCE])
        address = f"EntityDefinitions?$select=LogicalName,DisplayCollectionName,DisplayName&$filter={condition}"
        for each in objects(_get(transport, address, "EntityDefinitions").get("value")):
            if said := _said(each.get("DisplayCollectionName"), language) or _said(each.get("DisplayName"), language):
                found[str(each.get("LogicalName"))] = said
    return found


def _get(transport: Transport, address: str, where: str) -> Mapping[str, Any]:
    answer = transport.get(address, where=where)
    with answer.readable("The CRM's names of a table are not readable.", where=where):
        return decoder_of(dict[str, Any]).decode(answer.body)


def _options(attribute: Mapping[str, Any], language: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for source in ("GlobalOptionSet", "OptionSet"):
        chosen = attribute.get(source)
        for option in objects(chosen.get("Options")) if isinstance(chosen, dict) else ():
            if is_option(value := option.get("Value")) and (said := _said(option.get("Label"), language)):
                found[value] = said
    return found


def _said(label: object, language: str) -> str:
    """Return a label in a language, else in that of the CRM's user; empty where there is none."""
    if not isinstance(label, dict):
        return ""
    said = [each for each in objects(label.get("LocalizedLabels")) if each.get("Label")]
    codes = [code if isinstance(code := each.get("LanguageCode"), int) else 0 for each in said]
    own = [each for each, code in zip(said, codes, strict=True) if code & _LANGUAGE == _LANGUAGES.get(language)]
    user = label.get("UserLocalizedLabel")
    return next((str(each["Label"]) for each in (*own, *([user] if isinstance(user, dict) and user.get("Label") else ()), *said)), "")
