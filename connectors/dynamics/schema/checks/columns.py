"""Each column that the mapping names against the CRM's metadata: is it what the field that it fills needs?"""

from collections.abc import Iterator
from collections.abc import Mapping as Values
from datetime import date, datetime

from connectors.dynamics.mapping.mapping import (
    MUST_BE_CHOICE,
    ONE_TABLE,
    TRUTHS,
    Choice,
    Column,
    Mapping,
    Table,
    field_type,
    referred_fields,
)
from connectors.dynamics.schema.checks.findings import error, type_of, types_of
from connectors.dynamics.schema.checks.unmapped_options import options_of
from connectors.dynamics.schema.metadata import CHOICE_TYPES, LOOKUP_TYPES, WHOLE_NUMBERS, Attribute, Metadata, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, place_of
from connectors.interface.errors import Finding
from rules.anonymisation.techniques import APPLIED, ColumnType, check_technique
from rules.files.suggestions import asked, nearest, suggestion
from rules.model.kinds import FILES, LOOKUPS, OUTLIVING

# Dataverse's names of column types, in the words of the masking techniques.
COLUMN_TYPES = {
    "StringType": ColumnType.STRING,
    "MemoType": ColumnType.MEMO,
    "IntegerType": ColumnType.INT,
    "DecimalType": ColumnType.DECIMAL,
    "MoneyType": ColumnType.MONEY,
    "BooleanType": ColumnType.BOOL,
    "DateTimeType": ColumnType.DATE,
    "PicklistType": ColumnType.CHOICE,
    "MultiSelectPicklistType": ColumnType.CHOICES,
    "LookupType": ColumnType.LOOKUP,
    "FileType": ColumnType.FILE,
    "ImageType": ColumnType.IMAGE,
    "UniqueidentifierType": ColumnType.GUID,
}
TEXT_TYPES = frozenset({"StringType", "MemoType", "UniqueidentifierType", "EntityNameType"})
IMAGE_TYPES = frozenset({"ImageType", "FileType"})
STANDARD_NUMBERS = frozenset({"participationtypemask"})  # what its numbers mean is the same in every CRM
PLATFORM_NUMBERS = frozenset({"participation"})  # the options of such a column are the platform's own, the same everywhere
BODIES = frozenset({"annotation.documentbody", "activitymimeattachment.body"})  # files in base64, in columns of text
_EXPECTED = {
    bool: frozenset({"BooleanType"}),
    int: WHOLE_NUMBERS,
    float: WHOLE_NUMBERS | {"MoneyType", "DecimalType", "DoubleType"},
    bytes: IMAGE_TYPES | {"MemoType"},
}
# Days that are never the one on which the row was made: a term that counts from them would end too early.
_OTHER_DAYS = frozenset({"closed_on", "proceedings_ended_on", "transmitted_on", "birth_on", "deceased_on", "anonymised_on"})


def check_column(
    table: Table, column: Column, attribute: Attribute, definition: TableDefinition, mapping: Mapping, metadata: Metadata
) -> Iterator[Finding]:
    """Yield what is wrong with one column that the CRM has, for the field that it fills."""
    yield from _check_security(table, column, attribute)
    if column.flags or attribute.name not in column.keyed:
        yield from _check_flag(table, column, attribute)
    elif column.reference is not None:
        yield from _check_reference(table, column, attribute, metadata)
    elif column.field in LOOKUPS and attribute.kind == "UniqueidentifierType" and place_of(table, mapping, metadata).is_derived:
        yield from _check_key(table, column, definition, mapping, metadata)
    else:
        yield from _check_type(table, column, attribute, mapping, metadata)
        yield from _check_masking(table, column, attribute, definition)


def _check_security(table: Table, column: Column, attribute: Attribute) -> Iterator[Finding]:
    """Yield findings for secured columns, which look empty without an error to anybody who may not read them:
    a hold or a birth date would be overlooked."""
    if attribute.secured and not column.is_readable:
        yield error(
            f"{table.name}.{column.name} is secured: it looks empty to who may not read it. Give the application user a column security "
            f"profile that reads it, then list {column.field} under readable.",
            column.where,
            "secured",
        )


def _check_flag(table: Table, column: Column, attribute: Attribute) -> Iterator[Finding]:
    if attribute.kind != "BooleanType":
        told = f"{table.name}.{attribute.name} is {type_of(attribute)}; a flag of {table.kind}.{column.field} is yes or no."
        yield error(told, column.where, "type")


def _check_reference(table: Table, column: Column, attribute: Attribute, metadata: Metadata) -> Iterator[Finding]:
    """Yield findings for a lookup to a table of reference: it points to one table, which has the column by
    which its rows are told apart."""
    place, reference = f"{table.name}.{attribute.name}", column.reference
    assert reference is not None
    if attribute.kind not in LOOKUP_TYPES or len(attribute.targets) != 1:
        told = f"{place} is {type_of(attribute)}; a reference of {table.kind}.{column.field} is a lookup to one table."
        yield error(told, column.where, "type")
        return
    (target,) = attribute.targets
    definition = metadata.table(target) if reference.by else None
    if reference.by and (definition is None or reference.by not in definition.attributes):
        like = suggestion(reference.by, definition.attributes if definition else ())
        told = f"The table {target} has no column {reference.by} ({table.kind}.{column.field}){asked(like) or '.'}"
        yield error(told, reference.by_where, "no_column", like)


