"""The search for the person of a request, and the DPO's confirmation of who it is.

What may be about the person is listed and kept from disposal. What is about the person is confirmed by
somebody, row by row. Doing either again undoes what was built on it. The steps are the same for any result,
nobody included (SUS-04). Source: EXP-04, HLD-08, IDN-17 to IDN-19, R-151; contract 3.6."""

from collections.abc import Collection, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any, Final

import msgspec

from jobs.model.request import (
    CANDIDATES,
    COMPILATION,
    CONFIRMED,
    DECISIONS,
    PACKAGE,
    PRESERVED,
    REVIEW_PAGE,
    Candidate,
    Candidates,
    Confirmed,
    Preserved,
    SubjectRequest,
)
from jobs.ports.context import JobContext
from jobs.ports.store.ledger import Entry
from jobs.ports.store.store import Store
from jobs.register.confirmed_people import given_of
from jobs.register.overrides import overridden, overrides_of
from jobs.register.request_steps import Actor, authorised, save_transition
from jobs.requests.search.gaps import places_not_searched
from jobs.requests.search.match import find_candidates, left_out
from jobs.requests.search.preserve import preserved_of
from rules.decoders import decoder_of
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.model.requests import RequestState, Step
from rules.people.birthdates import sentinels_of
from rules.people.candidates import Strength

CONTRADICTIONS: Final = "IDN-17"  # the rule that two people set aside to confirm one
_BUILT_ON: Final[Mapping[str, None]] = MappingProxyType(dict.fromkeys((COMPILATION, DECISIONS, PACKAGE, REVIEW_PAGE)))


def match_request(context: JobContext, request_id: str, actor: Actor) -> Candidates:
    """Search for the person, and for the child on whose behalf the request is made. What is found is kept
    from disposal until the request is closed.

    A candidate keeps its name when the search is made again, for somebody may be about to confirm it. A
    confirmation has to be given again.

    Raises:
        UsageError: an unknown request.
        Refused: with code `role`, which is recorded, or `other_crm`, `state` or `erased`.
        ConnectorError: something could not be read in full; nothing is stored.

    Source: IDN-17 to IDN-19, EXP-03, HLD-08, ACC-10."""
    store, request = context.store, authorised(actor, request_id, Step.MATCH)
    given = given_of(store, request.id)
    found = find_candidates(context, given)
    people = [each for each in (given.requester, given.on_behalf_of) if each is not None]
    fields = [field for each in people for field, _ in left_out(each, context.today, sentinels_of(context.policy))]
    earlier = _candidates(store, request.id)
    listed = Candidates(
        found=tuple(_named(found, earlier.found if earlier is not None else ())),
        not_searched=places_not_searched(context),
        at=context.clock(),
        left_out=tuple(dict.fromkeys(fields)),
    )
    preserved = Preserved.of(found, context.clock(), preserved_of(context, request.id))
    parts: dict[str, bytes | None] = {CANDIDATES: msgspec.json.encode(listed), PRESERVED: msgspec.json.encode(preserved), CONFIRMED: None}
    entry: Entry = ("request", {"request": request.id, "step": Step.MATCH.value})
    moved = msgspec.structs.replace(request, transitions=request.transitions + 1, **_undone(request))
    store.requests.save(moved, [entry], since=request, parts={**_BUILT_ON, **parts})
    return listed


def confirm_candidates(actor: Actor, request_id: str, names: Collection[str]) -> Confirmed:
    """Record who the person is, by the names of candidates; none of them is an answer too. It replaces what
    was confirmed before. What contradicts the person is confirmed only once two people have set IDN-17 aside.
    Raises UsageError: an unknown request or candidate; Refused: with code `role`, `state`, `not_matched` or
    `contradiction`. Source: EXP-04, IDN-17, R-151."""
    request = authorised(actor, request_id, Step.CONFIRM)
    candidates = _candidates(actor.store, request.id)
    if candidates is None:
        raise Refused(
            "nobody has searched for the person yet", hint=hint_to("match", request=request.id), where=request.id, code="not_matched"
        )
    by_name = {candidate.candidate: candidate for candidate in candidates.found}
    chosen = [by_name[name] for name in dict.fromkeys(names) if name in by_name]
    if len(chosen) < len(set(names)):  # what was typed is not repeated: it may be a person's name
        raise UsageError("there is no such candidate", hint=hint_to("match", request=request.id), where=request.id, code="not_found")
    if any(candidate.strength == Strength.CONTRADICTION for candidate in chosen) and CONTRADICTIONS not in overridden(request):
        hint = hint_to("override_contradiction", request=request.id, rule=CONTRADICTIONS)
        raise Refused("a candidate contradicts what is known of the person", hint=hint, where=request.id, code="contradiction")
    confirmed = Confirmed(tuple(candidate.candidate for candidate in chosen), actor.who, actor.now)
    save_transition(actor, request, _undone(request), Step.CONFIRM, {}, parts={**_BUILT_ON, CONFIRMED: msgspec.json.encode(confirmed)})
    return confirmed


def _candidates(store: Store, request_id: str) -> Candidates | None:
    part = store.requests.part(request_id, CANDIDATES)
    return None if part is None else decoder_of(Candidates).decode(part)


def _undone(request: SubjectRequest) -> dict[str, Any]:
    """Return the row as it is before there is an answer. Approvals that set a rule aside are kept."""
    return {"state": RequestState.SEARCHING, "answer": "", "scope": "", "refusal": "", "approvals": overrides_of(request)}


def _named(found: Collection[Candidate], earlier: Collection[Candidate]) -> list[Candidate]:
    """Return the candidates with names: the one a candidate had before, or else one that nobody had."""
    names = {(candidate.person, candidate.kind, candidate.id): candidate.candidate for candidate in earlier}
    taken = set(names.values())
    fresh = (name for name in (f"c{number}" for number in count(1)) if name not in taken)
    return [
        msgspec.structs.replace(candidate, candidate=names.get((candidate.person, candidate.kind, candidate.id)) or next(fresh))
        for candidate in found
    ]
