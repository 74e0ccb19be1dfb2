"""One thing that waits for a person: what it is, whose work it is, since when, and until when."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import msgspec

from jobs.model.sentence import Sentence
from rules.hints import Hint
from rules.model.accounts import same_person
from rules.model.roles import Role


class ItemKind(StrEnum):
    """What waits. `alarm` is one of the last night, `not_well` a code of the health of the service."""

    PLAN_TO_APPROVE = "plan_to_approve"
    PLAN_TO_APPLY = "plan_to_apply"
    RUN_INTERRUPTED = "run_interrupted"
    STOPPED = "stopped"
    REQUEST_STEP = "request_step"
    QUESTION_UNANSWERED = "question_unanswered"
    ANSWER_TO_REVIEW = "answer_to_review"
    ANSWER_TO_RELEASE = "answer_to_release"
    ANSWER_TO_HAND_OVER = "answer_to_hand_over"
    REQUEST_TO_CLOSE = "request_to_close"
    NOTICES_TO_GIVE = "notices_to_give"
    HOLD_TO_REVIEW = "hold_to_review"
    HOLD_NOT_FOUND = "hold_not_found"
    QUARANTINE = "quarantine"
    UNDECIDED = "undecided"
    TABLES_UNACCOUNTED = "tables_unaccounted"
    KEYS_REPLACED = "keys_replaced"
    ALARM = "alarm"
    NOT_WELL = "not_well"


class Stage(StrEnum):
    """How urgent it is, the most urgent first."""

    OVERDUE = "overdue"
    SOON = "soon"
    WAITS = "waits"


_STAGES: Final = tuple(Stage)
_HOLDS_UP: Final = frozenset({ItemKind.STOPPED, ItemKind.RUN_INTERRUPTED})


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits. Nothing in it is personal data, but for the accounts of `not_for`.

    `subject` is the id of the plan, run, request or hold; the job of an alarm; the last day of a quarantine;
    empty where it is about the whole. `code` says more: DUE_IN_5, STEP_LATE, EXPIRES_SOON, the code of an
    alarm or of the health. `due_on` is a civil day of the schedule. `count` is how many; of an answer to
    review the texts that wait for a decision, which is for the DPO's eyes alone: a neutral answer has none
    (SUS-07).

    `not_for` are accounts whose approval does not count here: who proposed a plan or has decided on it, who
    has approved the content that a second person releases (ACC-09). `facts` are codes, numbers and names of
    tables; `message` is an alarm's own sentence, and `sentence` the same for any language. `version` makes it
    new although all else stays."""

    kind: ItemKind
    roles: tuple[Role, ...]
    subject: str = ""
    code: str = ""
    stage: Stage = Stage.WAITS
    since: datetime | None = None
    due_on: date | None = None
    count: int | None = None
    not_for: tuple[str, ...] = ()
    facts: Mapping[str, str] = {}
    message: str = ""
    sentence: Sentence | None = None
    hint: Hint | None = None
    version: str = ""

    @property
    def key(self) -> str:
        """What tells it from every other thing that waits; the same tomorrow as long as it is the same."""
        parts = (self.kind.value, self.subject, self.code, self.stage.value, self.version)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def days_left(self, today: date) -> int | None:
        """Return how many days are left: 0 on the last one, below zero once it is over; None without one."""
        return None if self.due_on is None else (self.due_on - today).days

    def is_for(self, who: str, roles: Iterable[str]) -> bool:
        """Return whether it is the work of somebody in any of these roles."""
        return not set(self.roles).isdisjoint(roles) and not any(same_person(who, other) for other in self.not_for)


def by_urgency(items: Iterable[InboxItem]) -> list[InboxItem]:
    """Return what is overdue first, then what is due first, then what has waited longest. Of what is not
    urgent by a day of its own, what holds up everything else comes first: the kill switch, a run that was cut
    off."""

    def key(item: InboxItem) -> tuple[int, bool, date, float, str]:
        since = item.since.timestamp() if item.since is not None else float("inf")
        return _STAGES.index(item.stage), item.kind not in _HOLDS_UP, item.due_on or date.max, since, item.key

    return sorted(items, key=key)
