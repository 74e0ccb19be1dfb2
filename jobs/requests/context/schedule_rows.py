"""What the answer tells of the row of the schedule under which something is kept."""

from collections.abc import Collection
from typing import Final

from jobs.requests.context.grounds import in_languages
from rules.model.decisions import Decision
from rules.policy.categories import Category, MonthsAfter, YearsAfter
from rules.policy.policy import Policy

NEWSLETTER: Final = "newsletter"
PARTNERSHIP: Final = "partnership"


def deciding(decision: Decision | None) -> str:
    """Return the row of the schedule that decides, or the one that would (RET-11)."""
    if decision is None:
        return ""
    if decision.deciding is not None:
        return decision.deciding.category
    return next((end.category for end in decision.ends if end.on is None), next(iter(decision.categories), ""))


def labels_of(category: Category | None) -> dict[str, str]:
    return in_languages(category.labels if category is not None else None)


def basis_labels_of(category: Category | None) -> dict[str, str]:
    return in_languages(category.basis_labels if category is not None and category.enabled else None)


def months_of(category: Category | None) -> int:
    """Return the term in months of a row of the schedule that counts months or years; 0 for any other."""
    return category.months if isinstance(category, MonthsAfter) else category.years * 12 if isinstance(category, YearsAfter) else 0


def key_of(policy: Policy, category: Category | None) -> str:
    return next((key for key, row in policy.categories.items() if row is category), "")


def row_for(policy: Policy, kind: str, engaged: Collection[str]) -> Category | None:
    """Return the schedule row for a relation: the first one for its unit that fits, in force or not."""
    if kind in (NEWSLETTER, PARTNERSHIP):
        return policy.categories.get(NEWSLETTER if kind == NEWSLETTER else "partner_contact")
    fits = [row for row in policy.categories.values() if row.unit == kind and (row.kinds is None or set(row.kinds) & set(engaged))]
    return next(iter(sorted(fits, key=lambda row: not row.enabled)), None)
