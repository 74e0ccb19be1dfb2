"""The CRM as jobs see it: the connector protocol, spoken over the Web API."""

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Values
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from connectors.dynamics.bulk_delete.deletes import MOST_ROWS, BulkDelete, Deleting
from connectors.dynamics.datamap.one_row import OneRow, one_row
from connectors.dynamics.datamap.survey import Survey
from connectors.dynamics.draft.draft import Draft, draft
from connectors.dynamics.draft.statistics_table import Creation, StatisticsTable, create
from connectors.dynamics.http.auth import TokenSource
from connectors.dynamics.http.clock import ENOUGH
from connectors.dynamics.http.environment import SHORTEST_ANSWER_S, Environment
from connectors.dynamics.http.query import any_of, guid
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import CONNECTION, KIND_FIELDS, Mapping, Table
from connectors.dynamics.pace.governor import ONE_AT_A_TIME, Pace
from connectors.dynamics.reading.cache_invalidation import WrittenRows
from connectors.dynamics.reading.file_columns import Contents
from connectors.dynamics.reading.id_paging import SetReading, read_set
from connectors.dynamics.reading.incremental import RememberingReader
from connectors.dynamics.reading.pairs import Pairs
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.reading.references import References
from connectors.dynamics.reading.role_filter import lone_halves
from connectors.dynamics.reading.table_cache import Memory
from connectors.dynamics.reading.tables import FittingTables
from connectors.dynamics.reading.ties import Ties
from connectors.dynamics.residual.binned_rows import LyingReader
from connectors.dynamics.residual.document_locations import DocumentLocations
from connectors.dynamics.residual.long_term import LongTerm
from connectors.dynamics.residual.traces import Places
from connectors.dynamics.residual.unmapped_children import Children
from connectors.dynamics.schema.capabilities import Capability, capabilities
from connectors.dynamics.schema.conditions import Scopes
from connectors.dynamics.schema.counts import total_count
from connectors.dynamics.schema.labels import labels
from connectors.dynamics.schema.mapping_check import check_decisions, check_mapping
from connectors.dynamics.schema.masks_check import check_masks, remnants
from connectors.dynamics.schema.metadata import Metadata, TableDefinition
from connectors.dynamics.schema.names import Naming
from connectors.dynamics.schema.privileges import RoleLine, answering_role, check_privileges, cleaning_role, least_role
from connectors.dynamics.schema.reference_rows import ReferenceRows
from connectors.dynamics.schema.role_places import ACTIVITY_ID, OTHER_HALF, RolePlace, swapped
from connectors.dynamics.schema.unmapped_columns import unaccounted_columns
from connectors.dynamics.schema.unmapped_tables import Directory, KnownTable, NotOffered
from connectors.dynamics.writing.batch import Prepared, prepare
from connectors.dynamics.writing.mask import Masking
from connectors.dynamics.writing.platform_rows import Removing
from connectors.dynamics.writing.pool import Pool
from connectors.interface import (
    Among,
    ChangeResult,
    ChangeSet,
    ChangeStatus,
    Content,
    DocumentLocation,
    Finding,
    Forbidden,
    Hanging,
    Held,
    Labels,
    Lying,
    Operation,
    OperationKind,
    Reach,
    ReadIncomplete,
    ReadStats,
    RowKey,
    Trace,
    Traces,
    Unauthorised,
)
from rules.anonymisation.anonymity import Remnant
from rules.dates.calendar import BRUSSELS
from rules.errors import UsageError
from rules.model.bypass import Bypass
from rules.model.data_map import DataMap
from rules.model.kinds import Kinds
from rules.model.records import KINDS, Party, Record, word_of

R = TypeVar("R", bound=Record)


