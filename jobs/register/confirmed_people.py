"""Whom a request is about: the contacts and rows that a person has confirmed as the requester, or as the
child. Source: EXP-04, R-151, RGT-01; contract 3.6."""

import msgspec

from jobs.model.request import CANDIDATES, CONFIRMED, GIVEN, Candidate, Candidates, Confirmed, Given
from jobs.ports.store.store import Store
from rules.decoders import decoder_of
from rules.errors import Refused
from rules.hints import hint_to
from rules.model.requests import RequestState

CHILD, REQUESTER = "child", "requester"


class ConfirmedPeople(msgspec.Struct, frozen=True):
    """The confirmed contacts (several rows may be one person), and rows that are about somebody without a
    contact, as (kind, id)."""

    requester: frozenset[str] = frozenset()
    child: frozenset[str] = frozenset()
    requester_rows: frozenset[tuple[str, str]] = frozenset()
    child_rows: frozenset[tuple[str, str]] = frozenset()

    @property
    def contacts(self) -> frozenset[str]:
        return self.requester | self.child

    @property
    def rows(self) -> frozenset[tuple[str, str]]:
        return self.requester_rows | self.child_rows

    @property
    def are_none(self) -> bool:
        """Whether nobody was confirmed: the person is unknown here."""
        return not self.contacts and not self.rows


def given_of(store: Store, request: str) -> Given:
    """Return what was said at the receipt. Raises Refused: with code `erased`, if its key is gone, which ends
    nothing but a request that was closed long ago."""
    part = store.requests.part(request, GIVEN)
    if part is None:
        raise Refused(
            "what was said with this request cannot be opened any more: its key is gone",
            hint="restore the data folder; where no backup has the key, open the request again as of its receipt, and close this one",
            where=request,
            code="erased",
        )
    return decoder_of(Given).decode(part)


def confirmed_people(store: Store, request: str) -> ConfirmedPeople:
    """Return the people that the last confirmation names; nobody is an answer too. Raises Refused: with code
    `not_confirmed`, if nobody has said who it is, or the search was made again since; `state`, if the request
    was closed meanwhile."""
    confirmed, candidates = store.requests.part(request, CONFIRMED), store.requests.part(request, CANDIDATES)
    if confirmed is None:
        if store.requests.get(request).state is RequestState.CLOSED:  # by somebody else, at this moment
            raise Refused("the request is closed", hint="a closed request takes no further step", where=request, code="state")
        raise Refused(
            "nobody has confirmed yet whom the request is about",
            hint=hint_to("confirm", request=request),
            where=request,
            code="not_confirmed",
        )
    wanted = decoder_of(Confirmed).decode(confirmed).candidates
    found = decoder_of(Candidates).decode(candidates).found if candidates is not None else ()
    by_id = {candidate.candidate: candidate for candidate in found}
    if not by_id.keys() >= set(wanted):
        raise Refused("the search was made again since", hint=hint_to("confirm_anew", request=request), where=request, code="not_confirmed")
    return _people([by_id[name] for name in wanted])


def _people(chosen: list[Candidate]) -> ConfirmedPeople:
    contacts: dict[str, set[str]] = {REQUESTER: set(), CHILD: set()}
    rows: dict[str, set[tuple[str, str]]] = {REQUESTER: set(), CHILD: set()}
    for candidate in chosen:
        person = CHILD if candidate.person == CHILD else REQUESTER
        if candidate.kind == "contact":
            contacts[person].add(candidate.id)
        else:
            rows[person].add((candidate.kind, candidate.id))
    # What was confirmed as both is the child's: else it would be told as the requester's own.
    requester, requester_rows = contacts[REQUESTER] - contacts[CHILD], rows[REQUESTER] - rows[CHILD]
    return ConfirmedPeople(frozenset(requester), frozenset(contacts[CHILD]), frozenset(requester_rows), frozenset(rows[CHILD]))
