"""The two approvals without which no answer is released: the DPO's of its content, and a second person's of
its release.

On the day of the release everything is checked once more: whether the person's entitlement is still what the
answer says (SUS-08, RGT-07), whether anything is missing (EXP-14), and what else prevents it (IDV-05, R-121).
A neutral answer takes the same steps (SUS-07, R-116). Source: EXP-14, EXP-18, SUS-07, SUS-08, RGT-07, ACC-08
to ACC-10, section 9.4; R-097, R-116, R-117, R-126 to R-128, R-157."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from jobs.model.answer import NOT_A_NAME, Compilation
from jobs.model.request import PACKAGE, SubjectRequest, Word
from jobs.ports.context import JobContext
from jobs.ports.outbox import NeedleFound, Outbox, Unchecked
from jobs.register.decision import decision_of
from jobs.register.overrides import overrides_of
from jobs.register.permissions import Hand, admitted, check_role, hand_of, refused, save_move, signed, wrong_state
from jobs.requests.answer.attachments import attachments_of
from jobs.requests.answer.compile import NEUTRAL, Draft, compiled, drafted
from jobs.requests.answer.links import Link, new_link
from jobs.requests.context.transmissions import TRANSFER_BASIS_MISSING
from jobs.requests.decisions.decide import as_it_stands, is_decided
from rules.errors import Refused
from rules.hints import hint_to
from rules.model.accounts import same_person
from rules.model.requests import COPIES, Outcome, RequestState, Step, may

CONTENT, RELEASE = "content", "release"
MANDATE_LAPSED, CHANGED, INCOMPLETE = "MANDATE_LAPSED", "standing_changed", "incomplete"
_HINTS: Final = {
    "CHANNEL_CHANGED": "identify the person anew by another method, or two people set it aside: --rule CHANNEL_CHANGED (IDV-05)",
    TRANSFER_BASIS_MISSING: "record the ground of the transfer on the fiche, then compile again (R-121)",
}


@dataclass(frozen=True, slots=True)
class Released:
    """What leaves: the SHA-256 of the archive, and the link under which it is fetched."""

    sha256: str
    link: Link


def approve_content(context: JobContext, request_id: str, who: str, role: str) -> SubjectRequest:
    """Record the DPO's approval of the content. Raises Refused: with code `role`, `state`, `not_compiled`,
    `pending_item` (R-117), `dpo_review`, `undecided` or `incomplete` (R-128)."""
    hand = hand_of(context, who, role)
    request = admitted(hand, request_id, Step.APPROVE)
    problem = unfinished(context, request, compiled(context.store, request))
    if problem is not None:
        raise problem
    word = Word(CONTENT, who, role, hand.now)
    changes = {"state": RequestState.APPROVED, "words": (*overrides_of(request), word)}
    return save_move(hand, request, changes, Step.APPROVE, {})


def release_answer(context: JobContext, request_id: str, who: str, role: str, outbox: Outbox) -> Released:
    """Release an answer: make its package and the link under which that is fetched, and note it in the
    register once it is written.

    Raises:
        UsageError: an unknown request; a disk.
        Refused: a guard of the release, the last look (`needle`) or a file that nobody has looked at
            (`unchecked`), because of which the request goes back to the review, an attachment that is not
            there.
        ConnectorError: what may be told now, or an attachment, cannot be read."""
    request, stored = for_release(context, request_id, who, role)
    now = context.clock()
    compilation = msgspec.structs.replace(stored, generated_at=now)
    link = new_link(now)
    try:
        files = attachments_of(context, compilation)
        archive, passphrase = outbox.package(compilation, files, who_hears(context, compilation), link.until)
    except Unchecked as unchecked:
        raise _sent_back(hand_of(context, who, role), request, unchecked) from None
    except NeedleFound as found:
        if found.item:
            raise _sent_back_for(context, request, found, who, role) from None
        found.hint = hint_to("compile_corrected", request=request.id)
        raise
    digest = hashlib.sha256(archive).hexdigest()
    row = released(request, compilation, who, role, now, package_sha256=digest, link=link.digest, link_until=link.until, downloads=())
    entry = signed(("request", {"request": request.id, "step": Step.RELEASE.value, "sha256": digest}), hand_of(context, who, role))
    with outbox.putting(archive, passphrase, outbox.message(compilation, link.token, link.until)):
        context.store.requests.save(row, [entry], since=request, parts={PACKAGE: archive})
    return Released(digest, link)


def who_hears(context: JobContext, compilation: Compilation) -> list[str]:
    """Who hears of the decision; never a shelter, to a parent (RGT-09)."""
    decision = decision_of(context.store, compilation.request)
    named = {recipient.name for each in compilation.told_contexts() for recipient in each.recipients}
    return [notice.recipient for notice in decision.notices if notice.recipient in named] if decision is not None else []


def for_release(context: JobContext, request_id: str, who: str, role: str) -> tuple[SubjectRequest, Compilation]:
    """Return a request and its current answer, once this person may release it. Raises Refused: as
    `check_release` does; ConnectorError: the CRM cannot be read."""
    request = admitted(hand_of(context, who, role), request_id, Step.RELEASE)
    compilation = compiled(context.store, request)
    check_release(context, request, compilation, who, role)
    return request, as_it_stands(context, request, compilation)


def check_release(context: JobContext, request: SubjectRequest, compilation: Compilation, who: str, role: str) -> None:
    """Refuse a release that is not allowed. If the answer itself no longer holds, the request is sent back to
    the review. Raises Refused: with code `role` (recorded, R-127), `state`, `same_person` (R-126),
    `MANDATE_LAPSED`, `standing_changed`, `incomplete`, or that of the block that prevents it (`NO_CONTACT`,
    `CHANNEL_CHANGED`, `TRANSFER_BASIS_MISSING`); ConnectorError: it could not be checked."""
    hand = hand_of(context, who, role)
    check_role(hand, Step.RELEASE)
    if not may(Step.RELEASE, request.state):
        raise wrong_state(request, Step.RELEASE)
    content = next((word for word in request.words if word.step == CONTENT), None)
    if content is None:
        raise refused("not_approved", "nobody has approved the content", hint_to("approve_answer", request=request.id), request.id)
    if same_person(content.who, who):
        message = "whoever approved the content cannot release it"
        raise refused("same_person", message, "the release is a second person's (ACC-09)", request.id)
    problem = unfinished(context, request, compilation)
    if problem is not None:
        raise _sent_back(hand, request, problem)
    today = drafted(context, request, with_files=False)
    problem = _does_not_hold(request, compilation, today)
    if problem is not None:
        raise _sent_back(hand, request, problem)
    for block in today.compilation.blocks:
        hint = _HINTS.get(block, "look at the request again, then compile it again")
        contact = hint_to("override_contact", request=request.id)
        raise refused(block, f"the release is stopped by {block}", contact if block == "NO_CONTACT" else hint, request.id)


def _sent_back_for(context: JobContext, request: SubjectRequest, found: NeedleFound, who: str, role: str) -> Refused:
    """Send a request back to the review because of one item; what was decided on the items stands, the words
    on the answer do not. The hint is the one step by which the answer can be approved again."""
    other = (
        "or its text anew as APPROVED_REDACTED"
        if any(each.item == found.item and each.needs_review for each in compiled(context.store, request).items)
        else "or correct the row in the CRM and compile"
    )
    if found.is_near:
        other = f'{other}, or, where it is no name, its decision anew with "code": "{NOT_A_NAME}"'
    found.hint = hint_to("review_needle", request=request.id, item=found.item, other=other)
    return _sent_back(hand_of(context, who, role), request, found)


def released(request: SubjectRequest, compilation: Compilation, who: str, role: str, at: datetime, **delivery: Any) -> SubjectRequest:
    """Return the register's row once the answer is released; `delivery` are fields of package and link."""
    outcome, refusal = outcome_of(compilation)
    word = Word(RELEASE, who, role, at)
    return msgspec.structs.replace(
        request, state=RequestState.RELEASED, words=(*request.words, word), outcome=outcome, refusal=refusal, released_at=at, **delivery
    )