class DynamicsConnector:
    """One environment and one account, or several that share the writing. Threads may read at the same time;
    `change` is for one thread at a time."""

    def __init__(
        self,
        environment: Environment,
        tokens: TokenSource,
        mapping: Mapping,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        memory: Memory | None = None,
        more_tokens: Sequence[TokenSource] = (),
        bulk_delete: BulkDelete = BulkDelete.OFF,
        pseudonym_key: bytes | None = None,
        sees_to_documents: bool = False,
    ) -> None:
        """Create the connector. With a `memory`, tables whose changes the CRM tracks may be read by what has
        changed since last time. `more_tokens` are those of further application users. `pseudonym_key` is that
        of the technique `hmac` where it outlives the run (ERA-05). `sees_to_documents`: documents in
        SharePoint are removed before the rows that say where they lie."""
        pace = replace(environment.pace, shared_by=1 + len(more_tokens))
        self.environment = environment = replace(environment, pace=pace)
        self.mapping, self._memory = mapping, memory
        self._written = WrittenRows(memory, self.table)
        self.stats = ReadStats()
        self._tokens = (tokens, *more_tokens)
        self._transport = Transport(environment, tokens, stats=self.stats, sleep=sleep, chance=chance)
        timeline = self._transport.gate.timeline
        self._others = [Transport(environment, one, stats=self.stats, timeline=timeline, chance=chance) for one in more_tokens]
        self.warnings: list[str] = []
        self._pool = Pool([self._transport, *self._others], self.warnings)
        wanted: dict[str, list[str]] = {}
        for table in mapping.tables:
            states = ("statecode", "statuscode") if table.masks else ()
            wanted.setdefault(table.name, []).extend((*table.used, *(each.column for each in table.only), *states))
        self._metadata = Metadata(self._transport, wanted)
        self._directory = directory = Directory(self._transport)
        self._scopes = Scopes(mapping, self._metadata, directory)
        references = References(directory)
        self._tables = FittingTables(mapping, self._metadata, references, self._scopes)
        self._pairs = Pairs(self._transport, self._metadata, references)
        self._masking = Masking(self._transport, mapping, self._metadata, self._tables.definition, pseudonym_key)
        self.deleting = Deleting(
            self._transport, mapping, self._tables.definition, read=self.read, user=self.whoami, mode=bulk_delete, warnings=self.warnings
        )
        removing = Removing(self._pool.send, environment.root_path, self._transport.retry.tries)
        self._places = Places(self._transport, directory, removing, self.whoami, self.warnings)
        self._contents = Contents(self._transport)
        self._ties = Ties(directory, mapping)
        self._lying = LyingReader(directory, self.warnings)
        self._long_term = LongTerm(directory)
        self._naming = Naming(self._transport, directory, self.warnings)
        self._children = Children(self._transport, mapping, self._metadata, directory, self.warnings, sees_to_documents=sees_to_documents)
        self._survey = Survey(self._transport, mapping, self._metadata, directory, sees_to_documents=sees_to_documents)
        self._locations = DocumentLocations(directory)

    def __enter__(self) -> "DynamicsConnector":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def recording_media_types(self) -> tuple[str, ...]:
        """The media types by which an attachment on a fiche is a recording (RET-05)."""
        return self.mapping.recording_media_types

    @property
    def all_kinds(self) -> Kinds:
        """The kinds of row of this organisation, its dependent tables included."""
        return self.mapping.kinds

    def check(self, *, in_place: bool = False, decisions: bool = False) -> list[Finding]:
        """Compare the mapping with the CRM's metadata: tables, columns, types, behaviour of dates, options,
        relations (DAT-09, R-161). With `in_place` also what masks rows: the policy anonymises in place; with
        `decisions` also whether the tables and columns that were decided about exist, and whether each row of
        a table of reference has a key."""
        self._metadata.load(table.name for table in self.mapping.tables)
        findings = check_mapping(self.mapping, self._metadata)
        if in_place:
            findings += [*check_masks(self.mapping, self._metadata), *self._masking.check_owners()]
        if decisions:
            findings += check_decisions(self.mapping, self._metadata)
            findings += ReferenceRows(self._transport, self._metadata, self._directory).check(self.mapping)
        return findings

    def check_privileges(self, needs: Values[type[Record], Collection[OperationKind]], bypass: Collection[Bypass] = ()) -> list[Finding]:
        """Return errors for required privileges that an application user lacks, warnings for optional ones.
        Each user is checked, since each writes."""
        users = list(zip((self._transport, *self._others), self._users(), strict=True))
        return check_privileges(users, self.mapping, self._metadata, needs, bypass)

    def least_role(self, needs: Values[type[Record], Collection[OperationKind]], bypass: Collection[Bypass] = ()) -> list[RoleLine]:
        """Return the privileges that are just enough for the jobs, by the names that this CRM has for them,
        including those that bypassing custom logic requires."""
        return least_role(self._transport, self.mapping, self._metadata, needs, bypass)

    def cleaning_role(self) -> list[RoleLine]:
        """Return the additional privileges that cleaning requires; where one is missing, a place is not
        reachable and the night continues."""
        return cleaning_role(self._transport)

    def answering_role(self) -> list[RoleLine]:
        """Return the additional privileges that answers to subject requests require; without one an answer
        states what it lacks, or waits."""
        return answering_role(self._transport, self.mapping)

    def capabilities(self) -> list[Capability]:
        """Return what this CRM can do that another cannot, with reasons."""
        found = capabilities(self._transport, self.mapping, self._metadata)
        return [*found, self.deleting.capability(), *self._places.capabilities()]

    def has(self, record: type[Record]) -> bool:
        """Return whether the organisation maps this kind of record at all."""
        return bool(self.mapping.tables_of(record))

    def table(self, record: type[Record]) -> str:
        """Return the table's logical name in the CRM, as plans and reports show it; our own word for a kind
        that is not mapped. Raises ValueError: rows of this kind come from several tables, and the class is
        that of none of them."""
        table = self.mapping.table(record)
        return table.name if table else word_of(record)

    def tables(self, record: type[Record]) -> tuple[str, ...]:
        """Return the logical names of all tables from which records of this class come; our own word for a
        kind that is not mapped."""
        return tuple(dict.fromkeys(table.name for table in self.mapping.tables_of(record))) or (word_of(record),)

    def records(self, table: str) -> tuple[type[Record], ...]:
        """Return the classes of the records that come from a table, one for each kind that it holds."""
        return tuple(mapped.record for mapped in self.mapping.named(table))

    def record(self, kind: str, table: str = "") -> type[Record]:
        """Return the class of the records of a kind, by its word, that come from a table; without one, that
        of all of the kind. Raises ValueError: rows of this kind do not come from this table."""
        found = [mapped.record for mapped in self.mapping.named(table) if mapped.kind == kind]
        if table and not found:
            raise ValueError(f"rows of {kind} do not come from {table[:64]}")
        return found[0] if found else KINDS[kind]

    def read(self, record: type[R], fields: Iterable[str], *, among: Among | None = None, remembered: bool = False) -> Iterator[list[R]]:
        """Yield pages of records with `id`, `etag` and the named fields filled, to the end, each row once;
        order unspecified.

        The records' class is a subclass made for these fields, whose own names on the wire are the CRM's:
        compute with them, do not encode or pickle them. With `remembered`, a whole table whose changes the
        CRM tracks is read by what has changed since last time, where there is a memory. Without it, every row
        is requested from the CRM now. Raises ReadIncomplete: a page is short, broken, doubled or not
        decodable, or the CRM's own count differs; MappingError: the table does not fit the mapping."""
        tables = self.mapping.tables_of(record)
        if among is not None and not among.ids:
            return
        if among is not None and among.in_any_scope:
            tables = tuple({each.name: each for each in reversed(tables) if not self._tables.place(each).is_derived}.values())
        seen: set[str] = set()
        fields = tuple(fields)
        for table in tables:
            for page in self._read(table, record, fields, among, remembered=remembered):
                if len(tables) > 1:
                    if not seen.isdisjoint(row.id for row in page):
                        raise ReadIncomplete(f"Rows of {table.kind} in two tables have the same id.", where=table.name)
                    seen.update(row.id for row in page)
                yield page

    def _read(self, table: Table, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool) -> Iterator[list[R]]:
        definition = self._tables.definition(table)
        if table.links and not {"regarding", "regarding_kind"}.isdisjoint((*fields, among.field if among else "")):
            yield from self._read_tied(table, definition, record, fields, among, remembered=remembered)
            return
        if among is not None and among.field in table.pairs:
            among = replace(among, field="id", ids=self._pairs.tied_to(table, definition, among.field, among.ids))
        pages = self._live(table, definition, record, fields, among, remembered=remembered)
        if table.pairs.keys().isdisjoint(fields):
            yield from pages
        else:
            yield from self._pairs.fill(table, definition, fields, pages, whole=among is None)

    def _live(
        self, table: Table, definition: TableDefinition, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool
    ) -> Iterator[list[R]]:
        decoder = self._tables.decoder(table, definition, fields, record)
        only = "" if among is not None and among.in_any_scope else self._tables.condition(table)
        place = self._tables.place(table)
        if (
            remembered and among is None and self._memory is not None and not only and not place.is_derived
        ):  # a CRM tells changes of whole tables alone
            if definition.tracks_changes:
                remembering: RememberingReader[R] = RememberingReader(
                    self._transport, decoder, definition.set_name, table.name, self._memory
                )
                yield from remembering.read()
                return
            self._memory.drop_table(table.name)  # changes that were not tracked meanwhile would be missed for good
        reader: Reader[R] = Reader(self._transport, decoder, definition.set_name, table.name)
        if among is None:
            if place is RolePlace.CONNECTION:
                self._check_halves(table, definition)
            yield from reader.read(only)
            return
        column = self._tables.filter_column(table, definition, among.field)
        if column is None:
            return
        is_swapped = place is RolePlace.UNIT and among.field == "id"
        for condition in any_of(column, [swapped(row, table) for row in among.ids] if is_swapped else among.ids):
            yield from reader.read(f"({condition}) and {only}" if only else condition)

    def _check_halves(self, table: Table, definition: TableDefinition) -> None:
        """Refuse connections that are kept by one half alone, with the person first: none counts twice, and
        none may be overlooked. Raises ReadIncomplete."""
        condition = lone_halves(table, definition, self.mapping, self._metadata)
        known = KnownTable(table.name, definition.set_name, definition.primary_id, audited=False)
        try:
            is_whole = self._directory.is_empty(known, condition)
        except NotOffered as refusal:
            raise Forbidden(refusal.reason, where=table.name) from None
        if not is_whole:
            told = f"Rows of {table.name} name the person first, and have no other half that names them second."
            raise ReadIncomplete(told, hint="Make these connections anew in the CRM, which keeps both halves.", where=table.name)

    def is_derived(self, record: type[Record]) -> bool:
        """Return whether records of this class are no rows of their own: they go with their dossier or fiche,
        and are never written."""
        tables = self.mapping.tables_of(record)
        return bool(tables) and all(self._tables.place(table).is_derived for table in tables)

    def is_activity(self, record: type[Record]) -> bool:
        """Return whether people may take part in rows of this class as participants."""
        return any(self._tables.definition(table).primary_id == ACTIVITY_ID for table in self.mapping.tables_of(record))

    def names_a_person(self, record: type[Record]) -> bool:
        """Return whether a row of this class is nothing without the person that it names: a connection has
        two ends."""
        return any(self._tables.place(table) is RolePlace.CONNECTION for table in self.mapping.tables_of(record))

    def kinds(self, table: str, ids: Collection[str]) -> Values[str, str | None]:
        """Return the word for the kind of each of these rows of a table, by id: None for one that is out of
        scope; rows that are not there are left out, unless all rows of the table are of one kind. Raises
        ConnectorError: it cannot be determined."""
        return self._scopes.kinds_of(table, ids)

    def out_of_scope(self, record: type[Record], ids: Collection[str]) -> frozenset[str]:
        """Return which of these rows are there and of no kind of the mapping: it says of their table that
        only some rows are meant. Raises ConnectorError: it cannot be determined."""
        return self._scopes.out_of_scope(self.tables(record), ids)

    def _read_tied(
        self, table: Table, definition: TableDefinition, record: type[R], fields: Sequence[str], among: Among | None, *, remembered: bool
    ) -> Iterator[list[R]]:
        """Yield the rows of a table whose rows belong to others by a table of links, with what they belong
        to."""
        own = [name for name in fields if name not in ("regarding", "regarding_kind", "tied")]
        asked = among.ids[:1] if among is not None else ()
        if among is not None and among.field == "regarding":
            among = Among("id", self._ties.rows_tied_to(table, definition, among.ids) or asked)
        is_filled = False
        for page in self._read(table, record, own, among, remembered=remembered):
            is_filled = True
            self._ties.fill(table, definition, page)
            yield page
        if asked and not is_filled:  # as many requests as where there are rows (SUS-07)
            self._ties.rows_tied_to(table, definition, asked)

    def read_set(self, set_name: str) -> SetReading:
        """Page through one entity set, ids only, also of an OData service that is not Dataverse (`doctor
        --read`)."""
        return read_set(self._transport, self._metadata, set_name)

    def fields(self, record: type[Record]) -> frozenset[str]:
        """Return the fields of this kind that the organisation maps; for a full record also those that only a
        subject request reads."""
        tables = self.mapping.tables_of(record)
        mapped = {name for table in tables for name in (*table.columns_of(record), *table.fixed, *table.pairs)}
        return frozenset(mapped) | {name for name, lookup in KIND_FIELDS.items() if lookup in mapped and name in record.__struct_fields__}

    def has_value(self, record: type[Record], field: str, value: object) -> bool:
        """Return whether a field of rows of this kind can say this value: not where it is a choice without an
        option for it."""
        columns = [table.columns[field] for table in self.mapping.tables_of(record) if field in table.columns]
        return all(column.choice is None or value in column.choice.keys.values() for column in columns)

    def content(self, record: type[Record], row: str, field: str) -> Content | None:
        """Fetch what a field of type `bytes` holds, whole. None: it holds nothing, is not mapped, or the row
        does not exist. Raises ReadIncomplete: something is there, and it did not come whole or was replaced
        meanwhile; MappingError: the table does not fit the mapping."""
        table = self.mapping.table(record)
        column = table.columns_of(table.full).get(field) if table is not None else None
        if table is None or column is None:
            return None
        return self._contents.content(self._tables.definition(table), row, column.name)

    def lying(self, trace: Trace, record: type[Record], fields: Iterable[str], among: Among | None) -> Lying:
        """Return rows in the recycle bin or in long-term retention (BIN, RETAINED) whose `among.field`, an id
        or a lookup, is one of its ids; without `among` all of them. Raises ConnectorError: it cannot be
        determined. Only a clear "not allowed" or "not offered" is NOT_REACHABLE, with a warning."""
        if among is not None and not among.ids:
            return Lying(Reach.READ)
        fields = tuple(fields)
        tables = self.mapping.tables_of(record)
        if trace is Trace.RETAINED and len(tables) > 1:  # one that keeps nothing there may not be asked
            keeping = self._long_term.tables({table.name for table in tables})
            tables = tuple(table for table in tables if table.name in keeping)
        found = [self._lying_in(table, trace, record, fields, among) for table in tables]
        if any(each.reach is Reach.NOT_REACHABLE for each in found):
            return Lying(Reach.NOT_REACHABLE)
        kept = any(each.reach is Reach.READ for each in found) or not found
        return Lying(Reach.READ if kept else Reach.NOT_KEPT, tuple(row for each in found for row in each.rows))

    def _lying_in(self, table: Table, trace: Trace, record: type[Record], fields: Iterable[str], among: Among | None) -> Lying:
        definition, place = self._tables.definition(table), self._tables.place(table)
        is_untied = trace is Trace.RETAINED and "dossier" in table.pairs  # pairs are those of live rows
        if is_untied:
            among = None
        if among is not None and self._tables.filter_column(table, definition, among.field) is None:
            return Lying(Reach.READ)
        known = KnownTable(table.name, definition.set_name, definition.primary_id, audited=False)
        column = definition.primary_id if among is None or among.field == "id" else table.columns_of(table.full)[among.field].name
        ids = among.ids if among is not None else None
        if ids is not None and place is RolePlace.UNIT and among is not None and among.field == "id":
            ids = [swapped(row, table) for row in ids]
        decoder = self._tables.decoder(table, definition, fields, record)
        found = self._lying.read(trace, known, decoder, column, ids, (table, definition))
        if is_untied and found.rows:
            hint = "restore them, or let them be deleted there, before they count in any decision"
            raise ReadIncomplete(f"Nobody can tell to which dossiers {table.name} in retention belongs.", hint=hint, where=table.name)
        return found if place is RolePlace.OWN else replace(found, rows=tuple(row for row in found.rows if _is_role(row)))

    def changed_lately(self, record: type[Record], row: str, fields: Collection[str], since: datetime) -> frozenset[str] | None:
        """Return which of these fields of a row were changed at or after an instant, by its audit history;
        creating the row is not a change (IDV-05).

        None: it cannot be determined, because there is no history of the row or of these columns, or it may
            not be read, or was purged since.

        Raises:
            ConnectorError: the CRM cannot be queried now."""
        table = self.mapping.table(record)
        known = table.columns_of(table.full) if table is not None else {}
        columns = {known[field].name: field for field in fields if field in known}
        if table is None or not columns:
            return frozenset()
        changed = self._places.history.changed((table.name, guid(row)), columns, since)
        return None if changed is None else frozenset(columns[name] for name in changed)

    def names(self, table: str, ids: Collection[str] | None = None) -> dict[str, str]:
        """Return the names of rows of any table, mapped or not, by id, as the CRM shows them; none where this
        account may not read the table. Without ids, of all its rows. Raises ConnectorError."""
        return self._naming.names(table, ids)

    def labels(self, record: type[Record], language: str) -> Labels:
        """Return what the CRM calls the table of this kind and its columns, in a language; its own word where
        it has none in it. Raises ConnectorError."""
        table = self.mapping.table(record)
        return labels(self._transport, table, language) if table is not None else Labels(record.__name__)

    def total(self, record: type[Record]) -> int | None:
        """Return the CRM's own count of all rows of the table, visible to this account or not; None where it
        keeps none, or counts others with them. It may be a day old."""
        tables = self.mapping.tables_of(record)
        counted = [table for table in tables if not table.only and self._tables.place(table) is RolePlace.OWN]
        counts = [total_count(self._transport, table.name) for table in counted]
        return sum(each for each in counts if each is not None) if any(each is not None for each in counts) else None

    def whoami(self) -> str:
        """Return the id of our application user, the first where there are several; the cheapest proof that
        address, tokens and users are right. Raises UsageError: two of the clients are the same user, whose
        limits would be overrun."""
        return self._users()[0]

    def _users(self) -> list[str]:
        users = []
        for transport in (self._transport, *self._others):
            answer = transport.get("WhoAmI", where="WhoAmI")
            try:
                users.append(guid(msgspec.json.decode(answer.body)["UserId"]))
            except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError):
                hint = "Check the Web API root."
                raise ReadIncomplete("The CRM does not say who we are: this is not a Dataverse Web API.", hint=hint) from None
        if len(set(users)) < len(users):
            raise UsageError("Two of the clients are the same application user.", hint="Give each client a user of its own.")
        return users

    def retaining(self, records: Collection[type[Record]]) -> frozenset[type[Record]]:
        """Return which of these kinds have rows in long-term retention, or may get some at any moment."""
        tables = {record: {table.name for table in self.mapping.tables_of(record)} for record in records}
        found = self._long_term.tables({name for names in tables.values() for name in names})
        return frozenset(record for record, names in tables.items() if not names.isdisjoint(found))

    def retained_rows(self) -> dict[str, int]:
        """Return how many rows of each mapped table are in long-term retention. A participant belongs to its
        activity and is not counted."""
        kinds = ("activity_party", "statistic")
        return self._long_term.rows({table.name for table in self.mapping.tables if table.kind not in kinds})

    def may_purge_retained(self) -> bool:
        """Return whether this account may start and follow the job that deletes rows in long-term retention,
        the only way to delete them."""
        return self._places.may_run_jobs()

    def unaccounted_columns(self) -> tuple[str, ...]:
        return unaccounted_columns(self.mapping, self._metadata)

    def server_time(self) -> datetime | None:
        """Return the time by the CRM's clock, the median of its answers; more answers are requested where
        there were too few. None where it states no time."""
        clock = self._transport.clock
        for _ in range(ENOUGH):
            if clock.has_heard_enough:
                break
            self._transport.get("WhoAmI", where="WhoAmI")
        return clock.now()

    def group_size(self, record: type[Record], waiting: int, usual: int) -> int:
        """Return how many of `waiting` deletes of this kind to pass to `change` together: up to 1,000 where a
        job of the CRM may be quicker."""
        return MOST_ROWS if waiting > usual and self.deleting.pays(record, waiting) else usual

    def settle_earlier(self) -> None:
        """Wait until no job of an earlier process is running, and remove what it left. Raises ConnectorError:
        a job does not end even when it is cancelled, or the CRM cannot be queried."""
        self.deleting.settle_earlier()

    def tries(self) -> Iterator[None]:
        """Yield once, and again after a while each time, until patience ends."""
        return self._transport.retry.tries()

    @contextmanager
    def guarded(self, guard: Callable[[], None]) -> Iterator[None]:
        """Call `guard` right before each request while the block runs; what it raises ends the work, and
        nothing more is sent."""
        transports = (self._transport, *self._others)
        for transport in transports:
            transport.guard = guard
        try:
            yield
        finally:
            for transport in transports:
                transport.guard = None

    def watched(self, watch: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `watch` before each wait for the CRM and every few seconds of it, while the block runs; what
        it raises ends the work."""
        return self._transport.gate.timeline.watched(watch)

    def change(self, change_sets: Sequence[ChangeSet], held: Held | None = None) -> list[ChangeResult]:
        """Carry out each change set, all or nothing, and return one result for each, in the order given.

        Nothing is tried twice here: a change set whose answer is lost is UNKNOWN, and the caller reads back.
        Only where the CRM said that it did nothing (429, 401) the same is sent again. `held` is called before
        each batch but the first, and before a job.

        Raises:
            Unauthorised, Forbidden: before anything was done at all.
            ConnectorError: an earlier bulk delete has not ended; nothing was sent.
            MappingError: a table does not fit the mapping.
            ValueError: an update or delete without the version it is about; nothing was sent."""
        prepared: list[Prepared] = []
        for change_set in change_sets:
            definitions: dict[type[Record], tuple[Table, TableDefinition]] = {}
            for operation in change_set.operations:
                table = self.mapping.table(operation.record)
                if table is not None and not self._tables.place(table).is_derived:
                    definitions[operation.record] = (table, self._tables.definition(table))
            prepared.append(prepare(change_set, definitions, self.mapping, self._metadata, self.environment.root_path, self._masking))
        in_order = self._in_order(change_sets)
        statuses = [ChangeStatus.UNKNOWN] * len(change_sets)
        try:
            results = self.deleting.carry_out(
                change_sets, lambda indices, held: self._pool.send([prepared[at] for at in indices], in_order=in_order, held=held), held
            )
            statuses = [result.status for result in results]
        except (Unauthorised, Forbidden):
            statuses = [ChangeStatus.REFUSED] * len(change_sets)
            raise
        finally:
            self._written.note(change_sets, statuses)
        return results

    def unmasked(self, masks: Sequence[Operation]) -> set[str]:
        """Return the ids of rows that do not show what these masks write, read back column by column (R-081);
        deleted rows are left out."""
        found: set[str] = set()
        for record in dict.fromkeys(mask.record for mask in masks):
            if (table := self.mapping.table(record)) is not None:
                found |= self._masking.unmasked(table, [mask for mask in masks if mask.record is record])
        return found

    def remnants(self, record: type[Record]) -> frozenset[Remnant]:
        """Return what masking leaves on rows of this kind because the mapping keeps a column (ERA-02)."""
        tables = self.mapping.tables_of(record)
        return frozenset().union(*(remnants(each.masks, self._tables.definition(each), self.mapping) for each in tables if each.masks))

    @property
    def beyond_reach(self) -> frozenset[str]:
        """Places of ERA-12 that this account may not clean, and that the mapping accepts as out of reach."""
        return self.mapping.beyond_reach

    @property
    def copies(self) -> tuple[str, ...] | None:
        """Copies of rows outside the CRM's tables, as the mapping names them; None: nobody has said."""
        return self.mapping.copies

    def traces(self, trace: Trace, rows: Collection[RowKey]) -> Traces:
        """Return what the CRM keeps of these rows beside them, read to the end; the rows may exist or not.
        Raises ConnectorError: it cannot be determined. Only a clear "not allowed" or "not offered" is
        NOT_REACHABLE, with a warning."""
        return self._places.find(trace, rows)

    def kept(self, trace: Trace, tables: Collection[str]) -> Iterator[RowKey]:
        """Yield every row of these tables, existing or deleted, of which one place keeps something; more rows
        than those where the CRM does not say. Raises ConnectorError: it cannot be determined."""
        return self._places.kept(trace, tables)

    def purge(self, trace: Trace, rows: Collection[RowKey], *, alive: Collection[RowKey] = ()) -> frozenset[RowKey]:
        """Remove what `traces` finds of these rows, of which `alive` still exist. Return the rows for which
        the CRM does not permit it. Raises ConnectorError: the outcome cannot be determined; the next run
        looks again."""
        return self._places.purge(trace, rows, alive)

    def needs_row_for_history(self) -> bool:
        """Return whether the history of a row can be purged only as long as the row exists: no job of ours
        may delete audit rows."""
        return bool(self._places.history.why_no_jobs())

    def hanging(self, rows: Collection[RowKey], *, restricting: bool = False) -> list[Hanging]:
        """Return the rows of unmapped tables that depend on these, according to the CRM's relationships.
        Raises ConnectorError: it cannot be determined."""
        return self._children.hanging(rows, restricting=restricting)

    def document_locations(self, rows: Collection[RowKey] | None = None) -> list[DocumentLocation]:
        """Return the rows of the CRM that say in which folder of a document store the documents of a row lie;
        of `rows` those that are such, without it all. Raises ConnectorError."""
        return self._locations.read(rows)

    def data_map(self, *, whole: bool = False) -> DataMap:
        return self._survey.whole() if whole else self._survey.tables()

    def one_row(self, table: Table, row: str) -> OneRow | None:
        """Return a row of a mapped table with all its columns; None if there is no such row. Raises
        MappingError: the table does not fit the mapping; Forbidden: the CRM does not let us look;
        ConnectorError."""
        try:
            roles = [name for each in self.mapping.views(table.name) for name in each.used]
            return one_row(self._directory, table, self._tables.definition(table), row, roles)
        except NotOffered as refusal:
            raise Forbidden(refusal.reason, where=table.name) from None

    def other_half(self, table: str, row: str) -> str | None:
        """Return the other half of a connection; None for a row of another table, or of a connection that has
        none. Raises Forbidden: the CRM does not let us look; ConnectorError."""
        known = self._directory.table(table) if table == CONNECTION else None
        if known is None:
            return None
        try:
            found = next(iter(self._directory.rows(known, known.primary_id, [row], f"_{OTHER_HALF}_value")), {})
        except NotOffered as refusal:
            raise Forbidden(refusal.reason, where=table) from None
        half = found.get(f"_{OTHER_HALF}_value")
        return str(half).lower() if half else None

    def create_statistics(self, wanted: StatisticsTable) -> Creation:
        """Make the table of statistics, or what it lacks. Raises ConnectorError: the CRM refuses."""
        return create(self._transport, wanted)

    def draft(self, categories: Values[str, Collection[str]]) -> Draft:
        """Derive a mapping from what the CRM says of its tables; `categories` are what the schedule calls
        those that it has rows for, by key. Raises ConnectorError."""
        return draft(self._transport, categories)

    def unsearched_columns(self) -> tuple[str, ...]:
        return self._survey.unsearched_columns()

    def existing(self, rows: Collection[RowKey]) -> set[RowKey]:
        """Return which of these rows, of mapped tables or others, exist. Raises ConnectorError."""
        return self._places.existing(rows)

    def close(self) -> None:
        """Release connections and tokens, and let the memory forget what was erased."""
        try:
            self._written.forget()
        finally:
            self._pool.close()
            for transport in (self._transport, *self._others):
                transport.close()
            for tokens in self._tokens:
                tokens.close()

    def _in_order(self, change_sets: Sequence[ChangeSet]) -> bool:
        """Return whether one change set has to be done before another: of two rows to be deleted, one points
        to the other, such as a contact to its parent. The caller has put the pointing rows first; otherwise
        the removal of their target would give them another version. The CRM is queried only where a table
        points to itself, which is rare."""
        if self._pool.is_single or len(change_sets) < 2:
            return False
        gone: dict[type[Record], set[str]] = {}
        for operation in (operation for one in change_sets for operation in one.operations):
            if operation.kind is OperationKind.DELETE:
                gone.setdefault(operation.record, set()).add(operation.id)
        for record, ids in gone.items():
            table = self.mapping.table(record)
            if table is None:
                continue
            lookups = {parent.column for parent in self._tables.definition(table).parents if parent.parent == table.name}
            fields = [column.field for column in table.columns.values() if column.name in lookups]
            pages = self.read(record, fields, among=Among("id", sorted(ids))) if fields else ()
            if any(getattr(row, field) in ids - {row.id} for page in pages for row in page for field in fields):
                return True
        return False


def _is_role(row: Record) -> bool:
    """Return whether a row says of a person that they are in a dossier or a fiche."""
    return isinstance(row, Party) and row.contact is not None and (row.dossier or row.fiche) is not None


def connect(
    *,
    url: str,
    tokens: TokenSource,
    mapping_text: str = "",
    mapping_source: str = "",
    mapping: Mapping | None = None,
    ca_file: str | None = None,
    user_agent: str = "crm-compliance",
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
    page_size: int = 5000,
    any_odata: bool = False,
    memory: Memory | None = None,
    pace: Pace = ONE_AT_A_TIME,
    more_tokens: Sequence[TokenSource] = (),
    bulk_delete: BulkDelete = BulkDelete.OFF,
    pseudonym_key: bytes | None = None,
    patience_s: float = 0.0,
    is_known: bool = False,
    zone: ZoneInfo = BRUSSELS,
    sees_to_documents: bool = False,
) -> DynamicsConnector:
    """Return a connector from plain values. Nothing is sent yet. A `mapping` that was read already stands
    instead of its text; an instant is the day that it was in `zone`. Raises UsageError: the address is not
    usable; MappingError: the mapping is refused."""
    environment = Environment(
        url=url,
        ca_file=ca_file,
        user_agent=user_agent,
        page_size=page_size,
        any_odata=any_odata,
        pace=pace,
        patience_s=patience_s,
        answer_s=max(SHORTEST_ANSWER_S, patience_s / 2),
        is_known=is_known,
    )
    mapping = replace(parse_mapping(mapping_text, mapping_source) if mapping is None else mapping, zone=zone)
    return DynamicsConnector(
        environment,
        tokens,
        mapping,
        sleep=sleep,
        chance=chance,
        memory=memory,
        more_tokens=more_tokens,
        bulk_delete=bulk_delete,
        pseudonym_key=pseudonym_key,
        sees_to_documents=sees_to_documents,
    )
