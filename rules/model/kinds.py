"""What is true of every row of a kind: what it belongs to and is deleted with, where it mentions people,
where it stands in an answer. Whatever handles rows of every kind asks here. A new kind is a record, its
personal record, one line here, the rule of each field (`rules/rights/fields.py`), and its table in the
mapping."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Final, get_type_hints

import msgspec

from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS, REGARDING, Contact, Dependent, Record, tied_to

_OWNERS: Final = ("dossier", "fiche", "contact", "regarding")  # fields that name another row; `regarding` one of any kind
_LINKS: Final = (*_OWNERS, "regarding_kind", "tied", "anonymised_on")


@cache
def _contents(word: str, full: type[Record]) -> tuple[str, ...]:
    hints = get_type_hints(full)
    return tuple(name for name in personal_fields(word) if hints[name] == bytes | None)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row, by the word that mapping files use.

    `depends`: a row is deleted with the row that it belongs to, whatever its own age. `is_file`: what a
    person has a role in, and what others belong to. `is_whole`: it goes with all that depends on it.
    `is_relation`: it ties a contact to the organisation outside its missions (RET-20). `is_activity`: people
    take part in it, by a table of participants. `part_of`: the row is somebody's part in something, and this
    field names them. `outlives`: a row may stay without what it says of somebody (RET-20, 6.2).

    `texts` are the fields that may mention people; `dates` those by which an answer orders the rows, the
    first that is there. `order` is the place of the kind in an answer; without one it is told only with
    another row, cannot be held and is not erased by itself. `choices` are fields of which the mapping must
    say what each option means, of the lean record and of the personal one. `further` are texts of the
    organisation's own beside our fields, named like their columns, and `wider` the personal record with
    them.

    Of a dependent table (`dependent` in the mapping): `own` is the record with all its columns, `above` the
    kinds that its rows may belong to, by the fields `lookups`, `people` the fields that name a contact,
    `emptied` those that lose their value where its rows outlive what they belong to, `natures` what each of
    its fields holds, by the words of `rules.rights.fields.Nature`. With a `term`, the row of the schedule
    that decides over them, its rows are units and stay when what they belong to is deleted. `counted_from` is
    the field with the date from which the term of such rows, or of a relation, counts."""

    word: str
    order: int | None = None
    depends: bool = False
    is_file: bool = False
    is_whole: bool = False
    is_relation: bool = False
    is_activity: bool = False
    part_of: str = ""
    outlives: bool = False
    is_optional: bool = True
    texts: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    wider: type[Record] | None = None
    own: type[Dependent] | None = None
    above: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    natures: Mapping[str, str] = field(default_factory=dict)
    term: str = ""
    counted_from: str = ""

    @property
    def record(self) -> type[Record]:
        return KINDS[self.word]

    @property
    def full(self) -> type[Record]:
        """The record with all that is known of a row."""
        return self.own or self.wider or FULL[self.word]

    @property
    def dependent(self) -> type[Dependent]:
        """The record of a dependent table."""
        assert self.own is not None
        return self.own

    @property
    def contents(self) -> tuple[str, ...]:
        """The fields that are content, fetched by itself."""
        if self.own is not None:
            return tuple(name for name, nature in self.natures.items() if nature == "file")
        return _contents(self.word, self.full)

    @property
    def with_row(self) -> tuple[str, ...]:
        """The fields that are read with a row: all but contents, and the small picture of a contact."""
        apart = {*Record.__struct_fields__, *self.contents, *(("image",) if issubclass(self.record, Contact) else ())}
        return tuple(name for name in self.full.__struct_fields__ if name not in apart)

    @property
    def owner_fields(self) -> tuple[str, ...]:
        """The fields by which a row names what it belongs to, files first."""
        return self.lookups or tuple(name for name in _OWNERS if name in self.record.__struct_fields__)

    @property
    def naming(self) -> tuple[str, ...]:
        """The fields of a dependent table by which rows of a file name a person: also those by which they
        belong to one beside the file."""
        return (*self.people, *(self.lookups if len(self.lookups) > 1 and "contact" in self.above else ()))

    @property
    def links(self) -> tuple[str, ...]:
        """The least that tells to what a row belongs, and whether it was anonymised."""
        if self.lookups:
            return (*self.lookups, *(f"{name}_kind" for name in self.lookups), "tied")
        return tuple(name for name in self.record.__struct_fields__ if name in _LINKS)

    def owners(self, row: Record) -> Iterator[tuple[str, str]]:
        """Return what a row belongs to, as (kind, id); nothing where it belongs to nothing, or to a row of a
        table that is not mapped."""
        for name in self.owner_fields:
            kind = getattr(row, f"{name}_kind", None) if name in REGARDING else name
            owner = getattr(row, name, None)
            if kind is not None and owner is not None:
                yield kind, owner
        yield from (owner for owner in tied_to(getattr(row, "tied", ()), getattr(row, "regarding_kind", None)) if owner[0])


