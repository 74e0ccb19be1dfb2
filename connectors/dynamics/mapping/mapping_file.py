"""The mapping file as models: which parts it has, and the form of each value. What must fit together, and
which fields each kind of row has, `checks.py` says. The sentence below a field is its description in
`schema.json`."""

from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from rules.anonymisation.techniques import TECHNIQUES
from rules.files.model import Model

SCHEMA: Final = "crm-mapping/1"
Copies: TypeAlias = Literal["search_index", "lake", "offline"]  # kinds of copies that the Web API does not reach (ERA-12)
BEHAVIOURS: Final = ("date_only", "user_local", "time_zone_independent")
COLUMN_TECHNIQUES: Final = tuple(name for name, technique in TECHNIQUES.items() if technique.fits)

_NAME: Final = r"[a-z][a-z0-9_]{0,127}"
LOGICAL_NAME: Final = f"^{_NAME}$"
_COLUMN_OF_TABLE: Final = rf"^{_NAME}\.{_NAME}$"
_TABLE_OR_COLUMN: Final = rf"^{_NAME}(\.{_NAME})?$"
_OPTION: Final = r"^(-?[0-9]{1,10}|true|false)$"
_KEY: Final = r"^[a-z0-9][a-z0-9_+-]{0,59}$"
_STATE: Final = r"^[0-9]{1,10}$"
_MEDIA_TYPE: Final = r"^[a-z0-9!#$&^_.+-]+/(\*|[a-z0-9!#$&^_.+-]+)$"
_TECHNIQUE: Final = f"^({'|'.join(COLUMN_TECHNIQUES)})$"
_APP_URL: Final = "^https://"

# What a value is, by the pattern that it does not match.
TEXTS: Final = MappingProxyType(
    {
        LOGICAL_NAME: "this has to be a logical name of the CRM, in lower case",
        _COLUMN_OF_TABLE: "this has to be a column of a table, written table.column",
        _TABLE_OR_COLUMN: "this has to be a table, or a column of one, written table.column",
        _OPTION: "an option value is a whole number, of a column of yes and no true or false",
        _KEY: "this is a key: lower-case letters, digits, underscores",
        _STATE: "this has to be an option value, a whole number",
        _MEDIA_TYPE: "this has to be a media type such as audio/*",
        _TECHNIQUE: f"this must be one of {', '.join(COLUMN_TECHNIQUES)}",
        _APP_URL: "this has to be an address that starts with https://",
        "extra_forbidden": "this is not known here",
        "string_type": "this has to be a single value",
    }
)


def _some(text: str) -> str:
    if text in ("", "null"):  # YAML's own word for no value, which is a technique and nothing else here
        raise ValueError("there is no value: write one, or leave the key out")
    return text


Name = Annotated[str, StringConstraints(pattern=LOGICAL_NAME), AfterValidator(_some)]
OptionValue = Annotated[str, StringConstraints(pattern=_OPTION)]
Key = Annotated[str, StringConstraints(pattern=_KEY), AfterValidator(_some)]


def _none_yet(value: object) -> object:
    """Return an empty section for a key with nothing behind it, as a draft has where all lines below it are
    still comments."""
    return {} if value is None or value == "" else value


Keys = Annotated[dict[OptionValue, Key], BeforeValidator(_none_yet)]
State = Annotated[str, StringConstraints(pattern=_STATE), WithJsonSchema({"type": "integer", "minimum": 0})]
Technique = Annotated[str, StringConstraints(pattern=_TECHNIQUE), WithJsonSchema({"enum": [None, *COLUMN_TECHNIQUES]})]
Behaviour = Literal["date_only", "user_local", "time_zone_independent"]


ColumnOfTable = Annotated[str, StringConstraints(pattern=_COLUMN_OF_TABLE)]
TableOrColumn = Annotated[str, StringConstraints(pattern=_TABLE_OR_COLUMN)]


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Words = Annotated[tuple[Name, ...], BeforeValidator(_several), Field(min_length=1)]


