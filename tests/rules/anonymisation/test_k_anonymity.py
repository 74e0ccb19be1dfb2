"""Nobody can be found in the statistics: k rows alike, or a total (ERA-08, ERA-09)."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.anonymisation.k_anonymity import aggregate, combination_of, count_rows, shuffled
from rules.anonymisation.provinces import REGIONS
from rules.anonymisation.statistics import NAME, Combination, StatisticFacts
from rules.model.records import Statistic
from rules.policy.categories import Mission
from rules.policy.loader import load_policy
from rules.policy.policy import Policy

TEXT = (Path(__file__).parents[3] / "rules" / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
POLICY: Policy = load_policy(TEXT, source="childfocus.yaml")


def a_runaway(province: str = "Antwerp", **more: object) -> StatisticFacts:
    facts: dict[str, object] = {
        "year": 2019, "category": "missing_runaway", "mission": Mission.DISAPPEARANCE, "individual": True,
        "province": province, "age_band": "15-17", "sex": "f", "outcome": "returned",
    }  # fmt: skip
    return StatisticFacts(**(facts | more))  # type: ignore[arg-type]


def a_sexting(**more: object) -> StatisticFacts:
    return a_runaway(**({"category": "exploitation_ict", "mission": Mission.EXPLOITATION} | more))  # type: ignore[arg-type]


def combinations(rows: tuple[Statistic, ...]) -> Counter[Combination]:
    return count_rows(rows)


# --- the small-cell test ------------------------------------------------------------------------------------


def test_three_and_three_in_two_provinces_become_their_region() -> None:
    """R-084, first half."""
    batch = [a_runaway("Antwerp")] * 3 + [a_runaway("Limburg")] * 3
    done = aggregate(batch, {}, POLICY)
    assert combinations(done.rows) == {("missing_runaway", 2019, "Flanders", "15-17", "f", "returned"): 6}
    assert done.totals == {}


def test_five_in_one_province_keep_it_and_the_sixth_is_only_counted() -> None:
    """R-084, second half: a row with the region does not match rows with a province of that region."""
    done = aggregate([a_runaway("Antwerp")] * 5 + [a_runaway("Limburg")], {}, POLICY)
    assert combinations(done.rows) == {("missing_runaway", 2019, "Antwerp", "15-17", "f", "returned"): 5}
    assert done.totals == {("total_disappearance", 2019): 1}


def test_what_fails_after_the_fifth_step_only_grows_the_total_of_its_mission() -> None:
    """R-085."""
    done = aggregate([a_runaway(), a_sexting(), a_runaway(year=2020)], {}, POLICY)
    assert done.rows == ()
    assert done.totals == {("total_disappearance", 2019): 1, ("total_disappearance", 2020): 1, ("total_exploitation", 2019): 1}


def test_nine_rows_of_exploitation_fail_and_ten_pass() -> None:
    """R-086."""
    assert aggregate([a_sexting()] * 9, {}, POLICY).totals == {("total_exploitation", 2019): 9}
    assert combinations(aggregate([a_sexting()] * 10, {}, POLICY).rows) == {
        ("exploitation_ict", 2019, "Antwerp", "15-17", "f", "returned"): 10
    }


def test_rows_already_written_count() -> None:
    written = Statistic(category="missing_runaway", year=2019, province="Antwerp", age_band="15-17", sex="f", outcome="returned", count=1)
    existing = count_rows([written] * 4)
    assert len(aggregate([a_runaway()], existing, POLICY).rows) == 1
    assert existing == {combination_of(a_runaway()): 4}, "what was written is never changed"
    assert aggregate([a_runaway("Limburg")], existing, POLICY).rows == ()


def test_rows_already_written_with_a_region_count_for_a_region() -> None:
    existing = {combination_of(a_runaway("Flanders")): 4}
    done = aggregate([a_runaway("Limburg")], existing, POLICY)
    assert [row.province for row in done.rows] == ["Flanders"]


def test_totals_are_no_rows() -> None:
    rows = [Statistic(category=f"total_{mission}", year=2019, count=400) for mission in Mission]
    assert count_rows(rows) == {}


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        # (1) the region is enough
        ([{"province": "Namur"}] * 2 + [{"province": "Liège"}] * 3, ("Wallonia", "15-17", "f", "returned")),
        # (2) wider ages
        ([{"age_band": "12-14"}] * 2 + [{"age_band": "15-17"}] * 3, ("Flanders", "12-17", "f", "returned")),
        ([{"age_band": "18-24"}] * 2 + [{"age_band": "25+"}] * 3, ("Flanders", "18+", "f", "returned")),
        ([{"age_band": "0-5"}] * 2 + [{"age_band": "6-11"}] * 3, ("Flanders", "0-11", "f", "returned")),
        # (3) sex
        ([{"sex": "m"}] * 2 + [{"sex": "x"}] * 3, ("Flanders", "12-17", "unknown", "returned")),
        # (4) the country
        ([{"province": "Namur"}] * 2 + [{"province": "Brussels-Capital"}] * 3, ("BE", "12-17", "unknown", "returned")),
        # (5) outcome
        ([{"outcome": "located"}] * 2 + [{"outcome": "returned"}] * 3, ("BE", "12-17", "unknown", "unknown")),
    ],
)
def test_rows_that_fail_become_coarser_step_by_step(batch: list[dict[str, str]], expected: tuple[str, ...]) -> None:
    done = aggregate([a_runaway(**facts) for facts in batch], {}, POLICY)
    assert combinations(done.rows) == {("missing_runaway", 2019, *expected): 5}
    assert done.totals == {}


def test_rows_that_passed_before_count_for_a_coarser_one() -> None:
    batch = [a_runaway("BE", age_band="unknown", sex="unknown")] * 5 + [a_runaway("BE", age_band="unknown")]
    assert len(aggregate(batch, {}, POLICY).rows) == 6


def test_a_foreign_country_stays_a_group() -> None:
    done = aggregate([a_runaway("eea", outcome="located")] * 2 + [a_runaway("eea")] * 3, {}, POLICY)
    assert {row.province for row in done.rows} == {"eea"}


def test_a_row_holds_what_the_table_stores() -> None:
    extra = {"channel": "phone", "reporter_kind": "parent", "duration_band": "2d", "fiches_band": "2-5"}
    row = aggregate([a_runaway(**extra)] * 5, {}, POLICY).rows[0]
    assert row == Statistic(
        name=NAME, year=2019, category="missing_runaway", province="Antwerp", age_band="15-17", sex="f", outcome="returned",
        channel="phone", reporter_kind="parent", duration_band="2d", fiches_band="2-5", count=1,
    )  # fmt: skip


def test_rows_are_shuffled_by_the_randomness_that_is_given() -> None:
    """ERA-16."""
    rows = aggregate([a_runaway(fiches_band=band) for band in ("1", "2-5", "6+") for _ in range(5)], {}, POLICY).rows
    mixed = shuffled(rows, random.Random(7))
    assert mixed != list(rows)
    assert Counter(map(repr, mixed)) == Counter(map(repr, rows))
    assert mixed == shuffled(rows, random.Random(7))


any_facts = st.builds(
    StatisticFacts,
    year=st.sampled_from([2019, 2020, None]),
    category=st.sampled_from(["missing_runaway", "exploitation_ict"]),
    mission=st.just(Mission.OTHER),
    individual=st.sampled_from([True, True, True, False]),
    province=st.sampled_from(["Antwerp", "Limburg", "Namur", "BE", "BE", "eea"]),
    age_band=st.sampled_from(["0-5", "6-11", "15-17", "unknown", "unknown"]),
    sex=st.sampled_from(["f", "m", "unknown"]),
    outcome=st.sampled_from(["returned", "located", "unknown"]),
)
any_batch = st.lists(
    st.lists(any_facts, min_size=1, max_size=6).flatmap(lambda some: st.lists(st.sampled_from(some), max_size=25)), max_size=3
)


@settings(deadline=None)
@given(any_batch, st.randoms(use_true_random=False))
def test_every_row_has_k_alike_by_an_independent_recount(parts: list[list[StatisticFacts]], rng: random.Random) -> None:
    """The answer is compared with a slow recount that shares nothing with it but the words of ERA-09."""
    batch = [facts for part in parts for facts in part]
    before = [facts for facts in batch if rng.random() < 0.2]
    existing = Counter(combination_of(facts) for facts in before)
    done = aggregate(batch, existing, POLICY)

    together = Counter(combinations(done.rows)) + existing
    for row in done.rows:
        alike = together[row.category, row.year, row.province, row.age_band, row.sex, row.outcome]
        assert alike >= (10 if row.category == "exploitation_ict" else 5)
    assert len(done.rows) + sum(done.totals.values()) == len(batch)
    assert combinations(done.rows) == recount(batch, existing)

    mixed = list(batch)
    rng.shuffle(mixed)
    assert aggregate(mixed, existing, POLICY) == done


def recount(batch: list[StatisticFacts], existing: Counter[Combination]) -> Counter[Combination]:
    """Every row as a list of its six values, made coarser in place, compared with every other row one by
    one."""
    rows: list[list[object]] = [[f.category, f.year, f.province, f.age_band, f.sex, f.outcome] for f in batch if f.individual]
    written: list[list[object]] = [list(key) for key, times in existing.items() for _ in range(times)]
    fixed: list[list[object]] = []
    for step in range(6):
        for row in rows:
            match step:
                case 1 if row[2] in REGIONS:
                    row[2] = REGIONS[str(row[2])]
                case 2:
                    for narrow, wide in (("0-5 6-11", "0-11"), ("12-14 15-17", "12-17"), ("18-24 25+", "18+")):
                        row[3] = wide if str(row[3]) in narrow.split() else row[3]
                case 3:
                    row[4] = "unknown"
                case 4 if row[2] in ("Flanders", "Wallonia", "Brussels"):
                    row[2] = "BE"
                case 5:
                    row[5] = "unknown"
        enough = [sum(row == other for other in written + fixed + rows) >= (10 if row[0] == "exploitation_ict" else 5) for row in rows]
        fixed += [row for row, passes in zip(rows, enough, strict=True) if passes]
        rows = [row for row, passes in zip(rows, enough, strict=True) if not passes]
    return Counter((r[0], r[1], r[2], r[3], r[4], r[5]) for r in fixed)  # type: ignore[misc]
