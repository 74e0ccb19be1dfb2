"""An answer says how long something is kept, and why, as it is on the day on which it goes out."""

from datetime import date

from rules.model.requests import Outcome
from tests.drivers.night import Night
from tests.jobs.requests.answer.answers import Answer


def about_a_file(night: Night, spoken: date) -> Answer:
    """An approved answer about a file that is kept for six months."""
    child = night.contact(lastname="Zandstra (fictief)", birthdate="2001-03-04")
    night.party(child, "child", dossier=night.dossier("social_card", spoken=spoken))
    answer = Answer(night, child)
    answer.compile()
    answer.approve()
    return answer


def last_days(answer: Answer) -> list[tuple[date | None, bool]]:
    return [(each.retention.last_day, each.retention.is_over) for each in answer.now.contexts if each.kind == "dossier"]


def test_a_schedule_that_came_into_force_since_is_the_one_that_is_cited(night: Night) -> None:
    answer = about_a_file(night, date(2026, 10, 2))
    before = last_days(answer)
    row = night.policy.categories["social_card"].model_copy(update={"months": 9})
    night.policy = night.policy.model_copy(update={"categories": {**night.policy.categories, "social_card": row}, "digest": "f" * 64})
    answer.context = night.context
    assert answer.refused() == "standing_changed"
    answer.compile()
    answer.approve()
    assert last_days(answer) != before
    assert answer.release() is Outcome.DELIVERED


def test_one_that_says_nothing_else_of_what_is_told_keeps_nothing_back(night: Night) -> None:
    answer = about_a_file(night, date(2026, 10, 2))
    row = night.policy.categories["civil_party"].model_copy(update={"years": 9})
    night.policy = night.policy.model_copy(update={"categories": {**night.policy.categories, "civil_party": row}, "digest": "f" * 64})
    answer.context = night.context
    assert answer.release() is Outcome.DELIVERED


def test_a_last_day_that_has_passed_meanwhile_is_not_stated_as_the_term(night: Night) -> None:
    """HLD-08: the request itself keeps the data."""
    answer = about_a_file(night, date(2026, 6, 2))
    ((last_day, is_over),) = last_days(answer)
    assert last_day is not None
    assert not is_over
    night.clock.advance(days=(last_day - answer.context.today).days)
    assert answer.release() is Outcome.DELIVERED
    night.clock.advance(days=1)
    assert answer.refused() == "standing_changed"
    answer.compile()
    assert last_days(answer) == [(last_day, True)]
