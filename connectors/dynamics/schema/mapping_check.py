"""The mapping against the CRM's metadata: does every table, column, option and relationship exist, and is it
what we take it for?

Errors stop every command (exit 3), because a wrong column could end a term too early; what the mapping gives
no key is a warning (`unmapped_options.py`, `reference_rows.py`), since such units are kept and named in the
report (R-161)."""

from collections.abc import Iterator
from collections.abc import Mapping as Values
from dataclasses import replace
from datetime import date, datetime

from connectors.dynamics.mapping.mapping import (
    MUST_BE_CHOICE,
    ONE_TABLE,
    TRUTHS,
    Choice,
    Column,
    Condition,
    Mapping,
    Table,
    field_type,
    referred_fields,
)
from connectors.dynamics.schema.conditions import CONDITION_TYPES, TRUTH_WORDS, value_of
from connectors.dynamics.schema.lookups_check import check_behind, check_owners, check_roles, check_second_lookups
from connectors.dynamics.schema.metadata import CHOICE_TYPES, LOOKUP_TYPES, RESTRICT, WHOLE_NUMBERS, Attribute, Metadata, TableDefinition
from connectors.dynamics.schema.role_places import RolePlace, place_of
from connectors.dynamics.schema.unmapped_options import options_of
from connectors.interface.errors import Finding
from rules.anonymisation.techniques import APPLIED, ColumnType, check_technique
from rules.files.suggestions import asked, nearest, suggestion
from rules.model.kinds import LOOKUPS, OUTLIVING

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
_TEXT_TYPES = frozenset({"StringType", "MemoType", "UniqueidentifierType", "EntityNameType"})
_IMAGE_TYPES = frozenset({"ImageType", "FileType"})
STANDARD_NUMBERS = frozenset({"participationtypemask"})  # what its numbers mean is the same in every CRM
PLATFORM_NUMBERS = frozenset({"participation"})  # the options of such a column are the platform's own, the same everywhere
BODIES = frozenset({"annotation.documentbody", "activitymimeattachment.body"})  # files in base64, in columns of text
_EXPECTED = {
    bool: frozenset({"BooleanType"}),
    int: WHOLE_NUMBERS,
    float: WHOLE_NUMBERS | {"MoneyType", "DecimalType", "DoubleType"},
    bytes: _IMAGE_TYPES | {"MemoType"},
}
_VERSION = "versionnumber"  # of every table but virtual ones
_TTL = "ttlinseconds"
_OF_ELASTIC = frozenset({"partitionid", _TTL})
# Days that are never the one on which the row was made: a term that counts from them would end too early.
_OTHER_DAYS = frozenset({"closed_on", "proceedings_ended_on", "birth_on", "deceased_on", "anonymised_on"})


def check_mapping(mapping: Mapping, metadata: Metadata) -> list[Finding]:
    """Return what the mapping names and the CRM lacks, or has otherwise."""
    return [finding for table in mapping.tables for finding in check_table(table, mapping, metadata)]


def check_table(table: Table, mapping: Mapping, metadata: Metadata) -> list[Finding]:
    """Return the same for one table."""
    definition = metadata.table(table.name)
    if definition is None:
        like = metadata.meant(table.name, metadata.names())
        return [error(f"The CRM has no table {table.name} ({table.kind}){asked(like) or '.'}", table.where, "no_table", like)]
    findings: list[Finding] = [
        *_check_kind_of_table(table, definition),
        *_check_links(table, definition, mapping),
        *check_roles(table, definition, mapping, metadata),
        *check_second_lookups(table, definition, mapping, metadata),
        *check_owners(table, definition, mapping),
        *check_behind(table, mapping, metadata),
    ]
    for column in (*table.columns.values(), *table.personal.values()):
        for name in column.names:
            attribute, where = definition.attributes.get(name), column.place(name)
            placed = column if where == column.where else replace(column, where=where)
            if attribute is None:
                like = metadata.meant(name, definition.attributes, table.name)
                told = f"The table {table.name} has no column {name} ({table.kind}.{column.field}){asked(like) or '.'}"
                findings.append(error(told, placed.where, "no_column", like))
                continue
            findings.extend(_check_security(table, placed, attribute))
            if column.flags or name not in column.keyed:
                findings.extend(_check_flag(table, placed, attribute))
            elif column.reference is not None:
                findings.extend(_check_reference(table, placed, attribute, metadata))
            elif column.field in LOOKUPS and attribute.kind == "UniqueidentifierType" and place_of(table, mapping, metadata).is_derived:
                findings.extend(_check_key(table, placed, definition, mapping, metadata))
            else:
                findings.extend(_check_column(table, placed, attribute, mapping, metadata))
                findings.extend(_check_masking(table, placed, attribute, definition))
    for condition in table.only:
        findings.extend(_check_condition(table, condition, definition))
    for column in table.pairs.values():
        findings.extend(_check_pairs(table, column, definition, mapping, metadata))
    return findings


