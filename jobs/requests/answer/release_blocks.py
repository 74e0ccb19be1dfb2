"""What stands in the way of a release: a place of safety, a channel that was changed, data sent abroad
without a ground. Source: IDV-05, R-121, R-157; RGT-07; section 7.1."""

from datetime import timedelta
from typing import Final

from jobs.ports.context import JobContext
from jobs.register.overrides import overridden
from jobs.requests.context.transmissions import TRANSFER_BASIS_MISSING, lacks_basis
from jobs.requests.search.assess import Assessment
from jobs.requests.search.contact_details import CHANNELS
from jobs.requests.search.scope import Scope
from rules.model.personal_records import FullContact, FullFiche
from rules.model.requests import IdentityMethod

NO_CONTACT, CHANNEL_CHANGED = "NO_CONTACT", "CHANNEL_CHANGED"
CHANGED_WITHIN: Final = timedelta(days=30)


def blocks_of(context: JobContext, found: Assessment, scope: Scope) -> tuple[str, ...]:
    """Return the codes of what stops a release now, without those that two people have set aside. It is empty
    if nothing does. Somebody flagged no-contact gets no letter, not even a neutral one: it might reach those
    from whom they hide (IDV-05). Whoever asks for a child that is flagged gets a neutral one: it tells
    nothing of the child, and that none comes would tell that the child is known. Of a neutral answer nothing
    else is checked, so that its steps do not depend on what is in the file (SUS-04)."""
    blocks = dict.fromkeys(found.entitlement.blocks)
    blocks |= dict.fromkeys(rule for _, rule in found.entitlement.review)
    if any(contact.no_contact for contact in _people(found)):
        blocks[NO_CONTACT] = None
    if found.entitlement.answer != "neutral":
        if _has_changed_channel(context, found):
            blocks[CHANNEL_CHANGED] = None
        if lacks_basis(row.record for row in scope.rows if isinstance(row.record, FullFiche)):
            blocks[TRANSFER_BASIS_MISSING] = None
    return tuple(block for block in blocks if block not in overridden(found.request))


def _people(found: Assessment) -> list[FullContact]:
    """Return the person who gets the answer, and the child that it is about: all rows that were confirmed. A
    neutral answer is about nobody."""
    contacts = found.material.contacts
    people = found.people.requester if found.entitlement.answer == "neutral" else found.people.contacts
    return [contacts[contact] for contact in sorted(people) if contact in contacts]


def _has_changed_channel(context: JobContext, found: Assessment) -> bool:
    """Return whether the requester's address or number changed lately, and only that channel shows who they
    are (IDV-05). A CRM that keeps no history of it cannot say: then the channel counts as it is."""
    identity = found.request.identity
    if identity is None or identity.method is not IdentityMethod.KNOWN_CHANNEL:
        return False
    since = context.clock() - CHANGED_WITHIN
    people = sorted(found.people.requester)
    return any(context.connector.changed_lately(FullContact, contact, CHANNELS, since) for contact in people)