def _without_reasons(value: object) -> object:
    return {name: {} for name in value if isinstance(name, str)} if isinstance(value, list) else value


class DecidedPart(Model):
    """What somebody decided about a table or column."""

    why: str = ""
    """The reason, in words."""
    by: str = ""
    """Who decided it."""


class AnonymisePart(Model):
    """How a row is anonymised in place, where the policy says so (5.3, ERA-06)."""

    owner: Annotated[str, AfterValidator(_some), WithJsonSchema({"type": "string", "minLength": 1})]
    """Name or id of the neutral team that owns the row afterwards."""
    state: State
    """Value of statecode afterwards."""
    status: State | None = None
    """Value of statuscode afterwards; without it, the state's default."""
    columns: dict[Name, Technique]
    """Column to technique."""
    keeps: tuple[Name, ...] = ()
    """Columns that stay; emptied too where too few people share the combination (ERA-08)."""


class ReferencePart(Model):
    """What the rows of a table of reference stand for."""

    by: Annotated[str, StringConstraints(pattern=LOGICAL_NAME)] = ""
    """Column of that table by which its rows are told apart, such as a code; without it, by their id."""
    keys: Annotated[dict[Annotated[str, AfterValidator(_some)], Key], BeforeValidator(_none_yet)]
    """Value of that column, or id, to our key."""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class TablePart(Model):
    """One kind of row, and a table that holds it."""

    table: Name
    """The table's logical name."""
    only: dict[Name, tuple[Annotated[str, AfterValidator(_some)], ...]] = Field(default_factory=dict)
    """The rows of the table that are of this kind, by column: those that have one of these values in each (an
    option, true or false, a text, the id to which a lookup points). The others are out of scope."""
    columns: Annotated[dict[str, Name], BeforeValidator(_none_yet)]
    """Our field to the column's logical name; a field without a column stays unknown."""
    either: tuple[Name, ...] = ()
    """Columns that point to a dossier or to a fiche, whichever it is, and so stand for both fields."""
    personal: Annotated[dict[str, Name], BeforeValidator(_none_yet)] = Field(default_factory=dict)
    """What only a subject request reads; a field that is left out is not searched and not told."""
    texts: tuple[Name, ...] = ()
    """Further columns with free texts, which fill no field: searched, redacted, read by a person before they
    are sent, and told by the CRM's own labels."""
    without: tuple[str, ...] = ()
    """Fields that the organisation does not record although their absence hides a hold or a relation, or
    shortens a term."""
    choices: dict[str, Keys] = Field(default_factory=dict)
    """Our field to option values of the CRM and our keys."""
    references: dict[str, ReferencePart] = Field(default_factory=dict)
    """Our field whose column is a lookup to a table of reference, and our keys for the rows of that table."""
    flags: dict[str, dict[Name, Key]] = Field(default_factory=dict)
    """Our field that is filled from several columns of yes and no, instead of one: column to our key."""
    more: dict[str, tuple[Name, ...]] = Field(default_factory=dict)
    """Our field to further columns beside its own: of a date the first that has a value counts, of categories
    all that have one; of a dossier's `legal_hold` columns of yes and no, each of which holds."""
    fixed: dict[str, Key] = Field(default_factory=dict)
    """Our field that stands for the same key in every row of this table: no column says it."""
    many_to_many: dict[str, Name] = Field(default_factory=dict)
    """Our field that is filled from a many-to-many relationship: the table that holds its pairs."""
    behaviour: dict[str, Behaviour] = Field(default_factory=dict)
    """Our date field to its behaviour, only where the CRM's metadata does not tell (DAT-09)."""
    readable: tuple[str, ...] = ()
    """Fields, and columns under texts, that the CRM secures and which the application user may read all the
    same."""
    anonymise: AnonymisePart | None = None
    """How a dossier or a fiche is anonymised in place."""


class MaskedPart(DecidedPart):
    """Why rows outlive what they belong to, who decided it, and which columns stay."""

    keeps: tuple[Name, ...] = ()
    """Dates, numbers, choices and columns of yes and no that stay."""


