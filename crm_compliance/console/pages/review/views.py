"""What the page shows of an item: the texts beside each other, what was replaced, where it comes from."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from crm_compliance.configuration.organisation import product_texts
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.review.answers import Answer
from crm_compliance.console.pages.review.filters import MARKS, STATES, Filter, marks_of
from crm_compliance.console.pages.review.headers import SHOWN_HERE
from crm_compliance.reports.requests.review_page import REASONS, compared
from jobs.model.answer import NOT_THE_PERSON, Compilation, Context, Field, Item, ItemStatus
from jobs.register.decision import What
from jobs.requests.answer.decisions_file import version_of
from jobs.requests.decisions.propose import PROPOSALS
from rules.model.media_types import plain_type
from rules.model.requests import COPIES
from rules.organisation.category_names import category_labels
from rules.redaction.labels import label_for

AROUND: Final = 40  # items of the list before and after the one that is looked at
LABELS: Final = ("name", "other", "parent", "child", "professional", "phone", "email", "address", "birth_date")
TONES: Final = {
    ItemStatus.PENDING_REVIEW: "warn",
    ItemStatus.APPROVED: "good",
    ItemStatus.APPROVED_REDACTED: "good",
    ItemStatus.WITHHELD: "neutral",
}
MARK_TONES: Final = {"mention": "warn", "unread": "bad", "guess": "warn", "by_rule": "info"}


class Row(NamedTuple):
    """One line of the list of items."""

    item: Item
    place: int
    title: str
    at: str
    href: str
    tone: str


class Choice(NamedTuple):
    """One thing to filter by, and how many items it leaves."""

    value: str
    words: str
    number: int


def said_of(visit: Visit, table: Literal["field", "kind", "value", "role"], code: str) -> str:
    """Return what answers call a field, kind, value or role, in the language of the page, as the organisation
    words it; empty where there are no words."""
    own = visit.services.organisation.words.get(table, {}).get(code)
    return (own.in_language(visit.language) if own is not None else "") or product_texts(visit.language)[table].get(code, "")


def item_values(answer: Answer, item: Item, among: Filter) -> dict[str, Any]:
    """Return what the template of one item is given."""
    visit, compilation = answer.visit, answer.compilation
    original = "\n\n".join(str(field.value) for field in item.fields if field.is_text and field.value is not None)
    shown = item.text if item.text is not None else _proposed(visit, item)
    before, after = compared(original, shown)
    if not item.needs_review:
        before = after = ""  # type: ignore[assignment]  # of fields alone there are no texts to compare
    language = compilation.language
    previous, following = among.neighbours(answer.items, language, item)
    media = plain_type(item.attachment.media_type) if item.attachment is not None else ""
    return {
        "item": item,
        "answer": answer,
        "compilation": compilation,
        "among": among,
        "place": answer.items.index(item) + 1,
        "total": len(answer.items),
        "title": title_of(answer, item),
        "when": when(visit, item.at),
        "context": context_words(answer, item.context),
        "marks": [(mark, visit.word("mark", mark), MARK_TONES.get(mark, "neutral")) for mark in marks_of(item, language)],
        "tone": TONES[item.status],
        "version": version_of(item),
        "told": [(field_words(visit, compilation, item, field), value_words(visit, field)) for field in item.fields if not field.is_text],
        "before": before,
        "after": after,
        "shown": shown,
        "is_draft": item.status is ItemStatus.PENDING_REVIEW and item.text is not None,
        "replaced": _replaced(visit, item),
        "previous": f"{answer.path}/{previous.item}{among.query}" if previous else "",
        "following": f"{answer.path}/{following.item}{among.query}" if following else "",
        "labels": [(label_for(what, language), visit.word("label", what)) for what in LABELS],
        "reasons": [(code, visit.word("withheld", code)) for code in REASONS if code != NOT_THE_PERSON],
        "is_copy": compilation.right in COPIES,
        "file_address": f"{answer.path}/{item.item}/file" if item.attachment is not None else "",
        "media": media,
        "is_shown_here": media in SHOWN_HERE,
    }


def _proposed(visit: Visit, item: Item) -> str:
    """Return what is proposed of an item: a text as it is, a deed in the language of the page."""
    is_deed = item.title in list(What) and item.proposal == PROPOSALS[What(item.title)]
    return visit.word("deed", item.title) if is_deed else item.proposal


def list_values(answer: Answer, among: Filter, here: Item | None) -> dict[str, Any]:
    """Return what the list beside the item is given: those around it, and how far the review is."""
    found = among.among(answer.items, answer.compilation.language)
    places = {item.item: number for number, item in enumerate(answer.items, 1)}
    near = places[here.item] if here is not None else 0
    first = next((number for number, item in enumerate(found) if places[item.item] >= near), len(found))
    begin = max(0, min(first - AROUND, len(found) - 2 * AROUND))
    some = found[begin : begin + 2 * AROUND]
    return {
        "rows": [row_of(answer, among, item, places[item.item]) for item in some],
        "found": len(found),
        "first": begin + 1 if some else 0,
        "last": begin + len(some),
        "at_item": here.item if here is not None else "",
        **progress_values(answer),
    }


def row_of(answer: Answer, among: Filter, item: Item, place: int) -> Row:
    visit = answer.visit
    day = visit.formats.day(item.at[:10]) if len(item.at) >= len("2026-03-02") else ""
    return Row(item, place, title_of(answer, item), day, f"{answer.path}/{item.item}{among.query}", TONES[item.status])


def progress_values(answer: Answer) -> dict[str, Any]:
    """Return how far the review is: of the items that a person has to look at."""
    needed = [item for item in answer.items if item.needs_review]
    return {
        "needed": len(needed),
        "decided": sum(item.status is not ItemStatus.PENDING_REVIEW for item in needed),
        "pending": answer.compilation.pending,
    }


def filter_values(answer: Answer, among: Filter) -> dict[str, Any]:
    """Return what the filter offers: nothing that leaves no item, but what is chosen."""
    visit, items, language = answer.visit, answer.items, answer.compilation.language
    marks = Counter(mark for item in items for mark in marks_of(item, language))
    kinds, contexts = Counter(item.kind for item in items), Counter(item.context for item in items)
    return {
        "among": among,
        "states": states_of(answer),
        "marks_offered": [Choice(mark, visit.word("mark", mark), marks[mark]) for mark in MARKS if marks[mark] or mark == among.mark],
        "kinds_offered": [Choice(kind, kind_words(answer, kind), number) for kind, number in kinds.items()],
        "contexts_offered": [Choice(key, context_words(answer, key), number) for key, number in contexts.items() if key],
    }


def states_of(answer: Answer) -> list[Choice]:
    """Return how many items are in each state: another number after each decision."""
    return [Choice(name, answer.visit.word("items", name), sum(map(takes, answer.items))) for name, takes in STATES.items()]


def title_of(answer: Answer, item: Item) -> str:
    """Return what an item is, with its number."""
    number = next((str(field.value) for field in item.fields if field.name == "number" and field.value), "")
    return f"{kind_words(answer, item.kind)} {number}".strip()


def kind_words(answer: Answer, kind: str) -> str:
    """Return what a kind is called: an own table by the CRM, as in the answer, any other by the product."""
    return answer.compilation.words.get(kind) or answer.visit.word("item_kind", kind)


def context_words(answer: Answer, key: str) -> str:
    """Return which dossier or other context an item is in: kind, number, category, and the role of the
    person."""
    found = next((each for each in answer.compilation.contexts if each.key == key), None)
    if found is None:
        return key
    label = found.category_labels.get(answer.visit.language) or next(iter(found.category_labels.values()), "")
    role = said_of(answer.visit, "role", found.role) or found.role.replace("_", " ")
    named = f"{kind_words(answer, found.kind)} {number_of(found, answer.items)}".strip()
    return ", ".join(filter(None, (named, label, role)))


def number_of(context: Context, items: Sequence[Item]) -> str:
    """Return the number by which people know a dossier or fiche, as its own item has it; empty where it has
    none."""
    own = (item for item in items if item.context == context.key and item.kind == context.kind)
    return next((str(field.value) for item in own for field in item.fields if field.name == "number" and field.value), "")


def when(visit: Visit, at: str) -> str:
    """Return a day or an instant in words; what is neither as it is."""
    try:
        return visit.formats.day(at) if len(at) <= len("2026-03-02") else visit.formats.clock(at)
    except (ValueError, OverflowError):  # or on the last day that there is
        return at


def field_words(visit: Visit, compilation: Compilation, item: Item, field: Field) -> str:
    """Return what a field is called: as in the answer, else by the CRM, else as what is asked for."""
    own = compilation.words.get(f"{item.kind}.{field.name}")
    return said_of(visit, "field", field.name) or own or said_of(visit, "kind", field.name) or field.name.replace("_", " ")


def value_words(visit: Visit, field: Field) -> str | None:
    """Return the value of a field in words; None where it is not shown."""
    if isinstance(field.value, bool):
        return said_of(visit, "value", "yes" if field.value else "no")
    if field.value is None:
        return None
    text = str(field.value)
    if field.name == "categories":
        labels = category_labels(visit.services.policy_shown())
        return ", ".join(said_of(visit, "value", key) or labels.get(key, {}).get(visit.language, key) for key in text.split(", "))
    return said_of(visit, "value", text) or (when(visit, text) if field.name.endswith(("_on", "_at", "birthdate")) else text)


def _replaced(visit: Visit, item: Item) -> list[tuple[str, str, str, int]]:
    """Return what was replaced, by what, by which rule, and how often."""
    found = Counter((each.what, each.label, each.rule) for each in item.redactions)
    for field in item.fields:
        if not field.is_text:
            found.update((each.what, each.label, each.rule) for each in field.redactions)
    return [(visit.word("redacted", what), label, rule, times) for (what, label, rule), times in sorted(found.items())]
