"""Rows with a number, an address or a name of somebody who is not a contact there: fiches, recordings, calls,
e-mails, roles. They are read in full and compared here: what a person is searched for by never appears in a
URL (ACC-05). Source: EXP-03, IDN-11, IDN-17."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from connectors.interface.connector import Connector
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
_Texts = tuple[Sequence[_Row], TextColumn]  # what one field has, row by row
_Named = tuple[Sequence[_Row], Names]


class CallerMatch(msgspec.Struct, frozen=True):
    """A row, by kind and id, that may be of the person without being linked to a contact who is."""

    kind: str
    id: str
    strength: Strength
    flags: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(slots=True)
class CallerRows:
    """What was read of these kinds to find people by, and which contacts have to do with each row."""

    fiches: list[FullFiche] = field(default_factory=list)
    recordings: list[FullRecording] = field(default_factory=list)
    calls: list[FullCall] = field(default_factory=list)
    emails: list[FullEmail] = field(default_factory=list)
    names: list[FullParty] = field(default_factory=list)  # roles of people who are not contacts
    participants: list[FullActivityParty] = field(default_factory=list)  # participants who are not contacts
    of_fiche: dict[str, set[str]] = field(default_factory=dict)
    of_recording: dict[str, set[str]] = field(default_factory=dict)
    of_activity: dict[str, set[str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)  # of activities, by id


def read_caller_rows(connector: Connector) -> CallerRows:
    """Read the rows; those of anonymised fiches carry nobody any more. Raises ConnectorError: something could
    not be read whole."""
    rows = CallerRows()
    in_dossier: dict[str, set[str]] = {}
    dossier_of: dict[str, str] = {}
    anonymised: set[str] = set()
    for page in connector.read(FullFiche, ("dossier", *PHONES["fiche"], *EMAILS["fiche"], "anonymised_on")):
        for fiche in page:
            if fiche.anonymised_on is not None:
                anonymised.add(fiche.id)
            elif phones_on([fiche]) or emails_on([fiche]):
                rows.fiches.append(fiche)
            if fiche.dossier is not None:
                dossier_of[fiche.id] = fiche.dossier
    for parties in connector.read(FullParty, ("contact", "dossier", "fiche", "name")):
        for party in parties:
            if party.contact is None:
                if party.name and party.fiche not in anonymised:
                    rows.names.append(party)
                continue
            if party.fiche is not None:
                rows.of_fiche.setdefault(party.fiche, set()).add(party.contact)
            if party.dossier is not None:
                in_dossier.setdefault(party.dossier, set()).add(party.contact)
    for fiche_id, dossier in dossier_of.items():
        if dossier in in_dossier:
            rows.of_fiche[fiche_id] = rows.of_fiche.get(fiche_id, set()) | in_dossier[dossier]
    for recordings in connector.read(FullRecording, (*ROW_KINDS["recording"].owner_fields, *PHONES["recording"])):
        for row in recordings:
            if phones_on([row]):
                rows.recordings.append(row)
                rows.of_recording[row.id] = rows.of_fiche.get(row.fiche or "", set()) | in_dossier.get(row.dossier or "", set())
    for calls in connector.read(FullCall, PHONES["call"]):
        rows.calls += [call for call in calls if phones_on([call])]
        rows.kinds.update((call.id, "call") for call in calls)
    for emails in connector.read(FullEmail, ("sender", "recipients")):
        rows.emails += [email for email in emails if email.sender or email.recipients]
        rows.kinds.update((email.id, "email") for email in emails)
    for participants in connector.read(FullActivityParty, ("activity", "party", "party_kind", "address", "name")):
        for one in participants:
            if one.activity is None:
                continue
            if one.party_kind == "contact" and one.party is not None:
                rows.of_activity.setdefault(one.activity, set()).add(one.party)
            elif one.party is None and (one.address or one.name):
                rows.participants.append(one)
    return rows


class Callers:
    """The same rows column by column, to look for one person after another: what is read of a row to find it
    by is made once. A row stands here by kind and id, and a participant in place of the activity."""

    def __init__(self, rows: CallerRows) -> None:
        self._rows = rows
        self.phones: list[_Texts] = []
        self.emails: list[_Texts] = []
        for kind, some in (("fiche", rows.fiches), ("recording", rows.recordings), ("call", rows.calls)):
            own = [(kind, row.id) for row in some]
            for name in PHONES[kind]:
                self.phones.append((own, TextColumn(getattr(row, name) for row in some)))
            for name in EMAILS[kind]:
                self.emails.append((own, TextColumn(getattr(row, name) for row in some)))
        written = TextColumn(f"{email.sender or ''};{email.recipients or ''}" for email in rows.emails)
        self.emails.append(([("email", email.id) for email in rows.emails], written))
        stand_for = [self._row_of(one) for one in rows.participants]
        address = TextColumn(one.address for one in rows.participants)
        self.phones.append((stand_for, address))
        self.emails.append((stand_for, address))
        self.names: list[_Named] = [
            (stand_for, Names(one.name for one in rows.participants)),
            ([("party", party.id) for party in rows.names], Names(party.name for party in rows.names)),
        ]
        self.fiche_of = {party.id: party.fiche or "" for party in rows.names}  # by role
        self._activity_of = {one.id: one.activity or "" for one in rows.participants}

    def contacts_of(self, row: _Row) -> Collection[str]:
        """Return the contacts that a row has to do with."""
        kind, key = row
        if kind == "fiche":
            return self._rows.of_fiche.get(key, ())
        if kind == "recording":
            return self._rows.of_recording.get(key, ())
        return self._rows.of_activity.get(self._activity_of[key] if kind == "activity_party" else key, ())

    def _row_of(self, participant: FullActivityParty) -> _Row:
        """Return the activity; the participant itself where the kind of that is not mapped."""
        kind = self._rows.kinds.get(participant.activity or "")
        return ("activity_party", participant.id) if kind is None else (kind, participant.activity or "")


def caller_matches(callers: Callers, wanted: Wanted, contacts: Collection[str]) -> list[CallerMatch]:
    """Find the rows that may be of the person. What has to do with one of `contacts`, candidates themselves,
    is found through them. A number or an address alone is weak, and so is a name alone: families and schools
    share a line (IDN-11). Both together are medium."""
    found, own = _Found(wanted), frozenset(contacts)
    for rows, phones in callers.phones:
        found.add_phones(rows, phones)
    for rows, emails in callers.emails:
        found.add_emails(rows, emails)
    for rows, names in callers.names:
        found.add_names(rows, names)
    found.leave_out(row for row in found.evidence if not own.isdisjoint(callers.contacts_of(row)))
    found.join_roles(callers.fiche_of)
    return list(found.matches())


class _Found:
    """Evidence for one person, row by row."""

    def __init__(self, wanted: Wanted) -> None:
        self.evidence: dict[_Row, set[Evidence]] = {}
        self._wanted = wanted
        self._sure: set[_Row] = set()  # rows with a number of which nothing was guessed

    def add_phones(self, rows: Sequence[_Row], numbers: TextColumn) -> None:
        for place in numbers.with_digits(self._wanted.tails):
            for number, is_guessed in numbers_of_people((numbers[place],), self._wanted.country).items():
                if number in self._wanted.phones:
                    self._add(rows[place], Evidence.PHONE)
                    if not (is_guessed or self._wanted.phones[number]):
                        self._sure.add(rows[place])

    def add_emails(self, rows: Sequence[_Row], texts: TextColumn) -> None:
        for place in texts.with_text(self._wanted.local_parts):
            if self._wanted.emails & addresses((texts[place],)):
                self._add(rows[place], Evidence.EMAIL)

    def add_names(self, rows: Sequence[_Row], names: Names) -> None:
        first, last = self._wanted.first, self._wanted.last
        if not (first and last):
            return
        for name in near_names(names, first, last).worth_comparing:
            likeness = whole_names_alike(first, last, name_of(name))
            if likeness is not Likeness.NONE:
                for place in names.at((name,)):
                    self._add(rows[place], Evidence.NAME if likeness is Likeness.SAME else Evidence.NAME_FUZZY)

    def leave_out(self, rows: Iterable[_Row]) -> None:
        for row in list(rows):
            del self.evidence[row]

    def join_roles(self, fiche_of: Mapping[str, str]) -> None:
        """Take a role and its fiche together: with the fiche's number or address it is more than a name."""
        for row in [row for row in self.evidence if row[0] == "party"]:
            fiche_row = ("fiche", fiche_of[row[1]])
            fiche, named = self.evidence.get(fiche_row), self.evidence[row]
            if fiche is not None:
                names = named & _NAMES
                named |= fiche & _LINES
                fiche |= names
                if fiche_row in self._sure:
                    self._sure.add(row)

    def _add(self, row: _Row, evidence: Evidence) -> None:
        self.evidence.setdefault(row, set()).add(evidence)

    def matches(self) -> Iterator[CallerMatch]:
        """Yield them all, by kind and id."""
        for (kind, row), evidence in sorted(self.evidence.items(), key=lambda item: (CALLED.index(item[0][0]), item[0][1])):
            is_guess = Evidence.PHONE in evidence and (kind, row) not in self._sure
            yield CallerMatch(
                kind,
                row,
                Strength.MEDIUM if evidence & _NAMES and evidence & _LINES else Strength.WEAK,
                (PHONE_GUESSED,) if is_guess else (),
                tuple(one.value for one in Evidence if one in evidence),
            )
