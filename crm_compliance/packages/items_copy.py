"""The copy of the data, item by item, as a person reads it (EXP-01, EXP-12)."""

from __future__ import annotations

from crm_compliance.packages.answer import Entries, Entry, Fact, Paragraph, Section
from crm_compliance.packages.shown import Shown, ShownField, ShownItem
from crm_compliance.packages.wording import Texts
from jobs.disclosure import Compilation, Item


def copy_sections(compilation: Compilation, shown: Shown, texts: Texts) -> tuple[Section, ...]:
    """The items below the contexts that they belong to, in the order of their numbers."""
    intro = Paragraph(texts.say("access", "copy_intro" if shown.items else "empty"))
    sections = [Section(texts.say("access", "copy"), (intro,), annex=True)]
    columns = (texts.say("access", "number"), texts.say("access", "what"), texts.say("access", "contents"))
    kinds = {context.key: (number, context.kind) for number, context in enumerate(shown.contexts, 1)}
    for key in dict.fromkeys(item.context for item in shown.items):
        number, kind = kinds.get(key, (0, ""))
        named = texts.code("kind", kind) if kind else texts.say("access", "contents")
        title = texts.say("access", "context", number=str(number), kind=named) if number else named
        entries = tuple(entry_of(item, texts) for item in shown.items if item.context == key)
        sections.append(Section(title, (Entries(columns, entries),), level=3, annex=True))
    return tuple(sections)


def entry_of(item: ShownItem, texts: Texts) -> Entry:
    """One item in words: its kind and title, its day, its fields."""
    what = texts.code("kind", item.kind)
    if item.title and item.title != item.kind:
        what = f"{what}: {texts.code('kind', item.title)}"
    facts = [Fact(texts.code("field", field.name), _lines(field, texts)) for field in item.fields]
    if item.attachment is not None:
        facts.append(Fact(texts.say("access", "attached"), (f"attachments/{item.attachment.name}",)))
    told = tuple(fact for fact in facts if fact.lines)
    return Entry(item.number, what, texts.value(item.at) if item.at else "", told or (Fact("", (texts.say("access", "nothing"),)),))


def _lines(field: ShownField, texts: Texts) -> tuple[str, ...]:
    if field.value is not None and field.value != "":
        return (texts.value(field.value),)
    return tuple(dict.fromkeys(each.label for each in field.redactions))


def deed_of(item: Item, texts: Texts) -> str:
    """What granting an item does, in words: the deed, the kind of row with its day, and which fields; never their values."""
    at = f", {texts.value(item.at)}" if item.at else ""
    fields = ", ".join(texts.code("field", field.name) for field in item.fields if not field.is_text)
    about = f"{texts.code('kind', item.kind)}{at}" + (f" ({fields})" if fields else "")
    return f"{texts.code('what', item.title)}: {about}"
