"""The last check: whether anything that must not be sent is in the package as it is, or in the message that
accompanies it, whatever earlier steps did.

There are two questions, because our own words are in every package and prove nothing. What the package says
beyond them, string by string as the CRM has it, must hold nothing of others: a name of somebody else is found
there although it is a word of every letter too. And the files as they are read back from their bytes,
metadata and names included, must hold nothing of others besides what those fixed words hold. Attachments are
searched whole. A hit stops the release, and nothing is written. What was found is not reported: it is a name.

What is only nearly a name stops an item until a person states that it is not one. A file was withheld because
of it, and is released by a person.

Source: EXP-06, EXP-13; R-118, R-119, R-123, R-142."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from crm_compliance.answer_package.content.letterhead import sender_of
from crm_compliance.answer_package.content.make_answer import answer_of
from crm_compliance.answer_package.content.view import NEUTRAL_NAME, ShownItem, is_bare, shown_of
from crm_compliance.answer_package.content.wording import NO_WORDS, Texts, texts_for
from crm_compliance.answer_package.data import data_json
from crm_compliance.answer_package.read_back import APART, words_of
from jobs.files.file_texts import texts_of
from jobs.model.answer import NOT_A_NAME, Addressee, Compilation, Field, Item, Recipient
from jobs.ports.outbox import LeakFound
from rules.model.requests import COPIES
from rules.organisation.organisation import Organisation
from rules.redaction.leak_terms import GUID, Hit, LeakTerms, name_leak_term

ID: Final = "id"  # of the CRM (EXP-13)
NEAR_NAME: Final = "near_name"  # nearly the name of somebody: a person may say that it is none
MESSAGE: Final = "message.txt"  # as the message that goes with the link is called in a refusal
_ATTACHED: Final = "attachments/"
# Names of our files, and of the program that sets the letter, which every PDF names.
_OUR_NAMES: Final = ("letter.pdf", "index.html", "data.json", "data.csv", "manifest.json", "attachments", "attachment", "Typst")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ANYTHING: Final = "·"
_NO_ADDRESSEE: Final = Addressee("")


def searched_files(
    compilation: Compilation, files: Iterable[tuple[str, bytes]], organisation: Organisation, *, told: Sequence[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """Search a package for leak-check terms: what it says, then file by file, each with its name, and hand
    those on in which there is nothing. `told` are those notified of a decision. Raises LeakFound: naming
    file, item and the kind of thing it is, never the thing."""
    leak_terms, ours = LeakTerms(compilation.leak_terms), sender_of(organisation, compilation.language).said
    texts = texts_for(compilation, organisation)
    _search_data(compilation, leak_terms, texts, "letter.pdf" if is_bare(compilation) else "data.json", ours, told)
    reviewed = {item.shown_attachment.name: item.item for item in compilation.items if item.shown_attachment is not None}
    items = {item.attachment.name: reviewed.get(item.file, "") for item in shown_of(compilation).items if item.attachment is not None}
    named = _naming_whom_it_is_for(compilation)
    fixed = _fixed_hits(compilation, named, texts, ours, told)
    for name, content in files:
        is_attached = name.startswith(_ATTACHED)
        item = items.get(name.removeprefix(_ATTACHED), "") if is_attached else ""
        for text in texts_of(name, content) if is_attached else words_of(name, content):
            found = leak_terms.found_in(text) if is_attached else (*named.found_in(text, fixed), *_ids_in(text))
            if found:
                raise LeakFound(name, found, item)
        if found := named.found_in(name, fixed):
            raise LeakFound(name, found, item)
        yield name, content


def search_message(compilation: Compilation, write: Callable[[Compilation], str], organisation: Organisation) -> None:
    """Search the message that accompanies the link, which is stored beside the package and is read before it.
    `write` writes it for any answer: for this one it is searched, and for the same answer without its data it
    shows which words are ours. Raises LeakFound: as `searched_files` does."""
    texts = texts_for(compilation, organisation)
    named, ours = _naming_whom_it_is_for(compilation), sender_of(organisation, compilation.language).said
    fixed = _fixed_hits(compilation, named, texts, ours, ()) | named.hits_in(write(_frame_of(compilation, texts)))
    message = write(compilation)
    if found := (*named.found_in(message, fixed), *_ids_in(message)):
        raise LeakFound(MESSAGE, found)


def _naming_whom_it_is_for(compilation: Compilation) -> LeakTerms:
    """Return the leak-check terms of an answer; the names of the person it is for are their own, even if
    others share them."""
    people = dict.fromkeys(name for name in (compilation.addressee.name, compilation.about) if name)
    return LeakTerms((*compilation.leak_terms, *(name_leak_term("", name, own=True) for name in people)))


def _search_data(
    compilation: Compilation, leak_terms: LeakTerms, texts: Texts, file: str, ours: Sequence[str], told: Sequence[str]
) -> None:
    """Search what is said beyond our own words: item by item, and then the rest of the answer."""
    own = set(_own_words(compilation))
    for item in compilation.items if compilation.right in COPIES else ():
        for text in _strings_of(compilation, item, texts):
            names = () if text in own else leak_terms.found_in(text)
            if found := (*names, *_ids_in(text)):
                raise LeakFound(file, found, item.item)
            if text not in own and item.code != NOT_A_NAME and leak_terms.are_nearly_in(text):
                raise LeakFound(file, (NEAR_NAME,), item.item, is_near=True)
    frame = set(_said_without_words(_frame_of(compilation, texts), texts.organisation, [_ANYTHING] * len(told)))
    anonymous = msgspec.structs.replace(compilation, addressee=_NO_ADDRESSEE, about="")
    for text in _said_without_words(anonymous, texts.organisation, told):
        for word in ours:
            text = text.replace(word, _ANYTHING) if word else text
        if text not in frame | own and (found := leak_terms.found_in(text)):
            raise LeakFound("letter.pdf", found)


def _said_without_words(compilation: Compilation, organisation: Organisation, told: Sequence[str]) -> Iterator[str]:
    """Yield the strings of an answer that are data: neither our words nor the retention schedule's."""
    contexts = tuple(msgspec.structs.replace(each, category_labels={}, basis_labels={}, basis="") for each in compilation.contexts)
    wordless = msgspec.structs.replace(compilation, language=NO_WORDS, contexts=contexts)
    yield from _strings(answer_of(wordless, organisation, told=told, unsigned=True))