def _check_kind_of_table(table: Table, definition: TableDefinition) -> Iterator[Finding]:
    """Yield a finding where rows cannot be deleted in one with what they belong to: those of a virtual table
    are kept elsewhere and have no version, those of an elastic one are in no change set and not found by
    their id alone (Microsoft Learn, "Create and use elastic tables"). A plan could be made, and no run would
    come to its end."""
    remedy = "leave it out, with a word under stay if its rows point to ours"
    if _VERSION not in definition.attributes:
        told = f"{table.name} is a virtual table: its rows are kept elsewhere, and no version tells whether one has changed"
        yield error(f"{told}. See to them where they are kept; {remedy}.", table.where, "type")
    elif definition.attributes.keys() >= _OF_ELASTIC:
        told = f"{table.name} is an elastic table: the CRM deletes its rows in no change set, and not by their id alone"
        yield error(f"{told}. Let them end by themselves ({_TTL}); {remedy}.", table.where, "type")


def _check_condition(table: Table, condition: Condition, definition: TableDefinition) -> Iterator[Finding]:
    """Yield findings for a column that tells which rows of a table are meant: rows would otherwise be out of
    scope, or in it, without anybody having said so."""
    attribute = definition.attributes.get(condition.column)
    if attribute is None:
        like = suggestion(condition.column, definition.attributes)
        told = f"The table {table.name} has no column {condition.column} (only){asked(like) or '.'}"
        yield error(told, condition.where, "no_column", like)
        return
    place = f"{table.name}.{condition.column}"
    if attribute.kind not in CONDITION_TYPES:
        yield error(f"{place} is {_named(attribute)}; only takes {_names(CONDITION_TYPES)}.", condition.where, "type")
        return
    if attribute.secured:
        yield error(f"{place} is secured: which rows are meant could look otherwise.", condition.where, "secured")
    for text in condition.values:
        try:
            value_of(attribute, text)
        except ValueError:
            by_label = {label.casefold(): str(value) for value, label in (attribute.options or {}).items()}
            known = TRUTH_WORDS if attribute.kind == "BooleanType" else by_label.values()
            like = by_label.get(nearest(text[:60], by_label) or "") or suggestion(text[:60], known)
            told = f"{place} is {_named(attribute)}, and cannot be {text[:60]}{asked(like) or '.'}"
            yield error(told, condition.where, "no_option", like)
            continue
        if attribute.options is not None and int(text) not in attribute.options:
            like = suggestion(text, map(str, attribute.options))
            yield error(f"{place} has no option {text}{asked(like) or '.'}", condition.where, "no_option", like)


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


