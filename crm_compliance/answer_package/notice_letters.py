"""The letters that tell recipients what was corrected, erased or restricted (GDPR art. 19), as files: what
they say is in content/notice.py."""

from collections.abc import Mapping
from datetime import datetime

from crm_compliance.answer_package.content.notice import language_of, notice_letter
from crm_compliance.answer_package.letter import letter_pdf
from jobs.model.request import SubjectRequest
from jobs.register.decision import Decision, Notice
from rules.organisation.organisation import Organisation


def letters_of(
    request: SubjectRequest,
    decision: Decision,
    due: Mapping[int, Notice],
    organisation: Organisation,
    *,
    usual: str | None,
    language: str,
    at: datetime,
) -> dict[str, bytes]:
    """Return a PDF for each notice that is due, by the name of its file. Each is in `language`, or where that
    is empty in the one of the recipient's country, else in the `usual` one, without it the
    organisation's first."""
    letters = {}
    for number, notice in due.items():
        spoken = language or language_of(notice, usual or organisation.languages[0])
        letter = notice_letter(notice, decision, organisation, reference=f"{request.reference} ({number})", language=spoken, at=at)
        letters[f"notice-{number}.pdf"] = letter_pdf(letter)
    return letters
