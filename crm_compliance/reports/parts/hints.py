"""What a person can do next, in the words of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rules.hints import Advice, Hint

TEXTS: Final[Mapping[Advice, str]] = {
    Advice.APPLY: "crm-compliance apply {plan}",
    Advice.APPLY_FIRST: "first: crm-compliance apply {plan}",
    Advice.APPROVE_ANSWER: "crm-compliance requests approve {request}",
    Advice.APPROVE_PLAN: "crm-compliance plans approve {plan} --as WHO --role ROLE",
    Advice.CERTIFICATES_OF_RUN: "its certificates: crm-compliance certificate {run}",
    Advice.CLOSE_LAPSED: "crm-compliance requests close {request} --outcome MANDATE_LAPSED (RGT-07)",
    Advice.COMPILE: "crm-compliance requests compile {request}",
    Advice.COMPILE_COMPLETE: "crm-compliance requests compile {request} (EXP-14)",
    Advice.COMPILE_CORRECTED: (
        "correct the row in the CRM, then crm-compliance requests compile {request}; decisions on what is the same stand"
    ),
    Advice.COMPILE_FIRST: "crm-compliance requests compile {request} --as WHO --role dpo",
    Advice.CONFIRM: "crm-compliance requests confirm {request} CANDIDATE… | --none",
    Advice.CONFIRM_ANEW: "crm-compliance requests confirm {request}",
    Advice.DECIDE: "crm-compliance requests decide {request} --grant ITEM… | --refuse RF-nn",
    Advice.DECIDE_AGAIN: "decide again: crm-compliance requests decide {request} --grant ITEM… | --refuse RF-nn",
    Advice.DECIDE_REVIEWED: "crm-compliance requests review {request}; override the rule by two people, then compile again",
    Advice.EXPORT_HISTORY: "their number and their root stay in the ledger: crm-compliance history export",
    Advice.FILL_IN_FORM: "crm-compliance requests open --help shows a form; nothing was stored",
    Advice.LIST_QUARANTINE: "crm-compliance quarantine list",
    Advice.MATCH: "crm-compliance requests match {request}",
    Advice.MATCH_AGAIN: "match and confirm again, then crm-compliance requests compile {request} (EXP-14)",
    Advice.NAME_ITEM_OR_REFUSE: "name an item, or crm-compliance requests decide {request} --refuse {ground}",
    Advice.NEXT_APPROVE: "next: crm-compliance requests review {request}, then requests approve {request}",
    Advice.NEXT_CLOSE: "next: crm-compliance requests close {request} --outcome CODE",
    Advice.NEXT_DECIDE: ("next: crm-compliance requests review {request}, then requests decide {request}, then requests approve {request}"),
    Advice.NEXT_IDENTIFY: "next: crm-compliance requests identify {request} --method METHOD",
    Advice.NEXT_RELEASE: "next: crm-compliance requests release {request}",
    Advice.NEXT_RESUME: "next: crm-compliance requests resume {request} --answered-on DATE",
    Advice.NEXT_SEARCH: ("next: crm-compliance requests match {request}, then requests confirm {request}, then requests compile {request}"),
    Advice.OPEN_REQUEST: "crm-compliance requests open",
    Advice.OVERRIDE_CONTACT: (
        "two people set it aside: crm-compliance requests override {request} --rule NO_CONTACT --reason CODE (IDV-05)"
    ),
    Advice.OVERRIDE_CONTRADICTION: "two people: crm-compliance requests override {request} --rule {rule} --reason CODE",
    Advice.OVERRIDE_THEN_COMPILE: "{rules}: two people set the rule aside (requests override), then compile again",
    Advice.PLAN_AGAIN: (
        "plan again (crm-compliance plan), and let the new plan be approved where it asks for it; or put back what has changed"
    ),
    Advice.RECOVER: "restore the newest backup of the database; if there is none newer: crm-compliance recover",
    Advice.REFUSE: "crm-compliance requests decide {request} --refuse {ground}",
    Advice.RESTORE_ALTERED: (
        "somebody has changed the database; restore it from a backup, look at crm-compliance ledger verify, and tell the DPO"
    ),
    Advice.RESTORE_UNSIGNED: (
        "nothing goes on with it: restore the database from a backup and tell the DPO; crm-compliance ledger verify tells more"
    ),
    Advice.RESUME: "crm-compliance resume, then apply the same plan again: it goes on where it was",
    Advice.REVIEW: "crm-compliance requests review {request}",
    Advice.REVIEW_PENDING: "crm-compliance requests review {request} --decisions FILE",
    Advice.REVIEW_PORTABLE: "crm-compliance requests review {request} --decisions F.jsonl",
    Advice.REVIEW_NEEDLE: (
        'crm-compliance requests review {request} --decisions FILE with the line {{"item": "{item}", "status": "WITHHELD", '
        '"code": "RF-03"}}, {other}; then approve and release it; every other decision stands'
    ),
    Advice.SHOW_ITEMS: "crm-compliance requests review R shows them",
    Advice.SHOW_NOTICES: "crm-compliance requests notices {request}",
    Advice.SHOW_RUN: "crm-compliance history show {run}",
    Advice.VERIFY_LEDGER: "crm-compliance ledger verify",
    Advice.VERIFY_LEDGER_AND_TELL: "crm-compliance ledger verify; tell the DPO",
    Advice.WRITE_CERTIFICATES: "crm-compliance certificate RUN --output F.json writes one",
}


def in_words(hint: str | Hint) -> str:
    """The words of a hint; one in words stays as it is."""
    return hint if isinstance(hint, str) else TEXTS[hint.advice].format_map(hint.facts)


def commands_after(hint: Hint | None) -> str:
    """The commands that come next; empty where nothing does."""
    return in_words(hint).removeprefix("next: ") if hint is not None else ""
