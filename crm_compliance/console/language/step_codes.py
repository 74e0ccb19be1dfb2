"""Names of what goes into a step of a decision and comes out of it, as words: the trace itself has names of
data, and keeps them."""

from collections.abc import Mapping
from typing import Final

from rules.holds.crm_flag import CRM
from rules.holds.holds import REQUEST
from rules.model.records import UnitKind
from rules.policy.categories import Anchor, Outcome

INPUTS: Final[Mapping[str, str]] = {
    "activities_about_others": "activities about other contacts that it takes part in",
    "age_end": "birthday on which the age is reached",
    "anchor": "counted from",
    "anchor_on": "date it is counted from",
    "anchors": "dates that the schedule names",
    "as_of": "day of the decision",
    "attached_to": "belongs to",
    "birth_date": "date of birth",
    "category": "category",
    "category_disposition": "what the schedule says happens then",
    "child": "child, by number",
    "closed_on": "closed on",
    "communicated_on": "communicated on",
    "contact": "the contact",
    "contacts_that_point_here": "other contacts that refer to this one",
    "created_on": "created on",
    "created_on_used": "counted by the day of creation",
    "dossiers": "dossiers that it is in",
    "end": "retention end",
    "ends": "end by category",
    "evidence": "marked as evidence",
    "fiches": "fiches",
    "fiches_without_category": "fiches without a category",
    "first_fiche_on": "first fiche",
    "flag": "to be looked at",
    "flags": "to be looked at",
    "follows": "goes with the dossier",
    "follows_dossier": "goes with its dossier",
    "hold": "hold",
    "holds": "holds",
    "in_dossier": "is in a dossier",
    "in_no_unit": "roles and activities of it that belong to nothing which has a term: it stays as long as they are there",
    "is_active": "the dossier is active",
    "is_missing": "a category is missing",
    "is_open": "kept as an open dossier",
    "is_six_month_unit": "of the kind that goes after six months even if it is open",
    "key": "row of the schedule",
    "kind": "kind",
    "last_activity": "last activity",
    "late_activity": "latest activity",
    "late_activity_on": "date of the latest activity",
    "late_rule_months": "how much longer activity after the birthday keeps it",
    "latest_birth_on": "latest possible date of birth",
    "mentioned_by_others": "others that stay and mention it: nothing of it is emptied as long as they do",
    "outcome": "outcome of the case",
    "owner": "what becomes of what it belongs to",
    "belongs_to": "belongs to",
    "period": "period",
    "proceedings_ended_on": "proceedings ended on",
    "public_alert": "a public alert was spread",
    "reason": "reason",
    "reasons": "reasons",
    "received_on": "received on",
    "recorded": "what is recorded of the birth",
    "relation": "has a relation with the organisation",
    "reopened_on": "re-opened on",
    "review_due_on": "next review",
    "review_months": "time between two reviews",
    "review_overdue": "its review is late",
    "rows": "rows of the schedule",
    "source": "where the hold stands",
    "to_end_of_year": "counted to the end of that year",
    "unconfigured": "categories without a period",
    "without_end": "why there is no end",
}
# How a case ended, as the schedule knows it.
CASES: Final[Mapping[str, str]] = {
    Outcome.LOCATED: "located",
    Outcome.RETURNED: "returned",
    Outcome.FOUND_DECEASED: "found deceased",
    Outcome.NOT_LOCATED: "not located",
    Outcome.NOT_RETURNED: "not returned",
}
ROWS: Final[Mapping[str, str]] = {
    UnitKind.DOSSIER: "dossier",
    UnitKind.FICHE: "fiche",
    UnitKind.RECORDING: "recording",
    UnitKind.ATTACHMENT: "note",
    UnitKind.EMAIL: "e-mail",
    UnitKind.DONATION: "donation",
    UnitKind.ENROLMENT: "enrolment",
    UnitKind.ENGAGEMENT: "agreement",
    UnitKind.OWN_TABLE: "row of a table of the organisation's own",
    UnitKind.CONTACT: "contact",
}
HOLDERS: Final[Mapping[str, str]] = {
    CRM: "in the CRM",
    REQUEST: "a request",
}
# Dates that a period counts from, with those that only a trace names.
COUNTED: Final[Mapping[str, str]] = {
    Anchor.OWN_DATE: "the date that the mapping names",
    "started_on": "start of the conversation",
    "created_on": "creation",
    "communicated_on": "communication",
    "reopened_on": "re-opening",
    "first_fiche_on": "first fiche",
}
OF_STEPS: Final[Mapping[str, Mapping[str, str]]] = {"input": INPUTS, "case": CASES, "step_row": ROWS, "holder": HOLDERS, "counted": COUNTED}
