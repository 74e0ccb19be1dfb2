"""An answer as it would go out now, for the two people who approve, before either of them has to say so. It
takes no step: nothing is stored, and no request is sent back."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from jobs.model.answer import Compilation
from jobs.ports.context import JobContext
from jobs.register.request_steps import Actor
from jobs.requests.answer.attachments import attachments_of
from jobs.requests.answer.release import who_hears
from jobs.requests.answer.release_check import unfinished
from jobs.requests.answer.review import for_looking
from jobs.requests.decisions.decide import as_it_stands


class Preview(NamedTuple):
    """What a package is made of: the answer, its files by neutral name, who hears of a decision. `lacks` is
    the code of what its content still lacks, such as `pending_item`: then it is a working copy, which has
    what waits as it is proposed."""

    compilation: Compilation
    attachments: Mapping[str, bytes]
    told: tuple[str, ...]
    lacks: str = ""


def preview_of(context: JobContext, actor: Actor, request_id: str, *, working_copy: bool = False) -> Preview:
    """Return what the package of an answer would be made of today; `working_copy`: with what waits for a
    person, in any case.

    Raises:
        UsageError: an unknown request.
        Refused: with code `role`, `other_crm` or `not_compiled`.
        ConnectorError: the CRM cannot be read."""
    request, stored = for_looking(actor, request_id)
    problem = unfinished(context, request, stored)
    lacks = problem.code if problem is not None else ""
    compilation = msgspec.structs.replace(as_it_stands(context, request, stored), generated_at=actor.now)
    files = attachments_of(context, compilation, working_copy=working_copy or bool(lacks))
    return Preview(compilation, files, tuple(who_hears(context, compilation)), lacks)
