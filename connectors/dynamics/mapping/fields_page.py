"""The page of every field of every kind of row, for people who write a mapping, made from the model."""

from collections.abc import Iterator
from datetime import date, datetime

from connectors.dynamics.mapping.field_texts import FIELD_TEXTS
from connectors.dynamics.mapping.mapping import (
    IN_EITHER,
    MUST_BE_CHOICE,
    OPTIONAL_KINDS,
    REQUIRED_FIELDS,
    SAFEGUARDS,
    TRUTHS,
    choice_keys,
    field_type,
    mappable_fields,
)
from connectors.dynamics.mapping.mapping_file import (
    AnonymisePart,
    DecidedPart,
    DependentPart,
    MappingFile,
    MaskedPart,
    ReferencePart,
    TablePart,
)
from rules.files.json_schema import descriptions
from rules.files.model import Model
from rules.model.kinds import FILES, LOOKUPS
from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS

_PARTS: tuple[tuple[str, type[Model]], ...] = (
    ("The file", MappingFile),
    ("A table of a kind", TablePart),
    ("A table of reference", ReferencePart),
    ("Anonymising in place", AnonymisePart),
    ("A decision (stay, goes_along)", DecidedPart),
    ("A dependent table", DependentPart),
    ("A dependent table that is masked", MaskedPart),
)
_UNTOLD = "it is neither searched nor told"
_TYPES = {bool: "yes or no", int: "whole number", float: "number", date: "date", datetime: "date and time", bytes: "file or image"}


def fields_page() -> str:
    """Return the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The fields of a mapping"
    yield ""
    yield "The parts of [a mapping](mapping.md), then every kind of row and every field: what it decides, what the column"
    yield "holds, whether it is needed, and what it costs to leave it out. `make docs` writes this page from the model."
    yield ""
    yield "*needed*: a mapping without it is refused. *or `without`*: it is mapped, or named under `without` by somebody who knows"
    yield "that it is not recorded. Fields below *personal* are read for a subject request alone."
    yield from _parts()
    for kind, record in KINDS.items():
        yield ""
        yield f"## {kind}"
        yield ""
        optional = "may be left out where there is none" if kind in OPTIONAL_KINDS else "needed"
        yield f"{' '.join((record.__doc__ or '').split())} The kind: {optional}."
        yield ""
        yield "| field | decides | column | needed | without it |"
        yield "|---|---|---|---|---|"
        yield from (_row(kind, name) for name in mappable_fields(record))
        if names := personal_fields(kind):
            yield "| *personal* | | | | |"
            yield from (_row(kind, name) for name in names)


def _parts() -> Iterator[str]:
    """Yield what stands in the file beside the fields, part by part."""
    for title, part in _PARTS:
        yield ""
        yield f"## {title}"
        yield ""
        yield " ".join((part.__doc__ or "").split())
        yield ""
        yield "| key | needed | meaning |"
        yield "|---|---|---|"
        texts = descriptions(part)
        for name, field in part.model_fields.items():
            told = texts[name]
            yield f"| `{field.alias or name}` | {'needed' if field.is_required() else 'no'} | {told} |"


def _row(kind: str, name: str) -> str:
    told = FIELD_TEXTS[kind][name]
    is_needed = name in REQUIRED_FIELDS[kind]
    needed = "needed" if is_needed else "or `without`" if name in SAFEGUARDS.get(kind, ()) else "no"
    cost = "the mapping is refused" if is_needed else told.cost or _UNTOLD
    if kind in IN_EITHER and name in FILES:
        needed, cost = "one of `dossier` and `fiche`", "refused where the table leads there, or to neither"
    return f"| `{name}` | {told.decides} | {_column(kind, name)} | {needed} | {cost} |"


def _column(kind: str, name: str) -> str:
    """Return what the column holds, with the keys that its options may stand for."""
    if name in LOOKUPS:
        return f"lookup to {' or '.join(sorted(LOOKUPS[name])) or 'any row'}"
    holds = field_type(FULL[kind], name)
    if holds is bool:
        return f"yes or no, or a choice of {', '.join(f'`{key}`' for key in TRUTHS)}"
    keys = choice_keys(KINDS[kind], name)
    if keys is not None:
        chosen = "choice" if name in MUST_BE_CHOICE.get(kind, ()) else "text or choice"
        return f"{chosen}: {', '.join(f'`{key}`' for key in keys)}"
    if name in MUST_BE_CHOICE.get(kind, ()):
        return "choice: the schedule's keys" if name == "categories" else "choice: keys of the organisation's own"
    return "image" if name == "image" else _TYPES.get(holds, "text")
