"""Codes of the history in words: what somebody tried, why it was refused, what was out of the ordinary,
what is not well."""

from collections.abc import Mapping
from typing import Final

from jobs.model.last_verification import Verifier
from rules.model.roles import Act

ACTS: Final[Mapping[str, str]] = {
    Act.PLAN: "make a plan",
    Act.APPLY: "carry out a plan",
    Act.APPROVE_PLAN: "approve or reject a plan",
    Act.KEEP_IN_QUARANTINE: "keep a unit in quarantine",
    Act.PROPOSE_SCHEDULE: "propose a schedule",
    Act.ADVISE_ON_SCHEDULE: "advise on a schedule",
    Act.APPROVE_SCHEDULE: "approve a schedule",
    Act.SEE_SCHEDULE: "see the schedule",
    Act.PLACE_HOLD: "place a hold",
    Act.RELEASE_HOLD: "release a hold",
    Act.SEE_HOLDS: "see holds",
    Act.SEE_HOLDS_OF_REQUESTS: "see the holds of requests",
    Act.HANDLE_REQUEST: "handle a request",
    Act.SET_RULE_ASIDE: "set a rule aside",
    Act.APPROVE_ANSWER: "approve an answer",
    Act.RELEASE_ANSWER: "release an answer",
    Act.SEE_ANSWER: "see an answer",
    Act.SEE_REQUESTS: "see requests",
    Act.SEE_REPORTS: "see reports",
    Act.SEE_HISTORY: "see the history",
    Act.DESTROY_KEY: "destroy a key",
    Act.READ_CRM: "read the CRM",
}
REFUSALS: Final[Mapping[str, str]] = {
    "role": "the role may not",
    "same_person": "whoever tried has had their part in it already; it takes a second person",
    "other_crm": "it belongs to another CRM",
    "plan_state": "the plan waits for nobody",
    "released": "it was released before",
}
UNUSUAL: Final[Mapping[str, str]] = {
    "stopped": "The kill switch was set: nothing was applied from then on.",
    "resumed": "The kill switch was lifted.",
    "recovered": "The database had been lost or put back to an older day, and was taken as it was.",
    "alarm": "A backup of the CRM had been restored: what had been erased was back, or what had been written for a request was undone.",
    "key_destroyed": "A key was destroyed after its term: its references lead nowhere any more.",
    "quarantine_undone": "A person kept a unit that was in quarantine.",
}
HEALTH: Final[Mapping[str, str]] = {
    "LATE": "it has not ended by its hour: it waits for approval, was refused, or the CRM did not answer.",
    "FAILED": "it ended with failures or an alarm.",
    "STORE_UNREADABLE": "The database of the service cannot be read.",
    "STORE_READ_ONLY": "The database of the service takes no writes: nothing can be done or recorded.",
    "DISK_FULL": "The disk of the service is nearly full: make room before the next night.",
    "DISK_READ_ONLY": "The data folder of the service cannot be written: nothing can be done or recorded.",
    "CREDENTIAL_ENDS": "Something by which the service signs in ends within two weeks, or has ended: doctor names it.",
    "SCHEDULE_UNUSABLE": "The retention schedule cannot be used: no job starts until it can.",
    "LEDGER_BROKEN": "The record was not whole when it was verified last: change nothing, and tell the data protection officer.",
    "ALERT_CHANNEL_FAILED": "An alert channel does not take what it is given: somebody may not have been told.",
    "ALERTS_UNUSABLE": "The file of alert channels cannot be used: nobody is told.",
}
COUNTED: Final[Mapping[str, str]] = {  # by jobs without a plan
    "pending": "Requests that wait",
    "overdue": "Requests past their last day",
    "totalled": "Closed requests that became yearly totals",
    "listed": "Objects in storage",
    "recordings": "Recordings that name an object",
    "without_row": "Objects that belong to no recording",
    "rows_without_object": "Recordings whose object is missing",
    "not_reached": "Recordings in a storage that no setting reaches",
    "expired_plans": "Plans whose lines had expired",
}
VERIFIERS: Final[Mapping[str, str]] = {
    Verifier.NIGHT: "the night",
    Verifier.COMMAND: "the command ledger verify",
    Verifier.DOCTOR: "the command doctor",
    Verifier.CONSOLE: "somebody at this console",
    Verifier.CALL: "a program, by a call",
}
DELETED: Final[Mapping[str, str]] = {  # rows of a table, units or not
    "cf_dossier": "Dossiers",
    "cf_fiche": "Fiches",
    "cf_recording": "Recordings",
    "cf_party": "Roles in a file",
    "cf_donation": "Donations",
    "cf_enrolment": "Enrolments",
    "cf_engagement": "Agreements",
    "annotation": "Notes and attachments",
    "email": "E-mails",
    "phonecall": "Telephone calls",
    "activityparty": "Participants of activities",
    "contact": "Contacts",
}
OF_HISTORY: Final[Mapping[str, Mapping[str, str]]] = {
    "deleted": DELETED,
    "act": ACTS,
    "denial": REFUSALS,
    "counted_by_job": COUNTED,
    "health": HEALTH,
    "unusual": UNUSUAL,
    "verifier": VERIFIERS,
}
