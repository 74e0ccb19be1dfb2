"""The queue of undecided units in both databases: what came, since when, and what has left."""

from datetime import date, timedelta

from crm_compliance.store.store import SqlStore
from jobs.model.work_queue import QueueMoves, Waiting
from tests.crm_compliance.store.values import ENTRY, a_plan

CRM, OTHER = "https://one.crm4.dynamics.com/", "https://other.crm4.dynamics.com/"
DAY = date(2026, 3, 2)
FICHE, LATER, MAIL = Waiting("cf_fiche", DAY), Waiting("cf_fiche", DAY + timedelta(days=1)), Waiting("email", DAY)


def ref(number: int) -> str:
    return f"{number:064x}"


def save(store: SqlStore, name: str, moves: QueueMoves) -> None:
    store.plans.save(a_plan(name), [], ENTRY, moves)


def test_units_of_several_tables_and_days_come_back_as_they_came(store: SqlStore) -> None:
    came = {ref(number): (FICHE, LATER, MAIL)[number % 3] for number in range(1_500)}
    save(store, "plan-1", QueueMoves(CRM, come=came))
    save(store, "plan-2", QueueMoves(OTHER, come={ref(1): MAIL}))
    assert store.work_queue.undecided(CRM) == came
    assert store.work_queue.undecided(OTHER) == {ref(1): MAIL}
    assert store.work_queue.undecided("https://third.crm4.dynamics.com/") == {}


def test_who_left_is_forgotten_and_who_is_there_keeps_its_day(store: SqlStore) -> None:
    save(store, "plan-1", QueueMoves(CRM, come={ref(number): FICHE for number in range(1_100)}))
    save(store, "plan-2", QueueMoves(CRM, come={ref(1_099): LATER, ref(2_000): LATER}, left=[ref(number) for number in range(1_099)]))
    assert store.work_queue.undecided(CRM) == {ref(1_099): FICHE, ref(2_000): LATER}
