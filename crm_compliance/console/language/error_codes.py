"""The codes of errors in words: one plain sentence that says what is wrong and what to do. The message of the
program itself, in English, stands below it with the facts."""

from collections.abc import Mapping
from typing import Final

from crm_compliance.console.language.request_codes import BLOCKS, REFUSED
from jobs.register.intake import Wrong

# A code that says no more than that something is wrong: a message in the language of the page says more.
GENERAL: Final = frozenset({"error", "refused", "usage"})
# By the code of an error, or by the field of the command where one code stands for many fields.
_OF_ERRORS: Final[Mapping[str, str]] = {
    "error": "This did not work. Try again; if it fails again, tell the administrator.",
    "usage": "Something in what was asked is not right, or is no longer there. Correct it and try again.",
    "refused": "This is not possible as things stand now. Look again at what it is about.",
    "bug": "Something went wrong in the program itself. Tell the administrator what you were doing.",
    "too_many": "Somebody at this address has tried to sign in too often. Wait a minute, then try again.",
    "too_large": "This is more than can be sent here. Choose a smaller file, or write less.",
    "no_form": "What was sent did not come whole, or cannot be read. Open the page again, and send it again.",
    "old_page": (
        "This page was opened before you signed in again, or in another role, so nothing was taken. Open it again, and send it from there."
    ),
    "busy": "Something else is being done at this moment. Try again in a minute.",
    "exists": "This was made already. Look for it in the list.",
    "no_row": (
        "The CRM has no record with this id. Copy it once more from the address of its page in the CRM, and look which table it is in."
    ),
    "sent_before": (
        "This form had been sent already, and the service was restarted before it had answered. Look whether it was done; "
        "where it was not, send it from a page that you open again."
    ),
    "not_found": "What this is about is not there any more. Look for it again.",
    "anonymised": "This record is anonymised already, so nothing happens to it any more.",
    "in_anonymised": (
        "What this record belongs to is anonymised already, so no plan looks at it. Move it to where it belongs, or delete it, in the CRM."
    ),
    "out_of_scope": (
        "What this record belongs to is of no kind of the mapping, or it is tied there by a lookup that is not mapped for that, so no plan "
        "looks at it. Ask the administrator to map the table, or the lookup."
    ),
    "in_nothing": (
        "This record goes with nothing: what it belongs to has no term, or it belongs to nothing. It stays until somebody deletes it in "
        "the CRM; tie it to its file, and it goes with that."
    ),
    "outlived": (
        "This record belongs to nothing: records of its table stay, emptied, when their file goes. Where it is empty nothing happens to "
        "it; where it is not, tie it to its file in the CRM."
    ),
    "role": "Your role may not do this. Ask somebody whose role may.",
    "signin": "You could not be signed in. Try again; if it fails again, tell the administrator.",
    "no_role": "Your account has no role here. Ask the administrator for one, or sign in with another account.",
    "signin_unreachable": (
        "Nobody can sign in now: the sign-in service does not answer, or does not know this application. Tell the administrator."
    ),
    "same_person": "This takes a second person: you have had your part in it already. Ask a colleague.",
    "other_authority": "People have signed in elsewhere for this CRM so far. Ask the administrator to look at the sign-in settings.",
    "approval": "This plan still needs an approval. Ask the people whose approval is lacking.",
    "breaker": "This plan would take more than is usual, so people have to approve it first. Look at what is out of the ordinary.",
    "plan_state": (
        "This plan waits for nobody’s approval any more: it has them all, was carried out or rejected, or is too old. "
        "Look at the list of plans."
    ),
    "process_ended": "What was being done was ended from outside. Nothing was left half done: begin it again.",
    "clock_back": "The clock of this machine says a time before this plan was made. Tell the administrator.",
    "cut_off": "The service was restarted before this had ended. See how far it came, and begin it again.",
    "rules_changed": "The schedule, mapping, program or what the CRM deletes along has changed since this plan was made. Make a new plan.",
    "hold_not_found": "A hold that was placed while the CRM did not answer is on a record that is not there. Make a new plan: it says so.",
    "granted_no_more": "Of this request other things are carried out by now than this plan says. The next night carries out what remains.",
    "lines_removed": ("The lines of this plan have been removed: a plan that is not carried out keeps them for 30 days. Make a new plan."),
    "another_run": "Another run is at work, or was cut off and has to end first. Look at the history.",
    "lease_lost": "Another process has taken over, and nothing more is written here. Look at the history, then try again.",
    "stopped": "Everything is stopped: nothing is applied until the stop is lifted.",
    "quarantine_over": (
        "The days of this unit in quarantine are over, and the next run disposes of it. To keep it, place a hold on it now."
    ),
    "not_a_hold": ("Statistics, studies, research, training and quality are no reason to keep personal data longer. Give another reason."),
    "notice": "A restriction is lifted after the person was told. Give the day on which that was done, not in the future.",
    "released": "This hold was lifted already. There is nothing more to do.",
    "field_asked_by": "Name the account of who asks, as they sign in with it, without spaces: anna, or anna@example.org.",
    "field_ends_on": "The last day of the hold is in the past, or is not a day. Choose a day from today on, or leave it empty.",
    "field_review_on": "A hold is reviewed within 12 months. Choose a day from today on, at most 12 months ahead.",
    "field_basis": "The legal basis is missing. Say in a few words why it is kept, without personal data.",
    "field_reason": (
        "The reason code has letters, digits and . _ / - alone, at most 64 of them, without spaces and names. "
        "Write one such as LIT-2026-014."
    ),
    "field_where": (
        "A condition is one of the fields that are listed below for the table, an equals sign, and a value that the field can have. Write "
        "at least one, each on a line of its own; other tables than those listed are held by the id of a record."
    ),
    "field_type": "A hold of this type is not placed by hand. Choose another type, or register a request.",
    "field_obtained_by": "Only a restriction or an objection is obtained by somebody. Leave this field empty.",
    "not_frozen": ("Nobody can tell what a pending request keeps: its sealed part is gone. Restore the data folder, or close the request."),
    "attachment": (
        "A file of the answer is not there, is another one than was checked, or cannot be shown. Look at it again, or "
        "compile the answer again."
    ),
    "needle": "Something of other people is still in the answer, or is nearly the name of somebody. Review that item again.",
    "near_name": "A text has what looks like the name, number or address of somebody. Write a label in its place.",
    "unchecked": "A file is in the answer that no program can check. Look at it and say so, or withhold it.",
    "package_large": "The files of this answer are too much for one package. Withhold the largest, and hand those over in another way.",
    "not_shown": "This was not on your screen as it stands now. Look at it again, then decide.",
    "file_not_shown": "The file was not looked at to its end. Read it where it is shown, or download it, then decide.",
    "reader": "The program that reads files cannot be started here. Tell the administrator.",
    "crm": "The CRM did not answer as it should. Try again later; if it goes on, tell the administrator.",
    "crm_unreachable": "The CRM cannot be reached. Try again later; if it goes on, tell the administrator.",
    "crm_unauthorised": "The CRM does not accept the account of this service. Tell the administrator.",
    "crm_forbidden": "The account of this service lacks a privilege in the CRM. Tell the administrator.",
    "crm_throttled": "The CRM has too much to do at this moment. Try again in a few minutes.",
    "workers_lost": "What decides on units beside the program ended twice, so nothing was stored. Tell the administrator.",
    "crm_read_incomplete": (
        "The CRM gave only a part of what it has, so nothing was decided on it. Try again; if it goes on, tell the administrator."
    ),
    "clock": "The clock of this machine and that of the CRM differ by more than five minutes. Tell the administrator.",
    "other_crm": "This belongs to another CRM than the one that is served now. Ask the administrator to look at the settings.",
    "storage": "The storage of files outside the CRM cannot be reached, or refuses. Try again later, or tell the administrator.",
    "policy": "The retention schedule cannot be used as it is written. Correct the place that is named.",
    "other_zone": "This schedule counts its days in another time zone than before. Use the time zone of before.",
    "mapping": "The mapping cannot be used, or does not fit the CRM. Ask the administrator to correct the place that is named.",
    "organisation": "The file about the organisation cannot be used. Ask the administrator to correct the place that is named.",
    "alerts": "The file that says who is alerted cannot be used. Ask the administrator to correct the place that is named.",
    "disk": "A file could not be written: the disk is full, or a folder is missing or closed. Tell the administrator.",
    "open_to_others": "A folder of this service is open to other people on the machine. Tell the administrator.",
    "store": "The database of this service cannot be used at this moment. Try again; if it goes on, tell the administrator.",
    "store_altered": (
        "What is stored differs from what the ledger says. Change nothing, keep every file, and tell the data protection officer."
    ),
    "ledger_broken": (
        "The ledger is not whole: an entry does not follow from the one before it. Change nothing, keep every file, "
        "and tell the data protection officer."
    ),
    "head_missing": (
        "What was remembered of the end of the ledger is gone. Change nothing, keep every file, and tell the data protection officer."
    ),
    "ledger_head": "The file that remembers the end of the ledger is damaged. Tell the administrator.",
    "anchor": (
        "The external checkpoint log does not fit the ledger. Change nothing, keep every file, and tell the data protection officer."
    ),
    "store_lost": "The database is empty, and was not before. Ask the administrator to restore it from its backup.",
    "store_behind": (
        "The database was lost or put back to an older day: more has been erased than it knows. Ask the administrator to recover it."
    ),
    "key": "A key of this service is damaged, or others may read it. Tell the administrator.",
    "keys_missing": "Keys of this service are missing. Ask the administrator to restore them from their backup.",
    "seal_broken": "A sealed part of a request cannot be opened: it was changed, or its key is another one. Tell the administrator.",
    "timestamp": "The time-stamp authority did not answer as it should. Try again later, or tell the administrator.",
}
ERRORS: Final[Mapping[str, str]] = {**BLOCKS, **REFUSED, **_OF_ERRORS}
# By `jobs.register.intake.Wrong`: what is wrong with a field of a request that is typed in.
MISTAKES: Final[Mapping[str, str]] = {
    Wrong.MISSING: "Fill this in.",
    Wrong.DATE: "This is not a date. Write it as day/month/year, the year with four digits.",
    Wrong.FUTURE: "This day lies in the future.",
    Wrong.EARLY: "This day lies before 25 May 2018, when these rights began.",
    Wrong.LONG: "This is too long.",
    Wrong.MANY: "These are too many.",
    Wrong.NOBODY: "A name, a national number, a telephone number or an e-mail address is needed.",
    Wrong.CHILD_MISSING: "Say who the child is: who asks, asks for somebody else.",
    Wrong.CHILD_UNASKED: "Leave this empty: only a parent or a guardian asks for somebody else.",
    Wrong.CHOICE: "Choose one of the list.",
    Wrong.SIGNS: "This has a line end or another sign that does not belong there.",
    Wrong.LANGUAGE: "This is not the code of a language.",
    Wrong.UNKNOWN: "The file has a field that is not known.",
    Wrong.UNREADABLE: "The file cannot be read as a form: it is not JSON in UTF-8, is empty, or is too large.",
    Wrong.OTHER: "This is not as it should be.",
}
# By the code of a `rules.files.yaml_lines.Problem`: of which sort it is. What it says in full is in English.
PROBLEMS: Final[Mapping[str, str]] = {
    "yaml": "From here on this cannot be read as YAML.",
    "missing": "Something is missing here.",
    "unknown": "This word is not known here.",
    "form": "This does not belong here, or not as it is written.",
}
KINDS: Final[Mapping[str, Mapping[str, str]]] = {"error": ERRORS, "mistake": MISTAKES, "problem": PROBLEMS}
