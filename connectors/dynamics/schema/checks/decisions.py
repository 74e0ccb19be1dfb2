"""What a mapping decides by a word, that rows may stay or that a column goes along, against the CRM's
metadata: does it decide anything?"""

from collections.abc import Iterator

from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.schema.checks.columns import IMAGE_TYPES, TEXT_TYPES
from connectors.dynamics.schema.metadata import CASCADE, RESTRICT, Attribute, Metadata
from connectors.interface.errors import Finding
from rules.files.suggestions import asked, suggestion
from rules.model.kinds import OUTLIVING


def check_decisions(mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a warning for each table or column under `stay` and `goes_along` that the CRM lacks: the decision
    is about nothing, and the place that was meant stays unaccounted. So it does for rows that may stay and
    without which the CRM deletes nothing to which they point, or that it deletes along."""
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
            yield from _check_staying(name, column, decided.where, mapping, metadata)


def _fields_of(column: str, name: str, mapping: Mapping) -> list[str]:
    """Return the fields that a column fills, where it fills one for every kind of row of its table."""
    tables = mapping.named(name)
    found = [f"{table.kind}.{own.field}" for table in tables for own in (table.columns | table.personal).values() if column in own.names]
    return found if len({each.split(".")[0] for each in found}) == len({table.kind for table in tables}) else []


def _check_staying(child: str, column: str, where: str, mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield a warning for each lookup of a table whose rows may stay by which the CRM refuses to delete a row
    of ours: it would be planned, and refused, night after night. And for each by which it deletes them along:
    nobody counts them then."""
    for parent in sorted({table.name for table in mapping.tables}):
        definition = metadata.table(parent)
        for each in definition.children if definition is not None else ():
            if each.child != child or column not in ("", each.column):
                continue
            if each.on_delete == CASCADE:
                told = (
                    f"the CRM deletes rows of {child} that may stay along with rows of {parent}, by {each.column}, and no plan counts them"
                )
                remedy = "let the relationship remove the link only where they have to stay, else take it from here"
                yield Finding(False, f"{told}: {remedy}.", where, "conflict")
            elif each.on_delete == RESTRICT:
                told = f"{child}.{each.column} keeps the CRM from deleting a row of {parent} to which a row that may stay points"
                remedy = "it waits as SKIPPED_TECHNICAL until the relationship removes the link instead, or the table is mapped"
                yield Finding(False, f"{told}: {remedy}.", where, "kept")


def _check_stays(attribute: Attribute, table: str, where: str, mapping: Mapping) -> Iterator[Finding]:
    """Yield a warning for a column that goes with its row where the row may stay without what it says of
    somebody: nothing empties what is not a field."""
    named = mapping.named(table)
    kinds = sorted({each.kind for each in named if each.kind in OUTLIVING or (each.own is not None and each.own.emptied)})
    if kinds and attribute.is_filled and attribute.kind in TEXT_TYPES | IMAGE_TYPES:
        told = f"{table}.{attribute.name} stays as it is where a {kinds[0]} is emptied and not deleted (RET-20)"
        remedy = ": name it under texts if it may speak of a case." if attribute.kind in TEXT_TYPES else "."
        yield Finding(False, told + remedy, where, "kept")
