"""Whether a row that mentions somebody by name means another contact of that name, in which file it is, and
beside whom.

A row that is linked to a contact whom nobody has confirmed as the person is about that contact. So is one in
a file in which somebody of the same name has a role. Only a number or an address shows otherwise. Source:
EXP-04; R-151."""

from collections.abc import Iterator

from jobs.model.answer import MentionedIn
from jobs.requests.search.assess import Assessment
from jobs.requests.search.mentions import Sought
from rules.model.personal_records import FullContact
from rules.model.records import REGARDING, Record

_CONTACT = "contact"


class Namesakes:
    """The contacts of an assessment who are not the person of the answer, and those among them who are called
    like the person."""

    def __init__(self, found: Assessment) -> None:
        self._found = found
        self._confirmed = found.people.contacts
        sought = Sought(found.subject_contacts, found.home)
        self._called_so = {
            contact.id
            for contact in found.material.contacts.values()
            if contact.id not in self._confirmed and sought.found_in(_name_of(contact))
        }

    def owns(self, kind: str, row: Record) -> bool:
        """Return whether a row is another contact's: linked to one, or in a file, a call or an e-mail with a
        namesake."""
        linked = set(self._linked(row))
        if linked:
            return linked.isdisjoint(self._confirmed)
        return not self._called_so.isdisjoint((*self._participants(row), *self._in_file(kind, row)))

    def where(self, kind: str, row: Record) -> MentionedIn:
        """Return the file in which a row is, and the contacts it is linked to or who have a role there."""
        contacts = self._found.material.contacts
        people = dict.fromkeys((*self._linked(row), *self._participants(row), *self._in_file(kind, row)))
        known = tuple((one, _name_of(contacts[one])) for one in people if one in contacts)
        units = sorted(self._found.filing.units(kind, row.id))
        if not units:
            return MentionedIn(contacts=known)
        file, number = units[0], self._found.filing.row(*units[0])
        return MentionedIn(file[0], file[1], getattr(number, "number", None) or "", known)

    def _linked(self, row: Record) -> Iterator[str]:
        """Yield the contact whose row it is, or whom it is about."""
        if contact := getattr(row, _CONTACT, None):
            yield contact
        if getattr(row, "party_kind", None) == _CONTACT and (party := getattr(row, "party", None)):
            yield party
        for name in REGARDING:
            kind, regarding = getattr(row, f"{name}_kind", None), getattr(row, name, None)
            if kind == _CONTACT and regarding:
                yield regarding
            elif kind and regarding and (contact := getattr(self._found.filing.row(kind, regarding), _CONTACT, None)):
                yield contact

    def _participants(self, row: Record) -> Iterator[str]:
        for party in self._found.material.activity_parties.values():
            if party.activity == row.id and party.party_kind == _CONTACT and party.party is not None:
                yield party.party

    def _in_file(self, kind: str, row: Record) -> Iterator[str]:
        units = self._found.filing.units(kind, row.id)
        for party in self._found.material.parties.values():
            if party.contact is not None and units & self._found.filing.units("party", party.id):
                yield party.contact


def _name_of(contact: FullContact) -> str:
    return " ".join(part for part in (contact.first_name, contact.last_name) if part)
