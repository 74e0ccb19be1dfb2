"""How far the run of a plan is, told as it goes on: server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.plans.head import head_of
from jobs.model.plan import Plan
from jobs.model.run import ActionState, Run, RunState
from jobs.runs.run_states import run_and_state
from rules.errors import ComplianceError
from rules.model.roles import Act

EVERY_S: Final = 2.0
MOST: Final = 450  # events of one stream, a quarter of an hour: a page that is left open keeps no session alive
WATCHERS: Final = 20  # at once: each has a connection for itself
_watching = BoundedSemaphore(WATCHERS)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Progress:
    """How many units of a run are dealt with, of how many, and the state in which people are told of it."""

    run: Run
    done: int
    failed: int
    total: int
    state: str

    @property
    def is_at_work(self) -> bool:
        """Whether somebody works on it now."""
        return self.state == RunState.RUNNING.value


def progress_of(visit: Visit, plan: Plan) -> Progress | None:
    """Return how far the run of a plan is; None where it has none."""
    store = visit.services.store
    run = store.runs.of_plan(plan.id)
    if run is None:
        return None
    run, state = run_and_state(store, run)
    states = store.journal.states(run.id)
    failed = states.get(ActionState.FAILED, 0) + states.get(ActionState.PARTIAL, 0)
    done = states.get(ActionState.DONE, 0) + states.get(ActionState.SKIPPED, 0) + failed
    total = max(sum(plan.dispose.values()) + plan.to_trim, done)
    return Progress(run, done, failed, total, state)


def events(visit: Visit) -> Response:
    """Report how far it is until it is over. Nothing is reported where there is no run, or too many look."""
    plan = visit.services.store.plans.get(visit.path("plan"))
    if visit.request.method == "HEAD" or progress_of(visit, plan) is None:
        return Response(status_code=204, headers=dict(PAGE))  # this ends it: the browser does not ask again
    return StreamingResponse(_told(visit, plan), media_type="text/event-stream", headers={**PAGE, "X-Accel-Buffering": "no"})


async def _told(visit: Visit, plan: Plan) -> AsyncIterator[str]:
    if not _watching.acquire(blocking=False):
        yield _event("end", "busy")
        return
    try:
        for number in range(MOST):
            if number:
                await asyncio.sleep(EVERY_S)
                if await run_in_threadpool(lambda: visit.is_over):
                    break
            found = await run_in_threadpool(progress_of, visit, plan)
            ended = found is not None and found.run.is_over
            is_last = number == MOST - 1 and not ended
            values = {"progress": found, "sees_history": visit.may(Act.SEE_HISTORY), "ended": ended, "plan": plan, "is_last": is_last}
            if ended:
                values |= await run_in_threadpool(lambda: head_of(visit, visit.services.store.plans.get(plan.id)))
            html = await run_in_threadpool(visit.written, "pages/plans/progress.html.j2", **values)
            yield _event("progress", html)
            if found is None or ended:
                break
        yield _event("end", "over")
    except ComplianceError as error:  # the answer has begun: there is no page to put it on
        log.error("the progress of a run could not be told", code=error.code)
        yield _event("end", error.code)
    finally:
        _watching.release()


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() if line.strip())
    return f"event: {name}\n{lines}\n"


ENDPOINTS: Final = (get("/plans/{plan}/progress", events, Act.SEE_REPORTS),)
