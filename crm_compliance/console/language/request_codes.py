"""The codes of subject requests in words, by the kind of code."""

from collections.abc import Mapping
from typing import Final

from jobs.model.request import CONTACT_KIND
from jobs.register.decision import NoticeState, NotTold, What
from rules.model.file_roles import FileRole
from rules.model.requests import RIGHT_NAMES, Channel, IdentityMethod, Mandate, Outcome, RequesterKind
from rules.people.candidates import BIRTHDATE_NEAR, NAME_DIFFERS, PHONE_GUESSED, Evidence, Strength

REQUESTERS: Final[Mapping[str, str]] = {
    RequesterKind.CHILD: "Child",
    RequesterKind.FORMER_CHILD: "Former child, now an adult",
    RequesterKind.PARENT_SELF: "Parent, for their own data",
    RequesterKind.PARENT_FOR_CHILD: "Parent, for a child",
    RequesterKind.GUARDIAN: "Guardian, institution or lawyer, for a child",
    RequesterKind.REPORTER: "Person who reported",
    RequesterKind.WITNESS: "Witness",
    RequesterKind.DONOR: "Donor",
    RequesterKind.VOLUNTEER: "Volunteer",
    RequesterKind.TRAINING: "Participant of a training",
    RequesterKind.PARTNER: "Contact at a partner organisation",
    RequesterKind.EMPLOYEE: "Employee",
    RequesterKind.UNKNOWN: "Not said",
}
CHANNELS: Final[Mapping[str, str]] = {
    Channel.FORM: "Web form",
    Channel.EMAIL: "E-mail",
    Channel.POST: "Letter",
    Channel.TELEPHONE: "Telephone",
    Channel.IN_PERSON: "In person",
}
METHODS: Final[Mapping[str, str]] = {
    IdentityMethod.KNOWN_CHANNEL: "By the channel that is in the file",
    IdentityMethod.EID: "By eID",
    IdentityMethod.SHOWN: "A document was shown",
    IdentityMethod.COPY: "A copy, with photo and number masked",
}
MANDATES: Final[Mapping[str, str]] = {
    Mandate.SHOWN: "Shown",
    Mandate.NOT_SHOWN: "Not shown",
    Mandate.CONTESTED: "Contested",
}
OUTCOMES: Final[Mapping[str, str]] = {
    Outcome.DELIVERED: "Delivered",
    Outcome.DELIVERED_PARTLY: "Delivered in part",
    Outcome.DONE: "Done",
    Outcome.NEUTRAL: "Neutral answer",
    Outcome.REFUSED: "Refused",
    Outcome.MANDATE_LAPSED: "The mandate has ended",
    Outcome.NOT_IDENTIFIED: "Not identified",
    Outcome.WITHDRAWN: "Withdrawn by the person",
}
REFUSALS: Final[Mapping[str, str]] = {
    "RF-01": "The identity is not established",
    "RF-02": "Erasure is refused: the data are still needed",
    "RF-03": "It concerns other people",
    "RF-04": "Portability does not apply to these data",
    "RF-05": "Compelling grounds require the processing to go on",
    "RF-06": "The processing does not rest on consent",
    "RF-07": "It is not established that they may act for the child",
    "RF-08": "The request is manifestly excessive",
    "RF-09": "Rectification is refused: the data are not shown to be wrong",
    "RF-10": "Restriction is refused: no case of the law applies",
}
QUESTIONS: Final[Mapping[str, str]] = {"identity": "Who they are", "scope": "What the request is about"}
EXTENSIONS: Final[Mapping[str, str]] = {"complexity": "The request is complex", "number": "There are many requests"}
TARGETS: Final[Mapping[str, str]] = {
    "acknowledgement": "Acknowledge the receipt",
    "identity": "Check who asks",
    "search": "Search and confirm",
    "draft": "Draft of the answer",
}
ANSWERS: Final[Mapping[str, str]] = {
    "package": "Something may be told",
    "neutral": "The neutral answer",
    "dpo_review": "Waits for a decision of yours",
}
SCOPES: Final[Mapping[str, str]] = {
    "own": "The person's own data",
    "on_behalf": "The data of the child",
    "on_behalf_limited": "The data of the child, item by item",
}
STRENGTHS: Final[Mapping[str, str]] = {
    Strength.STRONG: "Strong",
    Strength.MEDIUM: "Medium",
    Strength.WEAK: "Weak",
    Strength.CONTRADICTION: "Contradiction",
}
EVIDENCE: Final[Mapping[str, str]] = {
    Evidence.NATIONAL_NUMBER: "Same national number",
    Evidence.NAME: "Same name",
    Evidence.NAME_FUZZY: "A similar name",
    Evidence.SWAPPED_NAMES: "First and last name exchanged",
    Evidence.FIRST_NAME: "Same first name",
    Evidence.LAST_NAME: "Same last name",
    Evidence.BIRTH_DATE: "Same birth date",
    Evidence.BIRTH_DATE_NEAR: "A birth date close to it",
    Evidence.BIRTH_YEAR: "Same year of birth",
    Evidence.PHONE: "Same telephone number",
    Evidence.EMAIL: "Same e-mail address",
    Evidence.NATIONAL_NUMBER_DIFFERS: "Another national number",
    Evidence.BIRTH_DATE_DIFFERS: "Another birth date",
    BIRTHDATE_NEAR: "The birth dates lie close together",
    PHONE_GUESSED: "The country of the telephone number was guessed",
    NAME_DIFFERS: "Another name",
}
ABOUT: Final[Mapping[str, str]] = {
    "direct_marketing": "Direct marketing",
    "recording": "Recordings of calls",
    "processing": "The processing as a whole",
    "accuracy": "The accuracy of the data",
    "unlawful": "Unlawful processing",
    "claim": "A legal claim",
    "objection": "An objection that is being weighed",
    "newsletter": "The newsletter",
    "image": "A picture",
    "testimonial": "A testimonial",
}
ROLES_IN_FILES: Final[Mapping[str, str]] = {
    FileRole.CHILD: "Child",
    FileRole.PARENT: "Parent",
    FileRole.GUARDIAN: "Guardian",
    FileRole.REPORTER: "Person who reported",
    FileRole.WITNESS: "Witness",
    FileRole.PROFESSIONAL: "Professional",
    FileRole.OTHER: "Another role",
    FileRole.SUSPECT: "Suspect",
    "no_role": "In no file",
}
ROWS: Final[Mapping[str, str]] = {
    CONTACT_KIND: "Contact",
    "dossier": "Dossier",
    "fiche": "Fiche",
    "recording": "Recording",
    "party": "Role in a file",
    "donation": "Gift",
    "enrolment": "Training",
    "engagement": "Agreement",
    "newsletter": "Newsletter",
    "note": "Note",
    "call": "Telephone call",
    "email": "E-mail",
    "request": "Earlier request",
    "participant": "Participant of an activity",
    "recipient": "Recipient",
}
DEEDS: Final[Mapping[str, str]] = {
    What.ERASE: "Erase it, with all rows that depend on it",
    What.DISOWN: "Roles in a file stay, and no longer say whose they are",
    What.PROFILE: "Erase the contact, as far as nothing else needs it",
    What.CORRECT: "Correct a field",
    What.ANNOTATE: "Add a dated note; the original stays",
    What.RESTRICT: "Restrict: stored, and nothing else",
    What.UNSUBSCRIBE: "No newsletter and no bulk e-mail any more",
    What.NO_IMAGE: "Remove the picture",
    What.NO_CALLER: "Remove from where was reported",
    What.RECORDED: "People see to it; nothing stands in the CRM for it",
}
NOTICES: Final[Mapping[str, str]] = {
    NoticeState.WAITING: "Waits until it is done",
    NoticeState.DUE: "To be told",
    NoticeState.TOLD: "Told",
    NoticeState.NOT_TOLD: "Not told",
}
NOT_TOLD: Final[Mapping[str, str]] = {
    NotTold.IMPOSSIBLE: "It is impossible",
    NotTold.DISPROPORTIONATE: "It would take a disproportionate effort",
}
BLOCKS: Final[Mapping[str, str]] = {
    "NO_CONTACT": "The file says that the person is not to be contacted",
    "CHANNEL_CHANGED": "The address or number was changed in the last 30 days",
    "TRANSFER_BASIS_MISSING": "A transfer outside the EEA has no recorded ground",
    "MANDATE_LAPSED": "The child is of age: the mandate has ended",
    "DPO_REVIEW": "The data protection officer has to decide first",
    "RGT-05": "The child did not agree, is too young to ask alone, or has no known birth date",
    "RGT-13": "The person is recorded as dead, but was identified alive",
    "SUS-05": "The role of the person in a file cannot be read from the CRM",
    "SUS-06": "A file shares a child with one in which the requester is suspected",
    "SUS-08": "The suspicion in a file has ended",
    "SUS-11": "The requester is suspected in a file of the child",
    "IDN-17": "A candidate contradicts what is known of the person",
    "IDV-05": "The address of the answer is not to be used without a new check",
}
PLACES: Final[Mapping[str, str]] = {
    "backups": "Backups, which expire",
    "search_index": "The search index, a copy outside the CRM",
    "lake": "The data lake, a copy outside the CRM",
    "offline": "Offline copies of users",
    "copies": "Copies outside the CRM: the mapping does not say whether there are any",
    "kind": "Kinds of rows that are not mapped",
    "table": "Tables that lead to people and are not mapped",
    "column": "Columns that are not mapped",
    "recordings_audio": "The sound of recordings, beyond their transcript",
    "attachments_content": "What is in files on notes",
    "library_content": "Documents in SharePoint that belong to others",
    "email_attachments": "Files on e-mails",
    "external_storage": "Recordings outside the CRM: no storage is set",
    "documents": "Documents in SharePoint",
    "other_activities": "Letters, appointments and other activities",
    "bin": "The recycle bin: this account may not look into it",
    "retained": "Long-term retention: this account may not look into it",
    "audit_history": "Old values in the history of changes",
}
# What a person reads where a step is refused: the code stands beside it.
REFUSED: Final[Mapping[str, str]] = {
    "state": "This step is not possible as the request stands now. Somebody may have moved it meanwhile.",
    "changed": "The request was changed meanwhile, by somebody else or in another window. Look at it again.",
    "same_person": "This takes a second person: you have already given your approval.",
    "pending_item": "Some items still wait for a review.",
    "dpo_review": "This answer waits for a decision: two people set a rule aside, and it is compiled again.",
    "undecided": "Nothing has been decided on this right yet.",
    "incomplete": "A row that belongs to the answer is not in it. Search, confirm and compile again.",
    "standing_changed": "What may be told has changed since the answer was compiled. Compile it again.",
    "not_approved": "Nobody has approved the content yet.",
    "not_matched": "Nobody has searched for the person yet.",
    "not_confirmed": "Nobody has said yet who the person is.",
    "not_compiled": "There is no answer yet.",
    "contradiction": "A candidate contradicts what is known of the person. Two people first set the rule IDN-17 aside.",
    "erased": (
        "What was said with this request cannot be opened any more: its key is gone. Have the data folder restored from its backup; "
        "where none has the key, register the request again with the day on which it came, and close this one."
    ),
    "asked_before": "This question is recorded already, and still open. Record the answer once it comes.",
    "extended": "A request is extended once.",
    "no_extension": "This request cannot be extended.",
    "EXTENSION_TOO_LATE": "The person had to be told before the due date was over. The due date stands.",
    "outcome": "This is not how the request ended.",
    "gone": "The link has ended or was withdrawn. Hand the archive over in another way.",
    "nothing_to_grant": "Nothing here can be granted.",
    "waiting": "What this recipient would be told has not been done yet.",
    "other_crm": "This request belongs to another CRM than the one that is served now.",
    # By the field, where one does not fit.
    "field_asked_on": "The day of the question lies before the receipt or in the future.",
    "field_answered_on": "The day of the answer lies before the question or in the future.",
    "field_notified_at": "The notice lies before the receipt or in the future.",
    "field_on": "The day lies in the future, or before the day on which it was done.",
    "field_reason": "Choose one of the reasons, or write one as a code.",
    "field_rule": "This rule is not one that can be set aside.",
    "field_outcome": "Choose how it ended.",
    "field_refuse": "This text is not a refusal of this right.",
    "busy": "Something is being done for this request already. Wait until it has ended.",
}

KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "right": {right.value: name for right, name in RIGHT_NAMES.items()},
    "requester": REQUESTERS,
    "channel": CHANNELS,
    "method": METHODS,
    "mandate": MANDATES,
    "request_outcome": OUTCOMES,
    "refusal": REFUSALS,
    "question": QUESTIONS,
    "extension": EXTENSIONS,
    "target": TARGETS,
    "answer": ANSWERS,
    "scope": SCOPES,
    "strength": STRENGTHS,
    "evidence": EVIDENCE,
    "about": ABOUT,
    "file_role": ROLES_IN_FILES,
    "row": ROWS,
    "deed": DEEDS,
    "notice": NOTICES,
    "not_told": NOT_TOLD,
    "block": BLOCKS,
    "place": PLACES,
    "refused": REFUSED,
}
