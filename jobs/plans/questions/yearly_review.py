"""What the people who answer for the schedule look at once a year: what it does not decide, what it decides
in doubt, and who overruled it. Source: RET-14, RET-15, RET-24, ACC-01; section 2.6 (gaps to be closed by the
controller)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from jobs.holds.active import active_holds
from jobs.model.plan import Kind
from jobs.plans.alarms.approval_reasons import FIRST_RUN
from jobs.plans.category_names import names_of
from jobs.ports.context import JobContext
from jobs.reading.tables.night import gather
from rules.dates.periods import add_months
from rules.errors import PolicyError
from rules.model.decisions import Decision, Flag, Reason
from rules.policy.categories import NoTerm
from rules.policy.loader import load_policy
from rules.policy.policy import Policy
from rules.retention.relations import relation_terms

YEAR_MONTHS = 12
DOUBTS = (Reason.DATA_ERROR, Reason.NOT_STARTED, *(flag for flag in Flag if flag.name.startswith("BIRTHDATE_")))


@dataclass(frozen=True, slots=True)
class DueReview:
    """A unit without a term whose review is due since `due_on`."""

    table: str
    id: str
    due_on: date
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """A plan that the guards stopped and that people approved all the same; roles, never names (ACC-08)."""

    plan: str
    on: date
    why: tuple[str, ...]
    units: int
    recordings: int
    roles: tuple[str, ...]
    is_applied: bool


@dataclass(frozen=True, slots=True)
class ReleasedHold:
    """A hold that was released within the year."""

    hold: str
    type: str
    table: str
    placed_on: date
    released_on: date


@dataclass(frozen=True, slots=True)
class VersionUse:
    """A version of the schedule, who approved it, and the first and the last day in the year on which a plan
    went by it."""

    version: str
    digest: str
    valid_from: date | None
    approvers: tuple[str, ...]
    first_on: date | None
    last_on: date | None
    plans: int


@dataclass(frozen=True, slots=True)
class ReviewPack:
    """The yearly review. Counts are units of today; overrides, releases and versions are of the year from
    `since` to `day`. `without_term` and `unused` are rows of the schedule, `unconfigured` are categories as
    the CRM has them (empty: none at all), `unfilled` are words that the organisation lacks, `reviews` come
    oldest first; `called` is what the CRM calls categories that the mapping does not know."""

    policy: Policy
    unfilled: tuple[str, ...]
    day: date
    since: date
    units: int
    without_term: tuple[tuple[str, int], ...]
    unconfigured: tuple[tuple[str, int], ...]
    unused: tuple[str, ...]
    off: tuple[str, ...]
    reviews: tuple[DueReview, ...]
    doubts: tuple[tuple[str, int], ...]
    overrides: tuple[Override, ...]
    released: tuple[ReleasedHold, ...]
    holds_overdue: int
    versions: tuple[VersionUse, ...]
    called: Mapping[str, str]


def review_schedule(context: JobContext, *, day: date) -> ReviewPack:
    """Read everything once and put the yearly review together; nothing is written. Raises ConnectorError: the
    CRM could not be read whole."""
    context = context.on(day)
    from jobs.plans.decided_units import Decided

    policy, since = context.policy, add_months(day, -YEAR_MONTHS)
    holds = active_holds(context, day)
    used: Counter[str] = Counter()
    unconfigured: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    context.workers.ready()
    found = gather(context.connector, Kind.ALL, progress=context.progress, terms=relation_terms(policy))
    decided = Decided.of(found, context.connector, policy, holds, day, context.workers).lined(Kind.ALL)
    for *_, decision in decided.decisions():
        used.update(decision.categories)
        if Reason.UNCONFIGURED in decision.reasons:
            unconfigured.update(_undecided(decision, policy))
        doubts.update(code.value for code in DOUBTS if code in decision.reasons or code in decision.flags)
    reviews = [DueReview(*each) for each in decided.reviews()]
    placed = context.store.holds.all()
    rows = policy.categories
    return ReviewPack(
        policy=policy,
        unfilled=context.organisation.unfilled(policy),
        day=day,
        since=since,
        units=decided.frame.height,
        without_term=tuple((key, used[key]) for key, row in rows.items() if row.enabled and isinstance(row, NoTerm)),
        unconfigured=tuple(sorted(unconfigured.items(), key=lambda item: (-item[1], item[0]))),
        unused=tuple(key for key, row in rows.items() if row.enabled and row.unit != "contact" and not used[key]),
        off=tuple(key for key, row in rows.items() if not row.enabled),
        reviews=tuple(sorted(reviews, key=lambda review: (review.due_on, review.table, review.id))),
        doubts=tuple((code.value, doubts[code.value]) for code in DOUBTS),
        overrides=tuple(_overrides(context, since, day)),
        released=tuple(
            ReleasedHold(hold.id, hold.type.value, hold.table, context.day(hold.placed_at), context.day(hold.released_at))
            for hold in placed
            if hold.released_at is not None and since < context.day(hold.released_at) <= day
        ),
        holds_overdue=sum(1 for hold in placed if hold.is_in_force(day) and hold.review_on < day),
        versions=tuple(_versions(context, since, day)),
        called=names_of(context, unconfigured),
    )


def _undecided(decision: Decision, policy: Policy) -> Iterator[str]:
    """Yield the categories of a unit that no row in force covers; the empty one if it has none."""
    named = [key for key in decision.categories if key not in policy.categories or not policy.categories[key].enabled]
    yield from named or ("",)


def _overrides(context: JobContext, since: date, day: date) -> Iterator[Override]:
    """Yield the overrides, newest first, as the store has them."""
    for plan in context.store.plans.all():
        on = context.day(plan.created_at)
        roles = tuple(approval.role for approval in plan.given if approval.approves)
        rejected = any(not approval.approves for approval in plan.given)
        overruled = set(plan.why) - {FIRST_RUN}  # a first look at a category overrules nothing
        if since < on <= day and overruled and not rejected and set(plan.needed) <= set(roles):
            counters = plan.breaker.units.planned, plan.breaker.recordings.planned
            yield Override(plan.id, on, tuple(plan.why), *counters, roles, plan.applied)


def _versions(context: JobContext, since: date, day: date) -> Iterator[VersionUse]:
    """Return every version that a plan of the year used, and the one in force, the earliest first."""
    uses: dict[str, list[datetime]] = {}
    names: dict[str, str] = {}
    for plan in context.store.plans.all():
        if since < context.day(plan.created_at) <= day and not plan.as_of_given:
            uses.setdefault(plan.policy_digest, []).append(plan.created_at)
            names[plan.policy_digest] = plan.policy_version
    known = {version.policy.digest: version.policy for version in (context.versions.versions if context.versions is not None else ())}
    known[context.policy.digest] = context.policy
    for kept in context.store.policies.all():
        if kept.digest in uses and kept.digest not in known and (policy := _readable(kept.text)) is not None:
            known[kept.digest] = policy
    uses.setdefault(context.policy.digest, [])
    found = []
    for digest, moments in uses.items():
        policy = known.get(digest)
        found.append(
            VersionUse(
                version=policy.version if policy is not None else names[digest],
                digest=digest,
                valid_from=policy.valid_from if policy is not None else None,
                approvers=policy.approvers if policy is not None else (),
                first_on=context.day(min(moments)) if moments else None,
                last_on=context.day(max(moments)) if moments else None,
                plans=len(moments),
            )
        )
    return iter(sorted(found, key=lambda use: (use.first_on or day, use.version)))


def _readable(text: str) -> Policy | None:
    """Return an earlier schedule, if this version of the product still accepts it."""
    try:
        return load_policy(text, source="stored")
    except PolicyError:
        return None
