"""A plan: what would become of every unit, stored before anything is written."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from jobs.model.sentence import Fact, Sentence
from jobs.model.work_queue import WorkQueue
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.model.accounts import same_person
from rules.model.roles import is_service

Key = tuple[str, str]  # table and id of a unit
IDS_IN_HEAD: Final = ("trims", "held_contacts", "crm_holds", "hold_changes", "backlog")  # fields of a plan's head that name rows of the CRM

# Codes with which a plan is refused for good: another schedule or mapping has made it, or its request wants
# something else by now.
RULES_CHANGED, GRANTED_NO_MORE = "rules_changed", "granted_no_more"
# The rules of plans for which the schedule is not asked.
REPLAY_RULE: Final = "ERA-13"
REQUEST_RULE: Final = "GDPR-17"
# Why something goes that a DPO granted (9.2).
ERASURE_REQUEST, CONSENT_WITHDRAWN = "ERASURE_REQUEST", "CONSENT_WITHDRAWN"


class Kind(StrEnum):
    """What a plan or run looks at: dossiers, lone fiches and contacts; recordings; or both; only what had
    been erased and is back; or what a person was granted on request."""

    RETENTION = "retention"
    RECORDINGS = "recordings"
    ALL = "all"
    REPLAY = "replay"
    REQUEST = "request"


LOOKING_AT_DOSSIERS: Final = (Kind.RETENTION, Kind.ALL)


class PlanState(StrEnum):
    """`waiting` for approvals, `ready` to apply, `rejected`, `expired` unapplied, or `applied`."""

    WAITING = "waiting"
    READY = "ready"
    REJECTED = "rejected"
    EXPIRED = "expired"
    APPLIED = "applied"


class LinesRemoved(UsageError):
    """The lines of a plan that was never applied have expired (ACC-04)."""

    code = "lines_removed"


class PlanLine(msgspec.Struct, frozen=True, gc=False):
    """What becomes of one unit, without personal data; the keys are those of the plan file. `retention_end`
    and `anchor_on` are civil days in ISO form; `anchor_on` stays empty where the anchor is a birth date."""

    table: str
    id: str
    outcome: str
    disposition: str | None
    retention_end: str | None
    reason: str
    reasons: tuple[str, ...]
    flags: tuple[str, ...]
    categories: tuple[str, ...]
    rule: str
    policy_version: str
    etag: str
    anchor: str | None = None
    anchor_on: str | None = None

    @property
    def key(self) -> Key:
        return (self.table, self.id)

    @property
    def is_disposal(self) -> bool:
        return self.outcome == "dispose"


LINE_COLUMNS = PlanLine.__struct_fields__[:-2]  # of a table of lines: all but the anchor


class Counter(msgspec.Struct, frozen=True):
    """One counter of the circuit breaker (RET-24): disposals planned, the ceiling in force, the median of the
    last runs (None: too few)."""

    planned: int
    limit: int
    median: float | None
    tripped: bool = False


class CategoryCounter(msgspec.Struct, frozen=True):
    """The counter of one category that the policy limits; `limit` is None while none applies yet."""

    planned: int
    limit: int | None
    median: float | None
    tripped: bool = False


class Breaker(msgspec.Struct, frozen=True):
    """What the circuit breaker says; `categories` are those that the policy limits one by one."""

    tripped: bool
    units: Counter
    recordings: Counter
    categories: dict[str, CategoryCounter] = {}


class Alarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that a person has to look at tonight; `code` is stable, `message` says what and how many,
    without personal data. `sentence` is the same for whoever reads another language; one that was stored
    before there were sentences has none."""

    code: str
    message: str
    sentence: Sentence | None = None

    @classmethod
    def of(cls, code: str, sentence: str, **facts: Fact) -> "Alarm":
        said = Sentence(sentence, facts)
        return cls(code, str(said), said)

    @property
    def document(self) -> dict[str, str]:
        """What programs are answered."""
        return {"code": self.code, "message": self.message}


class Approval(msgspec.Struct, frozen=True):
    """One person's approval or rejection of a plan. `role` is the role in which it was given; `comment` is
    free text of the approver. Who it was and what they wrote are empty once they have expired (ACC-07)."""

    who: str
    role: str
    at: datetime
    approves: bool
    comment: str = ""


