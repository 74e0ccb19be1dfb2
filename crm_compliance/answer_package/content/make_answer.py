"""Makes the answer out of a compilation: which sections there are, and what each says. Source: sections 6.4
and 7.1; EXP-09, EXP-10, SUS-04, SUS-12; GDPR art. 12(4), 15, 19."""

from collections.abc import Sequence

from crm_compliance.answer_package.content.answer import Answer, Block, Bullets, Paragraph, Section, Table
from crm_compliance.answer_package.content.child_page import childs_page
from crm_compliance.answer_package.content.glossary import glossary
from crm_compliance.answer_package.content.items_copy import copy_sections, deed_of, new_value_of
from crm_compliance.answer_package.content.letterhead import NOBODY, letterhead, sender_of
from crm_compliance.answer_package.content.particulars import context_section, inside, searched
from crm_compliance.answer_package.content.reasons import declined, left_out_rows, remarks_of
from crm_compliance.answer_package.content.refusal import complaint, refusal_sections
from crm_compliance.answer_package.content.retention import kept_of, kept_section
from crm_compliance.answer_package.content.summary import summary
from crm_compliance.answer_package.content.view import Shown, is_bare, is_neutral, is_refusal, shown_of
from crm_compliance.answer_package.content.wording import Texts, texts_for
from jobs.model.answer import Compilation, Item
from jobs.register.decision import ERASING
from rules.model.requests import ARTICLES, COPIES, Right
from rules.organisation.organisation import Organisation


def answer_of(
    compilation: Compilation, organisation: Organisation, *, told: Sequence[str] = (), working_copy: bool = False, unsigned: bool = False
) -> Answer:
    """Return the answer to a request, in its language; `told` are recipients who are notified of the decision
    (art. 19). An `unsigned` one leaves its sender out: it is what is said to anybody, by anybody."""
    texts = texts_for(compilation, organisation)
    sender = NOBODY if unsigned else sender_of(organisation, texts.language)
    article = ARTICLES[Right(compilation.right)]
    shown = shown_of(compilation, working_copy=working_copy)
    bare = is_bare(compilation)
    right = texts.code("right", compilation.right)
    minor = compilation.addressee.is_minor
    scope = texts.say("letter", "scope" if compilation.right == Right.ACCESS else "scope_other", article=article)  # SUS-12
    return Answer(
        **letterhead(texts, sender, compilation.generated_at, minor=compilation.addressee.first_name if minor else ""),
        title=texts.say("letter", "title", right=right),
        subject=texts.say("letter", "subject", right=right, received=texts.day(compilation.received_on)),
        addressee=compilation.addressee.name,
        reference=compilation.reference,
        cover=childs_page(compilation, sender, texts) if minor else None,
        cover_end=texts.say("child", "rest_bare" if bare else "rest") if minor else "",
        cover_end_page=texts.say("child", "rest_page") if minor else "",
        sections=_sections(compilation, shown, texts, article, scope, told),
        scope=scope,
        is_bare=bare,
        notice=texts.say("letter", "working_copy") if working_copy else "",
        transcribed=texts.say("letter", "transcribed") if not bare else "",
    )


def _sections(compilation: Compilation, shown: Shown, texts: Texts, article: str, scope: str, told: Sequence[str]) -> tuple[Section, ...]:
    complain_to = texts.organisation.authority.complain_to.in_language(texts.language)
    if is_neutral(compilation):  # the text and nothing else: whatever were added for one would tell it from the other (SUS-04)
        return (Section("", (Paragraph(texts.say("neutral", "text", article=article, authority=complain_to)),)),)
    if is_refusal(compilation):
        return (*refusal_sections(compilation, texts), complaint(texts))
    if compilation.right in COPIES:
        said = (*_given(compilation, shown, texts), complaint(texts), *copy_sections(shown, texts))
    else:
        said = (*_outcome(compilation, told, texts), complaint(texts))
    return (*said, glossary(compilation, shown, texts, said, scope))