def _strings_of(compilation: Compilation, item: Item, texts: Texts) -> Iterator[str]:
    """Yield what is sent of one item, as the CRM or a reviewer has written it: not what we have words for,
    and no day."""
    if not item.is_shown:
        return
    for shown in shown_of(msgspec.structs.replace(compilation, items=(item,))).items:
        if not _is_ours(shown, texts):
            yield shown.title
        for field in shown.fields:
            if isinstance(field.value, str):
                if texts.value(field.value) == field.value:
                    yield field.value
            elif field.value is not None and not isinstance(field.value, bool):
                yield str(field.value)
        if shown.attachment is not None and not NEUTRAL_NAME.fullmatch(shown.attachment.name):
            yield shown.attachment.name


def _is_ours(item: ShownItem | Item, texts: Texts) -> bool:
    return any(texts.knows(table, item.title) for table in ("kind", "what"))


def _own_words(compilation: Compilation) -> Iterator[str]:
    """Yield single words of the person's own row, such as the town: they are theirs, even if somebody else
    has that name."""
    for item in compilation.items:
        for field in item.shown_fields if item.kind == "contact" else ():
            if isinstance(field.value, str) and _WORD.fullmatch(field.value.strip()):
                yield field.value


def _fixed_hits(compilation: Compilation, leak_terms: LeakTerms, texts: Texts, ours: Sequence[str], told: Sequence[str]) -> frozenset[Hit]:
    """Return the hits in our own words: all texts and codes of the language, and this very answer with its
    data removed."""
    locale = texts.locale
    calendar = [name for form in ("wide", "abbreviated") for part in (locale.months, locale.days) for name in part["format"][form].values()]
    policy = [label for each in compilation.contexts for label in (*each.category_labels.values(), *each.basis_labels.values(), each.basis)]
    words = [*texts.all_texts(), *texts.all_codes(), *calendar, *locale.territories.values(), *policy, *ours, *_OUR_NAMES]
    frame = _frame_of(compilation, texts)
    said = list(_strings(answer_of(frame, texts.organisation, told=[_ANYTHING] * len(told), unsigned=True)))
    data = list(words_of("data.json", data_json(frame, shown_of(frame), texts.organisation)))
    texts_read = [APART.join((*words, *_own_words(compilation))), " ".join(said), APART.join((*said, *data))]
    return frozenset(hit for text in texts_read for hit in leak_terms.hits_in(text, is_ours=True))


def _frame_of(compilation: Compilation, texts: Texts) -> Compilation:
    """Return the same answer with everything removed that the CRM or a person has written."""
    contexts = tuple(msgspec.structs.replace(each, recipients=tuple(map(_unnamed, each.recipients))) for each in compilation.contexts)
    return msgspec.structs.replace(
        compilation,
        addressee=msgspec.structs.replace(
            compilation.addressee, name=_ANYTHING, first_name=_ANYTHING if compilation.addressee.first_name else ""
        ),
        about=_ANYTHING if compilation.about else "",
        contexts=contexts,
        items=tuple(_emptied(item, texts) for item in compilation.items),
    )


def _unnamed(recipient: Recipient) -> Recipient:
    return recipient if recipient.is_category else msgspec.structs.replace(recipient, name=_ANYTHING)


def _emptied(item: Item, texts: Texts) -> Item:
    return msgspec.structs.replace(
        item,
        fields=tuple(_without_data(field, texts) for field in item.fields),
        proposal=_ANYTHING if item.proposal else "",
        text=_ANYTHING if item.text else item.text,
        title=item.title if _is_ours(item, texts) else "",
        attachment=msgspec.structs.replace(item.attachment, name="attachment-1.bin") if item.attachment is not None else None,
    )


def _without_data(field: Field, texts: Texts) -> Field:
    is_data = isinstance(field.value, str) and texts.value(field.value) == field.value
    return msgspec.structs.replace(field, value=_ANYTHING) if is_data else field


def _ids_in(text: str) -> tuple[str, ...]:
    return (ID,) if GUID.search(text) else ()


def _strings(value: Any) -> Iterator[str]:
    """Yield every string in a value, never a key."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _strings(getattr(value, field))
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
