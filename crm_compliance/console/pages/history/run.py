"""One run: what it did, who had approved it, what failed and why, what was kept, and what proves it."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from starlette.responses import Response

from crm_compliance.console.access.headers import saved_as
from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.proof import certificates_of
from jobs.model.plan import Key, Plan
from jobs.model.run import TECHNICAL, TRIM, Action, ActionState, Run, RunLine, alarms_of, contacts_not_trimmed, of_units_alone
from jobs.proof.attestation import encode
from jobs.runs.run_states import line_and_state, run_and_state
from rules.errors import NotFound
from rules.model.roles import Act, is_service

SHOWN: Final = 50  # certificates on a page
NAMED: Final = 200  # units that are named one by one; the others are counted
_LEFT: Final = (ActionState.PARTIAL, ActionState.FAILED, ActionState.SKIPPED)


class Event(NamedTuple):
    """Something that happened: when, in words, in its tone."""

    at: str
    text: str
    tone: str = ""


class Left(NamedTuple):
    """Units, or contacts to trim (`is_trim`), that were left in one state for one reason: those that are
    named, and how many more there are."""

    is_trim: bool
    state: str
    code: str
    units: list[Key]
    more: int
    number: int

    @property
    def is_skipped(self) -> bool:
        return self.state == ActionState.SKIPPED


def show(visit: Visit) -> Response:
    """Show one run, or one job without a plan."""
    wanted = visit.path("run")
    line = visit.services.store.runs.line(wanted)
    if line is None:
        raise NotFound("there is no such run", hint="choose one of the history")
    store = visit.services.store
    if not line.plan:
        line, told = line_and_state(store, line)
        return visit.page("history/maintenance.html.j2", line=line, told=told, took=_took(line), counts=_counts_of_maintenance(visit, line))
    run, state = run_and_state(store, store.runs.get(line.id))
    plan = store.plans.get(run.plan)
    left = _left(store.journal.of_run(run.id, _LEFT))
    skipped, not_trimmed = _skipped(run), contacts_not_trimmed(run.counts)
    return visit.page(
        "history/run.html.j2",
        run=run,
        plan=plan,
        told=state,
        took=_took(run),
        figures=_figures(visit, run),
        skipped=_with_units(skipped, [each for each in left if each.is_skipped and not each.is_trim]),
        not_trimmed=_with_units(not_trimmed, [each for each in left if each.is_skipped and each.is_trim]),
        kept=_by_number(plan.retain),
        rows=_by_number(run.counts.get("rows")),
        categories=[(key, visit.category(key), number) for key, number in _by_number(run.counts.get("by_category"))],
        left=[each for each in left if not each.is_trim and not each.is_skipped],
        left_contacts=[each for each in left if each.is_trim and not each.is_skipped],
        is_technical=any(each.is_skipped for each in left),
        at=store.journal.states(run.id) if not run.is_over else {},
        alarms=[(alarm.code, visit.detail(alarm.sentence or alarm.message)) for alarm in alarms_of(run)],
        events=list(_events(visit, run, plan)),
        by_service=is_service(plan.proposer),
        certificates=store.certificates.number(run.id),
        sees_plans=visit.may(Act.SEE_REPORTS),
    )


def _left(actions: Iterable[Action]) -> list[Left]:
    """Return what failed, went in part or was skipped for a technical reason by state and code, the most
    frequent first; of what was skipped because the data had changed nobody has to find the units."""
    found: dict[tuple[bool, str, str], list[Key]] = {}
    for action in actions:
        if action.state is not ActionState.SKIPPED or action.code == TECHNICAL:
            found.setdefault((action.disposition == TRIM, action.state.value, action.cause), []).append(action.key)
    groups = [Left(*key, units[:NAMED], len(units[NAMED:]), len(units)) for key, units in found.items()]
    return sorted(groups, key=lambda group: (-group.number, group.code, group.state))


def _took(line: Run | RunLine) -> int | None:
    """Return how many minutes it took, at least one; None before its end."""
    return None if line.ended_at is None else max(1, round((line.ended_at - line.started_at).total_seconds() / 60))


def _figures(visit: Visit, run: Run) -> list[tuple[str, str, str, str]]:
    """Return the numbers that are looked at first, as the component has them."""
    counts, not_trimmed = of_units_alone(run.counts), sum(contacts_not_trimmed(run.counts).values())
    verified = counts.get("verified") or {}
    skipped, technical = sum((counts.get("skipped") or {}).values()), (counts.get("skipped") or {}).get(TECHNICAL, 0)
    say, number = visit.say, visit.formats.number
    of_them = say("units skipped, %s of them for a technical reason") % number(technical) if technical else say("units skipped")
    bad = int(counts.get("partial", 0)) + int(counts.get("failed", 0))
    trimmed = [(number(counts["trimmed"]), say("contacts trimmed"), "", "")] if counts.get("trimmed") else []
    trimmed += [(number(not_trimmed), say("contacts to trim that were left"), "warn", "")] if not_trimmed else []
    return [
        (number(counts.get("deleted", 0)), say("units deleted"), "", ""),
        (number(counts.get("anonymised", 0)), say("units anonymised"), "", ""),
        (number(skipped), of_them, "bad" if technical else "warn" if skipped else "", ""),
        (number(bad), say("units failed or in part"), "bad" if bad else "", ""),
        *trimmed,
        (number(verified.get("gone", 0)), say("rows read back: gone"), "", ""),
        (number(verified.get("still_there", 0)), say("rows still there"), "bad" if verified.get("still_there") else "", ""),
    ]


def _by_number(counts: object) -> list[tuple[str, int]]:
    """Return codes with their numbers, the largest first."""
    found = counts if isinstance(counts, dict) else {}
    return sorted(((str(code), int(number)) for code, number in found.items() if number), key=lambda each: (-each[1], each[0]))


def _skipped(run: Run) -> dict[str, int]:
    """Return the units skipped, by code, or by the exact cause where that is known."""
    counts = of_units_alone(run.counts)
    skipped: dict[str, int] = counts.get("skipped") or {}
    causes: dict[str, int] = counts.get("technical") or {}
    return {code: number for code, number in skipped.items() if code != TECHNICAL or not causes} | causes


def _with_units(counts: dict[str, int], named: Iterable[Left]) -> list[tuple[str, int, Left | None]]:
    """Return codes with their numbers, the largest first, and the units of those whose units are told."""
    units = {each.code: each for each in named}
    both = {code: group.number for code, group in units.items()} | counts
    return [(code, number, units.get(code)) for code, number in _by_number(both)]


def _counts_of_maintenance(visit: Visit, line: RunLine) -> list[tuple[str, str]]:
    if line.ended_at is None:
        return []
    made = next((each for each in visit.services.store.runs.newest_maintenance(line.kind) if each.id == line.id), None)
    return list(_flat(visit, made.counts)) if made is not None else []


def _flat(visit: Visit, counts: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the numbers of a job without a plan with their names; alarms are shown apart."""
    for name, value in counts.items():
        if isinstance(value, dict):
            yield from _flat(visit, value)
        elif isinstance(value, int):
            yield visit.word("counted_by_job", name), visit.formats.number(value)