def outcome_of(compilation: Compilation) -> tuple[Outcome, str]:
    """Return how a request ends by the release of its answer, with the RF code of a refusal. It is delivered
    in part only if something was withheld for the rights of others, never because of a suspicion (ACC-08)."""
    if compilation.answer == NEUTRAL:
        return Outcome.NEUTRAL, ""
    if compilation.refusal:
        return Outcome.REFUSED, compilation.refusal
    if compilation.right not in COPIES:
        return Outcome.DONE, ""
    return (Outcome.DELIVERED_PARTLY if compilation.told_withheld else Outcome.DELIVERED), ""


def unfinished(context: JobContext, request: SubjectRequest, compilation: Compilation) -> Refused | None:
    """Return what the content still lacks."""
    if compilation.answer == "dpo_review":
        hint = hint_to("override_then_compile", rules=", ".join(compilation.blocks))
        return refused("dpo_review", "this answer waits for a decision of the DPO", hint, request.id)
    if not is_decided(context, request, compilation):
        hint = hint_to("decide", request=request.id)
        return refused("undecided", "nothing has been decided on this right yet", hint, request.id)
    if compilation.pending and compilation.right in COPIES:
        hint = hint_to("review_pending", request=request.id)
        return refused("pending_item", f"items that wait for a review: {compilation.pending}", hint, request.id)
    if not compilation.is_complete:
        hint = hint_to("match_again", request=request.id)
        return refused(INCOMPLETE, "a row is neither included nor withheld nor excluded", hint, request.id)
    return None


