"""Who else occurs in what was found, and by what they would be known: nobody of them may be seen in an
answer. Source: EXP-06, R-118, R-119, SUS-05."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from jobs.requests.search.assess import Assessment
from jobs.requests.search.case_files import record_of
from jobs.requests.search.contact_details import compared, emails_on, phones_on
from rules.model.file_roles import CARE, FileRole
from rules.model.personal_records import FullContact, FullParty
from rules.redaction.people import Protected, Shown
from rules.rights.entitlement import ItemScope, item_scope

_REMARK = re.compile(r"\([^()]*\)")
_CARE_OF = re.compile(r"^\s*(?:p/a|c/o|per adres|chez|bij|bei)\b(?:[^,;\n]*[,;\n]\s*|.*$)", re.IGNORECASE | re.DOTALL)
_ALIAS = re.compile(r"[\s,;/-]+(?:alias|a\.?k\.?a\.?|bijgenaamd|genaamd|dite?|surnommée?|genannt)[\s:]+(?P<name>.+)", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)['\"‘“„«]\s?(?P<name>[^'\"‘’“”„«»]{2,40}?)\s?['\"’”“»](?!\w)")


def shown_person(assessment: Assessment) -> Shown:
    """Return whom the answer is about, and the requester for them: what of both stays readable."""
    contacts = _readable(assessment)
    rows = [*contacts, *assessment.said_of_subject]
    roles = [assessment.material.parties[row] for kind, row in sorted(assessment.subject_rows) if kind == "party"]
    names = [*(_name(contact) for contact in contacts), *(split_name(role.name) for role in roles)]
    return Shown(
        names=tuple(dict.fromkeys(name for name in names if name != ("", ""))),
        phones=_all(phones_on(rows)),
        emails=_all(emails_on(rows)),
        national_numbers=_all(contact.national_number for contact in contacts),
        addresses=_all((*(_CARE_OF.sub("", contact.street or "") for contact in contacts), *(_place(contact) for contact in contacts))),
        birth_dates=_all(contact.birth_on.isoformat() if contact.birth_on is not None else None for contact in contacts),
    )


def other_people(assessment: Assessment, ours: Iterable[str]) -> tuple[Protected, ...]:
    """Return everybody else, in a fixed order: contacts, roles without a contact, callers, participants of
    calls and e-mails. `ours` are addresses of the organisation itself, which are in every letter."""
    known = compared((), ours, assessment.home.country) | _own_numbers(assessment)
    return (
        *_contacts(assessment),
        *_nameless_roles(assessment),
        *_callers(assessment, known),
        *_participants(assessment, known),
    )


def _all_of(assessment: Assessment, kind: str) -> Iterator[Any]:
    """Return the rows of a kind in the order of their ids; the reporter of a row in the bin or in retention
    is a reporter too (R-119)."""
    found = dict(assessment.material.rows(kind))
    for each in assessment.material.elsewhere:
        if each.kind == kind:
            found.setdefault(each.id, record_of(assessment.material.kinds[kind], {**each.values, "id": each.id}))
    return (found[row] for row in sorted(found))


def _readable(assessment: Assessment) -> list[FullContact]:
    contacts = assessment.material.contacts
    people = assessment.people.contacts if assessment.is_on_behalf else assessment.subject
    return [contacts[contact] for contact in sorted(people) if contact in contacts]


def _contacts(assessment: Assessment) -> Iterator[Protected]:
    material, readable = assessment.material, {contact.id for contact in _readable(assessment)}
    roles: dict[str, set[str]] = {}
    called: dict[str, list[str]] = {}
    for party in _all_of(assessment, "party"):
        if party.contact is not None:
            roles.setdefault(party.contact, set()).add(_role(assessment, party))
            called.setdefault(party.contact, []).extend(nicknames(party.name))
    for contact in (material.contacts[row] for row in sorted(material.contacts)):
        if contact.id in readable:
            continue
        found = roles.get(contact.id, {FileRole.OTHER})
        role = next((each for each in CARE if each in found), FileRole.OTHER)
        organisation = material.accounts.get(contact.parent or "", "") if role == FileRole.PROFESSIONAL else ""
        yield Protected(
            key=contact.id,
            role=role,
            names=_names(_name(contact), (*called.get(contact.id, ()), *nicknames(contact.first_name), *nicknames(contact.last_name))),
            phones=_all(phones_on([contact])),
            emails=_all(emails_on([contact])),
            national_numbers=_all((contact.national_number,)),
            addresses=_all((contact.street,)),
            birth_dates=_all((contact.birth_on.isoformat() if contact.birth_on is not None else None,)),
            organisation=organisation,
        )


def _role(assessment: Assessment, party: FullParty) -> str:
    """Return the role by which somebody is labelled. A role belongs to its file: the label, or its number,
    would tell of a file that is not told, and a suspicion of one that is not told whole (SUS-01, SUS-05,
    R-119)."""
    scopes = {item_scope(assessment.entitlement, unit) for unit in assessment.filing.units("party", party.id)}
    is_untold = scopes == {ItemScope.NOTHING} or (party.role == FileRole.SUSPECT and ItemScope.WHOLE not in scopes)
    return FileRole.OTHER if is_untold else party.role or FileRole.OTHER


def _nameless_roles(assessment: Assessment) -> Iterator[Protected]:
    """Yield people with a role by name only, but for a single word, as likely to be a remark."""
    for party in _all_of(assessment, "party"):
        if party.contact is None and ("party", party.id) not in assessment.people.rows and split_name(party.name)[0]:
            yield Protected(party.id, _role(assessment, party), names=_names(split_name(party.name), nicknames(party.name)))


def _callers(assessment: Assessment, known: frozenset[str]) -> Iterator[Protected]:
    """Yield people who called or wrote, by number or address. Each is a reporter, regardless of what else is
    known (R-119)."""
    country = assessment.home.country
    for row in (*_all_of(assessment, "fiche"), *_all_of(assessment, "recording")):
        phones, emails = phones_on([row]), emails_on([row])
        if (phones or emails) and not known & compared(phones, emails, country):
            yield Protected(f"caller {row.id}", FileRole.REPORTER, phones=_all(phones), emails=_all(emails))


def _participants(assessment: Assessment, known: frozenset[str]) -> Iterator[Protected]:
    """Yield participants of a call or an e-mail who are not contacts: staff, and people not entered."""
    country = assessment.home.country
    for party in _all_of(assessment, "activity_party"):
        address, is_email = party.address or "", "@" in (party.address or "")
        if party.party_kind == "contact" or known & compared([address], [address], country):
            continue
        names = (split_name(party.name),) if split_name(party.name)[0] and party.party_kind != "account" else ()
        if names or address:
            role = "staff" if party.party_kind == "systemuser" else "other"
            yield Protected(
                f"participant {party.party or party.id}",
                role,
                names=names,
                phones=() if is_email else _all((address,)),
                emails=_all((address,)) if is_email else (),
            )


def _own_numbers(assessment: Assessment) -> frozenset[str]:
    shown = shown_person(assessment)
    return compared(shown.phones, shown.emails, assessment.home.country)


def _name(contact: FullContact) -> tuple[str, str]:
    return (contact.first_name or "").strip(), (contact.last_name or "").strip()


def _place(contact: FullContact) -> str | None:
    """Return postcode and town, by which nobody else is known."""
    return f"{contact.postcode} {contact.city}" if contact.postcode and contact.city else None


def split_name(name: str | None) -> tuple[str, str]:
    """Split a name in one column into first and last name; a mail address in its place is not a name, nor is
    a remark between brackets."""
    words = "" if "@" in (name or "") else without_remarks(name)
    first, _, last = words.partition(" ")
    return (first, last.strip()) if last else ("", first)


def without_remarks(name: str | None) -> str:
    """Return a name without remarks in brackets, and without the person's other names."""
    return _QUOTED.sub(" ", _ALIAS.sub("", _REMARK.sub(" ", name or ""))).strip()


def nicknames(name: str | None) -> tuple[str, ...]:
    """Return a person's other names: of `Jan Peeters alias De Sjarel` and of `Jan 'De Sjarel' Peeters` De
    Sjarel."""
    found = [match["name"].strip(" '\"‘’“”„«»") for pattern in (_ALIAS, _QUOTED) for match in pattern.finditer(name or "")]
    return tuple(dict.fromkeys(nickname for nickname in found if nickname))


def _names(whole: tuple[str, str], called: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(name for name in (whole, *(("", nickname) for nickname in called)) if name != ("", "")))


def _all(values: Iterable[str | None]) -> tuple[str, ...]:
    """Return those that say something, each once."""
    return tuple(dict.fromkeys(value.strip() for value in values if value and value.strip()))
