"""Runs that were carried out, and the ledger of all that was done."""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Path, Query

from crm_compliance.console.api.answers import INSTEAD, MOST, RunAnswer, VerifiedAnswer
from crm_compliance.console.api.caller import Caller, acting
from jobs.ledger.maintenance_runs import MaintenanceRun
from jobs.model.last_verification import Verifier
from jobs.runs.run_states import maintenance_and_state, run_and_state
from rules.model.roles import Act

router = APIRouter(tags=["runs"], responses=INSTEAD)
Sees = Annotated[Caller, acting(Act.SEE_HISTORY)]


@router.get("/runs")
def list_runs(caller: Sees, limit: Annotated[int, Query(ge=1, le=MOST)] = 50) -> list[RunAnswer]:
    """The newest runs."""
    from crm_compliance.reports.documents import history_line, maintenance_line, newest_first

    store = caller.services.listed
    found = islice(newest_first(store.runs.newest(), store.runs.newest_maintenance()), limit)
    documents = (
        maintenance_line(*maintenance_and_state(store, run))
        if isinstance(run, MaintenanceRun)
        else history_line(*run_and_state(store, run))
        for run in found
    )
    return [RunAnswer.model_validate(document) for document in documents]


@router.get("/runs/{run}")
def show(caller: Sees, run: Annotated[str, Path(max_length=100)]) -> RunAnswer:
    """One run with its outcomes, which add up to the units read."""
    from crm_compliance.reports.documents import history_document, maintenance_line

    store = caller.services.store
    made = next((one for one in store.runs.newest_maintenance() if one.id == run), None)
    if made is not None:
        return RunAnswer.model_validate(maintenance_line(*maintenance_and_state(store, made)) | {"outcomes": {}, "approvals": []})
    found, state = run_and_state(store, store.runs.get(run))
    store.journal.check()
    document = history_document(found, state, store.plans.get(found.plan), store.journal.of_run(run))
    return RunAnswer.model_validate(document)


@router.get("/ledger/verification")
def verify(caller: Sees) -> VerifiedAnswer:
    """Recompute the ledger from its first entry on, and hold it against its checkpoints."""
    from crm_compliance.proof import verify_ledger

    services = caller.services
    audit, _ = verify_ledger(services.settings, services.store, services.clock, by=Verifier.CALL)
    problems = [{"where": problem.where, "what": problem.what} for problem in audit.problems]
    return VerifiedAnswer(ok=audit.ok, entries=audit.verdict.entries, head=audit.verdict.head, problems=problems)
