"""The CRM's tables, privileges and clock as it reports them."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Values
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from connectors.dynamics.datamap.activities import Activities
from connectors.dynamics.datamap.one_row import OneRow, one_row
from connectors.dynamics.http.query import guid
from connectors.dynamics.mapping.mapping import CONNECTION, Column, Table
from connectors.dynamics.protocols.kinds import MappedKinds
from connectors.dynamics.schema.capabilities import Capability, capabilities
from connectors.dynamics.schema.checks.decisions import check_decisions
from connectors.dynamics.schema.checks.lookups import check_people, check_recordings, check_second_lookups
from connectors.dynamics.schema.checks.mapping import check_mapping
from connectors.dynamics.schema.checks.masks import check_masks
from connectors.dynamics.schema.checks.reference_rows import ReferenceRows
from connectors.dynamics.schema.checks.unmapped_columns import unaccounted_columns
from connectors.dynamics.schema.checks.unmapped_options import options_left_out
from connectors.dynamics.schema.checks.unmapped_pairs import pairs_left_out
from connectors.dynamics.schema.labels import labels, table_names
from connectors.dynamics.schema.names import value_names
from connectors.dynamics.schema.needed_privileges import RoleLine, answering_role, cleaning_role, least_role
from connectors.dynamics.schema.privileges import check_privileges, out_of_sight, shown_otherwise
from connectors.dynamics.schema.role_places import OTHER_HALF
from connectors.dynamics.schema.unmapped_tables import NotOffered
from connectors.interface.changes import OperationKind
from connectors.interface.errors import Finding, Forbidden
from connectors.interface.organisation import Labels
from rules.errors import UsageError
from rules.model.bypass import Bypass
from rules.model.data_map import DataMap
from rules.model.records import Record

if TYPE_CHECKING:
    from connectors.dynamics.draft.statistics_table import Creation, StatisticsTable
    from connectors.dynamics.draft.text import Draft


class Organisation(MappedKinds):
    """What the CRM reports of itself, compared with the mapping; what is set up in it."""

    def check(
        self,
        *,
        in_place: bool = False,
        decisions: bool = False,
        categories: Values[str, Collection[str]] | None = None,
        own: Values[str, Collection[str]] | None = None,
    ) -> list[Finding]:
        """Compare the mapping with the CRM's metadata: tables, columns, types, behaviour of dates, options,
        relations (DAT-09, R-161). With `in_place` also what masks rows: the policy anonymises in place; with
        `decisions` also whether the tables and columns that were decided about exist, whether each row of a
        table of reference has a key, and how many rows have what has none; with `categories`, what each is
        called, whether options are called otherwise than what they stand for, by words other than the
        organisation's `own`."""
        from connectors.dynamics.draft.called_otherwise import called_otherwise

        self._metadata.load(table.name for table in self.mapping.tables)
        findings = check_mapping(self.mapping, self._metadata)
        findings += options_left_out(self.mapping, self._metadata, self._transport if decisions else None)
        rows = ReferenceRows(self._transport, self._metadata, self._directory, self._naming)
        if categories is not None:
            shown, listed = (rows.shown, rows.listed) if decisions else (None, None)
            findings += called_otherwise(
                self.mapping, self._metadata, categories, own or {}, also_answers=decisions, shown_rows=shown, listed=listed
            )
        if in_place:
            findings += [*check_masks(self.mapping, self._metadata), *self._masking.check_owners()]
        if decisions:
            findings += [*check_decisions(self.mapping, self._metadata), *check_recordings(self.mapping, self._metadata)]
            findings += rows.check(self.mapping)
            findings += check_people(self.mapping, self._metadata, self._transport)
            findings += pairs_left_out(self.mapping, self._metadata, self._transport)
            findings += out_of_sight(self._transport, self.whoami(), self.mapping, self._metadata)
            findings += shown_otherwise(self.mapping, self._metadata, self._directory)
        return findings

    def meant(self, name: str, table: str) -> str:
        """Return the logical name of the table, or of the column of a table, that the CRM shows to people
        like this; empty where none is like it."""
        definition = self._metadata.table(table) if table else None
        known = self._metadata.names() if not table else definition.attributes if definition is not None else ()
        return self._metadata.meant(name, known, table)

    def check_privileges(self, needs: Values[type[Record], Collection[OperationKind]], bypass: Collection[Bypass] = ()) -> list[Finding]:
        """Return errors for required privileges that an application user lacks, warnings for optional ones.
        Each user is checked, since each writes. Where one is missing, what was remembered of tables is
        forgotten: it may have been read since, with empty columns, and no change would bring these rows
        again."""
        users = list(zip((self._transport, *self._others), self._users(), strict=True))
        found = check_privileges(users, self.mapping, self._metadata, needs, bypass, directory=self._directory)
        if self._memory is not None and any(each.is_error for each in found):
            for name in {table.name for table in self.mapping.tables}:
                self._memory.drop_table(name)
        return found

    def least_role(self, needs: Values[type[Record], Collection[OperationKind]], bypass: Collection[Bypass] = ()) -> list[RoleLine]:
        """Return the privileges that are just enough for the jobs, by the names that this CRM has for them,
        including those that bypassing custom logic requires."""
        return least_role(self._directory, self.mapping, self._metadata, needs, bypass)

    def cleaning_role(self) -> list[RoleLine]:
        """Return the additional privileges that cleaning requires; where one is missing, a place is not
        reachable and the night continues."""
        return cleaning_role(self._directory)

    def answering_role(self) -> list[RoleLine]:
        """Return the additional privileges that answers to subject requests require; without one an answer
        states what it lacks, or waits."""
        return answering_role(self._directory, self.mapping)

    def capabilities(self) -> list[Capability]:
        """Return what this CRM can do that another cannot, with reasons."""
        found = capabilities(self._transport, self.mapping, self._metadata)
        return [*found, self.deleting.capability(), *self._places.capabilities()]

    def names(self, table: str, ids: Collection[str] | None = None) -> dict[str, str]:
        """Return the names of rows of any table, mapped or not, by id, as the CRM shows them; none where this
        account may not read the table. Without ids, of all its rows. Raises ConnectorError."""
        return self._naming.names(table, ids)

    def value_names(self, field: str, values: Collection[str]) -> dict[str, str]:
        return value_names(self.mapping, self._metadata, self._naming, field, values)

    def has_key(self, column: Column, target: str, row: str) -> bool:
        """Return whether a row of a table of reference stands for a key. Raises ConnectorError."""
        return row.lower() in self._references.keys_of(column, target)

    def labels(self, record: type[Record], language: str) -> Labels:
        """Return what the CRM calls the table of this kind and its columns, in a language; its own word where
        it has none in it. Raises ConnectorError."""
        table = self.mapping.table(record)
        return labels(self._transport, table, language) if table is not None else Labels(record.__name__)

    def table_names(self, tables: Collection[str], language: str) -> dict[str, str]:
        return table_names(self._transport, tables, language)

    def whoami(self) -> str:
        """Return the id of our application user, the first where there are several; the cheapest proof that
        address, tokens and users are right. Raises UsageError: two of the clients are the same user, whose
        limits would be overrun."""
        return self._users()[0]

    def _users(self) -> list[str]:
        users = []
        for transport in (self._transport, *self._others):
            answer = transport.get("WhoAmI", where="WhoAmI")
            told = "The CRM does not say who we are: this is not a Dataverse Web API."
            with answer.readable(told, where="WhoAmI", hint="Check the Web API root."):
                users.append(guid(msgspec.json.decode(answer.body)["UserId"]))
        if len(set(users)) < len(users):
            raise UsageError("Two of the clients are the same application user.", hint="Give each client a user of its own.")
        return users

    def unaccounted_columns(self) -> tuple[str, ...]:
        return unaccounted_columns(self.mapping, self._metadata)

    def server_time(self) -> datetime | None:
        """Return the time by the CRM's clock, the median of its answers; more answers are requested where
        there were too few. None where it states no time."""
        return self._transport.server_time()

    def data_map(self, *, whole: bool = False) -> DataMap:
        return self._survey.whole() if whole else self._survey.tables()

    def one_row(self, table: Table, row: str) -> OneRow | None:
        """Return a row of a mapped table with all its columns; None if there is no such row. Raises
        MappingError: the table does not fit the mapping; Forbidden: the CRM does not let us look;
        ConnectorError."""
        try:
            others = [*self.mapping.leading(table.name), *(name for each in self.mapping.views(table.name) for name in each.used)]
            return one_row(self._directory, table, self._tables.definition(table), row, others)
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
        from connectors.dynamics.draft.statistics_table import create

        return create(self._transport, wanted)

    def draft(self, categories: Values[str, Collection[str]]) -> Draft:
        """Derive a mapping from what the CRM says of its tables; `categories` are what the schedule calls
        those that it has rows for, by key. Raises ConnectorError."""
        from connectors.dynamics.draft.draft import draft

        return draft(self._transport, categories)

    def second_lookups(self) -> frozenset[str]:
        """Return the lookups, as `table.column`, by which rows may belong to something else than by the one
        that is mapped: nothing is done while nobody has decided on them."""
        return frozenset(
            f"{table.name}.{found.suggestion}"
            for table in self.mapping.tables
            if (definition := self._metadata.table(table.name)) is not None
            for found in check_second_lookups(table, definition, self.mapping, self._metadata)
            if found.is_error
        )

    def unsearched_columns(self) -> tuple[str, ...]:
        return self._survey.unsearched_columns()

    def has_other_activities(self) -> bool:
        return Activities(self.mapping, self._metadata, self._directory).has_others()

    def has_email_files(self) -> bool:
        return Activities(self.mapping, self._metadata, self._directory).has_email_files()
