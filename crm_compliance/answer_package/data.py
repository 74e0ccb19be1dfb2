"""The data: everything that is sent, complete and machine-readable (EXP-12, EXP-13). No id of the CRM and no
account of an employee is in it: only what the reviewed answer shows."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from crm_compliance.answer_package.content.particulars import basis_lines, processor_lines, recipient_lines, retention_lines, told_last_day
from crm_compliance.answer_package.content.retention import kept_data, kept_of
from crm_compliance.answer_package.content.view import Shown, ShownItem
from crm_compliance.answer_package.content.wording import Texts, texts_for
from jobs.model.answer import Compilation, Context
from rules.model.languages import USUAL
from rules.model.requests import ARTICLES, Right
from rules.organisation.organisation import Organisation

SCHEMA_VERSION: Final = "1.0"


def data_json(compilation: Compilation, shown: Shown, organisation: Organisation) -> bytes:
    """Make the file: days and instants in ISO 8601, instants on the clock of the organisation with their
    offset."""
    texts = texts_for(compilation, organisation)
    authority = organisation.authority
    document: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "request_id": compilation.request,
        "reference": compilation.reference,
        "generated_at": compilation.generated_at.astimezone(texts.zone).isoformat(timespec="seconds"),
        "language": texts.language,
        "contexts": [_context(context, texts) for context in shown.contexts],
        "items": [_item(item) for item in shown.items],
        "withheld": [{"class": each.what, "code": each.code} for each in shown.withheld],
        "rights": [{"right": right.value, "article": ARTICLES[right], "text": texts.say("rights", right.value)} for right in Right],
        "authority": {
            "name": authority.name.in_language(texts.language),
            "address": authority.address.in_language(texts.language),
            "email": authority.email,
        },
    }
    if words := _words_for(shown.items, compilation.words):
        document["words"] = words
    if kept := kept_of(compilation):
        document["kept"] = [kept_data(each, texts) for each in kept]
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def _words_for(items: Sequence[ShownItem], words: Mapping[str, str]) -> dict[str, str]:
    """Return the words for what is shown. Others would tell of what is withheld."""
    values = [field.value for item in items for field in item.fields if field.name == "categories"]
    shown = {f"categories.{key}" for value in values for key in str(value).split(", ")}
    kinds = {item.kind for item in items}
    return {name: text for name, text in words.items() if name in shown or name.partition(".")[0] in kinds}


def _context(context: Context, texts: Texts) -> dict[str, object]:
    retention, last_day = context.retention, told_last_day(context.retention)
    criterion = retention.criterion.removeprefix("six_months_")  # a schedule may have another term
    return {
        "context": context.key,
        "type": context.kind,
        "role": context.role,
        "roles": list(context.roles or (context.role,)),
        "category": context.category_labels.get(texts.language) or context.category_labels.get(USUAL, ""),
        "purpose": [texts.code("purpose", code) for code in context.purposes],
        "basis": texts.joined(basis_lines(context, texts)),
        "data_categories": list(context.data_categories),
        "special": context.special,
        "recipients": [
            {
                "name": texts.code("recipient_category", each.name) if each.is_category else each.name,
                "category_only": each.is_category,
                "on": each.on or None,
                "country": each.country or None,
                "safeguard": each.safeguard or None,
            }
            for each in context.recipients
        ],
        "recipients_text": list(recipient_lines(context.recipients, texts)),  # also where nobody is named: neither denied nor betrayed
        "processors": list(processor_lines(context.processors, texts)),
        "retention": {
            "last_day": last_day.isoformat() if last_day is not None else None,
            "criterion": "own_request" if retention.is_over and not retention.is_held else criterion or None,
            "text": " ".join(retention_lines(context, texts)),
        },
        "source": [texts.code("source", code) for code in context.sources],
        "rights": list(context.rights),
    }


def _item(item: ShownItem) -> dict[str, object]:
    document: dict[str, object] = {
        "item": item.number,
        "context": item.context,
        "type": item.kind,
        "title": item.title,
        "date": item.at or None,
        "fields": {field.name: field.value for field in item.fields},
        "redactions": [
            {"field": field.name, "class": each.what, "label": each.label, "rule": each.rule}
            for field in item.fields
            for each in field.redactions
        ],
    }
    if item.attachment is not None:
        document["attachment"] = f"attachments/{item.attachment.name}"
    if item.status:
        document["status"] = item.status
    return document
