"""What a person can do next, as a code with facts: a command turns it into the line to type, a page into a
button."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import NamedTuple


class Advice(StrEnum):
    """The codes. Called with its facts, one is a hint."""

    APPLY = auto()
    APPLY_FIRST = auto()
    APPROVE_ANSWER = auto()
    APPROVE_PLAN = auto()
    CERTIFICATES_OF_RUN = auto()
    CLOSE_LAPSED = auto()
    COMPILE = auto()
    COMPILE_COMPLETE = auto()
    COMPILE_CORRECTED = auto()
    COMPILE_FIRST = auto()
    CONFIRM = auto()
    CONFIRM_ANEW = auto()
    DECIDE = auto()
    DECIDE_AGAIN = auto()
    DECIDE_REVIEWED = auto()
    EXPORT_HISTORY = auto()
    FILL_IN_FORM = auto()
    LIST_QUARANTINE = auto()
    MATCH = auto()
    MATCH_AGAIN = auto()
    NAME_ITEM_OR_REFUSE = auto()
    NEXT_APPROVE = auto()
    NEXT_CLOSE = auto()
    NEXT_DECIDE = auto()
    NEXT_IDENTIFY = auto()
    NEXT_RELEASE = auto()
    NEXT_RESUME = auto()
    NEXT_SEARCH = auto()
    OPEN_REQUEST = auto()
    OVERRIDE_CONTACT = auto()
    OVERRIDE_CONTRADICTION = auto()
    OVERRIDE_THEN_COMPILE = auto()
    PLAN_AGAIN = auto()
    RECOVER = auto()
    REFUSE = auto()
    RESTORE_ALTERED = auto()
    RESTORE_UNSIGNED = auto()
    RESUME = auto()
    REVIEW = auto()
    REVIEW_NEEDLE = auto()
    REVIEW_PENDING = auto()
    REVIEW_PORTABLE = auto()
    SHOW_ITEMS = auto()
    SHOW_NOTICES = auto()
    SHOW_RUN = auto()
    VERIFY_LEDGER = auto()
    VERIFY_LEDGER_AND_TELL = auto()
    WRITE_CERTIFICATES = auto()

    def __call__(self, **facts: str) -> Hint:
        return Hint(self, facts)


class Hint(NamedTuple):
    """One piece of advice. Its facts are ids and codes, never personal data."""

    advice: Advice
    facts: Mapping[str, str]
