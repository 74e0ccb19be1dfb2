"""Everything that the CRM has about confirmed people (EXP-03)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete
from connectors.interface.remains import BinnedOrRetained, Reach, ResidualKind
from jobs.ports.context import JobContext
from jobs.reading.decoy_reads import always, ids_or_nobody
from jobs.reading.few_rows import rows_of
from jobs.requests.search.documents import documents_of, is_reached
from jobs.requests.search.gaps import AT_ONCE, ELSEWHERE, looks_into, places_not_searched
from jobs.requests.search.material import NUMBERS, Material, Mention, RowElsewhere
from jobs.requests.search.mentions import LINK, Sought
from rules.model.home import Home
from rules.model.kinds import ACTIVITIES, ANONYMISED, DEPENDENT, FILES, IN_DOSSIERS, PARTS, RELATIONS, Kind
from rules.model.personal_records import (
    FullContact,
    FullFiche,
)
from rules.model.records import REGARDING, Record


def search_everywhere(context: JobContext, people: Collection[str], *, like: Collection[FullContact] = ()) -> Material:
    """Gather everything about these contacts, with all that the files in which they have a role contain.

    Texts are also searched for people who are `like` these, to whom no row belongs. Every step queries the
    CRM, also where there is nothing to look for: an answer about nobody costs what one about someone costs,
    while their rows fit into one request each (SUS-07). Nothing sent to the CRM holds a name or a number:
    rows are found by their links, and texts are read and searched here (ACC-05). Raises ConnectorError:
    something could not be read in full; a partial answer is not an answer."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search") as threads:
        search = _Search(context.connector, threads, frozenset(people), context.home, like)
        search.people()
        search.files()
        search.documents(context)
        search.mentions()
        search.elsewhere()
        search.bystanders()
    search.material.not_searched = places_not_searched(context, search.looks)
    return search.material


