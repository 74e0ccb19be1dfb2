"""What must hold on the day of a release: that somebody else approved the content (ACC-09, EXP-18, R-126),
whether the person's entitlement is still what the answer says (SUS-08, RGT-07), whether anything is missing
(EXP-14), and what else prevents it (IDV-05, R-121). What no longer holds goes back to the review."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from jobs.model.answer import Compilation, Context, Item
from jobs.model.request import CANDIDATES, CONFIRMED, HANDOVER, SubjectRequest
from jobs.ports.context import JobContext
from jobs.reading.decoy_reads import ids_or_nobody
from jobs.register.confirmed_people import confirmed_people
from jobs.register.decision import ERASING, What
from jobs.register.overrides import overridden, overrides_of
from jobs.register.request_steps import Actor, actor_of, authorised, check_role, save_transition, wrong_state
from jobs.requests.answer.compile import NEUTRAL, Draft, compiled, drafted
from jobs.requests.context.transmissions import TRANSFER_BASIS_MISSING
from jobs.requests.decisions.day_of_decision import STANDING_CHANGED, mandate_lapsed, standing_changed
from jobs.requests.decisions.decide import as_it_stands, is_decided
from jobs.requests.search.assess import Assessment
from jobs.requests.search.confirm import CONTRADICTIONS
from jobs.requests.search.match import wanted_person
from rules.errors import Refused
from rules.hints import Hint, hint_to
from rules.model.accounts import same_person
from rules.model.requests import COPIES, Outcome, RequestState, Step, is_allowed
from rules.people.birthdates import sentinels_of
from rules.people.candidates import Strength, weigh
from rules.rights.entitlement import MANDATE_LAPSED

CONTENT: Final = "content"  # the DPO's approval, which a second person's release stands on
INCOMPLETE: Final = "incomplete"
_HINTS: Final[Mapping[str, str | Hint]] = {
    "CHANNEL_CHANGED": hint_to("identify_otherwise"),
    TRANSFER_BASIS_MISSING: "record the ground of the transfer on the fiche, then compile again (R-121)",
}


def for_release(context: JobContext, request_id: str, who: str, role: str) -> tuple[SubjectRequest, Compilation]:
    """Return a request and its current answer, to whom it goes on this day, who was a minor when it was
    compiled and may be none any more; it is searched for whoever had another name or number then, too. Raises
    Refused: as `check_release` does; ConnectorError: the CRM cannot be read."""
    try:
        request = authorised(actor_of(context, who, role), request_id, Step.RELEASE)
    except Refused as error:
        if error.code == "state" and context.store.requests.has_part(error.where, HANDOVER):  # of a release that was cut off
            hint = "archive, passphrase and message are on the page of the request, until somebody has passed them on"
            raise Refused(str(error), hint=hint, where=error.where, code=error.code) from None
        raise
    compilation = compiled(context.store, request)
    today = check_release(context, request, compilation, who, role)
    leak_terms = tuple(dict.fromkeys((*compilation.leak_terms, *today.leak_terms)))
    by_now = msgspec.structs.replace(compilation, addressee=today.addressee, leak_terms=leak_terms)
    return request, as_it_stands(context, request, by_now)


def check_release(context: JobContext, request: SubjectRequest, compilation: Compilation, who: str, role: str) -> Compilation:
    """Refuse a release that is not allowed, and else return the answer as it would be today. If the answer
    itself no longer holds, the request is sent back. Raises Refused: with code `role` (recorded, R-127),
    `state`, `same_person` (R-126), `MANDATE_LAPSED`, `standing_changed`, `incomplete`, or that of the block
    that prevents it (`NO_CONTACT`, `CHANNEL_CHANGED`, `TRANSFER_BASIS_MISSING`); ConnectorError: it could not
    be checked, or a part of the CRM is out of sight by now."""
    actor = actor_of(context, who, role)
    check_role(actor, Step.RELEASE)
    if not is_allowed(Step.RELEASE, request.state):
        raise wrong_state(request, Step.RELEASE)
    content = next((approval for approval in request.approvals if approval.step == CONTENT), None)
    if content is None:
        raise Refused(
            "nobody has approved the content", hint=hint_to("approve_answer", request=request.id), where=request.id, code="not_approved"
        )
    if same_person(content.who, who):
        message = "whoever approved the content cannot release it"
        raise Refused(message, hint="the release is a second person's (ACC-09)", where=request.id, code="same_person")
    problem = unfinished(context, request, compilation)
    if problem is not None:
        raise sent_back(actor, request, problem)
    today = drafted(context, request, with_files=False)
    problem = _merged(context, request) or _contradicted(context, today.found)
    if problem is not None:
        raise sent_back(actor, request, problem, is_somebody_else=True)
    problem = _does_not_hold(request, compilation, today)
    if problem is not None:
        raise sent_back(actor, request, problem)
    for block in today.compilation.blocks:
        hint = _HINTS.get(block, "look at the request again, then compile it again")
        contact = hint_to("override_contact", request=request.id)
        raise Refused(f"the release is stopped by {block}", hint=contact if block == "NO_CONTACT" else hint, where=request.id, code=block)
    return today.compilation


def unfinished(context: JobContext, request: SubjectRequest, compilation: Compilation) -> Refused | None:
    """Return what the content still lacks, or that nothing may be told any more to whoever asked."""
    if request.outcome is Outcome.MANDATE_LAPSED:
        return mandate_lapsed(request)
    if compilation.answer == "dpo_review":
        hint = hint_to("override_then_compile", rules=", ".join(compilation.blocks))
        return Refused("this answer waits for a decision of the DPO", hint=hint, where=request.id, code="dpo_review")
    if compilation.is_complete and not is_decided(context, request, compilation):
        hint = hint_to("decide", request=request.id)
        return Refused("nothing has been decided on this right yet", hint=hint, where=request.id, code="undecided")
    if compilation.pending and compilation.right in COPIES:
        hint = hint_to("review_pending", request=request.id)
        return Refused(f"items that wait for a review: {compilation.pending}", hint=hint, where=request.id, code="pending_item")
    if not compilation.is_complete:
        hint = hint_to("match_again", request=request.id)
        return Refused("a row is neither included nor withheld nor excluded", hint=hint, where=request.id, code=INCOMPLETE)
    return None


def _merged(context: JobContext, request: SubjectRequest) -> Refused | None:
    """Return that a contact whom the answer is about was merged into one whom nobody has confirmed: what was
    that person's stands there by now."""
    people = confirmed_people(context.store, request.id).contacts
    merged = context.connector.merged_into(ids_or_nobody(people))
    if all(into[-1] in people for into in merged.values()):
        return None
    message = "a contact whom this answer is about was merged into another one in the CRM"
    hint = hint_to("match_again", request=request.id)
    return Refused(message, hint=hint, where=request.id, code=STANDING_CHANGED)


