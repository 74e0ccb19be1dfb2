"""Rows with a number, an address or a name of somebody who is not a contact there: fiches, recordings, calls,
e-mails, roles. They are read in full and compared here: what a person is searched for by never appears in a
URL (ACC-05). Source: EXP-03, IDN-11, IDN-17."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from connectors.interface.connector import Connector
from jobs.requests.search.contact_details import EMAILS, PHONES, emails_on, phones_on
from rules.model.kinds import ACTIVITIES, ROW_KINDS
from rules.model.personal_records import FullActivityParty, FullCall, FullEmail, FullFiche, FullParty, FullRecording
from rules.model.records import Record
from rules.people.candidates import PHONE_GUESSED, Evidence, Strength, Wanted, tails_of
from rules.people.column_search import rows_with_digits, rows_with_text
from rules.people.emails import addresses
from rules.people.name_index import NameSearch
from rules.people.names import Likeness, name_of, whole_names_alike
from rules.people.phones import numbers_of_people

_NAMES: Final = frozenset({Evidence.NAME, Evidence.NAME_FUZZY})
_LINES: Final = frozenset({Evidence.PHONE, Evidence.EMAIL})
# The kinds by which somebody may be known who is not a contact, in the order in which they are listed.
CALLED: Final = ("fiche", "recording", "party", *ACTIVITIES, "activity_party")


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


def caller_matches(rows: CallerRows, wanted: Wanted, contacts: Collection[str]) -> list[CallerMatch]:
    """Find the rows that may be of the person. What has to do with one of `contacts`, candidates themselves,
    is found through them. A number or an address alone is weak, and so is a name alone: families and schools
    share a line (IDN-11). Both together are medium."""
    found = _Found(wanted)
    own = frozenset(contacts)

    def is_others(linked: Collection[str]) -> bool:
        return own.isdisjoint(linked)

    fiches = [fiche for fiche in rows.fiches if is_others(rows.of_fiche.get(fiche.id, ()))]
    recordings = [one for one in rows.recordings if is_others(rows.of_recording.get(one.id, ()))]
    calls = [call for call in rows.calls if is_others(rows.of_activity.get(call.id, ()))]
    for kind, some in (("fiche", fiches), ("recording", recordings), ("call", calls)):
        for name in PHONES[kind]:
            found.add_phones(kind, some, [getattr(row, name) for row in some])
        for name in EMAILS[kind]:
            found.add_emails(kind, some, [getattr(row, name) for row in some])
    emails = [email for email in rows.emails if is_others(rows.of_activity.get(email.id, ()))]
    found.add_emails("email", emails, [f"{email.sender or ''};{email.recipients or ''}" for email in emails])
    _add_participants(rows, is_others, found)
    _add_roles(rows, found)
    return list(found.matches())


def _add_participants(rows: CallerRows, is_others: Callable[[Collection[str]], bool], found: "_Found") -> None:
    """Add participants who are not contacts, each in place of their activity. The row itself names it where
    its kind is not mapped."""
    others = [one for one in rows.participants if one.activity is not None and is_others(rows.of_activity.get(one.activity, ()))]
    for kind in (*ACTIVITIES, "activity_party"):
        some = [one for one in others if rows.kinds.get(one.activity or "", "activity_party") == kind]
        stand_for = [FullActivityParty(id=one.id if kind == "activity_party" else one.activity or "") for one in some]
        found.add_phones(kind, stand_for, [one.address for one in some])
        found.add_emails(kind, stand_for, [one.address for one in some])
        found.add_names(kind, stand_for, [one.name for one in some])


def _add_roles(rows: CallerRows, found: "_Found") -> None:
    """Add roles with a name and no contact. With its fiche's number or address it is more than a name."""
    found.add_names("party", rows.names, [party.name for party in rows.names])
    for party in rows.names:
        role_row, fiche_row = ("party", party.id), ("fiche", party.fiche or "")
        named, fiche = found.evidence.get(role_row), found.evidence.get(fiche_row)
        if named is not None and fiche is not None:
            names = named & _NAMES
            named |= fiche & _LINES
            fiche |= names
            if fiche_row in found.sure:
                found.sure.add(role_row)


class _Found:
    """Evidence for one person, row by row."""

    def __init__(self, wanted: Wanted) -> None:
        self.evidence: dict[tuple[str, str], set[Evidence]] = {}
        self._wanted = wanted
        self.sure: set[tuple[str, str]] = set()  # rows with a number of which nothing was guessed

    def add_phones(self, kind: str, rows: Sequence[Record], numbers: Sequence[str | None]) -> None:
        for place in rows_with_digits(numbers, tails_of(self._wanted)):
            row = (kind, rows[place].id)
            for number, is_guessed in numbers_of_people((numbers[place],), self._wanted.country).items():
                if number in self._wanted.phones:
                    self.evidence.setdefault(row, set()).add(Evidence.PHONE)
                    if not (is_guessed or self._wanted.phones[number]):
                        self.sure.add(row)

    def add_emails(self, kind: str, rows: Sequence[Record], texts: Sequence[str | None]) -> None:
        for place in rows_with_text(texts, {address.rpartition("@")[0] for address in self._wanted.emails}):
            if self._wanted.emails & addresses((texts[place],)):
                self.evidence.setdefault((kind, rows[place].id), set()).add(Evidence.EMAIL)

    def add_names(self, kind: str, rows: Sequence[Record], names: Sequence[str | None]) -> None:
        wanted = self._wanted
        if not (wanted.first and wanted.last):
            return
        worth = NameSearch(wanted.first, wanted.last).worth_comparing({name for name in names if name})
        likeness = {name: whole_names_alike(wanted.first, wanted.last, name_of(name)) for name in worth}
        for row, name in zip(rows, names, strict=True):
            found = likeness.get(name or "", Likeness.NONE)
            if found is not Likeness.NONE:
                evidence = Evidence.NAME if found is Likeness.SAME else Evidence.NAME_FUZZY
                self.evidence.setdefault((kind, row.id), set()).add(evidence)

    def matches(self) -> Iterator[CallerMatch]:
        """Yield them all, by kind and id."""
        for (kind, row), evidence in sorted(self.evidence.items(), key=lambda item: (CALLED.index(item[0][0]), item[0][1])):
            is_guess = Evidence.PHONE in evidence and (kind, row) not in self.sure
            yield CallerMatch(
                kind,
                row,
                Strength.MEDIUM if evidence & _NAMES and evidence & _LINES else Strength.WEAK,
                (PHONE_GUESSED,) if is_guess else (),
                tuple(one.value for one in Evidence if one in evidence),
            )