def _does_not_hold(request: SubjectRequest, old: Compilation, today: Draft) -> Refused | None:
    """Return what has changed since the answer was compiled, so that it must not be released as it is."""
    new = today.compilation
    if MANDATE_LAPSED in new.blocks:
        message = "the child is of age now: the mandate has ended, and the child itself must confirm"
        return refused(MANDATE_LAPSED, message, hint_to("close_lapsed", request=request.id), request.id)
    if _stands_otherwise(old, new) or (TRANSFER_BASIS_MISSING in old.blocks and TRANSFER_BASIS_MISSING not in new.blocks):
        return refused(
            CHANGED, "what may be told has changed since the answer was compiled", hint_to("compile", request=request.id), request.id
        )
    if old.right in COPIES:
        known = {item.source for item in old.items}
        if not new.is_complete or any(item.source not in known for item in new.items):
            return refused(
                INCOMPLETE, "a row that belongs to the answer is not in it", hint_to("compile_complete", request=request.id), request.id
            )
    return None


def _stands_otherwise(old: Compilation, new: Compilation) -> bool:
    """Return whether the person's entitlement differs from what the answer says. What a decision has ended,
    such as a newsletter, is not a change."""
    files = {context.source for context in old.contexts if context.source[1]}
    files_now = {context.source for context in new.contexts if context.source[1]}
    if old.right in COPIES:
        stands, stands_now = ((each.answer, each.scope, each.remarks) for each in (old, new))
        if old.refusal != new.refusal and not old.contexts:  # a refusal beside something that could be told is the DPO's own
            return True
        # An earlier request whose time has come meanwhile may still be told: it was when the answer was
        # compiled.
        relations, relations_now = (
            {context.kind for context in each.contexts if not context.source[1] and context.kind != "request"} for each in (old, new)
        )
        return stands != stands_now or files != files_now or relations != relations_now
    if old.answer == NEUTRAL or new.answer == "dpo_review":
        return old.answer != new.answer
    return not files <= files_now


def _sent_back(hand: Hand, request: SubjectRequest, problem: Refused) -> Refused:
    """Withdraw the approvals of the answer, and send the request to the review."""
    changes: dict[str, Any] = {"state": RequestState.REVIEWING, "words": overrides_of(request)}
    if problem.code == MANDATE_LAPSED:
        changes["outcome"] = Outcome.MANDATE_LAPSED
    save_move(hand, request, changes, Step.RELEASE, {"sent_back": True})
    return problem
