"""The letter of a refusal: its ground, what is kept all the same, then the authority and the court (GDPR art.
12(4)); the last of these stands in every answer. Its sentences, `refusal` and `refusal_more`, are in
`answer_package/texts/nl.toml`, and in fr, en and de beside it. Source: section 6.4."""

from crm_compliance.answer_package.content.answer import Paragraph, Section
from crm_compliance.answer_package.content.reasons import remarks_of
from crm_compliance.answer_package.content.retention import kept_of, kept_section
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation


def refusal_sections(compilation: Compilation, texts: Texts) -> tuple[Section, ...]:
    code = compilation.refusal
    reasons = (Paragraph(texts.code("refusal", code)), Paragraph(texts.code("refusal_more", code)), *remarks_of(compilation, texts))
    intro = Section("", (Paragraph(texts.say("refusal", "intro")),))
    return intro, Section(texts.say("refusal", "reason"), reasons), *kept_section(kept_of(compilation), texts)


def complaint(texts: Texts) -> Section:
    """Return the authority and the court, as named in every answer that somebody may disagree with (art.
    12(4), 15(1)(f))."""
    authority = texts.organisation.authority
    lodged = (authority.lodge_with or authority.complain_to).in_language(texts.language)
    address = authority.address.in_language(texts.language)
    email = texts.say("letter", "by_email", email=authority.email) if authority.email else ""
    told = (texts.say("complaint", "authority", authority=lodged, address=address, email=email), texts.say("complaint", "court"))
    return Section(texts.say("complaint", "title"), tuple(Paragraph(line) for line in told))
