"""What must hold on the day of a decision: that the person is entitled to what the answer was compiled for.
What a decision does at once would be done at the word of somebody who has become suspect, or who may not act
for the child any more, and the release comes too late to prevent that. Source: RGT-07, SUS-08, SUS-10;
DDL-13."""

from typing import Final

import msgspec

from jobs.checks.whole_view import permitted
from jobs.model.answer import Compilation
from jobs.model.request import SubjectRequest
from jobs.ports.context import JobContext
from jobs.register.decision import What
from jobs.requests.decisions.propose import propose
from jobs.requests.search.assess import Assessment, assess
from rules.errors import Refused
from rules.hints import hint_to
from rules.rights.entitlement import DPO_REVIEW, MANDATE_LAPSED, NEUTRAL

STANDING_CHANGED: Final = "standing_changed"


def refuse_unless_entitled(context: JobContext, request: SubjectRequest, compilation: Compilation) -> Assessment:
    """Refuse to decide on an answer that would be another one today: told to nobody, looked at first, for
    somebody else, or without something that it proposes. What more it would propose does not count. Return
    what may be disclosed today.

    Raises:
        Refused: with code `MANDATE_LAPSED` or `standing_changed`; also `not_confirmed` or `erased`.
        ConnectorError: the CRM cannot be read, or a part of it is out of sight by now."""
    found = assess(context, request)
    permitted(context.connector, context.policy)
    now = found.entitlement
    if MANDATE_LAPSED in now.blocks:
        raise mandate_lapsed(request)
    shell = msgspec.structs.replace(compilation, answer=now.answer, scope=now.scope, refusal=now.refusal, items=())
    today = propose(context, request, found.given, now, found.material, shell)
    if _speaks_otherwise(compilation, today) or not _proposed(compilation) <= _proposed(today):
        raise standing_changed(request)
    return found


def mandate_lapsed(request: SubjectRequest) -> Refused:
    """Return the refusal of what was asked in the name of somebody who is of age by now (RGT-07)."""
    message = "the child is of age now: the mandate has ended, and the child itself must confirm"
    return Refused(message, hint=hint_to("close_lapsed", request=request.id), where=request.id, code=MANDATE_LAPSED)


def standing_changed(request: SubjectRequest) -> Refused:
    """Return the refusal of an answer that is not what may be told today."""
    message, hint = "what may be told has changed since the answer was compiled", hint_to("compile", request=request.id)
    return Refused(message, hint=hint, where=request.id, code=STANDING_CHANGED)


def _speaks_otherwise(old: Compilation, new: Compilation) -> bool:
    if NEUTRAL in (old.answer, new.answer):
        return old.answer != new.answer
    return new.answer == DPO_REVIEW or old.scope != new.scope


def _proposed(answer: Compilation) -> set[tuple[str, tuple[str, str]]]:
    """Return what an answer proposes for which rows. A newsletter that an earlier decision has ended is
    proposed no more, and counts for nothing."""
    return {(item.title, item.source) for item in answer.items if item.title != What.UNSUBSCRIBE}
