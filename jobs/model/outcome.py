"""How a job ended, in the same form for every job: what the command line answers, the scheduler logs and a
person has to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.model.plan import Alarm
from jobs.model.run import RunState


@dataclass(frozen=True, slots=True)
class Outcome:
    """`document` is the JSON answer of `run NAME`; it holds no personal data.

    `plan` is the plan that was carried out, where the job makes one, and `warnings` are that plan's.
    `private_files` are lines for an admin alone, by the name of a file that the desk writes into the data
    folder with mode 0600, and removes where there are no lines."""

    id: str
    state: RunState
    document: Mapping[str, Any]
    alarms: tuple[Alarm, ...] = ()
    plan: str | None = None
    warnings: tuple[str, ...] = ()
    private_files: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def has_failures(self) -> bool:
        """Whether a person has to mend something (exit 6)."""
        return self.state is RunState.DONE_WITH_FAILURES
