"""Codes in words: what a reason, a flag, a state or an error means, in the language of the page. The code
itself stands beside it, so that two people who read different languages speak of the same thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from crm_compliance.console.language.catalogs import translations
from crm_compliance.console.language.error_codes import KINDS as OF_ERRORS
from crm_compliance.console.language.history_codes import OF_HISTORY
from crm_compliance.console.language.map_reasons import MAP_REASONS
from crm_compliance.console.language.own_words import NONE, OwnWords
from crm_compliance.console.language.problem_sentences import OF_PROBLEMS
from crm_compliance.console.language.request_codes import KINDS as OF_REQUESTS
from crm_compliance.console.language.review_codes import KINDS as OF_REVIEWS
from crm_compliance.console.language.schedule_codes import OF_SCHEDULES
from crm_compliance.console.language.sentences import OF_SENTENCES
from crm_compliance.console.language.step_codes import OF_STEPS
from crm_compliance.reports.parts.sentences import ALARMS, ANCHORS, FLAGS, REASONS, RULES, SKIPS, TABLES, WHY
from rules.holds.placements import HoldState, HoldType
from rules.model.data_map import Fate
from rules.model.languages import UiLanguage
from rules.model.residual_data import ResidualPlace
from rules.model.roles import TITLES

# Short names for what badges show; by the kind of code.
STATES: Final[Mapping[str, str]] = {
    "waiting": "Waiting",
    "ready": "Ready",
    "rejected": "Rejected",
    "expired": "Expired",
    "applied": "Applied",
    "done": "Done",
    "done_with_failures": "Done with failures",
    "running": "Running",
    "interrupted": "Interrupted",
    "active": "Active",
    "released": "Released",
    "lapsed": "Lapsed",
    "received": "Received",
    "identifying": "Identifying",
    "suspended": "Suspended",
    "searching": "Searching",
    "reviewing": "Reviewing",
    "approved": "Approved",
    "closed": "Closed",
    "partial": "In part",
    "failed": "Failed",
    "skipped": "Skipped",
}
KINDS: Final[Mapping[str, str]] = {
    "retention": "Retention",
    "recordings": "Recordings",
    "all": "Retention and recordings",
    "replay": "Replay",
    "request": "On request",
    "requests": "Requests",
    "housekeeping": "Housekeeping",
}
# A hold has words of its own: a request that was released is not a hold that was.
HOLD_STATES: Final[Mapping[str, str]] = {HoldState.ACTIVE: "In force", HoldState.ENDED: "Past its last day", HoldState.RELEASED: "Lifted"}
HOLD_TYPES: Final[Mapping[str, str]] = {
    HoldType.LEGAL: "Legal",
    HoldType.JUDICIAL: "Judicial",
    HoldType.COMPLAINT: "Complaint",
    HoldType.REQUEST: "Pending request",
    HoldType.RESTRICTION: "Restriction",
    HoldType.OBJECTION: "Objection",
}
FATES: Final[Mapping[str, str]] = {
    Fate.UNACCOUNTED: "Not accounted for",
    Fate.STAYS: "May stay",
    Fate.MASKED: "Overwritten",
    Fate.GOES_ALONG: "Goes along",
    Fate.MAPPED: "Mapped",
    Fate.PLATFORM: "The CRM's own",
}
OUTCOMES: Final[Mapping[str, str]] = {"delete": "Delete", "anonymise": "Anonymise", "retain": "Keep", "dispose": "Dispose", "trim": "Trim"}

UNITS: Final[Mapping[str, str]] = {
    "dossier": "Dossier",
    "fiche": "Lone fiche",
    "recording": "Recording",
    "contact": "Contact",
    "donation": "Donation",
    "enrolment": "Enrolment",
    "engagement": "Agreement",
}
# What a hold keeps is a row of any kind, whether it is a unit or in one.
HELD: Final[Mapping[str, str]] = {
    **TABLES,
    "cf_fiche": "Fiche",
    "cf_party": "Role in a file",
    "annotation": "Note",
    "email": "E-mail",
    "phonecall": "Telephone call",
}
DISPOSITIONS: Final[Mapping[str, str]] = {"DELETED": "Deleted", "ANONYMISED": "Anonymised"}
PLACES: Final[Mapping[str, str]] = {
    ResidualPlace.NOTES: "Notes",
    ResidualPlace.ACTIVITIES: "Activities",
    ResidualPlace.TIMELINE: "Timeline",
    ResidualPlace.FILES: "Files",
    ResidualPlace.CHILD_ROWS: "Rows that belong to it",
    ResidualPlace.RECORDINGS: "Recordings outside the CRM",
    ResidualPlace.AUDIT_HISTORY: "Audit history of the CRM",
    ResidualPlace.RECYCLE_BIN: "Recycle bin of the CRM",
    ResidualPlace.JOB_ROWS: "Rows of the CRM's own jobs",
    ResidualPlace.COPIES: "Copies, and long-term retention",
    ResidualPlace.EXPORTS: "Exports",
    ResidualPlace.EXTRACTS: "Extracts",
}
PLACE_STATES: Final[Mapping[str, str]] = {"done": "done", "not_applicable": "there was nothing", "not_reachable": "nobody can look there"}

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "alarm": ALARMS,
    "disposition": DISPOSITIONS,
    "residual_place": PLACES,
    "place_state": PLACE_STATES,
    "unit": UNITS,
    "anchor": ANCHORS,
    "fate": FATES,
    "flag": {code: advice.sentence for code, advice in FLAGS.items()},
    "advice": {code: advice.action for code, advice in FLAGS.items()},
    "held": HELD,
    "hold_state": HOLD_STATES,
    "hold_type": HOLD_TYPES,
    "kind": KINDS,
    "map_reason": MAP_REASONS,
    "outcome": OUTCOMES,
    "reason": {**SKIPS, **REASONS},
    "role": TITLES,
    "rule": RULES,
    "state": STATES,
    "table": TABLES,
    "why": WHY,
    **OF_ERRORS,
    **OF_HISTORY,
    **OF_PROBLEMS,
    **OF_REQUESTS,
    **OF_REVIEWS,
    **OF_SCHEDULES,
    **OF_SENTENCES,
    **OF_STEPS,
}


OF_ROWS: Final = frozenset({"deleted", "held", "item_kind", "row", "table", "unit"})  # kinds of codes of which each is a kind of row


def words_of(language: UiLanguage, own: OwnWords = NONE) -> Callable[[str, str], str]:
    """Return the function that gives the words for a code of a kind, a table of the CRM by its kind; one
    without words is shown as it is."""
    said = translations(language, own).ugettext

    def word(kind: str, code: str) -> str:
        known = own.table(code) if kind in OF_ROWS else code
        if kind in OF_ROWS and (label := own.label(language, kind, known)):
            return label
        found = WORDS[kind].get(known, "")
        return said(found) if found else code

    return word


def messages() -> list[str]:
    """Return what the catalogs have to say of codes."""
    return sorted({each for table in WORDS.values() for each in table.values() if each})
