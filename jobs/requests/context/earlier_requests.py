"""Other requests of the same person that the register still knows: they are data about that person too. What
a closed request knew about somebody is erased when it has expired, so older ones cannot be disclosed. Source:
EXP-03; ACC-08."""

from jobs.model.answer import Context, Field, Item, Retention
from jobs.model.request import GIVEN, Given, SubjectRequest
from jobs.ports.context import JobContext
from jobs.requests.search.assess import Assessment
from jobs.requests.search.match import wanted_person
from rules.decoders import decoder_of
from rules.people.birthdates import sentinels_of
from rules.people.candidates import Strength, match
from rules.people.everybody import Everybody
from rules.policy.policy import Defaults

SURE = frozenset({Strength.STRONG, Strength.MEDIUM})


def earlier_requests(context: JobContext, found: Assessment) -> list[SubjectRequest]:
    """Return the earlier requests of the person the answer is about, oldest first (EXP-02). None are returned
    where somebody else asks on their behalf: what a child asked by itself is not disclosed to a parent."""
    if found.is_on_behalf or not found.subject_contacts:
        return []
    before = [one for one in context.store.requests.all() if one.id != found.request.id and one.received_at < found.request.received_at]
    return sorted((one for one in before if _is_theirs(context, found, one)), key=lambda one: (one.received_at, one.id))


def request_context(key: str, defaults: Defaults) -> Context:
    """Return what the register keeps of requests, and why."""
    return Context(
        key=key,
        kind="request",
        role="requester",
        roles=("requester",),
        category_labels={},
        purposes=("rights",),
        basis="legal_obligation",
        data_categories=("identification", "request"),
        recipients=(),
        retention=Retention("", None, "request", grace_days=defaults.sealed_days, months=defaults.register_years * 12),
        sources=("self",),
        rights=("access", "rectification"),
        source=("request", ""),
    )


def request_item(request: SubjectRequest, key: str) -> Item:
    """Return one earlier request: what was requested, when, and how. Not how it was answered: the requester
    has the answer."""
    fields = (
        Field("right", request.right.value, provided=True),
        Field("received_on", request.received_on.isoformat(), provided=True),
        Field("channel", request.channel.value, provided=True),
    )
    return Item("", key, "request", ("request", request.id), "", request.received_on.isoformat(), fields)


def _is_theirs(context: JobContext, found: Assessment, other: SubjectRequest) -> bool:
    part = context.store.requests.part(other.id, GIVEN)
    if part is None:
        return False
    person = decoder_of(Given).decode(part).requester
    sentinels = sentinels_of(context.policy)
    wanted = wanted_person(person, found.day, sentinels)
    return any(one.strength in SURE for one in match(Everybody(found.subject_contacts), wanted, today=found.day, sentinels=sentinels))