_ROW_KINDS = (
    Kind("contact", 1, outlives=True, is_optional=False, texts=("description",), required=("birth_on",), choices=("gender", "language")),
    Kind("party", 3, part_of="contact", outlives=True, is_optional=False, texts=("name", "authority_evidence", "notes"),
         required=("contact", "dossier", "fiche", "role"), choices=("role",)),
    Kind("dossier", 2, is_file=True, is_whole=True, is_optional=False, texts=("court_reference", "legal_hold_reason", "summary"),
         dates=("opened_on",), required=("categories", "is_active", "opened_on"), choices=("categories", "outcome")),
    Kind("fiche", 4, is_file=True, is_whole=True, is_optional=False, texts=("caller_number", "caller_email", "summary", "transmitted_to"),
         dates=("communicated_at", "communicated_on", "created_on"), required=("dossier", "communicated_on", "created_on"),
         choices=("categories", "channel", "reporter_kind", "language")),
    Kind("recording", 5, is_whole=True, texts=("name", "caller_number", "transcript"), dates=("started_at", "started_on"),
         required=("fiche", "started_on"), choices=("channel",)),
    Kind("note", 8, depends=True, texts=("subject", "text", "file_name"), dates=("created_at", "created_on")),
    Kind("call", 6, depends=True, is_activity=True, texts=("subject", "text", "number"), dates=("ended_at",)),
    Kind("email", 7, depends=True, is_activity=True, texts=("subject", "text", "sender", "recipients"),
         dates=("sent_at", "sent_on", "created_on")),
    Kind("activity_party", part_of="party", texts=("address", "name"), required=("activity", "party")),
    Kind("donation", 9, is_relation=True, texts=("name",), dates=("booked_on",), counted_from="booked_on"),
    Kind("enrolment", 10, is_relation=True, texts=("name", "course"), dates=("held_on",), choices=("kind",), counted_from="held_on"),
    Kind("engagement", 11, is_relation=True, texts=("name",), dates=("started_on",), choices=("kind",), counted_from="ended_on"),
)  # fmt: skip
# In the order in which they are searched. Statistics are about nobody (5.4), and are none of these.
ROW_KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.word: kind for kind in _ROW_KINDS})

