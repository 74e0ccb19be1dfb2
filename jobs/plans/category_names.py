"""Categories that the mapping does not know, as the CRM calls them: a person knows no option by its number
and no row of a table of reference by its id (R-161)."""

from collections.abc import Collection, Sequence

import msgspec

from jobs.model.plan import CategoryTotal
from jobs.ports.context import JobContext


def is_of_the_crm(category: str) -> bool:
    """Return whether a category is a value as the CRM has it: an option, or the id of a row."""
    return category.isdecimal() or (len(category) == 36 and category.count("-") == 4)


def names_of(context: JobContext, categories: Collection[str]) -> dict[str, str]:
    """Return what the CRM calls those that are values of its own. Raises ConnectorError."""
    values = [category for category in categories if is_of_the_crm(category)]
    return context.connector.value_names("categories", values) if values else {}


def totals_with_names(context: JobContext, totals: Sequence[CategoryTotal]) -> tuple[CategoryTotal, ...]:
    """Return the totals, those of values of the CRM with what it calls them. Raises ConnectorError."""
    called = names_of(context, [total.category for total in totals])
    return tuple(msgspec.structs.replace(total, called=called.get(total.category, "")) for total in totals)
