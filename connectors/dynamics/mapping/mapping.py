"""The mapping: which table and column of this organisation holds which field of our records, and what its
option values mean.

A mapping is data, never code (R-161): another organisation edits the file. `loader.py` reads it whole or
refuses it; whether it fits the CRM is compared with its metadata at start-up (`schema/checks/mapping.py`)."""

from collections.abc import Mapping as Values
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Final, TypeVar, cast, get_args, get_type_hints

import msgspec

from connectors.dynamics.mapping.masks import Masks
from rules.anonymisation.choice_keys import CHOICE_KEYS, STATISTIC_OUTCOMES
from rules.dates.calendar import BELGIAN, Calendar
from rules.model.kinds import FILES, LOOKUPS, NOT_BY_THEMSELVES, ROW_KINDS, Kind, Kinds
from rules.model.personal_records import FULL
from rules.model.records import KINDS, REGARDING, Record, Statistic, word_of

R = TypeVar("R", bound=Record)

REFERENCE = Path(__file__).with_name("reference.yaml")

OPTIONAL_KINDS = frozenset(word for word, kind in ROW_KINDS.items() if kind.is_optional)
REQUIRED_FIELDS: dict[str, frozenset[str]] = {
    **{word: frozenset(kind.required or kind.owner_fields) for word, kind in ROW_KINDS.items()},
    "statistic": frozenset({"year", "category", "count"}),
}

# Fields whose absence would hide a hold, shorten a term or hide a relation: mapped, or named under `without`
# by somebody who knows that the organisation does not record them.
SAFEGUARDS: dict[str, frozenset[str]] = {
    "dossier": frozenset({"legal_hold", "reopened_on", "closed_on", "proceedings_ended_on"}),
    "fiche": frozenset({"categories"}),
    "recording": frozenset({"ended_on", "evidence"}),
    "contact": frozenset({"parent", "newsletter"}),
}

# What tells beside a lookup to which kind of row it points.
KIND_FIELDS = {"parent_kind": "parent", "party_kind": "party", **{f"{name}_kind": name for name in REGARDING}}
# What is said beside a lookup that is written: the table to which it points.
TABLE_FIELDS = {"regarding_table": "regarding"}
SYSTEM_FIELDS = frozenset({"id", "etag", "also_in"})

# The options of a column of yes and no: a mapping writes words, the platform counts them so.
ANSWERS = {"true": 1, "false": 0}
# What keys a choice column may stand for where the record has a yes or no.
TRUTHS = {"active": True, "inactive": False, "yes": True, "no": False}
HOLD: Final = "legal_hold"
# Of these an option that stands for no key counts as yes: it may be another hold, or another relation.
KEEPING = frozenset({HOLD, "evidence", "newsletter"})
MUST_BE_CHOICE = {word: frozenset(kind.choices) for word, kind in ROW_KINDS.items()}
MASKED_KINDS = frozenset(FILES)
MANY = {"dossier": ("categories",), "fiche": ("dossier", "categories")}  # fields that a many-to-many relationship may fill
# Kinds whose rows are in a dossier, in a fiche, or in either: one of both has to be mapped. Where neither is,
# these are not told to be missing.
IN_EITHER: dict[str, frozenset[str]] = {"party": frozenset({"fiche"}), "recording": frozenset({"dossier"})}
# Tables of the platform in which organisations keep roles, beside rows of others.
CONNECTION, PARTICIPANTS = "connection", "activityparty"
ONE_TABLE = frozenset({"contact", *NOT_BY_THEMSELVES})  # kinds whose rows come from one table, whole


@dataclass(frozen=True, slots=True)
class Choice:
    """The option values of one column and the keys they stand for, with the line of each; of a column of yes
    and no 1 and 0."""

    keys: dict[int, str]
    where: dict[int, str]


