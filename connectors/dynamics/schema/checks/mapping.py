"""The mapping against the CRM's metadata: does every table, column, option and relationship exist, and is it
what we take it for?

Errors stop every command (exit 3), because a wrong column could end a term too early; what the mapping gives
no key is a warning (`unmapped_options.py`, `reference_rows.py`), since such units are kept and named in the
report (R-161)."""

from collections.abc import Iterator
from dataclasses import replace

from connectors.dynamics.mapping.mapping import Column, Condition, Mapping, Table
from connectors.dynamics.schema.checks.columns import check_column
from connectors.dynamics.schema.checks.findings import error, type_of, types_of
from connectors.dynamics.schema.checks.lookups import check_behind, check_owners, check_roles, check_second_lookups
from connectors.dynamics.schema.checks.unmapped_columns import check_emptied
from connectors.dynamics.schema.conditions import CONDITION_TYPES, TRUTH_WORDS, value_of
from connectors.dynamics.schema.metadata import TTL, Metadata, TableDefinition
from connectors.interface.errors import Finding
from rules.files.suggestions import asked, nearest, suggestion
from rules.model.kinds import LOOKUPS


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
        *check_emptied(table, mapping, metadata),
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
            findings.extend(check_column(table, placed, attribute, definition, mapping, metadata))
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
    if definition.is_virtual:
        told = f"{table.name} is a virtual table: its rows are kept elsewhere, and no version tells whether one has changed"
        yield error(f"{told}. See to them where they are kept; {remedy}.", table.where, "type")
    elif definition.is_elastic:
        told = f"{table.name} is an elastic table: the CRM deletes its rows in no change set, and not by their id alone"
        yield error(f"{told}. Let them end by themselves ({TTL}); {remedy}.", table.where, "type")


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
        yield error(f"{place} is {type_of(attribute)}; only takes {types_of(CONDITION_TYPES)}.", condition.where, "type")
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
            told = f"{place} is {type_of(attribute)}, and cannot be {text[:60]}{asked(like) or '.'}"
            yield error(told, condition.where, "no_option", like)
            continue
        if attribute.options is not None and int(text) not in attribute.options:
            like = suggestion(text, map(str, attribute.options))
            yield error(f"{place} has no option {text}{asked(like) or '.'}", condition.where, "no_option", like)


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
