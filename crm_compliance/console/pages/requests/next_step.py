"""Where a request stands: how far on its path, what comes next, whose work that is and until when."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from jobs.model.request import CANDIDATES, CONFIRMED, HANDOVER
from jobs.register.dates import target_of
from jobs.register.overrides import overridden
from jobs.register.request_steps import has_to_be_compiled_again
from jobs.requests.answer.release_check import CONTENT
from rules.model.accounts import same_person
from rules.model.requests import COPIES, Outcome, RequestState
from rules.model.roles import Act, roles_of

if TYPE_CHECKING:
    from crm_compliance.console.frame.visit import Visit
    from jobs.model.answer import Compilation
    from jobs.model.request import SubjectRequest

_PLACES: Final = {
    RequestState.RECEIVED: 1,
    RequestState.IDENTIFYING: 1,
    RequestState.SEARCHING: 2,
    RequestState.REVIEWING: 3,
    RequestState.APPROVED: 4,
    RequestState.RELEASED: 5,
    RequestState.CLOSED: 6,
}


class Next(NamedTuple):
    """What comes next: `step` names its form, `act` is what it takes; `until` is an internal target, None
    where there is none. `is_mine`: the person who looks may take it."""

    step: str
    title: str
    text: str
    role: str
    until: date | None = None
    is_mine: bool = False


def path_of(visit: Visit, request: SubjectRequest) -> list[tuple[str, str]]:
    """Return the stations of the path with done, now or ahead."""
    say = visit.say
    decides = say("Decision") if request.right not in COPIES else say("Review")
    names = [say("Receipt"), say("Identity"), say("Search"), decides, say("Release"), say("Closing")]
    state = (request.resumes_to or RequestState.RECEIVED) if request.state is RequestState.SUSPENDED else request.state
    now = _PLACES[state]
    steps = [(name, "done" if place < now else "now" if place == now else "ahead") for place, name in enumerate(names)]
    if state is not RequestState.CLOSED or request.released_at is not None:
        return steps
    # What was closed unanswered has not passed all of it; how far it came is not kept.
    passed = {names[0], names[-1], *(names[1:2] if request.identity is not None else ())}
    return [(name, "done" if name in passed else "ahead") for name, _ in steps]


def next_of(visit: Visit, request: SubjectRequest, compilation: Compilation | None) -> Next | None:
    """Return what comes next; nothing once it is closed. Who does not handle requests is told no more than
    the register shows (SUS-07): `compilation` is for the DPO alone."""
    found = _next(visit, request, compilation)
    if found is None:
        return None
    act = _ACTS.get(found.step, Act.HANDLE_REQUEST)
    is_second = found.step != "release" or not any(
        approval.step == CONTENT and same_person(approval.who, visit.person.who) for approval in request.approvals
    )
    role = visit.word("role", roles_of(act)[0])
    return found._replace(role=role, is_mine=visit.may(act) and is_second, until=target_of(request, visit.services.calendar))


_ACTS: Final = {"approve": Act.APPROVE_ANSWER, "release": Act.RELEASE_ANSWER}


def short_next(visit: Visit, request: SubjectRequest) -> str:
    """Return what comes next in a few words, as the register shows it."""
    say = visit.say
    match request.state:
        case RequestState.RECEIVED | RequestState.IDENTIFYING:
            return say("Check who asks")
        case RequestState.SUSPENDED:
            return say("Wait for the person's answer")
        case RequestState.SEARCHING:
            return say("Search, confirm and compile")
        case RequestState.REVIEWING if request.outcome is Outcome.MANDATE_LAPSED:
            return say("Close the request")
        case RequestState.REVIEWING:
            return say("Review and approve") if request.right in COPIES else say("Decide and approve")
        case RequestState.APPROVED:
            return say("Release by a second person")
        case RequestState.RELEASED:
            return say("Close, once it has arrived")
        case RequestState.CLOSED:
            return ""


def _next(visit: Visit, request: SubjectRequest, compilation: Compilation | None) -> Next | None:
    say = visit.say
    match request.state:
        case RequestState.RECEIVED | RequestState.IDENTIFYING:
            text = say("Stop at the first way that is enough. Only the way, the day and who checked are kept.")
            return Next("identify", say("Check who asks"), text, "")
        case RequestState.SUSPENDED:
            text = say("The clock stands still until the person has answered; the due date moves by those days.")
            return Next("resume", say("Wait for the person's answer"), text, "")
        case RequestState.SEARCHING:
            return _searching(visit, request)
        case RequestState.REVIEWING if request.outcome is Outcome.MANDATE_LAPSED:
            text = say("The child is of age now: the mandate has ended. Nobody is told anything of it but itself, where it asks.")
            return Next("lapsed", say("Close the request"), text, "")
        case RequestState.REVIEWING:
            return _reviewing(visit, request, compilation)
        case RequestState.APPROVED:
            text = say("Somebody else than who approved the content looks at it once more and releases it.")
            return Next("release", say("Release by a second person"), text, "")
        case RequestState.RELEASED:
            text = say(
                "Close the request once the answer has arrived. The list of rows that are the person’s is then removed; the answer "
                "itself is kept for some days more."
            )
            if visit.services.store.requests.has_part(request.id, HANDOVER):
                text += " " + say(
                    "Link and passphrase are still to be handed over. Closing removes them from here, and nobody can pass them on any more."
                )
            return Next("close", say("Close, once it has arrived"), text, "")
        case RequestState.CLOSED:
            return None


def _searching(visit: Visit, request: SubjectRequest) -> Next:
    say, requests = visit.say, visit.services.store.requests
    if not visit.may(Act.HANDLE_REQUEST):
        return Next("wait", say("Search, confirm and compile"), "", "")
    if has_to_be_compiled_again(request):
        text = say("What may be told has changed since the answer was compiled. Compile it again.")
        return Next("compile", say("Compile the answer"), text, "")
    if requests.part(request.id, CANDIDATES) is None:
        text = say("Everybody in the CRM is compared with what was said. It may take minutes; nothing is written to the CRM.")
        return Next("match", say("Search for the person"), text, "")
    if requests.part(request.id, CONFIRMED) is None:
        text = say("Only what you confirm gets into an answer. To say that nobody is the person is an answer too.")
        return Next("confirm", say("Say who the person is"), text, "")
    text = say("Everything about the person is read again, and what may be told becomes items to review.")
    return Next("compile", say("Compile the answer"), text, "")


def _reviewing(visit: Visit, request: SubjectRequest, compilation: Compilation | None) -> Next:
    say = visit.say
    if compilation is None:
        return Next("look", say("Review and approve") if request.right in COPIES else say("Decide and approve"), "", "")
    if compilation.answer == "dpo_review" and overridden(request).issuperset(compilation.blocks):
        return Next(
            "compile", say("Compile the answer"), say("Two people have set the rule aside: the answer is made again without it."), ""
        )
    if compilation.answer == "dpo_review":
        text = say("A rule stands in the way. Two people set it aside, then the answer is compiled again; or it stays as it is.")
        if compilation.scope != "own" and "RGT-05" in compilation.blocks and not (request.identity and request.identity.child_agrees):
            text += " " + say("Where it is the agreement of the child that is missing, record it under “Check again who asks” instead.")
        return Next("aside", say("An answer that needs a decision"), text, "")
    if request.right not in COPIES and not _is_decided(compilation):
        return Next("decide", say("Decide what is granted"), say("Item by item, or refuse it all with one of the texts that fit."), "")
    if request.right in COPIES and compilation.pending:
        text = visit.say_counted("%s item waits for your review.", "%s items wait for your review.", compilation.pending)
        return Next("review", say("Review the answer"), text, "")
    return Next("approve", say("Approve the content"), say("Nothing waits for a review any more. A second person then releases it."), "")


def _is_decided(compilation: Compilation) -> bool:
    return compilation.answer != "package" or bool(compilation.refusal or compilation.granted)
