"""The JSON schema of a mapping file, for editors: that of the models, with the fields of each kind of row and
the keys that the rules read written out. A test holds the stored `schema.json` against it."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from connectors.dynamics.mapping.mapping import (
    HOLD,
    IN_EITHER,
    MANY,
    MASKED_KINDS,
    MUST_BE_CHOICE,
    ONE_TABLE,
    OPTIONAL_KINDS,
    REQUIRED_FIELDS,
    SAFEGUARDS,
    TRUTHS,
    choice_keys,
    field_type,
    mappable_fields,
    referred_fields,
)
from connectors.dynamics.mapping.mapping_file import MappingFile
from rules.anonymisation.choice_keys import CHOICE_KEYS
from rules.files.json_schema import described_schema
from rules.model.kinds import FILES, LOOKUPS, ROW_KINDS
from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS

_NULL: Final = {"type": "null"}


def mapping_schema() -> str:
    """Return the published JSON schema, as text. It describes the form alone; a mapping that is loaded is
    also checked for consistency."""
    schema = _plain(described_schema(MappingFile))
    part, tables = schema["$defs"].pop("TablePart"), schema["properties"]["tables"]
    for given, name in ((part, "without"), (part, "readable"), (part, "texts"), (schema["$defs"]["AnonymisePart"], "keeps")):
        given["properties"][name]["uniqueItems"] = True
    of_kinds = {kind: _parts(kind, _part(kind, part, schema["$defs"]), schema["$defs"]) for kind in KINDS}
    schema["properties"]["tables"] = {**_object(of_kinds, sorted(KINDS.keys() - OPTIONAL_KINDS)), "description": tables["description"]}
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, ensure_ascii=False, indent=1) + "\n"


def _parts(kind: str, part: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Return one table of a kind, or several where it can have them."""
    if kind in ONE_TABLE:
        return part
    described, one = part.pop("description"), _shared(defs, kind, part)
    return {"description": described, "anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}


def _part(kind: str, part: Mapping[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Return the part of one kind of row; what none of its fields can have is left out. Forms that several
    share are put into `defs`."""
    lean, personal, full = mappable_fields(KINDS[kind]), personal_fields(kind), FULL[kind]
    named = (*lean, *personal)
    dates = [name for name in named if field_type(full, name) in (date, datetime)]
    choices = [name for name in named if name not in LOOKUPS and field_type(full, name) in (bool, str, tuple)]
    given = part["properties"]
    name = _shared(defs, "name", given["columns"]["additionalProperties"])
    found: dict[str, Any] = {
        "table": given["table"],
        **({} if kind in ONE_TABLE else {"only": given["only"]}),
        "columns": {
            **_object(dict.fromkeys(lean, name), sorted(_needed(kind))),
            "description": given["columns"]["description"],
        },
    }
    behaviour = _shared(defs, "behaviour", given["behaviour"]["additionalProperties"])
    options = {field: _options(kind, field, given["choices"]["additionalProperties"], defs) for field in choices}
    for section, fields in (
        ("personal", dict.fromkeys(personal, name)),
        ("choices", options),
        ("behaviour", dict.fromkeys(dates, behaviour)),
    ):
        if fields:
            found[section] = {**_object(fields), "description": given[section]["description"]}
    keyed = sorted(set(lean) & MUST_BE_CHOICE.get(kind, frozenset()))
    for section, filled in (("references", sorted(referred_fields(kind))), ("flags", keyed)):
        if filled:
            found[section] = {
                **_object(dict.fromkeys(filled, given[section]["additionalProperties"])),
                "description": given[section]["description"],
            }
    if keyed:
        fixed = {
            field: {"enum": list(known)} if (known := choice_keys(KINDS[kind], field)) else given["fixed"]["additionalProperties"]
            for field in keyed
        }
        found["fixed"] = {**_object(fixed), "description": given["fixed"]["description"]}
    if kind in MANY:
        found["many_to_many"] = {**_object(dict.fromkeys(MANY[kind], name)), "description": given["many_to_many"]["description"]}
    if kind in IN_EITHER:
        found["either"] = given["either"]
    if more := [*dates, *(name for name in lean if name in ("categories", HOLD))]:
        found["more"] = {**_object(dict.fromkeys(more, given["more"]["additionalProperties"])), "description": given["more"]["description"]}
    if kind in ROW_KINDS:
        found["texts"] = given["texts"]
    if safeguards := sorted(SAFEGUARDS.get(kind, ())):
        found["without"] = {**given["without"], "items": {"enum": safeguards}}
    found["readable"] = {
        **given["readable"],
        "items": {"anyOf": [{"enum": sorted(named)}, name]} if kind in ROW_KINDS else {"enum": sorted(named)},
    }
    if kind in MASKED_KINDS:
        found["anonymise"] = given["anonymise"]
    return {"description": " ".join((KINDS[kind].__doc__ or "").split()), **_object(found, part["required"])}


def _needed(kind: str) -> set[str]:
    """Return the fields that have a column in every mapping. A role or a recording may be in a dossier
    alone."""
    return set(REQUIRED_FIELDS[kind]) - MUST_BE_CHOICE.get(kind, frozenset()) - set(FILES if kind in IN_EITHER else MANY.get(kind, ()))


def _options(kind: str, field: str, options: Mapping[str, Any], defs: dict[str, Any]) -> dict[str, str]:
    """Return what the options of a field may stand for."""
    if field_type(FULL[kind], field) is bool:
        return _shared(defs, "truths", {**options, "additionalProperties": {"enum": list(TRUTHS)}})
    known = choice_keys(KINDS[kind], field)
    if known is None:
        return _shared(defs, "options", options)
    name = f"statistic_{field}_keys" if known != CHOICE_KEYS[field] else f"{field}_keys"
    return _shared(defs, name, {**options, "additionalProperties": {"enum": list(known)}})


def _shared(defs: dict[str, Any], name: str, form: Mapping[str, Any]) -> dict[str, str]:
    defs[name] = dict(form)
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    named = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, **named, "properties": dict(properties)}


def _plain(schema: Any) -> Any:
    """Return the schema of a file written by hand: a key of another form is refused, and there is no null."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _plain(each) for key, each in schema.items() if key != "default"}
    if "patternProperties" in found:
        ((pattern, value),) = found.pop("patternProperties").items()
        found |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
    if _NULL in found.get("anyOf", ()):
        (other,) = (each for each in found.pop("anyOf") if each != _NULL)
        found = other | found
    return found
