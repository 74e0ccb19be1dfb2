"""The small-cell test: a row of statistics stands where at least k rows are alike. Those that fail are
generalised in a fixed order and tested again; what never passes is only counted in a total. Source: section
5.4 of the rules; ERA-08, ERA-09, ERA-16; R-084 to R-086."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from rules.anonymisation.bands import UNKNOWN
from rules.anonymisation.provinces import REGIONS
from rules.anonymisation.statistics import NAME, TOTAL_KEYS, Combination, StatisticFacts
from rules.model.home import BELGIUM
from rules.model.records import Statistic
from rules.policy.policy import Policy

Totals: TypeAlias = dict[tuple[str, int | None], int]


@dataclass(frozen=True, slots=True)
class StatisticBatch:
    """What a batch adds: rows to be written, and how much each total grows, by its key and year. Together
    they count every unit once."""

    rows: tuple[Statistic, ...]
    totals: Totals


class Shuffler(Protocol):
    """A source of randomness, such as `random.SystemRandom`."""

    def shuffle(self, x: list[Any], /) -> None: ...


def count_rows(rows: Iterable[Statistic]) -> Counter[Combination]:
    """Count the rows already written, by combination. Totals are not rows."""
    return Counter(combination_of(row) for row in rows if row.category not in TOTAL_KEYS.values())


def combination_of(row: Statistic | StatisticFacts) -> Combination:
    """Return what rows must share to be counted together (ERA-09)."""
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
        together = counted + Counter(combination_of(facts) for facts in failing)
        passing = [facts for facts in failing if together[combination_of(facts)] >= policy.k_of(facts.category)]
        failing = [facts for facts in failing if together[combination_of(facts)] < policy.k_of(facts.category)]
        counted.update(combination_of(facts) for facts in passing)
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
        for value in (*combination_of(row), row.channel, row.reporter_kind, row.duration_band, row.fiches_band)
    )