@dataclass(frozen=True, slots=True)
class Reference:
    """What the rows of the table to which a lookup points stand for: keys by the value of their column `by`,
    or by their id where it is empty, with the line of each."""

    by: str
    keys: dict[str, str]
    where: dict[str, str]
    by_where: str


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record and the column that holds it. `behaviour` is set where the mapping states it
    (DAT-09); `is_readable` where it states that the application user may read the column although the CRM
    secures it. What it holds is a key where there is a `choice`, a `reference`, or several columns of yes and
    no, the `flags`, each with what it stands for; `name` is the first of these. `holds` says what a column of
    a dependent table, or a further text, holds, by the section that names it. `lines` are the places of
    columns that do not stand at `where`."""

    field: str
    name: str
    where: str
    behaviour: str = ""
    choice: Choice | None = None
    is_readable: bool = False
    reference: Reference | None = None
    flags: tuple[tuple[str, str], ...] = ()  # columns of yes and no, each with its key
    more: tuple[str, ...] = ()  # further columns: of a date the first that has a value, of categories all, of a hold any yes
    holds: str = ""
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that it is filled from."""
        return tuple(name for name, _ in self.flags) if self.flags else (self.name, *self.more)

    @property
    def keyed(self) -> tuple[str, ...]:
        """Those of them whose values its choice or reference explains: beside a hold stand columns of yes and
        no."""
        return self.names[:1] if self.field == HOLD else self.names

    def place(self, name: str) -> str:
        """Return where the file names one of these columns."""
        return dict(self.lines).get(name, self.where)

    @property
    def is_lookup(self) -> bool:
        return self.field in LOOKUPS or self.holds == "people"


@dataclass(frozen=True, slots=True)
class Condition:
    """A column that tells which rows of a table are meant, and the values, as text, that it has then."""

    column: str
    values: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of record and a table that holds it; `masks` say how its rows are anonymised in place, where
    the mapping does, and `personal` are the columns that only a subject request reads. Its records have the
    class `record`, or `full` with the personal fields: those of the kind, or its own where the kind has
    several tables. `only` are the conditions that its rows meet; those that do not are out of scope. `fixed`
    are fields that have the same key in all its rows, `pairs` those that are filled from a table of pairs.
    `own` is what is true of a dependent table, and `links` the table of links by which its rows belong to
    others, where no lookup does; `leads` are, by kind, the lookups of others that point to its rows, where
    these belong to what points to them. `lines` are the places of `fixed`, by field, of `term`, `links` and
    `leads`."""

    kind: str
    record: type[Record]
    full: type[Record]
    name: str
    where: str
    columns: dict[str, Column]
    masks: Masks | None = None
    personal: dict[str, Column] = field(default_factory=dict)
    only: tuple[Condition, ...] = ()
    fixed: Values[str, str] = field(default_factory=dict)
    pairs: Values[str, Column] = field(default_factory=dict)
    own: Kind | None = None
    links: str = ""
    leads: Values[str, tuple[str, ...]] = field(default_factory=dict)
    lines: Values[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it stands in the file."""
        return f"dependent.{self.name}" if self.own is not None else f"tables.{self.kind}"

    @property
    def goes_by_dossier(self) -> bool:
        """Whether it holds fiches and nothing says a category: each goes by those of its dossier."""
        return self.kind == "fiche" and "categories" not in {*self.columns, *self.fixed, *self.pairs}

    @property
    def used(self) -> tuple[str, ...]:
        """The columns from which some field is filled."""
        return tuple(name for column in (*self.columns.values(), *self.personal.values()) for name in column.names)

    @property
    def is_tied(self) -> bool:
        """Whether something else than its rows says what these belong to."""
        return bool(self.links or self.leads)

    def has_all(self, record: type[Record]) -> bool:
        """Return whether a class of record has the personal fields too."""
        return issubclass(record, self.full if self.own is not None else FULL[self.kind])

    def columns_of(self, record: type[Record]) -> dict[str, Column]:
        """Return the columns that fill this class of record: those of `personal` only for the full one."""
        return self.columns | self.personal if self.has_all(record) else self.columns