def _check_pairs(table: Table, column: Column, definition: TableDefinition, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield findings for a field that is filled from pairs: they tie the table to one of what the field
    names."""
    place = f"{table.kind}.{column.field}"
    link = definition.link(column.name)
    if link is None:
        like = suggestion(column.name, [each.table for each in definition.links])
        told = f"{table.name} has no many-to-many relationship with pairs in {column.name} ({place}){asked(like) or '.'}"
        yield error(told, column.where, "no_table", like)
        return
    other = link.other(table.name)
    wanted = {each.name for kind in LOOKUPS.get(column.field, ()) for each in mapping.of(kind)}
    if wanted and other not in wanted:
        yield error(f"The pairs in {column.name} tie {table.name} to {other}, not to {' or '.join(sorted(wanted))}.", column.where, "type")
    reference = column.reference
    target = metadata.table(other) if reference is not None and reference.by else None
    if target is not None and reference is not None and reference.by not in target.attributes:
        like = suggestion(reference.by, target.attributes)
        yield error(f"The table {other} has no column {reference.by} ({place}){asked(like) or '.'}", reference.by_where, "no_column", like)


def _check_links(table: Table, definition: TableDefinition, mapping: Mapping) -> Iterator[Finding]:
    """Yield a finding where the table of links by which rows belong to others does not tie them."""
    if table.own is None or not table.links:
        return
    links = {link.table: link.other(table.name) for link in definition.links}
    named = [each.name for each in mapping.tables if each.kind in table.own.above]
    if table.links not in links:
        like = suggestion(table.links, links)
        told = f"The table {table.name} has no N:N relationship by {table.links}{asked(like) or '.'}"
        yield error(told, table.lines["links"], "no_table", like)
    elif links[table.links] not in named:
        told = f"{table.links} ties {table.name} to {links[table.links]}, not to {' or '.join(named)}."
        yield error(told, table.lines["links"], "type")


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


def _check_column(table: Table, column: Column, attribute: Attribute, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    kind = field_type(table.full, column.field)
    place = f"{table.name}.{attribute.name}"
    if column.holds == "texts" and place_of(table, mapping, metadata).is_derived:
        yield error(f"{place} is not a text of a role: name it under the kind that {table.name} is mapped to.", column.where, "conflict")
    elif column.is_lookup:
        yield from _check_lookup(table, column, attribute, mapping, metadata)
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
            yield error(f"{place} is {_named(attribute)}; a choice is needed.", column.where, "type")
    elif column.choice is not None:
        yield from _check_choice(table, column, attribute)
    elif kind in (date, datetime):
        yield from _check_date(table, column, attribute)
    else:
        expected = _EXPECTED.get(kind, _IMAGE_TYPES if column.field == "image" else _TEXT_TYPES)
        if column.field in PLATFORM_NUMBERS and attribute.kind == "PicklistType":
            return
        if attribute.kind in CHOICE_TYPES:
            yield error(f"{place} is a choice: {table.kind}.{column.field} needs its option values under choices.", column.where, "missing")
        elif attribute.kind not in expected:
            yield error(f"{place} is {_named(attribute)}; {table.kind}.{column.field} needs {_names(expected)}.", column.where, "type")


def _check_flag(table: Table, column: Column, attribute: Attribute) -> Iterator[Finding]:
    if attribute.kind != "BooleanType":
        told = f"{table.name}.{attribute.name} is {_named(attribute)}; a flag of {table.kind}.{column.field} is yes or no."
        yield error(told, column.where, "type")


def _check_reference(table: Table, column: Column, attribute: Attribute, metadata: Metadata) -> Iterator[Finding]:
    """Yield findings for a lookup to a table of reference: it points to one table, which has the column by
    which its rows are told apart."""
    place, reference = f"{table.name}.{attribute.name}", column.reference
    assert reference is not None
    if attribute.kind not in LOOKUP_TYPES or len(attribute.targets) != 1:
        told = f"{place} is {_named(attribute)}; a reference of {table.kind}.{column.field} is a lookup to one table."
        yield error(told, column.where, "type")
        return
    (target,) = attribute.targets
    definition = metadata.table(target) if reference.by else None
    if reference.by and (definition is None or reference.by not in definition.attributes):
        like = suggestion(reference.by, definition.attributes if definition else ())
        told = f"The table {target} has no column {reference.by} ({table.kind}.{column.field}){asked(like) or '.'}"
        yield error(told, reference.by_where, "no_column", like)


def _check_date(table: Table, column: Column, attribute: Attribute) -> Iterator[Finding]:
    place = f"{table.name}.{attribute.name}"
    if attribute.kind != "DateTimeType":
        yield error(f"{place} is {_named(attribute)}; {table.kind}.{column.field} needs a date.", column.where, "type")
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


def _check_choice(table: Table, column: Column, attribute: Attribute) -> Iterator[Finding]:
    place = f"{table.name}.{attribute.name}"
    choice = column.choice
    assert choice is not None
    if attribute.name in STANDARD_NUMBERS and attribute.kind == "IntegerType":
        return
    allowed = CHOICE_TYPES if column.field == "categories" else CHOICE_TYPES - {"MultiSelectPicklistType"}
    if attribute.kind not in allowed and attribute.kind != "BooleanType":
        told = f"{place} is {_named(attribute)}; {table.kind}.{column.field} needs a choice, or yes and no"
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
        yield error(f"{place} is {_named(attribute)}; {table.kind}.{column.field} needs a lookup.", column.where, "type")
        return
    wanted = frozenset({"contact"}) if column.holds == "people" else frozenset(table.own.above) if table.own else LOOKUPS[column.field]
    mapped = (each.name for each in mapping.tables if each.kind in wanted)
    named = {name for name in mapped if metadata.table(name) is not None}  # one that the CRM lacks is told by itself
    targets = set(attribute.targets)
    if column.field == "activity":
        named.add("activitypointer")
    if not targets:
        yield error(f"The CRM names no relationship for the lookup {place}.", column.where, "type")
    elif wanted and named and not named & targets:
        yield error(
            f"The lookup {place} points to {', '.join(sorted(targets))}, not to {' or '.join(sorted(named))}.", column.where, "type"
        )


def check_decisions(mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a warning for each table or column under `stay` and `goes_along` that the CRM lacks: the decision
    is about nothing, and the place that was meant stays unaccounted. So it does for rows that may stay and
    without which the CRM deletes nothing to which they point."""
    for place, decided in (*mapping.stay.items(), *mapping.goes_along.items()):
        name, _, column = place.partition(".")
        definition = metadata.table(name)
        if definition is None:
            like = suggestion(name, metadata.names())
            yield Finding(False, f"The CRM has no table {name}{asked(like) or '.'}", decided.where, "no_table", like)
        elif column and column not in definition.attributes:
            like = suggestion(column, definition.attributes)
            yield Finding(False, f"The table {name} has no column {column}{asked(like) or '.'}", decided.where, "no_column", like)
        elif column and place in mapping.goes_along and (fields := _fields_of(column, name, mapping)):
            told = f"{place} fills {' and '.join(fields)}, so what stands here decides nothing: it is read, and searched, all the same."
            yield Finding(False, told, decided.where, "conflict")
        elif column and place in mapping.goes_along:
            yield from _check_stays(definition.attributes[column], name, decided.where, mapping)
        elif place in mapping.stay:
            yield from _check_restricting(name, column, decided.where, mapping, metadata)


def _fields_of(column: str, name: str, mapping: Mapping) -> list[str]:
    """Return the fields that a column fills, where it fills one for every kind of row of its table."""
    tables = mapping.named(name)
    found = [f"{table.kind}.{own.field}" for table in tables for own in (table.columns | table.personal).values() if column in own.names]
    return found if len({each.split(".")[0] for each in found}) == len({table.kind for table in tables}) else []


def _check_restricting(child: str, column: str, where: str, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a warning for each lookup of a table whose rows may stay by which the CRM refuses to delete a row
    of ours: it would be planned, and refused, night after night."""
    for parent in sorted({table.name for table in mapping.tables}):
        definition = metadata.table(parent)
        for each in definition.children if definition is not None else ():
            if each.child == child and column in ("", each.column) and each.on_delete == RESTRICT:
                told = f"{child}.{each.column} keeps the CRM from deleting a row of {parent} to which a row that may stay points"
                remedy = "it waits as SKIPPED_TECHNICAL until the relationship removes the link instead, or the table is mapped"
                yield Finding(False, f"{told}: {remedy}.", where, "kept")


def _check_stays(attribute: Attribute, table: str, where: str, mapping: Mapping) -> Iterator[Finding]:
    """Yield a warning for a column that goes with its row where the row may stay without what it says of
    somebody: nothing empties what is not a field."""
    kinds = sorted({each.kind for each in mapping.named(table)} & OUTLIVING)
    if kinds and attribute.is_filled and attribute.kind in _TEXT_TYPES | _IMAGE_TYPES:
        told = f"{table}.{attribute.name} stays as it is where a {kinds[0]} is emptied and not deleted (RET-20)"
        remedy = ": name it under texts if it may speak of a case." if attribute.kind in _TEXT_TYPES else "."
        yield Finding(False, told + remedy, where, "kept")


def error(message: str, where: str, code: str, suggestion: str = "") -> Finding:
    """Return a finding that stops every command."""
    return Finding(True, message, where, code, suggestion)


def _named(attribute: Attribute) -> str:
    return attribute.kind.removesuffix("Type")


def _names(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kind.removesuffix("Type") for kind in kinds))