def _contradicted(context: JobContext, found: Assessment) -> Refused | None:
    """Return that a contact whom the answer is about contradicts by now what the person has said, as where a
    birth date was corrected, and that nobody has set that rule aside (IDN-17)."""
    if CONTRADICTIONS in overridden(found.request):
        return None
    sentinels = sentinels_of(context.policy)
    said = (found.given.requester, found.people.requester), (found.given.on_behalf_of, found.people.child)
    for person, contacts in said:
        wanted = wanted_person(person, found.day, sentinels) if person is not None else None
        for contact in (found.material.contacts[each] for each in sorted(contacts) if each in found.material.contacts):
            weighed = weigh(contact, wanted, found.day, sentinels) if wanted is not None else None
            if weighed is not None and weighed.strength is Strength.CONTRADICTION:
                message = "a contact whom this answer is about contradicts by now what is known of the person"
                hint = hint_to("match_again", request=found.request.id)
                return Refused(message, hint=hint, where=found.request.id, code=STANDING_CHANGED)
    return None


def _does_not_hold(request: SubjectRequest, old: Compilation, today: Draft) -> Refused | None:
    """Return what has changed since the answer was compiled, so that it must not be released as it is."""
    new = today.compilation
    if MANDATE_LAPSED in new.blocks:
        return mandate_lapsed(request)
    if _stands_otherwise(old, new) or (TRANSFER_BASIS_MISSING in old.blocks and TRANSFER_BASIS_MISSING not in new.blocks):
        return standing_changed(request)
    if old.right in COPIES:
        known = {item.source for item in old.items}
        if not new.is_complete or any(item.source not in known for item in new.items):
            return Refused(
                "a row that belongs to the answer is not in it",
                hint=hint_to("compile_complete", request=request.id),
                where=request.id,
                code=INCOMPLETE,
            )
    return None


