"""The addresses of requests, and who may take each."""

from typing import Final

from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.pages.requests import intake, page, register, release, rights, search, steps_without_crm
from rules.model.roles import Act

_ONE: Final = "/requests/{request}"

ENDPOINTS: Final = (
    get("/requests", register.show, Act.SEE_REQUESTS),
    get("/requests/calendar.ics", register.calendar_file, Act.SEE_REQUESTS),
    get("/requests/new", intake.show, Act.HANDLE_REQUEST),
    post("/requests/new", intake.register, Act.HANDLE_REQUEST, form_bytes=intake.TYPED_BYTES),
    post("/requests/new/import", intake.import_, Act.HANDLE_REQUEST, form_bytes=intake.UPLOAD_BYTES),
    get(_ONE, page.show, Act.SEE_REQUESTS),
    get(f"{_ONE}/work", page.work, Act.SEE_REQUESTS),
    post(f"{_ONE}/identify", steps_without_crm.identify, Act.HANDLE_REQUEST),
    post(f"{_ONE}/suspend", steps_without_crm.suspend, Act.HANDLE_REQUEST),
    post(f"{_ONE}/resume", steps_without_crm.resume, Act.HANDLE_REQUEST),
    post(f"{_ONE}/extend", steps_without_crm.extend, Act.HANDLE_REQUEST),
    post(f"{_ONE}/override", steps_without_crm.override, Act.SET_RULE_ASIDE),
    post(f"{_ONE}/match", search.match, Act.HANDLE_REQUEST),
    post(f"{_ONE}/confirm", search.confirm, Act.HANDLE_REQUEST),
    post(f"{_ONE}/compile", search.compile_, Act.HANDLE_REQUEST),
    post(f"{_ONE}/completeness", search.completeness, Act.SEE_ANSWER),
    post(f"{_ONE}/approve", search.approve, Act.APPROVE_ANSWER),
    post(f"{_ONE}/decide", rights.decide, Act.HANDLE_REQUEST),
    post(f"{_ONE}/letters", rights.letters, Act.HANDLE_REQUEST),
    post(f"{_ONE}/told", rights.told, Act.HANDLE_REQUEST),
    post(f"{_ONE}/release", release.release, Act.RELEASE_ANSWER),
    post(f"{_ONE}/handover", release.handed_over, Act.RELEASE_ANSWER),
    get(f"{_ONE}/message", release.message, Act.RELEASE_ANSWER),
    get(f"{_ONE}/archive", release.archive, Act.RELEASE_ANSWER),
    post(f"{_ONE}/close", steps_without_crm.close, Act.HANDLE_REQUEST),
    post(f"{_ONE}/misdelivered", steps_without_crm.misdelivered, Act.HANDLE_REQUEST),
    post(f"{_ONE}/renew", steps_without_crm.renew, Act.HANDLE_REQUEST),
)
