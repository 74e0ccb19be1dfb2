"""The part of `docs/roles.md` that follows from the table of who may do what: one line an act, one column a
role. Source: section 9.4."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rules.model.roles import MAY, TITLES, Act, Role, needed

# What each act is, and where it is done.
_ACTS: Final[Mapping[Act, tuple[str, str]]] = MappingProxyType(
    {
        Act.PLAN: ("make a plan and look at it", "`plan`"),
        Act.APPLY: ("carry out a plan", "`run`, `apply`, `serve`"),
        Act.APPROVE_PLAN: ("approve or reject a plan that a guard has stopped", "`plans approve`, `plans reject`"),
        Act.STOP: ("stop everything, and let it go on", "the console; `stop`, `resume` ask for no role"),
        Act.KEEP_IN_QUARANTINE: ("keep a unit in quarantine", "`quarantine undo`"),
        Act.PROPOSE_SCHEDULE: ("propose a schedule", "`proposed_by` of the schedule"),
        Act.ADVISE_ON_SCHEDULE: ("advise on a schedule, on the record", "outside of the product"),
        Act.APPROVE_SCHEDULE: ("approve a schedule", "`approvers` of the schedule"),
        Act.SEE_SCHEDULE: ("read the schedule and its versions", "`policy show`, `policy diff`"),
        Act.PLACE_HOLD: ("place a hold", "`holds place`"),
        Act.RELEASE_HOLD: ("release a hold", "`holds release`"),
        Act.SEE_HOLDS: ("read the holds", "`holds list`"),
        Act.SEE_HOLDS_OF_REQUESTS: ("read what pending requests hold", "`holds list --as WHO --role dpo`"),
        Act.HANDLE_REQUEST: ("take the steps of a request, from who asks to what is in the answer", "`requests …`"),
        Act.SET_RULE_ASIDE: ("set a rule of a request aside", "`requests override`"),
        Act.APPROVE_ANSWER: ("approve what an answer says", "`requests approve`"),
        Act.RELEASE_ANSWER: ("release an answer", "`requests release`"),
        Act.SEE_ANSWER: ("read what an answer says", "`requests review`"),
        Act.SEE_REQUESTS: ("read the register of requests", "`requests list`, `requests show`"),
        Act.SEE_REPORTS: ("read the reports of plans", "`plans show`, report files"),
        Act.SEE_HISTORY: ("read history and certificates", "`history`, `certificate`, `evidence`"),
        Act.DESTROY_KEY: ("destroy a register key that has had its term", "`keys destroy`"),
        Act.READ_CRM: ("have personal data read from the CRM: a person only inside a request", "`requests match`, `requests compile`"),
    }
)


def roles_part() -> str:
    """Write who may do what: `x`, or `two`, where two people speak and this role must be among them."""
    lines = [f"| act | {' | '.join(TITLES[role] for role in Role)} | where |", f"|---|{'---|' * len(Role)}---|"]
    for act, (words, where) in _ACTS.items():
        marks = (("two" if role in needed(act) else "x") if role in MAY[act] else "–" for role in Role)
        lines.append(f"| {words} | {' | '.join(marks)} | {where} |")
    return "\n".join(lines) + "\n"
