"""The JSON schema of a file that people write, made of its model: each key with the sentence that stands
below its field."""

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from rules.files.model import Model


def described_schema(model: type[Model]) -> dict[str, Any]:
    """Return the JSON schema of a model, each field with its description."""
    schema = model.model_json_schema(by_alias=True)
    kinds, models = schema.get("$defs", {}), _models()
    for name, kind in (kinds | {model.__name__: schema}).items():
        kind["description"] = " ".join(kind["description"].split())  # however wide the source is
        if name not in models:
            continue
        for field, text in descriptions(models[name]).items():
            key = models[name].model_fields[field].alias or field
            told = kind["properties"][key]
            if kinds.get(told.get("$ref", "").rpartition("/")[2], {}).get("description") != text:  # else it is told there
                kind["properties"][key] = dict(sorted({**told, "description": text}.items()))
    return schema


def descriptions(model: type[Model]) -> dict[str, str]:
    """Return the sentence below each field of a model, by the field's name. It is read from the source here,
    where it is wanted: at each start of each command it would take longer than anything else that a model is
    made of."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, Model) and each is not Model:
            (definition,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
            assert isinstance(definition, ast.ClassDef)
            for field, below in pairwise(definition.body):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        found[name] = " ".join(text.split())
    return {name: text for name, text in found.items() if name in model.model_fields}


def _models() -> dict[str, type[Model]]:
    found: list[type[Model]] = [Model]
    for model in found:
        found += model.__subclasses__()
    return {model.__name__: model for model in found}
