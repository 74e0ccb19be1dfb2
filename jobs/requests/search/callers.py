"""Rows with a number, an address or a name of somebody who is not a contact there: fiches, recordings, calls,
e-mails, roles. They are read in full and compared here: what a person is searched for by never appears in a
URL (ACC-05). They pass by, some thousand at a time: only what is found stays. Source: EXP-03, IDN-11,
IDN-17."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from connectors.interface.connector import Connector
from jobs.requests.search.batches import in_batches
from jobs.requests.search.contact_details import EMAILS, PHONES, emails_on, phones_on
from rules.model.kinds import ACTIVITIES, ROW_KINDS
from rules.model.personal_records import FullActivityParty, FullCall, FullEmail, FullFiche, FullParty, FullRecording
from rules.people.candidates import PHONE_GUESSED, Evidence, Strength
from rules.people.column_search import TextColumn
from rules.people.emails import addresses
from rules.people.name_index import Names, near_names
from rules.people.names import Likeness, name_of, whole_names_alike
from rules.people.phones import numbers_of_people
from rules.people.wanted import Wanted

_NAMES: Final = frozenset({Evidence.NAME, Evidence.NAME_FUZZY})
_LINES: Final = frozenset({Evidence.PHONE, Evidence.EMAIL})
# The kinds by which somebody may be known who is not a contact, in the order in which they are listed.
CALLED: Final = ("fiche", "recording", "party", *ACTIVITIES, "activity_party")

_Row = tuple[str, str]  # its kind and its id


class CallerMatch(msgspec.Struct, frozen=True):
    """A row, by kind and id, that may be of the person without being linked to a contact who is."""

    kind: str
    id: str
    strength: Strength
    flags: tuple[str, ...]
    evidence: tuple[str, ...]


def find_callers(connector: Connector, people: Sequence[tuple[Wanted, Collection[str]]]) -> list[list[CallerMatch]]:
    """Find the rows that may be of each of these people, in one reading. What has to do with one of a
    person's contacts, candidates themselves, is found through them. A number or an address alone is weak, and
    so is a name alone: families and schools share a line (IDN-11). Both together are medium. Raises
    ConnectorError: something could not be read whole."""
    searches = [_Search(wanted, frozenset(contacts)) for wanted, contacts in people]
    passing = _Passing(connector, searches)
    passing.participants()
    passing.roles()
    passing.fiches()
    passing.recordings()
    passing.activities()
    return [passing.matches(search) for search in searches]


class _Passing:
    """The rows of one reading as they pass by those who are searched for, and what stays of them: which have
    to do with a contact who is a candidate, and what leads from a row that was found to another."""

    def __init__(self, connector: Connector, searches: Sequence["_Search"]) -> None:
        self._connector = connector
        self._searches = searches
        self._contacts: frozenset[str] = frozenset().union(*(search.contacts for search in searches))
        self._of_fiche: dict[str, set[str]] = {}
        self._of_recording: dict[str, set[str]] = {}
        self._of_activity: dict[str, set[str]] = {}
        self._in_dossier: dict[str, set[str]] = {}
        self._fiche_of: dict[str, str] = {}  # by a role that was found
        self._activity_of: dict[str, str] = {}  # by a participant who was found
        self._kinds: dict[str, str] = {}  # by the activity of one
        self._anonymised: set[str] = set()  # of the fiches whose roles were found

    def participants(self) -> None:
        fields = ("activity", "party", "party_kind", "address", "name")
        for batch in in_batches(self._connector.read(FullActivityParty, fields)):
            alone: list[FullActivityParty] = []
            for one in batch:
                if one.activity is None:
                    continue
                if one.party_kind == "contact" and one.party is not None:
                    if one.party in self._contacts:
                        self._of_activity.setdefault(one.activity, set()).add(one.party)
                elif one.party is None and (one.address or one.name):
                    alone.append(one)
            own = [("activity_party", one.id) for one in alone]
            written = TextColumn(one.address for one in alone)
            found = self._phones(own, written) | self._emails(own, written) | self._names(own, Names(one.name for one in alone))
            self._activity_of.update((one.id, one.activity or "") for one in alone if ("activity_party", one.id) in found)

    def roles(self) -> None:
        for batch in in_batches(self._connector.read(FullParty, ("contact", "dossier", "fiche", "name"))):
            named = [party for party in batch if party.contact is None and party.name]
            found = self._names([("party", party.id) for party in named], Names(party.name for party in named))
            self._fiche_of.update((party.id, party.fiche or "") for party in named if ("party", party.id) in found)
            for party in batch:
                if party.contact not in self._contacts:
                    continue
                if party.fiche is not None:
                    self._of_fiche.setdefault(party.fiche, set()).add(party.contact)
                if party.dossier is not None:
                    self._in_dossier.setdefault(party.dossier, set()).add(party.contact)

    def fiches(self) -> None:
        """Those that are anonymised carry nobody any more, and neither do their roles."""
        of_roles = set(self._fiche_of.values())
        for batch in in_batches(self._connector.read(FullFiche, ("dossier", *PHONES["fiche"], *EMAILS["fiche"], "anonymised_on"))):
            for fiche in batch:
                if fiche.anonymised_on is not None and fiche.id in of_roles:
                    self._anonymised.add(fiche.id)
                if contacts := self._in_dossier.get(fiche.dossier or ""):
                    self._of_fiche[fiche.id] = self._of_fiche.get(fiche.id, set()) | contacts
            some = [fiche for fiche in batch if fiche.anonymised_on is None and (phones_on([fiche]) or emails_on([fiche]))]
            own = [("fiche", fiche.id) for fiche in some]
            for name in PHONES["fiche"]:
                self._phones(own, TextColumn(getattr(fiche, name) for fiche in some))
            for name in EMAILS["fiche"]:
                self._emails(own, TextColumn(getattr(fiche, name) for fiche in some))

    def recordings(self) -> None:
        for batch in in_batches(self._connector.read(FullRecording, (*ROW_KINDS["recording"].owner_fields, *PHONES["recording"]))):
            some = [row for row in batch if phones_on([row])]
            for row in some:
                if contacts := self._of_fiche.get(row.fiche or "", set()) | self._in_dossier.get(row.dossier or "", set()):
                    self._of_recording[row.id] = contacts
            for name in PHONES["recording"]:
                self._phones([("recording", row.id) for row in some], TextColumn(getattr(row, name) for row in some))

    def activities(self) -> None:
        with_participant = set(self._activity_of.values())
        for calls in in_batches(self._connector.read(FullCall, PHONES["call"])):
            self._kinds.update((call.id, "call") for call in calls if call.id in with_participant)
            for name in PHONES["call"]:
                self._phones([("call", call.id) for call in calls], TextColumn(getattr(call, name) for call in calls))
        for emails in in_batches(self._connector.read(FullEmail, ("sender", "recipients"))):
            self._kinds.update((email.id, "email") for email in emails if email.id in with_participant)
            written = TextColumn(f"{email.sender or ''};{email.recipients or ''}" for email in emails)
            self._emails([("email", email.id) for email in emails], written)

    def matches(self, search: "_Search") -> list[CallerMatch]:
        search.leave_out(lambda row: row[0] == "party" and self._fiche_of[row[1]] in self._anonymised)
        search.leave_out(lambda row: not search.contacts.isdisjoint(self._contacts_of(row)))
        search.move({("activity_party", one): (self._kinds[at], at) for one, at in self._activity_of.items() if at in self._kinds})
        search.join_roles(self._fiche_of)
        return list(search.matches())

    def _contacts_of(self, row: _Row) -> Collection[str]:
        """Return the candidates that a row has to do with."""
        kind, key = row
        if kind == "fiche":
            return self._of_fiche.get(key, ())
        if kind == "recording":
            return self._of_recording.get(key, ())
        return self._of_activity.get(self._activity_of[key] if kind == "activity_party" else key, ())

    def _phones(self, rows: Sequence[_Row], numbers: TextColumn) -> set[_Row]:
        return {row for search in self._searches for row in search.with_phone(rows, numbers)}

    def _emails(self, rows: Sequence[_Row], texts: TextColumn) -> set[_Row]:
        return {row for search in self._searches for row in search.with_email(rows, texts)}

    def _names(self, rows: Sequence[_Row], names: Names) -> set[_Row]:
        return {row for search in self._searches for row in search.with_name(rows, names)}


class _Search:
    """Evidence for one person, row by row. Each look returns the rows that it found."""

    def __init__(self, wanted: Wanted, contacts: frozenset[str]) -> None:
        self.contacts = contacts
        self._evidence: dict[_Row, set[Evidence]] = {}
        self._wanted = wanted
        self._sure: set[_Row] = set()  # rows with a number of which nothing was guessed

    def with_phone(self, rows: Sequence[_Row], numbers: TextColumn) -> Iterator[_Row]:
        for place in numbers.with_digits(self._wanted.tails):
            for number, is_guessed in numbers_of_people((numbers[place],), self._wanted.country).items():
                if number in self._wanted.phones:
                    yield self._add(rows[place], Evidence.PHONE)
                    if not (is_guessed or self._wanted.phones[number]):
                        self._sure.add(rows[place])

    def with_email(self, rows: Sequence[_Row], texts: TextColumn) -> Iterator[_Row]:
        for place in texts.with_text(self._wanted.local_parts):
            if self._wanted.emails & addresses((texts[place],)):
                yield self._add(rows[place], Evidence.EMAIL)

    def with_name(self, rows: Sequence[_Row], names: Names) -> Iterator[_Row]:
        first, last = self._wanted.first, self._wanted.last
        if not (first and last):
            return
        for name in near_names(names, first, last).worth_comparing:
            likeness = whole_names_alike(first, last, name_of(name))
            if likeness is not Likeness.NONE:
                for place in names.at((name,)):
                    yield self._add(rows[place], Evidence.NAME if likeness is Likeness.SAME else Evidence.NAME_FUZZY)

    def leave_out(self, unwanted: Callable[[_Row], bool]) -> None:
        for row in [row for row in self._evidence if unwanted(row)]:
            del self._evidence[row]

    def move(self, places: Mapping[_Row, _Row]) -> None:
        """Let other rows have the evidence of some."""
        for row in [row for row in self._evidence if row in places]:
            self._evidence.setdefault(places[row], set()).update(self._evidence.pop(row))
            if row in self._sure:
                self._sure.add(places[row])

    def join_roles(self, fiche_of: Mapping[str, str]) -> None:
        """Take a role and its fiche together: with the fiche's number or address it is more than a name."""
        for row in [row for row in self._evidence if row[0] == "party"]:
            fiche_row = ("fiche", fiche_of[row[1]])
            fiche, named = self._evidence.get(fiche_row), self._evidence[row]
            if fiche is not None:
                names = named & _NAMES
                named |= fiche & _LINES
                fiche |= names
                if fiche_row in self._sure:
                    self._sure.add(row)

    def _add(self, row: _Row, evidence: Evidence) -> _Row:
        self._evidence.setdefault(row, set()).add(evidence)
        return row

    def matches(self) -> Iterator[CallerMatch]:
        """Yield them all, by kind and id."""
        for (kind, row), evidence in sorted(self._evidence.items(), key=lambda item: (CALLED.index(item[0][0]), item[0][1])):
            is_guess = Evidence.PHONE in evidence and (kind, row) not in self._sure
            yield CallerMatch(
                kind,
                row,
                Strength.MEDIUM if evidence & _NAMES and evidence & _LINES else Strength.WEAK,
                (PHONE_GUESSED,) if is_guess else (),
                tuple(one.value for one in Evidence if one in evidence),
            )
