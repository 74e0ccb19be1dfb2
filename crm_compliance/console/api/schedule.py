"""The retention schedule in force, and what waits for the caller."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter

from crm_compliance.console.api.answers import INSTEAD, ScheduleAnswer, WaitingAnswer
from crm_compliance.console.api.caller import Caller, acting
from crm_compliance.wiring.schedule import policy_versions
from jobs.inbox.inbox import waiting_for
from rules.model.roles import Act
from rules.policy.rows import describe

router = APIRouter(tags=["schedule"], responses=INSTEAD)


@router.get("/policy")
def show(caller: Annotated[Caller, acting(Act.SEE_SCHEDULE)]) -> ScheduleAnswer:
    """The retention schedule in force."""
    version = policy_versions(caller.services.settings).at(caller.services.clock())
    found = version.policy
    return ScheduleAnswer(
        name=found.name,
        version=found.version,
        valid_from=found.valid_from.isoformat(),
        digest=found.digest,
        source=version.source,
        categories=[asdict(row) for row in describe(found)],
    )


@router.get("/inbox")
def inbox(caller: Annotated[Caller, acting(Act.SEE_SCHEDULE)]) -> list[WaitingAnswer]:
    """What waits for the caller in their role, the most urgent first."""
    services, person = caller.services, caller.person
    found = services.waiting()
    return [
        WaitingAnswer(
            kind=item.kind.value,
            subject=item.subject,
            code=item.code,
            stage=item.stage.value,
            count=item.count,
            due_on=item.due_on.isoformat() if item.due_on is not None else None,
        )
        for item in waiting_for(found, person.who, [person.role])
    ]
