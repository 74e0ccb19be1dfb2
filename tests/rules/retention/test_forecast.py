"""How many units go in each of the next months."""

from datetime import date, timedelta

from hypothesis import given

from rules.holds.holds import Holds
from rules.law.of_units import decisions
from rules.model.records import Unit
from rules.retention.forecast import disposal_month, forecast, month_of, months_from
from tests.rules import strategies
from tests.rules.builders import POLICY, a_dossier, a_fiche, decide, decided
from tests.rules.law import anything

AS_OF = date(2026, 11, 25)


def a_case(spoken: date, **facts: object) -> Unit:
    return a_dossier(a_fiche("social_card", communicated_on=spoken), **facts)  # type: ignore[arg-type]


def test_a_unit_goes_in_the_month_of_the_day_after_its_end() -> None:
    """DAT-02: the last day kept is 31 January, so it goes in February."""
    assert disposal_month(decided(a_case(date(2026, 7, 31)), AS_OF), AS_OF) == "2027-02"
    assert disposal_month(decided(a_case(date(2026, 7, 30)), AS_OF), AS_OF) == "2027-01"


def test_what_is_due_by_now_goes_in_this_month() -> None:
    assert forecast([decided(a_case(date(2001, 1, 1)), AS_OF)], AS_OF)["2026-11"] == 1


def test_a_unit_that_something_else_keeps_is_not_foreseen() -> None:
    assert disposal_month(decided(a_case(date(2026, 7, 1), legal_hold=True), AS_OF), AS_OF) is None


def test_two_years_are_foreseen_month_by_month() -> None:
    assert months_from(date(2026, 12, 31), 3) == ("2026-12", "2027-01", "2027-02")
    assert len(forecast([], AS_OF)) == 24


# Of the second sort, a third has an end that is still to come; of the first, one of a hundred.
ANY_UNIT = strategies.weighted(strategies.units(), anything.settled(), anything.settled())


@strategies.examples(40)  # of five units
@given(strategies.group(5, ANY_UNIT), strategies.holds())
def test_a_unit_that_is_foreseen_goes_on_the_first_day_after_its_end(units: list[Unit], holds: Holds) -> None:
    """If nothing happens meanwhile: decided once more on that day, it goes."""
    for unit, decision in zip(units, decisions(units, POLICY, holds, AS_OF), strict=True):
        month = disposal_month(decision, AS_OF)
        if month is None or decision.is_disposal:
            continue
        assert decision.retention_end is not None
        then = decision.retention_end + timedelta(days=1)
        assert (month_of(then), decide(unit, POLICY, holds, as_of=then).is_disposal) == (month, True)
