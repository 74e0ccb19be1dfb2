"""YAML text -> Mapping; every mistake is named by file, line and field, all of them at once (R-161)."""

from functools import lru_cache
from itertools import chain

from pydantic import ValidationError

from connectors.dynamics.mapping.checks import can_be_further, check_mapping, part_path
from connectors.dynamics.mapping.dependent_tables import dependent_tables, known_dependent
from connectors.dynamics.mapping.mapping import (
    ANSWERS,
    MASKED_KINDS,
    Choice,
    Column,
    Condition,
    Decided,
    Mapping,
    Reference,
    Table,
    class_of,
    mappable_fields,
)
from connectors.dynamics.mapping.mapping_file import SCHEMA, TEXTS, AnonymisePart, DecidedPart, MappingFile, ReferencePart, TablePart
from connectors.dynamics.mapping.masks import MaskedColumn, Masks
from rules.errors import MappingError
from rules.files.yaml_lines import Document, Path, Problem, read_yaml
from rules.files.yaml_models import problems_of, without_mistakes
from rules.model.kinds import Kinds, with_further
from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS, Record

ONLY_PART = (0,)  # the place of a kind's only table, which stands in no list


@lru_cache(maxsize=4)  # a mapping is read again for every job, and is the same nearly always
def parse_mapping(text: str, source: str) -> Mapping:
    """Return the mapping in a text; `source` is the name used for places in it. Raises MappingError: with
    every mistake, each with its line."""
    mapping, problems = examine_mapping(text, source)
    if problems or mapping is None:
        lines = "\n".join(f"  {source}:{problem.line}: {problem}" for problem in problems)
        count = f"{len(problems)} mistake{'s' if len(problems) > 1 else ''}"
        raise MappingError(f"The mapping has {count}:\n{lines}", where=f"{source}:{problems[0].line}")
    return mapping


def examine_mapping(text: str, source: str) -> tuple[Mapping | None, list[Problem]]:
    """Return what a text says without its mistakes, so that the rest can be compared with a CRM (None:
    nothing of it is usable), and every mistake, top down."""
    document = read_yaml(text, as_written=True)
    file, problems = _read(document)
    told = {(problem.line, problem.text): problem for problem in reversed(problems)}  # once, also where an alias repeats it
    return _Built(document, source).mapping(_known(file)) if file is not None else None, sorted(told.values())


def _read(document: Document) -> tuple[MappingFile | None, list[Problem]]:
    problems = document.problems
    if document.value is None:
        return None, problems
    try:
        file: MappingFile | None = MappingFile.model_validate(document.value)
    except ValidationError as error:
        problems = problems_of(document, MappingFile, error.errors(include_url=False), texts=TEXTS, kinds=ONLY_PART)
        file = without_mistakes(MappingFile, {**document.value, "schema": SCHEMA}) if isinstance(document.value, dict) else None
    if file is not None:
        problems = problems + [document.problem(*slip) for slip in check_mapping(file, document.lines.__contains__)]
    return file, problems


def _known(file: MappingFile) -> MappingFile:
    """Leave out kinds and fields that do not exist."""
    tables = {kind: tuple(_known_part(kind, part) for part in parts) for kind, parts in file.tables.items() if kind in KINDS}
    return file.model_copy(update={"tables": tables, "dependent": known_dependent(file.dependent, tables)})


def _known_part(kind: str, part: TablePart) -> TablePart:
    lean, personal = mappable_fields(KINDS[kind]), personal_fields(kind)
    columns = {name: column for name, column in part.columns.items() if name in lean}
    can_be_masked = kind in MASKED_KINDS and "anonymised_on" in columns
    return part.model_copy(
        update={
            "columns": columns,
            "personal": {name: column for name, column in part.personal.items() if name in personal},
            "texts": tuple(name for name in dict.fromkeys(part.texts) if can_be_further(kind, name)),
            "flags": {name: flags for name, flags in part.flags.items() if name in lean and flags},
            "fixed": {name: key for name, key in part.fixed.items() if name in lean},
            "many_to_many": {name: pairs for name, pairs in part.many_to_many.items() if name in lean},
            "anonymise": part.anonymise if can_be_masked else None,
        }
    )


