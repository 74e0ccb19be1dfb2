"""The letter of a refusal: its ground, what is kept all the same, then the authority and the court (GDPR art.
12(4)); the last of these stands in every answer. Its sentences, `refusal` and `refusal_more`, are in
`answer_package/texts/nl.toml`, and in fr, en and de beside it. Source: section 6.4."""

from crm_compliance.answer_package.characters import french
from crm_compliance.answer_package.content.answer import Paragraph, Section
from crm_compliance.answer_package.content.reasons import remarks_of
from crm_compliance.answer_package.content.retention import kept_of, kept_section
from crm_compliance.answer_package.content.wording import Texts, texts_in
from jobs.model.answer import Compilation
from jobs.model.request import SubjectRequest
from rules.model.requests import ARTICLES, Right
from rules.organisation.organisation import Organisation


def refusal_sections(compilation: Compilation, texts: Texts) -> tuple[Section, ...]:
    code = compilation.refusal
    reasons = (Paragraph(texts.code("refusal", code)), Paragraph(texts.code("refusal_more", code)), *remarks_of(compilation, texts))
    intro = Section("", (Paragraph(texts.say("refusal", "intro")),))
    return intro, Section(texts.say("refusal", "reason"), reasons), *kept_section(kept_of(compilation), texts)


def refusal_to_write(request: SubjectRequest, organisation: Organisation) -> str:
    """Return what a person has to write to whoever was refused without a release, since no letter was made:
    the sentences of a refusal in the language of the request, a paragraph each, and nothing about anybody
    (art. 12(4)). Return an empty text for any other request."""
    if not request.is_closed or not request.refusal or request.released_at is not None:
        return ""
    texts = texts_in(request.language, organisation, on_behalf=request.on_behalf)
    article = ARTICLES[request.right]
    lines = [texts.say("refusal", "intro"), texts.code("refusal", request.refusal), texts.code("refusal_more", request.refusal)]
    lines += [told.text for told in complaint(texts).blocks if isinstance(told, Paragraph)]
    lines.append(texts.say("letter", "scope" if request.right is Right.ACCESS else "scope_other", article=article))  # SUS-12
    return "\n\n".join(french(line) if texts.language == "fr" else line for line in lines)


def complaint(texts: Texts) -> Section:
    """Return the authority and the court, as named in every answer that somebody may disagree with (art.
    12(4), 15(1)(f))."""
    authority = texts.organisation.authority
    lodged = (authority.lodge_with or authority.complain_to).in_language(texts.language)
    address = authority.address.in_language(texts.language)
    email = texts.say("letter", "by_email", email=authority.email) if authority.email else ""
    told = (texts.say("complaint", "authority", authority=lodged, address=address, email=email), texts.say("complaint", "court"))
    return Section(texts.say("complaint", "title"), tuple(Paragraph(line) for line in told))