def _events(visit: Visit, run: Run, plan: Plan) -> Iterator[Event]:
    """Yield what happened, the first first: from the plan to the end of the run."""
    say, clock = visit.say, visit.formats.clock
    yield Event(clock(plan.created_at), say("The plan was made."))
    for word in plan.given:
        who, role = visit.called(word.who) if word.who else "–", visit.word("role", word.role)
        text = say("Approved by %(who)s (%(role)s)") if word.approves else say("Rejected by %(who)s (%(role)s)")
        yield Event(clock(word.at), text % {"who": who, "role": role}, "good" if word.approves else "bad")
    yield Event(clock(run.started_at), say("The run began."), "info")
    if run.ended_at is not None:
        yield Event(clock(run.ended_at), visit.word("state", run.state.value), "bad" if run.state.value == "done_with_failures" else "good")


def certificates(visit: Visit) -> Response:
    """Show the certificates of a run, page by page."""
    store = visit.services.store
    run = store.runs.get(visit.path("run"))
    page = visit.list_page(store.certificates.number(run.id), SHOWN)
    found = store.certificates.of_run(run.id, offset=page.offset, limit=SHOWN)
    return visit.page(
        "history/certificates.html.j2",
        run=run,
        certificates=[each.certificate for each in found],
        pages=page.pages(visit.page_at(f"/history/{run.id}/certificates")),
    )


def download_certificates(visit: Visit) -> Response:
    """Sign the certificates of a run as one document, as the command `certificate` does, and send it as a
    file that the browser keeps and does not open."""
    services = visit.services
    run = visit.path("run")
    document = certificates_of(services.settings, services.store, services.clock, run, lambda _: None)
    headers = saved_as(f"certificates-{run}.json")
    return Response(encode(document), media_type="application/json", headers=headers)


ENDPOINTS: Final = (
    get("/history/{run}", show, Act.SEE_HISTORY),
    get("/history/{run}/certificates", certificates, Act.SEE_HISTORY),
    post("/history/{run}/certificates", download_certificates, Act.SEE_HISTORY),
)
