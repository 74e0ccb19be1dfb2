"""The table of `make bench`, from figures that nobody measured."""

from dataclasses import replace
from datetime import UTC, datetime

from benchmarks.peers import FLOOR_NAME
from benchmarks.table import Run, Size, page, plot

FLOORS = [{"cpu": 2.0, "rows": 1000}, {"cpu": 1.0, "rows": 1000}, {"cpu": 4.0, "rows": 1000}]
PLANS = [{"cpu": cpu, "peak_mb": 300.0, "units": 200} for cpu in (4.0, 3.0, 4.0)]
SIZE = Size(
    dossiers=70,
    rows=1000,
    units=200,
    pages=12,
    changed=2,
    floor=[dict(each) for each in FLOORS],
    plan=[dict(each) for each in PLANS],
    command=[6.0, 5.0, 8.0],
    changes=[dict(each) for each in PLANS],
    all_tracked=[{**each, "cpu": each["cpu"] / 2} for each in PLANS],
    why=[{"least": 0.004, "most": 0.015}, {"least": 0.005, "most": 0.016}, {"least": 0.003, "most": 0.014}],
)
RUN = Run(
    sizes=[SIZE, replace(SIZE, rows=2000)],
    copies=[],
    walls={"one page after the other": {"wall": 12.0, "peak_mb": 300.0}},
    peers={FLOOR_NAME: {"cpu": 2.0, "peak_mb": 60.0}, "another (client)": {"cpu": 5.0, "peak_mb": 90.0}, "a third": None},
    delay=1.0,
    began=datetime(2026, 3, 2, tzinfo=UTC),
    load=(1.0, 2.0),
)


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")[1:]]


def test_a_ratio_is_the_median_of_those_within_a_round() -> None:
    assert row(page(RUN), "full plan / floor") == ["2.00", "2.00", "1.25; in flat memory 1.4"]  # of 2, 3 and 1: not of medians, 4 and 2


def test_what_a_row_costs_is_told_by_size() -> None:
    assert row(page(RUN), "full plan, CPU a row") == ["4000.00 µs", "2000.00 µs", "within 10 %"]
    assert row(page(RUN), "floor, CPU a row") == ["2000.00 µs", "1000.00 µs", ""]


def test_what_is_not_measured_of_copies_is_left_empty() -> None:
    copies = Size(dossiers=70, copies=9, rows=18_000, units=3600, floor=FLOORS[:1], plan=PLANS[:1])
    text = page(replace(RUN, copies=[copies]))
    assert row(text, "full plan, CPU a row") == ["4000.00 µs", "2000.00 µs", "222.22 µs", "within 10 %"]
    assert row(text, "`plan`, starting up included, / floor") == ["3.00", "3.00", "", "1.5"]


def test_who_could_not_be_measured_is_told_so_and_not_drawn() -> None:
    assert row(page(RUN), "a third") == ["not measured", "", ""]
    assert row(page(RUN), "another (client)") == ["5.00 s", "2.50", "90 MB"]
    drawn = plot(RUN)
    assert "reading: another" in drawn
    assert "a third" not in drawn


def test_nights_by_changes_are_told_apart() -> None:
    assert row(page(RUN), "night by changes, CPU")[0] == "4.00 s"
    assert row(page(RUN), "night by changes, all tables tracked, CPU")[0] == "2.00 s"


def test_what_a_unit_costs_to_explain_is_told_of_the_cheapest_table_and_the_dearest() -> None:
    assert row(page(RUN), "`why` of one unit, CPU, by its table")[0] == "4.0–15.0 ms"
