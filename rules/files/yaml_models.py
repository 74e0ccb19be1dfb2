"""A YAML file held against a pydantic model: what is refused, with field, line and what to write instead."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.files.suggestions import asked, suggestion
from rules.files.yaml_lines import NO_VALUE, Document, Path, Problem, Value

M = TypeVar("M", bound=BaseModel)

_TEXTS: Final = MappingProxyType(
    {
        "extra_forbidden": "this key is not known",
        "missing": "this key is missing",
        "string_type": "this has to be text: put it in quotes",
        "int_type": "this has to be a whole number",
        "bool_type": "this has to be true or false",
        "string_too_short": "this is empty",
        "too_short": "this is empty",
        "union_tag_not_found": "the type is missing",
        "model_type": "this has to be a mapping of keys and values",
        "model_attributes_type": "this has to be a mapping of keys and values",
        "dict_type": "this has to be a mapping of keys and values",
        "tuple_type": "this has to be a list",
        "date_parsing": "this has to be a date, written 2018-05-25",
        "date_from_datetime_parsing": "this has to be a date, written 2018-05-25",
        "date_type": "this has to be a date, written 2018-05-25",
    }
)
_NO_VALUE_AT_ALL: Final = "there is no value, and the key has to be there: write one"
_NO_VALUE_OF_KEYS: Final = "there is no value, and the key has to be there: write {} where there is nothing to say"
_DEEPEST: Final = 3  # sections within each other that a key is looked for in
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def read_strictly(
    document: Document, model: type[M], what: str, *, texts: Mapping[str, str] = _NOTHING, kinds: Collection[str | int] = ()
) -> M | list[Problem]:
    """Return the model of a file, or all that is wrong with it in the order in which it is reported. The file
    may have problems beside a model: keys that stand twice. `what` is what messages call such a file; of
    `texts` and `kinds` see `problems_of`."""
    if document.value is None:
        return sorted(document.problems)
    if not isinstance(document.value, dict):
        return [Problem(1, "", f"{what} is a mapping of keys and values")]
    try:
        # Strict: "6" is not the number 6. As JSON, because there a date is text and a list may become a tuple
        # even when strict.
        return model.model_validate_json(json.dumps(document.value), strict=True)
    except ValidationError as error:
        return problems_of(document, model, error.errors(include_url=False), texts=texts, kinds=kinds)


def problems_of(
    document: Document,
    model: type[BaseModel],
    errors: Iterable[ErrorDetails],
    *,
    texts: Mapping[str, str],
    kinds: Collection[str | int],
) -> list[Problem]:
    """Return errors of a model as problems of a file, beside those of its YAML: what stands in a line first,
    top down, then missing keys. One a field, since one mistake can break two rules; of a key without a value
    that has to be there, nobody is told to leave it out. `texts` say what a value is, by a pattern that it
    does not match or by the type of an error. `kinds` are words that pydantic puts into the place of an error
    to say which kind of row or value it tried: no file has them there."""
    placed = [(False, problem) for problem in document.problems]
    broken = {problem.path for problem in document.problems}
    for error in errors:
        path, text, code, meant = _told(document, model, error, texts, kinds)
        problem = document.problem(path, text, code, meant)
        if error["type"] == "missing" and problem.path in broken:
            empty = _NO_VALUE_OF_KEYS if _has_own_keys(model, path) else _NO_VALUE_AT_ALL
            placed = [
                (late, replace(each, text=empty) if (each.path, each.text) == (problem.path, NO_VALUE) else each) for late, each in placed
            ]
        elif problem.path not in broken:
            broken.add(problem.path)
            placed.append((error["type"] == "missing", problem))
    return [problem for _, problem in sorted(placed)]


def without_mistakes(model: type[M], value: Value) -> M | None:
    """Return the model of what is left of a value without all that it refuses, so that the rest can be looked
    at in the same go; None where nothing usable is left."""
    left = deepcopy(value)
    while True:
        try:
            return model.model_validate(left)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                if not _remove(left, each["loc"][:-1] if each["type"] == "missing" else each["loc"]):
                    return None


def _remove(value: Any, place: tuple[int | str, ...]) -> bool:
    """Take out what stands at a place, the whole list where that is one of its items; False where it is
    everything."""
    path: list[int | str] = []
    current = value
    for part in place:
        if part == "[key]" or (isinstance(part, int) and isinstance(current, dict)):
            continue  # a pydantic word; the only item of a list, written by itself
        if isinstance(part, int) and not (isinstance(current, list) and part < len(current) and isinstance(current[part], dict)):
            break
        path.append(part)
        current = current.get(part) if isinstance(current, dict) else current[part] if isinstance(part, int) else None
    while path and isinstance(path[-1], int):
        path.pop()
    for part in path[:-1]:
        value = value.get(part, {}) if isinstance(value, dict) else value[part]
    if path and isinstance(value, list):  # read as keys without values
        value.remove(path[-1])
    elif path:
        value.pop(path[-1], None)
    return bool(path)


def _told(
    document: Document, model: type[BaseModel], error: ErrorDetails, texts: Mapping[str, str], kinds: Collection[str | int]
) -> tuple[Path, str, str, str]:
    """Return the field that an error is about, as the file has it, what to report, its code, and what was
    probably meant."""
    path: Path = ()
    for part in error["loc"]:
        if part == "[key]" or (part in kinds and (*path, part) not in document.lines):
            continue
        path = (*path, part)
    kind, message, pattern = error["type"], error["msg"].replace("'", ""), error.get("ctx", {}).get("pattern", "")
    if kind == "extra_forbidden":
        word, unknown = str(path[-1]), texts.get(kind, _TEXTS[kind])
        found = suggestion(word, _keys_at(model, path[:-1]) or _keys(model))
        if not found and (place := _place_of(model, word)):
            return path, f"{unknown}: {word} stands under {place}", "unknown", place
        return path, unknown + asked(found), "unknown", found
    if kind == "union_tag_invalid":
        return (*path, "type"), f"this has to be one of {error['ctx']['expected_tags']}".replace("'", ""), "form", ""
    if kind in ("enum", "literal_error"):
        known = re.findall(r"'([^']*)'", error["msg"])
        told = message.replace("Input should be", "this has to be one of" if len(known) > 1 else "this has to be")
        found = suggestion(str(error["input"]), known)
        return path, told + asked(found), "unknown" if len(known) > 1 else "form", found
    words = pattern[2:-2].split("|") if re.fullmatch(r"\^\([\w|]+\)\$", pattern) else ()
    found = suggestion(str(error["input"]), words)
    own = texts.get(pattern) or texts.get(kind) or _TEXTS.get(kind)
    told = own or message.removeprefix("Value error, ").replace("Input should be", "this has to be")
    return path, told + asked(found), "missing" if kind == "missing" else "form", found


def _keys_at(model: type[BaseModel], path: Path) -> Collection[str]:
    """Return the keys that a file of this model can have at a place; none where several forms are possible
    there."""
    return [*_form_at(model, path).get("properties", {})]


def _has_own_keys(model: type[BaseModel], path: Path) -> bool:
    """Return whether what stands at a place has keys that a file gives itself, and so may have none."""
    found = _form_at(model, path)
    return isinstance(found.get("additionalProperties"), dict) or "patternProperties" in found


def _form_at(model: type[BaseModel], path: Path) -> dict[str, Any]:
    """Return the part of the schema of a model that is about a place of its file; nothing where several forms
    are possible there."""
    schema = _schema(model)
    found = _form(schema, schema)
    for part in path:
        if isinstance(part, str):
            others = [*found.get("patternProperties", {}).values(), found.get("additionalProperties")]
            below = found.get("properties", {}).get(part) or next(filter(None, others), None)
            found = _form(below, schema) if isinstance(below, dict) else {}
    return found


def _form(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return what stands behind a part of a schema: one of a list, and what is either that or nothing."""
    if "$ref" in part:
        return _form(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    forms = [each for each in part.get("anyOf", ()) if each != {"type": "null"}]
    return _form(part.get("items") or forms[0], schema) if "items" in part or len(forms) == 1 else part


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


@cache
def _keys(model: type[BaseModel]) -> frozenset[str]:
    """Return every key that a file of this model can have, wherever it stands."""
    schema = _schema(model)
    models = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for each in models for name in each.get("properties", {}))


def _place_of(model: type[BaseModel], key: str) -> str:
    """Return the one place of a file at which a key stands, as people write it; empty where there are several
    such places or none."""
    schema = _schema(model)
    found = [place for place in _places(schema, schema, ()) if place[-1] == key and len(place) > 1]
    return ".".join(found[0][:-1]) if len(found) == 1 else ""


def _places(part: dict[str, Any], schema: dict[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the place of every key below a part of a schema that has one form; keys that a file gives itself,
    and lists, are left out."""
    for name, below in _form(part, schema).get("properties", {}).items():
        yield (*above, name)
        if len(above) < _DEEPEST and not any("items" in each for each in (below, *below.get("anyOf", ()))):
            yield from _places(below, schema, (*above, name))
