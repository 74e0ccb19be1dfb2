"""What may outlive a dossier: rows of statistics that nobody can be found in, and totals. Source: sections
5.2 to 5.4 of the rules; ERA-04, ERA-08, ERA-09, ERA-16; R-083 to R-086."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from rules.anonymisation.techniques import REGIONS, UNKNOWN, age_band, duration_band, fiches_band, province, sex
from rules.model.decisions import Decision, Disposition, End
from rules.model.home import BELGIUM
from rules.model.records import Contact, Fiche, Statistic, Unit, UnitKind
from rules.people.birthdates import latest_compatible, sentinels_of
from rules.policy.categories import OUTCOMES, Mission
from rules.policy.policy import Policy

NAME = "Statistic"  # the same for every row: a running number would tell the order of disposal (ERA-16)
TOTAL_KEYS: Mapping[Mission, str] = MappingProxyType({mission: f"total_{mission}" for mission in Mission})

# Category, year, province, age band, sex, outcome: what a row of statistics could be recognised by (ERA-08).
Combination: TypeAlias = tuple[str | None, int | None, str | None, str | None, str | None, str | None]
Totals: TypeAlias = dict[tuple[str, int | None], int]
# What says nothing, where the table has no column for it; no step makes it coarser.
SILENT: Mapping[str, str] = MappingProxyType({"province": BELGIUM, "age_band": UNKNOWN, "sex": UNKNOWN, "outcome": UNKNOWN})


@dataclass(frozen=True, slots=True)
class StatisticFacts:
    """What one disposed unit adds to the statistics. Without `individual` it only adds 1 to the total of its
    mission and year."""

    year: int | None
    category: str
    mission: Mission
    individual: bool = False
    province: str = BELGIUM
    age_band: str = UNKNOWN
    sex: str = UNKNOWN
    outcome: str = UNKNOWN
    channel: str | None = None
    reporter_kind: str | None = None
    duration_band: str | None = None
    fiches_band: str | None = None

    @property
    def combination(self) -> Combination:
        return (self.category, self.year, self.province, self.age_band, self.sex, self.outcome)


@dataclass(frozen=True, slots=True)
class StatisticBatch:
    """What a batch adds: rows to be written, and how much each total grows, by its key and year. Together
    they count every unit once."""

    rows: tuple[Statistic, ...] = ()
    totals: Totals = field(default_factory=dict)


class Shuffler(Protocol):
    """A source of randomness, such as `random.SystemRandom`."""

    def shuffle(self, x: list[Any], /) -> None: ...


def facts_of(unit: Unit, decision: Decision, policy: Policy, *, child: Contact | None, as_of: date) -> StatisticFacts | None:
    """Return what a unit about to be disposed of adds to the statistics; None for a recording or a contact.

    `child` is the youngest child of the unit (see `youngest`). Only an anonymised dossier that was never the
    object of a public alert may become a row of its own. A mixed unit is counted under the category that
    decided its end. The year is that of the opening date, or of the first fiche where there is none. Source:
    sections 5.2 and 5.3, ERA-04; R-083."""
    if unit.kind not in (UnitKind.DOSSIER, UnitKind.FICHE, UnitKind.EMAIL):
        return None
    sentinels = frozenset(policy.defaults.sentinels)
    first = first_fiche(unit.fiches, sentinels)
    opened_on = _opened_on(unit, first, sentinels)
    category = deciding_category(decision, policy)
    year = opened_on.year if opened_on is not None else None
    dossier = unit.dossier
    facts = StatisticFacts(year=year, category=category, mission=policy.mission_of(category))
    if dossier is None or decision.disposition is not Disposition.ANONYMISE or dossier.public_alert:
        return facts
    home = policy.home.country
    born_on, _ = latest_compatible(child, None, sentinels_of(policy), as_of)
    return replace(
        facts,
        individual=True,
        province=province(child.postcode, child.country, home) if child is not None else home,
        age_band=age_band(born_on, opened_on),
        sex=sex(child.gender) if child is not None else UNKNOWN,
        outcome=dossier.outcome if dossier.outcome in OUTCOMES and dossier.outcome is not None else UNKNOWN,
        channel=first.channel if first is not None else None,
        reporter_kind=first.reporter_kind if first is not None else None,
        duration_band=duration_band(opened_on, _known(dossier.closed_on, sentinels)),
        fiches_band=fiches_band(len(unit.fiches)),
    )


def youngest(children: Iterable[Contact | None], policy: Policy, *, as_of: date) -> Contact | None:
    """Return the child whose latest compatible birth date is the latest, as for the retention end (RET-09,
    A-05). A child of whom no birth date is known comes after those who have one. None where no child has a
    contact."""
    sentinels = sentinels_of(policy)
    known = sorted((child for child in children if child is not None), key=lambda child: child.id)
    return max(known, key=lambda child: latest_compatible(child, None, sentinels, as_of)[0] or date.min, default=None)


def first_fiche(fiches: Iterable[Fiche], sentinels: frozenset[date] = frozenset()) -> Fiche | None:
    """Return the fiche of the earliest communication, else of the earliest creation (RET-07)."""
    return min(fiches, key=lambda fiche: (_fiche_on(fiche, sentinels) or date.max, fiche.id), default=None)


def deciding_category(decision: Decision, policy: Policy) -> str:
    """Return the retention key that produced a unit's end. On equal ends it is the one that is deleted, then
    the first of the schedule (RET-23)."""
    order = {key: number for number, key in enumerate(policy.categories)}

    def rank(end: End) -> tuple[date, bool, int]:
        return (end.on or date.min, end.disposition is Disposition.DELETE, -order.get(end.category, len(order)))

    if decision.ends:
        return max(decision.ends, key=rank).category
    return decision.categories[0] if decision.categories else ""


def _fiche_on(fiche: Fiche, sentinels: frozenset[date]) -> date | None:
    return _known(fiche.communicated_on, sentinels) or _known(fiche.created_on, sentinels)


def _opened_on(unit: Unit, first: Fiche | None, sentinels: frozenset[date]) -> date | None:
    opened_on = _known(unit.dossier.opened_on, sentinels) if unit.dossier is not None else None
    if opened_on is None and first is not None:
        opened_on = _fiche_on(first, sentinels)
    if opened_on is None and unit.email is not None:  # treated as a lone fiche dated on its receipt (RET-05)
        opened_on = _known(unit.email.sent_on, sentinels) or _known(unit.email.created_on, sentinels)
    return opened_on


def _known(on: date | None, sentinels: frozenset[date]) -> date | None:
    return None if on in sentinels else on


def count_rows(rows: Iterable[Statistic]) -> Counter[Combination]:
    """Count the rows already written, by combination. Totals are not rows."""
    return Counter(_combination(row) for row in rows if row.category not in TOTAL_KEYS.values())


def _combination(row: Statistic) -> Combination:
    return (row.category, row.year, row.province, row.age_band, row.sex, row.outcome)


# ERA-09: the first five steps, in their order. The sixth writes no row.
_WIDER_AGES = {"0-5": "0-11", "6-11": "0-11", "12-14": "12-17", "15-17": "12-17", "18-24": "18+", "25+": "18+"}
_REGION_NAMES = frozenset(REGIONS.values())
STEPS: tuple[Callable[[StatisticFacts], StatisticFacts], ...] = (
    lambda facts: replace(facts, province=REGIONS.get(facts.province, facts.province)),
    lambda facts: replace(facts, age_band=_WIDER_AGES.get(facts.age_band, facts.age_band)),
    lambda facts: replace(facts, sex=UNKNOWN),
    lambda facts: replace(facts, province=BELGIUM if facts.province in _REGION_NAMES else facts.province),
    lambda facts: replace(facts, outcome=UNKNOWN),
)


def aggregate(batch: Sequence[StatisticFacts], existing: Mapping[Combination, int], policy: Policy) -> StatisticBatch:
    """Turn the units of a batch into rows that pass the small-cell test, and into totals for the others.

    A row passes where at least k rows share its combination with exactly equal values, those already written
    (`existing`, never changed) included; k depends on the category. All rows that fail are made coarser by
    one step and tested again, against the rows that passed before and each other. Those that still fail after
    the last step only add to the total of their mission and year. The result does not depend on the order of
    the batch. Rows come sorted, so they are to be shuffled before they are written (ERA-16). Source: ERA-04,
    ERA-08, ERA-09; R-084, R-085, R-086."""
    counted = Counter(existing)
    passed: list[StatisticFacts] = []
    failing = [facts for facts in batch if facts.individual]
    for step in (_as_it_is, *STEPS):
        failing = [step(facts) for facts in failing]
        together = counted + Counter(facts.combination for facts in failing)
        passing = [facts for facts in failing if together[facts.combination] >= policy.k_of(facts.category)]
        failing = [facts for facts in failing if together[facts.combination] < policy.k_of(facts.category)]
        counted.update(facts.combination for facts in passing)
        passed += passing
    only_counted = [facts for facts in batch if not facts.individual]
    totals = Counter((TOTAL_KEYS[facts.mission], facts.year) for facts in failing + only_counted)
    return StatisticBatch(rows=tuple(sorted(map(_row, passed), key=_order)), totals=dict(sorted(totals.items(), key=str)))


def shuffled(rows: Sequence[Statistic], rng: Shuffler) -> list[Statistic]:
    """Return the rows in an order that reveals nothing: that of disposal would tell birthdays (ERA-16)."""
    mixed = list(rows)
    rng.shuffle(mixed)
    return mixed


def _as_it_is(facts: StatisticFacts) -> StatisticFacts:
    return facts


def _row(facts: StatisticFacts) -> Statistic:
    return Statistic(
        name=NAME,
        year=facts.year,
        category=facts.category,
        province=facts.province,
        age_band=facts.age_band,
        sex=facts.sex,
        outcome=facts.outcome,
        channel=facts.channel,
        reporter_kind=facts.reporter_kind,
        duration_band=facts.duration_band,
        fiches_band=facts.fiches_band,
        count=1,
    )


def _order(row: Statistic) -> tuple[str, ...]:
    return tuple(
        "" if value is None else str(value)
        for value in (*_combination(row), row.channel, row.reporter_kind, row.duration_band, row.fiches_band)
    )
