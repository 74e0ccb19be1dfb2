"""Whole tables put together in columns: who is in which file, without an object for any row. Rows of which
something has to be looked at by itself, because they point to what was not there, become records again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from connectors.interface.columns import SEPARATOR, frame_of
from jobs.reading.tables.anonymised_files import ANONYMISED, AnonymisedFiles
from jobs.reading.tables.compact_ids import Ids, Versions
from jobs.reading.tables.particulars import BIRTHS, PARENTS, Particulars
from jobs.reading.tables.parts import NO_ROW, repeated, whole
from jobs.reading.tables.row_numbers import BASE, NOBODY, ROW, SOURCE, Numbered, records_of
from rules.law.codes import TEXT
from rules.law.facts import DOSSIER_FACTS, UNITS
from rules.model.file_roles import FILE_ROLES, FileRole
from rules.model.kinds import FILES
from rules.model.records import (
    KINDS,
    ActivityParty,
    Call,
    Contact,
    Dossier,
    Email,
    Fiche,
    Note,
    Party,
    Record,
    Recording,
    Unit,
    UnitKind,
)
from rules.retention.audio_notes import is_audio_type

_OWN: Final = {"id": pl.String, "etag": pl.String, "source": SOURCE}
_CONTACTS: Final = {
    "id": pl.String, "etag": pl.String, "newsletter": pl.Boolean, "anonymised_on": pl.Date,
}  # fmt: skip
_DOSSIERS: Final = {
    **_OWN, "categories": TEXT, **{name: UNITS[name] for name in DOSSIER_FACTS}, "legal_hold": pl.Boolean,
    "anonymised_on": pl.Date,
}  # fmt: skip
_FICHES: Final = {  # `dossier` is a number; only lone ones have a version
    **_OWN, "dossier": ROW, "is_shared": pl.Boolean, "categories": TEXT, "communicated_on": pl.Date,
    "created_on": pl.Date, "transmitted_on": pl.Date, "anonymised_on": pl.Date,
}  # fmt: skip
_RECORDINGS: Final = {
    **_OWN, "dossier": ROW, "fiche": ROW, "started_on": pl.Date, "ended_on": pl.Date, "taken_over": pl.Boolean, "evidence": pl.Boolean,
    "is_outside": pl.Boolean,
}  # fmt: skip
_NOTES: Final = {**_OWN, "fiche": ROW, "evidence": pl.Boolean}
_EMAILS: Final = {**_OWN, "sent_on": pl.Date}
_ACTIVITIES: Final = {"id": pl.String, "hook": ROW}
_PEOPLE: Final = {"contact": ROW, "place": ROW}
_ALSO: Final = {"fiche": ROW, "dossier": ROW}
_ABOUT: Final = {"about": ROW, "contact": ROW}
_FICHE, _CONTACT = BASE[UnitKind.FICHE], BASE[UnitKind.CONTACT]
SHARED: Final = _FICHE - 1  # the place of a fiche in several dossiers: the number of no unit
_PLACE: Final = pl.when(pl.col("is_shared")).then(pl.lit(SHARED, ROW)).otherwise("place")
Rows = pl.DataFrame | Sequence[Record]


class WholeTables:
    """What was read of whole tables. `people` pairs each contact with the number of the unit in which it has
    a role or a part in an activity, SHARED where that is a fiche in several dossiers, null where it is
    nothing that this product disposes of; `about` the contact that an activity is about with a participant of
    it; `children` the files with their child parties, null where nobody knows who that is; `also` the fiches
    of several dossiers with the others of these.

    `relations`, `relation_units` and `gifts` are as in `Gathering`, but for what `tied` has.

    `retained` are the rows that are in the CRM's long-term retention, `named_there` the dossiers and fiches
    that a role there names, and `bound` the numbers of the units that one role there ties to each other.
    `beyond` are rows that belong to one which is out of scope, and are so with it, each with whether that one
    stays by a decision. The methods that add rows return those that point to something not read yet."""

    def __init__(self, audio: Collection[str]) -> None:
        self.audio = tuple(audio)
        self.sources: list[type[Record]] = []  # the classes of what was read; of `source` in a frame this is the number
        self.ids, self.versions = Ids(), Versions()
        self.contacts = self._numbered("contact", _CONTACTS, few=ANONYMISED)
        self.dossiers = self._numbered("dossier", _DOSSIERS, few=ANONYMISED)
        self.fiches = self._numbered("fiche", _FICHES, few=("version", *ANONYMISED))
        self.recordings = self._numbered("recording", _RECORDINGS)
        self.attachments = self._numbered("note", _NOTES)
        self.emails = self._numbered("e-mail", _EMAILS)
        self.activities = self._numbered("activity", _ACTIVITIES)
        self._people = [pl.DataFrame(schema=_PEOPLE)]
        self._about = [pl.DataFrame(schema=_ABOUT)]
        self.calls_about_nothing = self.notes_about_nothing = 0  # how many are about no row: they belong to no unit
        self.left_in_anonymised = 0  # how many notes, calls and e-mails belong to a file that is anonymised
        self._told_of: list[pl.Series] = []  # whom notes and activities are about
        self._children = [pl.DataFrame(schema={"row": ROW, "contact": ROW})]
        self._also = [pl.DataFrame(schema=_ALSO)]
        self.particulars = Particulars(self.ids)  # of contacts
        self.relations: set[str] = set()
        self._tied = [pl.Series(dtype=ROW)]
        self.relation_units: dict[UnitKind, dict[str, Unit]] = {}
        self.gifts: dict[str, list[date | None]] = {}
        self.retained: set[str] = set()
        self.named_there: set[str] = set()
        self.bound: set[int] = set()
        self.beyond: dict[str, bool] = {}
        self.retained_rows: dict[str, int] = {}
        self.lake_instant: datetime | None = None  # how new the lake is that it was read from; None: the CRM itself was read

    def _numbered(self, what: str, schema: Mapping[str, Any], *, few: Collection[str] = ()) -> Numbered:
        return Numbered(what, schema, self.ids, self.versions, few=few)

    @property
    def by_kind(self) -> dict[UnitKind, Numbered]:
        """The rows of which units are made; of fiches those in dossiers too."""
        return {
            UnitKind.DOSSIER: self.dossiers,
            UnitKind.FICHE: self.fiches,
            UnitKind.RECORDING: self.recordings,
            UnitKind.ATTACHMENT: self.attachments,
            UnitKind.EMAIL: self.emails,
        }

    @property
    def people(self) -> pl.DataFrame:
        return whole(self._people)

    def without_term(self, anonymised: pl.Series) -> int:
        """Return how many people, not anonymised, something keeps that belongs to nothing with a term, or to
        one of these `anonymised` units, which has none any more."""
        place = pl.col("place")
        is_without = place.is_null() | place.is_in(anonymised.implode()) if len(anonymised) else place.is_null()
        people = self.people.filter(is_without).select(pl.col("contact").unique())["contact"]
        return self.contacts.columns(people, *ANONYMISED).to_series().null_count()

    @property
    def anonymised(self) -> AnonymisedFiles:
        return AnonymisedFiles(self.dossiers, self.fiches, self.also)

    @property
    def about(self) -> pl.DataFrame:
        return whole(self._about)

    @property
    def also(self) -> pl.DataFrame:
        return whole(self._also)

    def people_of(self, numbers: pl.Series) -> pl.DataFrame:
        """Return contacts by their numbers, with everything that was read of them."""
        return pl.concat([self.contacts.taken(numbers), *self.particulars.of(numbers)], how="horizontal")

    @property
    def children(self) -> pl.DataFrame:
        """Each child party once in a file."""
        if len(self._children) > 1:
            pairs = whole(self._children)
            both = pairs.select(pl.col("row").cast(pl.UInt64) * 2**32 + pl.col("contact").fill_null(NO_ROW)).to_series()
            self._children = [pairs.filter(both.is_first_distinct())]  # of pairs as they are, it takes ten times their memory
        return self._children[0]

    def missing(self, kind: str, ids: Iterable[str | None]) -> set[str]:
        """Return those of a few ids of contacts, dossiers or fiches that were not read."""
        wanted = {each for each in ids if each is not None}
        return wanted - self._of(kind).of(wanted).keys()

    def places_of(self, kind: str, ids: Iterable[str | None]) -> dict[str, int]:
        """Return the units of a few dossiers or fiches by their ids; of a fiche in several dossiers the
        first."""
        found = self._of(kind).of(ids)
        if kind == "fiche":
            return dict(zip(found, self.units_of(pl.Series(found.values(), dtype=ROW)), strict=True))
        return found

    def units_of(self, fiches: pl.Series) -> pl.Series:
        """Return the unit of each fiche, which is its dossier or itself; of one in several dossiers the
        first."""
        if not self.fiches.height:
            return repeated(None, len(fiches), ROW)
        dossiers = self.fiches.frame["dossier"][fiches]
        return dossiers.zip_with(dossiers.is_not_null(), fiches + _FICHE)

    def is_known(self, ids: Collection[str]) -> set[str]:
        """Return those of some ids that a contact, a dossier or a fiche has."""
        return {row for rows in (self.contacts, self.dossiers, self.fiches) for row in rows.of(ids)}

    def _of(self, kind: str) -> Numbered:
        return {"contact": self.contacts, "dossier": self.dossiers, "fiche": self.fiches}[kind]

    # -- adding rows -----------------------------------------------------------------------------------------

    def add_contacts(self, rows: Rows) -> None:
        given = self._frame(Contact, rows, {**_CONTACTS, **BIRTHS, **PARENTS})
        self.particulars.add(self.contacts.height, given)
        self.contacts.add(given)

    def order_contacts(self) -> None:
        """Put the contacts in the order of their ids. Raises ReadIncomplete: one was read twice."""
        self.particulars.renumber(self.contacts.put_in_order())

    def order_fiches(self) -> None:
        """Put the fiches in the order of their ids, before anything is added that belongs to one. Raises as
        `order_contacts`."""
        numbers = self.fiches.put_in_order()
        if self.also.height:
            self._also = [self.also.with_columns(numbers[self.also["fiche"]].alias("fiche"))]

    def add_dossiers(self, rows: Rows) -> None:
        self.dossiers.add(self._frame(Dossier, rows, _DOSSIERS))

    def add_fiches(self, rows: Rows) -> list[Fiche]:
        given = self._frame(Fiche, rows, {**_FICHES, "dossier": pl.String, "also_in": pl.String}, without=("is_shared",))
        if not given.height:
            return []
        found = self.dossiers.numbered(given, "dossier", "number")
        late = pl.col("dossier").is_not_null() & pl.col("number").is_null()
        others = found.filter(pl.col("also_in") != "").select("id", pl.col("also_in").str.split(SEPARATOR).alias("other")).explode("other")
        if others.height:
            others = self.dossiers.numbered(others, "other", "other_number")
            late |= pl.col("id").is_in(others.filter(pl.col("other_number").is_null())["id"].implode())
        unresolved, found = _parted(found, late)
        number = pl.int_range(self.fiches.height, self.fiches.height + pl.len(), dtype=ROW)
        found = found.with_columns(
            etag=pl.when(pl.col("number").is_null()).then("etag"),  # a plan does not write the others
            is_shared=pl.col("also_in") != "",
            dossier="number",
            fiche=number,
        )
        self.fiches.add(found)
        if others.height:
            self._also.append(
                others.join(found.select("id", "fiche"), on="id", maintain_order="left").select("fiche", dossier="other_number")
            )
        return records_of(self.sources, unresolved)

    def add_parties(self, rows: Rows) -> list[Party]:
        given = self._frame(Party, rows, {**_OWN, **dict.fromkeys(("contact", "dossier", "fiche", "role"), pl.String)})
        if not given.height:
            return []
        found = given.select(
            "role",
            person=self.contacts.lookup(given["contact"]),
            in_dossier=self.dossiers.lookup(given["dossier"]),
            in_fiche=self.fiches.lookup(given["fiche"]),
        )
        links = (("contact", "person"), ("dossier", "in_dossier"), ("fiche", "in_fiche"))
        both = found.hstack(given[[link for link, _ in links]])
        late = both.select(pl.any_horizontal(_lacks(link, number) for link, number in links)).to_series()
        found = self._with_places(found.filter(~late) if late.any() else found)
        person, in_dossier, in_fiche = pl.col("person").is_not_null(), pl.col("in_dossier").is_not_null(), pl.col("in_fiche").is_not_null()
        self._people += [
            found.filter(person & (in_dossier | ~in_fiche)).select(contact="person", place="in_dossier"),
            found.filter(person & in_fiche).select(contact="person", place=_PLACE),
        ]
        # A role that the mapping does not know, an option or a row of reference, may be a child's, so the
        # unit has a child of unknown age.
        is_child = pl.col("role") == str(FileRole.CHILD)
        found = found.filter((is_child | ~pl.col("role").is_in(list(FILE_ROLES))).fill_null(False))
        found = found.select("in_dossier", "in_fiche", "place", "is_shared", contact=pl.when(is_child).then("person"))
        self._children += [
            found.filter(in_dossier).select("contact", row="in_dossier").select("row", "contact"),
            found.filter(in_fiche).select(row="place", contact="contact"),
        ]
        shared = found.filter(pl.col("is_shared").fill_null(False))
        if shared.height:
            self._children.append(shared.join(self.also, left_on="in_fiche", right_on="fiche").select(row="dossier", contact="contact"))
        return records_of(self.sources, given.filter(late))

    def add_recordings(self, rows: Rows) -> list[Recording]:
        schema = {**_RECORDINGS, **dict.fromkeys(("dossier", "fiche", "storage_uri"), pl.String)}
        given = self._frame(Recording, rows, schema, without=("is_outside",))
        found = self.dossiers.numbered(self.fiches.numbered(given, "fiche", "in_fiche"), "dossier", "in_dossier")
        unresolved, found = _parted(found, _lacks("fiche", "in_fiche") | _lacks("dossier", "in_dossier"))
        is_outside = pl.col("storage_uri").fill_null("") != ""
        self.recordings.add(found.with_columns(fiche="in_fiche", dossier="in_dossier", is_outside=is_outside))
        return records_of(self.sources, unresolved)

    def add_notes(self, rows: Rows) -> list[Note]:
        """Add audio attachments of fiches; other notes are none of a plan's."""
        schema = {**_OWN, **dict.fromkeys(("regarding", "regarding_kind", "media_type"), pl.String)}
        given = self._frame(Note, rows, {**schema, "is_document": pl.Boolean, "evidence": pl.Boolean})
        self.notes_about_nothing += given["regarding"].null_count()
        media = [each for each in given["media_type"].unique().to_list() if is_audio_type(each, self.audio)]
        of_type = pl.col("media_type").is_in([each for each in media if each is not None])
        if None in media:
            of_type = of_type.fill_null(True)
        given = given.filter((pl.col("regarding_kind") == "fiche") & pl.col("regarding").is_not_null() & pl.col("is_document") & of_type)
        found = self.fiches.numbered(given, "regarding", "fiche")
        unresolved, found = _parted(found, pl.col("fiche").is_null())
        self.attachments.add(found)
        return records_of(self.sources, unresolved)

    def add_whom_about(self, rows: pl.DataFrame, hooks: pl.Series | None = None) -> None:
        """Note which contacts these notes or activities are about, and how many belong to a file that is
        anonymised. `hooks`: what they belong to, where that is known."""
        people = rows.filter(pl.col("regarding_kind") == "contact")["regarding"]
        self._told_of.append(self.contacts.lookup(people).drop_nulls())
        if len(anonymised := self.anonymised.units):
            hooks = self._hooked(rows)["hook"] if hooks is None else hooks
            self.left_in_anonymised += int(hooks.is_in(anonymised.implode()).sum())

    def number_about(self, contacts: Iterable[str]) -> int:
        """Return how many of these notes and activities are about some contacts."""
        numbers = pl.Series(self.contacts.of(contacts).values(), dtype=ROW).implode()
        return sum(int(each.is_in(numbers).sum()) for each in self._told_of)

    def add_calls(self, rows: Rows, *, about: bool = False) -> None:
        """Add calls, and with `about` whom they are about."""
        calls = self._frame(Call, rows, dict.fromkeys(("id", "regarding", "regarding_kind"), pl.String))
        self.calls_about_nothing += calls["regarding"].null_count()
        self._add_activities(calls, about=about)

    def add_emails(self, rows: Rows, *, about: bool = False) -> None:
        """Add e-mails, and with `about` whom they are about."""
        given = self._frame(Email, rows, {**_EMAILS, "regarding": pl.String, "regarding_kind": pl.String})
        self._add_activities(given, about=about)
        self.emails.add(given.filter(pl.col("regarding").is_null()))

    def _add_activities(self, rows: pl.DataFrame, *, about: bool) -> None:
        hooked = self._hooked(rows)
        self.activities.add(hooked)
        if about:
            self.add_whom_about(rows, hooked["hook"])

    def add_activity_parties(self, rows: Rows) -> None:
        schema = dict.fromkeys(("activity", "party", "party_kind"), pl.String)
        given = self._frame(ActivityParty, rows, schema).filter(
            (pl.col("party_kind") == "contact") & pl.col("activity").is_not_null()  # else a user, an account, or nobody in the CRM
        )
        # Others have the dangling id of a contact that is gone.
        found = self.contacts.numbered(given, "party", "contact").filter(pl.col("contact").is_not_null()).select("activity", "contact")
        found = found.with_columns(self._hook_of(found["activity"]))
        hooked, loose = _parted(found, pl.col("hook") != SHARED)
        loose = self._with_places(self.fiches.numbered(loose, "activity", "in_fiche"))  # a fiche may be one
        self._take_part(hooked.select("contact", "hook"))
        self._take_part(loose.select("contact", hook=pl.coalesce(_PLACE, "hook")))

    def _hooked(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return what activities belong to: a unit with which they are deleted, a contact that they are
        about, or null if they stay."""
        kind = pl.col("regarding_kind")
        links = {each: rows.select(pl.when(kind == each).then("regarding")).to_series() for each in (*FILES, "contact")}
        found = rows.select(
            "id",
            "regarding",
            "regarding_kind",
            in_dossier=self.dossiers.lookup(links["dossier"]),
            in_fiche=self.fiches.lookup(links["fiche"]),
            person=self.contacts.lookup(links["contact"]),
        )
        found = self._with_places(found)
        hook = (
            pl.when(kind == "contact")
            .then(pl.when(pl.col("regarding").is_not_null()).then(pl.col("person").fill_null(NOBODY - _CONTACT) + _CONTACT))
            .when(kind == "dossier")
            .then("in_dossier")
            .when(kind == "fiche")
            .then(_PLACE)
        )
        outside = self.unit_numbers()
        if not outside.height:
            return found.select("id", hook=hook.cast(ROW))
        outside = outside.with_columns(id=self.ids.packed(outside["id"]))
        found = found.with_columns(
            regarding=self.ids.asked(found["regarding"]),
            of=pl.when(kind.is_in(list(KINDS))).then(kind).otherwise(pl.lit(UnitKind.OWN_TABLE.value)),
        )
        found = found.join(outside, left_on=["of", "regarding"], right_on=["kind", "id"], how="left", maintain_order="left")
        is_other = ~kind.is_in(["contact", *FILES]).fill_null(False)
        return found.select("id", hook=pl.when(is_other).then("outside").otherwise(hook).cast(ROW))

    def hooks(self, kind: str, ids: Iterable[str | None]) -> dict[str, int | None]:
        """Return what rows belong to whose link of this kind has one of a few ids, by these."""
        wanted = sorted({each for each in ids if each is not None})
        asked = pl.DataFrame(
            {"id": wanted, "regarding": wanted, "regarding_kind": [kind] * len(wanted)}, schema_overrides={"id": pl.String}
        )
        return dict(self._hooked(asked.cast(pl.String)).iter_rows())

    def hooks_of_activities(self, ids: Iterable[str]) -> dict[str, int | None]:
        """Return what a few activities belong to, by their ids."""
        numbers = self.activities.of(ids)
        hooks = self.activities.frame["hook"][pl.Series(numbers.values(), dtype=ROW)] if numbers else ()
        return dict(zip(numbers, hooks, strict=True))

    def _hook_of(self, activities: pl.Series) -> pl.Series:
        """Return what activities belong to, by their ids."""
        numbers = self.activities.lookup(activities)
        return self.activities.frame["hook"][numbers] if self.activities.height else numbers.alias("hook")

    def take_part(self, contact: str, hook: int | None) -> None:
        """Note that a contact takes part in an activity that belongs to this. None: it belongs to nothing, or
        is of a kind that is not mapped."""
        self.take_parts([(contact, hook)])

    def take_parts(self, parts: Sequence[tuple[str, int | None]]) -> None:
        """Note several such contacts, all of which were read."""
        asked = pl.DataFrame(parts, schema={"id": pl.String, "hook": ROW}, orient="row")
        self._take_part(self.contacts.numbered(asked, "id", "contact").select("contact", "hook"))

    def _take_part(self, found: pl.DataFrame) -> None:
        is_about = (pl.col("hook") >= _CONTACT).fill_null(False)
        about, people = _parted(found, is_about)
        self._people.append(people.select("contact", place="hook"))
        self._about.append(about.filter(pl.col("hook") < NOBODY).select("contact", about=pl.col("hook") - _CONTACT).select(*_ABOUT))

    def add_hooks(self, hooks: Mapping[str, int | None]) -> None:
        """Note what rows that are activities belong to."""
        self.activities.add(pl.DataFrame(list(hooks.items()), schema={"id": pl.String, "hook": ROW}, orient="row"))

    def add_ties(self, contacts: pl.Series) -> None:
        """Note that these contacts have a relation of which nothing else is asked."""
        numbers = self.contacts.lookup(contacts)
        self._tied.append(numbers.drop_nulls())
        self.relations.update(self.ids.texts(self.ids.packed(contacts.filter(numbers.is_null()))))  # they may still be read

    @property
    def tied(self) -> pl.Series:
        """The contacts with such a relation, by number."""
        return pl.concat(self._tied)

    def unit_numbers(self) -> pl.DataFrame:
        """Return what stands outside the missions and has a term of its own, by kind and id, with its
        number."""
        units = [(kind.value, row, BASE[kind] + number) for kind, of in self.relation_units.items() for number, row in enumerate(of)]
        return pl.DataFrame(units, schema={"kind": pl.String, "id": pl.String, "outside": ROW}, orient="row")

    def source(self, record: type[Record]) -> int:
        """Return the number of a class among those of which rows were read."""
        if record not in self.sources:
            self.sources.append(record)
        return self.sources.index(record)

    def forget_links(self) -> None:
        """Forget what activities belong to, and what was kept to find rows: everything was read."""
        self.activities = self._numbered("activity", _ACTIVITIES)
        for rows in (self.contacts, self.dossiers, self.fiches):
            rows.forget_search()

    def forget_facts(self) -> None:
        """Forget what the law looks at, but for births: all units were decided on."""
        self.dossiers.keep("key", "version")
        self.fiches.keep("key", "version", "source", "dossier", "is_shared")

    def forget_all_but_names(self) -> None:
        """Forget of units everything but what they are called: what else there is to say of them is known."""
        for rows in self.by_kind.values():
            rows.keep("key", "version")
        self._children = [self._children[0].clear()]

    def forget_units(self) -> None:
        """Forget everything but contacts and their relations: what becomes of the units was written down."""
        self.dossiers, self.fiches = self._numbered("dossier", _DOSSIERS), self._numbered("fiche", _FICHES)
        self.recordings, self.attachments = self._numbered("recording", _RECORDINGS), self._numbered("note", _NOTES)

    def _with_places(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add the unit of the fiche `in_fiche`, and whether that is one of several dossiers."""
        if not self.fiches.height:
            return rows.with_columns(place=pl.lit(None, ROW), is_shared=pl.lit(None, pl.Boolean))
        fiches = rows["in_fiche"]
        return rows.with_columns(place=self.units_of(fiches), is_shared=self.fiches.frame["is_shared"][fiches])

    def _frame(self, record: type[Record], rows: Rows, schema: Mapping[str, Any], *, without: Collection[str] = ()) -> pl.DataFrame:
        """Return rows in the columns of a schema, as far as they have them and in its types."""
        if not isinstance(rows, pl.DataFrame):
            made = frame_of(record, [name for name in schema if name not in (*without, "id", "etag", "source")], rows)
            rows = made.with_columns(pl.Series("source", [self.source(type(row)) for row in rows], dtype=SOURCE))
        return rows[[name for name in schema if name not in without]]


def _lacks(link: str, number: str) -> pl.Expr:
    return pl.col(link).is_not_null() & pl.col(number).is_null()


def _parted(rows: pl.DataFrame, condition: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that fit and those that do not."""
    fits = rows.select(condition.fill_null(False)).to_series()
    if not fits.any():
        return rows.clear(), rows
    return rows.filter(fits), rows.filter(~fits)
