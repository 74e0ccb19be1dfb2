"""Rows of unmapped tables that depend on rows of ours: which of them the CRM deletes along, and which would
stay behind.

The CRM's relationships show it. What it only unlinks, or leaves with a dangling id, would survive its owner
without anybody knowing; the mapping may name such columns under `stay`. Documents in SharePoint are never
deleted with the row that records where they are stored, so that row counts as one that would stay unless
somebody removes them before. Source: the reference, section 11.1 and 11.2; ERA-12, lines 4 and 5; R-158."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from math import inf

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import CONNECTION
from connectors.dynamics.mapping.mapping import Mapping as TableMapping
from connectors.dynamics.residual.platform_rows import JOBS, TIMELINE
from connectors.dynamics.schema.checks.lookups import NEEDING
from connectors.dynamics.schema.checks.unmapped_pairs import is_left_out
from connectors.dynamics.schema.conditions import rest_of
from connectors.dynamics.schema.counts import total_count
from connectors.dynamics.schema.metadata import CASCADE, RESTRICT, Link, Metadata, Relationship
from connectors.dynamics.schema.role_places import OTHER_HALF
from connectors.dynamics.schema.unmapped_tables import FAILED, Directory, KnownTable, NotOffered
from connectors.interface.errors import warn_once
from connectors.interface.remains import DependentRow, RowKey
from rules.model.kinds import LOOKUPS

# What the platform keeps beside rows: cleaned afterwards, or ids without a value, or another view of rows
# that are looked at by themselves.
PLATFORM = frozenset(
    {
        *JOBS,
        *TIMELINE,
        *("audit", "deleteditemreference", "fileattachment", "imagedescriptor", "activitypointer", "activityparty", "sharepointdocument"),
        *("principalobjectattributeaccess", "principalobjectaccess", "userentityinstancedata", "mailboxtrackingfolder"),
        *("bulkdeleteoperation", "workflowlog", "importlog", "postregarding", "postrole", "actioncard", "slakpiinstance"),
    }
)
DOCUMENTS = "sharepointdocumentlocation"
_TAKEN_ALONG = (
    "the CRM would delete rows of {child} along with rows of {parent} that are to go, by {column}, which fills no field then: "
    "empty it, or let the relationship remove the link only"
)
_NAMED_IN = (
    "rows of {child} that stay name rows of {parent} that are to go, by {column}, which fills no field: map it, as a role for "
    "example, or name {child}.{column} under goes_along where it says nothing"
)
_LEFT_OUT = (
    "the CRM would delete rows of {child} that are out of scope along with rows of {parent} that are to go, by {column}: "
    "empty it, or let the relationship remove the link only"
)
_LEFT_OUT_NAMING = (
    "rows of {child} that are out of scope name rows of {parent} that are to go, by {column}: "
    "name {child} under stay where they may stay without"
)
_NAMED_BY = (
    "rows of {parent} that are anonymised in place do not count as anonymised while rows of {person} lead to them ({column}): "
    "empty it in the CRM (ERA-02)"
)
_DOCUMENTS_STAY = (
    "documents in SharePoint depend on rows of {parent} that are to go, and nobody removes them: "
    "name their sites in the setting sharepoint_sites"
)
_ONLY_EMPTIED = (
    "documents in SharePoint depend on rows of {parent} that are to go, and {column} is only emptied then: "
    "let the relationship cascade on delete, as the platform makes it"
)
# How long nobody is asked again whether any row of a table that nobody maps would stay behind. What the CRM
# deletes along, and what may have to stay, is looked for each time: a row that is made meanwhile would go.
KNOWN_FOR_S = 600.0


def _lookup(column: str) -> str:
    return f"_{column}_value"


def _takes_connections(each: Relationship) -> bool:
    """Return whether connections go with a row, before anybody looks at its timeline: those of its roles are
    written by us, and the others have a history and are in the bin too."""
    return each.child == CONNECTION and each.on_delete == CASCADE


def _is_other_half(each: Relationship) -> bool:
    """Return whether this is how the two halves of a connection name each other: deleting one deletes
    both."""
    return each.parent == each.child == CONNECTION and each.column == OTHER_HALF


class Children:
    """The relationships from tables that are not mapped to tables of which rows are deleted, in one CRM."""

    def __init__(
        self,
        transport: Transport,
        mapping: TableMapping,
        metadata: Metadata,
        directory: Directory,
        warnings: list[str],
        *,
        sees_to_documents: bool,
    ) -> None:
        """`sees_to_documents`: the caller removes documents before the rows that say where they are."""
        self._transport, self._mapping, self._metadata = transport, mapping, metadata
        self._directory, self._warnings, self._sees_to_documents = directory, warnings, sees_to_documents
        # Table and column -> when somebody looked whether any row depends on anything by it, and none did.
        self._seen: dict[tuple[str, str], tuple[float, bool]] = {}

    def dependent_rows(self, rows: Collection[RowKey], *, restricting: bool = False) -> list[DependentRow]:
        """Return what depends on these rows, at any depth. Raises as `Connector.dependent_rows`. What
        depends on a row that is deleted along is deleted or stays with it; each is reported for the row of a
        mapped table at its root. A row of a mapped table that the CRM would delete along, by a lookup that
        fills no field, is reported as one that stays, also where it is one of these rows."""
        roots = {key: key for key in rows}
        found: list[DependentRow] = []
        level = list(roots)
        while level:
            below = [
                DependentRow(each.row, roots[each.on], cascades=each.cascades) if each.on in roots else each
                for each in self._on(level, restricting=restricting)
                if each.row not in roots
                or (self._is_ours(each) and not self._leads(each))  # two halves of a connection depend on each other
            ]
            found += below
            fresh = {each.row: each.on for each in below if each.cascades and each.row[1] and each.row not in roots}
            roots |= fresh
            level = list(fresh)
        return found

    def depended_on(self, tables: Collection[str]) -> set[str]:
        """Return those of these tables on whose rows others may depend at all, as `dependent_rows` finds
        them: where all the tables below one are empty, none of its ids has to be looked for. What may not be
        looked at may depend on them. Raises as `Connector.dependent_rows`."""
        return {parent for parent in tables if any(self._links(parent)) or self._has_any(parent)}

    def taken_along(self) -> frozenset[str]:
        """Return the lookups, as table.column, by which the CRM deletes rows along with one of a mapped
        table; those under `stay` are among them."""
        definitions = (self._metadata.table(table.name) for table in self._mapping.tables)
        children = (each for definition in definitions if definition is not None for each in definition.children)
        return frozenset(f"{each.child}.{each.column}" for each in children if each.on_delete == CASCADE and each.child not in PLATFORM)

    def tied_to_people(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return those of these rows, which remain, that a contact leads to by a lookup of its own, by pairs,
        or by a row which may stay and names it: of a row that is deleted the CRM would have removed either.
        Raises as `Connector.tied_to_people`."""
        people = {table.name for table in self._mapping.of("contact")}
        by_table: defaultdict[str, list[str]] = defaultdict(list)
        for name, row in rows:
            by_table[name].append(row)
        found: set[RowKey] = set()
        for parent, ids in by_table.items():
            if (definition := self._metadata.table(parent)) is None:
                continue
            children = [each for each in definition.children if each.child in people or self._stays(each)]
            places = {(each.child, each.child, _lookup(each.column)) for each in children}
            places |= {(each.table, each.other(parent), each.column(parent)) for each in definition.links if each.other(parent) in people}
            for name, person, column in sorted(places):
                naming = "" if name != person or name in people else self._naming(name, people)
                tied = self._leading(name, column, ids, naming) if naming is not None else set[str]()
                if tied:
                    warn_once(self._warnings, _NAMED_BY.format(person=person, parent=parent, column=f"{name}.{column}"))
                found |= {(parent, row) for row in tied}
        return found

    def _stays(self, each: Relationship) -> bool:
        """Return whether somebody decided that rows which point to others by this may stay."""
        return not self._mapping.stay.keys().isdisjoint((each.child, f"{each.child}.{each.column}"))

    def _naming(self, name: str, people: Collection[str]) -> str | None:
        """Return the condition by which rows of a table name somebody; None where none of them can. A lookup
        that may lead to other rows than people counts where it leads to one."""
        own = self._metadata.table(name)
        known = [definition for person in people if (definition := self._metadata.table(person)) is not None]
        named = {
            f"{way}/{definition.primary_id} ne null" if way else f"{_lookup(each.column)} ne null"
            for definition in known
            for each in definition.children
            if each.child == name
            for way in [own.navigation(each.column, definition.name) if own is not None else ""]
        }
        return f"({' or '.join(sorted(named))})" if named else None

    def _leading(self, name: str, column: str, ids: Collection[str], also: str) -> set[str]:
        """Return those of these ids that rows of a table name in a column; all where nobody may look."""
        table = self._directory.table(name)
        if table is None:
            return set()
        try:
            return {str(row[column]).lower() for row in self._directory.rows(table, column, ids, column, also, FAILED)}
        except NotOffered as refusal:
            return set() if self._is_counted_empty(name, refusal) else {*ids}

    def _is_counted_empty(self, name: str, refusal: NotOffered) -> bool:
        """Return whether the CRM counts no row of a table into which it let nobody look; of one whose rows
        another system has no number is its own."""
        return not refusal.has_failed and total_count(self._transport, name) == 0

    def _has_any(self, parent: str) -> bool:
        columns = self._columns(parent, restricting=False)
        known = self._directory.known(name for name, _ in columns)
        try:
            return not all(self._is_empty(known[name], _lookup(column)) for name, column in columns if name in known)
        except NotOffered:
            return True

    def _is_ours(self, each: DependentRow) -> bool:
        return not each.cascades and bool(self._mapping.named(each.row[0]))

    def _leads(self, each: DependentRow) -> bool:
        """Return whether a row that goes too points to this one, which is behind it: the lookup is emptied
        first."""
        return any(lead.name == each.on[0] for lead in self._mapping.leading(each.row[0]).values())

    def _on(self, rows: Collection[RowKey], *, restricting: bool) -> list[DependentRow]:
        """Return what depends on these rows by one relationship."""
        by_table: defaultdict[str, list[str]] = defaultdict(list)
        for name, row in rows:
            by_table[name].append(row)
        found: list[DependentRow] = []
        for parent, ids in by_table.items():
            columns = self._columns(parent, restricting=restricting)
            known = self._directory.known(name for name, _ in columns)
            for (name, column), cascades in columns.items():
                if name in known:
                    found += self._of(known[name], column, parent, ids, cascades=cascades, restricting=restricting)
            found += self._tied(parent, ids)
        return found

    def _tied(self, parent: str, ids: Collection[str]) -> list[DependentRow]:
        """Return the rows that a table of links ties to these: the pair goes, and they would stay. Of pairs
        among dossiers, fiches and people that nothing reads, the pair itself keeps its row: nobody knows whom
        it is needed by."""
        found: list[DependentRow] = []
        for link, pairs, other in self._links(parent):
            if not other:
                found += self._paired(pairs, link, parent, ids)
                continue
            near = link.column(parent)
            far = link.two_column if near == link.one_column else link.one_column
            try:
                tied = list(self._directory.rows(pairs, near, ids, f"{near},{far}"))
            except NotOffered:
                tied = [{near: row, far: ""} for row in ids] if total_count(self._transport, pairs.name) != 0 else []
            found += [DependentRow((other, str(row[far]).lower()), (parent, str(row[near]).lower()), cascades=False) for row in tied]
        if found:
            self._warn(f"rows of {found[0].row[0]} are tied to rows of {parent} that are to go", "", found[0].row[0])
        return found

    def _links(self, parent: str) -> Iterator[tuple[Link, KnownTable, str]]:
        """Yield each table of links that ties rows of a table to what would stay, with its pairs and the
        table on the other side; without the latter where the pair itself is what stays."""
        definition = self._metadata.table(parent)
        mapped = {table.name for table in self._mapping.tables}
        for link in definition.links if definition else ():
            other, pairs = link.other(parent), self._directory.table(link.table)
            if pairs is not None and is_left_out(link, self._mapping):
                yield link, pairs, ""
            elif pairs is not None and other not in mapped | PLATFORM and other not in self._mapping.stay:
                yield link, pairs, other

    def _paired(self, pairs: KnownTable, link: Link, parent: str, ids: Collection[str]) -> list[DependentRow]:
        """Return the pairs of a table of links in which these rows stand, on either side."""
        sides = [column for side, column in ((link.one, link.one_column), (link.two, link.two_column)) if side == parent]
        found: list[DependentRow] = []
        for near in sides:
            try:
                rows = [(str(row[pairs.primary_id]), str(row[near])) for row in self._directory.rows(pairs, near, ids, near)]
            except NotOffered:
                rows = [("", row) for row in ids] if total_count(self._transport, pairs.name) != 0 else []
            found += [DependentRow((pairs.name, pair.lower()), (parent, row.lower()), cascades=False) for pair, row in rows]
        return found

    def _columns(self, parent: str, *, restricting: bool) -> Mapping[tuple[str, str], bool]:
        """Return table and lookup of each relationship to look at, and whether its rows go along."""
        definition = self._metadata.table(parent)
        mapped = {table.name for table in self._mapping.tables if not table.only}
        return {
            (each.child, each.column): _is_other_half(each)
            or (each.on_delete == CASCADE and (each.child != DOCUMENTS or self._sees_to_documents))
            for each in (definition.children if definition else ())
            # What restricts a delete is refused by the CRM itself.
            if (
                each.child not in mapped | PLATFORM
                or _is_other_half(each)
                or _takes_connections(each)
                # A row that is masked takes none of ours along.
                or (
                    not restricting
                    and self._is_unread(each.child, each.column, parent)
                    and (each.on_delete == CASCADE or self._names_somebody(each))
                )
            )
            and (restricting or each.on_delete != RESTRICT)
            and (
                each.on_delete == CASCADE or _is_other_half(each) or not self._mapping.named(each.child) or self._names_somebody(each)
            )  # else they stay, and are not ours
            and not self._stays(each)
        }

    def _names_somebody(self, each: Relationship) -> bool:
        """Return whether a lookup of dossiers, fiches, roles, recordings or gifts and the like leads to
        people, and nobody has decided that it says nothing: whoever it names is needed, although nothing
        reads it, or not in rows that are out of scope. Those may be said to stay."""
        is_said = each.child in self._mapping.left_out and not self._is_unread(each.child, each.column, each.parent)
        needed = any(table.kind in NEEDING for table in self._mapping.looked_at(each.child))
        is_person = any(table.name == each.parent for table in self._mapping.of("contact"))
        return needed and is_person and not is_said and f"{each.child}.{each.column}" not in self._mapping.goes_along

    def _is_unread(self, child: str, column: str, parent: str) -> bool:
        """Return whether rows of ours point to those of a table by a lookup that fills no field, or none when
        it leads there, as that of a call about a person: nobody has judged them by it, and where the CRM
        deletes them along they may have to stay."""
        tables = self._mapping.looked_at(child) if child not in PLATFORM | {CONNECTION} else ()
        filled = [field for each in tables for field, filling in (each.columns | each.personal).items() if column in filling.names]
        kinds = {each.kind for each in self._mapping.looked_at(parent)}
        return bool(tables) and not any(not (meant := LOOKUPS.get(field)) or kinds & meant for field in filled)

    def _of(
        self, table: KnownTable, column: str, parent: str, ids: Collection[str], *, cascades: bool, restricting: bool
    ) -> list[DependentRow]:
        is_unread = self._is_unread(table.name, column, parent)
        lookup, beyond = _lookup(column), "" if is_unread else self._beyond(table.name)
        try:
            if not (cascades or is_unread or beyond) and self._is_empty(table, lookup):
                return []
            rows = list(self._directory.rows(table, lookup, ids, lookup, beyond, FAILED))
        except NotOffered as refusal:
            if self._is_counted_empty(table.name, refusal):
                return []
            self._warn(f"{table.name}.{column} points to {parent}, and its rows cannot be looked at: {refusal.reason}", column, table.name)
            # Of a table that failed nobody knows whether the CRM takes its rows along, nor what they leave in
            # history and bin: for a moment any table may fail.
            if cascades and not refusal.has_failed and (restricting or not self._takes_ours(table.name)):
                return []
            return [DependentRow((table.name, ""), (parent, row), cascades=False) for row in ids]
        found = [
            DependentRow((table.name, str(row[table.primary_id]).lower()), (parent, str(row[lookup]).lower()), cascades=cascades)
            for row in rows
        ]
        if is_unread:
            kept = [DependentRow(each.row, each.on, cascades=False) for each in found if each.row != each.on]
            is_meant = column in self._mapping.leading(table.name)
            told = (_TAKEN_ALONG if cascades else _NAMED_IN).format(child=table.name, column=column, parent=parent)
            if kept and not is_meant:
                warn_once(self._warnings, told)
            return kept
        if beyond:  # out of scope: not to be deleted, and the CRM would
            told = (_LEFT_OUT if cascades else _LEFT_OUT_NAMING).format(child=table.name, column=column, parent=parent)
            if found:
                warn_once(self._warnings, told)
            return [DependentRow(each.row, each.on, cascades=False) for each in found]
        if found and not cascades:
            if table.name == DOCUMENTS and not self._sees_to_documents:
                warn_once(self._warnings, _DOCUMENTS_STAY.format(parent=parent))
            elif table.name == DOCUMENTS and parent != DOCUMENTS:
                warn_once(self._warnings, _ONLY_EMPTIED.format(column=f"{table.name}.{column}", parent=parent))
            else:
                self._warn(f"rows of {table.name} would stay behind without rows of {parent} that are to go", column, table.name)
        elif found and restricting:
            self._warn(f"rows of {table.name} would stay with rows of {parent} that are masked or emptied", column, table.name)
        return found

    def _takes_ours(self, name: str) -> bool:
        """Return whether rows of a table, or what the CRM deletes along with them at any depth, may be files,
        roles, people and the like: where nobody sees these rows, nobody knows whose."""
        level, seen = {name}, {name}
        while level:
            if any(table.kind in {*NEEDING, "contact"} for each in level for table in self._mapping.looked_at(each)):
                return True
            level = {child for each in level for (child, _), cascades in self._columns(each, restricting=False).items() if cascades} - seen
            seen |= level
        return False

    def _beyond(self, name: str) -> str:
        """Return the filter of the rows of a mapped table that are of none of its kinds; empty for a table
        that is not mapped."""
        definition = self._metadata.table(name)
        return " and ".join(rest_of(table, definition) for table in self._mapping.named(name)) if definition is not None else ""

    def _is_empty(self, table: KnownTable, lookup: str) -> bool:
        """Return whether no row of a table depends on anything by a lookup; that some do is as well known for
        a while: it costs no more than to look for nothing."""
        now = self._transport.gate.timeline.now()
        at, is_empty = self._seen.get((table.name, lookup), (-inf, False))
        if now - at >= KNOWN_FOR_S:
            is_empty = self._directory.is_empty(table, f"{lookup} ne null", FAILED)
            self._seen[table.name, lookup] = now, is_empty
        return is_empty

    def _warn(self, message: str, column: str, table: str) -> None:
        place = f"{table}.{column}" if column else table
        warn_once(self._warnings, f"{message}; map the table, or name {place} under `stay` in the mapping")
