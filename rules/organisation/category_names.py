"""What each category of the CRM is called: in the words of the organisation, and by the labels of its row of
the schedule where no other category leads to that row."""

from collections import Counter

from rules.organisation.organisation import Organisation
from rules.policy.policy import Policy


def category_names(policy: Policy, organisation: Organisation) -> dict[str, tuple[str, ...]]:
    """Return the names by key, in all languages."""
    labels, own = category_labels(policy), own_names(organisation)
    return {key: (*dict.fromkeys(labels.get(key, {}).values()), *own.get(key, ())) for key in policy.crm_categories}


def category_labels(policy: Policy) -> dict[str, dict[str, str]]:
    """Return by key, and by language, what the schedule calls a category that has a row to itself."""
    rows = {key: {line.key for line in policy.derive[key]} if key in policy.derive else {key} for key in policy.crm_categories}
    shared = Counter(row for found in rows.values() for row in found)
    return {
        key: policy.categories[row].labels.model_dump()
        for key, found in rows.items()
        for row in found
        if len(found) == 1 and shared[row] <= 1 and row in policy.categories
    }


def own_names(organisation: Organisation) -> dict[str, tuple[str, ...]]:
    """Return what the organisation itself calls the values of fields, and roles, by key, in all languages."""
    tables = [organisation.words.get("value", {}), organisation.words.get("role", {})]
    return {
        key: tuple(text for words in tables if key in words for text in words[key].by_language.values()) for key in {*tables[0], *tables[1]}
    }
