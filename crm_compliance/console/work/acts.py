"""What a process of its own carries out for people, by name. Each imports what it needs when it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from crm_compliance.console.work.act_under_way import Ended, OnCounts
from crm_compliance.console.work.progress import telling_reads

if TYPE_CHECKING:
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.console.work.process import Asked
    from crm_compliance.wiring.desk import Desk

PLAN, MATCH, COMPILE, DATA_MAP, TRY = "plan", "match", "compile", "datamap", "try"


def make_plan(settings: Settings, asked: Asked, told: OnCounts) -> Ended:
    """Make a plan: of a kind, for an instant or for now (`as_of`), and under an id that is given or a new one
    (`plan`). Gives its id."""
    from dataclasses import replace

    from jobs.model.plan import Kind
    from jobs.plans.make import make_plan as make
    from jobs.restores.detect import warning_of_rows_back

    as_of = datetime.fromisoformat(asked.details["as_of"]) if asked.details.get("as_of") else None
    with _desk(settings, told) as desk:
        given = asked.details.get("plan")
        context = replace(desk.context, new_id=lambda _: given) if given else desk.context
        warning = warning_of_rows_back(context)
        made = make(context, Kind(asked.details["kind"]), as_of=as_of, proposer=asked.who, warning=warning)
    return Ended(made=made.id)


def match(settings: Settings, asked: Asked, told: OnCounts) -> Ended:
    """Search the CRM for the person of a request, and for the child."""
    from crm_compliance.console.work.step_note import noting
    from jobs.register.request_steps import actor_of
    from jobs.requests.search.confirm import match_request

    with _desk(settings, told) as desk, noting(desk.context.store, asked.subject, "request_searched") as said:
        match_request(desk.context, asked.subject, actor_of(desk.context, asked.who, asked.role))
    return Ended(said[0])


def compile_(settings: Settings, asked: Asked, told: OnCounts) -> Ended:
    """Read everything about the person of a request again, and compile the answer."""
    from crm_compliance.console.work.step_note import noting
    from jobs.requests.answer.compile import compile_request

    with _desk(settings, told) as desk, noting(desk.context.store, asked.subject, "request_compiled") as said:
        compile_request(desk.context, asked.subject, asked.who, asked.role)
    return Ended(said[0])


def map_data(settings: Settings, asked: Asked, told: OnCounts) -> Ended:
    """Make the data map again, as `datamap` does."""
    from crm_compliance.store.files.data_map_file import keep_map

    with _desk(settings, told) as desk:
        found = desk.context.connector.data_map(whole=True)
        keep_map(settings.make_data_dir(), desk.context.crm, found, asked.now)
    return Ended()


def try_schedule(settings: Settings, asked: Asked, told: OnCounts) -> Ended:
    """Decide on every unit by the schedule in force and by another one, as `policy simulate` does. Gives the
    figures."""
    import msgspec

    from crm_compliance.console.work.trial import trial_of
    from jobs.plans.questions.simulate import simulate
    from rules.policy.loader import load_policy

    tried = load_policy(asked.details["schedule"], source=asked.details["source"])
    with _desk(settings, told) as desk:
        found = simulate(desk.context, tried, day=desk.context.day(asked.now))
    return Ended(made=msgspec.json.encode(trial_of(found)).decode())


Act = Callable[["Settings", "Asked", OnCounts], Ended]
ACTS: Final[Mapping[str, Act]] = {
    PLAN: make_plan,
    MATCH: match,
    COMPILE: compile_,
    DATA_MAP: map_data,
    TRY: try_schedule,
}


@contextmanager
def _desk(settings: Settings, told: OnCounts) -> Iterator[Desk]:
    """Open all that an act needs that reads the CRM; how much it has read is told as it goes on."""
    from crm_compliance.wiring.desk import desk

    with desk(settings) as opened, telling_reads(opened, told):
        yield opened
