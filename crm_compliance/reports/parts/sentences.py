"""What the codes mean, in words for a person who does not know them. There is one table for each kind of
code, written out. A code without a sentence is shown as it is, and a test requires a sentence for every
code."""

from dataclasses import dataclass
from typing import Final

from jobs.model.work_queue import WorkQueue
from rules.model.decisions import Flag, Reason

# Why a unit is kept or disposed of, in the order of ranks (4.2).
REASONS: dict[str, str] = {
    Reason.HOLD_LEGAL: "A legal hold covers it: litigation or a claim, also one of the organisation itself.",
    Reason.HOLD_JUDICIAL: "A prosecutor, an investigating judge or the police asked in writing to keep it.",
    Reason.HOLD_COMPLAINT: "A complaint at the Data Protection Authority, or litigation about privacy, is pending.",
    Reason.HOLD_REQUEST: "A person it is about has a request pending, or answered at most 30 days ago.",
    Reason.HOLD_RESTRICTION: "Its processing is restricted (GDPR art. 18): it may be stored, nothing else.",
    Reason.HOLD_OBJECTION: "An objection (GDPR art. 21) is not decided yet.",
    Reason.NO_TERM: "The schedule sets no end for its category; a person reviews it from time to time.",
    Reason.UNCONFIGURED: "Its category is missing, unknown, or has no period in the schedule.",
    Reason.DATA_ERROR: "One of its dates lies in the future, so no end can be trusted.",
    Reason.NOT_STARTED: "The date that its period counts from is missing, so the period has not started.",
    Reason.OPEN_DOSSIER: "The dossier is still open.",
    Reason.NOT_EXPIRED: "Its retention end has not passed yet.",
    Reason.ORPHAN_CONTACT: "A contact that no unit and no relation refers to, and none ever did as far as we can see.",
    Reason.EXPIRED: "Its retention end has passed and nothing asks to keep it.",
}

