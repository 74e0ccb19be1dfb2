"""What waits for the person who looks, and how the service is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from crm_compliance.alerts.addresses import address_of
from crm_compliance.configuration.cron_lines import trigger_of
from crm_compliance.configuration.hours import crons_of
from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.item_words import health_words
from crm_compliance.console.pages.plans.plan import lines_address
from crm_compliance.console.pages.requests.next_step import short_next
from jobs.inbox.inbox import waiting_for
from jobs.inbox.item import InboxItem, ItemKind, Stage
from jobs.inbox.requests import LOOK_AGAIN
from jobs.ledger.heads import Head
from jobs.model.plan import LOOKING_AT_DOSSIERS, Kind, Plan
from jobs.model.request import SubjectRequest
from jobs.model.run import Run, RunLine, of_units_alone
from rules.errors import ComplianceError
from rules.model.decisions import Reason
from rules.model.roles import Act

ROWS: Final = 50  # of one page
NIGHTS: Final = 14  # of which the trend is shown
COMPARED: Final = 8  # plans among which the earlier ones of the same kind are looked for
LOOKED_BACK: Final = 200  # runs at most that are read for it
_NIGHTLY: Final = (Kind.RETENTION, Kind.RECORDINGS)
TONES: Final = {Stage.OVERDUE: "bad", Stage.SOON: "warn", Stage.WAITS: "info"}
SYMBOLS: Final = {
    ItemKind.PLAN_TO_APPROVE: "clipboard-list",
    ItemKind.PLAN_TO_APPLY: "clipboard-list",
    ItemKind.RUN_INTERRUPTED: "refresh-cw",
    ItemKind.STOPPED: "circle-stop",
    ItemKind.HOLD_TO_REVIEW: "shield",
    ItemKind.HOLD_NOT_FOUND: "shield",
    ItemKind.QUARANTINE: "clock",
    ItemKind.UNDECIDED: "scale",
    ItemKind.TABLES_UNACCOUNTED: "map",
    ItemKind.KEYS_REPLACED: "lock",
    ItemKind.ALARM: "bell",
    ItemKind.NOT_WELL: "triangle-alert",
}

OF_REQUESTS: Final = frozenset(
    (
        ItemKind.REQUEST_STEP,
        ItemKind.QUESTION_UNANSWERED,
        ItemKind.ANSWER_TO_REVIEW,
        ItemKind.ANSWER_TO_RELEASE,
        ItemKind.ANSWER_TO_HAND_OVER,
        ItemKind.REQUEST_TO_CLOSE,
        ItemKind.NOTICES_TO_GIVE,
    )
)


class Line(NamedTuple):
    """One thing that waits, as the page shows it; `name` is what people call it by, `act` what the link says
    to do."""

    title: str
    name: str
    why: str
    href: str
    act: str
    tone: str
    symbol: str
    item: InboxItem


class Due(NamedTuple):
    """Units of a category that are due now, and soon; `change` is how many more are due than in the plan
    before, None where there is none. `oldest` is the earliest end among those that are due, and `late` how
    many days that is past; `trend` is how many were due in the last plans, the oldest first."""

    category: str
    name: str
    now: int
    soon: int
    change: int | None
    oldest: date | None
    late: int
    trend: tuple[int, ...]


class Night(NamedTuple):
    """How a job ended last, and when it is next; `last` is None where it has never run."""

    job: str
    last: RunLine | None
    next_at: datetime | None


def show(visit: Visit) -> Response:
    """Show what waits, the most urgent first, and beside it how the nights go."""
    services, person = visit.services, visit.person
    requests_of = services.listed.requests
    found = services.waiting()
    mine = waiting_for(found, person.who, [person.role])
    page = visit.list_page(len(mine), ROWS)
    shown = page.of(mine)
    requests = requests_of.some({item.subject for item in shown if item.kind in OF_REQUESTS})
    lines = [_line(visit, item, requests.get(item.subject)) for item in shown]
    values: dict[str, Any] = {"lines": lines, "today": services.calendar.day(visit.now), "pages": page.pages(visit.page_at("/"))}
    if visit.may(Act.SEE_REPORTS):
        values |= _nights(visit, tells_health=all(item.kind is not ItemKind.NOT_WELL for item in mine))
    return visit.page("inbox.html.j2", **values)


def _line(visit: Visit, item: InboxItem, request: SubjectRequest | None) -> Line:
    title, act = _words(visit, item, request)
    return Line(
        title,
        request.reference if request is not None else "",
        _why(visit, item),
        _address(visit, item),
        act,
        TONES[item.stage],
        SYMBOLS.get(item.kind, "user-round-search"),
        item,
    )


def _address(visit: Visit, item: InboxItem) -> str:
    """Return where it is seen to. Units without a term stand in the last plan; a message does not name it,
    for it would be another one by the time that somebody reads."""
    if item.kind is ItemKind.UNDECIDED and visit.may(Act.SEE_REPORTS):
        plan = next((each for each in visit.services.store.plans.newest(LOOKING_AT_DOSSIERS) if not each.as_of_given), None)
        if plan is not None:
            return lines_address(plan, reason=Reason.UNCONFIGURED.value)
    return address_of(item, sees_history=visit.may(Act.SEE_HISTORY))


def _words(visit: Visit, item: InboxItem, request: SubjectRequest | None) -> tuple[str, str]:
    """Return what waits, and what to do about it."""
    say, say_counted, count = visit.say, visit.say_counted, item.count or 0
    match item.kind:
        case ItemKind.PLAN_TO_APPROVE:
            return say_counted(
                "A plan to dispose of %s unit waits for your approval", "A plan to dispose of %s units waits for your approval", count
            ), say("Look at the plan")
        case ItemKind.PLAN_TO_APPLY:
            return say_counted(
                "An approved plan of %s unit has not been carried out", "An approved plan of %s units has not been carried out", count
            ), say("Look at the plan")
        case ItemKind.RUN_INTERRUPTED:
            return say("A run was cut off before its end"), _looks_at(visit, say("Look at the run"))
        case ItemKind.STOPPED:
            return say("Everything is stopped: nothing is applied"), say("See what is stopped")
        case ItemKind.REQUEST_STEP:
            if item.code == LOOK_AGAIN:
                return say("Something that was granted waits until you have looked at it"), say("Open the request")
            return short_next(visit, request) if request is not None else "", say("Open the request")
        case ItemKind.QUESTION_UNANSWERED:
            return say("Somebody has not answered your question"), say("Open the request")
        case ItemKind.ANSWER_TO_REVIEW:
            if item.count:
                return say_counted("An answer has %s text to review", "An answer has %s texts to review", count), say("Review")
            return say("An answer waits for your review"), say("Review")
        case ItemKind.ANSWER_TO_RELEASE:
            return say("An answer waits for release by a second person"), say("Open the request")
        case ItemKind.ANSWER_TO_HAND_OVER:
            return say("Link and passphrase of a released answer are still to be handed over"), say("Open the request")
        case ItemKind.REQUEST_TO_CLOSE:
            return say("A released answer is to be closed"), say("Open the request")
        case ItemKind.NOTICES_TO_GIVE:
            return say_counted("%s recipient is to be told", "%s recipients are to be told", count), say("Open the request")
        case ItemKind.HOLD_TO_REVIEW:
            return say("A hold is past the day of its review"), say("Look at the hold")
        case ItemKind.HOLD_NOT_FOUND:
            return say("A hold is on a record that the CRM does not have, so it keeps nothing"), say("Look at the hold")
        case ItemKind.QUARANTINE:
            return say_counted("%s unit leaves quarantine and is disposed of", "%s units leave quarantine and are disposed of", count), say(
                "See which"
            )
        case ItemKind.UNDECIDED:
            return say_counted(
                "%s unit has no term: nothing in force decides on it", "%s units have no term: nothing in force decides on them", count
            ), say("See which")
        case ItemKind.TABLES_UNACCOUNTED:
            return say("Tables of the CRM hold rows that nothing accounts for"), say("Open the data map")
        case ItemKind.KEYS_REPLACED:
            return say("The keys were replaced: a backup of them from before is not enough any more"), _looks_at(
                visit, say("Look at the history")
            )
        case ItemKind.ALARM:
            return say("The last night has an alarm"), _looks_at(visit, say("Look at the run"))
        case ItemKind.NOT_WELL:
            return say("The service is not well"), _looks_at(visit, say("Look at the history"))


def _looks_at(visit: Visit, said: str) -> str:
    """Return what a link says that leads into the history, or for who may not see that, to the plans."""
    return said if visit.may(Act.SEE_HISTORY) else visit.say("Look at the plans")


def _why(visit: Visit, item: InboxItem) -> str:
    """Return one more sentence about it; empty where the title says all."""
    if item.kind is ItemKind.NOT_WELL:
        return health_words(item.code, visit.word, visit.say)
    if item.sentence is not None:
        return visit.detail(item.sentence).text
    if item.message and (visit.language == "en" or visit.word("alarm", item.code) == item.code):
        return item.message
    if item.kind in (ItemKind.PLAN_TO_APPROVE, ItemKind.PLAN_TO_APPLY):
        return " ".join(_why_of_plan(visit, item))
    if item.kind is ItemKind.UNDECIDED and item.facts.get("overdue") not in (None, "0"):
        return visit.say("of them for longer than the schedule allows: %s") % visit.formats.number(int(item.facts["overdue"]))
    if item.kind in (ItemKind.ALARM, ItemKind.TABLES_UNACCOUNTED):
        return visit.word("alarm", item.code)
    return ""


def _why_of_plan(visit: Visit, item: InboxItem) -> Iterator[str]:
    """Yield what has made the numbers of a plan old, and why people have to look at it."""
    if item.facts.get("overtaken_by"):
        yield visit.say("Another plan was carried out after this one was made: part of what is counted may have gone.")
    if item.kind is ItemKind.PLAN_TO_APPROVE:
        yield from (visit.word("why", code) for code in item.facts.get("why", "").split())


def _nights(visit: Visit, *, tells_health: bool) -> Mapping[str, object]:
    """Return how the last nights went, what is next, and what the last plan found by category; what is not
    well only with `tells_health`."""
    store = visit.services.store
    plans = islice((each for each in store.plans.newest(LOOKING_AT_DOSSIERS) if not each.as_of_given), COMPARED)
    plan = next(plans, None)
    earlier = [each for each in plans if plan is not None and each.kind == plan.kind]
    return {
        "nights": list(_jobs(visit)),
        "trend": _trend(visit, islice(store.runs.newest(), LOOKED_BACK)),
        "plan": plan,
        "categories": _categories(visit, plan, earlier) if plan is not None else (),
        "is_carried_out": plan is not None and (run := store.runs.of_plan(plan.id)) is not None and run.is_over,
        "stopped_since": store.kill_switch.stopped_since(),
        "not_well": [(code, health_words(code, visit.word, visit.say)) for code in visit.services.why_not()] if tells_health else (),
        "sees_history": visit.may(Act.SEE_HISTORY),
        "head": _head(visit) if visit.may(Act.SEE_HISTORY) else None,
        "verified": visit.services.store.verifications.last() if visit.may(Act.SEE_HISTORY) else None,
    }


def _head(visit: Visit) -> Head | str | None:
    """Return the signed end of the ledger, or why it is not believed; None where nothing is written yet."""
    try:
        return visit.services.store.ledger.head()
    except ComplianceError as error:
        return str(error)


def _jobs(visit: Visit) -> Iterator[Night]:
    zone, lines = visit.services.calendar.zone, visit.services.store.runs.lines()
    for job, cron in crons_of(visit.services.settings).items():
        kinds = (job, Kind.ALL.value) if job in _NIGHTLY else (job,)
        last = next((line for line in lines if line.kind in kinds), None)
        yield Night(job, last, trigger_of(cron, zone).get_next_fire_time(None, visit.now.astimezone(zone)))


def _trend(visit: Visit, runs: Iterable[Run]) -> list[tuple[str, int, str, str]]:
    """Return how many units each of the last nights has disposed of, the oldest first, as the chart has
    them."""
    found: dict[str, int] = {}
    for run in runs:
        counts = of_units_alone(run.counts)
        if run.is_over and "deleted" in counts:
            day = visit.services.calendar.day(run.started_at).isoformat()
            if day not in found and len(found) == NIGHTS:
                break
            found[day] = found.get(day, 0) + counts["deleted"] + counts["anonymised"]
    formats = visit.formats
    return [(formats.short_day(day), number, *formats.day_and_month(day)) for day, number in reversed(found.items())]


def _categories(visit: Visit, plan: Plan, earlier: Sequence[Plan]) -> list[Due]:
    """Return the categories of which something is due, with how many are due now and how many soon; `earlier`
    are the plans before it, the newest first."""
    past = [{total.category: total.delete + total.anonymise for total in each.categories} for each in reversed(earlier)]
    found, today = [], visit.services.calendar.day(visit.now)
    for total in plan.categories:
        now = total.delete + total.anonymise
        if now or total.due_soon:
            trend = (*(each.get(total.category, 0) for each in past), now)
            change = now - trend[-2] if past else None
            oldest = date.fromisoformat(total.oldest) if total.oldest else None
            late = (today - oldest).days if oldest is not None else 0
            name = total.name if total.called else visit.category(total.category)
            found.append(Due(total.category, name, now, total.due_soon, change, oldest, late, trend))
    return sorted(found, key=lambda each: (-each.now, -each.soon, each.category))


ENDPOINTS: Final = (get("/", show),)
