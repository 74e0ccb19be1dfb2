"""What must fit together in the dependent tables of a mapping: to what each belongs, what its columns are."""

from collections.abc import Collection, Iterator, Mapping

from connectors.dynamics.mapping.dependent_tables import KEPT, RESERVED, above_of, columns_in
from connectors.dynamics.mapping.mapping_file import DependentPart, MappingFile
from connectors.dynamics.mapping.slip import Slip
from rules.model.kinds import NOT_BY_THEMSELVES, ROW_KINDS
from rules.model.records import KINDS, REGARDING


def check_dependent(file: MappingFile, there: Collection[str]) -> Iterator[Slip]:
    """Refuse a dependent table that is mapped already, belongs to nothing that is known, or has a column for
    two things. `there` are the kinds that the file has, also those that it misspells or of which a value is
    refused: that is told once, and not again by each table that belongs to them."""
    mapped = {part.table: kind for kind, parts in file.tables.items() for part in parts}
    owners = [*(word for word in ROW_KINDS if word in there and word not in NOT_BY_THEMSELVES), *file.dependent]
    for name, part in file.dependent.items():
        at = ("dependent", name)
        if name in mapped:
            yield Slip(at, f"{name} is the table of {mapped[name]} already")
        elif name in KINDS:
            yield Slip(at, f"{name} is a kind of row that the product knows: map it under tables")
        yield from (slip.below(*at) for slip in (*_check_ways(part), *_check_owners(part, owners, mapped)))
        if not _is_rooted(name, file):
            yield Slip(at, f"the rows of {name} belong to rows of dependent tables in a circle, and to nothing else")
        yield from (slip.below(*at) for slip in (*_check_columns(part), *_check_masked(name, part)))
        yield from (slip.below(*at, "term") for slip in _check_term(part))
        named = [*part.belongs_to, *(column for _, column in columns_in(part))]
        for at_readable, column in enumerate(part.readable):
            if column not in named:
                yield Slip.unknown((*at, "readable", at_readable), f"{column} stands under readable and nowhere else", column, named)


def _check_ways(part: DependentPart) -> Iterator[Slip]:
    """Refuse rows that belong to others in no way, or in two."""
    if not part.belongs_to and not part.behind and len(part.tied_by) != 1:
        told = "name a lookup under belongs_to, one table of links under tied_by, or what points to the rows under behind"
        yield Slip((), told, "missing")
    elif part.belongs_to and part.tied_by:
        yield Slip(("tied_by",), "rows belong to others by lookups or by a table of links, not by both")
    elif part.behind and (part.belongs_to or part.tied_by):
        yield Slip(("behind",), "rows belong to others by lookups or links of their own, or to what points to them, not by both")
    elif len(part.belongs_to) > len(REGARDING):
        told = f"rows belong to others by {len(REGARDING)} lookups at most: who is only named in them stands under people"
        yield Slip(("belongs_to",), told)


def _check_owners(part: DependentPart, owners: Collection[str], mapped: Mapping[str, str]) -> Iterator[Slip]:
    for section, column, words in (
        *(("belongs_to", column, words) for column, words in part.belongs_to.items()),
        *(("tied_by", column, (word,)) for column, word in part.tied_by.items()),
        *(("behind", word, (word,)) for word in part.behind),
    ):
        for at_word, word in enumerate(words):
            if word not in owners:
                place = (section, column, at_word) if len(words) > 1 else (section, column)
                told = f"{word} is neither a kind of row that is mapped nor a table under dependent"
                yield Slip.unknown(place, told, word, owners, mapped[word] if mapped.get(word) in owners else "")


def _check_columns(part: DependentPart) -> Iterator[Slip]:
    """Refuse a column for two things; only who is named may also be what the row belongs to."""
    seen: dict[str, str] = dict.fromkeys(part.belongs_to, "belongs_to")
    for section, column in columns_in(part):
        if column in RESERVED:
            yield Slip((section, getattr(part, section).index(column)), f"{column} is a word of the product: it cannot be told")
        elif column in seen and (section != "people" or column not in part.belongs_to):
            yield Slip((section,), f"{column} stands under {seen[column]} already")
        seen[column] = section


def _check_masked(name: str, part: DependentPart) -> Iterator[Slip]:
    if part.masked is None:
        return
    if part.files:
        yield Slip(("masked",), f"files cannot be overwritten: rows of {name} go with what they belong to")
    may_stay = [column for section, column in columns_in(part) if section in KEPT]
    for at_kept, column in enumerate(part.masked.keeps):
        if column not in may_stay:
            told = f"{column} is not a date, number, choice or yes and no of this table"
            yield Slip.unknown(("masked", "keeps", at_kept), told, column, may_stay)


def _check_term(part: DependentPart) -> Iterator[Slip]:
    if part.term is None:
        return
    if part.term.date not in part.dates:
        yield Slip.unknown(("date",), f"{part.term.date} does not stand under dates", part.term.date, part.dates)
    if part.masked is not None:
        yield Slip((), "rows with a term of their own are not masked: they stay until it ends, and are deleted then")
    if part.tied_by or part.behind:
        yield Slip((), "rows with a term of their own belong to something by a lookup, which is emptied where that goes first")


def _is_rooted(name: str, file: MappingFile) -> bool:
    """Return whether rows of a table may belong to something that is not a dependent table, at whatever
    depth; what is not known is told by itself."""
    seen, waiting = {name}, [name]
    for each in waiting:
        for word in above_of(file.dependent[each]):
            if word not in file.dependent:
                return True
            if word not in seen:
                seen.add(word)
                waiting.append(word)
    return not above_of(file.dependent[name])
