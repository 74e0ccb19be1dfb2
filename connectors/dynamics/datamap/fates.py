"""What becomes of each table that was reached, and of its columns.

A table goes along where every relationship that leads from it to a row of ours removes it with that row, or
is named under `stay`; else its rows would be left behind, and it is unaccounted until somebody maps it or
decides that it may stay (R-158). A column of a mapped table is accounted for by a field, a technique, or a
decision."""

from collections.abc import Collection
from collections.abc import Mapping as Values

from connectors.dynamics.datamap.reach import FAR_SIDE, LINKS_ONLY, Reached
from connectors.dynamics.mapping.mapping import CONNECTION, Decided, Mapping, Table
from connectors.dynamics.residual.unmapped_children import DOCUMENTS, PLATFORM
from connectors.dynamics.schema.columns_about_nobody import is_about_nobody
from connectors.dynamics.schema.metadata import CASCADE, NO_CASCADE, RESTRICT, Attribute, TableDefinition
from rules.model.data_map import Fate, Tie

Verdict = tuple[Fate, str]

_SAID = "said in the mapping"


def of_table(
    table: Reached, parents: Values[str, Verdict], mapping: Mapping, *, sees_to_documents: bool, left_out: Collection[str]
) -> Verdict:
    """Return the fate of a table and why, from those of the tables that it leads to; one that is not among
    `parents` is taken to go. `sees_to_documents`: documents are removed before the rows that say where they
    lie. `left_out` are tables of pairs among dossiers, fiches and people that nothing reads."""
    if mapped := [each for each in mapping.tables if table.name in (each.name, each.links)]:
        return Fate.MAPPED, ", ".join(dict.fromkeys(map(_part, mapped)))
    for each in mapping.tables:
        for column in each.pairs.values():
            if column.name == table.name:
                return Fate.MAPPED, f"tables.{each.kind}.many_to_many.{column.field}"
    if table.name in PLATFORM:
        return Fate.PLATFORM, "kept by the CRM itself"
    if decided := mapping.stay.get(table.name):
        return Fate.STAYS, _stays(decided, table)
    if table.name in left_out:
        return Fate.UNACCOUNTED, f"pairs of {_names(table.ties)} that the mapping does not read"
    if all(tie.on_delete == LINKS_ONLY for tie in table.ties):
        return Fate.GOES_ALONG, f"pairs, removed by the CRM with {_names(table.ties)}"
    left = [
        tie
        for tie in table.ties
        if not _removes(tie, parents, sees_to_documents=sees_to_documents) and f"{tie.child}.{tie.column}" not in mapping.stay
    ]
    if left:
        return Fate.UNACCOUNTED, _left_behind(left[0], sees_to_documents=sees_to_documents)
    stays = [decided for tie in table.ties if (decided := mapping.stay.get(f"{tie.child}.{tie.column}")) is not None]
    if stays:
        return Fate.STAYS, _stays(stays[0], table)
    return Fate.GOES_ALONG, f"removed by the CRM with {_names(table.ties)}"


def _removes(tie: Tie, parents: Values[str, Verdict], *, sees_to_documents: bool) -> bool:
    if tie.child == tie.parent == DOCUMENTS:  # one may be below another of the same row; else its unit waits
        return sees_to_documents
    goes = parents.get(tie.parent, (Fate.GOES_ALONG, ""))[0] in (Fate.MAPPED, Fate.GOES_ALONG)
    return tie.on_delete == LINKS_ONLY or (goes and tie.on_delete == CASCADE and (tie.child != DOCUMENTS or sees_to_documents))


def _left_behind(tie: Tie, *, sees_to_documents: bool) -> str:
    if tie.child == DOCUMENTS and not sees_to_documents:
        return (
            "the documents stay in SharePoint when the row that tells where they lie goes: name their sites in the setting sharepoint_sites"
        )
    if tie.on_delete == RESTRICT:
        return f"{tie.column} keeps the CRM from deleting {tie.parent}"
    if tie.on_delete == FAR_SIDE:
        return f"only the pair goes with {tie.parent}"
    if tie.on_delete == CASCADE:
        return f"it goes with {tie.parent} alone, which does not go"
    if tie.on_delete == NO_CASCADE:
        return f"{tie.column} still has its id when {tie.parent} has gone"
    return f"{tie.column} is only emptied when {tie.parent} goes"


def of_column(attribute: Attribute, definition: TableDefinition, of_table: Verdict, mapped: Collection[Table], mapping: Mapping) -> Verdict:
    """Return the fate of a column and why; `mapped` is what the mapping says of its table, once for each
    kind."""
    fate, why = of_table
    if is_about_nobody(attribute, definition) and not (definition.name == CONNECTION and attribute.name in mapping.used(CONNECTION)):
        return Fate.PLATFORM, "kept by the CRM itself"
    if not mapped:
        return fate, why
    if (behind := mapping.leading(definition.name).get(attribute.name)) is not None:
        return Fate.MAPPED, f"{behind.place}.behind"
    for table in mapped:
        for section, columns in (("columns", table.columns), ("personal", table.personal)):
            for column in columns.values():
                if attribute.name in column.names:
                    place = column.holds or (f"{section}.{column.field}" if table.own is None else "belongs_to")
                    return Fate.MAPPED, f"{table.place}.{place}"
        if any(each.column == attribute.name for each in table.only):
            return Fate.MAPPED, f"{table.place}.only"
    if not attribute.is_filled:
        return Fate.GOES_ALONG, "the CRM makes it from other columns"
    if decided := mapping.goes_along.get(f"{definition.name}.{attribute.name}"):
        return Fate.GOES_ALONG, _reason(decided)
    for table in mapped:
        if table.masks is not None and attribute.name in table.masks.columns:
            return Fate.MASKED, f"{table.place}.anonymise: {table.masks.columns[attribute.name].technique}"
    return Fate.UNACCOUNTED, _unfilled(attribute, mapping)


def _unfilled(attribute: Attribute, mapping: Mapping) -> str:
    """Explain that no field is filled from a column; of a lookup also what becomes of the rows behind it,
    which nothing follows (a country, but a family too)."""
    told = "no field of the mapping is filled from it"
    behind = sorted(name for name in attribute.targets if not mapping.named(name))
    return f"{told}; rows of {', '.join(behind)} to which it points stay, and are not searched" if behind else told


def _part(table: Table) -> str:
    """Return what the mapping says of a table: a kind, and for which rows."""
    only = " and ".join(f"{each.column} is {' or '.join(each.values)}" for each in table.only)
    return table.place + (f" where {only}; others are out of scope" if only else "")


def _names(ties: list[Tie]) -> str:
    return ", ".join(dict.fromkeys(tie.parent for tie in ties))


def _stays(decided: Decided, table: Reached) -> str:
    """Return why a table stays, by which of its lookups the CRM then refuses to delete a row of ours, which
    it does not empty, and by which it deletes them along all the same."""
    restricting = (_left_behind(tie, sees_to_documents=True) for tie in table.ties if tie.on_delete in (RESTRICT, NO_CASCADE))
    along = (f"but the CRM deletes it along with {tie.parent}, by {tie.column}" for tie in table.ties if tie.on_delete == CASCADE)
    return "; ".join(dict.fromkeys((_reason(decided), *restricting, *along)))


def _reason(decided: Decided) -> str:
    return ", ".join(filter(None, (decided.why, decided.by))) or _SAID
