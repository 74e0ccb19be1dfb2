"""The two approvals without which no answer is released: the DPO's of its content, and a second person's of
its release.

On the day of the release everything is checked once more (`release_check`). A neutral answer takes the same
steps (SUS-07, R-116). Source: EXP-14, EXP-18, SUS-07, SUS-08, RGT-07, ACC-08 to ACC-10, section 9.4; R-097,
R-116, R-117, R-126 to R-128, R-157."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from jobs.model.answer import NOT_A_NAME, Compilation
from jobs.model.request import HANDOVER, PACKAGE, Handover, RequestApproval, SubjectRequest
from jobs.ports.context import JobContext
from jobs.ports.outbox import LeakFound, Outbox, Unchecked
from jobs.register.decision import decision_of
from jobs.register.overrides import overrides_of
from jobs.register.request_steps import actor_of, authorised, save_transition, signed
from jobs.requests.answer.attachments import attachments_of
from jobs.requests.answer.compile import NEUTRAL, compiled
from jobs.requests.answer.download_link import Link, new_link
from jobs.requests.answer.release_check import CONTENT, for_release, sent_back, unfinished
from rules.errors import ComplianceError, Refused
from rules.hints import hint_to
from rules.model.requests import COPIES, Outcome, RequestState, Step

RELEASE: Final = "release"


@dataclass(frozen=True, slots=True)
class Released:
    """What leaves: the SHA-256 of the archive, and the link under which it is fetched."""

    sha256: str
    link: Link


def approve_content(context: JobContext, request_id: str, who: str, role: str) -> SubjectRequest:
    """Record the DPO's approval of the content. Raises Refused: with code `role`, `state`, `not_compiled`,
    `pending_item` (R-117), `dpo_review`, `undecided`, `incomplete` (R-128) or `MANDATE_LAPSED` (RGT-07)."""
    actor = actor_of(context, who, role)
    request = authorised(actor, request_id, Step.APPROVE)
    problem = unfinished(context, request, compiled(context.store, request))
    if problem is not None:
        raise problem
    approval = RequestApproval(CONTENT, who, role, actor.now)
    changes = {"state": RequestState.APPROVED, "approvals": (*overrides_of(request), approval)}
    return save_transition(actor, request, changes, Step.APPROVE, {})


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
        raise sent_back(actor_of(context, who, role), request, unchecked) from None
    except LeakFound as found:
        if found.item:
            raise _sent_back_for(context, request, found, who, role) from None
        raise LeakFound(found.file, found.found, hint=hint_to("compile_corrected", request=request.id)) from None
    digest = hashlib.sha256(archive).hexdigest()
    row = released(request, compilation, who, role, now, package_sha256=digest, link=link.digest, link_until=link.until, downloads=())
    entry = signed(("request", {"request": request.id, "step": Step.RELEASE.value, "sha256": digest}), actor_of(context, who, role))
    message = outbox.message(compilation, link.token, link.until)
    handover = msgspec.json.encode(Handover(passphrase, message))
    with outbox.putting(archive, passphrase, message):  # whoever is cut off now has the register say that it is released
        context.store.requests.save(row, [entry], since=request, parts={PACKAGE: archive, HANDOVER: handover})
    if not outbox.is_held:
        with suppress(ComplianceError):  # it is released; what is left of it somebody removes in the console
            context.store.requests.save(row, since=row, parts={HANDOVER: None})
    return Released(digest, link)


def who_hears(context: JobContext, compilation: Compilation) -> list[str]:
    """Return who hears of the decision; never a shelter, to a parent (RGT-09)."""
    decision = decision_of(context.store, compilation.request)
    named = {recipient.name for each in compilation.told_contexts() for recipient in each.recipients}
    return [notice.recipient for notice in decision.notices if notice.recipient in named] if decision is not None else []


def _sent_back_for(context: JobContext, request: SubjectRequest, found: LeakFound, who: str, role: str) -> Refused:
    """Send a request back to the review because of one item; what was decided on the items stands, the words
    on the answer do not. The hint is the one step by which the answer can be approved again."""
    other = (
        "or its text again as APPROVED_REDACTED"
        if any(each.item == found.item and each.needs_review for each in compiled(context.store, request).items)
        else "or correct the row in the CRM and compile"
    )
    if found.is_near:
        other = f'{other}, or, where it is not a name, its decision again with "code": "{NOT_A_NAME}"'
    hint = hint_to("review_needle", request=request.id, item=found.item, other=other)
    told = LeakFound(found.file, found.found, found.item, is_near=found.is_near, hint=hint)
    return sent_back(actor_of(context, who, role), request, told)


def released(request: SubjectRequest, compilation: Compilation, who: str, role: str, at: datetime, **delivery: Any) -> SubjectRequest:
    """Return the register's row once the answer is released; `delivery` are fields of package and link."""
    outcome, refusal = outcome_of(compilation)
    approval = RequestApproval(RELEASE, who, role, at)
    return msgspec.structs.replace(
        request,
        state=RequestState.RELEASED,
        approvals=(*request.approvals, approval),
        outcome=outcome,
        refusal=refusal,
        released_at=at,
        **delivery,
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