# Reasons that keep a unit because the data are in doubt. Doubt keeps and reports; each of these is listed
# until a person resolves it.
DOUBT: dict[str, str] = {
    Reason.UNCONFIGURED: "Set the category in the CRM (what has none needs its dossier), or have the controller decide on a period for it.",
    Reason.DATA_ERROR: "Correct the date in the CRM.",
    Reason.NOT_STARTED: "Enter the missing date in the CRM: the end of the proceedings, the closing, or the end of the conversation.",
    Reason.ORPHAN_CONTACT: "Link the contact to what it belongs to, or remove it in the CRM.",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What a flag means, and what a person does about it. `action` is empty if the flag only informs."""

    sentence: str
    action: str = ""


FLAGS: dict[str, Advice] = {
    Flag.ANCHOR_FALLBACK: Advice(
        "A fiche has no communication date; the day on which it was created was used.", "Enter the date of the communication."
    ),
    Flag.BIRTHDATE_AFTER_FIRST_FICHE: Advice(
        "The child's birth date lies after the first fiche. It was used as it stands.", "Check the birth date."
    ),
    Flag.BIRTHDATE_APPROXIMATE: Advice(
        "The birth date is not known to the day; the latest possible one was used.", "Complete the birth date where it is known."
    ),
    Flag.BIRTHDATE_CONFLICT: Advice(
        "Birth date and national number disagree; the later date was used.", "Correct the birth date or the national number."
    ),
    Flag.BIRTHDATE_FUTURE: Advice(
        "A birth in the future: a full date was ignored, a year or month keeps the unit until it has passed.", "Correct it."
    ),
    Flag.BIRTHDATE_SENTINEL: Advice(
        "The birth date is a filler such as 1900-01-01 and was ignored.", "Replace the filler or empty the column."
    ),
    Flag.BIRTHDATE_UNKNOWN: Advice(
        "Nothing tells how old the child is; the age is counted from the first fiche.",
        "Enter a birth date, a year, or an age with its date.",
    ),
    Flag.DISPOSED_NOT_TAKEN_OVER: Advice(
        "The recording goes although it was not marked as taken over into the dossier. Six months are the maximum.",
        "Take over today what the dossier still needs.",
    ),
    Flag.HOLD_REVIEW_OVERDUE: Advice(
        "A hold covers it whose review is past its day; it stays in force.",
        "Review the hold: release it by a second person, or place it again with the next day of review.",
    ),
    Flag.LONG_TERM_RETENTION: Advice(
        "A row of it lies in the CRM's long-term retention, where only a job of the CRM can delete it.",
        "Nothing, unless the plan keeps the unit for it: then restore that row in the CRM, or purge it there once the period has ended.",
    ),
    Flag.OPEN_PAST_END: Advice(
        "The dossier is past its retention end but still open, so it stays.", "Close the dossier, or carry on working on it."
    ),
    Flag.ORPHAN_CONTACT: Advice("No unit and no relation refers to this contact.", "Link the contact, or remove it in the CRM."),
    Flag.ORPHAN_FICHE: Advice(
        "A fiche without dossier, in a category that normally has one.", "Attach the fiche to its dossier, or correct its category."
    ),
    Flag.OUTCOME_AMBIGUOUS: Advice("The outcome does not say clearly whether the child was located.", "Choose the outcome that fits."),
    Flag.OUTCOME_MISSING: Advice("The case has no outcome, and its period depends on it.", "Enter the outcome."),
    Flag.POSSIBLE_DUPLICATE: Advice(
        "Another dossier seems to be about the same person. They were evaluated apart.",
        "Whoever works on them decides whether to merge them.",
    ),
    Flag.RECLASSIFY: Advice("The case was solved but is still called unexplained.", "Give the dossier the category that fits."),
    Flag.REVIEW_DUE: Advice(
        "There is no retention end, and the periodic review is due.", "Review the dossier and enter the date of the review."
    ),
    Flag.RRN_PADDED: Advice("A national number of ten digits was read with a zero in front.", "Check the national number."),
    Flag.TAKEOVER_WARNING: Advice(
        "The recording goes soon and is not marked as taken over into the dossier.", "Take over what the dossier needs, and mark it."
    ),
}

# Flags whose units are always listed in full: the rules want them in every report (RET-13, RET-15).
LISTED_IN_FULL = frozenset({Flag.HOLD_REVIEW_OVERDUE, Flag.OPEN_PAST_END, Flag.REVIEW_DUE})

# Why a planned unit was left alone when the plan was applied; the reasons of 4.2 come on top.
SKIPS: dict[str, str] = {
    "CHANGED": "It changed in the CRM after the plan was made.",
    "AWAITS_TURN": "It has a row in common with a unit that goes first, and goes in a later night.",
    "RECORDING_DUE": "A recording of it has become due since the plan was made, and is not in it: both go by the next plan.",
    "PLAN_EXPIRED": "The plan's validity ended before its turn came.",
    "PLAN_REJECTED": "The plan was rejected while its run was interrupted.",
    "POLICY_CHANGED": "The policy, the mapping, or what the CRM deletes along, changed while the run was interrupted.",
    "HOLD_NOT_FOUND": "A hold that was placed since the plan was made is on a record that is not there: what was meant may be in the plan.",
    "SKIPPED_TECHNICAL": (
        "The CRM refused, content lies in storage that no setting reaches, or rows that nothing accounts for would stay; "
        "the next run tries again."
    ),
    "CRM_REFUSED": "The CRM refused; the next run tries again.",
    "CONTENT_OUT_OF_REACH": "Content lies outside the CRM where nothing reaches it now; the next run tries again.",
    "ROWS_UNACCOUNTED": "Rows would stay that nothing accounts for, or rows of ours go along: map them, let them stay or empty the lookup.",
    "STILL_REFERRED": "A unit that stays, or a relation, refers to this contact again.",
    "UNLINKED": "Nothing led to this contact any more when the run began, so no unit takes it along; the next plan reports it.",
    "EMPTIED_BEFORE": "It had been emptied, and after a restore is back in another version: look whether what stands in it may stay.",
    "REQUEST_UNDONE": "After a restore it says no more what was written for a request: look, and ask or write again.",
    "NEW_FICHE": "It is back after a restore with a fiche that was never erased: the schedule judges the two together.",
    "STILL_THERE": "Reading back found it again.",
    "PSEUDONYMISED": "What is left could still be led back to a person, so it counts as not anonymised.",
    "OBJECT_LEFT": "Its content outside the CRM could not be removed, so its rows stay; the next run tries again.",
    "CANARY": "A canary of the policy: it must be due every night, and never goes.",
    "QUARANTINED": "It is in quarantine: marked, and kept until its days have passed.",
    "QUARANTINE_UNDONE": "A person took it out of quarantine; it is marked afresh when as many days have passed again.",
    "LONG_TERM_RETENTION": "A row of it lies in the CRM's long-term retention and cannot be masked, unlinked or purged: restore it there.",
    "IN_RECYCLE_BIN": "It was deleted, and the CRM's recycle bin still has it: purge it there, or wait until it has gone.",
    "NO_ANSWER": "The CRM did not say whether the write took place.",
}

# Why a plan waits for two people.
WHY: dict[str, str] = {
    "BREAKER_TRIPPED": "It disposes of more than usual.",
    "CATEGORY_LIMIT": "It disposes of more of one category than the policy allows without a look.",
    "FIRST_RUN": "It disposes of a category of which no completed run has disposed before.",
    "DRIFTED": "It disposes of units that had changed when a plan with them had been approved before.",
    "VIEW_SHRANK": "Fewer rows are in sight than at the plan before, beyond what our own runs have removed.",
    "CANARY": "A canary is not as the policy says.",
    "HOLD_NOT_FOUND": "A hold that was placed while the CRM did not answer is on a record that is not there.",
    "STORE_RECOVERED": "The database was lost or put back to an older day: holds and requests of since are not in it.",
    "REQUEST_UNDONE": "A restore of the CRM has undone what was written for a request: a birth date may be as before its correction.",
}

# What an alarm means; its own message says how many.
ALARMS: dict[str, str] = {
    "VIEW_SHRANK": "Rows are out of sight: a privilege may be lacking, or somebody has deleted them.",
    "NOTHING_DUE": "Nothing was found where there usually is something.",
    "CANARY": "A record of which the outcome is known came out otherwise: policy, mapping or data have changed.",
    "HOLD_NOT_FOUND": "What was to be kept may go: place the hold again with the right id, and have this one lifted.",
    "STORE_RECOVERED": "Place the holds of since again and register the requests again; then two people approve the plan.",
    "REQUEST_UNDONE": "The CRM was restored: ended uses end again, corrections are for a person; the plan of a replay names the rows.",
    "RESTORED": "The CRM was restored: rows that had been erased are back, and are erased again before anything else.",
    "MISSED_CHANGES": "The CRM had not told that rows came, changed or went, so nights by changes went by old ones; this plan read all.",
    "BACKLOG": "Units are long past their end, were planned to go, and are still there.",
    "NO_RUN": "Nights are missing.",
    "QUEUE_OLD": "They are kept for ever until somebody gives them a category, or decides on the row of the schedule (RET-14).",
    "UNACCOUNTED": "No request finds what is in them, and their units stay: map them, or say in the mapping that they may stay.",
    "TECHNICAL": "The same units are skipped for a technical reason again and again; only an administrator can help (HLD-13).",
    "LEFT_OVER": "Units are half done since an earlier run.",
    "RETAINED_REST": "The rest goes with the last of what it belongs to: look whether that has to stay.",
    "OBJECTS_WITHOUT_ROW": "Nothing will ever remove them; a person has to look whose they are.",
    "ROWS_WITHOUT_OBJECT": "Somebody has removed or moved it, or its storage is not there.",
    "OVERDUE": "The answer to a subject request is late (DDL-11).",
    "DUE_IN_10": "Ten days or less are left for the answer.",
    "DUE_IN_5": "Five days or less are left for the answer.",
    "DUE_IN_1": "The answer is due tomorrow, or today.",
    "QUESTION_UNANSWERED": "The person was asked something and has not answered; after 90 days the request is closed (DDL-08).",
    "RELEASED_NOT_CLOSED": "Until it is closed it keeps all about the person.",
    "NOTICE_DUE": "Recipients of data that were corrected, erased or restricted have not been told for fourteen days (art. 19).",
}

ANCHORS: dict[str, str] = {
    "last_activity": "last activity",
    "opened_on": "opening",
    "closed_on": "closing",
    "proceedings_ended_on": "end of the proceedings",
    "transmitted_on": "transmission",
    "ended_on": "end of the conversation",
    "booked_on": "booking",
    "held_on": "course",
    "birth_on": "birth date of the child",
    "birth_date": "birth date of the child",
    "owner": "the dossier or fiche that it belongs to",
}

TABLES: dict[str, str] = {
    "cf_dossier": "Dossier",
    "cf_fiche": "Lone fiche",
    "cf_recording": "Recording",
    "annotation": "Audio attachment",
    "email": "E-mail without dossier",
    "cf_donation": "Donation",
    "cf_enrolment": "Enrolment",
    "cf_engagement": "Agreement",
    "contact": "Contact",
}

# What a rule does, for the steps of a trace.
RULES: dict[str, str] = {
    "RET-01": "A dossier and its fiches end together",
    "RET-02": "A fiche without dossier ends by itself",
    "RET-03": "A recording has a term of its own; an audio attachment cannot outlive the fiche that it belongs to",
    "RET-04": "A contact ends with the last unit that refers to it",
    "RET-05": "Notes, e-mails, calls and roles follow their unit; audio is a recording",
    "RET-06": "The period of the schedule, counted from its anchor",
    "RET-07": "Last activity: the latest communication or re-opening",
    "RET-08": "Until an age: the latest birthday over all children",
    "RET-09": "The latest date on which the child can have been born",
    "RET-10": "Activity after that birthday keeps the unit six months longer",
    "RET-11": "The longest period of all categories wins",
    "RET-12": "Category and outcome give the key of the schedule",
    "RET-13": "An open dossier is not disposed of",
    "RET-14": "A category without a period keeps the unit",
    "RET-15": "A unit without a term is reviewed from time to time",
    "RET-16": "A date in the future keeps the unit",
    "RET-17": "Everything is read again at this moment",
    "RET-20": "A shared contact is kept until its last unit has gone",
    "RET-21": "Six months are the maximum for a recording",
    "RET-22": "A recording is kept longer for a named hold only",
    "RET-23": "The category with the latest end decides what happens",
    "DAT-01": "The day in the time zone of the schedule",
    "DAT-02": "Expired from the day after the retention end",
    "DAT-03": "Adding months: same day, or the last of the month",
    "DAT-05": "A birthday on 29 February counts as the 28th",
    "DAT-10": "A missing, a future and a filler date differ; none disposes",
    "DAT-14": "A conversation is dated on the day it ended",
    "HLD-04": "A hold covers all that depends on the record",
    "HLD-05": "A hold stops disposal and never moves the retention end",
    "HLD-08": "A pending request preserves all about the person",
    "HLD-09": "Restricted data may be stored, nothing else",
    "HLD-10": "An objection that is pending stops disposal",
    "HLD-14": "The hold flag of the CRM counts as a legal hold",
    "ERA-04": "A dossier with a public alert is deleted, never anonymised",
    "4.2": "All reasons that apply, the strongest first",
}


def reason_sentence(code: str) -> str:
    """Return what a reason or skip code means; empty for a code that has no sentence yet."""
    return REASONS.get(code) or SKIPS.get(code, "")


def advice(flag: str) -> Advice:
    return FLAGS.get(flag, Advice(""))


def anchor_name(anchor: str | None) -> str:
    """Return an anchor in words; an unknown one without its underscores."""
    return "" if anchor is None else ANCHORS.get(anchor, anchor.replace("_", " "))


def table_name(table: str) -> str:
    """Return what a unit of this table is called; another organisation's table keeps its name."""
    return TABLES.get(table, table)


def queue_sentence(queue: WorkQueue) -> str:
    """Return what waits for a person's decision, who has to decide and how old it is (RET-14)."""
    told = (
        f"Waiting for a decision of the {queue.owner}: {counted(queue.units, 'unit')}, the oldest for {counted(queue.oldest_days, 'day')}"
    )
    return f"{told}; due after {counted(queue.days, 'day')}, overdue: {grouped(queue.overdue)}."


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 item, 2 items."""
    return f"{grouped(number)} {noun}" if number == 1 else f"{grouped(number)} {noun}s"


def grouped(number: int) -> str:
    """Return a whole number in groups of three, separated by a narrow no-break space: 12 345."""
    return f"{number:,}".replace(",", "\u202f")


# What of the CRM's custom logic a disposal passes by, where the schedule says so.
BYPASSES: Final = {
    "plugins": "plug-ins and workflows of the CRM, which may hold something back, are passed by",
    "flows": "cloud flows are not started",
}


def bypass_sentence(word: str, units: int) -> str:
    """Return how many units bypass what, and what that means."""
    return f"{units} {'unit' if units == 1 else 'units'} by bypass of {word}: {BYPASSES.get(word, '')}"
