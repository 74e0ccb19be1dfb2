"""How long data are kept, as stated to the person: a last day that is still to come, or a criterion (section
7.1(d)).

A day that has passed is not stated as a term. The request itself keeps what would otherwise have expired
(HLD-08), and that is stated. Anything else that keeps it is stated as an obligation or a claim, without
detail."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from msgspec.structs import replace

from jobs.model.answer import Criterion, Retention
from rules.model.decisions import Decision, Reason
from rules.policy.categories import Category, NoTerm, UntilAge

# Of these it is told that they keep something. What a request preserves, whoever made it, is told of the own
# request alone.
TOLD_HOLDS: Final = frozenset(
    {Reason.HOLD_LEGAL, Reason.HOLD_JUDICIAL, Reason.HOLD_COMPLAINT, Reason.HOLD_RESTRICTION, Reason.HOLD_OBJECTION}
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Determines how long something is kept, on the day of the answer."""

    day: date
    grace_days: int
    review_months: int

    def of_file(self, key: str, category: Category | None, decision: Decision | None, *, tells_age: bool) -> Retention:
        """Return the term of a dossier or lone fiche. Anybody but the child is shown neither a day that
        follows from the child's birthday nor whether it has come. For an open dossier the child is shown the
        same as they are, in words that are equally true of a closed one."""
        if decision is None:
            return self._kept(Retention(key, None, "unknown"))
        is_held = is_told_held(decision)
        if category is None or Reason.UNCONFIGURED in decision.reasons:
            return self._kept(Retention(key, None, "not_set", is_held))
        if Reason.NO_TERM in decision.reasons:
            months = (category.review_months if isinstance(category, NoTerm) else None) or self.review_months
            return self._kept(Retention(key, None, "no_term", is_held, months=months))
        is_open = Reason.OPEN_DOSSIER in decision.reasons
        if isinstance(category, UntilAge) and (is_open or not tells_age):
            return self._kept(Retention(key, None, "until_age", is_held, category.age))
        if decision.retention_end is None or is_open:
            return self._kept(Retention(key, None, "open" if is_open else "unknown", is_held))
        return self.until(key, decision.retention_end, is_held=is_held)

    def until(self, key: str, last_day: date, *, is_held: bool = False) -> Retention:
        """Return the term up to a day. A day that has passed is over, and stated so."""
        return self._kept(Retention(key, last_day, "", is_held, is_over=last_day < self.day))

    def as_long_as(self, criterion: Criterion, key: str = "", *, is_held: bool = False) -> Retention:
        """Return the term given by a criterion alone."""
        return self._kept(Retention(key, None, criterion, is_held))

    def of_several(self, key: str, decisions: Sequence[Decision], *, criterion: Criterion, is_day_told: bool) -> Retention:
        """Return the term of rows that end on their own: the day of the last end, else the criterion."""
        ends = [decision.retention_end for decision in decisions if decision.retention_end is not None]
        is_held = any(is_told_held(decision) for decision in decisions)
        if is_day_told and ends and len(ends) == len(decisions):
            return self.until(key, max(ends), is_held=is_held)
        return self.as_long_as(criterion, key, is_held=is_held)

    def _kept(self, retention: Retention) -> Retention:
        return replace(retention, grace_days=self.grace_days)


def is_told_held(decision: Decision) -> bool:
    """Return whether it is kept by a hold that is disclosed, without detail."""
    reasons: Collection[Reason] = decision.reasons
    return bool(TOLD_HOLDS.intersection(reasons))
