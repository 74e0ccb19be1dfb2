"""Which custom logic of the CRM the writes of a unit bypass: what the schedule says, and nothing without it.
The CRM is asked for it by headers (connectors/dynamics/writing/batch.py).

Plug-ins and flows may refuse a disposal, copy what is deleted, or create it again. They may also be how an
organisation keeps its holds. So it is decided by category, by the person who approves the schedule, and the
careful reading prevails: of several categories what all of them allow, of two versions of the schedule what
both allow, and for a recording that is deleted with its dossier what its own row allows too (RET-03,
RET-06)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from jobs.model.run import Action, ActionState, RowWrite
from jobs.ports.context import JobContext
from rules.model.bypass import Bypass
from rules.model.records import Contact, UnitKind
from rules.policy.policy import Policy

HEARD = (UnitKind.RECORDING, UnitKind.ATTACHMENT)
RECORDINGS = ("recording",)  # the row of the schedule that every recording goes by (RET-03)


class Bypassing:
    """What writes pass by under the version of the schedule that a plan was made with, and the one in
    force."""

    def __init__(self, context: JobContext, in_force: Policy) -> None:
        self._policies = (context.policy, in_force)
        self._contacts = context.connector.table(Contact)

    def marked(self, action: Action, followers: Collection[str] = ()) -> Action:
        """Return the unit with what each of its writes bypasses. `followers` are attachments that count as
        recordings, by id."""
        allowed = self._allowed(action)
        if not allowed:
            return action
        heard = allowed & self._of(RECORDINGS)
        rows = tuple(
            write  # a job of the CRM that purges passes by nothing
            if write.retained
            else msgspec.structs.replace(write, bypass=in_order(heard if write.kind in HEARD or write.id in followers else allowed))
            for write in action.rows
        )
        return msgspec.structs.replace(action, rows=rows)

    def still_allowed(self, action: Action, rows: Sequence[RowWrite]) -> list[RowWrite]:
        """Return writes that were announced before, without the bypasses that the schedule no longer
        allows."""
        allowed = self._allowed(action)
        return [msgspec.structs.replace(write, bypass=in_order(allowed & {*write.bypass})) for write in rows]

    def _allowed(self, action: Action) -> frozenset[Bypass]:
        if action.table == self._contacts:
            first, second = (frozenset(policy.contacts.bypass) for policy in self._policies)
            return first & second
        return self._of(action.categories)

    def _of(self, categories: Collection[str]) -> frozenset[Bypass]:
        first, second = (policy.bypass_of(categories) for policy in self._policies)
        return first & second


def in_order(bypass: Collection[Bypass]) -> tuple[Bypass, ...]:
    """Return each bypass once, in the order of the enumeration, as journals and certificates have it."""
    return tuple(each for each in Bypass if each in bypass)


def bypass_planned(policy: Policy, going: Mapping[tuple[str, tuple[str, ...]], int], trims: int, contacts: str) -> dict[str, int]:
    """Return how many disposals of a plan bypass what. `going` counts what is disposed of by table and
    categories, `contacts` is the table of people."""
    found: Counter[Bypass] = Counter()
    for (table, categories), units in ({**going, (contacts, ()): going.get((contacts, ()), 0) + trims}).items():
        found.update(dict.fromkeys(policy.contacts.bypass if table == contacts else policy.bypass_of(categories), units))
    return {each.value: found[each] for each in Bypass if found[each]}


def bypass_used(actions: Iterable[Action]) -> dict[str, int]:
    """Return how many units of a run were written with which bypass. Those that were skipped were not
    written."""
    found = Counter(each for action in actions if action.state is not ActionState.SKIPPED for each in action.bypass)
    return {each.value: found[each] for each in Bypass if found[each]}