class TermPart(Model):
    """The term of a table's rows."""

    row: Key
    """The row of the schedule that decides over them, one for the unit own_table."""
    date: Name
    """The date from which it counts, a column under dates."""


class DependentPart(Model):
    """A table of the organisation's own whose rows go with what they belong to, at any depth. Under each
    section stand its columns by what they hold; a column under none is neither searched nor told."""

    belongs_to: dict[Name, Words] = Field(default_factory=dict)
    """Its lookup to what its rows belong to, and the kind of that row, or several: dossier, fiche, contact,
    …, or the name of another table under dependent. With several lookups a row goes with the last of what it
    belongs to."""
    tied_by: dict[Name, Name] = Field(default_factory=dict)
    """Instead of a lookup: the table of links of an N:N relationship, and the kind of row to which it
    ties."""
    behind: dict[Name, Words] = Field(default_factory=dict)
    """Instead of a lookup of its own: the kind of row that points to its rows, and the lookup by which it
    does, or several. A row goes with the last that points to it."""
    texts: tuple[Name, ...] = ()
    """Free texts: searched, redacted, read by a person before they are sent."""
    dates: tuple[Name, ...] = ()
    """Days and instants, told as days; by the first that is filled an answer orders the rows."""
    numbers: tuple[Name, ...] = ()
    """Numbers and amounts, told as they are."""
    choices: tuple[Name, ...] = ()
    """Choices, told by the CRM's own labels."""
    yes_no: tuple[Name, ...] = ()
    """Columns of yes and no."""
    people: tuple[Name, ...] = ()
    """Lookups to people who are named in a row without owning it."""
    files: tuple[Name, ...] = ()
    """Files and images: searched, and sent once a person has looked at them."""
    masked: MaskedPart | None = None
    """The rows outlive what they belong to: their link and every column that stands here are emptied, but for
    those under keeps."""
    term: TermPart | None = None
    """The rows have a term of their own: each goes when it ends, before what it belongs to or after, and
    loses its link where that goes first."""
    readable: tuple[Name, ...] = ()
    """Columns that the CRM secures and which the application user may read all the same."""


class MappingFile(Model):
    """Mapping of a Dynamics CRM to the records of crm-compliance."""

    schema_: Literal["crm-mapping/1"] = Field(alias="schema")
    """The form of this file."""
    app_url: Annotated[str, StringConstraints(pattern=_APP_URL)] = ""
    """Address of the model-driven app, for links to rows."""
    recording_media_types: tuple[Annotated[str, StringConstraints(pattern=_MEDIA_TYPE)], ...] = ("audio/*",)
    """An attachment on a fiche is a recording if its media type is one of these (RET-05)."""
    beyond_reach: tuple[Literal["audit_history"], ...] = ()
    """Places that the application user sees and may not clean, accepted by the controller as out of its reach
    (ERA-12)."""
    copies: tuple[Copies, ...] | None = None
    """Copies of rows that the Web API does not reach; an empty list says that there are none (ERA-12)."""
    stay: Annotated[dict[TableOrColumn, DecidedPart], BeforeValidator(_without_reasons)] = Field(default_factory=dict)
    """Columns of tables that are not mapped, as table.column: their rows may stay, the link emptied, when
    what they point to goes. A table alone: its rows may stay whatever they belong to. Each with why, and who
    decided it; a list names them without."""
    goes_along: dict[ColumnOfTable, DecidedPart] = Field(default_factory=dict)
    """Columns of mapped tables, as table.column, that need no field: they go with their row, are neither
    searched nor told, and an answer says so. Each with why, and who decided it."""
    dependent: dict[Name, DependentPart] = Field(default_factory=dict)
    """Tables of the organisation's own, each by its logical name."""
    tables: dict[str, Annotated[tuple[TablePart, ...], BeforeValidator(_as_list)]]
    """Each kind of row; a list where its rows come from several tables."""