class _Built:
    """The values of a mapping, each with its place in the file."""

    def __init__(self, document: Document, source: str) -> None:
        self._document, self._source = document, source

    def mapping(self, file: MappingFile) -> Mapping:
        own = list(dependent_tables(file.dependent, self._where))
        texts = {kind: tuple(dict.fromkeys(chain.from_iterable(part.texts for part in parts))) for kind, parts in file.tables.items()}
        wider = {kind: with_further(kind, found) for kind, found in texts.items() if found}
        mapped = {part.table for parts in file.tables.values() for part in parts}
        return Mapping(
            (
                *(
                    self._table(kind, parts, at, wider[kind].full if kind in wider else FULL[kind])
                    for kind, parts in file.tables.items()
                    for at in range(len(parts))
                ),
                *own,
            ),
            file.recording_media_types,
            file.app_url,
            file.copies,
            self._decided("stay", {name: part for name, part in file.stay.items() if name not in mapped}),
            self._decided("goes_along", file.goes_along),
            frozenset(mapped & file.stay.keys()),
            frozenset(file.beyond_reach),
            Kinds([table.own for table in own if table.own is not None], list(wider.values())),
        )

    def _decided(self, section: str, parts: dict[str, DecidedPart]) -> dict[str, Decided]:
        return {name: Decided(part.why, part.by, self._where(section, name)) for name, part in parts.items()}

    def _where(self, *path: str | int) -> str:
        return f"{self._source}:{self._document.line(path)}"

    def _table(self, kind: str, parts: tuple[TablePart, ...], index: int, full: type[Record]) -> Table:
        part, at = parts[index], part_path(kind, index, self._document.lines)

        def columns(section: str, names: dict[str, str]) -> dict[str, Column]:
            return {
                name: Column(
                    name,
                    column,
                    self._where(*at, section, name),
                    part.behaviour.get(name, ""),
                    self._choice((*at, "choices", name), part.choices[name]) if name in part.choices else None,
                    name in part.readable,
                    self._reference((*at, "references", name), part.references[name]) if name in part.references else None,
                    more=part.more.get(name, ()),
                    lines=tuple((other, self._where(*at, "more", name, index)) for index, other in enumerate(part.more.get(name, ()))),
                )
                for name, column in names.items()
            }

        flagged = {
            name: Column(
                name,
                next(iter(flags)),
                self._where(*at, "flags", name),
                flags=tuple(flags.items()),
                is_readable=name in part.readable,
                lines=tuple((column, self._where(*at, "flags", name, column)) for column in flags),
            )
            for name, flags in part.flags.items()
        }

        masks = self._masks((*at, "anonymise"), part.anonymise) if part.anonymise is not None else None
        lean, personal = columns("columns", part.columns) | flagged, columns("personal", part.personal)
        personal |= {
            name: Column(name, name, self._where(*at, "texts", index), is_readable=name in part.readable, holds="texts")
            for index, name in enumerate(part.texts)
        }
        record = KINDS[kind]
        if len(parts) > 1:
            record, full = class_of(record, part.table, index), class_of(full, part.table, index)
        only = tuple(Condition(column, values, self._where(*at, "only", column)) for column, values in part.only.items())
        pairs = columns("many_to_many", part.many_to_many)
        lines = {name: self._where(*at, "fixed", name) for name in part.fixed}
        return Table(
            kind, record, full, part.table, self._where(*at, "table"), lean, masks, personal, only, dict(part.fixed), pairs, lines=lines
        )

    def _reference(self, at: Path, part: ReferencePart) -> Reference:
        keys = {(value if part.by else value.strip("{}").lower()): key for value, key in part.keys.items()}
        where = {value: self._where(*at, "keys", value) for value in part.keys}
        return Reference(part.by, keys, where, self._where(*at, "by"))

    def _choice(self, at: Path, keys: dict[str, str]) -> Choice:
        values = {option: ANSWERS[option] if option in ANSWERS else int(option) for option in keys}
        return Choice({values[option]: key for option, key in keys.items()}, {values[option]: self._where(*at, option) for option in keys})

    def _masks(self, at: Path, masks: AnonymisePart) -> Masks:
        return Masks(
            self._where(*at),
            {name: MaskedColumn(name, technique, self._where(*at, "columns", name)) for name, technique in masks.columns.items()},
            {name: self._where(*at, "keeps", index) for index, name in enumerate(masks.keeps)},
            masks.owner,
            self._where(*at, "owner"),
            int(masks.state),
            int(masks.status) if masks.status is not None else None,
            self._where(*at, "state"),
        )
