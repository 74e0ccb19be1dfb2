"""The data map of one CRM, made from its own definitions, its counts and the mapping."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import chain, product

from connectors.dynamics.datamap.fates import Verdict, of_column, of_table
from connectors.dynamics.datamap.reach import Reached, reached
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.reading.lanes import side_by_side
from connectors.dynamics.residual.platform_rows import TIMELINE
from connectors.dynamics.residual.unmapped_children import PLATFORM
from connectors.dynamics.schema.checks.unmapped_pairs import is_left_out
from connectors.dynamics.schema.columns_about_nobody import is_about_nobody
from connectors.dynamics.schema.conditions import rest_of
from connectors.dynamics.schema.counts import column_counts, count_where, total_count
from connectors.dynamics.schema.metadata import Attribute, Metadata, column_queried
from connectors.dynamics.schema.privileges import readable_columns
from connectors.dynamics.schema.role_places import RolePlace, other_connections, place_of
from connectors.dynamics.schema.unmapped_tables import FAILED, Directory, KnownTable, NotOffered
from connectors.interface.errors import ConnectorError, Forbidden, ReadIncomplete, Unreachable
from rules.model.data_map import DataMap, Fate, MapPlace
from rules.model.kinds import FILES

CONDITIONS = 100  # of one question
KEPT_FOR_S = 600.0  # how long a survey of tables counts as of now


class Survey:
    """Looks at one CRM; what it has seen counts for some minutes."""

    def __init__(
        self,
        transport: Transport,
        mapping: Mapping,
        metadata: Metadata,
        directory: Directory,
        whoami: Callable[[], str],
        *,
        sees_to_documents: bool = False,
    ) -> None:
        self._whoami, self._sees_to_documents = whoami, sees_to_documents
        self._transport, self._mapping, self._metadata, self._directory = transport, mapping, metadata, directory
        self._seen: tuple[float, DataMap] | None = None
        self._starts = list(dict.fromkeys(table.name for table in mapping.tables if table.kind != "statistic"))

    def tables(self) -> DataMap:
        """Return the tables alone; of the platform's own only those with texts of people are counted. Raises
        as `Connector.data_map`."""
        now = self._transport.gate.timeline.now()
        if self._seen is None or now - self._seen[0] > KEPT_FOR_S:
            found, verdicts = self._reached(PLATFORM - TIMELINE.keys())
            places = tuple(self._place(found[name], verdict) for name, verdict in verdicts.items())
            ties = tuple(tie for each in found.values() for tie in each.ties)
            self._seen = now, DataMap(tuple(sorted(places, key=lambda place: place.name)), ties, tuple(TIMELINE))
        return self._seen[1]

    def whole(self) -> DataMap:
        """Return tables and columns, all counted. Raises as `Connector.data_map`."""
        found, verdicts = self._reached(())
        places: list[MapPlace] = []
        for name, verdict in sorted(verdicts.items()):
            table = found[name]
            if self._mapping.named(name):
                table.rows = self._count(name, ())
            places.append(self._place(table, verdict))
            if verdict[0] is not Fate.PLATFORM and table.rows != 0:
                places += sorted(self._columns(table, verdict), key=lambda place: place.name)
        return DataMap(tuple(places), tuple(tie for each in found.values() for tie in each.ties), tuple(TIMELINE))

    def unsearched_columns(self) -> tuple[str, ...]:
        """Return the columns of mapped tables that have values and from which no field is filled, as
        `kind.column`, whatever becomes of them; a condition of the mapping tells what stands in its column.
        Raises as `Connector.data_map`."""
        found: list[str] = []
        for name in self._starts:
            tables = self._mapping.named(name)
            definition, known = self._metadata.table(name), self._directory.table(name)
            if definition is None or known is None:
                continue
            named = self._mapping.used(name) | {each.column for table in tables for each in table.only} | self._mapping.leading(name).keys()
            columns = [
                each
                for each in definition.attributes.values()
                if each.is_filled and each.name not in named and not is_about_nobody(each, definition)
            ]
            hidden = self._hidden(columns)
            if hidden and self._count(name, ()) != 0:
                found += [f"{tables[0].kind}.{column}" for column in hidden]
            seen = [each.queried for each in columns if each.name not in hidden]
            found += [f"{tables[0].kind}.{column}" for column in self._with_values(known, seen)]
        return tuple(sorted(found))

    def _hidden(self, columns: Collection[Attribute]) -> set[str]:
        """Return those of the columns that the CRM secures and that this account may not read: they look
        empty, whatever is in them."""
        secured = [each for each in columns if each.secured]
        readable = (readable_columns(self._transport, self._whoami()) or ()) if secured else ()
        return {each.name for each in secured if each.id not in readable}

    def _with_values(self, table: KnownTable, columns: list[str]) -> Iterator[str]:
        """Yield those of the columns in which any row has a value, halving them: most CRMs use few of the
        hundreds that a standard table has. One that cannot be asked about may have some."""
        if not columns:
            return
        try:
            if (
                self._directory.is_empty(table, " or ".join(f"{column} ne null" for column in columns[:CONDITIONS]))
                and len(columns) <= CONDITIONS
            ):
                return
        except NotOffered:
            yield from map(column_queried, columns)
            return
        except ConnectorError as failure:
            if failure.status != 400:
                raise
        if len(columns) == 1:
            yield column_queried(columns[0])
            return
        half = len(columns) // 2
        yield from self._with_values(table, columns[:half])
        yield from self._with_values(table, columns[half:])

    def _reached(self, uncounted: Collection[str]) -> tuple[dict[str, Reached], dict[str, Verdict]]:
        there = self._directory

        def count(name: str, lookups: Collection[str]) -> int | None:
            return None if name in uncounted else self._count(name, [f"_{lookup}_value" for lookup in lookups])

        found = reached(list(there.known(self._starts)), PLATFORM, self._metadata, count)
        known = {name: found[name] for name in there.known(found)}
        verdicts: dict[str, Verdict] = {}
        of_ours = [definition for name in self._starts if (definition := self._metadata.table(name)) is not None]
        left_out = {link.table for each in of_ours for link in each.links if is_left_out(link, self._mapping)}

        def judge(table: Reached) -> Verdict:
            return of_table(table, verdicts, self._mapping, sees_to_documents=self._sees_to_documents, left_out=left_out)

        while (judged := {name: judge(table) for name, table in known.items()}) != verdicts:
            verdicts = judged  # what does not go keeps back what goes with it, in whichever order they were found
        return found, verdicts

    def _place(self, table: Reached, verdict: Verdict) -> MapPlace:
        in_no_unit = (self._beyond(table.name), self._loose(table.name), self._in_anonymised(table.name), self._of_dossiers(table.name))
        return MapPlace(table.name, None, table.path, table.rows, *verdict, *in_no_unit)

    def _beyond(self, name: str) -> int | None:
        """Return how many rows of a mapped table are of none of its kinds. Connections that are not roles are
        such rows, whoever wrote what into them."""
        tables = self._mapping.named(name)
        definition = self._metadata.table(name) if tables else None
        if definition is None:
            return 0
        conditions = [
            other_connections(table, definition, self._mapping, self._metadata)
            if place_of(table, self._mapping, self._metadata) is RolePlace.CONNECTION
            else rest_of(table, definition)
            for table in tables
        ]
        return self._count(name, (), " and ".join(conditions)) if conditions and all(conditions) else 0

    def _loose(self, name: str) -> int | None:
        """Return how many rows of a dependent table belong to nothing: all lookups that say so are empty. Not
        of tables whose rows have a term of their own or outlive what they belonged to, or of which something
        else than the rows says what they belong to."""
        tables = [table for table in self._mapping.named(name) if table.own is not None and not table.is_tied]
        own = next((table.own for table in tables if table.own is not None and not table.own.term and not table.own.emptied), None)
        if own is None:
            return 0
        lookups = [tables[0].columns[field].name for field in own.lookups]
        return self._count(name, (), " and ".join(f"_{lookup}_value eq null" for lookup in lookups))

    def _in_anonymised(self, name: str) -> int | None:
        """Return how many rows of a dependent table belong to a dossier or lone fiche that is anonymised:
        somebody put them there since. Not of tables whose rows have a term of their own, or of which
        something else than the rows says what they belong to."""
        own = next((table for table in self._mapping.named(name) if table.own is not None and not table.is_tied), None)
        if own is None or own.own is None or own.own.term or (definition := self._metadata.table(name)) is None:
            return 0
        conditions: list[str] = []
        for file in (table for kind in FILES for table in self._mapping.of(kind) if "anonymised_on" in table.columns):
            lone = f"_{file.columns['dossier'].name}_value eq null" if "dossier" in file.columns else ""
            for way in {definition.navigation(own.columns[field].name, file.name) for field in own.own.lookups} - {""}:
                since = f"{way}/{file.columns['anonymised_on'].name} ne null"
                conditions.append(f"({since} and {way}/{lone})" if lone else since)
        return self._count(name, (), " or ".join(conditions)) if conditions else 0

    def _of_dossiers(self, name: str) -> int | None:
        """Return how many recordings belong to a dossier, or a fiche, by a lookup that is mapped for the
        other of them alone: they are out of scope, and nobody is looked for in them."""
        conditions: list[str] = []
        tables = [table for table in self._mapping.named(name) if table.kind == "recording"]
        for table, (kind, other) in product(tables, (FILES, FILES[::-1])):
            column, own, definition = table.columns.get(kind), table.columns.get(other), self._metadata.table(name)
            if definition is None or column is None or (own is not None and own.name == column.name):
                continue
            files = (file for each in self._mapping.of(other) if (file := self._metadata.table(each.name)) is not None)
            ways = ((definition.navigation(column.name, file.name), file.primary_id) for file in files)
            conditions += [f"{way}/{key} ne null" for way, key in ways if way]
        return self._count(name, (), " or ".join(conditions)) if conditions else 0

    def _columns(self, table: Reached, verdict: Verdict) -> Iterator[MapPlace]:
        definition = self._metadata.table(table.name)
        mapped = self._mapping.looked_at(table.name)
        if definition is None:
            return
        attributes = [each for each in definition.attributes.values() if not is_about_nobody(each, definition)]
        fates = {each.name: of_column(each, definition, verdict, mapped, self._mapping) for each in attributes}
        open_ones = [each.name for each in attributes if mapped and fates[each.name][0] is Fate.UNACCOUNTED]
        counts: dict[str, int | None] = dict.fromkeys(self._hidden([definition.attributes[name] for name in open_ones]))
        counts |= self._with_value(table.name, [definition.attributes[name].queried for name in open_ones if name not in counts])
        for name, (fate, why) in fates.items():
            yield MapPlace(table.name, name, table.path, counts.get(name, table.rows), fate, why)

    def _with_value(self, name: str, columns: Sequence[str]) -> dict[str, int | None]:
        """Return how many rows have a value in each of some columns, as `_count` counts them, by logical
        name: many in one question, and several questions at the same time."""
        reads = [partial(self._counts, name, columns[at : at + CONDITIONS]) for at in range(0, len(columns), CONDITIONS)]
        gate = self._transport.gate
        return dict(side_by_side(reads, gate.governor.readers, gate.timeline))

    def _counts(self, name: str, columns: Sequence[str]) -> Iterator[tuple[str, int | None]]:
        table, names, counts = self._directory.table(name), [*map(column_queried, columns)], None
        try:
            if table is not None and not self._directory.is_empty(table, " or ".join(f"{column} ne null" for column in columns)):
                counts = column_counts(self._transport, table.set_name, name, names)
            else:
                counts = dict.fromkeys(names, 0)
        except (NotOffered, Forbidden):
            pass
        except ConnectorError as failure:
            if failure.status != 400:
                raise
            if len(columns) > 1:  # one of them cannot be filtered by
                half = len(columns) // 2
                yield from chain(self._counts(name, columns[:half]), self._counts(name, columns[half:]))
                return
        for column, queried in zip(names, columns, strict=True):
            yield column, self._count(name, [queried]) if counts is None else counts[column]

    def _count(self, name: str, columns: Collection[str], condition: str = "") -> int | None:
        """Return how many rows have a value in one of some columns, or meet a condition, all rows without
        either, at most 5,000; None where this account may not look and the CRM does not say either, or takes
        no such condition."""
        table, given = self._directory.table(name), condition
        if table is None:
            return 0
        condition = condition or " or ".join(f"{column} ne null" for column in columns)
        try:
            if self._directory.is_empty(table, condition):
                return 0
            return count_where(self._transport, table.set_name, table.primary_id, name, condition, table.again)
        except NotOffered as refusal:
            total = None if refusal.has_failed else total_count(self._transport, name)
            return None if given and total else total
        except ConnectorError as failure:
            if table.is_virtual and isinstance(failure, Unreachable | ReadIncomplete):
                return None
            if failure.status not in FAILED:
                raise
            # A column that cannot be filtered by: a file, an image. Else another system has the rows.
            return None if given or not condition else self._count(name, ())