def inside_of(context: JobContext, units: Collection[tuple[str, str]]) -> Material:
    """Return some dossiers and lone fiches, by kind and id, with all that depends on them, whoever has a role
    there. Raises ConnectorError: something could not be read in full; ObjectError: a folder of documents
    could not."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search") as threads:
        search = _Search(context.connector, threads, frozenset(), context.home)
        search.inside(units)
        search.documents(context)
    return search.material


class _Search:
    """One search: rows are taken in by what ties them together, each once."""

    def __init__(
        self, connector: Connector, threads: ThreadPoolExecutor, people: frozenset[str], home: Home, like: Collection[FullContact] = ()
    ) -> None:
        self._kinds = connector.all_kinds
        self.material = Material(kinds=self._kinds)
        self._connector, self._threads, self._people, self._like = connector, threads, people, like
        self._home = home
        self._fields = {word: kind.with_row for word, kind in self._kinds.items()}
        self._anonymised: set[str] = set()  # ids of rows that are left out
        self._attended: set[str] = set()  # activities of which the participants were taken in
        self._own_activities = tuple(kind for kind in self._kinds.own if connector.is_activity(kind.full))
        self._units: set[tuple[str, str]] = set()  # the dossiers and lone fiches in which the people have a role
        self.looks: dict[tuple[ResidualKind, str], Reach | None] = {}  # what the places beside the live rows hold, by kind

    # -- reading ---------------------------------------------------------------------------------------------

    def _take(self, *reads: tuple[str, str, Collection[str]]) -> None:
        """Take in the rows of each kind whose field is one of the ids, all reads side by side."""
        for (kind, _, _), rows in zip(reads, self._threads.map(lambda one: self._read(*one), reads), strict=True):
            place = self.material.rows(kind)
            for row in rows:
                if kind in ANONYMISED and getattr(row, "anonymised_on", None) is not None:
                    self._anonymised.add(row.id)
                else:
                    place.setdefault(row.id, row)

    def _read(self, kind: str, field: str, ids: Collection[str]) -> list[Record]:
        return rows_of(self._connector, self._kinds[kind].full, self._fields[kind], always(field, ids))

    def _demand(self, kind: str, ids: Iterable[str | None]) -> None:
        """Take in rows to which others point, and that must therefore be there."""
        wanted = {row for row in ids if row is not None} - self.material.rows(kind).keys() - self._anonymised
        self._take((kind, "id", wanted))
        hidden = wanted - self.material.rows(kind).keys() - self._anonymised
        if hidden and (hidden := hidden - self._connector.out_of_scope(self._kinds[kind].full, hidden).keys()):
            raise ReadIncomplete(
                f"{len(hidden)} rows are out of this account's sight although others point to them",
                hint="give the application user read access to the whole organisation, or try again if the CRM was being changed",
                where=self._connector.tables(self._kinds[kind].full)[0],
            )

    # -- what is tied to the people --------------------------------------------------------------------------

    def people(self) -> None:
        """Take in the people, their roles, their relations, and the activities and notes about them or with
        them."""
        people = self._people
        self._take(
            ("contact", "id", people),
            *((kind, name, people) for kind, name in PARTS.items()),
            *((kind, "contact", people) for kind in RELATIONS),
            *((kind.word, name, people) for kind in self._kinds.depending for name in kind.owner_fields if name not in FILES),
        )
        self._demand("contact", (row.parent for row in self.material.contacts.values() if row.parent_kind == "contact"))
        accounts = {row.parent for row in self.material.contacts.values() if row.parent_kind == "account" and row.parent is not None}
        self.material.accounts.update(self._connector.names("account", ids_or_nobody(accounts)))
        taking = {row.activity for row in self.material.activity_parties.values() if row.activity is not None}
        self._take(*((kind, "id", taking) for kind in ACTIVITIES))

    def files(self) -> None:
        """Take in the files in which the people have a role, with all that they hold."""
        found = self.material
        roles = [row for row in found.parties.values() if row.contact in self._people]
        self._demand("fiche", (row.fiche for row in roles))
        dossiers = {row.dossier for row in roles} | {dossier for fiche in found.fiches.values() for dossier in fiche.dossiers}
        self._demand("dossier", dossiers)
        self._units |= {("dossier", row) for row in found.dossiers}
        self._units |= {("fiche", row.id) for row in found.fiches.values() if row.dossier is None}
        self._take_inside()

    def inside(self, units: Collection[tuple[str, str]]) -> None:
        """Take in these dossiers and lone fiches, with all that they hold."""
        self._take(*((kind, "id", {row for of, row in units if of == kind}) for kind in FILES))
        self._take_inside()

    def _take_inside(self) -> None:
        """Take in what the dossiers and fiches that were found hold."""
        found = self.material
        self._take(("fiche", "dossier", found.dossiers), ("party", "dossier", found.dossiers))
        self._take(("party", "fiche", found.fiches), ("recording", "fiche", found.fiches), ("recording", "dossier", found.dossiers))
        tied = {*found.dossiers, *found.fiches, *found.recordings, *found.parties}
        for kind in RELATIONS:
            tied |= found.rows(kind).keys()
        tied |= self._take_below()
        self._take(*((kind.word, name, tied) for kind in DEPENDENT for name in kind.owner_fields if name != "contact"))
        activities = {row for kind in ACTIVITIES for row in found.rows(kind)}
        on_activities = [kind.word for kind in DEPENDENT if "regarding" in kind.owner_fields and not kind.is_activity]
        self._take(*((kind, "regarding", activities) for kind in on_activities))
        if any(kind.word in own.above for own in self._kinds.own for kind in DEPENDENT):
            self._take_below()
        self._participants()

    def _take_below(self) -> set[str]:
        """Take in the rows of dependent tables that belong to what was found, at any depth; returns their
        ids."""
        found = self.material
        for kind in self._kinds.own:
            owners = {row for word in kind.above for row in (self._people if word == "contact" else found.rows(word))}
            while True:  # once also where there is nothing to look for (SUS-07)
                known = set(found.rows(kind.word))
                self._take(*((kind.word, name, owners) for name in kind.owner_fields))
                owners = found.rows(kind.word).keys() - known
                if not owners or kind.word not in kind.above:
                    break
        return {row for kind in self._kinds.own for row in found.rows(kind.word)}

    def _participants(self) -> None:
        """Take in everybody who takes part in an activity that was found since this was last looked at."""
        own = [self.material.rows(kind.word) for kind in self._own_activities]
        activities = {*self.material.calls, *self.material.emails, *chain.from_iterable(own)} - self._attended
        self._attended |= activities
        self._take(("activity_party", "activity", activities))

    def documents(self, context: JobContext) -> None:
        """Take in the documents outside the CRM of the people and of what was found of theirs. Raises
        ObjectError: one of their folders cannot be read whole."""
        if not is_reached(context):
            return
        own = {kind: self.material.rows(kind).keys() for kind in self._kinds if kind != "contact"}
        for document in documents_of(context, {**own, "contact": self._people}):
            self.material.notes[document.id] = document

    # -- mentions --------------------------------------------------------------------------------------------

    def mentions(self) -> None:
        """Find the rows elsewhere whose texts mention the people; every text of the CRM is read for it, page
        by page."""
        sought = Sought([*(row for row in self.material.contacts.values() if row.id in self._people), *self._like], self._home)
        for mentions in self._threads.map(lambda kind: self._mentions_in(kind, sought), self._kinds):
            self.material.mentions += mentions
        for kind in self._kinds.own:
            self.material.mentions += self._links_in(kind)
        self._rows({(row.kind, row.id) for row in self.material.mentions})

    def _rows(self, rows: Collection[tuple[str, str]]) -> None:
        """Take in some rows by themselves, and the activities of which they are participants."""
        self._take(*((kind, "id", {row for of, row in rows if of == kind} - self.material.rows(kind).keys()) for kind in self._kinds))
        taking = {row.activity for row in self.material.activity_parties.values() if row.activity is not None}
        known = {*self.material.calls, *self.material.emails}
        self._take(*((kind, "id", taking - known) for kind in ACTIVITIES))

    def _mentions_in(self, kind: str, sought: Sought) -> list[Mention]:
        # A role without a contact may be theirs in any file, also in their own: what it is decides over that
        # file (SUS-06).
        known = {row for row, record in self.material.rows(kind).items() if kind != "party" or record.contact is not None}
        known |= self._anonymised
        anonymised = ("anonymised_on",) if kind in ANONYMISED else ()
        numbers = NUMBERS.get(kind, ())
        found = []
        texts = self._kinds[kind].texts
        for page in self._connector.read(self._kinds[kind].full, dict.fromkeys((*texts, *anonymised, *numbers))):
            for row in page:
                self.material.numbers.update(number.strip() for name in numbers if (number := getattr(row, name)))
                if row.id in known or (anonymised and getattr(row, "anonymised_on", None) is not None):
                    continue
                for name in texts:
                    if (text := getattr(row, name)) and (people := sought.found_in(text)):
                        evidence = min(people.values(), key=Sought.strength)
                        found.append(Mention(kind, row.id, name, evidence, tuple(sorted(people))))
        return found

    def _links_in(self, kind: Kind) -> list[Mention]:
        """Return the rows of a dependent table that name the people by a lookup, or in which they take part:
        what they say is for a person to look at, as if they named them in a text."""
        known = self.material.rows(kind.word)
        found = []
        if kind in self._own_activities:
            taking = {row.activity: row.party for row in self.material.activity_parties.values() if row.party in self._people}
            for row in self._read(kind.word, "id", {activity for activity in taking if activity is not None}):
                said = [text for text in kind.texts if getattr(row, text)] if row.id not in known else []
                found += [Mention(kind.word, row.id, text, LINK, (taking[row.id] or "",)) for text in said]
        for name in kind.people:
            for row in self._read(kind.word, name, self._people):
                said = [text for text in kind.texts if getattr(row, text)] if row.id not in known else []
                found += [Mention(kind.word, row.id, text, LINK, (getattr(row, name),)) for text in said]
        return found

    # -- what is around --------------------------------------------------------------------------------------

    def bystanders(self) -> None:
        """Take in everybody else in what was found: roles, participants, and the files of activities and
        mentions in which nobody has a role."""
        found = self.material
        self._participants()
        looked_for = (*(kind.word for kind in self._kinds.depending), "recording", "party")
        for _ in range(1 + self._kinds.depth):
            above = self._owners_of_dependent()
            self._take(*((kind, "id", above[kind] - found.rows(kind).keys()) for kind in looked_for))
        above = self._owners_of_dependent()
        fiches = {row.fiche for row in found.parties.values()} | {row.fiche for row in found.recordings.values()}
        fiches |= above["fiche"]
        self._demand("fiche", fiches)
        dossiers = {row.dossier for row in found.parties.values()} | {each for row in found.fiches.values() for each in row.dossiers}
        dossiers |= {row.dossier for row in found.recordings.values()} | above["dossier"]
        self._demand("dossier", dossiers)
        others = found.dossiers.keys() - {row for _, row in self._units}
        inside = rows_of(self._connector, FullFiche, ("dossier",), always("dossier", others))  # a role there counts for the dossier
        self._take(("party", "dossier", found.dossiers), ("party", "fiche", {*found.fiches, *(row.id for row in inside)}))
        self._demand("fiche", (row.fiche for row in found.parties.values()))
        self._demand("contact", (row.contact for row in found.parties.values()))
        people = {row.party for row in found.activity_parties.values() if row.party_kind == "contact"}
        people |= above["contact"]
        for own in self._kinds.own:
            people |= {getattr(row, name) for row in found.rows(own.word).values() for name in own.people}
        for kind in RELATIONS:
            people |= {row.contact for row in found.rows(kind).values()}
        for each in found.elsewhere:
            name = PARTS.get(each.kind)
            if name and each.values[name] is not None and each.values.get("party_kind") in (None, "contact"):
                people.add(str(each.values[name]))
        self._take(("contact", "id", {row for row in people if row is not None} - found.contacts.keys()))

    def _owners_of_dependent(self) -> defaultdict[str, set[str]]:
        """Return what notes, activities and the like belong to, by kind."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for kind in self._kinds.depending:
            for row in self.material.rows(kind.word).values():
                for name, owner in kind.owners(row):
                    found[name].add(owner)
        return found

    # -- bin and retention -----------------------------------------------------------------------------------

    def elsewhere(self) -> None:
        """Take in what is in the recycle bin or in long-term retention of the people and of the files in
        which they have a role."""
        ties = [(kind.word, name) for kind in self._kinds.values() for name in kind.owner_fields]
        # Rows that are elsewhere are looked for by what ties them to the person (first) and to the files of
        # the person (then).
        by_person = (*dict.fromkeys((*(tie for tie in ties if tie[1] in ("contact", *REGARDING)), *PARTS.items())), ("contact", "id"))
        by_file = (*((kind, "id") for kind in FILES), *(tie for tie in ties if tie[1] in (*FILES, *REGARDING)))
        self.looks = looks_into(self._connector)
        for residual in ELSEWHERE:
            elsewhere: dict[tuple[str, str], RowElsewhere] = {}
            self._add_elsewhere(residual, elsewhere, [(kind, name, self._people) for kind, name in by_person])
            taking = {str(row.values["activity"]) for row in elsewhere.values() if row.kind == "activity_party"}
            parties = [row.values for row in elsewhere.values() if row.kind == "party"]
            files = {row for _, row in self._units} | {row.id for row in self.material.fiches.values() if self._is_own(row)}
            files |= {str(row[name]) for row in parties for name in FILES if row[name] is not None}
            self._add_elsewhere(residual, elsewhere, [("fiche", "id", files)])
            files |= {str(row.values["dossier"]) for row in elsewhere.values() if row.kind == "fiche" and row.values["dossier"] is not None}
            activities = [(kind, "id", taking) for kind in ACTIVITIES]
            self._add_elsewhere(residual, elsewhere, [*((kind, name, files) for kind, name in by_file), *activities])
            fiches = {row for kind, row in elsewhere if kind == "fiche"} - files
            self._add_elsewhere(residual, elsewhere, [(kind, name, fiches) for kind, name in by_file if name in ("fiche", *REGARDING)])
            self._add_elsewhere(
                residual, elsewhere, [("activity_party", "activity", {row for kind, row in elsewhere if kind in ACTIVITIES})]
            )
            for own in self._kinds.own:
                above = {row for word in own.above if word != "contact" for row in self.material.rows(word)}
                above |= {row for kind, row in elsewhere if kind in own.above}
                self._add_elsewhere(residual, elsewhere, [(own.word, name, above) for name in own.owner_fields])
            self.material.elsewhere += elsewhere.values()
            # A role that was deleted tells of a file that is there: what it is about has to be known, and
            # whose role stands there now.
            gone = [row.values for row in elsewhere.values() if row.kind in IN_DOSSIERS]
            dossiers, fiches = ({str(row[name]) for row in gone if row.get(name) is not None} for name in FILES)
            self._take(("dossier", "id", dossiers - self.material.dossiers.keys()), ("fiche", "id", fiches - self.material.fiches.keys()))

    def _is_own(self, fiche: FullFiche) -> bool:
        return any(("dossier", dossier) in self._units for dossier in fiche.dossiers)

    def _add_elsewhere(
        self, residual: ResidualKind, elsewhere: dict[tuple[str, str], RowElsewhere], reads: Sequence[tuple[str, str, Collection[str]]]
    ) -> None:
        def read(kind: str, name: str, ids: Collection[str]) -> BinnedOrRetained:
            return self._connector.binned_or_retained(residual, self._kinds[kind].full, self._fields[kind], always(name, ids))

        reads = [one for one in reads if self.looks[residual, one[0]] is not None]  # where it holds none, of nobody (SUS-04)
        for (kind, _, _), found in zip(reads, self._threads.map(lambda one: read(*one), reads), strict=True):
            if found.reach is Reach.NOT_REACHABLE:
                self.looks[residual, kind] = found.reach
            for row in found.rows:
                if not (kind in ANONYMISED and getattr(row, "anonymised_on", None) is not None):
                    values = {name: getattr(row, name) for name in self._fields[kind]}
                    elsewhere.setdefault((kind, row.id), RowElsewhere(residual.value, kind, row.id, values))
