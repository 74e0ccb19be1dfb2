"""Choices created, redefined and removed: `GlobalOptionSetDefinitions`, and the options that a column brings
along.

Source: Microsoft Learn, "Create and update choices (option sets) using the Web API". Single options are
changed by actions, which are not emulated: a PUT changes the description of the choice and leaves its
options."""

from typing import Any

from connectors.emulator.describing.bodies import (
    DUPLICATE_NAME,
    Document,
    described_by,
    labels_of,
    protect,
    refuse_in_use,
    refused,
    schema_name,
)
from connectors.emulator.schema.alterations import Choice, SetChoice
from connectors.emulator.schema.environment import Environment, choice_place, metadata_id

_FIRST_OPTION = 100_000_000


def new_choice(environment: Environment, document: Document) -> tuple[str, SetChoice]:
    """Return a posted choice, and its name. Raises WebApiError: 400 for a name that is taken or has no
    prefix, and for options that are not valid."""
    name = schema_name({"SchemaName": document.get("Name")}, "option set").lower()
    if name in environment.choices:
        raise refused(f"An option set with the name {name} already exists.", DUPLICATE_NAME)
    if document.get("OptionSetType", "Picklist") != "Picklist" or document.get("IsGlobal") is False:
        raise refused("Only global option sets of the type Picklist can be created.")
    described = described_by(environment, document, {}, None, merge=False)
    return name, SetChoice(describe={choice_place(name): described}, choices={name: options_of(environment, document)})


def set_choice(environment: Environment, name: str, document: Document, *, merge: bool) -> SetChoice:
    place = choice_place(name)
    return SetChoice(describe={place: described_by(environment, document, {}, environment.described.get(place), merge=merge)})


def drop_choice(environment: Environment, name: str) -> SetChoice:
    """Remove a choice. Raises WebApiError: 400 if it is the platform's, or a column uses it."""
    used = sum(column.choice == name for table in environment.tables.values() for column in table.columns.values())
    where = metadata_id("optionset", name)
    protect(where, name, custom="_" in name, action="Delete")
    refuse_in_use(f"OptionSet({where})", used)
    return SetChoice(describe={choice_place(name): None}, choices={name: None})


def options_of(environment: Environment, given: Document) -> Choice:
    """Return posted options by their values; one without a value gets the next."""
    options: Choice = {}
    for option in given.get("Options") or []:
        value = _option_value(option, options)
        options[value] = labels_of(environment, option, "Label") or {environment.language: str(value)}
    return options


def _option_value(option: Any, options: Choice) -> int:
    value = option.get("Value") if isinstance(option, dict) else None
    if not isinstance(option, dict) or isinstance(value, bool) or not isinstance(value, int | None):
        raise refused("An option is an object with a Value and a Label.")
    if value is None:
        return max([_FIRST_OPTION - 1, *options]) + 1
    if value in options:
        raise refused(f"The value {value} is used by more than one option.")
    return value


def global_choice(environment: Environment, address: str) -> str:
    """Return the name of the choice that an address or its key means. Raises WebApiError: 400 for none."""
    key = address.rpartition("(")[2].rstrip(")")
    wanted = key.partition("=")[2].strip("'") if "=" in key else key.lower()
    found = next((name for name in environment.choices if wanted in (name, metadata_id("optionset", name))), None)
    if found is None:
        raise refused(f"There is no global option set '{wanted[:60]}'.")
    return found