@dataclass(frozen=True, slots=True)
class Decided:
    """What someone has decided about a table or column that is not mapped; both empty if they did not say."""

    why: str = ""
    by: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """The whole file. `recording_media_types` are the patterns by which an attachment on a fiche is a
    recording (RET-05). `copies` are kinds of copies outside the tables, None where nobody has said. `stay`
    names tables that are not mapped whose rows may stay, or columns of them that may lose a link;
    `goes_along` columns of mapped tables that need no field; `left_out` mapped tables whose rows of no kind
    (`only`) may stay. `beyond_reach` are places that the controller accepts as out of this account's reach
    although it sees them. `calendar` is no part of the file: it is that of the schedule, by which an instant
    is a day."""

    tables: tuple[Table, ...] = ()
    recording_media_types: tuple[str, ...] = ("audio/*",)
    app_url: str = ""
    copies: tuple[str, ...] | None = None
    stay: Values[str, Decided] = field(default_factory=dict)
    goes_along: Values[str, Decided] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    beyond_reach: frozenset[str] = frozenset()
    kinds: Kinds = field(default_factory=Kinds)
    _by_record: dict[type[Record], tuple[Table, ...]] = field(default_factory=dict, repr=False, compare=False)
    calendar: Calendar = BELGIAN

    def tables_of(self, record: type[Record]) -> tuple[Table, ...]:
        """Return the tables from which records of this class come, also for the classes that pages are
        decoded into: all of its kind, or the one that has the class for its own; none if it is not mapped."""
        found = self._by_record.get(record)
        if found is None:
            found = tuple(table for table in self.tables if issubclass(record, (table.record, table.full)))
            found = self._by_record[record] = found or self.of(word_of(record))
        return found

    def table(self, record: type[Record]) -> Table | None:
        """Return the one table from which records of this class come; None if it is not mapped. Raises
        ValueError: they come from several."""
        found = self.tables_of(record)
        if len(found) > 1:
            raise ValueError(f"rows of {word_of(record)} come from several tables, and nothing says which one is meant")
        return found[0] if found else None

    def of(self, kind: str) -> tuple[Table, ...]:
        """Return the tables of a kind, by its word, in the order of the file."""
        return tuple(table for table in self.tables if table.kind == kind)

    def named(self, table: str) -> tuple[Table, ...]:
        """Return what the mapping says of a table of the CRM: once for each kind of row that it holds."""
        return tuple(mapped for mapped in self.own if mapped.name == table)

    @property
    def own(self) -> tuple[Table, ...]:
        """The tables without those that are looked at once more for a role of which their rows tell."""
        others = {table.name for table in self.tables if table.kind != "party"}
        return tuple(table for table in self.tables if table.kind != "party" or table.name not in others)

    def looked_at(self, table: str) -> tuple[Table, ...]:
        """Return the same with those other looks."""
        return tuple(mapped for mapped in self.tables if mapped.name == table)

    def views(self, table: str) -> tuple[Table, ...]:
        """Return those other looks alone."""
        return tuple(mapped for mapped in self.looked_at(table) if mapped not in self.named(table))

    def may_stay(self, table: str) -> bool:
        """Return whether somebody has decided that the rows of a table that are of no kind stay."""
        return table in self.left_out or table in self.stay

    def used(self, table: str) -> frozenset[str]:
        """Return the columns of a table of the CRM from which some field is filled."""
        return frozenset(name for mapped in self.looked_at(table) for name in mapped.used)

    def leading(self, table: str) -> Values[str, Table]:
        """Return the lookups of a table of the CRM by which its rows name those of dependent tables, each
        with that table."""
        kinds = {mapped.kind for mapped in self.named(table)}
        return {lookup: each for each in self.tables for kind in kinds & each.leads.keys() for lookup in each.leads[kind]}


@cache
def class_of(record: type[R], table: str, at: int) -> type[R]:
    """Return the class of the records of one table among several of a kind, which is the `at`-th of them."""
    made = msgspec.defstruct(
        f"{record.__name__}_{at}", [], bases=(record,), module=record.__module__, namespace={"table": table}, gc=False, kw_only=True
    )
    return cast("type[R]", made)


_hints = cache(get_type_hints)  # they are evaluated all at once, and asked for field by field


@cache
def field_type(record: type[Record], name: str) -> type:
    """Return what a field holds: `date`, `datetime`, `bool`, `int`, `float`, `str`, `bytes` (content that is
    fetched by itself) or `tuple` (of category keys)."""
    hint = _hints(record)[name]
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    return hint if isinstance(hint, type) else tuple


def mappable_fields(record: type[Record]) -> tuple[str, ...]:
    """Return the fields that a mapping may assign a column; the others come with the row (`id`, `etag`) or
    with a lookup (`…_kind`)."""
    return tuple(name for name in record.__struct_fields__ if name not in SYSTEM_FIELDS and name not in KIND_FIELDS)


def referred_fields(kind: str) -> tuple[str, ...]:
    """Return the fields of a kind that a table of reference may fill: those that stand for a key, and yes or
    no; not a newsletter, which an objection ends: nothing is written to such a lookup."""
    record, keyed = KINDS[kind], MUST_BE_CHOICE.get(kind, frozenset())
    fields = (name for name in mappable_fields(record) if name != "newsletter")
    return tuple(name for name in fields if name in keyed or field_type(record, name) is bool)


def choice_keys(record: type[Record], field_name: str) -> tuple[str, ...] | None:
    """Return the keys that a choice of this field may have; None where they are the organisation's own."""
    if field_name == "outcome" and issubclass(record, Statistic):
        return STATISTIC_OUTCOMES
    return CHOICE_KEYS.get(field_name)