def _check_key(table: Table, column: Column, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield findings for a column of plain ids: of the row itself, or of one side of a pair."""
    wanted = [each.name for kind in LOOKUPS[column.field] for each in mapping.of(kind)]
    if place_of(table, mapping, metadata) is RolePlace.UNIT:
        right = [definition.primary_id] if table.name in wanted else []
    else:
        definitions = {name: metadata.table(name) for name in wanted}
        links = [(name, each.link(table.name)) for name, each in definitions.items() if each is not None]
        right = [link.column(name) for name, link in links if link is not None]
    if column.name not in right:
        told = f"{table.name}.{column.name} holds ids, and not those of a {column.field}"
        yield error(f"{told}{asked(right[0]) if right else '.'}", column.where, "type", right[0] if right else "")


def _check_type(table: Table, column: Column, attribute: Attribute, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    kind = field_type(table.full, column.field)
    place = f"{table.name}.{attribute.name}"
    if column.holds == "texts" and place_of(table, mapping, metadata).is_derived:
        yield error(f"{place} is not a text of a role: name it under the kind that {table.name} is mapped to.", column.where, "conflict")
    elif column.is_lookup:
        yield from _check_lookup(table, column, attribute, mapping, metadata)
        if column.field in FILES and place_of(table, mapping, metadata) is RolePlace.UNIT:
            yield from _check_own_row(table, column, mapping, metadata)
    elif attribute.kind in LOOKUP_TYPES and table.own is None and column.field in referred_fields(table.kind):
        yield error(
            f"{place} is a lookup: say under references what the rows to which it points stand for in {table.kind}.{column.field}.",
            column.where,
            "missing",
        )
    elif column.holds == "texts" and place in BODIES:
        yield error(f"{place} holds a file as letters, among which nobody is found: name it under files.", column.where, "type", "files")
    elif column.holds == "choices":
        if attribute.kind not in CHOICE_TYPES:
            yield error(f"{place} is {type_of(attribute)}; a choice is needed.", column.where, "type")
    elif column.choice is not None:
        yield from _check_choice(table, column, attribute)
    elif kind in (date, datetime):
        yield from _check_date(table, column, attribute)
    else:
        expected = _EXPECTED.get(kind, IMAGE_TYPES if column.field == "image" else TEXT_TYPES)
        if column.field in PLATFORM_NUMBERS and attribute.kind == "PicklistType":
            return
        if attribute.kind in CHOICE_TYPES:
            yield error(f"{place} is a choice: {table.kind}.{column.field} needs its option values under choices.", column.where, "missing")
        elif attribute.kind not in expected:
            yield error(f"{place} is {type_of(attribute)}; {table.kind}.{column.field} needs {types_of(expected)}.", column.where, "type")


def _check_date(table: Table, column: Column, attribute: Attribute) -> Iterator[Finding]:
    place = f"{table.name}.{attribute.name}"
    if attribute.kind != "DateTimeType":
        yield error(f"{place} is {type_of(attribute)}; {table.kind}.{column.field} needs a date.", column.where, "type")
    elif not attribute.behaviour and not column.behaviour:
        yield error(f"The behaviour of the date column {place} is unknown (DAT-09): state it under behaviour.", column.where, "behaviour")
    elif attribute.behaviour and column.behaviour and attribute.behaviour != column.behaviour:
        yield error(
            f"The date column {place} is {attribute.behaviour} in the CRM and {column.behaviour} in the mapping.",
            column.where,
            "behaviour",
            attribute.behaviour,
        )
    elif attribute.name == "createdon" and (column.field in _OTHER_DAYS or (table.kind, column.field) == ("engagement", "ended_on")):
        told = f"{place} is the day on which somebody made the row, which is never {table.kind}.{column.field}"
        yield Finding(False, f"{told}: what counts from it would end too early, or be told wrongly.", column.where, "conflict")
    elif attribute.name == "modifiedon":
        told = f"{place} becomes another day with each change of the row, whoever makes it and of whatever column"
        yield Finding(False, f"{told}: what counts from it ends late or never, or is told wrongly.", column.where, "conflict")


def _check_choice(table: Table, column: Column, attribute: Attribute) -> Iterator[Finding]:
    place = f"{table.name}.{attribute.name}"
    choice = column.choice
    assert choice is not None
    if attribute.name in STANDARD_NUMBERS and attribute.kind == "IntegerType":
        return
    allowed = CHOICE_TYPES if column.field == "categories" else CHOICE_TYPES - {"MultiSelectPicklistType"}
    if attribute.kind not in allowed and attribute.kind != "BooleanType":
        told = f"{place} is {type_of(attribute)}; {table.kind}.{column.field} needs a choice, or yes and no"
        if attribute.kind == "StringType" and table.kind not in ONE_TABLE and column.field in MUST_BE_CHOICE.get(table.kind, ()):
            told += "; where it is one of a few texts, have an entry for each key: name the texts under only, and their key under fixed"
        if attribute.kind == "MultiSelectPicklistType":
            told += ", of which a row has one: in the CRM, have a row for each, or a column of one choice"
        yield error(f"{told}.", column.where, "type")
        return
    options = options_of(attribute)
    if options is None:
        yield error(f"The CRM does not tell the options of {place}.", column.where, "no_option")
        return
    for option, key in choice.keys.items():
        if option not in options:
            free = {label.casefold(): value for value, label in options.items() if value not in choice.keys}
            like = str(free.get(nearest(key, free) or "", "")) or suggestion(str(option), map(str, free.values()))
            yield error(f"{place} has no option {option} ({key}){asked(like) or '.'}", choice.where[option], "no_option", like)
    if column.field == "is_active":
        yield from _check_open(place, column, choice, options)


def _check_open(place: str, column: Column, choice: Choice, options: Values[int, str]) -> Iterator[Finding]:
    """Yield that what is open would count as closed, and so end while somebody works on it: no option is left
    for it, or the state that the platform begins with is called inactive."""
    closed = {option for option, key in choice.keys.items() if not TRUTHS.get(key, True)}
    if closed.issuperset(options):
        yield error(f"every option of {place} stands for inactive: what is open would count as closed.", column.where, "conflict")
    elif column.name == "statecode" and 0 in closed:
        told = f"0 of {place} ({options.get(0, '')}) is where the CRM has what is open, and stands for inactive here"
        yield Finding(False, f"{told}: what is open would count as closed.", choice.where[0], "conflict")


def _check_lookup(table: Table, column: Column, attribute: Attribute, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    place = f"{table.name}.{attribute.name}"
    if attribute.kind not in LOOKUP_TYPES:
        yield error(f"{place} is {type_of(attribute)}; {table.kind}.{column.field} needs a lookup.", column.where, "type")
        return
    wanted = frozenset({"contact"}) if column.holds == "people" else frozenset(table.own.above) if table.own else LOOKUPS[column.field]
    mapped = (each.name for each in mapping.tables if each.kind in wanted)
    named = {name for name in mapped if metadata.table(name) is not None}  # one that the CRM lacks is told by itself
    targets = set(attribute.targets)
    if column.field == "activity":
        named.add("activitypointer")
    if not targets:
        yield error(f"The CRM names no relationship for the lookup {place}.", column.where, "type")
    elif column.field == "activity" and table.own is None and not named & targets:
        told = f"The lookup {place} points to {', '.join(sorted(targets))}, and none of these is mapped as {' or '.join(sorted(wanted))}"
        yield error(f"{told}. Map one of them so, or leave {table.kind} out.", column.where, "missing")
    elif wanted and named and not named & targets:
        yield error(
            f"The lookup {place} points to {', '.join(sorted(targets))}, not to {' or '.join(sorted(named))}.", column.where, "type"
        )


def _check_own_row(table: Table, column: Column, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a finding where a role that is a lookup of a dossier or fiche is that of another row than its
    own: that row would have no role, and somebody else's dossier would have one too many."""
    definition = metadata.table(table.name)
    if definition is None or any(table.columns[kind].name == definition.primary_id for kind in FILES if kind in table.columns):
        return
    kind = next(kind for kind in FILES if any(each.name == table.name for each in mapping.of(kind)))
    told = f"{table.name}.{column.name} leads to another row, and a role that is a column of a {kind} is one in that {kind} itself"
    yield error(f"{told}: map {definition.primary_id} as party.{kind}.", column.where, "conflict", definition.primary_id)


def _check_masking(table: Table, column: Column, attribute: Attribute, definition: TableDefinition) -> Iterator[Finding]:
    """Yield a finding for each masked column that cannot take the result of its technique, which empties or
    fills it (section 5.3)."""
    technique = APPLIED.get(table.kind, {}).get(column.field)
    if column.holds == "texts" and table.kind in OUTLIVING:
        technique = "drop_text"
    if column.field == "picture" and ("image" not in table.columns or table.columns["image"].name != column.name):
        told = f"{table.name}.{column.name} stays as it is where a {table.kind} is emptied and not deleted (RET-20): let it fill image too."
        yield Finding(False, told, column.where, "kept")
    if technique is None:
        return
    if table.kind in OUTLIVING and not attribute.is_filled:
        told = f"{table.name}.{column.name} cannot be emptied where the row stays: the CRM makes it from others"
        yield error(f"{told}. Leave it out of {'texts' if column.holds else 'the mapping'}.", column.where, "masking")
    kind = COLUMN_TYPES.get(attribute.kind, attribute.kind)
    unique = any(column.name in key for key in definition.keys.values())
    problem = check_technique(technique, kind, max_length=None, required=attribute.required, unique=unique)
    if problem is not None:
        yield error(f"{table.name}.{column.name} cannot be masked: {problem}.", column.where, "masking")