FILES: Final = tuple(kind.word for kind in _ROW_KINDS if kind.is_file)
RELATIONS: Final = tuple(kind.word for kind in _ROW_KINDS if kind.is_relation)
ACTIVITIES: Final = tuple(kind.word for kind in _ROW_KINDS if kind.is_activity)
DEPENDENT: Final = tuple(kind for kind in _ROW_KINDS if kind.depends)
IN_DOSSIERS: Final = tuple(kind.word for kind in _ROW_KINDS if "dossier" in kind.owner_fields)
WHOLE: Final = tuple(kind.word for kind in _ROW_KINDS if kind.is_whole)  # a contact goes so too, in its own way
PARTS: Final[Mapping[str, str]] = MappingProxyType({kind.word: kind.part_of for kind in _ROW_KINDS if kind.part_of})
OUTLIVING: Final = frozenset(kind.word for kind in _ROW_KINDS if kind.outlives)
ANONYMISED: Final = tuple(word for word, record in KINDS.items() if "anonymised_on" in record.__struct_fields__)  # rows of these say so
# The kinds of row that an answer is made of, in the order in which it tells them.
KINDS_IN_ORDER: Final = tuple(kind.word for kind in sorted(_ROW_KINDS, key=lambda kind: kind.order or 0) if kind.order)
# Rows of these are never a matter by themselves: nothing belongs to one.
NOT_BY_THEMSELVES: Final = tuple(word for word in KINDS if word not in KINDS_IN_ORDER)
# A lookup and the kinds of row that it may point to; empty: any.
LOOKUPS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **{word: frozenset({word}) for word in (*FILES, "contact")},
        "parent": frozenset({"contact"}),
        **dict.fromkeys(REGARDING, frozenset()),
        "activity": frozenset(ACTIVITIES),
        "party": frozenset({"contact"}),
    }
)
# What is read of each kind that this product erases: no more than tells to what a row belongs; people last.
LINKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {kind.word: kind.links for kind in sorted(_ROW_KINDS, key=lambda kind: kind.word == "contact") if kind.order}
)


@cache
def with_further(word: str, texts: tuple[str, ...]) -> Kind:
    """Return a kind whose rows have these texts too, each named like its column."""
    kind = ROW_KINDS[word]
    fields = [(name, str | None, None) for name in texts]
    full: type[Record] = msgspec.defstruct(kind.full.__name__, fields, bases=(kind.full,), module=__name__, gc=False, kw_only=True)  # type: ignore[assignment]
    made = replace(kind, texts=(*kind.texts, *texts), further=texts, wider=full)
    full.__kind__ = made  # type: ignore[attr-defined]  # a row by itself says what is true of it
    return made


def kind_of(word: str, record: Record) -> Kind:
    """Return what is true of the kind of a row: of a dependent table, or with further texts, its record says
    it."""
    own: Kind | None = getattr(record, "__kind__", None)
    return own if own is not None else ROW_KINDS[word]


def depends(word: str) -> bool:
    """Return whether rows of a kind are deleted with what they belong to."""
    return word not in ROW_KINDS or ROW_KINDS[word].depends


class Kinds(Mapping[str, Kind]):
    """The kinds of row of one organisation, in the order in which they are searched: those of every
    organisation, some `with_further` texts, then its dependent tables, each behind those that its rows belong
    to."""

    def __init__(self, own: Sequence[Kind] = (), wider: Sequence[Kind] = ()) -> None:
        self._of = {**ROW_KINDS, **{kind.word: kind for kind in (*wider, *own)}}
        self.own = tuple(own)
        self.depending = (*(self._of[kind.word] for kind in DEPENDENT), *own)
        self.termed = tuple(kind for kind in reversed(self.own) if kind.term)  # what belongs to others first
        self.in_order = (*KINDS_IN_ORDER, *(kind.word for kind in own))
        before = {word: fields for word, fields in LINKS.items() if word != "contact"}
        self.links: Mapping[str, tuple[str, ...]] = {**before, **{kind.word: kind.links for kind in own}, "contact": LINKS["contact"]}

    def __getitem__(self, word: str) -> Kind:
        return self._of[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)

    @property
    def of_files(self) -> frozenset[str]:
        """The dependent tables, by their words, of which a row may belong to a file, a role in one or a
        recording, at any depth."""
        found = {*FILES, "party", "recording"}
        for kind in self.own:  # owners first
            found |= {kind.word} if not found.isdisjoint(kind.above) else set()
        return frozenset(found & {kind.word for kind in self.own})

    @property
    def depth(self) -> int:
        """How many dependent tables are below each other at most."""
        found: dict[str, int] = {}
        for kind in self.own:
            found[kind.word] = 1 + max((found.get(word, 0) for word in kind.above), default=0)
        return max(found.values(), default=0)
