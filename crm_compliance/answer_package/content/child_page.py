"""The page that a minor reads first: short sentences, nothing frightening, whom to call, and an offer to read
together (EXP-10). Every answer to a minor has one, a refusal and a neutral answer too: what it says then is
the same for everybody (SUS-04)."""

from collections.abc import Iterator

from crm_compliance.answer_package.content.answer import Paragraph, Section, Sender
from crm_compliance.answer_package.content.view import is_bare
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation
from rules.model.requests import COPIES


def childs_page(compilation: Compilation, sender: Sender, texts: Texts) -> Section:
    """Return what is in the package, or what was decided, in a child's words."""
    return Section(texts.say("child", "title"), tuple(_paragraphs(compilation, sender, texts)), level=1)


def _paragraphs(compilation: Compilation, sender: Sender, texts: Texts) -> Iterator[Paragraph]:
    name = compilation.addressee.first_name
    yield Paragraph(texts.say("child", "hello_name", name=name) if name else texts.say("child", "hello"))
    yield from (Paragraph(texts.say("child", key)) for key in _content(compilation))
    if sender.phone:
        yield Paragraph(texts.say("child", "call", phone=sender.phone), sender.phone)
    person = sender.ask_for or texts.say("child", "person")
    yield Paragraph(texts.say("child", "ask_for", person=person, reference=compilation.reference))
    email = texts.say("letter", "by_email", email=sender.email) if sender.email else ""
    address = ", ".join(each for each in (sender.name, sender.dpo_address) if each)
    yield Paragraph(texts.say("child", "write", address=address, email=email))
    yield Paragraph(texts.say("child", "wrong"))


def _content(compilation: Compilation) -> tuple[str, ...]:
    if is_bare(compilation):
        return ("why_bare", "bare")
    if compilation.right == "portability":
        return ("why_portable", "inside_portable", "together")
    if compilation.right in COPIES:
        return ("why", "inside", "hidden", "hard", "together")
    return ("why_decided", "inside_decided", "together")