class CategoryTotal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Units of one retention category (a mixed unit counts in each) by what becomes of them. `oldest` is the
    earliest retention end of those that are disposed of, a day in ISO form; empty where none is, and in plans
    that were made before it was noted. `called` is how the CRM calls a value that no key stands for."""

    category: str
    delete: int
    anonymise: int
    retain: int
    due_soon: int
    oldest: str = ""
    called: str = ""

    @property
    def name(self) -> str:
        """The category by its key; a value of the CRM with what it is called there."""
        return f"{self.called} ({self.category})" if self.called else self.category


class HoldChange(msgspec.Struct, frozen=True):
    """A hold flag that was set or cleared in the CRM since the plan before (HLD-14)."""

    table: str
    id: str
    change: str  # set | cleared


class Plan(msgspec.Struct, frozen=True):
    """The head of a stored plan; its lines are kept beside it.

    `trims` are the ids of contacts whose operational fields are removed (RET-20); `crm_holds` the units under
    a hold flag of the CRM. `as_of_given` says that the plan is for another day than its own and can never be
    applied (DAT-12). `why` are the codes that say why approvals are `needed`; one counts for
    `approval_hours`. `seen` are the rows that were read, by table. `waiting` counts the disposals that no run
    of this plan carries out, by code: quarantine, canaries. `backlog` are the units, as (table, id), that
    should have been disposed of long ago. `request` is the subject request that a plan of kind request
    carries out. `cleared` says how many rows the fields of IDS_IN_HEAD named before their ids expired
    (ACC-07); such a field is empty then."""

    id: str
    kind: Kind
    created_at: datetime
    proposer: str
    as_of: datetime
    as_of_given: bool
    crm: str
    policy_name: str
    policy_version: str
    policy_digest: str
    mapping_digest: str
    digest: str
    units: int
    dispose: dict[str, int]
    retain: dict[str, int]
    flags: dict[str, int]
    breaker: Breaker
    valid_until: datetime
    needed: tuple[str, ...] = ()
    given: tuple[Approval, ...] = ()
    applied: bool = False
    categories: tuple[CategoryTotal, ...] = ()
    due_soon: tuple[tuple[str, int], ...] = ()  # (retention end, units) of the next weeks, earliest first
    trims: tuple[str, ...] = ()
    # (id, delete or trim, reason): what would happen, were it not for a hold or a mention
    held_contacts: tuple[tuple[str, str, str], ...] = ()
    crm_holds: tuple[tuple[str, str], ...] = ()  # (table, id)
    hold_changes: tuple[HoldChange, ...] = ()
    warnings: tuple[Sentence | str, ...] = ()  # texts, where they were stored before there were sentences
    notes_on_trimmed: int = 0  # notes and activities about trimmed contacts, for a person to look at (RET-20)
    victims: dict[str, int] = {}  # rows of tables that are not mapped, which the CRM deletes along, by table
    why: tuple[str, ...] = ()
    approval_hours: int = 72
    alarms: tuple[Alarm, ...] = ()
    seen: dict[str, int] = {}
    waiting: dict[str, int] = {}
    backlog: tuple[tuple[str, str], ...] = ()
    retained_rows: dict[str, int] = {}  # in long-term retention, by table: no plan reaches them
    lake_instant: datetime | None = None  # how new the lake was that the rows were read from; None: the CRM itself was read
    unaccounted: tuple[str, ...] = ()  # columns that may hold personal data and are not mapped, as table.column
    request: str = ""
    queue: WorkQueue | None = None  # what waits for a person's decision; None where the plan did not look
    software_version: str = ""  # of the program that made it
    bypass: dict[str, int] = {}  # disposals that pass by custom logic of the CRM, by what of it (plugins, flows)
    cleared: dict[str, int] = {}
    # Lookups, as table.column, by which the CRM deleted rows along then; None where it was not noted.
    taken_along: tuple[str, ...] | None = None

    @property
    def document(self) -> str:
        """The head as it is stored when the plan is made."""
        return msgspec.json.encode(self).decode()

    @property
    def to_trim(self) -> int:
        """How many contacts are to be trimmed, also once their ids have expired."""
        return len(self.trims) or self.cleared.get("trims", 0)

    @property
    def names_rows(self) -> bool:
        """Whether its head has ids of the CRM."""
        return any(getattr(self, name) for name in IDS_IN_HEAD)

    def without_ids(self, *, keeping: Collection[str]) -> "Plan":
        """Return the same without the ids in its head, but for the fields named; numbers stay (ACC-07)."""
        named = {name: len(getattr(self, name)) for name in IDS_IN_HEAD if name not in keeping and getattr(self, name)}
        if not named:
            return self
        return msgspec.structs.replace(self, **dict.fromkeys(named, ()), cleared=self.cleared | named)

    @property
    def names_people(self) -> bool:
        """Whether it says who made it, or who approved or rejected it."""
        return bool(self.without_people() != self)

    def without_people(self) -> "Plan":
        """Return the same without accounts and comments of people; roles and instants stay (ACC-07)."""
        given = tuple(msgspec.structs.replace(each, who="", comment="") for each in self.given)
        return msgspec.structs.replace(self, proposer=self.proposer if is_service(self.proposer) else "", given=given)

    def state(self, now: datetime) -> PlanState:
        """Return the state of the plan at `now` (aware). Rejected precedes all but applied."""
        if self.applied:
            return PlanState.APPLIED
        if any(not approval.approves for approval in self.given):
            return PlanState.REJECTED
        if now >= self.valid_until:
            return PlanState.EXPIRED
        return PlanState.READY if not self.missing(now) else PlanState.WAITING

    def counting(self, now: datetime) -> tuple[Approval, ...]:
        """Return the approvals that count at `now`. An approval older than `approval_hours` counts no more,
        and may be given again."""
        return tuple(approval for approval in self.given if approval.approves and now < approval.at + timedelta(hours=self.approval_hours))

    def missing(self, now: datetime) -> tuple[str, ...]:
        """Return the roles whose approval is missing at `now`."""
        roles = {approval.role for approval in self.counting(now)}
        return tuple(role for role in self.needed if role not in roles)

    def speaking(self, now: datetime) -> list[Approval]:
        """Return what counts at `now`: approvals that have not expired, and every rejection."""
        return [*self.counting(now), *(approval for approval in self.given if not approval.approves)]

    def refuse_uncounted(self, approval: Approval) -> None:
        """Raise Refused where an approval or rejection does not count beside what was said before, by the
        same person or in the same role, or on a plan that waits for nobody any more."""
        state, missing = self.state(approval.at), self.missing(approval.at)
        if state in (PlanState.REJECTED, PlanState.EXPIRED, PlanState.APPLIED):
            raise Refused(f"the plan is {state.value}", hint="make a new plan", where=self.id, code="plan_state")
        if approval.approves and self.needed and not missing:
            raise Refused("the plan has all its approvals", hint="apply it, or reject it", where=self.id, code="plan_state")
        if any(same_person(other.who, approval.who) for other in self.speaking(approval.at)):
            hint = "the second approval is another person's (RET-24)"
            raise Refused("this person has already approved or rejected the plan", hint=hint, where=self.id, code="same_person")
        if approval.approves and approval.role in self.needed and approval.role not in missing:
            hint = f"still needed: {', '.join(missing)}"
            raise Refused(f"a {approval.role} has approved already", hint=hint, where=self.id, code="role")

    def refuse_unless_ready(self, now: datetime) -> None:
        """Raise Refused, with the guard's code, unless the plan may be applied at `now`."""
        state = self.state(now)
        if self.as_of_given:
            raise Refused("the plan looks at another day than its own", hint=hint_to("plan_of_today"), where=self.id)
        if state is PlanState.REJECTED:
            raise Refused("the plan was rejected", hint="make a new plan", where=self.id)
        if state is PlanState.EXPIRED:
            raise Refused(f"the plan was valid until {self.valid_until.isoformat()}", hint="make a new plan", where=self.id)
        if state is PlanState.WAITING:
            raise Refused(
                f"{', '.join(self.why) or 'BREAKER_TRIPPED'}: still needs approval from {_people(self.missing(now))}",
                hint=hint_to("approve_plan", plan=self.id),
                where=self.id,
                code="breaker" if self.breaker.tripped else "approval",
            )


def _people(roles: Iterable[str]) -> str:
    return " and ".join(f"{'an' if role[0] in 'aeiou' else 'a'} {role}" for role in roles)
