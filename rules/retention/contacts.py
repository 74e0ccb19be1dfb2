"""What becomes of contacts once units go: a person is kept as long as anything that stays mentions them. A
contact has no term of its own. All contacts are decided together, because one may keep another. Source:
RET-04, RET-20, A-18."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from rules.model.decisions import Decision, Disposition, Flag, Reason
from rules.model.records import Contact

_RULE: Final = "RET-20"
_CONTACT: Final = "contact"
_ACCOUNT: Final = "account"


class ContactFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who refers to whom, in ids of contacts.

    `kept`: a party of something that stays, or a participant of an activity that stays. `going`: a party of a
    unit that is disposed of, or a participant of one of its activities. `about`: (contact that an activity is
    about, participant of it). `relations`: a donation, enrolment or engagement, also one that has ended.
    `lapsed`: a relation that ends by a row of the schedule, with its gift, course or
    agreement or before it (2.3). `held`: a hold keeps the contact's own row (HLD-04). Newsletter consent and
    parents are read from the contacts."""

    contacts: Mapping[str, Contact]
    kept: set[str]
    going: set[str]
    about: list[tuple[str, str]]
    relations: set[str]
    lapsed: set[str] = set()
    held: frozenset[str] = frozenset()


class Stopped(msgspec.Struct, frozen=True):
    """What a hold keeps from happening to a contact, `delete` or `trim`, and the contact that is held:
    itself, or one that leads to it."""

    disposition: str
    by: str


class ContactVerdicts(msgspec.Struct, frozen=True):
    """What the units that go mean for contacts: removed, emptied of the fields of operations, or never linked
    to anything; `held` are those whom a later plan would not find again by itself once the hold is released.
    `mentioned` are those with a relation and without a unit who are not trimmed while another contact that
    stays leads to them: whether they ever were in a unit nobody can tell, so a person has to look at them. Of
    those of them who are `waiting` it is known: they are trimmed once nobody leads to them any more."""

    remove: set[str]
    trim: set[str]
    orphans: set[str]
    held: dict[str, Stopped] = {}
    mentioned: set[str] = set()
    waiting: set[str] = set()


def contact_outcomes(facts: ContactFacts) -> ContactVerdicts:
    """Return which contacts are deleted with the units disposed of, which are trimmed, and which were never
    linked to anything.

    A contact is removed only if a unit being disposed of leads to it, by a party row, an activity, or over
    other removed contacts, or if a relation of it ends, and nothing that stays refers to it. It is trimmed if
    a unit of the missions being disposed of refers to it and only a relation, active or ended, remains: what
    a donor's gift needs is not for operations. An orphan is reported and kept; contacts that point only at
    each other are orphans too. Contacts already anonymised count as absent. A held contact stays as it is,
    and so do those that it leads to. Source: RET-04, RET-20, HLD-04."""
    contacts, kept = facts.contacts, facts.kept
    gone = {identity for identity, contact in contacts.items() if contact.anonymised_on is not None}
    going = {identity for identity in facts.going if identity in contacts and identity not in gone}
    lapsed = {identity for identity in facts.lapsed if identity in contacts and identity not in gone}
    leads_to, related = _links(facts, gone)
    related |= {identity for identity in facts.relations if identity in contacts and identity not in gone}

    # `kept` holds nearly everybody, so no set of its size is ever made again: what matters is asked of those
    # who lead anywhere, who are few. Whom the units that go lead to at all; everybody else is out of reach
    # and stays.
    reachable = _closure(going | lapsed, leads_to)
    # Whom those lead to who stay: referred to by what stays, related, or out of reach.
    staying = (one for one in leads_to if one in kept or one in related or one not in reachable)
    led = _closure(_targets(staying, leads_to), leads_to)
    remove = {one for one in reachable if one not in kept and one not in led and one not in related}
    trim = {one for one in going if one in related and one not in kept and one not in led}
    held = _stopped(remove, trim, facts.held, leads_to)
    had = going | lapsed
    linked = _closure(_targets((one for one in leads_to if one in kept or one in had or one in related), leads_to), leads_to)
    orphans = {one for one in contacts if not (one in kept or one in had or one in related or one in linked or one in gone)}
    # Whom a held contact leads to is found again by it; only that a row was to be trimmed is forgotten.
    remembered = {one: what for one, what in held.items() if what.by == one or what.disposition == "trim"}
    mentioned = {one for one in led if one in related and one not in kept}
    return ContactVerdicts(
        remove=remove - held.keys(),
        trim=trim - held.keys(),
        orphans=orphans,
        held=remembered,
        mentioned=mentioned,
        waiting=mentioned & going,
    )


def _stopped(remove: set[str], trim: set[str], held: frozenset[str], leads_to: Mapping[str, list[str]]) -> dict[str, Stopped]:
    """Return those of the contacts to be removed or trimmed that stay as they are: the held ones, and those
    they lead to."""
    own = (remove | trim) & held
    by = {one: one for one in own}
    for one in sorted(own):
        for other in _closure({one}, leads_to):
            by.setdefault(other, one)
    return {one: Stopped("trim" if one in trim else "delete", holder) for one, holder in by.items() if one in remove or one in trim}


def _links(facts: ContactFacts, gone: set[str]) -> tuple[dict[str, list[str]], set[str]]:
    """Return the contacts each contact leads to (its parent, the participants of activities about it), and
    who has a relation of their own."""
    contacts = facts.contacts
    leads_to: dict[str, list[str]] = {}
    related: set[str] = set()
    for identity, contact in contacts.items():
        if not contact.newsletter and contact.parent is None:
            continue
        if identity in gone:
            continue
        if contact.newsletter or contact.parent_kind == _ACCOUNT:
            related.add(identity)
        parent = contact.parent
        if parent is not None and contact.parent_kind == _CONTACT and parent in contacts and parent not in gone and parent != identity:
            leads_to.setdefault(identity, []).append(parent)
    for about, participant in facts.about:
        if about != participant and about in contacts and participant in contacts and about not in gone and participant not in gone:
            leads_to.setdefault(about, []).append(participant)
    return leads_to, related


def _closure(start: set[str], leads_to: Mapping[str, list[str]]) -> set[str]:
    """Return everybody these contacts lead to, themselves included, over any number of steps."""
    found = set(start)
    waiting = [identity for identity in start if identity in leads_to]
    while waiting:
        for target in leads_to[waiting.pop()]:
            if target not in found:
                found.add(target)
                if target in leads_to:
                    waiting.append(target)
    return found


def _targets(start: Iterable[str], leads_to: Mapping[str, list[str]]) -> set[str]:
    """Return everybody these contacts, all of whom lead somewhere, lead to in one step."""
    return {target for identity in start for target in leads_to[identity]}


def removed_contact() -> Decision:
    """Return the decision of a contact deleted with the last unit that referred to it (RET-04, RET-20)."""
    return Decision(Disposition.DELETE, (Reason.EXPIRED,), None, (), (), _RULE)


def orphan_contact() -> Decision:
    """Return the decision of a contact that was never linked to anything: kept, and reported (RET-20)."""
    return Decision(Disposition.KEEP, (Reason.ORPHAN_CONTACT,), None, (Flag.ORPHAN_CONTACT,), (), _RULE)


def contact_decision(identity: str, verdicts: ContactVerdicts) -> Decision | None:
    """Return the decision of one contact; None for one that has no line in a plan, because it stays, trimmed
    or not (RET-20)."""
    if identity in verdicts.remove:
        return removed_contact()
    return orphan_contact() if identity in verdicts.orphans else None
