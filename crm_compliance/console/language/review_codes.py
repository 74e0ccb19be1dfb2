"""The codes of the review of an answer in words, by the kind of code: what a reviewer sees of an item, what
became of it, and the labels that stand in the place of somebody."""

from collections.abc import Mapping
from typing import Final

from crm_compliance.reports.requests.review_page import CLASSES, REASONS, UNREAD
from crm_compliance.reports.requests.review_page import KINDS as ITEM_KINDS

MARKS: Final[Mapping[str, str]] = {
    "mention": "Mention",
    "file": "File",
    "reporter": "Reporter",
    "recipient": "Recipient",
    "guess": "Guessed name",
    "replaced": "Replacements",
    "by_rule": "Protected by rule",
    "unread": "Cannot be checked",
}
ITEM_STATES: Final[Mapping[str, str]] = {"open": "To review", "approved": "Approved", "withheld": "Withheld", "all": "All items"}
ITEM_STATUSES: Final[Mapping[str, str]] = {
    "PENDING_REVIEW": "To review",
    "APPROVED": "Approved",
    "APPROVED_REDACTED": "Approved with your text",
    "WITHHELD": "Withheld",
}
LABELS: Final[Mapping[str, str]] = {
    "name": "a name",
    "other": "another person",
    "parent": "a parent",
    "child": "another child",
    "professional": "a professional",
    "phone": "a telephone number",
    "email": "an e-mail address",
    "address": "an address",
    "birth_date": "a date of birth",
}

STOPS: Final[Mapping[str, str]] = {
    "needle": "Something of other people is still in it, or is nearly the name of somebody.",
    "unchecked": "A file is in it that no program can check, and nobody has said that they looked at it.",
    "attachment": "A file is no longer there, or is another one than was looked at.",
}

WRONG: Final[Mapping[str, str]] = {
    "changed": "Somebody else has decided on this item meanwhile, or it has been compiled again.",
    "needle": "By this text somebody else would be known.",
    "near_name": "This text has what looks like the name, number or address of somebody, and no proposal has it.",
    "unchecked": "No program can check this file.",
    "state": "This answer is not in review any more.",
}
MEND: Final[Mapping[str, str]] = {
    "changed": "Look at it as it stands now, then decide.",
    "needle": "Write a label in its place, or withhold the item.",
    "near_name": "Write a label in its place. Where it is nobody's, tick that, and approve again.",
    "unchecked": "Look at it, tick that you have, and approve again; or withhold it.",
    "state": "Look at the request.",
}

KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "item_kind": ITEM_KINDS,
    "item_status": ITEM_STATUSES,
    "items": ITEM_STATES,
    "label": LABELS,
    "mark": MARKS,
    "redacted": CLASSES,
    "stops": STOPS,
    "unread": UNREAD,
    "wrong": WRONG,
    "mend": MEND,
    "withheld": REASONS,
}