def _stands_otherwise(old: Compilation, new: Compilation) -> bool:
    """Return whether the person's entitlement differs from what the answer says, or a row that it discloses
    is theirs no more, or perhaps not. What a decision has ended, such as a newsletter, is not a change."""
    if old.right in COPIES:
        stands, stands_now = ((each.answer, each.scope, each.remarks, _roles(each)) for each in (old, new))
        if old.refusal != new.refusal and not old.contexts:  # a refusal beside something that could be told is the DPO's own
            return True
        # An earlier request whose time has come meanwhile may still be told: it was when the answer was
        # compiled.
        relations, relations_now = (
            {context.kind for context in each.contexts if not context.source[1] and context.kind != "request"} for each in (old, new)
        )
        told = _theirs(old, [item for item in old.items if item.is_shown and item.kind != "request"])
        theirs = _theirs(new, new.items)
        return stands != stands_now or relations != relations_now or not told <= theirs or _cites_otherwise(old, new)
    if NEUTRAL in (old.answer, new.answer) or new.answer == "dpo_review":
        return old.answer != new.answer
    files, files_now = ({context.source for context in each.contexts if context.source[1]} for each in (old, new))
    return old.scope != new.scope or not files <= files_now or not _in_files(old, old.granted) <= _in_files(new)


def _cites_otherwise(old: Compilation, new: Compilation) -> bool:
    """Return whether an answer says why, or how long, something is kept as it is no more: another schedule is
    in force, the days of a file have changed, or its last day has passed (art. 15(1)(a) and (d) GDPR)."""
    by_now: dict[tuple[str, tuple[str, str]], list[Context]] = {}
    for context in new.contexts:
        by_now.setdefault((context.kind, context.source), []).append(context)
    pairs = ((told, by_now.get((told.kind, told.source), [])) for told in old.told_contexts())
    return any(found and _cited(told, told) not in [_cited(each, told) for each in found] for told, found in pairs)


def _cited(context: Context, told: Context) -> tuple[object, ...]:
    """Return what a context says of basis and term. An answer that was compiled before the months of a term
    were kept says none."""
    retention = context.retention if told.retention.months else msgspec.structs.replace(context.retention, months=0)
    return context.category_labels, context.basis, context.basis_labels, context.grounds, retention


def _theirs(answer: Compilation, items: Iterable[Item]) -> set[tuple[tuple[str, str], bool, bool]]:
    """Return of which rows items are, whether each may be somebody else's, and whether RGT-09 holds for it:
    a fiche may have moved between two files of a child."""
    limited = {context.key for context in answer.contexts if context.is_limited}
    return {(item.source, item.is_doubtful, item.context in limited) for item in items}


def _roles(answer: Compilation) -> set[tuple[tuple[str, str], tuple[str, ...], bool]]:
    """Return in which files the person has which roles, and whether RGT-09 holds there."""
    return {(context.source, context.roles, context.is_limited) for context in answer.contexts if context.source[1]}


def _in_files(answer: Compilation, granted: Collection[str] | None = None) -> set[tuple[str, tuple[str, str]]]:
    """Return of which rows an answer proposes to erase something, or to which to add a note, or what was
    granted of that."""
    items = (item for item in answer.items if granted is None or item.item in granted)
    return {(item.title, item.source) for item in items if item.title in ERASING | {What.ANNOTATE}}


def sent_back(actor: Actor, request: SubjectRequest, problem: Refused, *, is_somebody_else: bool = False) -> Refused:
    """Withdraw the approvals of the answer, and send the request to the review; where the answer itself does
    not hold any more, to its compilation, and where who asks is known by another contact
    (`is_somebody_else`), to the search: a step after that would lead to the same refusal."""
    state = RequestState.SEARCHING if problem.code in (STANDING_CHANGED, INCOMPLETE) else RequestState.REVIEWING
    changes: dict[str, Any] = {"state": state, "approvals": overrides_of(request)}
    if problem.code == MANDATE_LAPSED:
        changes["outcome"] = Outcome.MANDATE_LAPSED
    if is_somebody_else:
        changes["answer"] = ""
    parts = {CANDIDATES: None, CONFIRMED: None} if is_somebody_else else None
    save_transition(actor, request, changes, Step.RELEASE, {"sent_back": True}, parts=parts)
    return problem
