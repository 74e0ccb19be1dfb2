"""The copy of the data, item by item, as a person reads it (EXP-01, EXP-12)."""

from crm_compliance.answer_package.content.answer import Entries, Entry, Fact, Group, Index, Paragraph, Section
from crm_compliance.answer_package.content.view import Shown, ShownField, ShownItem
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Item


def copy_sections(shown: Shown, texts: Texts) -> tuple[Section, ...]:
    """Return a table of all items, by context in the order of numbers, behind an index of contexts."""
    title = texts.say("access", "copy")
    if not shown.items:
        return (Section(title, (Paragraph(texts.say("access", "empty")),), annex=True),)
    intro = texts.say("access", "copy_intro", city=texts.city)
    columns = (texts.say("access", "number"), texts.say("access", "what"), texts.say("access", "contents"))
    groups = _groups(shown, texts)
    index = Index((texts.say("access", "index_numbers"), texts.say("access", "index_what"), texts.say("access", "index_page")), groups)
    return (
        Section(texts.say("access", "index"), (index,), annex=True),
        Section(
            title,
            (Paragraph(intro), Entries(columns, groups)),
            annex=True,
        ),
    )


def _groups(shown: Shown, texts: Texts) -> tuple[Group, ...]:
    kinds = {context.key: (number, context.kind) for number, context in enumerate(shown.contexts, 1)}
    groups: list[Group] = []
    for key in dict.fromkeys(item.context for item in shown.items):
        number, kind = kinds.get(key, (0, ""))
        named = texts.code("kind", kind) if kind else texts.say("access", "contents")
        title = texts.say("access", "context", number=str(number), kind=named) if number else named
        entries = tuple(entry_of(item, texts) for item in shown.items if item.context == key)
        first, last = entries[0].number, entries[-1].number
        numbers = first if first == last else texts.say("access", "index_from_to", first=first, last=last)
        groups.append(Group(f"part-{len(groups) + 1}", title, numbers, entries))
    return tuple(groups)


def entry_of(item: ShownItem, texts: Texts) -> Entry:
    """Return one item in words: its kind and title, its day, its fields."""
    what = texts.code("kind", item.kind)
    if item.title and item.title != item.kind:
        what = f"{texts.say('letter', 'label', label=what)} {texts.code('kind', item.title)}"
    facts = [Fact(texts.named(item.kind, field.name), _lines(field, texts)) for field in item.fields]
    if item.attachment is not None:
        path = f"attachments/{item.attachment.name}"
        facts.append(Fact(texts.say("access", "attached"), (path,), path))
    told = tuple(fact for fact in facts if fact.lines)
    return Entry(item.number, what, texts.value(item.at) if item.at else "", told or (Fact("", (texts.say("access", "nothing"),)),))


def _lines(field: ShownField, texts: Texts) -> tuple[str, ...]:
    if field.value is not None and field.value != "":
        return (texts.field(field.name, field.value),)
    return tuple(dict.fromkeys(each.label for each in field.redactions))


# Deeds that say by themselves what they are about: the row of a person is not an object of a sentence.
_ALONE = frozenset({"profile", "unsubscribe", "no_image", "recorded"})


def deed_of(item: Item, texts: Texts, *, is_done: bool) -> str:
    """Return what granting an item has done, or would have done, in words: the deed, what it is about with
    its day, and which field."""
    deed = texts.code("what" if is_done else "asked", item.title)
    if item.title in _ALONE:
        return deed
    fields = ", ".join(texts.code("field", field.name) for field in item.fields if not field.is_text)
    at = f", {texts.value(item.at)}" if item.at else ""
    return texts.say("outcome", "deed", deed=deed, about=fields or f"{texts.code('kind', item.kind)}{at}")


def new_value_of(item: Item, texts: Texts) -> str:
    """Return what a corrected field contains from now on; empty where nothing is corrected. The person gave
    it, and it is repeated to them."""
    values = [texts.field(field.name, field.value) for field in item.fields if not field.is_text and field.value is not None]
    return ", ".join(values) if item.title == "correct" else ""
