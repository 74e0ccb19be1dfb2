"""Keys of a retention schedule as words: what a version says that another does not."""

from collections.abc import Mapping
from typing import Final

from rules.policy.diff import BYPASS_WORDS, MEANINGS

KEYS: Final[Mapping[str, str]] = {
    **{where: meaning.text for where, meaning in MEANINGS.items()},
    "anonymise": "what anonymising does",
    "approvals": "when two people look at a plan",
    "approvers": "who approved it",
    "backups": "backups of the CRM",
    "canaries": "units whose outcome is known beforehand",
    "contacts": "how contacts are removed and trimmed",
    "controller": "the controller",
    "defaults": "what holds for every row",
    "dpo": "the data protection officer",
    "helpline": "the number for minors",
    "limits": "limits to what a plan disposes of",
    "name": "name of the schedule",
    "own_data": "what the product keeps of its own",
    "processors": "processors",
    "proposed_by": "who proposed it",
    "purposes": "purposes",
    "quarantine": "quarantine",
    "schema": "form of the file",
    "statistics": "statistics",
    "timezone": "time zone",
    "valid_from": "in force from",
    "version": "version",
    "watch": "when something is an alarm",
}
ROW_KEYS: Final[Mapping[str, str]] = {
    "approvers": "who approved it",
    "basis": "legal basis",
    "basis_labels": "legal basis in the languages of answers",
    "k": "rows of statistics that must be alike",
    "kinds": "kinds that it is for",
    "labels": "names",
    "mission": "mission under which it is counted",
    "purposes": "purposes",
    "rule": "rule that a plan names",
    "source": "where the period is published",
    "suggestion": "what the controller may want to decide",
    "unit": "what ends as one",
}
# Of a part that a version has as a whole and another has not.
INNER: Final[Mapping[str, str]] = {
    "days": "days",
    "categories": "categories",
    "notice": "notice to the owner",
    "all": "all",
    "none": "none",
    "note": "a note",
}
OF_SCHEDULES: Final[Mapping[str, Mapping[str, str]]] = {
    "bypass": {each.value: words for each, words in BYPASS_WORDS.items()},
    "schedule_key": KEYS,
    "row_key": ROW_KEYS,
    "inner": INNER,
}