def _given(compilation: Compilation, shown: Shown, texts: Texts) -> tuple[Section, ...]:
    """Return what art. 15(1) and (2) require, point by point; for portability what is handed over."""
    portable = compilation.right == "portability"
    intro: list[Block] = [Paragraph(texts.say("access", "portable" if portable else "confirm"))]
    if compilation.scope == "on_behalf_limited":
        intro.append(Paragraph(texts.say("access", "limited")))
    intro += remarks_of(compilation, texts)
    contexts = [context_section(number, each, texts) for number, each in enumerate(shown.contexts, 1)]
    sections = [Section("", tuple(intro)), summary(compilation, shown, texts)]
    if contexts:
        sections += [Section(texts.say("access", "contexts"), ()), *contexts]
    if not portable:
        sections.append(Section(texts.say("access", "automated_title"), (Paragraph(texts.say("access", "automated")),)))
    sections.append(inside(compilation, shown, texts))
    sections += _left_out(shown, texts)
    if not portable:
        sections.append(searched(compilation, texts))
    return (*sections, _rights(texts))


def _left_out(shown: Shown, texts: Texts) -> list[Section]:
    """Return what was withheld, by class and reason (EXP-09)."""
    rows = left_out_rows(shown, texts)
    if not rows:
        return []
    columns = (texts.say("access", "withheld_class"), texts.say("access", "withheld_reason"))
    return [Section(texts.say("access", "withheld"), (Paragraph(texts.say("access", "withheld_intro")), Table(columns, rows)))]


def _rights(texts: Texts) -> Section:
    lines = tuple(texts.say("rights", right.value) for right in Right)
    told = (Paragraph(texts.say("access", "your_rights_intro")), Bullets(lines), Paragraph(texts.say("access", "how_to")))
    return Section(texts.say("access", "your_rights"), told)


def _deeds(items: Sequence[Item], texts: Texts, *, is_done: bool) -> Table:
    """Return what was granted, with the new values where something is corrected."""
    rows = tuple((deed_of(item, texts, is_done=is_done), new_value_of(item, texts)) for item in items)
    has_values = any(value for _, value in rows)
    columns = (texts.say("outcome", "what"), *([texts.say("outcome", "new_value")] if has_values else []))
    return Table(columns, tuple(dict.fromkeys(row if has_values else row[:1] for row in rows)))


def _outcome(compilation: Compilation, told: Sequence[str], texts: Texts) -> tuple[Section, ...]:
    """Return what was done for another right than access, what not and why, and who is notified."""
    waiting = {*compilation.held, *compilation.delayed}
    granted = [item for item in compilation.items if item.item in compilation.granted and item.item not in waiting]
    delayed = [item for item in compilation.items if item.item in compilation.delayed]
    declined_items = [item for item in compilation.items if item.item not in compilation.granted]
    what, why = texts.say("outcome", "what"), texts.say("access", "withheld_reason")
    sections = [Section("", (Paragraph(texts.say("outcome", "intro")), *remarks_of(compilation, texts)))]
    if granted:
        said = [Paragraph(texts.say("outcome", compilation.right))]
        if any(item.title in ERASING for item in granted):
            said.append(Paragraph(texts.say("outcome", "under_way")))
        sections.append(Section(texts.say("outcome", "done_title"), (*said, _deeds(granted, texts, is_done=True))))
    if delayed:
        table = _deeds(delayed, texts, is_done=False)
        sections.append(Section(texts.say("outcome", "delayed_title"), (Paragraph(texts.say("outcome", "delayed")), table)))
    if declined_items:
        refused = tuple((deed_of(item, texts, is_done=False), declined(compilation.right, item.code, texts)) for item in declined_items)
        table = Table((what, why), tuple(dict.fromkeys(refused)))
        sections.append(Section(texts.say("outcome", "refused_title"), (table,)))
    sections += kept_section(kept_of(compilation), texts)
    if told:
        notice = Paragraph(texts.say("outcome", "notices", names=", ".join(dict.fromkeys(told))))
        sections.append(Section(texts.say("outcome", "notices_title"), (notice,)))
    return tuple(sections)
