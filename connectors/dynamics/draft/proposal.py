"""What a draft proposes for one kind of record: columns, options with their keys, tables of reference."""

from dataclasses import dataclass, field

from connectors.dynamics.draft.crm_tables import CrmTable
from connectors.dynamics.mapping.mapping import REQUIRED_FIELDS, SAFEGUARDS
from connectors.dynamics.schema.metadata import Attribute


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a column, or row of a table of reference: its labels, the key that one of them is a word
    for, else the key that is like one ("" where none is), and the id of the row."""

    value: int | str
    labels: tuple[str, ...]
    key: str = ""
    like: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Referred:
    """One lookup to a table of reference: the column by which its rows are told apart, and the rows as
    options; None where they were not read, since they may be more than words of a list."""

    column: Attribute
    target: CrmTable
    by: str
    options: tuple[Option, ...] | None


@dataclass(slots=True)
class Drafted:
    """The columns of one kind, by field; the options of those that are choices; for each field that is open
    the columns that could fill it; and the tables of reference of fields, in force or proposed, with further
    lookups to them; `either` are lookups of a role to a dossier or a fiche, `instead` columns of the
    organisation's own for fields that a column of the platform fills."""

    kind: str
    table: CrmTable
    columns: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[Option]] = field(default_factory=dict)
    open: dict[str, list[Attribute]] = field(default_factory=dict)
    references: dict[str, Referred] = field(default_factory=dict)
    proposed: dict[str, list[Referred]] = field(default_factory=dict)
    further: dict[str, list[Referred]] = field(default_factory=dict)
    either: list[str] = field(default_factory=list)
    instead: dict[str, list[Attribute]] = field(default_factory=dict)

    @property
    def needed(self) -> frozenset[str]:
        return REQUIRED_FIELDS[self.kind] | SAFEGUARDS.get(self.kind, frozenset())
