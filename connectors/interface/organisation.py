"""What a CRM says of its own tables, privileges and clock."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from connectors.interface.changes import OperationKind
from connectors.interface.errors import Finding
from rules.model.bypass import Bypass
from rules.model.data_map import DataMap
from rules.model.records import Record


@dataclass(frozen=True, slots=True)
class Labels:
    """What a CRM calls a table, the fields of its record, and the options of those that are choices, in one
    language; where it has no word in it, in its own."""

    table: str
    fields: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


class Organisation(Protocol):
    """The CRM's own account of itself, compared with the mapping."""

    def check(self, *, in_place: bool = False) -> list[Finding]:
        """Compare the mapping with the CRM's metadata: tables, columns, types, date behaviour, options,
        relationships (DAT-09, R-161). With `in_place` also what masks rows: the policy anonymises in
        place."""

    def check_privileges(self, needs: Mapping[type[Record], Collection[OperationKind]], bypass: Collection[Bypass] = ()) -> list[Finding]:
        """Compare what each account of ours may do with what the jobs need, custom logic that they pass by
        included: errors for what is missing or reaches a part of the rows only, warnings for what is not
        needed."""

    def names(self, table: str, ids: Collection[str] | None = None) -> dict[str, str]:
        """Return the names of rows of any table, mapped or not, by id, as the CRM shows them; none where this
        account may not read the table. Without ids, of all its rows."""

    def value_names(self, field: str, values: Collection[str]) -> dict[str, str]:
        """Return what the CRM calls values of a field (`categories`) that no key stands for: options by their
        number, rows of a table of reference by their id; none for what has no name, or cannot be seen."""

    def labels(self, record: type[Record], language: str) -> Labels:
        """Return what the CRM calls the table of this kind and its columns, in a language (`nl`). Raises
        ConnectorError."""

    def table_names(self, tables: Collection[str], language: str) -> dict[str, str]:
        """Return what the CRM calls tables, mapped or not, in the plural and in a language; none for one that
        has no name. Raises ConnectorError."""

    def unaccounted_columns(self) -> tuple[str, ...]:
        """Return the columns of mapped tables that may hold personal data and that the mapping does not name,
        as `table.column`."""

    def server_time(self) -> datetime | None:
        """Return the time by the CRM's clock, the median of several answers; None where it states none."""

    def data_map(self, *, whole: bool = False) -> DataMap:
        """Return the tables to which relationships lead from a unit or a person, and what becomes of each;
        with `whole` also their columns, all counted. Without it, what was seen minutes ago may be returned
        again. Raises ConnectorError: it cannot be determined."""

    def unsearched_columns(self) -> tuple[str, ...]:
        """Return the columns of mapped tables that have values and from which no field is filled, as
        `kind.column`. Raises as `data_map`."""

    def has_other_activities(self) -> bool:
        """Return whether there may be activities, such as letters, of tables that are not mapped. Raises
        ConnectorError: it cannot be determined now."""

    def has_email_files(self) -> bool:
        """Return whether there may be files on e-mails that no kind of row holds. Raises ConnectorError: it
        cannot be determined now."""
